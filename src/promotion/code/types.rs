//! How codes look to staff.

use async_graphql::{ComplexObject, Context, ID, SimpleObject};
use chrono::{DateTime, Utc};
use domain::id::PromotionCodeId;
use entity::promotion_code;

use crate::api::call::call;
use crate::api::guard::orders_read_everywhere;
use crate::api::page::connection;
use crate::api::scalar::{Int64, id};
use crate::promotion::load::UsageOfCode;
use crate::promotion::usage::types::AdminPromotionUsage;
use engine::promotion::repo::usage::Span;

connection! {
    /// Codes of a promotion.
    AdminPromotionCodeConnection, AdminPromotionCodeEdge, AdminPromotionCode, promotion_code::Model
}

/// What a shopper types to get a promotion.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub struct AdminPromotionCode {
    #[graphql(skip)]
    key: PromotionCodeId,
    /// Its id.
    pub id: ID,
    /// The promotion.
    pub promotion_id: ID,
    /// The code, in capitals.
    pub code: String,
    /// With which others it was made or brought; null when it was written by hand.
    pub batch: Option<String>,
    /// When it ends before its promotion does, exclusive; null when it does not.
    pub ends_at: Option<DateTime<Utc>>,
    /// How often it was used, with what checkouts under way hold. What was called off or canceled does not count.
    pub uses: Int64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

#[ComplexObject]
impl AdminPromotionCode {
    /// What has become of its uses, what it gave and what the orders brought. Needs ORDERS_READ in every channel
    /// besides.
    #[graphql(guard = "orders_read_everywhere()")]
    async fn usage(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of uses that began at this moment or later.")] from: Option<DateTime<Utc>>,
        #[graphql(desc = "Of uses that began before this moment.")] until: Option<DateTime<Utc>>,
    ) -> async_graphql::Result<AdminPromotionUsage> {
        let rows = call(ctx)?.load(UsageOfCode(self.key, Span { from, until })).await?;
        Ok(AdminPromotionUsage::new(&rows))
    }
}

impl From<promotion_code::Model> for AdminPromotionCode {
    fn from(row: promotion_code::Model) -> Self {
        Self {
            key: row.id,
            id: id(row.id),
            promotion_id: id(row.promotion_id),
            code: row.code,
            batch: row.batch,
            ends_at: row.ends_at,
            uses: Int64(row.uses),
            created_at: row.created_at,
        }
    }
}
