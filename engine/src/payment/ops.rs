//! The transactions before and after the provider.

use domain::auth::Permission;
use domain::flow::FlowState;
use domain::id::{OrderId, PaymentEntryId, PaymentId};
use domain::money::Money;
use domain::order::OrderStatus;
use domain::payment::{Entry, EntryKind, EntryState, capturable, check_capture, check_refund, refundable, state};
use domain::refusal::{ErrorCode, Refusal};
use entity::{payment, payment_entry};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{event_kind, flow, repo};
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::op::{Op, Repeatable, Tx};
use crate::order::aggregate;

/// Wants money of a payment to be taken.
#[derive(Debug, Clone, Serialize)]
pub struct RequestCapture {
    /// Of which payment.
    pub payment: PaymentId,
    /// How much, in minor units with its currency; all that can be taken when absent.
    pub amount: Option<(i64, String)>,
}

impl RequestCapture {
    /// So much, or all.
    pub fn new(payment: PaymentId, amount: Option<Money>) -> Self {
        Self { payment, amount: amount.map(|money| (money.minor, money.currency.to_string())) }
    }
}

impl Op for RequestCapture {
    const NAME: &'static str = "payment.capture";
    const NEEDS: Need = Need::Permission(Permission::PaymentsWrite);
    type Out = PaymentEntryId;

    async fn run(&self, tx: &mut Tx) -> Result<PaymentEntryId> {
        let (payment, entries) = lock(tx, self.payment).await?;
        let amount = match &self.amount {
            Some((_, currency)) if *currency != payment.currency.code() => {
                let message = format!("The payment is in {}.", payment.currency);
                return Err(Refusal::new(ErrorCode::Invalid, message).at(["amount", "currencyCode"]).into());
            }
            Some((minor, _)) => *minor,
            None => capturable(&entries),
        };
        if self.amount.is_none() && amount == 0 {
            return Err(Refusal::new(ErrorCode::StateInvalid, "Nothing of this payment is left to take.").into());
        }
        check_capture(&entries, amount).map_err(|refusal| refusal.at(["amount"]))?;
        let id = request(tx, &payment, EntryKind::Capture, amount, "staff").await?;
        tx.audit(payment.id, None, Some(json!({ "captureMinor": amount })));
        Ok(id)
    }
}

impl Repeatable for RequestCapture {
    fn entity(out: &PaymentEntryId) -> Uuid {
        (*out).into()
    }

    async fn replay(&self, _: &mut Tx, entity: Uuid) -> Result<PaymentEntryId> {
        Ok(entity.into())
    }
}

/// A payment under its order's lock, with its ledger.
async fn lock(tx: &mut Tx, id: PaymentId) -> Result<(payment::Model, Vec<Entry>)> {
    let missing = || Refusal::new(ErrorCode::NotFound, "There is no such payment.").at(["paymentId"]);
    let found = repo::find(&tx.conn, id).await?.ok_or_else(missing)?;
    let order = found.order_id.ok_or_else(missing)?;
    let order = crate::order::access::lock(tx, Permission::PaymentsWrite, order).await?.ok_or_else(missing)?;
    if order.status == OrderStatus::Canceled {
        return Err(Refusal::new(ErrorCode::StateInvalid, "The order is canceled.").about(order.id).into());
    }
    let payment = repo::find(&tx.conn, id).await?.ok_or_else(missing)?;
    let entries = repo::entries_of(&tx.conn, &[id]).await?;
    Ok((payment, entries.iter().map(repo::entry).collect()))
}

/// Writes a pending entry, which holds its share, and the run that settles it.
/// The order must be locked.
pub async fn request(
    tx: &mut Tx,
    payment: &payment::Model,
    kind: EntryKind,
    amount_minor: i64,
    cause: &str,
) -> Result<PaymentEntryId> {
    let row = payment_entry::Model {
        id: tx.id(),
        at: tx.now(),
        payment_id: payment.id,
        kind,
        state: EntryState::Pending,
        amount_minor,
        provider_reference: None,
        cause: cause.to_owned(),
    };
    let id = row.id;
    repo::insert_entry(tx, row).await?;
    crate::flow::begin(tx, flow::KIND, id, "provider").await?;
    Ok(id)
}

/// For each payment of an order that is canceled: gives up what was only
/// promised, gives back what was taken. The order must be locked.
pub async fn request_return(tx: &mut Tx, order: OrderId) -> Result<Vec<PaymentEntryId>> {
    let mut requested = Vec::new();
    for payment in repo::of_orders(&tx.conn, &[order]).await? {
        let entries: Vec<Entry> = repo::entries_of(&tx.conn, &[payment.id]).await?.iter().map(repo::entry).collect();
        if entries.iter().any(|entry| entry.state == EntryState::Pending) {
            let message = "Money of this order is on its way; try again when it has settled.";
            return Err(Refusal::new(ErrorCode::StateInvalid, message).about(payment.id).into());
        }
        let taken = refundable(&entries);
        let promised = capturable(&entries);
        if taken > 0 {
            check_refund(&entries, taken)?;
            requested.push(request(tx, &payment, EntryKind::Refund, taken, "cancel").await?);
        }
        // Of a payment that was taken in part, the rest is still promised.
        if promised > 0 {
            requested.push(request(tx, &payment, EntryKind::Void, promised, "cancel").await?);
        }
    }
    Ok(requested)
}

/// Takes up the run of an entry; `None` when somebody works on it or it ended.
#[derive(Debug, Clone)]
pub struct TakeEntry(pub PaymentEntryId);

impl Op for TakeEntry {
    const NAME: &'static str = "payment.take";
    const NEEDS: Need = Need::System;
    type Out = Option<i32>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<i32>> {
        Ok(crate::flow::take(tx, self.0, None).await?.map(|row| row.attempts))
    }
}

/// Lets go of an entry whose provider gave no answer.
#[derive(Debug, Clone)]
pub struct PostponeEntry {
    /// Which entry.
    pub id: PaymentEntryId,
    /// How often it was tried.
    pub attempts: i32,
}

impl Op for PostponeEntry {
    const NAME: &'static str = "payment.postpone";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let until = crate::flow::back_off(tx.now(), self.attempts);
        crate::flow::postpone(tx, self.id, until).await
    }
}

/// Writes what the provider said of an entry; doing it twice does it once.
#[derive(Debug, Clone)]
pub struct SettleEntry {
    /// Which entry.
    pub id: PaymentEntryId,
    /// The provider's name for what it did, or why it did not.
    pub said: std::result::Result<String, String>,
}

impl Op for SettleEntry {
    const NAME: &'static str = "payment.settle";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let gone = || Error::internal("a payment entry vanished");
        let row = repo::find_entry(&tx.conn, self.id).await?.ok_or_else(gone)?;
        let payment = repo::find(&tx.conn, row.payment_id).await?.ok_or_else(gone)?;
        let order = payment.order_id.ok_or_else(gone)?;
        let order = crate::order::repo::lock(tx, order).await?.ok_or_else(gone)?;
        // Both again, now that nobody else changes them.
        let mut row = repo::find_entry(&tx.conn, self.id).await?.ok_or_else(gone)?;
        let mut payment = repo::find(&tx.conn, row.payment_id).await?.ok_or_else(gone)?;
        if row.state != EntryState::Pending {
            return Ok(());
        }
        let succeeded = self.said.is_ok();
        row.state = if succeeded { EntryState::Succeeded } else { EntryState::Failed };
        row.provider_reference = self.said.clone().ok();
        let (kind, amount_minor) = (row.kind, row.amount_minor);
        repo::update_entry(tx, row).await?;
        let entries: Vec<Entry> = repo::entries_of(&tx.conn, &[payment.id]).await?.iter().map(repo::entry).collect();
        payment.state = state(payment.amount_minor, &entries);
        payment.version += 1;
        payment.updated_at = tx.now();
        let payment_id = payment.id;
        repo::update(tx, payment).await?;
        let paid = repo::paid_of(&tx.conn, order.id).await?;
        let lines = crate::order::repo::lines_of(&tx.conn, &[order.id]).await?;
        let order = crate::order::repo::save_statuses(tx, order, &paid, &lines).await?;
        let payload = json!({ "payment": payment_id, "amountMinor": amount_minor });
        tx.emit(aggregate(order.id), if succeeded { event_kind(kind) } else { "payment.failed" }, payload);
        crate::flow::end(tx, self.id, if succeeded { FlowState::Done } else { FlowState::Failed }).await
    }
}
