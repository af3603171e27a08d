//! A code that a shopper entered into a cart.

use domain::id::CartId;
use sea_orm::entity::prelude::*;

/// A code that a shopper entered into a cart.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "cart_code")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub cart_id: CartId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    /// In its one form.
    pub code: String,
    /// Whether the shopper was shown last that it gives something.
    pub applied: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
