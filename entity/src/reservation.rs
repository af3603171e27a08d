//! Stock promised to a checkout or an order line.

use domain::id::{CheckoutId, InventoryItemId, LocationId, OrderLineId, ReservationId};
use sea_orm::entity::prelude::*;

/// Stock promised to a checkout or an order line.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "reservation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReservationId,
    pub created_at: DateTimeUtc,
    pub item_id: InventoryItemId,
    pub location_id: LocationId,
    pub quantity: i32,
    pub checkout_id: CheckoutId,
    /// Which line of the checkout it is for.
    pub position: i32,
    pub order_line_id: Option<OrderLineId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
