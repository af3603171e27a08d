//! What the process says of its requests: a line, an id, and nothing of who asks.

use serde_json::{Value, json};

use crate::support::buying::eventually;
use crate::support::database::TestDatabase;
use crate::support::events::Events;
use crate::support::log::{found_while, leak, plant};
use crate::support::node::{Node, TASK_ENDED};
use crate::support::socket::{PATIENCE, Socket};
use crate::support::walker::{buy, in_stock};
use crate::support::wire::Wire;

const HEADER: &str = "x-request-id";

async fn node(variables: &[(&str, &str)]) -> (TestDatabase, Node) {
    let database = TestDatabase::empty().await;
    let node = Node::start(&database, &["--demo"], variables).await;
    (database, node)
}

/// The id that a record belongs to.
fn id(record: &Value) -> String {
    record["spans"][0]["id"].as_str().unwrap_or_default().to_owned()
}

/// The lines of requests whose id begins so, once there are as many.
async fn lines(node: &Node, begin: &str, count: usize) -> Vec<Value> {
    let found = || {
        let mut lines = node.process.logged("request");
        lines.retain(|line| id(line).starts_with(begin));
        lines
    };
    eventually(&format!("{count} lines of {begin}"), async || found().len() >= count).await;
    // One more would come at once.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let lines = found();
    assert_eq!(lines.len(), count, "{lines:?}");
    lines
}

/// What a line says, but for its times.
fn told(line: &Value) -> Value {
    let mut told = line.clone();
    assert!(told["ms"].as_f64().is_some_and(|ms| ms > 0.0), "{line}");
    for time in ["timestamp", "target", "ms", "spans", "message"] {
        told.as_object_mut().unwrap().remove(time);
    }
    told
}

async fn posted(url: &str, id: &str, body: Value) -> (u16, String, Value) {
    let mut request = reqwest::Client::new().post(url).json(&body);
    if !id.is_empty() {
        request = request.header(HEADER, id);
    }
    let answer = request.send().await.unwrap();
    let (status, id) = (answer.status().as_u16(), answer.headers()[HEADER].to_str().unwrap().to_owned());
    (status, id, answer.json().await.unwrap())
}

#[tokio::test]
async fn each_request_has_one_line_and_one_id_on_every_transport() {
    let (_database, node) = node(&[]).await;
    let named = json!({ "query": "query Names { products(first: 2) { nodes { title } } }" });
    assert_eq!(posted(&node.store_url, "page-1", named).await.1, "page-1");
    let line = &lines(&node, "page-1", 1).await[0];
    let expected = json!({
        "level": "INFO", "door": "store", "kind": "query", "operation": "Names", "cost": 10, "statements": 1,
        "messages": 1, "status": 200, "outcome": "done", "errors": 0,
    });
    assert_eq!(told(line), expected);

    posted(&node.store_url, "page-2", json!({ "query": "{ nonsense }" })).await;
    let line = told(&lines(&node, "page-2", 1).await[0]);
    assert_eq!(
        (&line["outcome"], &line["errors"], &line["code"]),
        (&json!("refused"), &json!(1), &json!("DOCUMENT_INVALID"))
    );
    posted(&node.store_url, "page-3", json!({ "query": 7 })).await;
    let line = told(&lines(&node, "page-3", 1).await[0]);
    assert_eq!((&line["kind"], &line["status"], &line["outcome"]), (&json!("other"), &json!(400), &json!("refused")));
    let long = format!("query {} {{ __typename }}", "N".repeat(200));
    posted(&node.store_url, "page-4", json!({ "query": long })).await;
    assert_eq!(lines(&node, "page-4", 1).await[0]["operation"], "N".repeat(64));

    // What could be anything is no id.
    for bad in ["ada@example.com", "two words", "a/b", &"9".repeat(65)] {
        let made = posted(&node.store_url, bad, json!({ "query": "{ __typename }" })).await.1;
        assert_ne!(made, bad);
        assert_eq!(made.len(), 36, "{made}");
        lines(&node, &made, 1).await;
    }

    let origin = node.store_url.replace("/store/graphql", "");
    let asked = reqwest::Client::new().get(format!("{origin}/uploads/nothing")).header(HEADER, "page-5");
    asked.send().await.unwrap();
    let line = told(&lines(&node, "page-5", 1).await[0]);
    assert_eq!((&line["door"], &line["status"]), (&json!("upload"), &json!(405)), "no path is told: it holds a token");

    let mut events = Events::post(&node.store_url, "query Once { __typename }", &[(HEADER, "page-6")]).await.unwrap();
    while events.next().await.is_some() {}
    let line = told(&lines(&node, "page-6", 1).await[0]);
    assert_eq!((&line["kind"], &line["operation"], &line["messages"]), (&json!("query"), &json!("Once"), &json!(1)));
}

#[tokio::test]
async fn each_operation_of_a_socket_has_a_line_of_its_own_and_the_socket_has_one() {
    let (_database, node) = node(&[]).await;
    let variant = in_stock(&node.store).await;
    let placed = buy(&node.store, &variant, 1).await;
    let headers = [("sec-websocket-protocol", "graphql-transport-ws"), (HEADER, "sock-1")];
    let mut wire = Wire::connect(&node.store_socket, &headers).await.unwrap();
    wire.say(json!({ "type": "connection_init" })).await;
    wire.hear().await;
    let query = json!({ "query": "query Shop { __typename }" });
    wire.say(json!({ "type": "subscribe", "id": "a", "payload": query })).await;
    assert_eq!([wire.hear().await["type"].clone(), wire.hear().await["type"].clone()], ["next", "complete"]);
    let watch = format!(
        "subscription Live {{ orderUpdated(orderId: {:?}, accessToken: {:?}, afterSequence: 0) {{ sequence }} }}",
        placed.id, placed.token
    );
    wire.say(json!({ "type": "subscribe", "id": "b", "payload": { "query": watch } })).await;
    for _ in 0..2 {
        assert_eq!(wire.hear().await["type"], "next");
    }
    wire.say(json!({ "type": "complete", "id": "b" })).await;
    let operations = lines(&node, "sock-1.", 2).await;
    let shape = |line: &Value| (line["kind"].clone(), line["operation"].clone(), line["messages"].clone());
    assert_eq!(shape(&operations[0]), (json!("query"), json!("Shop"), json!(1)));
    assert_eq!(shape(&operations[1]), (json!("subscription"), json!("Live"), json!(2)));
    assert_eq!(operations.iter().map(id).collect::<Vec<_>>(), ["sock-1.1", "sock-1.2"]);
    wire.say(json!({ "type": "subscribe", "payload": {} })).await;
    assert_eq!(wire.closed().await.0, 4400);
    drop(wire);
    let line = lines(&node, "sock-1", 3).await.pop().unwrap();
    assert_eq!((id(&line).as_str(), &line["kind"], &line["status"]), ("sock-1", &json!("socket"), &json!(4400)));
}

#[tokio::test]
async fn a_panic_ends_its_request_and_nothing_else() {
    let (_database, mut node) = node(&[("EMPORION_FAILPOINT", "panic:operation.Boom")]).await;
    let boom = json!({ "query": "query Boom { __typename }" });
    let fine = json!({ "query": "query Fine { __typename }" });
    let (status, asked, body) = posted(&node.store_url, "boom-1", boom.clone()).await;
    let extensions = json!({ "code": "INTERNAL", "id": "boom-1" });
    assert_eq!((status, asked.as_str()), (500, "boom-1"));
    assert_eq!(
        body,
        json!({ "errors": [{ "message": "Something went wrong on our side.", "extensions": extensions }] })
    );
    assert_eq!(posted(&node.store_url, "", fine.clone()).await.0, 200);
    let line = told(&lines(&node, "boom-1", 1).await[0]);
    assert_eq!((&line["status"], &line["outcome"]), (&json!(500), &json!("failed")));

    // On a socket the operation ends; the others, and those that follow, go on.
    let socket = Socket::open(&node.store_socket, json!({})).await.unwrap();
    let mut boomed = socket.subscribe("query Boom { __typename }", json!({}));
    let told = boomed.first(PATIENCE).await.unwrap();
    assert_eq!(told["errors"][0]["extensions"]["code"], "INTERNAL");
    let operation = told["errors"][0]["extensions"]["id"].as_str().unwrap().to_owned();
    assert!(operation.ends_with(".1"), "{operation}");
    let mut after = socket.subscribe("query Fine { __typename }", json!({}));
    assert_eq!(after.next(PATIENCE).await, "Query");
    lines(&node, &operation, 1).await;

    let mut events = Events::post(&node.store_url, "query Boom { __typename }", &[(HEADER, "boom-2")]).await;
    // It panics before its first event: that is a page.
    match &mut events {
        Ok(events) => panic!("a stream: {:?}", events.next().await),
        Err((status, _)) => assert_eq!(*status, 500),
    }

    // The record says where, in the request that it was, and not with what.
    eventually("three records", async || node.process.logged("a panic").len() >= 3).await;
    let panics = node.process.logged("a panic");
    assert_eq!(panics.len(), 3, "{panics:?}");
    assert_eq!(id(&panics[0]), "boom-1");
    assert_eq!(id(&panics[1]), operation);
    for panic in &panics {
        assert!(panic["place"].as_str().unwrap().starts_with("engine/src/failpoint.rs:"), "{panic}");
        assert_eq!(panic["says"], "what it says is not logged");
    }
    assert!(node.process.terminate().await.success());
}

#[tokio::test]
async fn a_panic_in_a_message_ends_its_subscription_alone() {
    let (_database, node) = node(&[("EMPORION_FAILPOINT", "panic:message.Boom")]).await;
    let variant = in_stock(&node.store).await;
    let placed = buy(&node.store, &variant, 1).await;
    let watch = |name: &str| {
        let arguments = format!("orderId: {:?}, accessToken: {:?}, afterSequence: 0", placed.id, placed.token);
        format!("subscription {name} {{ orderUpdated({arguments}) {{ sequence }} }}")
    };
    let socket = Socket::open(&node.store_socket, json!({})).await.unwrap();
    let mut fine = socket.subscribe(&watch("Fine"), json!({}));
    let mut boom = socket.subscribe(&watch("Boom"), json!({}));
    assert_eq!(boom.error().await.0, "INTERNAL");
    for sequence in [1, 2] {
        assert_eq!(fine.next(PATIENCE).await["sequence"], sequence);
    }
    let mut events = Events::post(&node.store_url, &watch("Boom"), &[(HEADER, "boom-3")]).await.unwrap();
    let told = events.next().await.unwrap();
    assert_eq!((told.kind.as_str(), &told.data["errors"][0]["extensions"]["id"]), ("next", &json!("boom-3")));
    assert_eq!(events.next().await.map(|event| event.kind), Some("complete".to_owned()));
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn a_panic_in_an_op_undoes_it_and_the_next_one_finds_the_database_free() {
    let (_database, mut node) = node(&[("EMPORION_FAILPOINT", "panic-once:op.cart.create")]).await;
    let create = json!({ "query": "mutation { cartCreate(input: {}) { cart { id } userErrors { code } } }" });
    let (status, _, body) = posted(&node.store_url, "boom-4", create.clone()).await;
    assert_eq!((status, &body["errors"][0]["extensions"]["id"]), (500, &json!("boom-4")), "{body}");
    let (status, _, body) = posted(&node.store_url, "", create).await;
    assert_eq!((status, &body["data"]["cartCreate"]["userErrors"]), (200, &json!([])), "{body}");
    let owner = node.owner().await;
    assert!(owner.send("{ me { id } }", json!({})).await.at("me.id").is_string());
}

#[tokio::test]
async fn a_task_that_panics_begins_anew() {
    let (_database, mut node) = node(&[("EMPORION_FAILPOINT", "panic:sweeper.sweep")]).await;
    eventually("two panics", async || node.process.logged(TASK_ENDED).len() >= 2).await;
    assert!(node.process.logged(TASK_ENDED).iter().all(|record| record["task"] == "sweeper"));
    let owner = node.owner().await;
    let variant = in_stock(&node.store).await;
    let placed = buy(&node.store, &variant, 1).await;
    // The relay and the reader are other tasks.
    let feed = Socket::open(&node.admin_socket, json!({ "Authorization": owner.credential() })).await.unwrap();
    let mut feed = feed.subscribe("subscription { orderEvents { order { id } } }", json!({}));
    crate::support::walker::pack_and_unpack(&owner, &placed.id).await;
    assert_eq!(feed.next(PATIENCE).await["order"]["id"], json!(placed.id));
    assert!(node.process.terminate().await.success());
}

#[test]
fn what_a_database_complains_of_is_told_without_values() {
    let told = |text: &str| engine::error::Error::from(sea_orm::DbErr::Custom(text.to_owned())).to_string();
    let said = told(r#"invalid input syntax for type integer: "ada@example.com""#);
    assert_eq!(said, r#"database: Custom Error: invalid input syntax for type integer: "…""#);
    assert_eq!(told("near 'it"), "database: Custom Error: near '…'");
    assert_eq!(told("database is locked"), "database: Custom Error: database is locked");
}

#[test]
fn what_has_no_place_in_a_record_is_found() {
    plant("hVx0-planted_secret77");
    for record in [
        "login of ada@example.com",
        "to=\"Ada <ada.l+news@mail.shop.example>\"",
        "password: correct horse battery",
        "sent to Marker Street 7",
        "Bearer eyJhbGciOi",
        "card 4242424242424242",
        "token=hVx0-planted_secret77,",
    ] {
        assert!(leak(record).is_some(), "{record}");
    }
    for record in [
        "postgres://emporion@127.0.0.1:5432/shop",
        "prod_01hzy9 title",
        "hVx0-planted_secret7",
        "an order of example.com",
    ] {
        assert_eq!(leak(record), None, "{record}");
    }
}

#[test]
fn what_is_logged_on_purpose_is_found_at_every_level_and_in_spans() {
    let found = found_while(|| {
        tracing::trace!(target: "engine::made_up", mailbox = "ada@example.com", "a mail");
        let _span = tracing::debug_span!(target: "emporion::made_up", "login", password = "correct horse").entered();
        tracing::info!(target: "engine::made_up", "harmless but for where it stands");
        // What libraries say at their lower levels is not written at all.
        tracing::debug!(target: "sqlx::query", "select 'correct horse'");
        tracing::trace!(target: "tungstenite::protocol", "ada@example.com");
    });
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("a mailbox at example.com"));
    assert!(found[1].starts_with("correct horse"));
}
