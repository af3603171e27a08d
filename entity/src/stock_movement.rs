//! The ledger of stock: every change of what a location holds.

use domain::id::{InventoryItemId, LocationId, StockMovementId};
use domain::inventory::{MovementReason, StockCount};
use sea_orm::entity::prelude::*;

/// The ledger of stock: every change of what a location holds.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_movement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StockMovementId,
    pub at: DateTimeUtc,
    pub item_id: InventoryItemId,
    pub location_id: LocationId,
    /// Which count of the level changed.
    pub counted: StockCount,
    pub delta: i32,
    pub reason: MovementReason,
    /// The text id of what caused it, or staff's own words.
    pub cause: Option<String>,
    pub actor: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
