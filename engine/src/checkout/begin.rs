//! Begin: checks everything, freezes it, and promises what it takes.

use domain::cart::must_be_open;
use domain::checkout::CheckoutState;
use domain::id::{CheckoutId, OrderId};
use domain::money::{Currency, Money};
use domain::refusal::{ErrorCode, Refusal};
use entity::{cart, checkout, flow, reservation};
use serde::Serialize;

use super::flow::KIND;
use super::frozen::{Frozen, freeze};
use super::repo;
use crate::actor::Need;
use crate::cart::ops::{CartAccess, is_own, no_cart};
use crate::cart::quote::{Quote, quote};
use crate::error::{Error, Result};
use crate::op::{IdempotencyKey, Op, Tx, claim_key, in_flight, input_hash, used_for};
use crate::payment::wanted::{CANCEL, STEP};

/// The name under which idempotency keys of `cartComplete` are kept.
pub const OPERATION: &str = "cart.complete";

/// Turns a cart into an order, as far as the provider.
#[derive(Debug, Clone)]
pub struct Begin {
    /// Whose cart.
    pub access: CartAccess,
    /// The total that the shopper saw.
    pub expected: Money,
    /// What he saw to be left of it after gift cards and store credit; must be told when these pay.
    pub expected_due: Option<Money>,
    /// The client's key.
    pub key: IdempotencyKey,
}

/// How far Begin came.
#[derive(Debug, Clone)]
pub enum Begun {
    /// The caller holds the run, and goes on with the provider.
    Held(Box<checkout::Model>, Box<flow::Model>),
    /// The same key has become this order.
    Placed(OrderId),
}

#[derive(Serialize)]
struct Input {
    cart: domain::id::CartId,
    expected_minor: i64,
    currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_due: Option<(i64, Currency)>,
}

impl Op for Begin {
    const NAME: &'static str = "checkout.begin";
    const NEEDS: Need = Need::Nothing;
    type Out = Begun;

    async fn run(&self, tx: &mut Tx) -> Result<Begun> {
        let id = self.access.id;
        let input = Input {
            cart: id,
            expected_minor: self.expected.minor,
            currency: self.expected.currency,
            expected_due: self.expected_due.map(|due| (due.minor, due.currency)),
        };
        let hash = input_hash(&input)?;
        let Some((mut cart, version)) = crate::cart::repo::begin_completing(tx, id).await? else {
            return self.again(tx, &hash).await;
        };
        if !is_own(&cart, tx.actor(), self.access.token.as_deref()) {
            return Err(no_cart().into());
        }
        if let (None, Some(customer)) = (cart.customer_id, tx.actor().customer()) {
            cart = crate::cart::merge::attach(tx, cart, customer).await?;
        }
        let checkout: CheckoutId = tx.id();
        if claim_key(tx, OPERATION, &self.key, &hash, Some(checkout.into())).await?.is_some() {
            return Err(Error::internal("an open cart has a key of a checkout that did not end"));
        }
        let settings = tx.settings_at(version).await?;
        let rows = crate::cart::repo::rows_of(&tx.conn, cart).await?;
        let quote = quote(&tx.conn, &settings, rows, tx.now()).await?;
        self.check(&quote)?;
        let frozen = freeze(tx, &settings, &quote).await?;
        promise(tx, checkout, &quote, &frozen).await?;
        let mut row = checkout_row(tx, checkout, &quote, &frozen)?;
        let region = settings.region(quote.rows.cart.region_id);
        row.capture = region.zip(row.provider.as_deref()).map(|(region, provider)| region.capture_of(provider));
        repo::insert(tx, row.clone()).await?;
        let run = crate::flow::begin(tx, KIND, checkout, STEP, row.provider.clone()).await?;
        // Last, for whoever wants the same promotion or gift card waits until this is written.
        crate::promotion::reserve::reserve(tx, &settings, &quote, checkout).await?;
        crate::ledger::spend::take(tx, &frozen.means, checkout).await?;
        Ok(Begun::Held(Box::new(row), Box::new(run)))
    }
}

impl Begin {
    fn check(&self, quote: &Quote) -> Result<(), Vec<Refusal>> {
        let mut refusals = quote.blocking();
        if quote.total() != self.expected {
            let message = format!("The total is {} now; show it to the shopper and ask again.", quote.total());
            refusals.push(Refusal::new(ErrorCode::TotalChanged, message).at(["expectedTotal"]));
        }
        match self.expected_due {
            // A due that follows another total is no news.
            Some(due) if due != quote.due() && quote.total() == self.expected => {
                let message = format!("{} is left to pay now; show it to the shopper and ask again.", quote.due());
                refusals.push(Refusal::new(ErrorCode::TotalChanged, message).at(["expectedAmountDue"]));
            }
            None if quote.due() != quote.total() => {
                let message = "Gift cards or store credit pay a part: say what the shopper saw to be left.";
                refusals.push(Refusal::new(ErrorCode::Required, message).at(["expectedAmountDue"]));
            }
            _ => {}
        }
        if refusals.is_empty() { Ok(()) } else { Err(refusals) }
    }

    /// The cart is not open: either this very call came before, or it is too late.
    async fn again(&self, tx: &mut Tx, hash: &[u8]) -> Result<Begun> {
        let cart = crate::cart::repo::lock(tx, self.access.id).await?;
        let cart: cart::Model =
            cart.filter(|row| is_own(row, tx.actor(), self.access.token.as_deref())).ok_or_else(no_cart)?;
        let Some(entity) = used_for(tx, OPERATION, &self.key, hash).await? else {
            must_be_open(cart.state)?;
            if cart.expires_at <= tx.now() {
                return Err(no_cart().into());
            }
            // It was released between the two looks.
            return Err(Error::Raced);
        };
        let checkout = CheckoutId(entity);
        let row = repo::find(&tx.conn, checkout).await?.ok_or_else(|| Error::internal("a checkout vanished"))?;
        match (row.state, row.order_id) {
            (CheckoutState::Placed, Some(order)) => Ok(Begun::Placed(order)),
            (CheckoutState::Pending | CheckoutState::RequiresAction, _) => {
                match crate::flow::take(tx, checkout, None).await? {
                    // What is being called off can't be completed any more.
                    Some(run) if run.step == CANCEL => Err(in_flight().into()),
                    Some(run) => Ok(Begun::Held(Box::new(row), Box::new(run))),
                    None => Err(in_flight().into()),
                }
            }
            _ => Err(Error::Raced),
        }
    }
}

/// Promises the stock to the lines of the order that will be.
async fn promise(tx: &mut Tx, checkout: CheckoutId, quote: &Quote, frozen: &Frozen) -> Result<()> {
    crate::cart::hold::take_over(tx, quote.rows.cart.id, &quote.holds, &quote.takes).await?;
    let mut rows: Vec<reservation::Model> = Vec::new();
    let mut left = quote.takes.clone();
    for line in &frozen.lines {
        for (item, needed) in quote.needs(line.variant, line.quantity) {
            let mut needed = needed;
            for take in left.iter_mut().filter(|take| take.item == item && take.quantity > 0) {
                let quantity = needed.min(take.quantity);
                if quantity == 0 {
                    break;
                }
                take.quantity -= quantity;
                needed -= quantity;
                rows.push(reservation::Model {
                    checkout_id: Some(checkout),
                    position: Some(line.position),
                    order_line_id: Some(line.id),
                    may_wait: quote.may_wait(line.variant),
                    ..crate::inventory::repo::promise(tx, (item, take.location), quantity)
                });
            }
        }
    }
    crate::inventory::repo::insert_reservations(tx, rows).await
}

fn checkout_row(tx: &Tx, id: CheckoutId, quote: &Quote, frozen: &Frozen) -> Result<checkout::Model> {
    let session = quote.rows.session.as_ref().filter(|_| quote.totals.due_minor > 0);
    Ok(checkout::Model {
        id,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        cart_id: quote.rows.cart.id,
        state: CheckoutState::Pending,
        frozen: serde_json::to_value(frozen).map_err(Error::internal)?,
        frozen_hash: input_hash(frozen)?,
        total_minor: quote.totals.due_minor,
        currency: quote.rows.cart.currency,
        provider: session.map(|session| session.provider.clone()),
        provider_reference: None,
        provider_data: session.map(|session| session.data.clone()),
        next_action: None,
        order_id: None,
        capture: None,
        saved_method: session.and_then(|session| session.saved_method.clone()),
        saves_method: session.is_some_and(|session| session.saves_method),
    })
}
