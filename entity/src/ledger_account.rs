//! A gift card, or what the shop owes a customer in one currency.

use domain::id::{CustomerId, LedgerAccountId, OrderLineId};
use domain::ledger::LedgerKind;
use domain::money::Currency;
use domain::text::Email;
use sea_orm::entity::prelude::*;

/// A gift card, or what the shop owes a customer in one currency.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LedgerAccountId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// Who made it.
    pub created_by: String,
    pub kind: LedgerKind,
    pub currency: Currency,
    /// The sum of its entries.
    pub balance_minor: i64,
    /// Whose credit it is, or who claimed the card.
    pub customer_id: Option<CustomerId>,
    /// The keyed hash by which a card is found.
    pub code_hash: Option<Vec<u8>>,
    /// The code itself, sealed, until somebody claims the card.
    pub code_sealed: Option<Vec<u8>>,
    /// How the code ends, for people to tell cards apart.
    pub last_characters: Option<String>,
    /// Until when it can be spent, exclusive.
    pub expires_at: Option<DateTimeUtc>,
    pub frozen_at: Option<DateTimeUtc>,
    /// What staff wrote about it.
    pub note: Option<String>,
    /// The line of an order with which it was bought.
    pub order_line_id: Option<OrderLineId>,
    /// Which piece of that line it is, from 1.
    pub unit: Option<i32>,
    /// Where it is mailed.
    pub recipient: Option<Email>,
    /// In which language: a BCP 47 tag.
    pub locale: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
