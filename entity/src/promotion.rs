//! What takes money off a cart, by itself or by a code.

use domain::id::{CampaignId, PromotionId};
use domain::promotion::condition::Conditions;
use domain::promotion::offer::Offer;
use domain::promotion::{PromotionMethod, PromotionStatus};
use sea_orm::entity::prelude::*;

/// What takes money off a cart, by itself or by a code.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "promotion")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PromotionId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    /// Shoppers read it.
    pub title: String,
    pub method: PromotionMethod,
    pub status: PromotionStatus,
    pub priority: i32,
    /// Inclusive.
    pub starts_at: Option<DateTimeUtc>,
    /// Exclusive.
    pub ends_at: Option<DateTimeUtc>,
    pub campaign_id: Option<CampaignId>,
    /// Whether no other promotion counts beside it.
    pub exclusive: bool,
    /// A list of `domain::promotion::PromotionClass`.
    pub combines_with: Json,
    pub limit_in_all: Option<i64>,
    pub limit_per_customer: Option<i64>,
    pub limit_per_code: Option<i64>,
    pub conditions: Conditions,
    pub offer: Offer,
    /// How often it was used, with what checkouts under way hold.
    pub uses: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
