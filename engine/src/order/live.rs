//! Following an order as it moves: all who follow the same order share what
//! is read of it.

use std::sync::Arc;
use std::time::Duration;

use domain::auth::Permission;
use domain::id::{OrderId, OrderTokenId};
use entity::{event, order, order_token};
use tokio::time::Instant;
use uuid::Uuid;

use super::{access, aggregate, repo};
use crate::actor::Actor;
use crate::app::App;
use crate::auth::standing::Standing;
use crate::bus::Wakes;
use crate::error::{Error, Result};
use crate::event as log;
use crate::hub::{Reading, Shared};

/// How many of an order's last events are kept at hand for all.
const TAIL: u64 = 100;

/// An order with what happened to it last, as it was read for all who follow it.
#[derive(Debug)]
pub struct OrderNow {
    /// The order; at least as new as its last event. Nothing when there is no such order.
    pub order: Option<Arc<order::Model>>,
    /// The links that open it.
    pub links: Vec<order_token::Model>,
    /// Its last events, oldest first, without gaps.
    pub events: Vec<Arc<event::Model>>,
    /// The sequence of the last event, 0 when there is none.
    pub head: i64,
}

impl OrderNow {
    async fn read(app: &App, id: OrderId, last: Option<Arc<Reading<Self>>>) -> Result<Self> {
        let conn = app.read();
        let (mut events, mut head) = match last {
            Some(last) => (last.value.events.clone(), last.value.head),
            None => {
                let events = log::latest(&conn, aggregate(id), TAIL).await?;
                let head = events.last().map_or(0, |event| event.sequence);
                (events.into_iter().map(Arc::new).collect(), head)
            }
        };
        loop {
            let more = log::after(&conn, aggregate(id), head, TAIL).await?;
            let all = (more.len() as u64) < TAIL;
            head = more.last().map_or(head, |event| event.sequence);
            events.extend(more.into_iter().map(Arc::new));
            if all {
                break;
            }
        }
        events.drain(..events.len().saturating_sub(TAIL as usize));
        // The events come before the order: the order may be newer than them, never older.
        let links = repo::tokens_of(&conn, id).await?;
        let order = repo::find(&conn, id).await?.map(Arc::new);
        Ok(Self { order, links, events, head })
    }

    /// The event that follows `sequence`, if it is at hand.
    fn next(&self, sequence: i64) -> Option<&Arc<event::Model>> {
        let first = self.events.first()?.sequence;
        self.events.get(usize::try_from(sequence + 1 - first).ok()?)
    }
}

/// What a follower is told.
#[derive(Debug, Clone)]
pub struct Told {
    /// How far he has come with it.
    pub sequence: i64,
    /// How far the order had come when it was read.
    pub head: i64,
    /// The order at that moment.
    pub order: Arc<order::Model>,
    /// What happened; nothing when this is the present state.
    pub event: Option<Arc<event::Model>>,
}

/// Somebody who follows an order.
#[derive(Debug)]
pub struct Follower {
    app: Arc<App>,
    who: Standing,
    order: OrderId,
    /// The link that opens it; what it says of its time stands in its row, too.
    link: Option<OrderTokenId>,
    wakes: Wakes,
    shared: Arc<Shared<OrderNow>>,
    last: i64,
    begins: bool,
    /// What is older than what is at hand for all.
    backlog: std::collections::VecDeque<Arc<event::Model>>,
}

impl Follower {
    /// How long a follower sleeps at most before it looks by itself, and before its right is checked again.
    const LOOK: Duration = Duration::from_secs(15);
    /// How long it waits for a database that is away.
    const REST: Duration = Duration::from_millis(500);

    /// Begins to follow: from the present state, or behind a sequence.
    ///
    /// # Errors
    /// `NOT_FOUND` for what is not there and what is not the caller's,
    /// `INVALID` for a sequence that the order has not come to.
    pub async fn open(
        app: Arc<App>,
        actor: Actor,
        order: OrderId,
        access_token: Option<String>,
        after: Option<i64>,
    ) -> Result<Self> {
        let link = access_token.and_then(|token| access::named_by(&app, order, &token));
        // Watch first, read then: what happens between the two wakes us.
        let shared = app.hub.shared::<OrderNow>(order.into(), Uuid::nil(), || app.bus.watch(order.into()));
        let mut follower = Self {
            wakes: shared.watch(),
            shared,
            who: Standing::of(app.clone(), actor),
            app,
            order,
            link,
            last: 0,
            begins: after.is_none(),
            backlog: Default::default(),
        };
        let arrived = Instant::now();
        let now = follower.reading(|reading| reading.begun >= arrived).await?;
        follower.check(&now.value, arrived).await?;
        let head = now.value.head;
        follower.last = match after {
            None => head,
            Some(after) if (0..=head).contains(&after) => after,
            Some(_) => return Err(access::not_that_far(head).into()),
        };
        Ok(follower)
    }

    /// The next thing to tell, whenever it comes.
    ///
    /// # Errors
    /// When the right to see the order has ended.
    pub async fn next(&mut self) -> Result<Told> {
        loop {
            match self.look().await {
                Ok(Some(told)) => return Ok(told),
                Ok(None) => {
                    let _ = tokio::time::timeout(Self::LOOK, self.wakes.changed()).await;
                }
                Err(Error::Database(error)) => {
                    tracing::debug!(%error, "a feed waits for the database");
                    tokio::time::sleep(Self::REST).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn look(&mut self) -> Result<Option<Told>> {
        let woken = self.wakes.see();
        let oldest = Instant::now().checked_sub(Self::LOOK);
        let recent = |reading: &Reading<OrderNow>| oldest.is_none_or(|oldest| reading.begun >= oldest);
        let reading = self.reading(|reading| reading.wakes >= woken && recent(reading)).await?;
        let (now, head) = (&reading.value, reading.value.head);
        let order = self.check(now, reading.begun).await?;
        if std::mem::take(&mut self.begins) {
            // What has happened since the follower came is part of what he sees first.
            self.last = head;
            return Ok(Some(Told { sequence: head, head, order, event: None }));
        }
        if self.last >= head {
            return Ok(None);
        }
        if self.backlog.is_empty() && now.next(self.last).is_none() {
            let older = log::after(&self.app.read(), aggregate(self.order), self.last, TAIL).await?;
            self.backlog.extend(older.into_iter().map(Arc::new));
        }
        let event = self.backlog.pop_front().or_else(|| now.next(self.last).cloned());
        Ok(event.map(|event| {
            self.last = event.sequence;
            Told { sequence: event.sequence, head, order, event: Some(event) }
        }))
    }

    async fn reading(&self, enough: impl Fn(&Reading<OrderNow>) -> bool) -> Result<Arc<Reading<OrderNow>>> {
        self.shared.read(enough, |last| OrderNow::read(&self.app, self.order, last)).await
    }

    /// The order, if the caller may still see it.
    async fn check(&self, now: &OrderNow, since: Instant) -> Result<Arc<order::Model>> {
        if !self.who.is_unchanged(since).await {
            return Err(Error::Unauthenticated);
        }
        let moment = self.app.clock.now();
        let allowed = |order: &&Arc<order::Model>| {
            access::allowed(order, &now.links, self.who.actor(), Permission::OrdersRead, self.link, moment)
        };
        now.order.as_ref().filter(allowed).cloned().ok_or_else(|| Error::not_found("order"))
    }
}
