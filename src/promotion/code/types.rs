//! How codes look to staff.

use async_graphql::{ID, SimpleObject};
use chrono::{DateTime, Utc};
use entity::promotion_code;

use crate::api::page::connection;
use crate::api::scalar::{Int64, id};

connection! {
    /// Codes of a promotion.
    AdminPromotionCodeConnection, AdminPromotionCodeEdge, AdminPromotionCode, promotion_code::Model
}

/// What a shopper types to get a promotion.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminPromotionCode {
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

impl From<promotion_code::Model> for AdminPromotionCode {
    fn from(row: promotion_code::Model) -> Self {
        Self {
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
