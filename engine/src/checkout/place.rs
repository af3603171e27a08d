//! Place writes the order from what Begin froze; Abandon gives everything
//! back; Park waits for the shopper. One transaction each.

use domain::cart::CartState;
use domain::checkout::CheckoutState;
use domain::flow::FlowState;
use domain::id::{CartId, CheckoutId, OrderId};
use domain::order::payment_status;
use domain::payment::{EntryKind, EntryState, PaymentState};
use domain::refusal::{ErrorCode, Refusal};
use entity::{checkout, flow, payment, payment_entry};
use serde_json::json;

use super::begin::OPERATION;
use super::flow::{RETURN, return_key};
use super::frozen::Frozen;
use super::repo;
use crate::actor::Need;
use crate::cart::hold::hold_again;
use crate::error::{Error, Result};
use crate::flow::back_off;
use crate::ledger::spend::{FrozenMeans, provider_of};
use crate::op::{Op, Tx, forget_keys};
use crate::order::aggregate;
use crate::payment::wanted::{LOOK, STEP};
use crate::provider::payment::Outcome;

/// Writes the order, or answers with the one that another worker has written.
/// A checkout that was called off is refused with `CHECKOUT_MISSING`, so that
/// the caller gives the money back.
#[derive(Debug, Clone)]
pub struct Place {
    /// Which checkout; what is frozen in it never changes.
    pub checkout: checkout::Model,
    /// What the provider said; nothing when nothing was due.
    pub outcome: Option<Outcome>,
    /// Its run, which the caller holds.
    pub run: flow::Model,
}

impl Op for Place {
    const NAME: &'static str = "checkout.place";
    const NEEDS: Need = Need::System;
    type Out = OrderId;

    async fn run(&self, tx: &mut Tx) -> Result<OrderId> {
        crate::cart::repo::set_state(tx, self.checkout.cart_id, CartState::Completed).await?;
        let (reference, kinds) = match &self.outcome {
            None => (None, &[][..]),
            Some(Outcome::Authorized { reference }) => (Some(reference.clone()), &[EntryKind::Authorize][..]),
            Some(Outcome::Captured { reference }) => {
                (Some(reference.clone()), &[EntryKind::Authorize, EntryKind::Capture][..])
            }
            Some(_) => return Err(Error::internal("an order is placed on a promise or on money")),
        };
        let id = self.checkout.id;
        let frozen: Frozen = serde_json::from_value(self.checkout.frozen.clone()).map_err(Error::internal)?;
        let ended = repo::end(tx, id, CheckoutState::Placed, Some(frozen.order), reference.clone()).await?;
        let Some(row) = ended else { return self.ended_before(tx).await };
        let mut new = frozen.rows(tx, id);
        if !frozen.promotions.is_empty() {
            crate::promotion::repo::uses::settle(tx, id, frozen.order).await?;
        }
        let mut payments: Vec<_> = frozen.means.iter().map(|means| pay_here(tx, &row, frozen.order, means)).collect();
        payments.extend(pay(tx, &row, frozen.order, reference, kinds));
        let ledgers: Vec<(PaymentState, Vec<_>)> = payments
            .iter()
            .map(|(row, entries)| (row.state, entries.iter().map(crate::payment::repo::entry).collect()))
            .collect();
        let paid = crate::payment::repo::paid(ledgers.iter().map(|(state, ledger)| (*state, ledger.as_slice())));
        new.order.payment_status = payment_status(new.order.total_minor, &paid);
        let (order, lines) = (new.order.clone(), new.lines.clone());
        crate::order::repo::insert(tx, new).await?;
        let history = aggregate(frozen.order);
        let total = json!({ "totalMinor": frozen.totals.total_minor, "currency": frozen.currency });
        tx.emit(history, "order.placed", total);
        for (payment, entries) in &payments {
            for entry in entries {
                let payload = json!({ "payment": payment.id, "amountMinor": entry.amount_minor });
                tx.emit(history, crate::payment::event_kind(entry.kind), payload);
            }
        }
        crate::payment::repo::insert(tx, payments).await?;
        crate::ledger::bought::follow(tx, &order, &lines, &paid).await?;
        crate::flow::end(tx, &self.run, FlowState::Done).await?;
        tx.number_last(frozen.order);
        Ok(frozen.order)
    }
}

impl Place {
    /// Somebody else ended the checkout: placed is placed, by whomever. The
    /// refusal of a checkout that was called off undoes what this transaction
    /// did to the cart.
    async fn ended_before(&self, tx: &mut Tx) -> Result<OrderId> {
        match repo::find(&tx.conn, self.checkout.id).await? {
            Some(checkout::Model { state: CheckoutState::Placed, order_id: Some(order), .. }) => Ok(order),
            _ => Err(called_off().into()),
        }
    }
}

/// The refusal of a checkout that was called off.
pub(super) fn called_off() -> Refusal {
    Refusal::new(ErrorCode::CheckoutMissing, "This checkout was called off.")
}

/// The payment with the entries that say what the provider did.
fn pay(
    tx: &Tx,
    row: &checkout::Model,
    order: OrderId,
    reference: Option<String>,
    kinds: &[EntryKind],
) -> Option<(payment::Model, Vec<payment_entry::Model>)> {
    let payment = payment::Model {
        capture: row.capture,
        ..paid(tx, row, order, (row.provider.clone()?, reference?), (row.total_minor, kinds))
    };
    let entries = entries(tx, &payment, kinds);
    Some((payment, entries))
}

/// The payment that an account made, whose money was taken in Begin.
fn pay_here(
    tx: &Tx,
    row: &checkout::Model,
    order: OrderId,
    means: &FrozenMeans,
) -> (payment::Model, Vec<payment_entry::Model>) {
    let kinds = [EntryKind::Authorize, EntryKind::Capture];
    let provider = provider_of(means.kind).to_owned();
    let payment = paid(tx, row, order, (provider, means.account.to_string()), (means.amount_minor, &kinds));
    let entries = entries(tx, &payment, &kinds);
    (payment, entries)
}

fn paid(
    tx: &Tx,
    row: &checkout::Model,
    order: OrderId,
    (provider, reference): (String, String),
    (amount_minor, kinds): (i64, &[EntryKind]),
) -> payment::Model {
    let captured = kinds.contains(&EntryKind::Capture);
    payment::Model {
        id: tx.id(),
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        checkout_id: row.id,
        order_id: Some(order),
        provider,
        amount_minor,
        currency: row.currency,
        state: if captured { PaymentState::Captured } else { PaymentState::Authorized },
        provider_reference: Some(reference),
        data: None,
        next_action: None,
        capture: None,
        failure: None,
        link_id: None,
        saved_method: None,
        saves_method: false,
    }
}

fn entries(tx: &Tx, payment: &payment::Model, kinds: &[EntryKind]) -> Vec<payment_entry::Model> {
    let entry = |kind: &EntryKind| payment_entry::Model {
        id: tx.id(),
        at: tx.now(),
        payment_id: payment.id,
        kind: *kind,
        state: EntryState::Succeeded,
        amount_minor: payment.amount_minor,
        provider_reference: payment.provider_reference.clone(),
        cause: payment.checkout_id.to_string(),
        reason: None,
        note: None,
    };
    kinds.iter().map(entry).collect()
}

/// Gives everything back and opens the cart again. Doing it twice does it once.
#[derive(Debug, Clone)]
pub struct Abandon {
    /// Which checkout.
    pub checkout: CheckoutId,
    /// Of which cart.
    pub cart: CartId,
    /// Its run, which the caller holds.
    pub run: flow::Model,
}

impl Op for Abandon {
    const NAME: &'static str = "checkout.abandon";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let cart = crate::cart::repo::lock(tx, self.cart).await?;
        let Some(row) = repo::end(tx, self.checkout, CheckoutState::Abandoned, None, None).await? else {
            return Ok(());
        };
        let holds_promotions = crate::promotion::reserve::holds(&row);
        let means = crate::ledger::spend::of_checkout(&row)?;
        for row in crate::inventory::repo::reservations_of_checkout(&tx.conn, self.checkout).await? {
            crate::inventory::repo::release(tx, &row, row.quantity).await?;
        }
        crate::cart::repo::set_state(tx, self.cart, CartState::Open).await?;
        if let Some(cart) = cart {
            hold_again(tx, cart).await?;
        }
        // Behind all stock, as in Begin: see the order of locks in `db`.
        if holds_promotions {
            crate::promotion::reserve::release(tx, self.checkout).await?;
        }
        crate::ledger::spend::release(tx, &means, self.checkout).await?;
        forget_keys(tx, OPERATION, self.checkout.into()).await?;
        crate::flow::end(tx, &self.run, FlowState::Abandoned).await
    }
}

/// Waits for the shopper, or for money that is on its way.
#[derive(Debug, Clone)]
pub struct Park {
    /// Which checkout.
    pub checkout: CheckoutId,
    /// The provider's name for the payment.
    pub reference: String,
    /// What the client needs; nothing while the money is on its way.
    pub next_action: Option<serde_json::Value>,
    /// Its run, which the caller holds.
    pub run: flow::Model,
}

impl Op for Park {
    const NAME: &'static str = "checkout.park";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        repo::wait(tx, self.checkout, &self.reference, self.next_action.as_ref()).await?;
        match self.next_action {
            // However often the client asks, the shopper's time ends when it was to end at first.
            Some(_) => crate::flow::park(tx, &self.run, STEP, None).await,
            // Only the provider can end this, so it is asked again and again.
            None => crate::flow::park(tx, &self.run, LOOK, Some(back_off(tx.now(), self.run.attempts))).await,
        }
    }
}

/// Takes up, for the first time or again, the giving back of money that came
/// after its checkout was called off. Nothing when somebody is at it.
#[derive(Debug, Clone)]
pub struct TakeReturn(pub CheckoutId, pub Option<String>);

impl Op for TakeReturn {
    const NAME: &'static str = "checkout.take_return";
    const NEEDS: Need = Need::System;
    type Out = Option<flow::Model>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<flow::Model>> {
        crate::flow::begin_again(tx, RETURN, return_key(self.0), STEP, self.1.clone()).await
    }
}

/// Notes that such money is given back.
#[derive(Debug, Clone)]
pub struct EndReturn(pub flow::Model);

impl Op for EndReturn {
    const NAME: &'static str = "checkout.end_return";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        crate::flow::end(tx, &self.0, FlowState::Done).await
    }
}
