//! What a variant takes from stock: kits have several items.

use domain::id::{InventoryItemId, VariantId};
use sea_orm::entity::prelude::*;

/// What a variant takes from stock: kits have several items.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "variant_item")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub variant_id: VariantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub item_id: InventoryItemId,
    pub required_quantity: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
