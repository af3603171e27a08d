//! What a process shows to those who look after it.

use std::collections::HashMap;

use serde_json::json;

use crate::support::database::TestDatabase;
use crate::support::node::Node;
use crate::support::socket::{PATIENCE, Socket};
use crate::support::walker::{buy, in_stock};

/// The samples of a page, which must keep to the form: each belongs to a name that was introduced before it.
async fn read(url: &str) -> HashMap<String, f64> {
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text().await.unwrap();
    let (mut samples, mut introduced) = (HashMap::new(), (String::new(), String::new()));
    for line in text.lines() {
        if let Some(told) = line.strip_prefix("# TYPE ") {
            let (name, kind) = told.split_once(' ').unwrap();
            introduced = (name.to_owned(), kind.to_owned());
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
        } else if !line.starts_with("# HELP ") {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let name = sample.split('{').next().unwrap();
            let suffixes: &[&str] = if introduced.1 == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(suffixes.iter().any(|suffix| name == format!("{}{suffix}", introduced.0)), "{line}");
            assert!(samples.insert(sample.to_owned(), value.parse().unwrap()).is_none(), "twice: {line}");
        }
    }
    samples
}

#[tokio::test]
async fn requests_are_counted_and_the_shop_s_state_is_told_on_an_address_of_its_own() {
    let database = TestDatabase::empty().await;
    let mut node = Node::start(&database, &["--demo", "--metrics-listen", "127.0.0.1:0"], &[]).await;
    let page = node.process.told("metrics").await;
    let post = async |query: &str| node.store.send(query, json!({})).await;
    for _ in 0..3 {
        post("{ products(first: 2) { nodes { title } } }").await;
    }
    post("{ nonsense }").await;
    let variant = in_stock(&node.store).await;
    let placed = buy(&node.store, &variant, 1).await;
    let socket = Socket::open(&node.store_socket, json!({})).await.unwrap();
    let watch =
        "subscription($id: ID!, $token: String) { orderUpdated(orderId: $id, accessToken: $token) { sequence } }";
    let mut watched = socket.subscribe(watch, json!({ "id": placed.id, "token": placed.token }));
    watched.next(PATIENCE).await;

    let told = read(&page).await;
    let of = |name: &str| told.get(name).copied().unwrap_or_else(|| panic!("{name} is not in {told:#?}"));
    // Besides the three listings, one look for what is in stock; three requests buy.
    let queries = r#"{door="store",kind="query"}"#;
    assert_eq!(of(r#"emporion_requests_total{door="store",kind="query",outcome="done"}"#), 4.0);
    assert_eq!(of(r#"emporion_requests_total{door="store",kind="query",outcome="refused"}"#), 1.0);
    assert_eq!(of(r#"emporion_requests_total{door="store",kind="mutation",outcome="done"}"#), 3.0);
    assert!(of(&format!("emporion_cost_total{queries}")) >= 24.0);
    assert!(of(&format!("emporion_statements_total{queries}")) >= 4.0);
    assert_eq!(of(&format!("emporion_request_duration_seconds_count{queries}")), 5.0);
    assert_eq!(of(r#"emporion_request_duration_seconds_bucket{door="store",kind="query",le="+Inf"}"#), 5.0);
    assert!(of(&format!("emporion_request_duration_seconds_sum{queries}")) > 0.0);
    let under = |bound: &str| {
        of(&format!(r#"emporion_request_duration_seconds_bucket{{door="store",kind="query",le="{bound}"}}"#))
    };
    assert!(under("0.001") <= under("0.1") && under("0.1") <= under("10"));
    assert_eq!(of("emporion_sockets"), 1.0);
    assert_eq!(of(r#"emporion_subscriptions{door="store"}"#), 1.0);
    assert!(of("emporion_event_log_position") > 30.0);
    assert_eq!(of("emporion_database_up"), 1.0);
    assert_eq!(of(r#"emporion_jobs{state="waiting"}"#), 0.0);
    assert!(told.contains_key("emporion_event_log_waiting") && told.contains_key("emporion_event_log_lag_seconds"));
    assert!(told.contains_key(r#"emporion_mail{state="waiting"}"#));
    assert!(told.keys().any(|name| name.starts_with("emporion_database_connections{")));
    assert!(of("process_resident_memory_bytes") > 1e6);
    assert_eq!(of(&format!(r#"emporion_build_info{{version="{}"}}"#, env!("CARGO_PKG_VERSION"))), 1.0);

    drop(watched);
    socket.cut();
    crate::support::buying::eventually("the socket has gone", async || {
        let told = read(&page).await;
        told["emporion_sockets"] == 0.0 && told[r#"emporion_subscriptions{door="store"}"#] == 0.0
    })
    .await;

    let shop = node.store_url.replace("/store/graphql", "/metrics");
    assert_eq!(reqwest::get(shop).await.unwrap().status(), 404, "shoppers' address does not tell");
    let doors = page.replace("/metrics", "/store/graphql");
    assert_eq!(reqwest::get(doors).await.unwrap().status(), 404);
    assert!(node.process.terminate().await.success());
}

#[tokio::test]
async fn a_worker_tells_how_the_shop_stands() {
    let database = TestDatabase::copy().await;
    Node::start(&database, &[], &[]).await.process.terminate().await;
    let address = database.address();
    let arguments = ["worker", "--metrics-listen", "127.0.0.1:0", "--database-url", address.as_str()];
    let mut worker = crate::support::node::Process::start(&arguments, &[]);
    let page = worker.told("metrics").await;
    assert_eq!(read(&page).await["emporion_database_up"], 1.0);
    assert!(worker.terminate().await.success());
}
