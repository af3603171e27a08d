//! What a shopper types to get a promotion.

use domain::id::{PromotionCodeId, PromotionId};
use sea_orm::entity::prelude::*;

/// What a shopper types to get a promotion.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "promotion_code")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PromotionCodeId,
    pub created_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    pub promotion_id: PromotionId,
    /// In its one form; one among those that are not deleted.
    pub code: String,
    /// With which others it was made or brought.
    pub batch: Option<String>,
    /// When it ends before its promotion does, exclusive.
    pub ends_at: Option<DateTimeUtc>,
    /// How often it was used, with what checkouts under way hold.
    pub uses: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
