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
async fn what_is_wrong_with_an_operation_is_told_as_an_event() {
    let (shop, placed) = scene().await;
    let url = store(&shop);
    let stranger = watch(&Placed { token: "nonsense".to_owned(), ..placed }, 0);
    for (query, code) in [
        ("{", json!("DOCUMENT_INVALID")),
        ("{ nonsense }", json!("DOCUMENT_INVALID")),
        ("query A { __typename } query B { __typename }", json!("INVALID")),
        ("query { __typename # \0\n}", json!("INVALID")),
        ("subscription { nonsense }", json!("DOCUMENT_INVALID")),
        ("subscription { __typename }", json!("INVALID")),
        (&stranger, json!("NOT_FOUND")),
    ] {
        for by_get in [false, true] {
            let answered = match by_get {
                true => Events::get(&url, query, &[]).await,
                false => Events::post(&url, query, &[]).await,
            };
            let mut events = answered.unwrap();
            let refused = events.next().await.unwrap();
            let error = &refused.data["errors"][0];
            assert_eq!(refused.kind, "next", "{query}");
            assert!(error["message"].is_string() && error["extensions"]["code"] == code, "{query} {error}");
            assert_eq!(events.next().await, Some(complete()));
            assert_eq!(events.next().await, None);
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_answered_as_a_page() {
    let (shop, _) = scene().await;
    let url = store(&shop);
    let mutation = "mutation { cartCreate(input: {}) { cart { id } } }";
    assert_eq!(Events::get(&url, mutation, &[]).await.unwrap_err().0, 405);
    let mut events = Events::post(&url, mutation, &[]).await.unwrap();
    assert!(events.next().await.unwrap().data["data"]["cartCreate"]["cart"]["id"].is_string());
    let (status, _) = Events::post(&url, "{ __typename }", &[("authorization", "Bearer nonsense")]).await.unwrap_err();
    assert_eq!(status, 401);
    let page = [("accept", "application/json")];
    assert_eq!(Events::get(&url, "{ __typename }", &page).await.unwrap_err().0, 200);
    let fine = "{ __typename }";
    for (parameters, told) in [
        (vec![], "`query`"),
        (vec![("query", "")], "`query`"),
        (vec![("query", fine), ("variables", "[]")], "`variables`"),
        (vec![("query", fine), ("variables", "{")], "`variables`"),
        (vec![("query", fine), ("extensions", "7")], "`extensions`"),
    ] {
        let (status, body) = Events::get_with(&url, &parameters, &[]).await.unwrap_err();
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &body["errors"][0]["extensions"]["code"]), (400, &json!("INVALID")), "{parameters:?}");
        assert!(body["errors"][0]["message"].as_str().unwrap().contains(told), "{parameters:?} {body}");
    }
    let big = format!("{{ __typename # {} \n }}", "x".repeat(256 * 1024));
    for headers in [&page[..], &[]] {
        for (body, status, told) in [
            ("{".to_owned(), 400, "no JSON"),
            (json!([{ "query": fine }]).to_string(), 400, "a JSON object"),
            (json!({}).to_string(), 400, "`query`"),
            (json!({ "query": 7 }).to_string(), 400, "`query`"),
            (json!({ "query": fine, "variables": [] }).to_string(), 400, "`variables`"),
            (json!({ "query": fine, "operationName": {} }).to_string(), 400, "`operationName`"),
            (json!({ "query": fine, "extensions": "x" }).to_string(), 400, "`extensions`"),
            (json!({ "query": big }).to_string(), 413, "limit"),
        ] {
            let (answered, page) = Events::post_body(&url, body.clone(), headers).await.unwrap_err();
            assert_eq!(answered, status, "{} {page}", &body[..body.len().min(80)]);
            assert!(page.contains(told), "{page}");
        }
    }
}

#[tokio::test]
async fn parameters_mean_the_same_in_a_body_and_in_an_address_and_null_is_nothing() {
    let shop = Shop::open().await;
    let url = store(&shop);
    let query = "query A { a: __typename } query B($first: Int!) { b: products(first: $first) { totalCount } }";
    let in_address =
        [("query", query), ("operationName", "B"), ("variables", "{\"first\":1}"), ("extensions", "{\"x\":1}")];
    let body = json!({ "query": query, "operationName": "B", "variables": { "first": 1 }, "extensions": { "x": 1 } });
    let answers =
        [Events::get_with(&url, &in_address, &[]).await, Events::post_body(&url, body.to_string(), &[]).await];
    for answer in answers {
        assert_eq!(answer.unwrap().next().await, Some(next(None, json!({ "b": { "totalCount": 0 } }))));
    }
    let nothing = [("query", "{ __typename }"), ("operationName", ""), ("variables", "null"), ("extensions", "null")];
    let body = json!({ "query": "{ __typename }", "operationName": null, "variables": null, "extensions": null });
    let mut events = Events::get_with(&url, &nothing, &[]).await.unwrap();
    assert_eq!(events.next().await, Some(next(None, json!({ "__typename": "Query" }))));
    let page = [("accept", "*/*")];
    let (status, answer) = Events::post_body(&url, body.to_string(), &page).await.unwrap_err();
    assert_eq!((status, answer.as_str()), (200, "{\"data\":{\"__typename\":\"Query\"}}"));
}

#[tokio::test]
async fn a_stream_is_for_those_who_want_one() {
    let (shop, placed) = scene().await;
    let url = store(&shop);
    // The third is what clients send that take whatever comes.
    for (accept, query, subscription) in [
        ("text/event-stream", true, true),
        ("Text/Event-Stream;q=0.9, application/json;q=0.1", true, true),
        ("application/graphql-response+json, application/json, text/event-stream, multipart/mixed", false, true),
        ("text/event-stream;q=0.5, */*;q=0.8", false, true),
        ("text/event-stream, application/json", true, true),
        ("application/json", false, false),
        ("text/event-stream;q=0, application/json", false, false),
        ("*/*", false, false),
    ] {
        let streamed = Events::post(&url, "{ __typename }", &[("accept", accept)]).await.is_ok();
        assert_eq!(streamed, query, "a query with {accept}");
        let streamed = Events::post(&url, &watch(&placed, 0), &[("accept", accept)]).await.is_ok();
        assert_eq!(streamed, subscription, "a subscription with {accept}");
    }
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
