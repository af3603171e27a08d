//! Stock promised to a cart, a checkout or an order line, or put aside by staff.

use domain::id::{CartId, CheckoutId, InventoryItemId, LocationId, OrderLineId, ReservationId};
use sea_orm::entity::prelude::*;

/// Stock promised to a cart, a checkout or an order line, or put aside by staff.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "reservation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReservationId,
    pub created_at: DateTimeUtc,
    pub item_id: InventoryItemId,
    pub location_id: LocationId,
    pub quantity: i32,
    pub checkout_id: Option<CheckoutId>,
    /// Which line of the checkout it is for.
    pub position: Option<i32>,
    pub order_line_id: Option<OrderLineId>,
    /// The cart that it is held for.
    pub cart_id: Option<CartId>,
    /// When it ends by itself.
    pub expires_at: Option<DateTimeUtc>,
    /// Why staff put it aside.
    pub note: Option<String>,
    /// Whether it may be for goods that have yet to come.
    pub may_wait: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
