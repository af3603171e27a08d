//! The transactions of paying what an order owes.

use chrono::TimeDelta;
use domain::auth::Permission;
use domain::flow::FlowState;
use domain::id::{OrderId, OrderTokenId, PaymentEntryId, PaymentId, PaymentLinkId};
use domain::money::Money;
use domain::order::OrderStatus;
use domain::payment::{CaptureMode, Entry, EntryKind, EntryState, PaymentState, is_under_way, owed, share};
use domain::refusal::{ErrorCode, Refusal};
use entity::{flow, order, payment, payment_entry};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::super::method::Choice;
use super::super::ops::{CAUSE_PROVIDER, book};
use super::super::repo;
use super::super::wanted::{CANCEL, LOOK, STEP, Wanted};
use super::{KIND, link};
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::flow::back_off;
use crate::op::{IdempotencyKey, Op, Repeatable, Tx, claim_key, forget_keys, in_flight, input_hash};
use crate::order::{access, aggregate};

/// For idempotency.
pub const OPERATION: &str = "order.pay";
/// How many payments of an order may come to nothing within [`TRIES_WITHIN`]: whoever tries cards tries them elsewhere.
const TRIES: usize = 10;
const TRIES_WITHIN: TimeDelta = TimeDelta::hours(1);

/// An amount as part of an input that is hashed.
pub(super) fn written<S: serde::Serializer>(amount: &Option<Money>, into: S) -> Result<S::Ok, S::Error> {
    amount.map(|money| (money.minor, money.currency.code())).serialize(into)
}

/// What opens an order to whoever pays.
#[derive(Debug, Clone, Copy)]
pub enum Opens {
    /// It is his, or he holds this link to it.
    Order(Option<OrderTokenId>),
    /// He holds this link to pay by.
    Link(PaymentLinkId),
}

/// Begins to pay, or goes on where the same call stopped.
#[derive(Debug, Clone)]
pub struct BeginPayment {
    /// Of which order.
    pub order: OrderId,
    /// What opens it to him.
    pub opens: Opens,
    /// How much: what the shopper saw and agreed to.
    pub amount: Money,
    /// Through whom.
    pub provider: String,
    /// What the provider needs to know.
    pub data: serde_json::Value,
    /// What was chosen of what the customer saved.
    pub choice: Choice,
    /// The client's name for the intention.
    pub key: IdempotencyKey,
}

/// What a call that pays may do now.
#[derive(Debug)]
pub enum Begun {
    /// It was paid before.
    Ended(PaymentId),
    /// The caller holds the run of this payment.
    Held(Box<payment::Model>, Box<flow::Model>),
}

/// The refusal of an order that is not the caller's, or is not there.
pub fn no_order() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "There is no such order.").at(["orderId"])
}

impl Op for BeginPayment {
    const NAME: &'static str = "payment.begin";
    const NEEDS: Need = Need::Nothing;
    type Out = Begun;

    async fn run(&self, tx: &mut Tx) -> Result<Begun> {
        let order = crate::order::repo::lock(tx, self.order).await?.ok_or_else(no_order)?;
        let link = self.open(tx, &order).await?;
        // Whoever comes back may be let in by something else by then.
        let by = link.as_ref().map(|link| link.id.to_string());
        let input = (by, self.amount.minor, self.amount.currency.code(), &self.provider, &self.data);
        let hash = match self.choice == Choice::default() {
            true => input_hash(&input)?,
            false => input_hash(&(input, &self.choice))?,
        };
        let id: PaymentId = tx.id();
        if let Some(before) = claim_key(tx, OPERATION, &self.key, &hash, Some(id.into())).await? {
            return again(tx, before.into()).await;
        }
        if link.as_ref().is_some_and(|link| !link::is_good(link, tx.now())) {
            return Err(link::no_link().into());
        }
        let owner = order.customer_id.is_some() && order.customer_id == tx.actor().customer() && link.is_none();
        if self.choice != Choice::default() && !owner {
            let message = "Saved payment methods are for the customer whose order it is.";
            return Err(Refusal::new(ErrorCode::Invalid, message).at([self.choice.field()]).into());
        }
        let settings = tx.settings().await?;
        let region = settings.region(order.region_id).filter(|region| region.providers.contains(&self.provider));
        let Some(region) = region else {
            let message = "This payment provider is not offered in the order's region.";
            return Err(Refusal::new(ErrorCode::PaymentProviderUnavailable, message).at(["provider"]).into());
        };
        let before = repo::with_ledgers(&tx.conn, &[order.id]).await?;
        may_begin(&order, &before)?;
        may_try(&before, tx.now())?;
        let left = left(&order, &before, link.as_ref());
        check_amount(self.amount, order.currency, left)?;
        let row = payment::Model {
            data: Some(self.data.clone()),
            capture: Some(region.capture_of(&self.provider)),
            link_id: link.map(|link| link.id),
            saved_method: self.choice.method.clone(),
            saves_method: self.choice.save,
            ..new_payment(tx, id, &order, self.amount.minor, &self.provider)
        };
        let entry = new_entry(tx, &row, EntryKind::Authorize, EntryState::Pending, "shopper");
        repo::insert(tx, vec![(row.clone(), vec![entry])]).await?;
        let run = crate::flow::begin(tx, KIND, id, STEP, Some(row.provider.clone())).await?;
        book(tx, row.clone(), order, &[]).await?;
        tx.emit(aggregate(self.order), "payment.created", told(&row));
        Ok(Begun::Held(Box::new(row), Box::new(run)))
    }
}

impl BeginPayment {
    /// The link by which he pays; nothing when the order is open to him.
    async fn open(&self, tx: &Tx, order: &order::Model) -> Result<Option<entity::payment_link::Model>> {
        match self.opens {
            Opens::Link(id) => Ok(Some(link::find(&tx.conn, id, order.id).await?)),
            Opens::Order(token) => {
                let links = match token {
                    Some(token) => crate::order::repo::find_token(&tx.conn, token).await?,
                    None => None,
                };
                let staff = Permission::PaymentsWrite;
                let allowed = access::allowed(order, links.as_slice(), tx.actor(), staff, token, tx.now());
                if allowed { Ok(None) } else { Err(no_order().into()) }
            }
        }
    }
}

/// The same call came before.
async fn again(tx: &mut Tx, id: PaymentId) -> Result<Begun> {
    let row = repo::find(&tx.conn, id).await?.ok_or_else(|| Error::internal("a payment vanished"))?;
    if !row.is_open() {
        return Ok(Begun::Ended(id));
    }
    match crate::flow::take(tx, id, None).await? {
        // What is being called off can't be paid any more.
        Some(run) if run.step == CANCEL => Err(in_flight().into()),
        Some(run) => Ok(Begun::Held(Box::new(row), Box::new(run))),
        None => Err(in_flight().into()),
    }
}

/// Whether an order is one that money is taken for: `STATE_INVALID` otherwise.
pub(super) fn may_owe(order: &order::Model) -> Result<(), Refusal> {
    match order.status {
        OrderStatus::Open | OrderStatus::Completed => Ok(()),
        OrderStatus::Draft | OrderStatus::Canceled | OrderStatus::Archived => {
            Err(Refusal::new(ErrorCode::StateInvalid, "This order takes no payments.").about(order.id))
        }
    }
}

fn may_begin(order: &order::Model, payments: &[(payment::Model, Vec<Entry>)]) -> Result<(), Refusal> {
    may_owe(order)?;
    if let Some((open, _)) = payments.iter().find(|(_, ledger)| is_under_way(ledger)) {
        let message = "A payment of this order is under way; cancel it or let it end.";
        return Err(Refusal::new(ErrorCode::PaymentPending, message).about(open.id));
    }
    Ok(())
}

fn may_try(payments: &[(payment::Model, Vec<Entry>)], now: chrono::DateTime<chrono::Utc>) -> Result<(), Refusal> {
    let since = now - TRIES_WITHIN;
    let mut failed = payments.iter().filter(|(row, _)| row.state == PaymentState::Failed && row.created_at > since);
    let Some((first, _)) = failed.next() else { return Ok(()) };
    if failed.count() + 1 < TRIES {
        return Ok(());
    }
    let mut refusal = Refusal::new(ErrorCode::Throttled, "Too many payments of this order came to nothing; try later.");
    refusal.retry_after_ms = Some((first.created_at - since).num_milliseconds());
    Err(refusal)
}

/// What an order still owes, in minor units; one that takes no payments owes nothing.
pub fn due<'e>(order: &order::Model, ledgers: impl IntoIterator<Item = &'e [Entry]>) -> i64 {
    if may_owe(order).is_ok() { owed(order.total_minor, ledgers) } else { 0 }
}

/// How much may be paid, in minor units: what the order owes, by a link over an amount no more than what is left of that.
pub fn left(
    order: &order::Model,
    payments: &[(payment::Model, Vec<Entry>)],
    link: Option<&entity::payment_link::Model>,
) -> i64 {
    let owed = due(order, payments.iter().map(|(_, ledger)| ledger.as_slice()));
    match link.and_then(|link| Some((link.id, link.amount_minor?))) {
        Some((id, amount)) => {
            let own = payments.iter().filter(|(row, _)| row.link_id == Some(id));
            owed.min(amount - own.map(|(_, ledger)| share(ledger)).sum::<i64>()).max(0)
        }
        None => owed,
    }
}

/// Whether so much can be paid where so much is left.
pub(super) fn check_amount(amount: Money, currency: domain::money::Currency, left: i64) -> Result<(), Refusal> {
    if amount.currency != currency {
        let message = format!("The order is in {currency}.");
        return Err(Refusal::new(ErrorCode::Invalid, message).at(["amount", "currencyCode"]));
    }
    let refusal = if left == 0 {
        Refusal::new(ErrorCode::StateInvalid, "Nothing is left to be paid.")
    } else if amount.minor < 1 {
        Refusal::new(ErrorCode::Invalid, "The amount must be above zero.")
    } else if amount.minor > left {
        Refusal::new(ErrorCode::AmountTooLarge, "This is more than is left to be paid.").limit(left)
    } else {
        return Ok(());
    };
    Err(refusal.at(["amount"]))
}

fn new_payment(tx: &Tx, id: PaymentId, order: &order::Model, amount_minor: i64, provider: &str) -> payment::Model {
    payment::Model {
        id,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        checkout_id: order.checkout_id,
        order_id: Some(order.id),
        provider: provider.to_owned(),
        amount_minor,
        currency: order.currency,
        state: PaymentState::Pending,
        provider_reference: None,
        data: None,
        next_action: None,
        capture: None,
        failure: None,
        link_id: None,
        saved_method: None,
        saves_method: false,
    }
}

fn new_entry(tx: &Tx, row: &payment::Model, kind: EntryKind, state: EntryState, cause: &str) -> payment_entry::Model {
    payment_entry::Model {
        id: tx.id(),
        at: tx.now(),
        payment_id: row.id,
        kind,
        state,
        amount_minor: row.amount_minor,
        provider_reference: row.provider_reference.clone(),
        cause: cause.to_owned(),
        reason: None,
        note: None,
    }
}

fn told(row: &payment::Model) -> serde_json::Value {
    json!({ "payment": row.id, "amountMinor": row.amount_minor })
}

/// A payment under its order's lock, with its pending authorization; nothing in its place when it has ended.
async fn hold(tx: &Tx, id: PaymentId) -> Result<(payment::Model, order::Model, Option<payment_entry::Model>)> {
    let gone = || Error::internal("a payment vanished");
    let row = repo::find(&tx.conn, id).await?.ok_or_else(gone)?;
    let order = crate::order::repo::lock(tx, row.order_id.ok_or_else(gone)?).await?.ok_or_else(gone)?;
    // Again, now that nobody else changes it.
    let row = repo::find(&tx.conn, id).await?.ok_or_else(gone)?;
    let pending =
        |entry: &payment_entry::Model| entry.kind == EntryKind::Authorize && entry.state == EntryState::Pending;
    let entry = repo::entries_of(&tx.conn, &[id]).await?.into_iter().find(pending);
    Ok((row, order, entry))
}

/// Writes that the money is promised, or taken. `false` when it must go back: the payment or its order was called off.
#[derive(Debug, Clone)]
pub(super) struct Land {
    pub payment: PaymentId,
    pub reference: String,
    pub taken: bool,
    pub run: flow::Model,
}

impl Op for Land {
    const NAME: &'static str = "payment.land";
    const NEEDS: Need = Need::System;
    type Out = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        let (mut row, order, entry) = hold(tx, self.payment).await?;
        let Some(mut entry) = entry else { return Ok(row.state != PaymentState::Failed) };
        if order.status == OrderStatus::Canceled {
            return Ok(false);
        }
        row.provider_reference = Some(self.reference.clone());
        (row.data, row.next_action) = (None, None);
        entry.state = EntryState::Succeeded;
        entry.provider_reference = row.provider_reference.clone();
        repo::update_entry(tx, entry).await?;
        let mut done = vec![(EntryKind::Authorize, row.amount_minor)];
        if self.taken {
            let capture = new_entry(tx, &row, EntryKind::Capture, EntryState::Succeeded, CAUSE_PROVIDER);
            repo::insert_entry(tx, capture).await?;
            done.push((EntryKind::Capture, row.amount_minor));
        }
        book(tx, row, order, &done).await?;
        crate::flow::end(tx, &self.run, FlowState::Done).await?;
        Ok(true)
    }
}

/// Waits for the shopper, or for money that is on its way.
#[derive(Debug, Clone)]
pub(super) struct Wait {
    pub payment: PaymentId,
    pub reference: String,
    pub next_action: Option<serde_json::Value>,
    pub run: flow::Model,
}

impl Op for Wait {
    const NAME: &'static str = "payment.wait";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let (mut row, order, entry) = hold(tx, self.payment).await?;
        if entry.is_none() {
            return Ok(());
        }
        let acts = self.next_action.is_some();
        let changed = row.next_action.is_some() != acts || row.provider_reference.is_none();
        if changed {
            let payload = told(&row);
            let order_id = order.id;
            row.provider_reference = Some(self.reference.clone());
            // What the client needs is asked for each time; here it counts that there is something.
            row.next_action = self.next_action.as_ref().map(|action| json!({ "type": action["type"] }));
            book(tx, row, order, &[]).await?;
            let kind = if acts { "payment.requires_action" } else { "payment.processing" };
            tx.emit(aggregate(order_id), kind, payload);
        }
        match acts {
            // However often the client asks, the shopper's time ends when it was to end at first.
            true => crate::flow::park(tx, &self.run, STEP, None).await,
            // Only the provider can end this, so it is asked again and again.
            false => crate::flow::park(tx, &self.run, LOOK, Some(back_off(tx.now(), self.run.attempts))).await,
        }
    }
}

/// Writes that a payment came to nothing; doing it twice does it once.
#[derive(Debug, Clone)]
pub(super) struct Fail {
    pub payment: PaymentId,
    /// The provider's name for it, when it has one.
    pub reference: Option<String>,
    pub why: String,
    pub run: flow::Model,
}

impl Op for Fail {
    const NAME: &'static str = "payment.fail";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let (mut row, order, entry) = hold(tx, self.payment).await?;
        let Some(mut entry) = entry else { return Ok(()) };
        entry.state = EntryState::Failed;
        repo::update_entry(tx, entry).await?;
        (row.data, row.next_action) = (None, None);
        row.provider_reference = self.reference.clone().or(row.provider_reference);
        row.failure = Some(self.why.clone());
        let (payload, order_id) = (told(&row), order.id);
        book(tx, row, order, &[]).await?;
        tx.emit(aggregate(order_id), "payment.failed", payload);
        forget_keys(tx, OPERATION, self.payment.into()).await?;
        crate::flow::end(tx, &self.run, FlowState::Abandoned).await
    }
}

/// Lets a payment that waits be called off by the next who looks; `false` when somebody is at it.
pub(in super::super) async fn call_off(tx: &mut Tx, id: PaymentId) -> Result<bool> {
    let Some(run) = crate::flow::take(tx, id, Some(CANCEL)).await? else { return Ok(false) };
    let now = tx.now();
    crate::flow::postpone(tx, &run, now, None).await?;
    Ok(true)
}

/// Writes down money that staff saw come: by transfer, in cash.
#[derive(Debug, Clone, Serialize)]
pub struct MarkPaid {
    /// Of which order.
    pub order: OrderId,
    /// How much; all that it owes when absent.
    #[serde(serialize_with = "written")]
    pub amount: Option<Money>,
    /// What staff say about it.
    pub note: Option<String>,
}

impl Op for MarkPaid {
    const NAME: &'static str = "order.mark_paid";
    const NEEDS: Need = Need::Permission(Permission::PaymentsWrite);
    type Out = PaymentEntryId;

    async fn run(&self, tx: &mut Tx) -> Result<PaymentEntryId> {
        let order = access::lock(tx, Permission::PaymentsWrite, self.order).await?.ok_or_else(no_order)?;
        super::super::ops::check_note(self.note.as_deref())?;
        let before = repo::with_ledgers(&tx.conn, &[order.id]).await?;
        may_begin(&order, &before)?;
        let left = left(&order, &before, None);
        let amount = self.amount.unwrap_or_else(|| Money::new(left, order.currency));
        check_amount(amount, order.currency, left)?;
        let id: PaymentId = tx.id();
        let mut row = payment::Model {
            provider_reference: Some(format!("{MANUAL}:{id}")),
            capture: Some(CaptureMode::Manual),
            ..new_payment(tx, id, &order, amount.minor, MANUAL)
        };
        row.state = PaymentState::Captured;
        let authorize = new_entry(tx, &row, EntryKind::Authorize, EntryState::Succeeded, "staff");
        let capture = payment_entry::Model {
            note: self.note.clone(),
            ..new_entry(tx, &row, EntryKind::Capture, EntryState::Succeeded, "staff")
        };
        let entry = capture.id;
        repo::insert(tx, vec![(row.clone(), vec![authorize, capture])]).await?;
        tx.audit(row.id, None, Some(json!({ "markPaidMinor": amount.minor })));
        book(tx, row, order, &[(EntryKind::Authorize, amount.minor), (EntryKind::Capture, amount.minor)]).await?;
        Ok(entry)
    }
}

/// The provider of what changes hands outside.
const MANUAL: &str = "manual";

impl Repeatable for MarkPaid {
    fn entity(out: &PaymentEntryId) -> Uuid {
        (*out).into()
    }

    async fn replay(&self, _: &mut Tx, entity: Uuid) -> Result<PaymentEntryId> {
        Ok(entity.into())
    }
}
