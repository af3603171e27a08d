//! The ledger of a payment, append only.

use domain::id::{PaymentEntryId, PaymentId};
use domain::payment::EntryKind;
use domain::payment::EntryState;
use domain::payment::RefundReason;
use sea_orm::entity::prelude::*;

/// The ledger of a payment, append only.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "payment_entry")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PaymentEntryId,
    pub at: DateTimeUtc,
    pub payment_id: PaymentId,
    pub kind: EntryKind,
    pub state: EntryState,
    pub amount_minor: i64,
    pub provider_reference: Option<String>,
    pub cause: String,
    /// Why money is given back.
    pub reason: Option<RefundReason>,
    /// What staff wrote about it.
    pub note: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
