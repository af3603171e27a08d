//! How much of an order line is in a fulfillment.

use domain::id::{FulfillmentId, FulfillmentLineId, OrderLineId};
use sea_orm::entity::prelude::*;

/// How much of an order line is in a fulfillment.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "fulfillment_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FulfillmentLineId,
    pub fulfillment_id: FulfillmentId,
    pub order_line_id: OrderLineId,
    pub quantity: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
