//! A movement of a gift card or of store credit; none is ever changed.

use domain::id::{CheckoutId, LedgerAccountId, LedgerEntryId, OrderId};
use domain::ledger::LedgerEntryKind;
use sea_orm::entity::prelude::*;

/// A movement of a gift card or of store credit; none is ever changed.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_entry")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LedgerEntryId,
    pub at: DateTimeUtc,
    pub account_id: LedgerAccountId,
    pub kind: LedgerEntryKind,
    /// What it adds: below zero when it takes.
    pub amount_minor: i64,
    /// What is on the account after it.
    pub balance_minor: i64,
    pub checkout_id: Option<CheckoutId>,
    pub order_id: Option<OrderId>,
    /// Where it went, or came from.
    pub other_account_id: Option<LedgerAccountId>,
    /// Who did it.
    pub actor: String,
    /// What staff wrote about it.
    pub note: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
