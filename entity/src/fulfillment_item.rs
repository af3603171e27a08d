//! Which stock a fulfillment consumed, so that canceling it can give it back.

use domain::id::{FulfillmentId, InventoryItemId, OrderLineId};
use sea_orm::entity::prelude::*;

/// Which stock a fulfillment consumed, so that canceling it can give it back.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "fulfillment_item")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub fulfillment_id: FulfillmentId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_line_id: OrderLineId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub item_id: InventoryItemId,
    pub quantity: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
