//! What many subscribers wait for is read and worked out once.

use std::time::Duration;

use domain::auth::OWNER;
use engine::hub::Work;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::socket::{PATIENCE, Socket, Subscription};
use crate::support::walker::{Placed, buy, pack, pack_and_unpack, sequence, stocked};

const SHORT: &str = "subscription($id: ID!, $token: String) {
    orderUpdated(orderId: $id, accessToken: $token) { sequence order { number } event { kind } } }";
/// The same, written in other words.
const SHORT_IN_OTHER_WORDS: &str = "subscription Mine($order: ID!, $secret: String) {
    orderUpdated(accessToken: $secret, orderId: $order) { sequence, order { number }, event { kind } } }";
const LONG: &str = "subscription($id: ID!, $token: String) {
    orderUpdated(orderId: $id, accessToken: $token) {
        sequence order { number lines { title quantityFulfilled } fulfillments { state } } event { kind } } }";

struct Scene {
    shop: Shop,
    placed: Placed,
    url: String,
}

impl Scene {
    async fn open() -> Self {
        let shop = Shop::open().await;
        shop.europe(&["DE"], true).await;
        let variant = stocked(&shop, "Wheelbarrow", 10).await;
        let placed = buy(&shop.store, &variant, 1).await;
        let url = format!("ws://{}/store/graphql", shop.address);
        Self { shop, placed, url }
    }

    async fn watch(&self, query: &str) -> (Socket, Subscription) {
        let socket = Socket::open(&self.url, json!({})).await.unwrap();
        let (id, token) = (&self.placed.id, &self.placed.token);
        let variables = json!({ "id": id, "token": token, "order": id, "secret": token });
        let mut live = socket.subscribe(query, variables);
        assert_eq!(sequence(&live.next(PATIENCE).await), 2);
        (socket, live)
    }

    async fn watch_often(&self, query: &str, count: usize) -> Vec<(Socket, Subscription)> {
        join_all((0..count).map(|_| self.watch(query))).await
    }

    /// The work of one event, when everybody has heard of it.
    async fn work_of_packing(&self, watching: &mut [(Socket, Subscription)]) -> (Work, Vec<Value>) {
        // What happened before may still be on its way.
        for (_, live) in watching.iter_mut() {
            while live.try_next(Duration::from_millis(50)).await.is_some() {}
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        let before = self.shop.app.hub.work();
        pack(&self.shop.admin, &self.placed.id).await;
        let mut told = Vec::new();
        for (_, live) in watching {
            told.push(live.next(PATIENCE).await);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        let after = self.shop.app.hub.work();
        let work = Work {
            readings: after.readings - before.readings,
            worked_out: after.worked_out - before.worked_out,
            ..after
        };
        (work, told)
    }
}

#[tokio::test]
async fn an_event_is_read_once_and_worked_out_once_for_each_selection() {
    let scene = Scene::open().await;
    let mut alone = vec![scene.watch(SHORT).await];
    let (one, _) = scene.work_of_packing(&mut alone).await;
    assert_eq!(one.worked_out, 1);
    // The commit wakes, and once more the log, so that a lost wake-up is made good.
    assert!((1..=2).contains(&one.readings), "{one:?}");
    drop(alone);

    let scene = Scene::open().await;
    let mut many = scene.watch_often(SHORT, 20).await;
    many.extend(scene.watch_often(SHORT_IN_OTHER_WORDS, 20).await);
    many.extend(scene.watch_often(LONG, 20).await);
    let (all, told) = scene.work_of_packing(&mut many).await;
    assert_eq!(all.worked_out, 2, "two selections, whoever many asked");
    assert!((1..=2).contains(&all.readings), "{all:?}");
    let short = json!({ "sequence": 3, "order": { "number": told[0]["order"]["number"] },
        "event": { "kind": "fulfillment.created" } });
    assert!(told[..40].iter().all(|told| *told == short), "{told:?}");
    let order = json!({ "number": told[0]["order"]["number"],
        "lines": [{ "title": "Wheelbarrow", "quantityFulfilled": 1 }], "fulfillments": [{ "state": "PACKED" }] });
    let long = json!({ "sequence": 3, "order": order, "event": { "kind": "fulfillment.created" } });
    assert!(told[40..].iter().all(|told| *told == long), "{}", told[40]);
}

#[tokio::test]
async fn who_is_told_something_else_is_not_told_the_same() {
    let scene = Scene::open().await;
    let aliased = SHORT.replace("number }", "theNumber: number }");
    let skipped = SHORT.replace("number }", "status number @skip(if: true) }");
    let named = SHORT.replace("{ kind }", "{ __typename kind }");
    let mut watching = Vec::new();
    for query in [SHORT, &aliased, &skipped, &named] {
        watching.push(scene.watch(query).await);
    }
    let (work, told) = scene.work_of_packing(&mut watching).await;
    assert_eq!(work.worked_out, 4);
    assert!(told[0]["order"]["number"].is_i64() && told[0]["order"]["theNumber"].is_null());
    assert!(told[1]["order"]["theNumber"].is_i64() && told[1]["order"]["number"].is_null());
    assert_eq!(told[2]["order"], json!({ "status": "OPEN" }));
    assert_eq!(told[3]["event"], json!({ "__typename": "OrderEvent", "kind": "fulfillment.created" }));
}

#[tokio::test]
async fn a_variable_makes_another_selection() {
    let scene = Scene::open().await;
    let query = "subscription($id: ID!, $token: String, $long: Boolean!) {
        orderUpdated(orderId: $id, accessToken: $token) { sequence order { number status @include(if: $long) } } }";
    let mut watching = Vec::new();
    for long in [true, false, true] {
        let socket = Socket::open(&scene.url, json!({})).await.unwrap();
        let variables = json!({ "id": scene.placed.id, "token": scene.placed.token, "long": long });
        let mut live = socket.subscribe(query, variables);
        assert_eq!(sequence(&live.next(PATIENCE).await), 2);
        watching.push((socket, live));
    }
    let (work, told) = scene.work_of_packing(&mut watching).await;
    assert_eq!(work.worked_out, 2);
    let states: Vec<_> = told.iter().map(|told| &told["order"]["status"]).collect();
    assert_eq!(states, [&json!("OPEN"), &Value::Null, &json!("OPEN")]);
}

#[tokio::test]
async fn staff_share_the_reading_of_the_log_and_each_sees_what_his_roles_reach() {
    let scene = Scene::open().await;
    let url = format!("ws://{}/admin/graphql", scene.shop.address);
    let feed = "subscription { orderEvents { cursor order { id } event { sequence kind } } }";
    let mut watching = Vec::new();
    for _ in 0..10 {
        let token = scene.shop.staff(OWNER).await.credential();
        let socket = Socket::open(&url, json!({ "Authorization": token })).await.unwrap();
        let live = socket.subscribe(feed, json!({}));
        watching.push((socket, live));
    }
    // A feed begins when the server reads the question, which is not told: rung until all have heard.
    let mut heard = vec![false; watching.len()];
    for _ in 0..20 {
        pack_and_unpack(&scene.shop.admin, &scene.placed.id).await;
        for (place, (_, live)) in watching.iter_mut().enumerate() {
            while live.try_next(Duration::from_millis(100)).await.is_some() {
                heard[place] = true;
            }
        }
        if heard.iter().all(|heard| *heard) {
            break;
        }
    }
    assert!(heard.iter().all(|heard| *heard), "{heard:?}");
    let (work, told) = scene.work_of_packing(&mut watching).await;
    assert!(told.iter().all(|item| *item == told[0]), "{told:?}");
    // The log, and one look at each of ten log-ins.
    assert!((11..=22).contains(&work.readings), "{work:?}");
}
