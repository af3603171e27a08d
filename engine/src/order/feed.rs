//! Following all orders, for staff: all who follow share what is read of the
//! log.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use domain::auth::Permission;
use domain::id::{ChannelId, LocationId, OrderId};
use domain::order::{FulfillmentStatus, OrderStatus, PaymentStatus};
use domain::refusal::{ErrorCode, Refusal};
use entity::{event, order};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::repo;
use crate::actor::Actor;
use crate::app::App;
use crate::auth::standing::Standing;
use crate::bus::Wakes;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::event as log;
use crate::hub::{Reading, Shared};
use crate::scope;

/// How many events are read at once.
const BATCH: u64 = 500;
/// How long a reader sleeps at most before it looks by itself.
const LOOK: Duration = Duration::from_secs(15);
/// How long it waits for a database that is away.
const REST: Duration = Duration::from_millis(500);

/// Which orders and events somebody wants to be told of. What is absent is not asked.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Orders that are in one of these now.
    pub status: Option<Vec<OrderStatus>>,
    /// Orders whose payment is in one of these now.
    pub payment_status: Option<Vec<PaymentStatus>>,
    /// Orders whose goods are in one of these now.
    pub fulfillment_status: Option<Vec<FulfillmentStatus>>,
    /// Orders of one of these channels.
    pub channels: Option<Vec<ChannelId>>,
    /// Orders to which stock is promised at one of these locations, or of which something was packed there.
    pub locations: Option<Vec<LocationId>>,
    /// Events of one of these kinds.
    pub kinds: Option<Vec<String>>,
}

impl Filter {
    fn lets_through(&self, item: &Item) -> bool {
        fn among<T: PartialEq>(wanted: &Option<Vec<T>>, found: &T) -> bool {
            wanted.as_ref().is_none_or(|wanted| wanted.contains(found))
        }
        let order = &item.order;
        among(&self.status, &order.status)
            && among(&self.payment_status, &order.payment_status)
            && among(&self.fulfillment_status, &order.fulfillment_status)
            && among(&self.channels, &order.channel_id)
            && among(&self.kinds, &item.event.kind)
            && self.locations.as_ref().is_none_or(|wanted| wanted.iter().any(|place| item.locations.contains(place)))
    }
}

/// Something that happened to an order.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its place in the log.
    pub position: i64,
    /// What happened.
    pub event: Arc<event::Model>,
    /// The order; at least as new as the event.
    pub order: Arc<order::Model>,
    locations: Arc<HashSet<LocationId>>,
}

/// The end of the log as it was read for all.
#[derive(Debug, Default)]
struct LogNow {
    /// What follows this position is at hand, up to `last`.
    from: i64,
    last: i64,
    items: VecDeque<Item>,
}

impl LogNow {
    /// Reads on behind `last`, whatever is there of one batch.
    async fn read_on(&mut self, conn: &Conn) -> Result<bool> {
        let events = log::stamped_after(conn, self.last, BATCH).await?;
        let Some(newest) = events.last().and_then(|event| event.position) else { return Ok(false) };
        let events: Vec<_> = events.into_iter().filter(|event| event.aggregate_type == "order").collect();
        let ids: HashSet<OrderId> = events.iter().map(|event| OrderId(event.aggregate_id)).collect();
        let ids: Vec<OrderId> = ids.into_iter().collect();
        if !ids.is_empty() {
            let mut locations: HashMap<OrderId, HashSet<LocationId>> = HashMap::new();
            for (order, location) in repo::locations_of(conn, &ids).await? {
                locations.entry(order).or_default().insert(location);
            }
            let orders: HashMap<_, _> =
                repo::find_all(conn, &ids).await?.into_iter().map(|row| (row.id, Arc::new(row))).collect();
            let locations: HashMap<_, _> = locations.into_iter().map(|(id, places)| (id, Arc::new(places))).collect();
            self.items.extend(events.into_iter().filter_map(|event| {
                let id = OrderId(event.aggregate_id);
                Some(Item {
                    position: event.position?,
                    order: orders.get(&id)?.clone(),
                    locations: locations.get(&id).cloned().unwrap_or_default(),
                    event: Arc::new(event),
                })
            }));
        }
        self.last = newest;
        Ok(true)
    }

    async fn read(app: &App, before: Option<Arc<Reading<Self>>>) -> Result<Self> {
        let conn = app.read();
        let mut now = match before {
            Some(before) => {
                let Self { from, last, items } = &before.value;
                Self { from: *from, last: *last, items: items.clone() }
            }
            None => {
                let last = log::last_position(&conn).await?;
                Self { from: last, last, items: VecDeque::new() }
            }
        };
        while now.read_on(&conn).await? {
            while now.items.len() > BATCH as usize {
                now.from = now.items.pop_front().map_or(now.from, |item| item.position);
            }
        }
        Ok(now)
    }
}

/// Somebody who follows all orders of the channels in his reach.
#[derive(Debug)]
pub struct Follower {
    app: Arc<App>,
    who: Standing,
    filter: Filter,
    log: Wakes,
    shared: Arc<Shared<LogNow>>,
    last: i64,
    /// What is older than what is at hand for all.
    backlog: LogNow,
}

impl Follower {
    /// Begins to follow: from now on, or behind a position.
    ///
    /// # Errors
    /// `INVALID` for a position that the log has not come to.
    pub async fn open(app: Arc<App>, actor: Actor, filter: Filter, after: Option<i64>) -> Result<Self> {
        let shared = app.hub.shared::<LogNow>(Uuid::nil(), Uuid::nil(), || app.bus.watch_log());
        let mut follower = Self {
            log: shared.watch(),
            shared,
            who: Standing::of(app.clone(), actor),
            app,
            filter,
            last: 0,
            backlog: LogNow::default(),
        };
        let arrived = Instant::now();
        let newest = follower.reading(|reading| reading.begun >= arrived).await?.value.last;
        follower.last = match after {
            None => newest,
            // A place beyond the end would wait in silence and then skip.
            Some(after) if (0..=newest).contains(&after) => after,
            Some(_) => return Err(Refusal::new(ErrorCode::Invalid, "This is not a cursor.").at(["after"]).into()),
        };
        Ok(follower)
    }

    /// The next thing to tell, whenever it comes.
    ///
    /// # Errors
    /// When the right to follow has ended.
    pub async fn next(&mut self) -> Result<Item> {
        loop {
            match self.look().await {
                Ok(Some(item)) => return Ok(item),
                Ok(None) => {
                    let _ = timeout(LOOK, self.log.changed()).await;
                }
                Err(Error::Database(error)) => {
                    tracing::debug!(%error, "a feed waits for the database");
                    tokio::time::sleep(REST).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn look(&mut self) -> Result<Option<Item>> {
        let woken = self.log.see();
        let oldest = Instant::now().checked_sub(LOOK);
        let recent = |reading: &Reading<LogNow>| oldest.is_none_or(|oldest| reading.begun >= oldest);
        let reading = self.reading(|reading| reading.wakes >= woken && recent(reading)).await?;
        if !self.who.is_unchanged(reading.begun).await {
            return Err(Error::Unauthenticated);
        }
        let now = &reading.value;
        while self.last < now.last {
            if self.last < now.from && self.backlog.items.is_empty() {
                self.backlog = LogNow { from: self.last, last: self.last, items: VecDeque::new() };
                self.backlog.read_on(&self.app.read()).await?;
                if self.backlog.items.is_empty() {
                    // Nothing of it was about an order.
                    self.last = self.backlog.last;
                    continue;
                }
            }
            let at_hand = || {
                let place = now.items.partition_point(|item| item.position <= self.last);
                now.items.get(place).cloned()
            };
            let Some(item) = self.backlog.items.pop_front().or_else(at_hand) else {
                self.last = now.last;
                break;
            };
            // Behind the last of a batch comes what the batch held besides.
            self.last = item.position;
            if self.sees(&item) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    fn sees(&self, item: &Item) -> bool {
        let reach = scope::channels(self.who.actor(), Permission::OrdersRead);
        reach.holds(item.order.channel_id) && self.filter.lets_through(item)
    }

    async fn reading(&self, enough: impl Fn(&Reading<LogNow>) -> bool) -> Result<Arc<Reading<LogNow>>> {
        self.shared.read(enough, |before| LogNow::read(&self.app, before)).await
    }
}
