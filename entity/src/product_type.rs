//! A kind of product.

use domain::id::ProductTypeId;
use sea_orm::entity::prelude::*;

/// A kind of product.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "product_type")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProductTypeId,
    pub value: String,
    /// The value in lower case, which is unique.
    pub fold: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
