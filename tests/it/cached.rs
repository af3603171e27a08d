//! Answers that anybody may be told: which they are, how long they last, and
//! that nobody is told another's.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use emporion::api::document::{PERSONAL, PUBLIC};
use emporion::http::cached::{Answer, Answers, Asked, Caching, Moment, Turn};
use emporion::http::gate::{Edge, Gate};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::support::Shop;
use crate::support::buying::eventually;

const LISTING: &str = "{ products(first: 5) { nodes { handle title variants { availability } } } }";

/// What came back, down to the bytes.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    status: u16,
    cache: String,
    lasts: String,
    tag: String,
    statements: u64,
    body: String,
}

async fn told(request: reqwest::RequestBuilder) -> Told {
    let response = request.send().await.unwrap();
    let header = |name: &str| {
        let value = response.headers().get(name);
        value.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    let (status, statements) = (response.status().as_u16(), header("x-statements").parse().unwrap_or(0));
    let (cache, lasts, tag) = (header("cache-status"), header("cache-control"), header("etag"));
    Told { status, cache, lasts, tag, statements, body: response.text().await.unwrap() }
}

fn url(shop: &Shop, path: &str) -> String {
    format!("http://{}{path}", shop.address)
}

fn get_at(url: &str, query: &str) -> reqwest::RequestBuilder {
    reqwest::Client::new().get(reqwest::Url::parse_with_params(url, [("query", query)]).unwrap())
}

fn get(shop: &Shop, query: &str) -> reqwest::RequestBuilder {
    get_at(&url(shop, "/store/graphql"), query)
}

fn post(shop: &Shop, query: &str) -> reqwest::RequestBuilder {
    reqwest::Client::new().post(url(shop, "/store/graphql")).json(&json!({ "query": query }))
}

/// Waits until nothing more is heard of what was written: each change is heard once more when it has got its position.
async fn quiet(shop: &Shop) {
    loop {
        let epoch = shop.app.epoch.now();
        sleep(Duration::from_millis(300)).await;
        if shop.app.epoch.now() == epoch {
            return;
        }
    }
}

const KEPT: &str = "emporion; fwd=miss; stored";
const AGAIN: &str = "emporion; hit";
const LASTS: &str = "public, max-age=5, stale-while-revalidate=10";

#[tokio::test]
async fn every_root_field_of_the_store_is_public_or_personal() {
    let shop = Shop::open().await;
    let fields = shop.store.send("{ __schema { queryType { fields { name } } } }", json!({})).await;
    let fields = fields.at("__schema.queryType.fields");
    let fields: BTreeSet<&str> =
        fields.as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap()).collect();
    let said: BTreeSet<&str> = PUBLIC.iter().chain(PERSONAL).copied().collect();
    assert_eq!(said, fields, "say in src/api/document/public.rs whom a new root field answers alike");
    assert_eq!(PUBLIC.len() + PERSONAL.len(), said.len(), "no field is both");
}

#[tokio::test]
async fn who_asks_the_same_is_told_the_same_bytes_for_nothing() {
    let shop = Shop::open().await;
    shop.tee("20.00", 5).await;
    quiet(&shop).await;
    for (request, lasts) in [(get(&shop, LISTING), LASTS), (post(&shop, LISTING), "no-store")] {
        let first = told(request.try_clone().unwrap()).await;
        assert_eq!((first.status, first.cache.as_str(), first.lasts.as_str()), (200, KEPT, lasts));
        assert!(first.statements > 0);
        let second = told(request).await;
        assert_eq!(second, Told { cache: AGAIN.to_owned(), statements: 0, ..first });
    }
    let unified = get_at(&url(&shop, "/graphql"), &format!("{{ store {LISTING} }}"));
    assert_eq!(told(unified.try_clone().unwrap()).await.cache, KEPT);
    assert_eq!(told(unified).await.cache, AGAIN);
    // Everything that an answer says of itself is said again.
    let response = get(&shop, LISTING).send().await.unwrap();
    for (name, value) in [("x-channel", "default"), ("content-language", "en"), ("x-query-cost", "51")] {
        assert_eq!(response.headers().get(name).map(|held| held.to_str().unwrap()), Some(value), "{name}");
    }
    let asking = "query=%7B__typename%7D&extensions=%7B%22cost%22%3Atrue%7D";
    let costs = reqwest::get(format!("{}?{asking}", url(&shop, "/store/graphql"))).await.unwrap();
    assert_eq!(costs.json::<Value>().await.unwrap()["extensions"]["cost"]["requested"], 1);
}

#[tokio::test]
async fn what_staff_commit_is_seen_at_once() {
    let shop = Shop::open().await;
    let goods = shop.product("Tee").price("20.00").stock(0).create().await;
    let shown = async |path: &str| shop.store.send(LISTING, json!({})).await.at(path);
    for place in 0..10 {
        let title = format!("Tee {place}");
        shop.set("productUpdate", json!({ "id": goods.product, "title": title }), "product { id }").await.done();
        assert_eq!(shown("products.nodes.0.title").await, title);
        assert_eq!(shown("products.nodes.0.title").await, title);
    }
    // Of stock no event tells.
    assert_eq!(shown("products.nodes.0.variants.0.availability").await, "OUT_OF_STOCK");
    let input = json!({ "variantId": goods.variant, "delta": 50, "reason": "RECEIVED", "idempotencyKey": "more" });
    shop.set("inventoryAdjust", input, "stockLevel { stocked }").await.done();
    assert_eq!(shown("products.nodes.0.variants.0.availability").await, "IN_STOCK");
    // Nor of an option's texts.
    let variant = json!({ "options": [{ "name": "Size", "value": "L" }], "prices": [] });
    let shirt = json!({ "title": "Shirt", "handle": "shirt", "status": "PUBLISHED", "variants": [variant] });
    let shirt = shop.set("productCreate", shirt, "product { id }").await.done();
    let parts = "query($id: ID!) { translatable(id: $id) { parts { id } } }";
    let parts = shop.admin.send(parts, json!({ "id": shirt["product"]["id"] })).await;
    let channels = shop.admin.send("{ channels { id } }", json!({})).await;
    let input = json!({ "id": channels.at("channels.0.id"), "locales": ["de"] });
    shop.set("channelUpdate", input, "channel { id }").await.done();
    let german = shop.store.with("accept-language", "de");
    let option = async || {
        let query = "{ product(by: { handle: \"shirt\" }) { options { name } } }";
        german.send(query, json!({})).await.at("product.options.0.name")
    };
    assert_eq!(option().await, "Size");
    let text = json!([{ "locale": "de", "field": "NAME", "value": "Größe" }]);
    let input = json!({ "entityId": parts.at("translatable.parts.0.id"), "translations": text });
    shop.set("translationsSet", input, "translatable { entityId: id }").await.done();
    assert_eq!(option().await, "Größe");
    // Settings.
    let region = async || shop.store.send("{ countries { code } }", json!({})).await.at("countries");
    assert_eq!(region().await, json!([]));
    shop.europe(&["DE"], true).await;
    assert_eq!(region().await, json!([{ "code": "DE" }]));
}

#[tokio::test]
async fn what_another_process_commits_ends_what_is_kept_here() {
    let shop = Shop::open().await;
    let other = Shop::on(shop.database.clone(), |builder| builder).await;
    sleep(Duration::from_millis(500)).await;
    let epoch = other.app.epoch.now();
    shop.tee("20.00", 5).await;
    eventually("the other's products", async || other.app.epoch.now() > epoch).await;
}

#[tokio::test]
async fn what_is_for_one_alone_is_nobody_s_to_keep() {
    let shop = Shop::open().await;
    let customer = shop.customer("ada@example.com").await;
    shop.tee("20.00", 5).await;
    let token = customer.client.credential();
    assert_eq!(told(get(&shop, LISTING)).await.cache, KEPT);
    let personal = [
        get(&shop, LISTING).header("authorization", &token),
        post(&shop, LISTING).header("authorization", &token),
        get(&shop, "{ customer { id } }"),
        get(&shop, "{ shop { locale } cart(id: \"x\", token: \"y\") { id } }"),
        get(&shop, "query { ...F } fragment F on Query { node(id: \"x\") { id } }"),
        get(&shop, "{ ... { shop { locale } ... on Query { nodes(ids: []) { id } } } }"),
        get(&shop, "{ products(first: 1000) { nodes { id } } }"),
        get(&shop, "{ nonsense }"),
        get(&shop, "{ __schema { queryType { name } } }"),
        get(&shop, "mutation { cartCreate(input: {}) { cart { id } } }"),
        post(&shop, "mutation { cartCreate(input: {}) { cart { id } userErrors { code } } }"),
        get_at(&url(&shop, "/admin/graphql"), "{ __typename }"),
        get_at(&url(&shop, "/graphql"), "{ store { customer { id } } }"),
        get(&shop, LISTING).header("x-region", "nowhere"),
        get(&shop, LISTING).header("accept", "text/html"),
    ];
    for request in personal {
        for _ in 0..2 {
            let answer = told(request.try_clone().unwrap()).await;
            let name = format!("{request:?}");
            assert_eq!(
                (answer.cache.as_str(), answer.lasts.as_str(), answer.tag.as_str()),
                ("", "no-store", ""),
                "{name}"
            );
        }
    }
    let own = told(get(&shop, LISTING).header("authorization", &token)).await;
    assert!(own.statements > 0);
}

#[tokio::test]
async fn an_answer_is_told_for_a_second_at_most() {
    let shop = Shop::open().await;
    shop.tee("20.00", 5).await;
    quiet(&shop).await;
    let cache = async || told(get(&shop, LISTING)).await.cache;
    assert_eq!((cache().await.as_str(), cache().await.as_str()), (KEPT, AGAIN));
    sleep(Duration::from_millis(1_050)).await;
    assert_eq!(cache().await, KEPT);
    // By the shop's own clock, too: what is published by the hour.
    shop.pass(TimeDelta::seconds(1));
    assert_eq!(cache().await, KEPT);
    shop.pass(TimeDelta::seconds(-2));
    assert_eq!(cache().await, KEPT);
}

#[tokio::test]
async fn channels_regions_languages_and_forms_never_mix() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let swiss = json!({ "handle": "swiss", "name": "Swiss", "currencyCode": "CHF", "countries": ["CH"],
        "pricesIncludeTax": true });
    shop.set("regionSet", swiss, "region { id }").await.done();
    let channel = json!({ "name": "Wholesale", "defaultLocale": "de", "locales": ["fr"] });
    let channel = shop.set("channelCreate", channel, "channel { id }").await.done();
    let key = json!({ "title": "Web", "channelId": channel["channel"]["id"] });
    let key = shop.set("publishableKeyCreate", key, "publishableKey { token }").await.done();
    let key = key["publishableKey"]["token"].as_str().unwrap().to_owned();
    let query = "{ shop { channel { handle } region { handle } locale } }";
    let mut expected = Vec::new();
    for (channel, handle) in [("", "default"), (key.as_str(), "wholesale")] {
        for region in ["europe", "swiss"] {
            for language in ["de", "fr", "en"] {
                for (accept, form) in [
                    ("application/json", "application/json"),
                    ("application/graphql-response+json", "application/graphql-response+json"),
                ] {
                    let request = get(&shop, query).header("x-region", region).header("accept-language", language);
                    let request = request.header("accept", accept);
                    let request =
                        if channel.is_empty() { request } else { request.header("x-publishable-key", channel) };
                    let locale = match (handle, language) {
                        ("default", _) => "en",
                        (_, "fr") => "fr",
                        _ => "de",
                    };
                    let shop =
                        json!({ "channel": { "handle": handle }, "region": { "handle": region }, "locale": locale });
                    expected.push((request, form, json!({ "data": { "shop": shop } })));
                }
            }
        }
    }
    quiet(&shop).await;
    let mut told_again = 0;
    for _ in 0..3 {
        let asked = expected.iter().map(async |(request, form, body)| {
            let response = request.try_clone().unwrap().send().await.unwrap();
            let again = response.headers()["cache-status"] == AGAIN;
            assert_eq!(response.headers()["content-type"].to_str().unwrap(), format!("{form}; charset=utf-8"));
            assert_eq!(&response.json::<Value>().await.unwrap(), body, "{request:?}");
            again
        });
        told_again += join_all(asked).await.into_iter().filter(|again| *again).count();
    }
    assert!(told_again >= expected.len(), "{told_again}");
}

#[tokio::test]
async fn a_client_that_holds_the_answer_is_told_no_more_than_that() {
    let shop = Shop::open().await;
    let goods = shop.product("Tee").price("20.00").stock(5).create().await;
    let response = get(&shop, LISTING).send().await.unwrap();
    let vary: Vec<_> = response.headers().get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
    let vary: BTreeSet<_> = vary.iter().flat_map(|value| value.split(", ")).collect();
    let expected = ["accept", "accept-language", "authorization", "origin", "x-publishable-key", "x-region"];
    assert_eq!(vary, BTreeSet::from(expected));
    let tag = response.headers()["etag"].to_str().unwrap().to_owned();
    assert!(tag.starts_with('"'), "a strong tag: {tag}");
    for held in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let again = get(&shop, LISTING).header("if-none-match", &held).send().await.unwrap();
        assert_eq!(again.status(), 304, "{held}");
        for name in ["etag", "vary", "cache-control", "x-channel", "content-language"] {
            assert!(again.headers().contains_key(name), "{name}");
        }
        assert_eq!(again.headers()["cache-control"], LASTS);
        assert_eq!(again.text().await.unwrap(), "");
    }
    let other = get(&shop, LISTING).header("if-none-match", "\"other\"").send().await.unwrap();
    assert_eq!((other.status().as_u16(), other.headers()["etag"].to_str().unwrap()), (200, tag.as_str()));
    shop.set("productUpdate", json!({ "id": goods.product, "title": "Shirt" }), "product { id }").await.done();
    let newer = get(&shop, LISTING).header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(newer.status(), 200);
    assert_ne!(newer.headers()["etag"], tag.as_str());
    // By POST nothing is kept outside, and for one alone nothing is held.
    let posted = post(&shop, LISTING).header("if-none-match", "*").send().await.unwrap();
    assert_eq!((posted.status().as_u16(), posted.headers().get("etag")), (200, None));
    let customer = shop.customer("ada@example.com").await;
    let own = get(&shop, LISTING).header("authorization", customer.client.credential());
    assert_eq!(own.header("if-none-match", "*").send().await.unwrap().status(), 200);
}

/// Serves the shop once more, with its own way of keeping answers.
async fn keeping(shop: &Shop, caching: Caching) -> (String, Arc<Gate>) {
    let gate = Gate::new(Edge { caching, ..Edge::default() }, CancellationToken::new());
    let address = shop.served_at(gate.clone()).await;
    (format!("http://{address}/store/graphql"), gate)
}

#[tokio::test]
async fn of_many_who_ask_at_once_one_works() {
    let shop = Shop::open().await;
    shop.tee("20.00", 5).await;
    quiet(&shop).await;
    let (url, gate) = keeping(&shop, Caching::default()).await;
    let request = get_at(&url, LISTING).build().unwrap();
    let client = reqwest::Client::new();
    let ask = |_| told(reqwest::RequestBuilder::from_parts(client.clone(), request.try_clone().unwrap()));
    let all = join_all((0..40).map(ask)).await;
    let worked: Vec<&Told> = all.iter().filter(|told| told.statements > 0).collect();
    assert_eq!(worked.len(), 1, "{all:?}");
    assert!(all.iter().all(|told| told.body == worked[0].body && told.status == 200));
    let work = gate.answers.work();
    assert_eq!((work.turns, work.hits), (1, 39));
}

#[tokio::test]
async fn the_operator_may_have_nothing_kept() {
    let shop = Shop::open().await;
    shop.tee("20.00", 5).await;
    let caching = Caching { answer_cache: Duration::ZERO, answer_max_age: 0, ..Caching::default() };
    let (url, gate) = keeping(&shop, caching).await;
    for _ in 0..2 {
        let answer = told(get_at(&url, LISTING)).await;
        assert_eq!((answer.cache.as_str(), answer.lasts.as_str()), ("emporion; fwd=bypass", "public, no-cache"));
        assert!(answer.statements > 0 && !answer.tag.is_empty());
    }
    assert_eq!((gate.answers.work().entries, gate.answers.work().bytes), (0, 0));
}

#[tokio::test]
async fn a_flood_of_questions_takes_no_more_memory_than_is_said() {
    let shop = Shop::open().await;
    let most = 64 * 1024;
    let (url, gate) = keeping(&shop, Caching { answer_cache_bytes: most, ..Caching::default() }).await;
    let (client, mut seen) = (reqwest::Client::new(), 0);
    for round in 0..20 {
        let asked = |place: usize| {
            let query = format!("{{ a{round}x{place}: shop {{ locale }} }}");
            told(client.get(reqwest::Url::parse_with_params(&url, [("query", query)]).unwrap()))
        };
        let all = (0..50).map(asked);
        assert!(join_all(all).await.iter().all(|told| told.status == 200));
        let bytes = gate.answers.work().bytes;
        assert!(bytes <= most, "{bytes}");
        seen = seen.max(bytes);
    }
    assert!(seen > most / 2, "it was full: {seen}");
    // What is too large to be kept is told all the same, each time anew.
    let names: String = (0..18).map(|place| format!("{}{place}: shop {{ locale }} ", "a".repeat(250))).collect();
    let (url, _) = keeping(&shop, Caching { answer_cache_bytes: most, ..Caching::default() }).await;
    let large = reqwest::Client::new().post(&url).json(&json!({ "query": format!("{{ {} }}", &names) }));
    let answers = [told(large.try_clone().unwrap()).await, told(large).await];
    assert!(answers.iter().all(|told| told.status == 200 && told.cache != AGAIN), "{answers:?}");
}

fn moment() -> Moment {
    Moment { epoch: 1, now: chrono::Utc::now() }
}

fn answer(text: &'static str) -> Arc<Answer> {
    Arc::new(Answer { headers: Default::default(), body: text.as_bytes().into(), cost: 7 })
}

async fn turn(answers: &Arc<Answers>, moment: Moment) -> Turn {
    match answers.ask(1, moment).await {
        Asked::Turn(turn) => turn,
        other => panic!("no turn but {other:?}"),
    }
}

/// So many who ask while another works.
fn waiting(answers: &Arc<Answers>, moment: Moment, count: usize) -> Vec<tokio::task::JoinHandle<Asked>> {
    let ask = |_| {
        let answers = answers.clone();
        tokio::spawn(async move { answers.ask(1, moment).await })
    };
    (0..count).map(ask).collect()
}

#[tokio::test]
async fn those_who_wait_are_told_by_whoever_works() {
    let (answers, moment) = (Answers::new(&Caching::default()), moment());
    let first = turn(&answers, moment).await;
    let waiting = waiting(&answers, moment, 10);
    sleep(Duration::from_millis(100)).await;
    assert!(waiting.iter().all(|waiting| !waiting.is_finished()));
    // After a commit nobody joins what began before it.
    let newer = Moment { epoch: 2, ..moment };
    turn(&answers, newer).await.keep(answer("new"));
    first.keep(answer("old"));
    for told in join_all(waiting).await {
        assert!(matches!(told.unwrap(), Asked::Known(answer) if answer.body == "old" && answer.cost == 7));
    }
    assert!(matches!(answers.ask(1, newer).await, Asked::Known(answer) if answer.body == "new"));
}

#[tokio::test]
async fn who_goes_away_leaves_his_turn_to_the_next() {
    let (answers, moment) = (Answers::new(&Caching::default()), moment());
    let first = turn(&answers, moment).await;
    let mut waiting = waiting(&answers, moment, 3);
    sleep(Duration::from_millis(50)).await;
    // One of those who wait goes, then the one who works.
    waiting.remove(0).abort();
    drop(first);
    sleep(Duration::from_millis(50)).await;
    let (mut done, left): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|waiting| waiting.is_finished());
    assert_eq!((done.len(), left.len()), (1, 1), "one has the turn, the other waits");
    match done.remove(0).await.unwrap() {
        Asked::Turn(turn) => turn.keep(answer("told")),
        other => panic!("no turn but {other:?}"),
    }
    for told in join_all(left).await {
        assert!(matches!(told.unwrap(), Asked::Known(answer) if answer.body == "told"));
    }
}

#[tokio::test]
async fn what_could_not_be_answered_is_told_to_nobody() {
    let (answers, moment) = (Answers::new(&Caching::default()), moment());
    let first = turn(&answers, moment).await;
    let waiting = waiting(&answers, moment, 10);
    sleep(Duration::from_millis(50)).await;
    first.give_up();
    // They work side by side, not one behind the other.
    for told in join_all(waiting).await {
        assert!(matches!(told.unwrap(), Asked::Alone));
    }
    assert!(matches!(answers.ask(1, moment).await, Asked::Alone));
    assert!(matches!(answers.ask(1, Moment { epoch: 2, ..moment }).await, Asked::Turn(_)));
}
