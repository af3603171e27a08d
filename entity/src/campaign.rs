//! Promotions with a time and a budget in common.

use domain::id::CampaignId;
use domain::promotion::campaign::Budget;
use sea_orm::entity::prelude::*;

/// Promotions with a time and a budget in common.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "campaign")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CampaignId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    /// For staff.
    pub title: String,
    /// Inclusive.
    pub starts_at: Option<DateTimeUtc>,
    /// Exclusive.
    pub ends_at: Option<DateTimeUtc>,
    /// How much it may give; no bound when absent.
    pub budget: Option<Budget>,
    /// Uses of its promotions, with what checkouts under way hold.
    pub uses: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
