//! Live orders.
//!
//! What is delivered comes from the log alone, so every sequence arrives
//! exactly once, in order: [`engine::order::live`] and
//! [`engine::order::feed`]. Subscribers who are to be told the same share the
//! text: [`crate::api::shown`].

use async_graphql::{Context, ID, InputObject, SimpleObject, Subscription};
use domain::id::OrderId;
use domain::order::{FulfillmentStatus, OrderStatus, PaymentStatus};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use engine::error::{Error, Result};
use engine::order::feed::{self, Item};
use engine::order::is_for_staff;
use engine::order::live::{Follower, Told};
use futures_util::Stream;

use super::types::{AdminOrder, AdminOrderEvent, Order, OrderEvent};
use crate::api::call::call;
use crate::api::feed::until_it_ends;
use crate::api::guard::orders_read;
use crate::api::payload::top_level;
use crate::api::scalar::{Int64, parse_id};
use crate::api::selection::fingerprint;
use crate::api::shown::Shown;
use crate::api::word::Enum;
use crate::collection::admin::parse_ids;

/// How many words a filter of a feed may hold in each of its lists.
const MAX_FILTER: usize = 250;

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

impl From<Told> for OrderUpdate {
    fn from(told: Told) -> Self {
        let event = told.event.as_deref().filter(|event| !is_for_staff(&event.kind));
        Self { sequence: Int64(told.sequence), order: told.order.into(), event: event.map(OrderEvent::from) }
    }
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

impl From<Item> for AdminOrderFeedItem {
    fn from(item: Item) -> Self {
        Self { cursor: cursor(item.position), order: item.order.into(), event: (&*item.event).into() }
    }
}

fn cursor(position: i64) -> String {
    format!("feed_{position}")
}

fn position(cursor: &str) -> Result<i64> {
    let position = cursor.strip_prefix("feed_").and_then(|digits| digits.parse().ok());
    Ok(position.ok_or_else(|| Refusal::new(ErrorCode::Invalid, "This is not a cursor.").at(["after"]))?)
}

/// Which orders a feed is about. What you leave out is not asked; each list holds at most 250.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AdminOrderFeedFilter {
    /// Orders that are in one of these now.
    pub status: Option<Vec<Enum<OrderStatus>>>,
    /// Orders whose payment is in one of these now.
    pub payment_status: Option<Vec<Enum<PaymentStatus>>>,
    /// Orders whose goods are in one of these now.
    pub fulfillment_status: Option<Vec<Enum<FulfillmentStatus>>>,
    /// Orders of one of these channels, by id.
    pub channel_ids: Option<Vec<ID>>,
    /// Orders to which stock is promised at one of these locations, or of which something was packed there, by id.
    pub location_ids: Option<Vec<ID>>,
    /// Events of one of these kinds.
    pub kind: Option<Vec<String>>,
}

impl AdminOrderFeedFilter {
    fn read(self) -> Result<feed::Filter> {
        fn words<W>(words: Option<Vec<Enum<W>>>) -> Option<Vec<W>> {
            words.map(|words| words.into_iter().map(|word| word.0).collect())
        }
        let mut refusals = Refusals::default();
        let lengths = [
            ("status", self.status.as_ref().map(Vec::len)),
            ("paymentStatus", self.payment_status.as_ref().map(Vec::len)),
            ("fulfillmentStatus", self.fulfillment_status.as_ref().map(Vec::len)),
            ("channelIds", self.channel_ids.as_ref().map(Vec::len)),
            ("locationIds", self.location_ids.as_ref().map(Vec::len)),
            ("kind", self.kind.as_ref().map(Vec::len)),
        ];
        for (list, length) in lengths {
            if length.is_some_and(|length| length > MAX_FILTER) {
                let message = format!("At most {MAX_FILTER} at once.");
                refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_FILTER as i64).at(["filter", list]));
            }
        }
        let filter = feed::Filter {
            status: words(self.status),
            payment_status: words(self.payment_status),
            fulfillment_status: words(self.fulfillment_status),
            channels: self.channel_ids.map(|ids| parse_ids(&ids, "channelIds", &mut refusals)),
            locations: self.location_ids.map(|ids| parse_ids(&ids, "locationIds", &mut refusals)),
            kinds: self.kind,
        };
        refusals.into_result()?;
        Ok(filter)
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
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<Shown<OrderUpdate>>>> {
        let call = call(ctx)?;
        let (app, actor, place) = (call.app.clone(), call.caller.actor.clone(), call.place.clone());
        let follower = async {
            let id: OrderId = parse_id(&order_id, &["orderId"]).map_err(|_| Error::not_found("order"))?;
            let after = match place.resumed() {
                Some(text) => Some(text.parse().map_err(|_| Refusal::new(ErrorCode::Invalid, "This is no sequence."))?),
                None => after_sequence.map(|sequence| sequence.0),
            };
            Follower::open(app, actor, id, access_token, after).await
        };
        let follower = follower.await.map_err(top_level)?;
        let selected = fingerprint(ctx, call.audience());
        Ok(until_it_ends(follower, move |follower| {
            let place = place.clone();
            Box::pin(async move {
                let told = follower.next().await?;
                place.reach(told.sequence);
                // The present state is worked out for whoever comes, an event for all who are told of it.
                let question = (told.order.id.into(), told.sequence, told.head, selected);
                Ok(Some(match told.event {
                    None => Shown::alone(told.into()),
                    Some(_) => Shown::to_all(told.into(), question),
                }))
            })
        }))
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
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<Shown<AdminOrderFeedItem>>>> {
        let call = call(ctx)?;
        let (app, actor, place) = (call.app.clone(), call.caller.actor.clone(), call.place.clone());
        let follower = async {
            let after = place.resumed().or(after.as_deref()).map(position).transpose()?;
            feed::Follower::open(app, actor, filter.unwrap_or_default().read()?, after).await
        };
        let follower = follower.await.map_err(top_level)?;
        let selected = fingerprint(ctx, call.audience());
        Ok(until_it_ends(follower, move |follower| {
            let place = place.clone();
            Box::pin(async move {
                let item = follower.next().await?;
                place.reach(cursor(item.position));
                let question = (item.order.id.into(), item.event.sequence, item.position, selected);
                Ok(Some(Shown::to_all(item.into(), question)))
            })
        }))
    }
}
