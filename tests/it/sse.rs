//! Operations over server-sent events.

use std::time::Duration;

use emporion::http::gate::{Edge, Gate};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::Shop;
use crate::support::events::{Event, Events};
use crate::support::walker::{Placed, buy, pack_and_unpack, stocked};

fn store(shop: &Shop) -> String {
    format!("http://{}/store/graphql", shop.address)
}

async fn scene() -> (Shop, Placed) {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let variant = stocked(&shop, "Hoe", 5).await;
    let placed = buy(&shop.store, &variant, 1).await;
    (shop, placed)
}

fn watch(placed: &Placed, after: i64) -> String {
    format!(
        "subscription {{ orderUpdated(orderId: {:?}, accessToken: {:?}, afterSequence: {after}) {{ sequence }} }}",
        placed.id, placed.token
    )
}

fn next(id: Option<&str>, data: Value) -> Event {
    Event { kind: "next".to_owned(), id: id.map(str::to_owned), data: json!({ "data": data }) }
}

fn sequence(sequence: i64) -> Event {
    next(Some(&sequence.to_string()), json!({ "orderUpdated": { "sequence": sequence } }))
}

fn complete() -> Event {
    Event { kind: "complete".to_owned(), id: None, data: Value::Null }
}

#[tokio::test]
async fn a_query_answers_once_and_completes() {
    let shop = Shop::open().await;
    for by_get in [false, true] {
        let answered = match by_get {
            true => Events::get(&store(&shop), "{ __typename }", &[]).await,
            false => Events::post(&store(&shop), "{ __typename }", &[]).await,
        };
        let mut events = answered.unwrap();
        assert_eq!(events.next().await, Some(next(None, json!({ "__typename": "Query" }))));
        assert_eq!(events.next().await, Some(complete()));
        assert_eq!(events.next().await, None);
    }
}

#[tokio::test]
async fn an_order_is_followed_and_taken_up_behind_the_last_event() {
    let (shop, placed) = scene().await;
    let query = watch(&placed, 0);
    let mut events = Events::post(&store(&shop), &query, &[]).await.unwrap();
    for number in [1, 2] {
        assert_eq!(events.next().await, Some(sequence(number)));
    }
    assert!(events.is_silent().await);
    pack_and_unpack(&shop.admin, &placed.id).await;
    assert_eq!(events.next().await, Some(sequence(3)));
    drop(events);
    // The question is the old one, as a browser repeats it; the header says how far it came.
    let mut events = Events::get(&store(&shop), &query, &[("last-event-id", "3")]).await.unwrap();
    assert_eq!(events.next().await, Some(sequence(4)));
    assert!(events.is_silent().await);
    let mut events = Events::get(&store(&shop), &query, &[("last-event-id", "nonsense")]).await.unwrap();
    let refused = events.next().await.unwrap();
    assert_eq!(refused.data["errors"][0]["extensions"]["code"], "INVALID");
    assert_eq!(events.next().await, Some(complete()));
}

#[tokio::test]
async fn the_feed_of_all_orders_is_taken_up_behind_the_last_event() {
    let (shop, placed) = scene().await;
    let url = format!("http://{}/admin/graphql", shop.address);
    let made = shop.set("apiKeyCreate", json!({ "title": "Screen", "role": "viewer" }), "secret").await.done();
    let bearer = format!("Bearer {}", made["secret"].as_str().unwrap());
    let query = "subscription { orderEvents(after: \"feed_0\") { event { sequence } } }";
    let mut events = Events::post(&url, query, &[("authorization", &bearer)]).await.unwrap();
    let (first, second) = (events.next().await.unwrap(), events.next().await.unwrap());
    assert_eq!(first.data["data"]["orderEvents"]["event"]["sequence"], 1);
    drop(events);
    let last = first.id.unwrap();
    let headers = [("authorization", bearer.as_str()), ("last-event-id", last.as_str())];
    let mut events = Events::post(&url, query, &headers).await.unwrap();
    assert_eq!(events.next().await.unwrap(), second);
    pack_and_unpack(&shop.admin, &placed.id).await;
    assert_eq!(events.next().await.unwrap().data["data"]["orderEvents"]["event"]["sequence"], 3);
}

#[tokio::test]
async fn what_can_t_be_a_stream_is_answered_as_a_page() {
    let (shop, placed) = scene().await;
    let url = store(&shop);
    for query in ["{", "{ nonsense }", "subscription { nonsense }", "subscription { __typename }"] {
        let (status, body) = Events::post(&url, query, &[]).await.unwrap_err();
        let body: Value = serde_json::from_str(&body).unwrap();
        assert!(status == 400 && body["errors"][0]["message"].is_string(), "{query} {status} {body}");
    }
    let mutation = "mutation { cartCreate(input: {}) { cart { id } } }";
    assert_eq!(Events::get(&url, mutation, &[]).await.unwrap_err().0, 405);
    let mut events = Events::post(&url, mutation, &[]).await.unwrap();
    assert!(events.next().await.unwrap().data["data"]["cartCreate"]["cart"]["id"].is_string());
    let (status, _) = Events::post(&url, "{ __typename }", &[("authorization", "Bearer nonsense")]).await.unwrap_err();
    assert_eq!(status, 401);
    let stranger = watch(&Placed { token: "nonsense".to_owned(), ..placed }, 0);
    let mut events = Events::post(&url, &stranger, &[]).await.unwrap();
    assert_eq!(events.next().await.unwrap().data["errors"][0]["extensions"]["code"], "NOT_FOUND");
    assert_eq!(events.next().await, Some(complete()));
}

#[tokio::test]
async fn a_server_that_goes_ends_its_streams_and_an_address_has_so_many() {
    let (shop, placed) = scene().await;
    let stop = CancellationToken::new();
    let edge = Edge { sockets_per_address: 1, ..Edge::default() };
    let url = format!("http://{}/store/graphql", shop.served_at(Gate::new(edge, stop.clone())).await);
    let mut events = Events::post(&url, &watch(&placed, 2), &[]).await.unwrap();
    assert_eq!(Events::post(&url, "{ __typename }", &[]).await.unwrap_err().0, 429);
    stop.cancel();
    assert_eq!(tokio::time::timeout(Duration::from_secs(5), events.next()).await.expect("an end in time"), None);
}
