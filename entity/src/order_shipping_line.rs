//! A shipping charge of an order.

use domain::id::{OrderId, OrderShippingLineId, ShippingOptionId};
use sea_orm::entity::prelude::*;

/// A shipping charge of an order.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "order_shipping_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrderShippingLineId,
    pub order_id: OrderId,
    pub position: i32,
    pub shipping_option_id: Option<ShippingOptionId>,
    pub name: String,
    pub amount_minor: i64,
    pub includes_tax: bool,
    pub discount_minor: i64,
    pub net_minor: i64,
    pub tax_minor: i64,
    pub total_minor: i64,
    /// How what it cost was found; none of orders of before it was kept.
    pub explanation: Option<Json>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
