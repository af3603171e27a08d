//! What is counted in stock.

use domain::id::InventoryItemId;
use sea_orm::entity::prelude::*;

/// What is counted in stock.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "inventory_item")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InventoryItemId,
    pub created_at: DateTimeUtc,
    pub sku: Option<String>,
    /// What staff call it.
    pub title: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
