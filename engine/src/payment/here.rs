//! Payments that gift cards and store credit made, and what staff give back as store credit: nobody outside is asked, so
//! the money moves in one transaction.

use domain::id::{CustomerId, LedgerAccountId, PaymentEntryId};
use domain::ledger::{LedgerEntryKind, LedgerTake};
use domain::payment::{Entry, EntryKind, EntryState, state};
use entity::{order, payment, payment_entry};
use serde_json::json;

use super::ops::{Why, book};
use super::{event_kind, repo};
use crate::error::{Error, Result};
use crate::ledger::spend::{Cause, give_back};
use crate::op::Tx;
use crate::order::aggregate;

/// The cause of an entry whose money became store credit: its provider knows nothing of it.
pub const CAUSE_CREDIT: &str = "store_credit";

/// An entry that is done as it is written.
fn done(tx: &Tx, payment: &payment::Model, amount_minor: i64, cause: &str, why: Why) -> payment_entry::Model {
    payment_entry::Model {
        id: tx.id(),
        at: tx.now(),
        payment_id: payment.id,
        kind: EntryKind::Refund,
        state: EntryState::Succeeded,
        amount_minor,
        provider_reference: payment.provider_reference.clone(),
        cause: cause.to_owned(),
        reason: why.reason,
        note: why.note,
    }
}

/// The account that made a payment.
fn account_of(payment: &payment::Model) -> Result<LedgerAccountId> {
    let named = payment.provider_reference.as_deref().and_then(|text| text.parse().ok());
    named.ok_or_else(|| Error::internal("a payment from an account names none"))
}

fn cause(payment: &payment::Model) -> Cause {
    Cause { checkout: payment.checkout_id, order: payment.order_id }
}

/// Gives back to the account that paid. The order is locked.
pub(super) async fn refund(
    tx: &mut Tx,
    (payment, order): (payment::Model, order::Model),
    amount_minor: i64,
    why: Why,
) -> Result<PaymentEntryId> {
    let (account, cause) = (account_of(&payment)?, cause(&payment));
    let entry = done(tx, &payment, amount_minor, "staff", why);
    let id = entry.id;
    repo::insert_entry(tx, entry).await?;
    book(tx, payment, order, &[(EntryKind::Refund, amount_minor)]).await?;
    give_back(tx, &[LedgerTake { account, amount_minor }], LedgerEntryKind::Refund, cause).await?;
    Ok(id)
}

/// Gives back as store credit of a customer, however it was paid. He and the order are locked.
pub(super) async fn refund_to_credit(
    tx: &mut Tx,
    (payment, order): (payment::Model, order::Model),
    customer: CustomerId,
    amount_minor: i64,
    why: Why,
) -> Result<PaymentEntryId> {
    let (currency, cause) = (payment.currency, cause(&payment));
    let entry = done(tx, &payment, amount_minor, CAUSE_CREDIT, why);
    let id = entry.id;
    repo::insert_entry(tx, entry).await?;
    book(tx, payment, order, &[(EntryKind::Refund, amount_minor)]).await?;
    let account = crate::ledger::ops::credit(tx, customer, currency).await?.id;
    give_back(tx, &[LedgerTake { account, amount_minor }], LedgerEntryKind::Refund, cause).await?;
    Ok(id)
}

/// Writes into the ledger of a payment that its account gets money back, and what is to be given. The order is locked
/// and canceled, and its statuses are written by the caller.
pub(super) async fn written_back(
    tx: &mut Tx,
    mut payment: payment::Model,
    amount_minor: i64,
    why: Why,
) -> Result<LedgerTake> {
    let account = account_of(&payment)?;
    repo::insert_entry(tx, done(tx, &payment, amount_minor, "cancel", why)).await?;
    let entries: Vec<Entry> = repo::entries_of(&tx.conn, &[payment.id]).await?.iter().map(repo::entry).collect();
    payment.state = state(payment.amount_minor, &entries, false);
    payment.version += 1;
    payment.updated_at = tx.now();
    if let Some(order) = payment.order_id {
        let told = json!({ "payment": payment.id, "amountMinor": amount_minor });
        tx.emit(aggregate(order), event_kind(EntryKind::Refund), told);
    }
    repo::update(tx, payment).await?;
    Ok(LedgerTake { account, amount_minor })
}
