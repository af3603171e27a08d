//! Documents that are named instead of sent: those that the operator trusts,
//! and those that clients register by their hash.

use std::path::PathBuf;
use std::sync::Arc;

use domain::document::Limits;
use emporion::http::gate::{Edge, Gate};
use emporion::http::persisted::sha256;
use emporion::http::trusted::Trusting;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::Shop;
use crate::support::client::Client;
use crate::support::database::TestDatabase;
use crate::support::events::Events;
use crate::support::node::run_command;
use crate::support::walker::{buy, stocked};
use crate::support::wire::Wire;

const LOCALE: &str = "query Locale { shop { locale } }";
const LISTING: &str = "query($first: Int!) { products(first: $first) { nodes { title } } }";
const WATCH: &str = "subscription($id: ID!, $token: String) {
    orderUpdated(orderId: $id, accessToken: $token) { sequence } }";
const CART: &str = "mutation { cartCreate(input: {}) { cart { state } userErrors { code } } }";
const ADMIN: &str = "{ channels { handle } }";

/// Writes a file of documents.
fn file(database: &TestDatabase, name: &str, content: &Value) -> PathBuf {
    let path = database.files().with_file_name(name);
    std::fs::write(&path, content.to_string()).unwrap();
    path
}

/// The two forms in which builds write documents down.
fn files(database: &TestDatabase) -> Vec<PathBuf> {
    let plain = json!({ "locale-1": LOCALE, "listing": LISTING, "admin": ADMIN });
    let operation =
        |id: &str, name: &str, kind: &str, body: &str| json!({ "id": id, "name": name, "type": kind, "body": body });
    let manifest = json!({ "format": "apollo-persisted-query-manifest", "version": 1, "operations": [
        operation(&sha256(WATCH), "Watch", "subscription", WATCH), operation("cart", "Cart", "mutation", CART)] });
    vec![file(database, "plain.json", &plain), file(database, "manifest.json", &manifest)]
}

struct Scene {
    shop: Shop,
    address: String,
    gate: Arc<Gate>,
}

impl Scene {
    /// A shop that trusts documents, and others as it is said.
    async fn open(only: bool) -> Self {
        let shop = Shop::open().await;
        let mut trusting = Trusting::in_files(files(&shop.database));
        trusting.trusted_only = only;
        trusting.load(&Limits::default()).await.unwrap();
        assert_eq!(trusting.count(), 5);
        let edge = Edge { trusting, ..Edge::default() };
        let gate = Gate::new(edge, CancellationToken::new());
        let address = shop.served_at(gate.clone()).await.to_string();
        Self { shop, address, gate }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Posts a body to the store; the status and the answer.
    async fn post(&self, body: Value) -> (u16, Value) {
        self.post_to("/store/graphql", "application/graphql-response+json", "", body).await
    }

    async fn post_to(&self, path: &str, accept: &str, credential: &str, body: Value) -> (u16, Value) {
        let request = reqwest::Client::new().post(self.url(path)).header(ACCEPT, accept).json(&body);
        let request = if credential.is_empty() { request } else { request.header("authorization", credential) };
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn get(&self, parameters: &[(&str, &str)]) -> (u16, Value) {
        let url = reqwest::Url::parse_with_params(&self.url("/store/graphql"), parameters).unwrap();
        let response = reqwest::get(url).await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn socket(&self, payload: Value) -> Value {
        let mut wire = Wire::acknowledged(&format!("ws://{}/store/graphql", self.address)).await;
        wire.say(json!({ "id": "1", "type": "subscribe", "payload": payload })).await;
        wire.hear().await
    }

    async fn events(&self, body: Value) -> Value {
        let mut events = Events::post_body(&self.url("/store/graphql"), body.to_string(), &[]).await.unwrap();
        events.next().await.unwrap().data
    }
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
}

fn by_hash(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

#[tokio::test]
async fn a_trusted_document_runs_by_its_id_on_every_transport() {
    let scene = Scene::open(true).await;
    let expected = json!({ "data": { "shop": { "locale": "en" } } });
    let hash = format!("sha256:{}", sha256(LOCALE));
    for id in ["locale-1", hash.as_str()] {
        assert_eq!(scene.post(json!({ "documentId": id })).await, (200, expected.clone()), "{id}");
        assert_eq!(scene.get(&[("documentId", id), ("operationName", "Locale")]).await, (200, expected.clone()));
        assert_eq!(scene.socket(json!({ "documentId": id })).await["payload"], expected);
        assert_eq!(scene.events(json!({ "documentId": id })).await, expected);
    }
    // As Apollo's clients name what a manifest holds, whatever its ids are.
    for id in [sha256(LOCALE), sha256(LOCALE).to_uppercase(), "locale-1".to_owned()] {
        assert_eq!(scene.post(json!({ "extensions": by_hash(&id) })).await, (200, expected.clone()), "{id}");
    }
    let whole = json!({ "query": LOCALE, "extensions": by_hash(&sha256(LOCALE)) });
    assert_eq!(scene.post(whole).await.0, 200);
    scene.shop.europe(&["DE"], true).await;
    assert_eq!(scene.post(json!({ "documentId": "cart" })).await.1["data"]["cartCreate"]["cart"]["state"], "OPEN");
    assert_eq!(scene.get(&[("documentId", "cart")]).await.0, 405);

    let placed = buy(&scene.shop.store, &stocked(&scene.shop, "Wheelbarrow", 10).await, 1).await;
    let watch = json!({ "documentId": sha256(WATCH), "variables": { "id": placed.id, "token": placed.token } });
    assert_eq!(scene.socket(watch.clone()).await["payload"]["data"]["orderUpdated"]["sequence"], 2);
    assert_eq!(scene.events(watch).await["data"]["orderUpdated"]["sequence"], 2);
}

#[tokio::test]
async fn where_only_trusted_documents_run_shoppers_run_nothing_else() {
    let scene = Scene::open(true).await;
    let refused = json!({ "query": "{ __typename }" });
    let changed = json!({ "query": "{ __typename }", "extensions": by_hash(&sha256("{ __typename }")) });
    let almost = json!({ "query": format!("{LOCALE} ") });
    for body in [&refused, &changed, &almost, &json!({ "query": "{" })] {
        let (status, answer) = scene.post(body.clone()).await;
        assert_eq!((status, code(&answer)), (400, "DOCUMENT_NOT_TRUSTED"), "{answer}");
        assert_eq!(code(&json!({ "errors": scene.socket(body.clone()).await["payload"] })), "DOCUMENT_NOT_TRUSTED");
        assert_eq!(code(&scene.events(body.clone()).await), "DOCUMENT_NOT_TRUSTED");
    }
    let (status, answer) = scene.get(&[("query", "{ __typename }")]).await;
    assert_eq!((status, code(&answer)), (200, "DOCUMENT_NOT_TRUSTED"), "by the older form");
    for unknown in [json!({ "documentId": "other" }), json!({ "extensions": by_hash(&sha256("{ __typename }")) })] {
        let (status, answer) = scene.post(unknown).await;
        assert_eq!((status, code(&answer)), (400, "DOCUMENT_NOT_FOUND"), "{answer}");
    }
    // What equals a trusted document to the byte is one.
    assert_eq!(scene.post(json!({ "query": LOCALE })).await.0, 200);
    assert_eq!(scene.gate.persisted.known(), (0, 0), "nobody registers anything");

    // Staff run what they like, on both of their endpoints.
    let strict = "application/graphql-response+json";
    let staff = scene.shop.admin.credential();
    let own = json!({ "query": "{ me { id } }" });
    assert_eq!(scene.post_to("/admin/graphql", strict, &staff, own).await.0, 200);
    let both = json!({ "query": "{ store { shop { locale } } admin { channels { handle } } }" });
    let (status, answer) = scene.post_to("/graphql", strict, &staff, both).await;
    assert_eq!((status, &answer["data"]["store"]["shop"]["locale"]), (200, &json!("en")));
    let customer = scene.shop.customer("ada@example.com").await.client.credential();
    for credential in ["", customer.as_str()] {
        let store = json!({ "query": "{ store { shop { locale } } }" });
        let (status, answer) = scene.post_to("/graphql", strict, credential, store).await;
        assert_eq!((status, code(&answer)), (400, "DOCUMENT_NOT_TRUSTED"), "{answer}");
        let unknown = json!({ "documentId": "other" });
        assert_eq!(code(&scene.post_to("/graphql", strict, credential, unknown).await.1), "DOCUMENT_NOT_FOUND");
    }
    // What is trusted is still asked by those alone who may.
    assert_eq!(code(&scene.post(json!({ "documentId": "admin" })).await.1), "DOCUMENT_INVALID");
    let (status, answer) = scene.post_to("/admin/graphql", strict, &staff, json!({ "documentId": "admin" })).await;
    assert_eq!((status, &answer["data"]["channels"][0]["handle"]), (200, &json!("default")));
}

#[tokio::test]
async fn trusted_documents_keep_to_the_limits_and_texts_run_beside_them() {
    let scene = Scene::open(false).await;
    let listing = |first: u64| json!({ "documentId": "listing", "variables": { "first": first } });
    assert_eq!(scene.post(listing(5)).await.1, json!({ "data": { "products": { "nodes": [] } } }));
    let (status, answer) = scene.post(listing(1_000_000)).await;
    assert_eq!((status, code(&answer)), (400, "DOCUMENT_TOO_COSTLY"));
    assert_eq!(code(&scene.post(json!({ "documentId": "listing" })).await.1), "INVALID");
    assert_eq!(scene.post(json!({ "query": "{ __typename }" })).await.0, 200);
    for (body, told) in [
        (json!({ "query": LOCALE, "documentId": "locale-1" }), "not both"),
        (json!({ "documentId": 7 }), "`documentId` must be a string"),
        (json!({ "documentId": null }), "`query` is missing"),
        (json!({ "extensions": { "persistedQuery": { "version": 2, "sha256Hash": "x" } } }), "`version`, which is 1"),
        (json!({ "extensions": { "persistedQuery": { "version": 1 } } }), "`sha256Hash`"),
    ] {
        let (status, answer) = scene.post(body.clone()).await;
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert_eq!((status, code(&answer), message.contains(told)), (400, "INVALID", true), "{message}");
        let mut wire = Wire::acknowledged(&format!("ws://{}/store/graphql", scene.address)).await;
        wire.say(json!({ "id": "1", "type": "subscribe", "payload": body })).await;
        assert_eq!(wire.closed().await.0, 4400);
    }
}

#[tokio::test]
async fn what_can_t_run_stops_the_start_with_its_id() {
    let database = TestDatabase::empty().await;
    let deep = format!("{}__typename{}", "{a".repeat(30), "}".repeat(30));
    let doubled = [json!({ "a": LOCALE }), json!({ "a": LISTING })];
    let doubled = ["one.json", "two.json"].into_iter().zip(&doubled).map(|(name, of)| file(&database, name, of));
    let doubled: Vec<PathBuf> = doubled.collect();
    let one = |content: Value| vec![file(&database, &format!("{}.json", sha256(&content.to_string())), &content)];
    let absent = database.files().with_file_name("absent.json");
    for (paths, expected) in [
        (one(json!({ "old": "{ shop { oldName } }" })), "\"old\" can't run: Unknown field \"oldName\""),
        (one(json!({ "broken": "{ shop {" })), "\"broken\" can't run: The document can't be parsed"),
        (one(json!({ "deep": deep })), "\"deep\" can't run: The document passes a limit: `depth`"),
        (one(json!({ "mixed": "{ channels { id } countries { code } }" })), "\"mixed\" can't run"),
        (one(json!({ "two": "query A { shop { locale } } query B { shop { nothing } }" })), "\"two\" can't run"),
        (one(json!({ "number": 7 })), "the document \"number\" is no text"),
        (one(json!(["{ __typename }"])), "is neither an object of ids and texts nor a manifest"),
        (one(json!({ "format": "apollo-persisted-query-manifest", "operations": [{ "body": LOCALE }] })), "no `id`"),
        (vec![absent], "absent.json: can't be read"),
        (doubled, "two.json: the id \"a\" names two documents"),
    ] {
        let mut trusting = Trusting::in_files(paths);
        let fault = trusting.load(&Limits::default()).await.err().unwrap_or_default();
        assert!(fault.contains(expected), "{expected}: {fault}");
    }
    let old = one(json!({ "old": "{ shop { oldName } }" }));
    let old = old[0].to_str().unwrap();
    for verb in [&["serve", "--listen", "127.0.0.1:0"][..], &["doctor"]] {
        let output = run_command(&database, &[verb, &["--trusted-documents", old]].concat()).await;
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!output.status.success() && said.contains("\"old\" can't run"), "{said}");
    }
    let output = run_command(&database, &["serve", "--listen", "127.0.0.1:0", "--trusted-only"]).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("--trusted-documents"), "{said}");
}

#[tokio::test]
async fn a_client_sends_a_hash_and_the_text_only_when_it_is_asked_for() {
    let scene = Scene::open(false).await;
    let text = "{ shop { channel { handle } } }";
    let hash = sha256(text);
    let expected = json!({ "data": { "shop": { "channel": { "handle": "default" } } } });
    let hashed = json!({ "extensions": by_hash(&hash) });
    for accept in ["application/json", "application/graphql-response+json"] {
        let (status, answer) = scene.post_to("/store/graphql", accept, "", hashed.clone()).await;
        let error =
            json!({ "message": "PersistedQueryNotFound", "extensions": { "code": "PERSISTED_QUERY_NOT_FOUND" } });
        assert_eq!((status, answer), (200, json!({ "errors": [error] })), "{accept}");
    }
    let wrong = json!({ "query": LOCALE, "extensions": by_hash(&hash) });
    let (status, answer) = scene.post(wrong).await;
    assert_eq!((status, code(&answer)), (400, "INVALID"));
    let costly = "{ products(first: 1000000) { nodes { title } } }";
    let refused = json!({ "query": costly, "extensions": by_hash(&sha256(costly)) });
    assert_eq!(code(&scene.post(refused).await.1), "DOCUMENT_TOO_COSTLY");
    assert_eq!(scene.gate.persisted.known(), (0, 0), "only what may run is kept");

    let whole = json!({ "query": text, "extensions": by_hash(&hash) });
    assert_eq!(scene.post(whole).await, (200, expected.clone()));
    assert_eq!(scene.gate.persisted.known(), (1, text.len()));
    assert_eq!(scene.post(hashed).await, (200, expected.clone()));
    let extensions = by_hash(&hash.to_uppercase()).to_string();
    assert_eq!(scene.get(&[("extensions", &extensions)]).await, (200, expected.clone()));
    assert_eq!(scene.socket(json!({ "extensions": by_hash(&hash) })).await["payload"], expected);
    // By GET a text is registered, too.
    let text = "{ shop { region { handle } } }";
    let extensions = by_hash(&sha256(text)).to_string();
    assert_eq!(code(&scene.get(&[("extensions", &extensions)]).await.1), "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(scene.get(&[("query", text), ("extensions", &extensions)]).await.0, 200);
    assert_eq!(scene.get(&[("extensions", &extensions)]).await.1["data"]["shop"]["region"], json!(null));
}

#[tokio::test]
async fn known_documents_are_as_many_as_the_operator_says() {
    let shop = Shop::open().await;
    let most = 10;
    let edge = |persisted_queries| Edge { persisted_queries, ..Edge::default() };
    let gate = Gate::new(edge(most), CancellationToken::new());
    let store = Client::new(format!("http://{}/store/graphql", shop.served_at(gate.clone()).await));
    let ask = async |store: &Client, body: Value| store.post(body).await.body;
    let text = |place: usize| format!("{{ a{place}: __typename }}");
    for place in 0..50 {
        let text = text(place);
        ask(&store, json!({ "query": text, "extensions": by_hash(&sha256(&text)) })).await;
    }
    assert_eq!(gate.persisted.known().0, most);
    for (place, known) in [(49, true), (40, true), (39, false), (0, false)] {
        let answer = ask(&store, json!({ "extensions": by_hash(&sha256(&text(place))) })).await;
        assert_eq!(answer["data"].is_object(), known, "{place}: {answer}");
    }
    let gate = Gate::new(edge(0), CancellationToken::new());
    let store = Client::new(format!("http://{}/store/graphql", shop.served_at(gate.clone()).await));
    let answer = ask(&store, json!({ "extensions": by_hash(&sha256(LOCALE)) })).await;
    assert_eq!(
        (code(&answer), &answer["errors"][0]["message"]),
        ("PERSISTED_QUERY_NOT_SUPPORTED", &json!("PersistedQueryNotSupported"))
    );
    assert_eq!(
        ask(&store, json!({ "query": LOCALE, "extensions": by_hash(&sha256(LOCALE)) })).await["data"]["shop"]["locale"],
        "en"
    );
    assert_eq!(gate.persisted.known(), (0, 0));
}
