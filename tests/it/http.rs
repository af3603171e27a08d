//! GraphQL over HTTP by the text of its specification.

use std::process::Stdio;
use std::time::Duration;

use emporion::http::gate::{Edge, Gate};
use reqwest::header::{ACCEPT, ALLOW, CONTENT_TYPE, ORIGIN};
use reqwest::{Method, RequestBuilder, Response};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::support::Shop;

const JSON: &str = "application/json";
const RESPONSE: &str = "application/graphql-response+json";

fn url(shop: &Shop, path: &str) -> String {
    format!("http://{}{path}", shop.address)
}

fn post(shop: &Shop) -> RequestBuilder {
    reqwest::Client::new().post(url(shop, "/store/graphql")).header(CONTENT_TYPE, JSON)
}

fn get(shop: &Shop, query: &str) -> RequestBuilder {
    reqwest::Client::new().get(format!("{}?{query}", url(shop, "/store/graphql")))
}

fn header(response: &Response, name: impl reqwest::header::AsHeaderName) -> String {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// Sends a request; the status, the form and the body of the answer.
async fn sent(request: RequestBuilder) -> (u16, String, Value) {
    let response = request.send().await.unwrap();
    let (status, form) = (response.status().as_u16(), header(&response, CONTENT_TYPE));
    let text = response.text().await.unwrap();
    (status, form, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// The package graphql-http brings 61 audits of what the specification says
/// servers must, should and may do.
#[tokio::test]
async fn the_audits_that_others_wrote_pass_on_every_endpoint() {
    let shop = Shop::open().await;
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name}: run make test"));
    for path in ["/store/graphql", "/admin/graphql", "/graphql"] {
        let mut audit = Command::new(variable("EMPORION_TEST_NODE"));
        audit.args(["audit.mjs", &url(&shop, path)]).current_dir(variable("EMPORION_TEST_FOREIGN"));
        audit.stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(Duration::from_secs(60), audit.output()).await.expect("an end").unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert_eq!(told.trim_end(), "61", "{path}: {told} {complaints}");
    }
}

#[tokio::test]
async fn the_client_says_in_which_form_it_takes_the_answer() {
    let shop = Shop::open().await;
    for (accept, form) in [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/html, */*;q=0.8", JSON),
        (JSON, JSON),
        (RESPONSE, RESPONSE),
        ("application/graphql-response+json, application/json", RESPONSE),
        ("application/graphql-response+json, application/json;q=0.9", RESPONSE),
        ("application/json, application/graphql-response+json;q=0.9", JSON),
        ("application/json, application/graphql-response+json; q=0", JSON),
        ("Application/GraphQL-Response+JSON;charset=utf-8, */*", RESPONSE),
    ] {
        let body = json!({ "query": "{ __typename }" });
        let request = post(&shop).body(body.to_string());
        let request = if accept.is_empty() { request } else { request.header(ACCEPT, accept) };
        let (status, answered, body) = sent(request).await;
        assert_eq!((status, answered), (200, format!("{form}; charset=utf-8")), "{accept}");
        assert_eq!(body, json!({ "data": { "__typename": "Query" } }));
    }
    for accept in ["text/html", "application/json;q=0"] {
        let request = post(&shop).header(ACCEPT, accept).body(json!({ "query": "{ __typename }" }).to_string());
        let (status, _, body) = sent(request).await;
        assert_eq!((status, &body["errors"][0]["extensions"]["code"]), (406, &json!("NOT_ACCEPTABLE")), "{accept}");
    }
}

#[tokio::test]
async fn the_status_says_whether_it_ran_to_those_who_ask_for_it() {
    let shop = Shop::open().await;
    let id = "query($id: ID!) { node(id: $id) { id } }";
    for (body, code, plain, strict) in [
        (json!({ "query": "{ __typename }" }), None, 200, 200),
        (json!({ "query": "{" }), Some("DOCUMENT_INVALID"), 200, 400),
        (json!({ "query": "{ nonsense }" }), Some("DOCUMENT_INVALID"), 200, 400),
        (json!({ "query": id }), Some("INVALID"), 200, 400),
        (json!({ "query": id, "variables": { "id": null } }), Some("INVALID"), 200, 400),
        (json!({ "query": "subscription { __typename }" }), Some("INVALID"), 200, 400),
        (json!({ "query": "query A { __typename } query B { __typename }" }), Some("INVALID"), 200, 400),
        (json!({ "query": "{ __typename }", "operationName": "C" }), Some("INVALID"), 200, 400),
        (json!({ "query": 7 }), Some("INVALID"), 400, 400),
        (json!([{ "query": "{ __typename }" }]), Some("INVALID"), 400, 400),
        (json!("{ __typename }"), Some("INVALID"), 400, 400),
    ] {
        for (accept, expected) in [(JSON, plain), (RESPONSE, strict)] {
            let (status, _, answer) = sent(post(&shop).header(ACCEPT, accept).body(body.to_string())).await;
            let told = answer["errors"][0]["extensions"]["code"].as_str();
            assert_eq!((status, told), (expected, code), "{accept} {body} {answer}");
            assert_eq!(answer.get("data").is_some(), code.is_none(), "{answer}");
        }
    }
    // What ran in part ran.
    let (status, _, answer) = sent(
        reqwest::Client::new()
            .post(url(&shop, "/admin/graphql"))
            .header(CONTENT_TYPE, JSON)
            .header(ACCEPT, RESPONSE)
            .body(json!({ "query": "{ __typename me { id } }" }).to_string()),
    )
    .await;
    assert_eq!((status, &answer["errors"][0]["extensions"]["code"]), (200, &json!("UNAUTHENTICATED")), "{answer}");
    for (name, value, expected) in [("authorization", "Bearer nonsense", 401), ("x-region", "nowhere", 400)] {
        let request = post(&shop).header(name, value).body(json!({ "query": "{ __typename }" }).to_string());
        assert_eq!(sent(request).await.0, expected, "{name}");
    }
}

#[tokio::test]
async fn what_any_page_can_send_without_asking_runs_nothing() {
    let shop = Shop::open().await;
    let body = json!({ "query": "{ __typename }" }).to_string();
    let bare = || reqwest::Client::new().post(url(&shop, "/store/graphql"));
    for kind in [
        "",
        "text/plain",
        "text/plain;application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=utf-16",
    ] {
        let request = if kind.is_empty() { bare() } else { bare().header(CONTENT_TYPE, kind) };
        let (status, _, answer) = sent(request.body(body.clone())).await;
        assert_eq!(
            (status, &answer["errors"][0]["extensions"]["code"]),
            (415, &json!("UNSUPPORTED_MEDIA_TYPE")),
            "{kind}"
        );
    }
    for kind in ["application/json;charset=UTF-8", "Application/JSON; charset=\"utf-8\""] {
        assert_eq!(sent(bare().header(CONTENT_TYPE, kind).body(body.clone())).await.0, 200, "{kind}");
    }
    let make = json!({ "query": "mutation { cartCreate(input: {}) { cart { id } } }" }).to_string();
    for path in ["/store/graphql", "/admin/graphql", "/graphql"] {
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
            let request = reqwest::Client::new().post(url(&shop, path)).header(CONTENT_TYPE, kind);
            assert_eq!(sent(request.body(make.clone())).await.0, 415, "{path} {kind}");
        }
        for accept in ["application/json", "text/event-stream"] {
            let make = match path {
                "/graphql" => "mutation{store{cartCreate(input:{}){cart{id}}}}",
                _ => "mutation{cartCreate(input:{}){cart{id}}}",
            };
            let by_get = reqwest::Client::new().get(format!("{}?query={make}", url(&shop, path)));
            let response = by_get.header(ACCEPT, accept).send().await.unwrap();
            let seen = (response.status().as_u16(), header(&response, ALLOW));
            assert_eq!(seen, (405, "POST".to_owned()), "{path} {accept}");
        }
    }
    assert_eq!(entity::cart::Entity::find().count(&shop.app.read()).await.unwrap(), 0);
}

#[tokio::test]
async fn queries_run_by_get() {
    let shop = Shop::open().await;
    for (query, expected) in [
        ("query={__typename}", 200),
        ("query=query+A($id:ID!){node(id:$id){id}}&variables=%7B%22id%22:%22x%22%7D&operationName=A", 200),
        ("query={__typename}&variables=&operationName=&extensions=", 200),
        ("query={__typename}&variables=7", 400),
        ("query={__typename}&variables={", 400),
        ("query={__typename}&extensions=[]", 400),
        ("query=", 400),
        ("nonsense", 400),
        ("", 400),
    ] {
        let (status, _, answer) = sent(get(&shop, query)).await;
        assert_eq!(status, expected, "{query} {answer}");
    }
    let costs = get(&shop, "query={__typename}&extensions=%7B%22cost%22:true%7D");
    assert_eq!(sent(costs).await.2["extensions"]["cost"]["requested"], 1);
    let other = reqwest::Client::new().request(Method::PUT, url(&shop, "/store/graphql")).send().await.unwrap();
    assert_eq!(other.status(), 405);
    assert!(header(&other, ALLOW).contains("POST"));
}

#[tokio::test]
async fn a_body_is_as_large_as_its_surface_takes() {
    let shop = Shop::open().await;
    for (path, most) in [("/store/graphql", 256 * 1024), ("/admin/graphql", 4 << 20), ("/graphql", 4 << 20)] {
        for (length, expected) in [(most, 200), (most + 1, 413)] {
            let frame = json!({ "query": "{ __typename }", "variables": { "a": "" } }).to_string();
            let padding = "x".repeat(length - frame.len());
            let body = json!({ "query": "{ __typename }", "variables": { "a": padding } }).to_string();
            let request = reqwest::Client::new().post(url(&shop, path)).header(CONTENT_TYPE, JSON).body(body);
            let (status, _, answer) = sent(request).await;
            assert_eq!(status, expected, "{path}");
            if expected == 413 {
                assert_eq!(answer["errors"][0]["extensions"]["code"], "BODY_TOO_LARGE");
            }
        }
    }
    let deep = format!("{{\"query\":\"{{__typename}}\",\"variables\":{}", "{\"a\":".repeat(50_000));
    assert_eq!(sent(post(&shop).body(deep)).await.0, 400);
}

#[tokio::test]
async fn pages_of_named_origins_may_ask_and_no_others() {
    let shop = Shop::open().await;
    let edge = Edge { allowed_origins: vec!["https://pos.example".to_owned()], ..Edge::default() };
    let address = shop.served_at(Gate::new(edge, CancellationToken::new())).await;
    for path in ["/store/graphql", "/admin/graphql", "/graphql"] {
        let asks = async |origin: &str| {
            let first = reqwest::Client::new().request(Method::OPTIONS, format!("http://{address}{path}"));
            let first = first.header(ORIGIN, origin).header("access-control-request-method", "POST");
            first.header("access-control-request-headers", "authorization,content-type").send().await.unwrap()
        };
        let may = asks("https://pos.example").await;
        assert_eq!(may.status(), 204);
        assert_eq!(header(&may, "access-control-allow-origin"), "https://pos.example");
        assert_eq!(header(&may, "access-control-allow-methods"), "GET, POST");
        for name in ["authorization", "content-type", "x-publishable-key", "x-region", "last-event-id"] {
            assert!(header(&may, "access-control-allow-headers").contains(name), "{name}");
        }
        assert_eq!(header(&may, "access-control-allow-credentials"), "");
        for stranger in ["https://evil.example", "null", "https://pos.example.evil.example"] {
            let refused = asks(stranger).await;
            assert_eq!(
                (refused.status().as_u16(), header(&refused, "access-control-allow-origin").as_str()),
                (403, "")
            );
        }
        let reads = async |origin: &str| {
            let request = reqwest::Client::new().post(format!("http://{address}{path}")).header(ORIGIN, origin);
            request.json(&json!({ "query": "{ __typename }" })).send().await.unwrap()
        };
        let answer = reads("https://pos.example").await;
        assert_eq!(header(&answer, "access-control-allow-origin"), "https://pos.example");
        assert!(header(&answer, "access-control-expose-headers").contains("x-query-cost"));
        assert!(header(&answer, "vary").contains("origin"));
        assert_eq!(header(&reads("https://evil.example").await, "access-control-allow-origin"), "");
    }
}
