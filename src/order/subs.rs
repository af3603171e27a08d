//! Live orders.
//!
//! A subscriber is woken and then reads the event log after the sequence that
//! it saw last. Wake-ups may be lost or doubled; what is delivered comes from
//! the log alone, so every sequence arrives exactly once, in order.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Context, ID, InputObject, SimpleObject, Subscription};
use domain::auth::Permission;
use domain::id::OrderId;
use domain::order::{FulfillmentStatus, OrderStatus, PaymentStatus};
use domain::refusal::{ErrorCode, Refusal};
use entity::event;
use futures_util::Stream;
use tokio::time::timeout;

use super::types::{AdminOrder, AdminOrderEvent, Order, OrderEvent};
use crate::api::call::call;
use crate::api::guard::orders_read;
use crate::api::payload::top_level;
use crate::api::scalar::{Int64, parse_id};
use crate::api::word::Enum;
use engine::actor::Actor;
use engine::app::App;
use engine::auth::in_force;
use engine::error::{Error, Result};
use engine::event as log;
use engine::order::access::{self, open};
use engine::order::{aggregate, is_for_staff};

/// How many events are read at once.
const BATCH: u64 = 100;
/// How long a subscriber sleeps at most before it looks by itself, and before
/// its right to see the order is checked again.
const LOOK: Duration = Duration::from_secs(15);

/// A message about an order.
#[derive(Debug, Clone, SimpleObject)]
pub struct OrderUpdate {
    /// Dense per order: a client that sees each number once has missed nothing. Send the last one as
    /// `afterSequence` when you come back.
    pub sequence: Int64,
    /// The order as it is now.
    pub order: Order,
    /// What happened; null in the first message, which tells the present state, and for what only staff read.
    pub event: Option<OrderEvent>,
}

/// A message about any order.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminOrderFeedItem {
    /// Send it as `after` when you come back: nothing is lost and nothing comes twice.
    pub cursor: String,
    /// The order as it is now.
    pub order: AdminOrder,
    /// What happened.
    pub event: AdminOrderEvent,
}

/// Which orders a feed is about. What you leave out is not asked.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AdminOrderFeedFilter {
    /// Orders that are in one of these now.
    pub status: Option<Vec<Enum<OrderStatus>>>,
    /// Orders whose payment is in one of these now.
    pub payment_status: Option<Vec<Enum<PaymentStatus>>>,
    /// Orders whose goods are in one of these now.
    pub fulfillment_status: Option<Vec<Enum<FulfillmentStatus>>>,
    /// Events of one of these kinds.
    pub kind: Option<Vec<String>>,
}

impl AdminOrderFeedFilter {
    fn lets_through(&self, order: &entity::order::Model, event: &event::Model) -> bool {
        fn among<W: PartialEq>(words: &Option<Vec<Enum<W>>>, word: W) -> bool {
            words.as_ref().is_none_or(|words| words.iter().any(|known| known.0 == word))
        }
        among(&self.status, order.status)
            && among(&self.payment_status, order.payment_status)
            && among(&self.fulfillment_status, order.fulfillment_status)
            && self.kind.as_ref().is_none_or(|kinds| kinds.contains(&event.kind))
    }
}

/// Live orders of the store surface.
#[derive(Debug, Default)]
pub struct OrderStoreSubscription;

#[Subscription]
impl OrderStoreSubscription {
    /// Everything that happens to an order, as it happens. Without `afterSequence` the first message tells the
    /// present state; with it, everything after that sequence comes first.
    async fn order_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order's id.")] order_id: ID,
        #[graphql(desc = "What `cartComplete` gave with it; not needed for a signed-in customer's order.")]
        access_token: Option<String>,
        #[graphql(desc = "The last sequence that you saw.")] after_sequence: Option<Int64>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<OrderUpdate>>> {
        let call = call(ctx)?;
        let (app, actor, place) = (call.app.clone(), call.caller.actor.clone(), call.place.clone());
        let watcher = async {
            let id: OrderId = parse_id(&order_id, &["orderId"]).map_err(|_| Error::not_found("order"))?;
            let after = match place.resumed() {
                Some(text) => Some(text.parse().map_err(|_| Refusal::new(ErrorCode::Invalid, "This is no sequence."))?),
                None => after_sequence.map(|sequence| sequence.0),
            };
            Watcher::open(app, actor, id, access_token, after).await
        };
        let watcher = watcher.await.map_err(top_level)?;
        Ok(futures_util::stream::unfold((watcher, place), |(mut watcher, place)| async move {
            if watcher.ended {
                return None;
            }
            let update = watcher.next().await.map_err(top_level);
            match &update {
                Ok(update) => place.reach(update.sequence.0),
                // After an error there is nothing more to say.
                Err(_) => watcher.ended = true,
            }
            Some((update, (watcher, place)))
        }))
    }
}

/// One subscriber of one order.
struct Watcher {
    app: Arc<App>,
    actor: Actor,
    order: OrderId,
    access_token: Option<String>,
    wakes: tokio::sync::watch::Receiver<u64>,
    last: i64,
    present: Option<entity::order::Model>,
    waiting: std::collections::VecDeque<event::Model>,
    ended: bool,
}

impl Watcher {
    async fn open(
        app: Arc<App>,
        actor: Actor,
        order: OrderId,
        access_token: Option<String>,
        after: Option<i64>,
    ) -> Result<Self> {
        let conn = app.read();
        // Only who may see the order waits for it.
        open(&app, &conn, &actor, order, access_token.as_deref()).await?;
        // Watch first, read then: what happens between the two wakes us.
        let wakes = app.bus.watch(order.into());
        // The sequence comes before the order: the order may be newer than it, never older.
        let last = log::last_sequence(&conn, aggregate(order)).await?;
        let present = open(&app, &conn, &actor, order, access_token.as_deref()).await?;
        let (last, present) = match after {
            None => (last, Some(present)),
            Some(after) if (0..=last).contains(&after) => (after, None),
            Some(_) => {
                let message = format!("This order has not come that far: its last sequence is {last}.");
                return Err(Refusal::new(ErrorCode::Invalid, message).limit(last).at(["afterSequence"]).into());
            }
        };
        Ok(Self { app, actor, order, access_token, wakes, last, present, waiting: Default::default(), ended: false })
    }

    async fn next(&mut self) -> Result<OrderUpdate> {
        if let Some(present) = self.present.take() {
            return Ok(OrderUpdate { sequence: Int64(self.last), order: present.into(), event: None });
        }
        loop {
            if let Some(event) = self.waiting.pop_front() {
                let order = self.still_open().await?;
                self.last = event.sequence;
                let event_shown = Some(&event).filter(|event| !is_for_staff(&event.kind)).map(OrderEvent::from);
                return Ok(OrderUpdate { sequence: Int64(event.sequence), order, event: event_shown });
            }
            self.wakes.mark_unchanged();
            match log::after(&self.app.read(), aggregate(self.order), self.last, BATCH).await {
                Ok(events) if events.is_empty() => {
                    if timeout(LOOK, self.wakes.changed()).await.is_err() {
                        self.still_open().await?;
                    }
                }
                Ok(events) => self.waiting.extend(events),
                Err(error) => {
                    tracing::warn!(%error, "a feed waits for the database");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }

    /// The order now, if the caller may still see it; a database that is away
    /// is waited for.
    async fn still_open(&self) -> Result<Order> {
        loop {
            let conn = self.app.read();
            if !in_force(&conn, &self.actor, self.app.clock.now()).await.unwrap_or(true) {
                return Err(Error::Unauthenticated);
            }
            match open(&self.app, &conn, &self.actor, self.order, self.access_token.as_deref()).await {
                Err(Error::Database(error)) => {
                    tracing::warn!(%error, "a feed waits for the database");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                opened => return opened.map(Order::from),
            }
        }
    }
}

/// Live orders of the admin surface.
#[derive(Debug, Default)]
pub struct OrderAdminSubscription;

#[Subscription]
impl OrderAdminSubscription {
    /// Everything that happens to any order of the channels that your roles reach, as it happens. With `after`, everything since that cursor comes first.
    #[graphql(guard = "orders_read()")]
    async fn order_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which orders and events.")] filter: Option<AdminOrderFeedFilter>,
        #[graphql(desc = "The last cursor that you saw.")] after: Option<String>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<AdminOrderFeedItem>>> {
        let call = call(ctx)?;
        let place = call.place.clone();
        let after = place.resumed().map(str::to_owned).or(after);
        let feed = Feed::open(call.app.clone(), call.caller.actor.clone(), filter.unwrap_or_default(), after).await;
        let feed = feed.map_err(top_level)?;
        Ok(futures_util::stream::unfold((feed, place), |(mut feed, place)| async move {
            if feed.ended {
                return None;
            }
            let item = feed.next().await.map_err(top_level);
            match &item {
                Ok(item) => place.reach(&item.cursor),
                Err(_) => feed.ended = true,
            }
            Some((item, (feed, place)))
        }))
    }
}

/// One subscriber of all orders.
struct Feed {
    app: Arc<App>,
    actor: Actor,
    filter: AdminOrderFeedFilter,
    progress: tokio::sync::watch::Receiver<i64>,
    last: i64,
    waiting: std::collections::VecDeque<AdminOrderFeedItem>,
    ended: bool,
}

impl Feed {
    async fn open(app: Arc<App>, actor: Actor, filter: AdminOrderFeedFilter, after: Option<String>) -> Result<Self> {
        let progress = app.bus.watch_log();
        let newest = log::last_position(&app.read()).await?;
        let last = match after {
            Some(text) => {
                let position = text.strip_prefix("feed_").and_then(|digits| digits.parse().ok());
                // A cursor from beyond the end would wait in silence and then skip.
                let position = position.filter(|position| (0..=newest).contains(position));
                position.ok_or_else(|| Refusal::new(ErrorCode::Invalid, "This is not a cursor.").at(["after"]))?
            }
            None => newest,
        };
        Ok(Self { app, actor, filter, progress, last, waiting: Default::default(), ended: false })
    }

    async fn next(&mut self) -> Result<AdminOrderFeedItem> {
        loop {
            let conn = self.app.read();
            if !in_force(&conn, &self.actor, self.app.clock.now()).await.unwrap_or(true) {
                return Err(Error::Unauthenticated);
            }
            if let Some(item) = self.waiting.pop_front() {
                return Ok(item);
            }
            self.progress.mark_unchanged();
            match self.read().await {
                Ok(true) => {}
                Ok(false) => {
                    let _ = timeout(LOOK, self.progress.changed()).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "a feed waits for the database");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }

    /// Reads on; `false` when there is nothing new.
    async fn read(&mut self) -> Result<bool> {
        let conn = self.app.read();
        let events = log::stamped_after(&conn, self.last, BATCH).await?;
        let Some(newest) = events.last().and_then(|event| event.position) else { return Ok(false) };
        let mut items = Vec::new();
        for event in events.iter().filter(|event| event.aggregate_type == "order") {
            let order = access::find(&conn, &self.actor, Permission::OrdersRead, OrderId(event.aggregate_id)).await?;
            let seen = order.filter(|order| self.filter.lets_through(order, event));
            items.extend(seen.map(|order| AdminOrderFeedItem {
                cursor: format!("feed_{}", event.position.unwrap_or_default()),
                order: order.into(),
                event: event.into(),
            }));
        }
        self.waiting.extend(items);
        self.last = newest;
        Ok(true)
    }
}
