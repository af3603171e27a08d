//! The products that a collection lists by hand.

use domain::id::{CollectionId, ProductId};
use sea_orm::entity::prelude::*;

/// The products that a collection lists by hand.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "collection_product")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub collection_id: CollectionId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: ProductId,
    /// Its place: ranks rise, and may have holes.
    pub rank: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
