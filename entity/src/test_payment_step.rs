//! Something that was done with a payment of the provider `test`, by its key.

use domain::payment::EntryKind;
use sea_orm::entity::prelude::*;

/// Something that was done with a payment of the provider `test`, by its key.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "test_payment_step")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub idempotency_key: String,
    pub reference: String,
    pub kind: EntryKind,
    pub amount_minor: i64,
    /// Why it was refused; nothing when it was done.
    pub refused: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
