//! Documents that are larger or costlier than anybody needs, over every
//! transport, and what the server says of them.

use std::time::{Duration, Instant};

use emporion::api::document::{AUTHENTICATING, stale};
use emporion::http::gate::{Edge, Gate};
use emporion::http::limits::Documents;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::Shop;
use crate::support::client::Client;
use crate::support::database::TestDatabase;
use crate::support::events::Events;
use crate::support::node::Node;
use crate::support::wire::Wire;

/// A document, and what it is refused for: the code, and what was measured.
type Hostile = (&'static str, String, &'static str, &'static str);

fn hostile(name: &'static str, document: impl Into<String>, code: &'static str, measure: &'static str) -> Hostile {
    (name, document.into(), code, measure)
}

/// Fragments that spread the next one so often, `length` of them.
fn chain(length: usize, times: usize, end: &str) -> String {
    let fragment = |place: usize| {
        let spread = format!("...F{} ", place + 1).repeat(times);
        format!("fragment F{place} on Query {{ {spread}}} ")
    };
    let fragments: String = (0..length).map(fragment).collect();
    format!("{{ ...F0 }} {fragments} fragment F{length} on Query {{ {end} }}")
}

fn corpus() -> Vec<Hostile> {
    const LARGE: &str = "DOCUMENT_TOO_LARGE";
    const COSTLY: &str = "DOCUMENT_TOO_COSTLY";
    let aliases = |count: usize| (0..count).map(|place| format!("a{place}: __typename ")).collect::<String>();
    let pages = "collections(first: 1000) { nodes { products(first: 1000) { nodes { title } } } }";
    let pages = format!("{{ {pages} store {{ {pages} }} admin {{ {pages} }} }}");
    let ids = format!("nodes(ids: [{}]) {{ __typename }}", "\"x\" ".repeat(4_100));
    vec![
        hostile("doubling fragments", chain(30, 2, "shop { locale }"), COSTLY, "selections"),
        hostile("doubling fragments of __typename", chain(30, 2, "__typename"), COSTLY, "selections"),
        hostile("fragments that spread ten times", chain(60, 10, "__typename"), COSTLY, "selections"),
        hostile("a long chain of fragments", chain(200, 1, "__typename"), COSTLY, "levels"),
        hostile("a fragment in itself", "{ ...F } fragment F on Query { ...F }", "DOCUMENT_INVALID", ""),
        hostile(
            "fragments in each other",
            "{ __typename } fragment F on Query { ... { ...G } } fragment G on Query { ...F }",
            "DOCUMENT_INVALID",
            "",
        ),
        hostile("four hundred aliases", format!("{{ {} }}", aliases(400)), COSTLY, "aliases"),
        hostile("five thousand aliases", format!("{{ {} }}", aliases(5_000)), LARGE, "bytes"),
        hostile("five thousand fields", format!("{{ {} }}", "a ".repeat(5_000)), LARGE, "tokens"),
        hostile("many roots", format!("{{ {} }}", "__typename ".repeat(21)), COSTLY, "rootFields"),
        hostile("pages within pages", pages.as_str(), COSTLY, "cost"),
        hostile("pages longer than numbers", pages.replace("1000", &"9".repeat(19)), COSTLY, "cost"),
        hostile("pages longer than any number", pages.replace("1000", &"9".repeat(40)), COSTLY, "cost"),
        hostile("deep selections", format!("{}__typename{}", "{a".repeat(30), "}".repeat(30)), COSTLY, "depth"),
        hostile("bottomless selections", "{a".repeat(10_000), LARGE, "nesting"),
        hostile("bottomless lists", format!("{{ a(b: {}", "[".repeat(30_000)), LARGE, "nesting"),
        hostile("bottomless objects", format!("{{ a(b: {}", "{c:".repeat(15_000)), LARGE, "nesting"),
        hostile("a long list", format!("{{ {ids} }}"), LARGE, "tokens"),
        hostile("a huge number", format!("{{ a(b: {}) }}", "9".repeat(30_000)), LARGE, "numberLength"),
        hostile("a huge exponent", format!("{{ a(b: 1e{}) }}", "9".repeat(30_000)), LARGE, "numberLength"),
        hostile("a long name", format!("{{ {} }}", "a".repeat(30_000)), LARGE, "nameLength"),
        hostile("nothing but commas", ",".repeat(70_000), LARGE, "bytes"),
        hostile("directives", format!("{{ __typename {} }}", "@include(if: true) ".repeat(60)), COSTLY, "directives"),
        hostile("U+0000", "{ __typename \0 }", "INVALID", ""),
        hostile("U+0000 in a comment", "{ __typename } # \0", "INVALID", ""),
        hostile("U+0000 escaped", r#"{ __type(name: "\u0000") { name } }"#, "INVALID", ""),
        hostile("a text without an end", r#"{ __type(name: """ "#, "DOCUMENT_INVALID", ""),
        hostile("half a letter", r#"{ __type(name: "\uD800") { name } }"#, "DOCUMENT_INVALID", ""),
        hostile("no document", "", "DOCUMENT_INVALID", ""),
        hostile(
            "introspection in circles",
            "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
            COSTLY,
            "cost",
        ),
    ]
}

fn check(name: &str, errors: &Value, code: &str, measure: &str) {
    let error = &errors[0];
    assert_eq!(error["extensions"]["code"], code, "{name}: {errors}");
    if !measure.is_empty() {
        let extensions = &error["extensions"];
        assert_eq!(extensions["measure"], measure, "{name}: {errors}");
        assert!(extensions["found"].as_u64() > extensions["limit"].as_u64(), "{name}: {errors}");
    }
}

#[tokio::test]
async fn hostile_documents_are_refused_on_every_transport_and_memory_stays_flat() {
    let database = TestDatabase::copy().await;
    let node = Node::start(&database, &["--sockets-per-address", "1000"], &[]).await;
    let unified = Client::new(node.store_url.replace("/store/", "/"));
    node.store.send("{ __typename }", json!({})).await.at("__typename");
    let before = node.process.memory();
    let began = Instant::now();
    for (name, document, code, measure) in corpus() {
        for client in [&node.store, &node.anonymous_admin, &unified] {
            let answer = client.send(&document, json!({})).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.body);
            check(name, &answer.body["errors"], code, measure);
            assert!(answer.body.get("data").is_none(), "{name}: {}", answer.body);
        }
        let told = Events::post(&node.store_url, &document, &[]).await.unwrap().next().await.unwrap();
        check(name, &told.data["errors"], code, measure);
        let mut wire = Wire::acknowledged(&node.store_socket).await;
        wire.say(json!({ "id": "1", "type": "subscribe", "payload": { "query": document } })).await;
        let told = wire.hear().await;
        assert_eq!((&told["type"], &told["id"]), (&json!("error"), &json!("1")), "{name}: {told}");
        check(name, &told["payload"], code, measure);
    }
    let growth = node.process.memory().saturating_sub(before);
    assert!(growth < 64 * 1024 * 1024, "{growth} bytes");
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert_eq!(node.store.send("{ __typename }", json!({})).await.at("__typename"), "Query");
}

#[tokio::test]
async fn variables_have_limits_too() {
    let shop = Shop::open().await;
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename } }";
    for client in [&shop.store, &shop.admin] {
        let many = client.send(query, json!({ "ids": vec!["x"; 10_001] })).await;
        check("a long list", &many.body["errors"], "DOCUMENT_TOO_LARGE", "listSize");
        let unused = client.send("{ __typename }", json!({ "a": { "b": [[vec![0; 10_001]]] } })).await;
        check("a long list", &unused.body["errors"], "DOCUMENT_TOO_LARGE", "listSize");
        for nul in [json!({ "ids": ["\0"] }), json!({ "a": { "\0": 1 } })] {
            assert_eq!(client.send(query, nul).await.error_code(), "INVALID");
        }
    }
}

#[tokio::test]
async fn an_operation_checks_one_secret() {
    let shop = Shop::open().await;
    let unified = Client::new(format!("http://{}/graphql", shop.address));
    let log_in = r#"(input: { email: "a@shop.example", password: "guess" }) { userErrors { code } }"#;
    let (customer, staff) = (format!("customerLogin{log_in}"), format!("staffLogin{log_in}"));
    let refresh = r#"customerTokenRefresh(input: { refreshToken: "x" }) { userErrors { code } }"#;
    for (client, document) in [
        (&shop.store, format!("mutation {{ a: {customer} b: {customer} }}")),
        (&shop.store, format!("mutation {{ {customer} {refresh} }}")),
        (
            &shop.store,
            format!(
                "mutation {{ ...F ...G }} fragment F on Mutation {{ a: {customer} }} fragment G on Mutation {{ b: {customer} }}"
            ),
        ),
        (&shop.anonymous_admin, format!("mutation {{ a: {staff} b: {staff} }}")),
        (&unified, format!("mutation {{ a: store {{ {customer} }} b: store {{ {customer} }} }}")),
        (&unified, format!("mutation {{ store {{ {customer} }} admin {{ {staff} }} }}")),
    ] {
        let refused = client.send(&document, json!({})).await;
        check(&document, &refused.body["errors"], "DOCUMENT_TOO_COSTLY", "authentications");
    }
    let once = shop.store.send(&format!("mutation {{ {customer} }}"), json!({})).await;
    assert_eq!(once.refusals(), ["CREDENTIALS_INVALID"]);
    // The document may hold others that don't run.
    let two = format!("mutation A {{ a: {customer} }} mutation B {{ b: {customer} }}");
    let (_, answer) = post(&shop, json!({ "query": two, "operationName": "A" })).await;
    assert_eq!(answer["data"]["a"]["userErrors"][0]["code"], "CREDENTIALS_INVALID");
}

#[tokio::test]
async fn every_mutation_that_takes_a_secret_is_known_to_check_one() {
    assert_eq!(stale(), Vec::<String>::new());
    let shop = Shop::open().await;
    let inputs = "{ __schema { mutationType { fields { name
        args { type { inputFields { name } ofType { inputFields { name } } } } } } } }";
    let secret = ["password", "currentPassword", "token", "refreshToken", "loginToken", "code", "challenge"];
    let mut unknown: Vec<String> = Vec::new();
    for client in [&shop.store, &shop.admin] {
        let fields = client.send(inputs, json!({})).await.at("__schema.mutationType.fields");
        for field in fields.as_array().unwrap() {
            let name = field["name"].as_str().unwrap();
            let of = &field["args"][0]["type"];
            let taken = [of, &of["ofType"]].into_iter().filter_map(|of| of["inputFields"].as_array()).flatten();
            let takes = taken.into_iter().any(|input| secret.contains(&input["name"].as_str().unwrap()));
            // A tax rate has a code, too; a new gift card gets one.
            if takes && !["giftCardIssue", "taxRateSet"].contains(&name) && !AUTHENTICATING.contains(&name) {
                unknown.push(name.to_owned());
            }
        }
    }
    assert_eq!(unknown, Vec::<String>::new(), "src/api/document/table.rs");
}

/// Posts this body to the store; what it cost, and the body of the answer.
async fn post(shop: &Shop, body: Value) -> (u64, Value) {
    let url = format!("http://{}/store/graphql", shop.address);
    let response = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
    let cost = response.headers()["x-query-cost"].to_str().unwrap().parse().unwrap();
    (cost, response.json().await.unwrap())
}

#[tokio::test]
async fn the_cost_is_told_and_multiplies_lists() {
    let shop = Shop::open().await;
    let page = "query($n: Int) { products(first: $n) { nodes { title } } }";
    let usual = "query($n: Int = 30) { products(first: $n) { nodes { title } } }";
    for (query, variables, cost) in [
        ("{ __typename }", json!({}), 1),
        ("{ shop { locale } }", json!({}), 2),
        ("{ products { nodes { title } } }", json!({}), 6 + 20 * 2),
        ("{ products(first: 3) { nodes { title } } }", json!({}), 6 + 3 * 2),
        ("{ products(last: 4) { nodes { title } } }", json!({}), 6 + 4 * 2),
        (page, json!({ "n": 7 }), 6 + 7 * 2),
        (page, json!({ "n": null }), 6 + 20 * 2),
        (page, json!({}), 6 + 20 * 2),
        (usual, json!({}), 6 + 30 * 2),
        ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": ["a", "b", "c"] }), 1 + 3),
        ("{ products { nodes { ...T ...T } } } fragment T on Product { title }", json!({}), 6 + 20 * 3),
    ] {
        let (told, answer) = post(&shop, json!({ "query": query, "variables": variables })).await;
        assert_eq!(told, cost, "{query} {answer}");
        assert!(answer.get("errors").is_none() && answer.get("extensions").is_none(), "{query} {answer}");
    }
    let asked = json!({ "query": "{ shop { locale } }", "extensions": { "cost": true } });
    let told = |extensions: &Value| (extensions["cost"]["requested"].clone(), extensions["cost"]["limit"].clone());
    assert_eq!(told(&post(&shop, asked.clone()).await.1["extensions"]), (json!(2), json!(20_000)));
    let mut wire = Wire::acknowledged(&format!("ws://{}/store/graphql", shop.address)).await;
    wire.say(json!({ "id": "1", "type": "subscribe", "payload": asked })).await;
    assert_eq!(told(&wire.hear().await["payload"]["extensions"]), (json!(2), json!(20_000)));
}

/// Of a list that says itself how long a page is.
#[tokio::test]
async fn an_argument_whose_variable_is_absent_has_its_default() {
    let shop = Shop::open().await;
    let made = shop.set("customerCreate", json!({ "email": "ada@shopper.example" }), "customer { id }").await.done();
    let query = "query($id: ID!, $n: Int) { customer(by: { id: $id }) { orders(first: $n) { number } } }";
    let answer = shop.admin.send(query, json!({ "id": made["customer"]["id"] })).await;
    assert_eq!(answer.at("customer.orders"), json!([]));
}

#[tokio::test]
async fn the_operator_says_how_much_is_too_much() {
    let shop = Shop::open().await;
    let served = async |documents: Documents| {
        let edge = Edge { documents, ..Edge::default() };
        let address = shop.served_at(Gate::new(edge, CancellationToken::new())).await;
        Client::new(format!("http://{address}/store/graphql"))
    };
    let query = "{ products(first: 3) { nodes { t: title vendor @include(if: true) } } }";
    let generous = Documents::default();
    for (documents, measure) in [
        (Documents { max_document: 40, ..generous.clone() }, "bytes"),
        (Documents { max_tokens: 10, ..generous.clone() }, "tokens"),
        (Documents { max_depth: 2, ..generous.clone() }, "depth"),
        (Documents { max_aliases: 0, ..generous.clone() }, "aliases"),
        (Documents { max_root_fields: 0, ..generous.clone() }, "rootFields"),
        (Documents { max_directives: 0, ..generous.clone() }, "directives"),
        (Documents { max_selections: 3, ..generous.clone() }, "selections"),
        (Documents { max_cost: 14, ..generous.clone() }, "cost"),
    ] {
        let refused = served(documents).await.send(query, json!({})).await;
        assert_eq!(refused.body["errors"][0]["extensions"]["measure"], measure, "{}", refused.body);
    }
    let exact = Documents { max_cost: 15, max_depth: 3, max_aliases: 1, max_root_fields: 1, ..generous };
    served(exact).await.send(query, json!({})).await.at("products.nodes");
}

#[tokio::test]
async fn a_flood_of_errors_is_told_in_part() {
    let shop = Shop::open().await;
    let fields: String = (0..900).map(|place| format!("nonsense{place} ")).collect();
    let answer = shop.store.send(&format!("{{ shop {{ {fields} }} }}"), json!({})).await;
    assert_eq!(answer.body["errors"].as_array().unwrap().len(), 50);
    assert_eq!(answer.error_code(), "DOCUMENT_INVALID");
}

#[tokio::test]
async fn in_production_the_schema_is_shown_to_staff_alone() {
    let shop = Shop::open().await;
    let edge = Edge { production: true, ..Edge::default() };
    let address = shop.served_at(Gate::new(edge, CancellationToken::new())).await;
    let at = |path: &str| Client::new(format!("http://{address}{path}"));
    let staff = |client: Client| client.with("authorization", &shop.admin.credential());
    let (store, admin, unified) = (at("/store/graphql"), at("/admin/graphql"), at("/graphql"));
    for asked in [
        "{ __schema { queryType { name } } }",
        "{ __typename __type(name: \"Query\") { name } }",
        "{ ...F } fragment F on Query { x: __type(name: \"Query\") { name } }",
    ] {
        for (client, code) in [(&store, "FORBIDDEN"), (&admin, "UNAUTHENTICATED"), (&unified, "FORBIDDEN")] {
            assert_eq!(client.send(asked, json!({})).await.error_code(), code, "{asked}");
        }
        for client in [staff(admin.clone()), staff(unified.clone())] {
            assert_eq!(client.send(asked, json!({})).await.body.get("errors"), None, "{asked}");
        }
    }
    let mut wire = Wire::acknowledged(&format!("ws://{address}/store/graphql")).await;
    let asked = json!({ "query": "{ __schema { queryType { name } } }" });
    wire.say(json!({ "id": "1", "type": "subscribe", "payload": asked })).await;
    assert_eq!(wire.hear().await["payload"][0]["extensions"]["code"], "FORBIDDEN");
    for path in ["/store/graphql", "/admin/graphql", "/graphql"] {
        for accept in ["text/event-stream", "application/json"] {
            let asked = format!("http://{address}{path}?query={{__schema{{queryType{{name}}}}}}");
            let response = reqwest::Client::new().get(asked).header("accept", accept).send().await.unwrap();
            let told = response.text().await.unwrap();
            assert!(told.contains("FORBIDDEN") || told.contains("UNAUTHENTICATED"), "{path} {accept}: {told}");
            assert!(!told.contains("queryType"), "{path} {accept}: {told}");
        }
    }
    for client in [&store, &admin, &unified] {
        assert_eq!(client.send("{ __typename }", json!({})).await.at("__typename"), "Query");
    }
    let misspelt = "{ shap { locale } }";
    assert!(shop.store.send(misspelt, json!({})).await.error().contains("shop"), "names are suggested");
    assert!(!store.send(misspelt, json!({})).await.error().contains("shop"), "and not in production");
}

#[tokio::test]
async fn the_default_of_a_variable_decides_what_is_skipped() {
    let shop = Shop::open().await;
    let query = "query($more: Boolean = true, $less: Boolean = false) {
        shop { channel { handle @include(if: $more) name @skip(if: $more) defaultLocale @include(if: $less) } } }";
    for (variables, shown) in [
        (json!({}), vec!["handle"]),
        (json!({ "more": false }), vec!["name"]),
        (json!({ "less": true }), vec!["defaultLocale", "handle"]),
    ] {
        let answer = shop.store.send(query, variables.clone()).await;
        let channel = answer.at("shop.channel");
        let mut names: Vec<&str> = channel.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, shown, "{variables}");
    }
}
