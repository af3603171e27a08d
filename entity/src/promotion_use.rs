//! One use of a promotion by a checkout, and by the order that it became.

use domain::id::{CampaignId, CheckoutId, CustomerId, OrderId, PromotionCodeId, PromotionId, PromotionUseId};
use domain::money::Currency;
use domain::promotion::PromotionUseState;
use sea_orm::entity::prelude::*;

/// One use of a promotion by a checkout, and by the order that it became.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "promotion_use")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PromotionUseId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub promotion_id: PromotionId,
    pub promotion_code_id: Option<PromotionCodeId>,
    /// The campaign whose budget paid.
    pub campaign_id: Option<CampaignId>,
    pub checkout_id: CheckoutId,
    /// Once it is placed.
    pub order_id: Option<OrderId>,
    pub customer_id: Option<CustomerId>,
    /// By whom: a hash of the e-mail address, which does not tell it.
    pub buyer: String,
    pub currency: Currency,
    /// What came off.
    pub amount_minor: i64,
    /// What the budget paid.
    pub spent_minor: i64,
    pub state: PromotionUseState,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
