//! The websocket by the text of its protocol, and who may open one.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use domain::auth::{ActorKind, OWNER, Surface};
use emporion::http::gate::{Edge, Gate};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::Shop;
use crate::support::socket::PATIENCE;
use crate::support::walker::{buy, pack, stocked};
use crate::support::wire::{MODERN, Wire};

fn store(shop: &Shop) -> String {
    format!("ws://{}/store/graphql", shop.address)
}

fn admin(shop: &Shop) -> String {
    format!("ws://{}/admin/graphql", shop.address)
}

fn init(token: &str) -> Value {
    json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } })
}

fn subscribe(id: &str, query: &str) -> Value {
    json!({ "id": id, "type": "subscribe", "payload": { "query": query } })
}

/// A subscription that waits for the first event of an order that has been placed.
async fn waiting(shop: &Shop) -> String {
    shop.europe(&["DE"], true).await;
    let variant = stocked(shop, "Rake", 5).await;
    let placed = buy(&shop.store, &variant, 1).await;
    format!(
        "subscription {{ orderUpdated(orderId: {:?}, accessToken: {:?}, afterSequence: 2) {{ sequence }} }}",
        placed.id, placed.token
    )
}

#[tokio::test]
async fn a_client_that_does_not_introduce_itself_is_let_go() {
    let shop = Shop::open().await;
    let mut wire = Wire::open(&store(&shop)).await;
    let began = Instant::now();
    assert_eq!(wire.closed().await, (4408, "Connection initialisation timeout".to_owned()));
    assert!((2_500..6_000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    // Pings don't buy time.
    let mut wire = Wire::open(&store(&shop)).await;
    wire.say(json!({ "type": "ping" })).await;
    assert_eq!(wire.hear().await, json!({ "type": "pong" }));
    assert_eq!(wire.closed().await.0, 4408);
}

#[tokio::test]
async fn what_is_no_message_of_the_protocol_is_named_and_ends_the_connection() {
    let shop = Shop::open().await;
    let url = store(&shop);
    let fine = json!({ "query": "{ __typename }" });
    for text in [
        "nonsense".to_owned(),
        "[]".to_owned(),
        "7".to_owned(),
        json!({}).to_string(),
        json!({ "type": 7 }).to_string(),
        json!({ "type": "nonsense" }).to_string(),
        json!({ "type": "start", "id": "1", "payload": fine }).to_string(),
        json!({ "type": "connection_init", "payload": "x" }).to_string(),
        json!({ "type": "ping", "payload": 1 }).to_string(),
        json!({ "type": "pong", "payload": [] }).to_string(),
        json!({ "type": "subscribe", "payload": fine }).to_string(),
        json!({ "type": "subscribe", "id": 1, "payload": fine }).to_string(),
        json!({ "type": "subscribe", "id": "", "payload": fine }).to_string(),
        json!({ "type": "subscribe", "id": "x".repeat(257), "payload": fine }).to_string(),
        json!({ "type": "subscribe", "id": "1" }).to_string(),
        json!({ "type": "subscribe", "id": "1", "payload": "{ __typename }" }).to_string(),
        json!({ "type": "subscribe", "id": "1", "payload": {} }).to_string(),
        json!({ "type": "subscribe", "id": "1", "payload": { "query": 1 } }).to_string(),
        json!({ "type": "subscribe", "id": "1", "payload": { "query": "{a}", "variables": "{}" } }).to_string(),
        json!({ "type": "subscribe", "id": "1", "payload": { "query": "{a}", "operationName": 1 } }).to_string(),
        json!({ "type": "subscribe", "id": "1", "payload": { "query": "{a}", "extensions": [] } }).to_string(),
        json!({ "type": "complete" }).to_string(),
    ] {
        for acknowledged in [false, true] {
            let mut wire = if acknowledged { Wire::acknowledged(&url).await } else { Wire::open(&url).await };
            wire.send(Message::text(text.clone())).await;
            let (code, reason) = wire.closed().await;
            assert_eq!(code, 4400, "{text} {reason}");
            assert!(reason.starts_with("Invalid message: "), "{text} {reason}");
        }
    }
    let mut wire = Wire::acknowledged(&url).await;
    wire.send(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(wire.closed().await.0, 4400);
}

#[tokio::test]
async fn what_can_t_be_read_on_is_named() {
    let shop = Shop::open().await;
    let url = store(&shop);
    let ping = |length: usize| {
        let bare = json!({ "type": "ping", "payload": { "x": "" } }).to_string().len();
        Message::text(json!({ "type": "ping", "payload": { "x": "x".repeat(length - bare) } }).to_string())
    };
    for acknowledged in [false, true] {
        let open = async || if acknowledged { Wire::acknowledged(&url).await } else { Wire::open(&url).await };
        let mut wire = open().await;
        wire.send(ping(128 * 1024)).await;
        assert_eq!(wire.hear().await["type"], "pong");
        wire.send(ping(128 * 1024 + 1)).await;
        assert_eq!(wire.closed().await.0, 1009, "a client's library must not send it again");
        let mut wire = open().await;
        let latin = Frame::message(vec![b'"', 0xe9, b'"'], OpCode::Data(Data::Text), true);
        wire.send(Message::Frame(latin)).await;
        assert_eq!(wire.closed().await.0, 1007);
        let mut wire = open().await;
        let mut reserved = Frame::message(vec![b'7'], OpCode::Data(Data::Text), true);
        reserved.header_mut().rsv1 = true;
        wire.send(Message::Frame(reserved)).await;
        assert_eq!(wire.closed().await.0, 1002);
    }
}

#[tokio::test]
async fn a_client_s_goodbye_is_answered() {
    let shop = Shop::open().await;
    let url = store(&shop);
    for acknowledged in [false, true] {
        let mut wire = if acknowledged { Wire::acknowledged(&url).await } else { Wire::open(&url).await };
        let goodbye = CloseFrame { code: CloseCode::Normal, reason: "Normal Closure".into() };
        wire.send(Message::Close(Some(goodbye))).await;
        assert_eq!(wire.closed().await.0, 1000);
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_no_reason_to_give_up() {
    let shop = Shop::open().await;
    let token = shop.session(ActorKind::Customer, Uuid::now_v7(), Surface::Store).await;
    shop.app.db.close().await;
    let mut wire = Wire::open(&store(&shop)).await;
    wire.say(init(&token)).await;
    assert_eq!(wire.closed().await.0, 1013, "1011 would be final");
}

#[tokio::test]
async fn the_order_of_the_first_messages_is_held() {
    let shop = Shop::open().await;
    let url = store(&shop);
    let mut wire = Wire::open(&url).await;
    wire.say(subscribe("1", "{ __typename }")).await;
    assert_eq!(wire.closed().await, (4401, "Unauthorized".to_owned()));
    let mut wire = Wire::acknowledged(&url).await;
    wire.say(json!({ "type": "connection_init" })).await;
    assert_eq!(wire.closed().await, (4429, "Too many initialisation requests".to_owned()));
    // At once, without waiting for the acknowledgement.
    let mut wire = Wire::open(&url).await;
    wire.say(json!({ "type": "connection_init" })).await;
    wire.say(json!({ "type": "connection_init" })).await;
    assert_eq!(wire.hear().await["type"], "connection_ack");
    assert_eq!(wire.closed().await.0, 4429);
}

#[tokio::test]
async fn another_subprotocol_is_not_spoken() {
    let shop = Shop::open().await;
    let mut wire = Wire::connect(&store(&shop), &[]).await.unwrap();
    assert_eq!(wire.closed().await, (4406, "Subprotocol not acceptable".to_owned()));
}

#[tokio::test]
async fn an_id_belongs_to_one_operation_until_it_ends() {
    let shop = Shop::open().await;
    let query = waiting(&shop).await;
    let mut wire = Wire::acknowledged(&store(&shop)).await;
    wire.say(subscribe("live", &query)).await;
    wire.say(json!({ "id": "live", "type": "complete" })).await;
    wire.say(subscribe("live", "{ __typename }")).await;
    assert_eq!(
        wire.hear().await,
        json!({ "id": "live", "type": "next", "payload": { "data": { "__typename": "Query" } } })
    );
    assert_eq!(wire.hear().await, json!({ "id": "live", "type": "complete" }));
    // To end what is unknown or over is no fault.
    wire.say(json!({ "id": "live", "type": "complete" })).await;
    wire.say(json!({ "id": "other", "type": "complete" })).await;
    wire.say(subscribe("live", &query)).await;
    wire.say(subscribe("live", &query)).await;
    assert_eq!(wire.closed().await, (4409, "Subscriber for live already exists".to_owned()));
}

#[tokio::test]
async fn queries_and_mutations_run_and_refused_documents_are_errors() {
    let shop = Shop::open().await;
    let mut wire = Wire::acknowledged(&store(&shop)).await;
    let mutation = "mutation { cartCreate(input: {}) { cart { quantity: totalQuantity } userErrors { code } } }";
    wire.say(subscribe("m", mutation)).await;
    let made = wire.hear().await;
    assert_eq!((&made["id"], &made["type"]), (&json!("m"), &json!("next")), "{made}");
    assert_eq!(wire.hear().await, json!({ "id": "m", "type": "complete" }));
    for (query, told) in [
        ("{", ""),
        ("{ nonsense }", "nonsense"),
        ("query A { __typename } query B { __typename }", "operationName"),
        ("subscription { nonsense }", "nonsense"),
        ("subscription { __typename }", "introspection"),
        ("subscription { a: orderUpdated(orderId: \"x\") { sequence } b: orderUpdated(orderId: \"x\") { sequence } }",
            "exactly one field"),
        ("subscription { ...A ...A } fragment A on Subscription { a: orderUpdated(orderId: \"x\") { sequence } ...B }
            fragment B on Subscription { ... { b: orderUpdated(orderId: \"x\") { sequence } } }", "exactly one field"),
    ] {
        wire.say(subscribe("q", query)).await;
        let refused = wire.hear().await;
        assert_eq!((&refused["id"], &refused["type"]), (&json!("q"), &json!("error")), "{query} {refused}");
        let message = refused["payload"][0]["message"].as_str().unwrap();
        assert!(!message.is_empty() && message.contains(told), "{query} {message}");
    }
    // Nothing more comes of what was refused, and the connection goes on.
    wire.say(json!({ "type": "ping", "payload": { "n": 7 } })).await;
    assert_eq!(wire.hear().await, json!({ "type": "pong", "payload": { "n": 7 } }));
    // The spelling of one field in several places is one field.
    let query = waiting(&shop).await;
    let field = query.split_once('{').unwrap().1.rsplit_once('}').unwrap().0;
    let spelled = format!("subscription {{ ...F {field} }} fragment F on Subscription {{ {field} }}");
    wire.say(subscribe("s", &spelled)).await;
    assert!(wire.is_silent().await);
}

#[tokio::test]
async fn a_connection_runs_so_many_operations_at_once() {
    let shop = Shop::open().await;
    let query = waiting(&shop).await;
    let mut wire = Wire::acknowledged(&store(&shop)).await;
    for id in 0..32 {
        wire.say(subscribe(&id.to_string(), &query)).await;
    }
    wire.say(subscribe("one more", &query)).await;
    let refused = wire.hear().await;
    assert_eq!((&refused["id"], &refused["type"]), (&json!("one more"), &json!("error")));
    assert_eq!(refused["payload"][0]["extensions"]["code"], "TOO_MANY");
    wire.say(json!({ "id": "7", "type": "complete" })).await;
    wire.say(subscribe("one more", "{ __typename }")).await;
    assert_eq!(wire.hear().await["type"], "next");
}

#[tokio::test]
async fn credentials_open_what_they_are_for_and_nothing_when_they_end() {
    let shop = Shop::open().await;
    let customer = shop.session(ActorKind::Customer, Uuid::now_v7(), Surface::Store).await;
    for (url, token) in [(admin(&shop), customer.as_str()), (store(&shop), "nonsense"), (admin(&shop), "nonsense")] {
        let mut wire = Wire::open(&url).await;
        wire.say(init(token)).await;
        assert_eq!(wire.closed().await, (4403, "This needs a credential.".to_owned()));
    }
    let mut wire = Wire::open(&store(&shop)).await;
    wire.say(json!({ "type": "connection_init", "payload": { "x-region": "atlantis" } })).await;
    assert_eq!(wire.closed().await, (4400, "There is no such region.".to_owned()));
}

#[tokio::test]
async fn a_revoked_key_ends_its_socket_within_a_minute() {
    let shop = Shop::open().await;
    let made = shop.set("apiKeyCreate", json!({ "title": "Screen", "role": "viewer" }), "secret apiKey { id }").await;
    let made = made.done();
    let mut wire = Wire::open(&admin(&shop)).await;
    wire.say(init(made["secret"].as_str().unwrap())).await;
    assert_eq!(wire.hear().await["type"], "connection_ack");
    shop.set("apiKeyRevoke", json!({ "id": made["apiKey"]["id"] }), "apiKey { id }").await.done();
    let revoked = Instant::now();
    let closed = tokio::time::timeout(Duration::from_secs(60), wire.closed()).await.expect("within a minute");
    assert_eq!(closed, (4403, "This needs a credential.".to_owned()));
    assert!(revoked.elapsed() > Duration::from_secs(1));
}

#[tokio::test]
async fn a_token_that_expires_ends_its_socket_within_a_minute() {
    let shop = Shop::open().await;
    let placed = waiting(&shop).await;
    let ada = shop.customer("ada@shopper.example").await;
    let mut sockets = Vec::new();
    for (url, credential) in [(store(&shop), ada.client.credential()), (admin(&shop), shop.admin.credential())] {
        let mut wire = Wire::open(&url).await;
        wire.say(json!({ "type": "connection_init", "payload": { "Authorization": credential } })).await;
        assert_eq!(wire.hear().await["type"], "connection_ack");
        sockets.push(wire);
    }
    // What it was told does not keep it open: the guest's link outlives the token with which it came.
    sockets[0].say(subscribe("1", &placed.replace(", afterSequence: 2", ""))).await;
    assert_eq!(sockets[0].hear().await["type"], "next");
    shop.pass(chrono::TimeDelta::minutes(16));
    for wire in &mut sockets {
        let closed = tokio::time::timeout(Duration::from_secs(60), wire.closed()).await.expect("within a minute");
        assert_eq!(closed.0, 4403, "{}", closed.1);
    }
}

#[tokio::test]
async fn pages_of_other_origins_open_no_socket() {
    let shop = Shop::open().await;
    let origin = |origin: &'static str| {
        let url = store(&shop);
        async move { Wire::connect(&url, &[("sec-websocket-protocol", MODERN), ("origin", origin)]).await.map(drop) }
    };
    for foreign in ["https://evil.example", "null", "nonsense", "http://127.0.0.1", "https://shop.example.evil.example"]
    {
        assert_eq!(origin(foreign).await, Err(403), "{foreign}");
    }
    let own: &'static str = format!("http://{}", shop.address).leak();
    assert_eq!(origin(own).await, Ok(()));
    assert_eq!(origin("https://shop.example").await, Err(403));
    let channel = shop.admin.send("{ channels { id version } }", json!({})).await.at("channels")[0].clone();
    let input = json!({ "id": channel["id"], "expectedVersion": channel["version"],
        "storefrontUrl": "https://shop.example/de/" });
    shop.set("channelUpdate", input, "channel { id }").await.done();
    assert_eq!(origin("https://shop.example").await, Ok(()));
    assert_eq!(origin("http://shop.example").await, Err(403), "another scheme is another origin");
}

#[tokio::test]
async fn one_address_has_so_many_connections() {
    let shop = Shop::open().await;
    let edge =
        Edge { sockets_per_address: 3, trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()], ..Edge::default() };
    let stop = CancellationToken::new();
    let address = shop.served_at(Gate::new(edge, stop.clone())).await;
    let url = format!("ws://{address}/store/graphql");
    let from = |forwarded: &'static str| {
        let url = url.clone();
        async move { Wire::connect(&url, &[("sec-websocket-protocol", MODERN), ("x-forwarded-for", forwarded)]).await }
    };
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(from("203.0.113.7").await.unwrap());
    }
    assert_eq!(from("203.0.113.7").await.map(drop), Err(429));
    // What a client says of itself counts for nothing: the proxy's word is the last one.
    assert_eq!(from("198.51.100.1, 203.0.113.7").await.map(drop), Err(429));
    assert_eq!(from("203.0.113.7, 198.51.100.1").await.map(drop), Ok(()));
    held.pop();
    let mut again = from("203.0.113.7").await;
    let began = Instant::now();
    while again.is_err() && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(20)).await;
        again = from("203.0.113.7").await;
    }
    assert!(again.is_ok(), "a place that was left is free");
    stop.cancel();
}

#[tokio::test]
async fn a_server_that_goes_says_goodbye() {
    let shop = Shop::open().await;
    let query = waiting(&shop).await;
    let stop = CancellationToken::new();
    let address: SocketAddr = shop.served_at(Gate::new(Edge::default(), stop.clone())).await;
    let url = format!("ws://{address}/store/graphql");
    let (mut new, mut busy) = (Wire::open(&url).await, Wire::acknowledged(&url).await);
    busy.say(subscribe("1", &query)).await;
    assert!(busy.is_silent().await);
    stop.cancel();
    for wire in [&mut new, &mut busy] {
        assert_eq!(wire.closed().await, (1001, "The server goes: connect again".to_owned()));
    }
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_let_go_and_others_lose_nothing() {
    let shop = Shop::open().await;
    let query = waiting(&shop).await;
    let mut stuck = Wire::acknowledged(&store(&shop)).await;
    // More than the network holds for a reader that never reads.
    let big = "x".repeat(100_000);
    let began = Instant::now();
    let flood = async {
        for id in 0.. {
            let echo = json!({ "type": "ping", "payload": { "n": id, "big": big } });
            use futures_util::SinkExt;
            if stuck.0.send(Message::text(echo.to_string())).await.is_err() {
                return;
            }
        }
    };
    let other = async {
        let mut wire = Wire::acknowledged(&store(&shop)).await;
        wire.say(subscribe("1", &query)).await;
        let order = query.split('"').nth(1).unwrap();
        pack(&shop.staff(OWNER).await, order).await;
        assert_eq!(wire.hear().await["payload"]["data"]["orderUpdated"]["sequence"], 3);
    };
    let (ended, ()) = tokio::join!(tokio::time::timeout(PATIENCE * 2, flood), other);
    assert!(ended.is_ok(), "the server lets go");
    assert!(began.elapsed() >= Duration::from_secs(9), "not before it has waited: {:?}", began.elapsed());
}

#[tokio::test]
async fn the_older_subprotocol_is_spoken_where_the_operator_says_so() {
    let shop = Shop::open().await;
    let legacy = [("sec-websocket-protocol", "graphql-ws")];
    assert_eq!(Wire::connect(&store(&shop), &legacy).await.map(drop), Err(101));
    let stop = CancellationToken::new();
    let edge = Edge { legacy_sockets: true, ..Edge::default() };
    let url = format!("ws://{}/store/graphql", shop.served_at(Gate::new(edge, stop.clone())).await);
    let start = json!({ "id": "1", "type": "start", "payload": { "query": "{ __typename }" } });
    let mut wire = Wire::connect(&url, &legacy).await.unwrap();
    wire.say(start.clone()).await;
    assert_eq!(wire.closed().await.0, 4401, "nothing runs before the introduction");
    let mut wire = Wire::connect(&url, &legacy).await.unwrap();
    wire.say(init("nonsense")).await;
    let told = json!({ "type": "connection_error", "payload": { "message": "This needs a credential." } });
    assert_eq!(wire.hear().await, told);
    assert_eq!(wire.closed().await.0, 4403);
    let mut wire = Wire::connect(&url, &legacy).await.unwrap();
    wire.say(json!({ "type": "connection_init", "payload": {} })).await;
    assert_eq!(wire.hear().await, json!({ "type": "connection_ack" }));
    wire.say(start).await;
    assert_eq!(
        wire.hear().await,
        json!({ "id": "1", "type": "data", "payload": { "data": { "__typename": "Query" } } })
    );
    assert_eq!(wire.hear().await, json!({ "id": "1", "type": "complete" }));
    let wrong = json!({ "id": "2", "type": "start", "payload": { "query": "{ nonsense }" } });
    wire.say(wrong).await;
    let refused = wire.hear().await;
    assert!(refused["type"] == "error" && refused["payload"]["message"].is_string(), "{refused}");
    stop.cancel();
}
