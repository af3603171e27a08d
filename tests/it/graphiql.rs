//! The page on which operations are tried.

use std::collections::HashMap;

use emporion::http::graphiql::{Example, examples};
use serde_json::{Map, Value, json};

use crate::support::client::{Client, pick};
use crate::support::database::TestDatabase;
use crate::support::node::Node;
use crate::support::socket::{PATIENCE, Socket};

/// Runs an example, and before it those that it needs something from; answers with its data.
async fn run(client: &Client, socket: &Socket, all: &[Example], name: &str, given: &Value) -> Value {
    let example = all.iter().find(|example| example.name == name).unwrap_or_else(|| panic!("no example {name}"));
    let mut variables = example.variables.as_object().unwrap().clone();
    variables.extend(given.as_object().unwrap().clone());
    let mut answered: HashMap<&str, Value> = HashMap::new();
    for need in &example.needs {
        if !answered.contains_key(need.from.as_str()) {
            let data = Box::pin(run(client, socket, all, &need.from, &json!({}))).await;
            answered.insert(&need.from, data);
        }
        variables.insert(need.variable.clone(), pick(&answered[need.from.as_str()], &need.path));
    }
    let variables = Value::Object(variables);
    if example.query.starts_with("subscription") {
        // What has no present state to tell begins with the next change.
        let first = socket.subscribe(&example.query, variables).first(PATIENCE / 30).await.unwrap_or_default();
        assert_eq!(first["errors"], Value::Null, "{name}: {first}");
        return first;
    }
    let answer = client.send(&example.query, variables).await;
    let data = answer.body["data"].clone();
    assert_eq!(answer.body["errors"], Value::Null, "{name}: {}", answer.body);
    for payload in data.as_object().unwrap().values() {
        let refusals = payload.get("userErrors").cloned().unwrap_or(json!([]));
        assert_eq!(refusals, json!([]), "{name}");
    }
    data
}

#[tokio::test]
async fn every_example_runs_on_the_demo_shop() {
    let database = TestDatabase::empty().await;
    let mut node = Node::start(&database, &["--demo"], &[]).await;
    let email = node.process.told("owner").await;
    let password = node.process.told("password").await;
    let origin = node.store_url.replace("/store/graphql", "");
    let log_in = json!({ "email": email, "password": password });
    let mut token = String::new();
    let mut ran = 0;
    let mut surfaces = examples();
    // The admin surface gives the token with which the unified one shows both.
    surfaces.sort_by_key(|(surface, _)| *surface == "unified");
    for (surface, all) in surfaces {
        let path = if surface == "unified" { "/graphql".to_owned() } else { format!("/{surface}/graphql") };
        let url = format!("{origin}{path}");
        for example in &all {
            let given = if example.name == "log-in" { log_in.clone() } else { json!({}) };
            let mut payload = Map::new();
            let mut client = Client::new(url.clone());
            if surface != "store" && !token.is_empty() {
                client = client.bearer(&token);
                payload.insert("Authorization".to_owned(), json!(format!("Bearer {token}")));
            }
            let socket = Socket::open(&url.replacen("http", "ws", 1), Value::Object(payload)).await.unwrap();
            let data = run(&client, &socket, &all, &example.name, &given).await;
            if example.name == "log-in" {
                token = data["staffLogin"]["tokens"]["accessToken"].as_str().unwrap().to_owned();
            }
            ran += 1;
        }
    }
    assert!(ran >= 15, "{ran}");
    // What they show is there.
    let store = examples().remove(0).1;
    let socket = Socket::open(&node.store_socket, json!({})).await.unwrap();
    let told = async |name| run(&node.store, &socket, &store, name, &json!({})).await;
    assert_eq!(told("listing").await["products"]["nodes"].as_array().unwrap().len(), 5);
    assert_eq!(told("product").await["product"]["title"], "Brass Ballpoint");
    let sale = told("sale").await["product"]["variants"][0].clone();
    let shown = |region: &str| {
        let price = &sale[region];
        json!([price["amount"]["amount"], price["compareAt"]["amount"], price["includesTax"], price["listKind"]])
    };
    assert_eq!(shown("europe"), json!(["45.00", "54.00", true, "SALE"]));
    assert_eq!(shown("america"), json!(["49.00", "59.00", false, "SALE"]));
    assert_eq!(sale["europe"]["taxed"]["withoutTax"]["amount"], "37.82");
    let quote = told("quote").await["quote"]["quote"].clone();
    assert_eq!(
        quote["lines"][0]["explanation"][0],
        json!({ "amount": { "amount": "45.00" }, "listName": "Clock week", "verdict": "CHOSEN" })
    );
    assert_eq!((&quote["taxes"][0]["amount"]["amount"], &quote["total"]["amount"]), (&json!("14.37"), &json!("90.00")));
    assert_eq!(told("search").await["search"]["correctedQuery"], "lamp");
    assert!(told("cart-live").await["data"]["cartUpdated"]["cart"]["total"]["amount"].is_string());
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere_and_is_away_in_production() {
    let database = TestDatabase::empty().await;
    let mut node = Node::start(&database, &[], &[]).await;
    let page = node.process.told("browse").await;
    let mut read = String::new();
    for (path, kind) in [
        ("", "text/html; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/page.css", "text/css; charset=utf-8"),
        ("/examples.json", "application/json"),
    ] {
        let answer = reqwest::get(format!("{page}{path}")).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (200, kind));
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; "), "{policy}");
        assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        read += &answer.text().await.unwrap();
    }
    assert!(!read.contains("https://") && !read.contains("http://"), "an address of another server");
    let html = include_str!("../../src/http/graphiql/page.html");
    for inline in ["<style", " style=", " onclick=", " onload="] {
        assert!(!html.contains(inline), "{inline} is refused by the page's own policy");
    }
    assert_eq!(html.matches("<script").count(), html.matches("<script src=").count());
    // Every element that the program speaks of is there.
    let program = include_str!("../../src/http/graphiql/page.js");
    let spoken: Vec<&str> = program.split("at('").skip(1).filter_map(|rest| rest.split('\'').next()).collect();
    assert!(spoken.len() > 20);
    for id in spoken {
        assert!(html.contains(&format!("id=\"{id}\"")), "{id}");
    }
    node.process.terminate().await;

    let database = TestDatabase::empty().await;
    let hidden = Node::start(&database, &["--production"], &[]).await;
    let page = hidden.store_url.replace("/store/graphql", "/graphiql");
    assert_eq!(reqwest::get(&page).await.unwrap().status(), 404);
    drop(hidden);
    let asked = Node::start(&TestDatabase::empty().await, &["--production", "--graphiql", "true"], &[]).await;
    let page = asked.store_url.replace("/store/graphql", "/graphiql");
    assert_eq!(reqwest::get(&page).await.unwrap().status(), 200);
}
