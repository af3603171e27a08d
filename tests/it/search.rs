//! Finding products by words, narrowing down what was found, and suggestions.

use chrono::TimeDelta;
use domain::catalog::{PriceDraft, ProductDraft, ProductStatus, VariantDraft};
use domain::id::ProductId;
use domain::search::Query;
use engine::actor::Caller;
use engine::catalog::listing::Filter;
use engine::catalog::ops::{CreateProduct, DeleteProduct, PublishProduct, UpdateProduct, UpdateProductOp};
use engine::catalog::repo::listing::{View, ranked};
use engine::db::statement;
use engine::page::{Page, PageArgs};
use engine::search::Matching;
use engine::search::repo::words_statement;
use engine::version::Change;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::support::database::{TestDatabase, on_postgres};
use crate::support::node::run_command;
use crate::support::{Answer, Shop};

fn draft(title: &str) -> ProductDraft {
    ProductDraft { title: title.to_owned(), status: ProductStatus::Published, ..ProductDraft::default() }
}

fn variant(color: &str, sku: &str, cents: i64, stock: i32) -> VariantDraft {
    VariantDraft {
        options: vec![("Color".to_owned(), color.to_owned())],
        sku: Some(sku.to_owned()),
        prices: vec![PriceDraft { currency: "EUR".parse().unwrap(), amount_minor: cents, compare_at_minor: None }],
        stock: Some(stock),
        ..VariantDraft::default()
    }
}

/// Each is a second younger than the one before.
async fn put(shop: &Shop, draft: ProductDraft) -> ProductId {
    shop.pass(TimeDelta::seconds(1));
    shop.app.run(&Caller::system(), &CreateProduct { draft, channels: None }).await.unwrap().id
}

async fn shop_with(titles: &[&str]) -> Shop {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    for title in titles {
        put(&shop, draft(title)).await;
    }
    shop
}

const SEARCH: &str = "query($query: String!, $filter: ProductFilter, $first: Int, $after: String) {
    search(query: $query, filter: $filter, first: $first, after: $after) {
        nodes { title } totalCount correctedQuery pageInfo { hasNextPage endCursor } } }";

async fn search(shop: &Shop, query: &str) -> Answer {
    shop.store.send(SEARCH, json!({ "query": query })).await
}

fn titles_in(nodes: &Value) -> Vec<String> {
    nodes.as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect()
}

async fn found(shop: &Shop, query: &str) -> Vec<String> {
    let answer = search(shop, query).await;
    let titles = titles_in(&answer.at("search.nodes"));
    assert_eq!(answer.at("search.totalCount"), titles.len(), "{query}");
    titles
}

async fn found_by_staff(shop: &Shop, text: &str) -> Vec<String> {
    let query = "query($text: String) { products(filter: { product: { text: $text } }, sort: [{ field: TITLE }]) {
        nodes { title } } }";
    titles_in(&shop.admin.send(query, json!({ "text": text })).await.at("products.nodes"))
}

#[tokio::test]
async fn every_word_must_match_and_the_last_may_go_on() {
    let shop = shop_with(&["Blue Trail Shirt", "Red Trail Shoes", "Blue Mug"]).await;
    assert_eq!(found(&shop, "trail").await, ["Red Trail Shoes", "Blue Trail Shirt"]);
    assert_eq!(found(&shop, "blue trail").await, ["Blue Trail Shirt"]);
    assert_eq!(found(&shop, "SHIRT, blue!").await, ["Blue Trail Shirt"]);
    assert_eq!(found(&shop, "trail sh").await, ["Red Trail Shoes", "Blue Trail Shirt"]);
    assert_eq!(found(&shop, "b").await, ["Blue Mug", "Blue Trail Shirt"]);
    assert_eq!(found(&shop, "tra shirt").await, [""; 0], "only the last word may go on");
    assert_eq!(found(&shop, "mug shirt").await, [""; 0]);
    assert_eq!(found(&shop, " ").await.len(), 3, "nothing asked for is everything");
}

#[tokio::test]
async fn accents_are_no_obstacle_in_either_direction() {
    let shop = shop_with(&["Käse Müsli", "Café Crème"]).await;
    put(&shop, ProductDraft { handle: Some("sake".parse().unwrap()), ..draft("日本酒") }).await;
    for query in ["käse", "kase", "KAESE", "muesli", "Musl"] {
        assert_eq!(found(&shop, query).await, ["Käse Müsli"], "{query}");
    }
    for query in ["cafe", "CAFÉ", "cafe\u{301} creme"] {
        assert_eq!(found(&shop, query).await, ["Café Crème"], "{query}");
    }
    assert_eq!(found(&shop, "本酒").await, ["日本酒"]);
}

#[tokio::test]
async fn slips_are_forgiven_where_a_word_is_on_no_product() {
    let shop = shop_with(&["Shirt", "Skirt", "Grey Wheelbarrow", "Mugs"]).await;
    let corrected = async |query: &str| {
        let answer = search(&shop, query).await;
        (titles_in(&answer.at("search.nodes")), answer.at("search.correctedQuery"))
    };
    assert_eq!(corrected("shirt").await, (vec!["Shirt".to_owned()], json!(null)));
    assert_eq!(corrected("shrit").await, (vec!["Shirt".to_owned()], json!("shirt")));
    assert_eq!(corrected("mgus").await, (vec!["Mugs".to_owned()], json!("mugs")));
    assert_eq!(corrected("xheelbarow").await, (vec!["Grey Wheelbarrow".to_owned()], json!("wheelbarrow")));
    let grey = vec!["Grey Wheelbarrow".to_owned()];
    assert_eq!(corrected("grey wheelborrow").await, (grey, json!("grey wheelbarrow")));
    // Both are one slip away.
    assert_eq!(corrected("swirt").await.0, ["Skirt", "Shirt"]);
    assert_eq!(corrected("shxxt").await, (Vec::new(), json!(null)), "two slips in five letters are too many");
    assert_eq!(corrected("whxxxbarrow").await.0, [""; 0], "three are always");
    assert_eq!(corrected("mgs").await.0, [""; 0], "three letters are too few");
    let listed = "{ products(filter: { text: \"shrit\" }) { nodes { title } } }";
    assert_eq!(titles_in(&shop.store.send(listed, json!({})).await.at("products.nodes")), ["Shirt"]);
    assert_eq!(found_by_staff(&shop, "shrit").await, ["Shirt"]);
}

#[tokio::test]
async fn titles_come_before_tags_before_descriptions_and_whole_words_before_fronts() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let tagged = |title: &str, tag: &str| ProductDraft { tags: vec![tag.to_owned()], ..draft(title) };
    let described = |title: &str, text: &str| ProductDraft { description_html: text.to_owned(), ..draft(title) };
    put(&shop, draft("Lamp")).await;
    put(&shop, draft("Old Lamp")).await;
    put(&shop, draft("Lampshade")).await;
    put(&shop, tagged("A", "lamp")).await;
    put(&shop, tagged("B", "lamps")).await;
    put(&shop, described("C", "<p>A <b>lamp</b></p>")).await;
    put(&shop, described("D", "<p>Lamps</p>")).await;
    put(&shop, draft("Mug")).await;
    let ranked = ["Old Lamp", "Lamp", "Lampshade", "A", "B", "C", "D"];
    assert_eq!(found(&shop, "lamp").await, ranked);

    let (mut paged, mut after) = (Vec::new(), json!(null));
    for place in 0.. {
        let page = shop.store.send(SEARCH, json!({ "query": "lamp", "first": 2, "after": after })).await;
        paged.extend(titles_in(&page.at("search.nodes")));
        assert_eq!(page.at("search.totalCount"), 7);
        after = page.at("search.pageInfo.endCursor");
        if page.at("search.pageInfo.hasNextPage") == false {
            break;
        }
        assert!(place < 7, "never ends");
    }
    assert_eq!(paged, ranked);
    let other = shop.store.send(SEARCH, json!({ "query": "mug", "first": 2, "after": after })).await;
    assert_eq!(other.error_code(), "CURSOR_MISMATCH");
    let sorted = "{ search(query: \"lamp\", sort: [{ field: TITLE }], first: 2) { nodes { title } } }";
    assert_eq!(titles_in(&shop.store.send(sorted, json!({})).await.at("search.nodes")), ["A", "B"]);
}

#[tokio::test]
async fn only_what_the_channel_shows_by_now_is_found() {
    let shop = shop_with(&["Lantern"]).await;
    let hidden = ProductDraft { status: ProductStatus::Draft, ..draft("Secret Lighthouse") };
    put(&shop, hidden).await;
    let later = put(&shop, draft("Torch")).await;
    let channel = shop.app.settings().channels[0].id;
    let at = Some(engine::clock::Clock::now(&*shop.clock) + TimeDelta::hours(1));
    shop.app.run(&Caller::system(), &PublishProduct { id: later, channels: vec![channel], at }).await.unwrap();

    assert_eq!(found(&shop, "lighthouse").await, [""; 0]);
    assert_eq!(search(&shop, "lighthuose").await.at("search.correctedQuery"), json!(null), "no word of it leaks");
    let facets = "{ search(query: \"\") { totalCount facets { vendors { value } } } }";
    assert_eq!(shop.store.send(facets, json!({})).await.at("search.totalCount"), 1);
    assert_eq!(found(&shop, "torch").await, [""; 0]);
    assert_eq!(search(&shop, "trch").await.at("search.correctedQuery"), json!(null));

    let other = shop.set("channelCreate", json!({ "name": "Second" }), "channel { id }").await.done();
    let key = json!({ "title": "Second", "channelId": other["channel"]["id"] });
    let key = shop.set("publishableKeyCreate", key, "publishableKey { token }").await.done();
    let second = shop.store.with("x-publishable-key", key["publishableKey"]["token"].as_str().unwrap());
    let nothing = second.send(SEARCH, json!({ "query": "lantrn" })).await;
    assert_eq!((nothing.at("search.totalCount"), nothing.at("search.correctedQuery")), (json!(0), json!(null)));
    assert_eq!(found_by_staff(&shop, "lighthouse").await, ["Secret Lighthouse"]);
    assert_eq!(found_by_staff(&shop, "lighthuose").await, ["Secret Lighthouse"]);
    shop.pass(TimeDelta::hours(2));
    assert_eq!(found(&shop, "torch").await, ["Torch"]);
    assert_eq!(search(&shop, "trch").await.at("search.correctedQuery"), "torch");
}

#[tokio::test]
async fn staff_find_by_sku_barcode_and_handle() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let coded = VariantDraft { barcode: Some("4006381333931".to_owned()), ..variant("Red", "TS-41/x", 100, 1) };
    let handle = Some("summer-hit".parse().unwrap());
    put(&shop, ProductDraft { variants: vec![coded], handle, status: ProductStatus::Draft, ..draft("Shirt") }).await;
    put(&shop, draft("Mug")).await;
    for text in ["TS-41/x", "ts41x", "ts-41", "4006381333931", "400638", "summer-hit", "red shirt"] {
        assert_eq!(found_by_staff(&shop, text).await, ["Shirt"], "{text}");
    }
    assert_eq!(found_by_staff(&shop, "TS-42").await, [""; 0], "codes are not corrected");
}

/// Everything that the index holds, in words.
async fn index(shop: &Shop) -> Vec<String> {
    let conn = shop.app.read();
    let mut held = Vec::new();
    for sql in [
        "select locale || '|' || title || '|' || code || '|' || keyword || '|' || body from search_product
            order by product_id, locale",
        "select word || ' ' || products from search_word order by word",
        "select piece || ' ' || word from search_slip order by piece, word",
    ] {
        let rows = conn.query_all_raw(statement(&conn, sql, [])).await.unwrap();
        held.extend(rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()));
    }
    if on_postgres() {
        let sql = "select document::text from search_product order by product_id, locale";
        let rows = conn.query_all_raw(statement(&conn, sql, [])).await.unwrap();
        held.extend(rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()));
    }
    held
}

#[tokio::test]
async fn what_changes_is_found_at_once_and_what_goes_is_not() {
    let shop = shop_with(&["Lantern", "Red Mug"]).await;
    let id = put(&shop, draft("Anvil")).await;
    let empty = index(&shop).await;
    let change = UpdateProduct {
        title: Some("Hammer".to_owned()),
        tags: Some(vec!["heavy".to_owned()]),
        vendor: Change::To("Forge".to_owned()),
        description_html: Some("<p>Made of steel</p>".to_owned()),
        ..UpdateProduct::default()
    };
    shop.app.run(&Caller::system(), &UpdateProductOp { id, change }).await.unwrap();
    // Its handle is still what it was.
    for query in ["hammer", "heavy", "forge", "steel", "anvil", "hammr"] {
        assert_eq!(found(&shop, query).await, ["Hammer"], "{query}");
    }
    assert_ne!(index(&shop).await, empty);
    let back = UpdateProduct {
        title: Some("Anvil".to_owned()),
        tags: Some(Vec::new()),
        vendor: Change::Clear,
        description_html: Some(String::new()),
        ..UpdateProduct::default()
    };
    shop.app.run(&Caller::system(), &UpdateProductOp { id, change: back }).await.unwrap();
    assert_eq!(index(&shop).await, empty, "no trace of the words that are gone");
    assert_eq!(found(&shop, "hammer").await, [""; 0]);
    shop.app.run(&Caller::system(), &DeleteProduct { id, expected_version: None }).await.unwrap();
    assert_eq!(found(&shop, "anvil").await, [""; 0]);
    assert_eq!(found_by_staff(&shop, "anvil").await, [""; 0]);
    assert!(index(&shop).await.iter().all(|row| !row.contains("anvil")));
}

#[tokio::test]
async fn a_renamed_option_value_is_found_by_its_new_name_on_every_product_that_has_it() {
    let shop = shop_to_browse().await;
    assert_eq!(found(&shop, "red").await.len(), 2);
    let options = shop.admin.send("{ options { nodes { values { id name } } } }", json!({})).await;
    let values = options.at("options.nodes.0.values");
    let red = values.as_array().unwrap().iter().find(|value| value["name"] == "Red").unwrap();
    let renamed = json!({ "id": red["id"], "name": "Crimson" });
    shop.set("optionValueSet", renamed, "option { id }").await.done();
    let mut crimson = found(&shop, "crimson").await;
    crimson.sort();
    assert_eq!(crimson, ["Trail Shirt", "Trail Shoes"]);
    assert_eq!(found(&shop, "red").await, [""; 0]);
}

#[tokio::test]
async fn an_index_built_anew_is_the_same() {
    let shop = Shop::open().await;
    engine::seed::demo(&shop.app).await.unwrap();
    let kept = index(&shop).await;
    assert!(kept.len() > 100);
    let hits = found(&shop, "garden").await;
    assert!(!hits.is_empty());
    let mut told = Vec::new();
    let done = engine::search::ops::reindex(&shop.app, |done, total| told.push((done, total))).await.unwrap();
    assert_eq!((done, told.first(), told.last()), (30, Some(&(0, 30)), Some(&(30, 30))));
    assert_eq!(index(&shop).await, kept);
    assert_eq!(found(&shop, "garden").await, hits);

    // A shop from before there was an index gets one when it opens.
    shop.app.run(&Caller::system(), &engine::search::ops::ClearIndex).await.unwrap();
    assert_eq!(found(&shop, "garden").await, [""; 0]);
    emporion::cli::setup::furnish(&shop.app).await.unwrap();
    assert_eq!(index(&shop).await, kept);
    assert_eq!(found(&shop, "garden").await, hits);
}

#[tokio::test]
async fn the_command_line_builds_the_index_anew() {
    let database = TestDatabase::copy().await;
    assert!(run_command(&database, &["seed", "demo"]).await.status.success());
    let output = run_command(&database, &["search", "reindex"]).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "indexed 30 products\n");
}

#[tokio::test]
async fn no_query_is_syntax_for_a_database() {
    let shop = shop_with(&["Near Or And Not", "Mug"]).await;
    for query in ["\"near\"", "NEAR(or and)", "near*", "title:near", "near & or", "(near", "'near':*", "-near", "near^"]
    {
        let titles = found(&shop, query).await;
        assert!(titles.iter().all(|title| title == "Near Or And Not"), "{query}: {titles:?}");
    }
    assert_eq!(found(&shop, "title:near").await, [""; 0], "a colon parts words");
    for query in ["\"", "*", "'", "' or 1 = 1 --", "%", "()", "\\", "{title} :", "<->", "!", "\u{0}", "🦀"] {
        let answer = search(&shop, query).await;
        assert!(answer.body["errors"].is_null() || answer.error_code() == "INVALID", "{query}: {}", answer.body);
    }
    assert_eq!(found(&shop, "***").await, [""; 0], "signs ask for nothing");
    // The same texts in every run, and no two alike.
    let letters: Vec<char> = "aAzñä日0 \t\"'*:()&|!<>\\^{}[]~-+.,;%_?$@#NEAR".chars().collect();
    let mut seed: u64 = 1;
    for length in (1..41).chain(1..41) {
        let text: String = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            letters[(seed >> 33) as usize % letters.len()]
        })
        .take(length)
        .collect();
        let answer = search(&shop, &text).await;
        match Query::read(&text) {
            Ok(_) => assert!(answer.at("search.totalCount").is_number(), "{text}"),
            Err(refusal) => assert_eq!(answer.error_code(), refusal.code.as_str(), "{text}"),
        }
    }
    assert_eq!(found(&shop, &"日".repeat(200)).await, [""; 0]);
    assert_eq!(search(&shop, &"x".repeat(201)).await.error_code(), "INVALID");
    assert_eq!(search(&shop, &"x ".repeat(11)).await.error_code(), "TOO_MANY");
}

async fn shop_to_browse() -> Shop {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let goods = [
        ("Trail Shirt", "Ridge", "Shirts", "sale", vec![variant("Red", "a", 1_000, 5), variant("Blue", "b", 1_200, 0)]),
        ("City Shirt", "Urban", "Shirts", "new", vec![variant("Blue", "c", 2_000, 1)]),
        ("Trail Shoes", "Ridge", "Shoes", "sale", vec![variant("Red", "d", 9_000, 0)]),
        ("City Shoes", "Urban", "Shoes", "new", vec![variant("Black", "e", 11_000, 3)]),
    ];
    for (title, vendor, kind, tag, variants) in goods {
        let product = ProductDraft {
            vendor: Some(vendor.to_owned()),
            product_type: Some(kind.to_owned()),
            tags: vec![tag.to_owned()],
            variants,
            ..draft(title)
        };
        put(&shop, product).await;
    }
    shop
}

const FACETS: &str = "query($query: String!, $filter: ProductFilter) { search(query: $query, filter: $filter) {
    totalCount facets {
        tags { value count selected } productTypes { value count selected } vendors { value count selected }
        options { name values { value count selected } } availability { available count selected }
        prices { from { amount } to { amount currencyCode } count selected } } } }";

/// `value count` of each value, with a star when the filter asks for it.
fn told(values: &Value) -> Vec<String> {
    let word = |value: &Value| {
        let star = if value["selected"] == true { "*" } else { "" };
        let shown = value["value"].as_str().map_or_else(|| value["available"].to_string(), str::to_owned);
        format!("{shown} {}{star}", value["count"])
    };
    values.as_array().unwrap().iter().map(word).collect()
}

#[tokio::test]
async fn facets_count_all_hits() {
    let shop = shop_to_browse().await;
    let answer = shop.store.send(FACETS, json!({ "query": "" })).await;
    let at = |name: &str| answer.at(&format!("search.facets.{name}"));
    assert_eq!(told(&at("tags")), ["new 2", "sale 2"]);
    assert_eq!(told(&at("productTypes")), ["Shirts 2", "Shoes 2"]);
    assert_eq!(told(&at("vendors")), ["Ridge 2", "Urban 2"]);
    assert_eq!(at("options.0.name"), "Color");
    assert_eq!(told(&at("options.0.values")), ["Blue 2", "Red 2", "Black 1"]);
    assert_eq!(told(&at("availability")), ["true 3", "false 1"]);
    let range = |from: &str, to: &str, count: i32| {
        json!({ "from": { "amount": from }, "to": { "amount": to, "currencyCode": "EUR" },
            "count": count, "selected": false })
    };
    let ranges = [
        range("10.00", "30.00", 2),
        range("30.01", "50.00", 0),
        range("50.01", "70.00", 0),
        range("70.01", "90.00", 1),
        range("90.01", "110.00", 1),
    ];
    assert_eq!(at("prices"), json!(ranges));
    let trail = shop.store.send(FACETS, json!({ "query": "trail" })).await;
    assert_eq!(trail.at("search.totalCount"), 2);
    assert_eq!(told(&trail.at("search.facets.tags")), ["sale 2"]);
    assert_eq!(told(&trail.at("search.facets.options.0.values")), ["Red 2", "Blue 1"]);
    let nothing = shop.store.send(FACETS, json!({ "query": "zzz" })).await;
    assert_eq!(nothing.at("search.facets.prices"), json!([]));
}

#[tokio::test]
async fn a_facet_counts_as_if_its_own_filter_were_not_there() {
    let shop = shop_to_browse().await;
    let filter = json!({ "vendor": { "eq": "Ridge" }, "optionValue": { "name": "color", "values": ["red"] } });
    let answer = shop.store.send(FACETS, json!({ "query": "", "filter": filter })).await;
    let at = |name: &str| told(&answer.at(&format!("search.facets.{name}")));
    assert_eq!(answer.at("search.totalCount"), 2);
    assert_eq!(at("vendors"), ["Ridge 2*"], "nothing red is by Urban");
    assert_eq!(at("options.0.values"), ["Red 2*", "Blue 1"], "of what is by Ridge");
    assert_eq!(at("productTypes"), ["Shirts 1", "Shoes 1"]);
    assert_eq!(at("availability"), ["true 1", "false 1"]);

    let filter = json!({ "and": [{ "tag": { "in": ["SALE"] } }], "available": true,
        "price": { "lte": { "amount": "30", "currencyCode": "EUR" } }, "productType": { "eq": "Hats" } });
    let answer = shop.store.send(FACETS, json!({ "query": "", "filter": filter })).await;
    let at = |name: &str| told(&answer.at(&format!("search.facets.{name}")));
    assert_eq!(answer.at("search.totalCount"), 0);
    assert_eq!(at("productTypes"), ["Shirts 1", "Hats 0*"], "what is asked for in vain stays to be taken off");
    assert_eq!(at("tags"), ["SALE 0*"]);

    let cheap = json!({ "price": { "gte": { "amount": "10", "currencyCode": "EUR" },
        "lte": { "amount": "30", "currencyCode": "EUR" } } });
    let answer = shop.store.send(FACETS, json!({ "query": "", "filter": cheap })).await;
    let prices = answer.at("search.facets.prices");
    let selected: Vec<_> = prices.as_array().unwrap().iter().map(|range| &range["selected"]).collect();
    assert_eq!(selected, [true, false, false, false, false], "the ranges stay where they were");
    assert_eq!(told(&answer.at("search.facets.vendors")), ["Ridge 1", "Urban 1"]);

    let either = json!({ "or": [{ "vendor": { "eq": "Ridge" } }, { "tag": { "eq": "new" } }] });
    let answer = shop.store.send(FACETS, json!({ "query": "", "filter": either })).await;
    assert_eq!(told(&answer.at("search.facets.vendors")), ["Ridge 2", "Urban 2"], "an alternative chooses no value");
}

#[tokio::test]
async fn the_rule_of_a_collection_chooses_no_value_of_a_facet() {
    let shop = shop_to_browse().await;
    let input = json!({ "title": "Sale", "rule": { "conditions": [{ "tag": ["sale"] }] } });
    shop.set("collectionSet", input, "collection { id }").await.done();
    let filter = json!({ "collection": { "handle": "sale" }, "vendor": { "eq": "Ridge" } });
    let answer = shop.store.send(FACETS, json!({ "query": "trial", "filter": filter })).await;
    let at = |name: &str| told(&answer.at(&format!("search.facets.{name}")));
    assert_eq!(answer.at("search.totalCount"), 2);
    assert_eq!(at("tags"), ["sale 2"], "the rule holds for its own facet too");
    assert_eq!(at("vendors"), ["Ridge 2*"]);
    // The collection, words, number, page, facets.
    assert_eq!(answer.statements, 5);
    let unknown = json!({ "collection": { "handle": "unknown" } });
    let answer = shop.store.send(FACETS, json!({ "query": "trail", "filter": unknown })).await;
    assert_eq!(answer.at("search.totalCount"), 0);
    let sorted = "{ search(query: \"\", filter: { collection: { handle: \"sale\" } }, sort: [{ field: TITLE }]) {
        nodes { title } } }";
    let listed = shop.store.send(sorted, json!({})).await;
    assert_eq!(titles_in(&listed.at("search.nodes")), ["Trail Shirt", "Trail Shoes"]);
}

#[tokio::test]
async fn texts_of_many_lists_are_looked_up_together() {
    let shop = shop_to_browse().await;
    for tag in ["sale", "new"] {
        let input = json!({ "title": tag, "rule": { "conditions": [{ "tag": [tag] }] } });
        shop.set("collectionSet", input, "collection { id }").await.done();
    }
    let query = "query($first: Int!) { collections(first: $first, sort: [{ field: TITLE }]) { nodes { title
        products(filter: { text: \"shrit\" }) { nodes { title } } } } }";
    let one = shop.store.send(query, json!({ "first": 1 })).await;
    let two = shop.store.send(query, json!({ "first": 2 })).await;
    assert_eq!(titles_in(&two.at("collections.nodes.0.products.nodes")), ["City Shirt"]);
    assert_eq!(titles_in(&two.at("collections.nodes.1.products.nodes")), ["Trail Shirt"]);
    // Collections, words, what the lists begin with, products.
    assert_eq!([one.statements, two.statements], [4, 4]);
}

#[tokio::test]
async fn hits_are_in_the_language_of_the_request() {
    let shop = shop_with(&["Red Shirt", "Blue Shirt"]).await;
    let listed = shop.admin.send("{ channels { id } products(sort: [{ field: TITLE }]) { nodes { id } } }", json!({}));
    let listed = listed.await;
    let input = json!({ "id": listed.at("channels.0.id"), "locales": ["de"] });
    shop.set("channelUpdate", input, "channel { id }").await.done();
    for (place, title) in ["Blaues Hemd", "Rotes Hemd"].into_iter().enumerate() {
        let texts = json!([{ "locale": "de", "field": "TITLE", "value": title }]);
        let input = json!({ "entityId": listed.at(&format!("products.nodes.{place}.id")), "translations": texts });
        shop.set("translationsSet", input, "translatable { translations { value } }").await.done();
    }
    let german = shop.store.with("accept-language", "de");
    let hits = german.send("{ search(query: \"shirt\") { nodes { title descriptionHtml } } }", json!({})).await;
    assert_eq!(titles_in(&hits.at("search.nodes")), ["Blaues Hemd", "Rotes Hemd"]);
    // Words, page, texts.
    assert_eq!(hits.statements, 3);
    let query = "{ searchSuggestions(query: \"shi\") { products { title descriptionHtml } } }";
    let hits = german.send(query, json!({})).await;
    assert_eq!(titles_in(&hits.at("searchSuggestions.products")), ["Blaues Hemd", "Rotes Hemd"]);
    // Three letters are no slip: page, texts.
    assert_eq!(hits.statements, 2);
}

#[tokio::test]
async fn what_is_typed_is_completed() {
    let shop = shop_with(&["Travel Mug", "Trail Shirt", "Trail Shoes", "Träger"]).await;
    let query = "query($query: String!, $first: Int) { searchSuggestions(query: $query, first: $first) {
        queries products { title handle featuredMedia { url } } } }";
    let typed = shop.store.send(query, json!({ "query": "tra", "first": 2 })).await;
    let queries = json!(["trail", "träger", "travel", "travel mug", "trail shirt", "trail shoes"]);
    assert_eq!(typed.at("searchSuggestions.queries"), queries);
    assert_eq!(titles_in(&typed.at("searchSuggestions.products")), ["Träger", "Trail Shoes"]);
    assert!(typed.statements <= 3, "{}", typed.statements);
    let slip = shop.store.send(query, json!({ "query": "trial sho" })).await;
    assert_eq!(slip.at("searchSuggestions.queries"), json!(["trail shoes"]));
    assert!(slip.statements <= 3, "{}", slip.statements);
    let blank = shop.store.send(query, json!({ "query": " " })).await;
    assert_eq!(blank.at("searchSuggestions"), json!({ "queries": [], "products": [] }));
    assert_eq!(shop.store.send(query, json!({ "query": "x", "first": 11 })).await.error_code(), "INVALID");
    assert_eq!(shop.store.send(query, json!({ "query": "x".repeat(201) })).await.error_code(), "INVALID");
}

#[tokio::test]
async fn statements_do_not_grow_with_hits_facets_and_words() {
    let shop = shop_to_browse().await;
    let query = "query($query: String!, $filter: ProductFilter) { search(query: $query, filter: $filter, first: 100) {
        nodes { title handle featuredMedia { url } } totalCount facets { tags { value } vendors { value }
        productTypes { value } options { name } prices { count } availability { count } } } }";
    let few = shop.store.send(query, json!({ "query": "trail shirt" })).await;
    assert_eq!(few.at("search.totalCount"), 1);
    for number in 0..40 {
        put(&shop, draft(&format!("Trail Shirt {number}"))).await;
    }
    let many = shop.store.send(query, json!({ "query": "trail shirt" })).await;
    assert_eq!(many.at("search.totalCount"), 41);
    let filter = json!({ "vendor": { "in": ["Ridge"] }, "tag": { "eq": "sale" }, "text": "shirt" });
    let slips = shop.store.send(query, json!({ "query": "trial shrit red ridge", "filter": filter })).await;
    assert_eq!(slips.at("search.totalCount"), 1);
    // Words, number, page, facets, media.
    assert_eq!([few.statements, many.statements, slips.statements], [5, 5, 5]);
}

#[tokio::test]
async fn searches_use_the_index() {
    if on_postgres() {
        return;
    }
    let shop = shop_with(&["Lantern", "Mug"]).await;
    let conn = shop.app.read();
    let view = View {
        channel: Some(shop.app.settings().channels[0].id),
        price_channel: shop.app.settings().channels[0].id,
        region: None,
        locations: Vec::new(),
        now: engine::clock::Clock::now(&*shop.clock),
        languages: Vec::new(),
    };
    let query = Query::read("lantern").unwrap();
    let matching = Matching { terms: query.terms(), corrected: None };
    let page = Page::read(PageArgs::default(), 100, true, &()).unwrap();
    let filter = Filter::Matches(matching.clone());
    let listing = conn.backend().build(&ranked(&conn, &view, &matching, &filter, &page));
    let words = words_statement(&conn, &view, &[query]).unwrap();
    // A hit's score is looked up by its product, once a hit: anything else takes hits times hits.
    for (asked, table, key) in
        [(listing, "search_product", "(product_id=? AND locale=?)"), (words, "search_word", "(word=?)")]
    {
        let asked = Statement { sql: format!("explain query plan {}", asked.sql), ..asked };
        let rows = conn.query_all_raw(asked).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.try_get::<String>("", "detail").unwrap()).collect();
        assert!(plan.iter().any(|step| step.contains("search_index VIRTUAL TABLE INDEX")), "{plan:#?}");
        let by_key = |step: &String| step.contains(table) && step.contains(key);
        assert!(plan.iter().any(by_key), "{plan:#?}");
        let walks =
            |step: &&String| step.starts_with("SCAN") && !step.contains("VIRTUAL") && !step.contains("CONSTANT");
        let walked: Vec<_> = plan.iter().filter(walks).collect();
        assert!(walked.iter().all(|step| step.as_str() == "SCAN close_0"), "{plan:#?}");
    }
}
