//! Following a cart: its shopper is told when it costs something else, when
//! something of it can't be had any more, and what becomes of its checkout.

use std::sync::Arc;
use std::time::Duration;

use domain::cart::{CartChange, CartState};
use domain::id::CartLineId;
use domain::refusal::ErrorCode;
use tokio::time::{Instant, sleep_until, timeout};
use uuid::Uuid;

use super::ops::{CartAccess, is_own};
use super::quote::{Quote, quote};
use super::repo;
use crate::actor::Actor;
use crate::app::App;
use crate::auth::standing::Standing;
use crate::bus::Wakes;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::shipping::offers::QuotedGroup;

/// How long a follower rests between two looks at least: what sells all the time wakes it no oftener.
const PACE: Duration = Duration::from_secs(1);
/// How long it waits for a database that is away.
const REST: Duration = Duration::from_millis(500);

/// Somebody who follows a cart.
#[derive(Debug)]
pub struct Follower {
    app: Arc<App>,
    who: Standing,
    access: CartAccess,
    wakes: Wakes,
    watched: Vec<Uuid>,
    next_look: Instant,
    told: Option<Arc<Quote>>,
}

/// What a follower is told: the cart, and what has changed about it.
pub type Told = (Arc<Quote>, Vec<CartChange>);

impl Follower {
    /// Begins to follow.
    ///
    /// # Errors
    /// `NOT_FOUND` for what is not there and what is not the caller's.
    pub async fn open(app: Arc<App>, actor: Actor, access: CartAccess) -> Result<Self> {
        let wakes = app.bus.watch_all([access.id.into(), Aggregate::SETTINGS.id]);
        let who = Standing::of(app.clone(), actor);
        let next_look = Instant::now();
        let follower = Self { app, who, access, wakes, watched: Vec::new(), next_look, told: None };
        follower.quote().await?;
        Ok(follower)
    }

    /// The cart as it is, at first, and then whenever it has changed; nothing
    /// more once it has become an order.
    ///
    /// # Errors
    /// When the cart is gone, or is the caller's no more.
    pub async fn next(&mut self) -> Result<Option<Told>> {
        if self.told.as_ref().is_some_and(|told| told.rows.cart.state == CartState::Completed) {
            return Ok(None);
        }
        loop {
            sleep_until(self.next_look).await;
            match self.look().await {
                Ok(Some(told)) => return Ok(Some(told)),
                Ok(None) => {
                    let _ = timeout(self.app.bus.patience(), self.wakes.changed()).await;
                }
                Err(Error::Database(error)) => {
                    tracing::debug!(%error, "a feed waits for the database");
                    tokio::time::sleep(REST).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn look(&mut self) -> Result<Option<Told>> {
        self.wakes.see();
        // What changes after a quiet while is told at once, what follows it is gathered.
        self.next_look = Instant::now() + PACE;
        let now = self.quote().await?;
        if self.watch(&now).await? {
            // Something may have happened before it was watched.
            return Box::pin(self.look()).await;
        }
        let changes = match &self.told {
            None => Vec::new(),
            Some(told) => {
                let changes = changes(told, &now);
                if changes.is_empty() {
                    return Ok(None);
                }
                changes
            }
        };
        let now = Arc::new(now);
        self.told = Some(now.clone());
        Ok(Some((now, changes)))
    }

    /// Watches what the cart holds; whether that is anything new.
    async fn watch(&mut self, now: &Quote) -> Result<bool> {
        let variants: Vec<_> = now.rows.lines.iter().map(|line| line.variant_id).collect();
        let mut watched = vec![Uuid::from(self.access.id), Aggregate::SETTINGS.id];
        watched.extend(now.lines.iter().filter_map(|line| Some(Uuid::from(line.offer.as_ref()?.product.id))));
        if !variants.is_empty() {
            let items = crate::inventory::repo::items_of(&self.app.read(), &variants).await?;
            watched.extend(items.into_iter().map(Uuid::from));
        }
        watched.sort();
        watched.dedup();
        if watched == self.watched {
            return Ok(false);
        }
        self.wakes = self.app.bus.watch_all(watched.iter().copied());
        self.watched = watched;
        Ok(true)
    }

    async fn quote(&self) -> Result<Quote> {
        if !self.who.is_unchanged(Instant::now()).await {
            return Err(Error::Unauthenticated);
        }
        let quoted = async || {
            let (conn, now) = (self.app.read(), self.app.clock.now());
            let row = repo::find(&conn, self.access.id).await?;
            let row = row.filter(|row| is_own(row, self.who.actor(), self.access.token.as_deref()));
            let row = row.filter(|row| row.state != CartState::Abandoned && row.expires_at > now);
            let rows = repo::rows_of(&conn, row.ok_or_else(|| Error::not_found("cart"))?).await?;
            quote(&conn, &self.app.settings(), rows, now).await
        };
        self.app.asking(quoted).await
    }
}

/// What is different between two moments of a cart.
fn changes(before: &Quote, after: &Quote) -> Vec<CartChange> {
    let mut changes = Vec::new();
    let mut note = |changed: bool, what| changes.extend(changed.then_some(what));
    let content = content(before) != content(after);
    let delivery = deliveries(before) != deliveries(after);
    let prices = |quote: &Quote| -> Vec<_> {
        let line = |line: &super::quote::QuotedLine| {
            (line.row.id, line.price.as_ref().map(|price| (price.amount_minor, price.includes_tax)))
        };
        quote.lines.iter().map(line).collect()
    };
    let (known, now) = (prices(before), prices(after));
    let priced_anew = known.iter().any(|(id, price)| now.iter().any(|(line, now)| line == id && now != price));
    let costs_anew = !content && !delivery && before.totals.total_minor != after.totals.total_minor;
    note(content, CartChange::Content);
    note(priced_anew || costs_anew, CartChange::Price);
    note(short(before) != short(after), CartChange::Stock);
    note(delivery, CartChange::Delivery);
    note(before.rows.session != after.rows.session, CartChange::Payment);
    note(before.rows.cart.state != after.rows.cart.state, CartChange::State);
    changes
}

/// What each delivery group is offered, and what was chosen for it.
fn deliveries(quote: &Quote) -> impl PartialEq + use<> {
    let group = |group: &QuotedGroup| (group.row.id, group.offered.clone(), group.chosen.clone());
    quote.groups.iter().map(group).collect::<Vec<_>>()
}

/// What the shopper put into the cart.
fn content(quote: &Quote) -> impl PartialEq + use<> {
    let cart = &quote.rows.cart;
    let lines: Vec<_> =
        quote.rows.lines.iter().map(|line| (line.id, line.variant_id, line.quantity, line.position)).collect();
    (
        lines,
        (cart.customer_id, cart.email.clone(), cart.region_id, cart.locale.clone()),
        (cart.shipping_address.clone(), cart.billing_address.clone()),
    )
}

/// What can't be had of it, and how many there are instead.
fn short(quote: &Quote) -> Vec<(Option<CartLineId>, ErrorCode, Option<i32>)> {
    let of_stock = [ErrorCode::InsufficientStock, ErrorCode::NotForSale];
    let issues = quote.issues.iter().filter(|issue| of_stock.contains(&issue.refusal.code));
    issues.map(|issue| (issue.line, issue.refusal.code, issue.refusal.quantity_available)).collect()
}
