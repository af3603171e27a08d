//! How much of an item a location holds and has promised.

use domain::id::{InventoryItemId, LocationId};
use sea_orm::entity::prelude::*;

/// How much of an item a location holds and has promised.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_level")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub item_id: InventoryItemId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub location_id: LocationId,
    pub stocked: i32,
    pub reserved: i32,
    /// Kept back: not promised to anybody.
    pub safety: i32,
    /// On its way there.
    pub incoming: i32,
    /// When that is expected.
    pub incoming_at: Option<DateTimeUtc>,
    /// From how many free units down staff call it low.
    pub low_stock: i32,
    pub updated_at: DateTimeUtc,
    /// Whether its location is gone: it changes no more.
    pub closed: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
