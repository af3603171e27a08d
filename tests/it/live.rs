//! Orders as they change, to those who watch.

use std::time::Duration;

use chrono::TimeDelta;
use domain::auth::{ActorKind, OWNER, Surface};
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::Shop;
use crate::support::client::Client;
use crate::support::database::{TestDatabase, on_postgres};
use crate::support::node::{Node, run_command};
use crate::support::redis::PrivateRedis;
use crate::support::socket::{PATIENCE, Socket, Subscription};
use crate::support::walker::{Placed, buy, in_stock, pack, pack_and_unpack, sequence, stocked, watch, watch_with};

const AT_ONCE: Duration = Duration::from_secs(1);
const SOON: Duration = Duration::from_secs(2);
const FEED: &str = "subscription($filter: AdminOrderFeedFilter, $after: String) {
    orderEvents(filter: $filter, after: $after) { cursor order { id } event { sequence kind } } }";
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/shopify/packt-product-data.csv");

/// A shop with an order, of which two events tell.
async fn scene() -> (Shop, Placed) {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let variant = stocked(&shop, "Wheelbarrow", 10).await;
    let placed = buy(&shop.store, &variant, 1).await;
    (shop, placed)
}

fn store_url(shop: &Shop) -> String {
    format!("ws://{}/store/graphql", shop.address)
}

fn admin_url(shop: &Shop) -> String {
    format!("ws://{}/admin/graphql", shop.address)
}

async fn shopper(shop: &Shop) -> Socket {
    Socket::open(&store_url(shop), json!({})).await.unwrap()
}

fn bearer(token: &str) -> Value {
    json!({ "Authorization": format!("Bearer {token}") })
}

/// A connection of an API key that may look.
async fn viewer(shop: &Shop) -> Socket {
    let made = shop.set("apiKeyCreate", json!({ "title": "Screen", "role": "viewer" }), "secret").await.done();
    Socket::open(&admin_url(shop), bearer(made["secret"].as_str().unwrap())).await.unwrap()
}

/// The sequences of so many messages.
async fn sequences(live: &mut Subscription, count: usize) -> Vec<i64> {
    let mut seen = Vec::new();
    for _ in 0..count {
        seen.push(sequence(&live.next(PATIENCE).await));
    }
    seen
}

async fn silence(live: &mut Subscription) {
    let came = live.try_next(Duration::from_millis(400)).await;
    assert!(came.is_none(), "nothing has happened, but {came:?}");
}

#[tokio::test]
async fn the_first_message_tells_the_present_and_the_next_what_happens() {
    let (shop, placed) = scene().await;
    let socket = shopper(&shop).await;
    let mut live = watch(&socket, &placed, None);
    let present = live.next(PATIENCE).await;
    let order = json!({
        "number": present["order"]["number"], "status": "OPEN", "paymentStatus": "AUTHORIZED",
        "fulfillmentStatus": "NOT_FULFILLED",
    });
    assert_eq!(present, json!({ "sequence": 2, "event": null, "order": order }));
    silence(&mut live).await;

    pack(&shop.admin, &placed.id).await;
    let update = live.next(AT_ONCE).await;
    assert_eq!((sequence(&update), &update["event"]["kind"]), (3, &json!("fulfillment.created")));
    assert_eq!(update["order"]["fulfillmentStatus"], "FULFILLED");
    silence(&mut live).await;
}

#[tokio::test]
async fn what_was_missed_comes_first() {
    let (shop, placed) = scene().await;
    pack_and_unpack(&shop.admin, &placed.id).await;
    let socket = shopper(&shop).await;
    let mut all = watch(&socket, &placed, Some(0));
    assert_eq!(sequences(&mut all, 4).await, [1, 2, 3, 4]);
    let mut rest = watch(&socket, &placed, Some(2));
    let replayed = rest.next(PATIENCE).await;
    assert_eq!((sequence(&replayed), &replayed["event"]["kind"]), (3, &json!("fulfillment.created")));
    assert_eq!(replayed["order"]["fulfillmentStatus"], "NOT_FULFILLED", "the order is told as it is now");
    assert_eq!(sequences(&mut rest, 1).await, [4]);
    let mut nothing = watch(&socket, &placed, Some(4));
    silence(&mut nothing).await;

    pack(&shop.admin, &placed.id).await;
    for live in [&mut all, &mut rest, &mut nothing] {
        assert_eq!(sequence(&live.next(AT_ONCE).await), 5);
        silence(live).await;
    }
    for beyond in [6, 99, -1] {
        let (code, message) = watch(&socket, &placed, Some(beyond)).error().await;
        assert_eq!(code, "INVALID");
        assert!(message.contains("its last sequence is 5"), "{message}");
    }
}

#[tokio::test]
async fn a_cut_connection_is_taken_up_without_gap_or_duplicate() {
    let (shop, placed) = scene().await;
    let (admin, id) = (shop.admin.clone(), placed.id.clone());
    let staff = tokio::spawn(async move {
        for _ in 0..10 {
            pack_and_unpack(&admin, &id).await;
        }
    });
    let mut seen = Vec::new();
    while seen.len() < 22 {
        let socket = shopper(&shop).await;
        let mut live = watch(&socket, &placed, Some(seen.last().copied().unwrap_or(0)));
        let some = usize::min(3, 22 - seen.len());
        seen.extend(sequences(&mut live, some).await);
        socket.cut();
    }
    staff.await.unwrap();
    assert_eq!(seen, (1..=22).collect::<Vec<i64>>());
}

#[tokio::test]
async fn an_order_is_watched_by_nobody_without_the_right() {
    let (shop, placed) = scene().await;
    let variant = stocked(&shop, "Spade", 10).await;
    let other = buy(&shop.store, &variant, 1).await;
    let socket = shopper(&shop).await;
    let forged = format!("{}x", placed.token);
    for (order, token) in [
        (&placed.id, None),
        (&placed.id, Some("")),
        (&placed.id, Some("nonsense")),
        (&placed.id, Some(forged.as_str())),
        (&placed.id, Some(other.token.as_str())),
        (&variant, Some(placed.token.as_str())),
        (&"nonsense".to_owned(), Some(placed.token.as_str())),
    ] {
        for after in [None, Some(0), Some(99)] {
            let refused = watch_with(&socket, order, token, after).error().await;
            assert_eq!(refused, ("NOT_FOUND".to_owned(), "There is no such order.".to_owned()), "{order} {token:?}");
        }
    }

    let mut live = watch(&socket, &placed, None);
    live.next(PATIENCE).await;
    shop.pass(TimeDelta::days(91));
    assert_eq!(watch(&socket, &placed, None).error().await.0, "NOT_FOUND", "the link has expired");
    pack(&shop.staff(OWNER).await, &placed.id).await;
    assert_eq!(live.error().await.0, "NOT_FOUND", "and opens nothing for those who were there before");
}

#[tokio::test]
async fn twenty_subscribers_see_each_sequence_once_and_in_order() {
    let (shop, placed) = scene().await;
    let sockets = join_all((0..20).map(|_| shopper(&shop))).await;
    let mut watching: Vec<_> = sockets.iter().map(|socket| watch(socket, &placed, None)).collect();
    for live in &mut watching {
        assert_eq!(sequences(live, 1).await, [2]);
    }
    for _ in 0..5 {
        pack_and_unpack(&shop.admin, &placed.id).await;
    }
    for live in &mut watching {
        assert_eq!(sequences(live, 10).await, (3..=12).collect::<Vec<i64>>());
    }
    for live in &mut watching {
        assert!(live.try_next(Duration::from_millis(20)).await.is_none());
    }
}

/// The order and the sequence that an item of the feed tells of.
fn place(item: &Value) -> (String, i64) {
    (item["order"]["id"].as_str().unwrap().to_owned(), item["event"]["sequence"].as_i64().unwrap())
}

/// The items of the feed up to this event of an order.
async fn until(feed: &mut Subscription, order: &str, sequence: i64) -> Vec<Value> {
    let mut items = Vec::new();
    loop {
        let item = feed.next(PATIENCE).await;
        let last = place(&item) == (order.to_owned(), sequence);
        items.push(item);
        if last {
            return items;
        }
    }
}

/// A feed that is known to listen: it begins when the server reads the
/// question, and that is not told. Answers with the last sequence that came.
async fn listening(socket: &Socket, admin: &Client, order: &str) -> (Subscription, i64, Value) {
    let mut feed = socket.subscribe(FEED, json!({}));
    let mut rung = 2;
    loop {
        pack_and_unpack(admin, order).await;
        rung += 2;
        if let Some(item) = feed.try_next(Duration::from_millis(500)).await {
            let last = match place(&item).1 == rung {
                true => item,
                false => until(&mut feed, order, rung).await.pop().unwrap(),
            };
            return (feed, rung, last);
        }
    }
}

#[tokio::test]
async fn staff_follow_all_orders_from_a_cursor_without_gap_or_duplicate() {
    let (shop, bell) = scene().await;
    let variant = stocked(&shop, "Spade", 10).await;
    let socket = viewer(&shop).await;
    let (mut feed, rung, last) = listening(&socket, &shop.admin, &bell.id).await;
    let first = buy(&shop.store, &variant, 1).await;
    let second = buy(&shop.store, &variant, 1).await;
    pack(&shop.admin, &first.id).await;
    // The feed keeps the order of each order's events; between orders it may differ from the order of the calls.
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(feed.next(PATIENCE).await);
    }
    for (order, count) in [(&first.id, 3), (&second.id, 2)] {
        let told = seen.iter().map(place).filter(|(id, _)| id == order).map(|(_, sequence)| sequence);
        assert_eq!(told.collect::<Vec<_>>(), (1..=count).collect::<Vec<i64>>());
    }
    socket.cut();

    // While nobody listens, more happens.
    pack_and_unpack(&shop.admin, &second.id).await;
    let socket = viewer(&shop).await;
    for (place_of_cursor, cursor) in [&last].into_iter().chain(&seen).map(|item| &item["cursor"]).enumerate() {
        let mut resumed = socket.subscribe(FEED, json!({ "after": cursor }));
        let items = until(&mut resumed, &second.id, 4).await;
        let (again, new) = items.split_at(seen.len() - place_of_cursor);
        assert_eq!(again, &seen[place_of_cursor..], "the same items with the same cursors");
        assert_eq!(new.iter().map(place).collect::<Vec<_>>(), [(second.id.clone(), 3), (second.id.clone(), 4)]);
    }

    let kinds = json!({ "filter": { "kind": ["fulfillment.created"] }, "after": last["cursor"] });
    let mut packed = socket.subscribe(FEED, kinds);
    assert_eq!(place(&packed.next(PATIENCE).await), (first.id.clone(), 3));
    assert_eq!(place(&packed.next(PATIENCE).await), (second.id.clone(), 3));
    pack_and_unpack(&shop.admin, &bell.id).await;
    assert_eq!(place(&packed.next(AT_ONCE).await), (bell.id.clone(), rung + 1));
    assert!(packed.try_next(Duration::from_millis(400)).await.is_none());
    assert_eq!(socket.subscribe(FEED, json!({ "after": "nonsense" })).error().await.0, "INVALID");
}

#[tokio::test]
async fn the_unified_endpoint_has_the_feeds_of_whoever_asks() {
    let (shop, placed) = scene().await;
    let url = format!("ws://{}/graphql", shop.address);
    let guest = Socket::open(&url, json!({})).await.unwrap();
    assert_eq!(sequence(&watch(&guest, &placed, None).next(PATIENCE).await), 2);
    let (_, absent) = guest.subscribe(FEED, json!({})).error().await;
    assert!(absent.contains("Unknown type") || absent.contains("Unknown field"), "{absent}");

    let made = shop.set("apiKeyCreate", json!({ "title": "Screen", "role": "viewer" }), "secret").await.done();
    let staff = Socket::open(&url, bearer(made["secret"].as_str().unwrap())).await.unwrap();
    assert_eq!(sequence(&watch(&staff, &placed, None).next(PATIENCE).await), 2);
    let (mut feed, rung, _) = listening(&staff, &shop.admin, &placed.id).await;
    pack(&shop.admin, &placed.id).await;
    assert_eq!(place(&feed.next(PATIENCE).await), (placed.id.clone(), rung + 1));
}

#[tokio::test]
async fn a_socket_knows_who_is_at_its_other_end() {
    let (shop, placed) = scene().await;
    let guest = Socket::open(&admin_url(&shop), json!({})).await.unwrap();
    assert_eq!(guest.subscribe(FEED, json!({})).error().await.0, "UNAUTHENTICATED");

    let customer = shop.session(ActorKind::Customer, Uuid::now_v7(), Surface::Store).await;
    let staff = shop.session(ActorKind::Staff, Uuid::now_v7(), Surface::Admin).await;
    let (store, admin) = (store_url(&shop), admin_url(&shop));
    for (url, payload) in [
        (&admin, bearer(&customer)),
        (&store, bearer(&staff)),
        (&admin, bearer("nonsense")),
        (&store, bearer("nonsense")),
        (&admin, json!({ "authorization": "Basic eDp5" })),
        (&store, bearer("emp_sk_nonsense")),
    ] {
        let closed = Socket::open(url, payload.clone()).await.expect_err("a connection that is closed");
        assert!(closed.code != 1000 && closed.reason == "This needs a credential.", "{payload} {closed:?}");
    }

    // A customer who has signed in needs the link of a guest's order all the same.
    let customer = Socket::open(&store, bearer(&customer)).await.unwrap();
    assert_eq!(watch_with(&customer, &placed.id, None, None).error().await.0, "NOT_FOUND");
    assert_eq!(sequence(&watch(&customer, &placed, None).next(PATIENCE).await), 2);
    let missing = Socket::open(&store, json!({ "X-Region": "atlantis" })).await.expect_err("no such region");
    assert_eq!(missing.reason, "There is no such region.");
}

#[tokio::test]
async fn a_command_that_writes_beside_the_server_disturbs_nobody() {
    let (shop, placed) = scene().await;
    let socket = shopper(&shop).await;
    let mut live = watch(&socket, &placed, None);
    assert_eq!(sequences(&mut live, 1).await, [2]);
    let staff = async {
        for _ in 0..5 {
            pack_and_unpack(&shop.admin, &placed.id).await;
        }
    };
    let arguments = ["import", "shopify", PATH, "--currency", "EUR"];
    let (output, ()) = tokio::join!(run_command(&shop.database, &arguments), staff);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(sequences(&mut live, 10).await, (3..=12).collect::<Vec<i64>>());
    let query = "{ product(by: { handle: \"grey-wheelbarrow\" }) { title } }";
    assert_eq!(shop.store.send(query, json!({})).await.at("product.title"), "Grey Wheelbarrow");
    pack(&shop.admin, &placed.id).await;
    assert_eq!(sequence(&live.next(AT_ONCE).await), 13);
}

/// Two processes of one shop, and an order that was bought at the first.
struct Pair {
    a: Node,
    b: Node,
    owner: Client,
    owner_token: String,
    placed: Placed,
}

async fn pair(more: &[&str]) -> Pair {
    let database = TestDatabase::copy().await;
    let mut a = Node::start(&database, &[more, &["--demo"]].concat(), &[]).await;
    let owner_token = a.owner_token().await;
    let owner = a.anonymous_admin.bearer(&owner_token);
    let b = Node::start(&database, more, &[]).await;
    let placed = buy(&a.store, &in_stock(&a.store).await, 1).await;
    Pair { a, b, owner, owner_token, placed }
}

#[tokio::test]
async fn what_one_process_writes_another_tells_with_redis_and_without() {
    if !on_postgres() {
        return;
    }
    let mut redis = PrivateRedis::start().await;
    let Pair { a: _a, b, owner, owner_token, placed } = pair(&["--redis-url", &redis.url()]).await;
    let socket = Socket::open(&b.store_socket, json!({})).await.unwrap();
    let mut live = watch(&socket, &placed, None);
    assert_eq!(sequences(&mut live, 1).await, [2]);
    let screen = Socket::open(&b.admin_socket, bearer(&owner_token)).await.unwrap();
    let (mut feed, rung, _) = listening(&screen, &owner, &placed.id).await;
    let count = usize::try_from(rung - 2).unwrap();
    assert_eq!(sequences(&mut live, count).await, (3..=rung).collect::<Vec<i64>>());

    let mut last = rung;
    for is_there in [true, false, true] {
        match (is_there, last == rung) {
            (true, true) => {}
            (true, false) => redis.start_again().await,
            (false, _) => redis.stop().await,
        }
        pack_and_unpack(&owner, &placed.id).await;
        for _ in 0..2 {
            last += 1;
            assert_eq!(sequence(&live.next(SOON).await), last, "Redis is there: {is_there}");
            assert_eq!(place(&feed.next(SOON).await), (placed.id.clone(), last), "Redis is there: {is_there}");
        }
    }
    assert!(live.try_next(AT_ONCE).await.is_none() && feed.try_next(AT_ONCE).await.is_none());
}

#[tokio::test]
async fn a_subscriber_of_a_lost_process_goes_on_at_another() {
    if !on_postgres() {
        return;
    }
    let Pair { a, mut b, owner, owner_token, placed } = pair(&[]).await;
    let socket = Socket::open(&b.store_socket, json!({})).await.unwrap();
    let mut live = watch(&socket, &placed, Some(0));
    let screen = Socket::open(&b.admin_socket, bearer(&owner_token)).await.unwrap();
    let (mut feed, rung, last) = listening(&screen, &owner, &placed.id).await;
    let mut seen = sequences(&mut live, usize::try_from(rung).unwrap()).await;

    b.process.kill().await;
    live.ended().await;
    feed.ended().await;
    pack_and_unpack(&owner, &placed.id).await;
    let socket = Socket::open(&a.store_socket, json!({})).await.unwrap();
    let mut live = watch(&socket, &placed, seen.last().copied());
    let screen = Socket::open(&a.admin_socket, bearer(&owner_token)).await.unwrap();
    let mut feed = screen.subscribe(FEED, json!({ "after": last["cursor"] }));
    seen.extend(sequences(&mut live, 2).await);
    pack_and_unpack(&owner, &placed.id).await;
    seen.extend(sequences(&mut live, 2).await);
    assert_eq!(seen, (1..=rung + 4).collect::<Vec<i64>>());
    let told: Vec<_> = until(&mut feed, &placed.id, rung + 4).await.iter().map(place).collect();
    assert_eq!(told, (rung + 1..=rung + 4).map(|sequence| (placed.id.clone(), sequence)).collect::<Vec<_>>());
}
