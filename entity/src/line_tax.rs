//! A tax on a line of an order or on its shipping.

use domain::id::{OrderId, OrderLineId, OrderShippingLineId, TaxLineId};
use sea_orm::entity::prelude::*;

/// A tax on a line of an order or on its shipping.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "line_tax")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TaxLineId,
    pub order_id: OrderId,
    pub order_line_id: Option<OrderLineId>,
    pub order_shipping_line_id: Option<OrderShippingLineId>,
    pub code: String,
    pub name: String,
    pub rate_ppm: i32,
    pub base_minor: i64,
    pub tax_minor: i64,
    /// Why the rate applied: a `domain::tax::TaxReason`; none on orders of earlier times.
    pub explanation: Option<Json>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
