//! A code that a shopper entered into a cart.

use domain::id::{CartId, LedgerAccountId};
use sea_orm::entity::prelude::*;

/// A code that a shopper entered into a cart.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "cart_code")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub cart_id: CartId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    /// In its one form; of a gift card only how it ends.
    pub code: String,
    /// Whether the shopper was shown last that it gives something.
    pub applied: bool,
    /// The gift card that it is of.
    pub ledger_account_id: Option<LedgerAccountId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
