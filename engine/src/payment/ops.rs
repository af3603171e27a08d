//! The transactions before and after the provider.

use domain::auth::Permission;
use domain::flow::FlowState;
use domain::id::{CustomerId, OrderId, PaymentEntryId, PaymentId};
use domain::ledger::LedgerTake;
use domain::money::Money;
use domain::order::OrderStatus;
use domain::payment::{
    Entry, EntryKind, EntryState, RefundReason, capturable, check_capture, check_refund, check_void, is_under_way,
    refundable, state,
};
use domain::refusal::{ErrorCode, Refusal};
use entity::{order, payment, payment_entry};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::wanted::STEP;
use super::{event_kind, flow, here, repo};
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::ledger::spend::pays_here;
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
        let (payment, entries, _) = lock(tx, self.payment, EntryKind::Capture).await?;
        let amount = wanted(self.amount.as_ref(), &payment, capturable(&entries), "taken")?;
        check_capture(&entries, amount).map_err(|refusal| refusal.at(["amount"]))?;
        let id = request(tx, &payment, EntryKind::Capture, amount, "staff", Why::default()).await?;
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

/// Wants promised money of a payment to be given up: all that was not taken.
#[derive(Debug, Clone, Serialize)]
pub struct RequestVoid {
    /// Of which payment.
    pub payment: PaymentId,
}

impl Op for RequestVoid {
    const NAME: &'static str = "payment.void";
    const NEEDS: Need = Need::Permission(Permission::PaymentsWrite);
    type Out = PaymentEntryId;

    async fn run(&self, tx: &mut Tx) -> Result<PaymentEntryId> {
        let (payment, entries, _) = lock(tx, self.payment, EntryKind::Void).await?;
        check_void(&entries)?;
        let amount = capturable(&entries);
        let id = request(tx, &payment, EntryKind::Void, amount, "staff", Why::default()).await?;
        tx.audit(payment.id, None, Some(json!({ "voidMinor": amount })));
        Ok(id)
    }
}

impl Repeatable for RequestVoid {
    fn entity(out: &PaymentEntryId) -> Uuid {
        (*out).into()
    }

    async fn replay(&self, _: &mut Tx, entity: Uuid) -> Result<PaymentEntryId> {
        Ok(entity.into())
    }
}

/// Wants taken money of a payment to be given back.
#[derive(Debug, Clone, Serialize)]
pub struct RequestRefund {
    /// Of which payment.
    pub payment: PaymentId,
    /// How much, in minor units with its currency; all that can be given back when absent.
    pub amount: Option<(i64, String)>,
    /// Why.
    pub why: Why,
    /// Whether it becomes store credit of the order's customer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub to_credit: bool,
}

impl RequestRefund {
    /// The order's customer, locked before the order. His credit is good in every channel, so who gives it must have
    /// a say in all of them.
    async fn customer(&self, tx: &mut Tx) -> Result<CustomerId> {
        tx.actor().check(Need::Everywhere(Permission::PaymentsWrite))?;
        let payment = repo::find(&tx.conn, self.payment).await?.ok_or_else(missing)?;
        let order = crate::order::repo::find(&tx.conn, payment.order_id.ok_or_else(missing)?).await?;
        let customer = match order.and_then(|order| order.customer_id) {
            Some(customer) => crate::customer::repo::lock(tx, customer).await?,
            None => None,
        };
        let message = "Only an order of a customer with an account can be given back as store credit.";
        let refuse = || Error::from(Refusal::new(ErrorCode::StateInvalid, message).at(["to"]));
        customer.map(|row| row.id).ok_or_else(refuse)
    }
}

/// The longest note about money, in characters.
const MAX_NOTE: usize = 1_000;

/// Whether what staff write about money is short enough.
pub(super) fn check_note(note: Option<&str>) -> Result<(), Refusal> {
    if note.is_some_and(|note| note.chars().count() > MAX_NOTE) {
        let message = format!("A note has at most {MAX_NOTE} characters.");
        return Err(Refusal::new(ErrorCode::Invalid, message).limit(MAX_NOTE as i64).at(["note"]));
    }
    Ok(())
}

impl Op for RequestRefund {
    const NAME: &'static str = "payment.refund";
    const NEEDS: Need = Need::Permission(Permission::PaymentsWrite);
    type Out = PaymentEntryId;

    async fn run(&self, tx: &mut Tx) -> Result<PaymentEntryId> {
        check_note(self.why.note.as_deref())?;
        let customer = if self.to_credit { Some(self.customer(tx).await?) } else { None };
        let (payment, entries, order) = lock(tx, self.payment, EntryKind::Refund).await?;
        if customer.is_some() && order.customer_id != customer {
            // Somebody claimed the order between the two looks.
            return Err(Error::Raced);
        }
        let amount = wanted(self.amount.as_ref(), &payment, refundable(&entries), "given back")?;
        check_refund(&entries, amount).map_err(|refusal| refusal.at(["amount"]))?;
        let why = self.why.clone();
        let id = match customer {
            Some(customer) => here::refund_to_credit(tx, (payment.clone(), order), customer, amount, why).await?,
            None if pays_here(&payment.provider) => here::refund(tx, (payment.clone(), order), amount, why).await?,
            None => request(tx, &payment, EntryKind::Refund, amount, "staff", why).await?,
        };
        tx.audit(payment.id, None, Some(json!({ "refundMinor": amount, "reason": self.why.reason })));
        Ok(id)
    }
}

impl Repeatable for RequestRefund {
    fn entity(out: &PaymentEntryId) -> Uuid {
        (*out).into()
    }

    async fn replay(&self, _: &mut Tx, entity: Uuid) -> Result<PaymentEntryId> {
        Ok(entity.into())
    }
}

/// How much of a payment staff mean: all that is left when they say nothing.
fn wanted(amount: Option<&(i64, String)>, payment: &payment::Model, left: i64, verb: &str) -> Result<i64> {
    match amount {
        Some((_, currency)) if *currency != payment.currency.code() => {
            let message = format!("The payment is in {}.", payment.currency);
            Err(Refusal::new(ErrorCode::Invalid, message).at(["amount", "currencyCode"]).into())
        }
        Some((minor, _)) => Ok(*minor),
        None if left == 0 => {
            let message = format!("Nothing of this payment is left to be {verb}.");
            Err(Refusal::new(ErrorCode::StateInvalid, message).into())
        }
        None => Ok(left),
    }
}

/// A payment under its order's lock, with its ledger. Of an order that is canceled nothing more is taken; what its
/// cancelling could not give back still can be.
async fn lock(tx: &mut Tx, id: PaymentId, kind: EntryKind) -> Result<(payment::Model, Vec<Entry>, order::Model)> {
    let found = repo::find(&tx.conn, id).await?.ok_or_else(missing)?;
    let order = found.order_id.ok_or_else(missing)?;
    let order = crate::order::access::lock(tx, Permission::PaymentsWrite, order).await?.ok_or_else(missing)?;
    if order.status == OrderStatus::Canceled && kind == EntryKind::Capture {
        return Err(Refusal::new(ErrorCode::StateInvalid, "The order is canceled.").about(order.id).into());
    }
    let payment = repo::find(&tx.conn, id).await?.ok_or_else(missing)?;
    let entries = repo::entries_of(&tx.conn, &[id]).await?;
    Ok((payment, entries.iter().map(repo::entry).collect(), order))
}

fn missing() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "There is no such payment.").at(["paymentId"])
}

/// Why staff move money.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Why {
    /// Why money is given back.
    pub reason: Option<RefundReason>,
    /// What they wrote about it.
    pub note: Option<String>,
}

/// Writes a pending entry, which holds its share, and the run that settles it.
/// The order must be locked.
pub async fn request(
    tx: &mut Tx,
    payment: &payment::Model,
    kind: EntryKind,
    amount_minor: i64,
    cause: &str,
    why: Why,
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
        reason: why.reason,
        note: why.note,
    };
    let id = row.id;
    repo::insert_entry(tx, row).await?;
    crate::flow::offer(tx, flow::KIND, id, STEP, Some(payment.provider.clone())).await?;
    Ok(id)
}

/// For each payment of an order that is canceled: gives up what was only
/// promised, gives back what was taken. The order must be locked. Answers with what its caller gives back to gift cards
/// and store credit ([`crate::ledger::spend::give_back`]), whose locks come behind all others.
pub async fn request_return(tx: &mut Tx, order: OrderId) -> Result<Vec<LedgerTake>> {
    let mut back = Vec::new();
    for payment in repo::of_orders(&tx.conn, &[order]).await? {
        let entries: Vec<Entry> = repo::entries_of(&tx.conn, &[payment.id]).await?.iter().map(repo::entry).collect();
        if is_under_way(&entries) && super::due::ops::call_off(tx, payment.id).await? {
            continue;
        }
        if entries.iter().any(|entry| entry.state == EntryState::Pending) {
            let message = "Money of this order is on its way; try again when it has settled.";
            return Err(Refusal::new(ErrorCode::StateInvalid, message).about(payment.id).into());
        }
        let taken = refundable(&entries);
        let promised = capturable(&entries);
        if taken > 0 {
            check_refund(&entries, taken)?;
            let why = Why { reason: Some(RefundReason::Canceled), note: None };
            if pays_here(&payment.provider) {
                back.push(here::written_back(tx, payment, taken, why).await?);
                continue;
            }
            request(tx, &payment, EntryKind::Refund, taken, "cancel", why).await?;
        }
        // Of a payment that was taken in part, the rest is still promised.
        if promised > 0 {
            request(tx, &payment, EntryKind::Void, promised, "cancel", Why::default()).await?;
        }
    }
    Ok(back)
}

/// What provider and shop agree on without anybody here having asked for it.
pub(super) const CAUSE_PROVIDER: &str = "provider";

/// The rest of a promise, of which a part was taken by another entry.
fn let_go(tx: &Tx, payment: &payment::Model, amount_minor: i64, by: PaymentEntryId) -> payment_entry::Model {
    payment_entry::Model {
        id: tx.id(),
        at: tx.now(),
        payment_id: payment.id,
        kind: EntryKind::Void,
        state: EntryState::Succeeded,
        amount_minor,
        provider_reference: payment.provider_reference.clone(),
        cause: by.to_string(),
        reason: None,
        note: None,
    }
}

/// Brings a payment and its order up to the ledger, and tells what was done. The order must be locked.
pub(super) async fn book(
    tx: &mut Tx,
    mut payment: payment::Model,
    order: order::Model,
    done: &[(EntryKind, i64)],
) -> Result<()> {
    let entries: Vec<Entry> = repo::entries_of(&tx.conn, &[payment.id]).await?.iter().map(repo::entry).collect();
    payment.state = state(payment.amount_minor, &entries, payment.next_action.is_some());
    payment.version += 1;
    payment.updated_at = tx.now();
    let (payment_id, order_id) = (payment.id, order.id);
    repo::update(tx, payment).await?;
    let paid = repo::paid_of(&tx.conn, order_id).await?;
    let lines = crate::order::repo::lines_of(&tx.conn, &[order_id]).await?;
    let order = crate::order::repo::save_statuses(tx, order, &paid, &lines).await?;
    crate::ledger::bought::follow(tx, &order, &lines, &paid).await?;
    for (kind, amount_minor) in done {
        let payload = json!({ "payment": payment_id, "amountMinor": amount_minor });
        tx.emit(aggregate(order_id), event_kind(*kind), payload);
    }
    Ok(())
}

/// Writes what the provider said of an entry; doing it twice does it once.
#[derive(Debug, Clone)]
pub struct SettleEntry {
    /// Which entry.
    pub id: PaymentEntryId,
    /// The provider's name for what it did, or why it did not.
    pub said: std::result::Result<String, String>,
    /// Whether a part that is taken lets go of the rest.
    pub lets_go: bool,
    /// The entry's run, which the caller holds.
    pub run: entity::flow::Model,
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
        let payment = repo::find(&tx.conn, row.payment_id).await?.ok_or_else(gone)?;
        if row.state != EntryState::Pending {
            return Ok(());
        }
        let succeeded = self.said.is_ok();
        row.state = if succeeded { EntryState::Succeeded } else { EntryState::Failed };
        row.provider_reference = self.said.clone().ok();
        let (kind, amount_minor) = (row.kind, row.amount_minor);
        repo::update_entry(tx, row).await?;
        let mut done = Vec::new();
        if succeeded {
            done.push((kind, amount_minor));
        }
        if succeeded && self.lets_go {
            let entries = repo::entries_of(&tx.conn, &[payment.id]).await?;
            let rest = capturable(&entries.iter().map(repo::entry).collect::<Vec<_>>());
            if rest > 0 {
                repo::insert_entry(tx, let_go(tx, &payment, rest, self.id)).await?;
                done.push((EntryKind::Void, rest));
            }
        }
        let payment_id = payment.id;
        if succeeded {
            book(tx, payment, order, &done).await?;
        } else {
            let payload = json!({ "payment": payment_id, "amountMinor": amount_minor });
            let order_id = order.id;
            book(tx, payment, order, &[]).await?;
            tx.emit(aggregate(order_id), "payment.failed", payload);
        }
        crate::flow::end(tx, &self.run, if succeeded { FlowState::Done } else { FlowState::Failed }).await
    }
}
