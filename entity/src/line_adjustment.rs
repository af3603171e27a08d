//! What a promotion took off a line of an order or off its shipping.

use domain::id::{AdjustmentId, OrderId, OrderLineId, OrderShippingLineId, PromotionId};
use domain::promotion::outcome::Arithmetic;
use sea_orm::entity::prelude::*;

/// What a promotion took off a line of an order or off its shipping.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "line_adjustment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AdjustmentId,
    pub order_id: OrderId,
    pub order_line_id: Option<OrderLineId>,
    pub order_shipping_line_id: Option<OrderShippingLineId>,
    /// Its place among those of the order: the order in which they came.
    pub position: i32,
    pub promotion_id: PromotionId,
    /// What shoppers read, as it was then.
    pub title: String,
    pub code: Option<String>,
    /// Off how many units.
    pub units: i64,
    /// What these came to before.
    pub of_minor: i64,
    pub amount_minor: i64,
    /// How the amount was found.
    pub explanation: Arithmetic,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
