//! Finding products in the language of the request, and the facets that are named in it.

use engine::catalog::repo::listing::count;
use engine::db::statement;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::{Answer, Shop};

/// A shop whose channel speaks English, German and Portuguese.
async fn polyglot() -> Shop {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let listed = shop.admin.send("{ channels { id } }", json!({})).await;
    let input = json!({ "id": listed.at("channels.0.id"), "locales": ["de", "pt", "pt-BR"] });
    shop.set("channelUpdate", input, "channel { id }").await.done();
    shop
}

/// A product in one color; its handle has none of the words of its title.
async fn product(shop: &Shop, title: &str, color: &str, number: usize) -> Value {
    let input = json!({
        "title": title, "handle": format!("p-{number}"), "status": "PUBLISHED", "tags": ["Sale"],
        "productType": "Shirts", "descriptionHtml": "<p>Woven</p>",
        "variants": [{ "options": [{ "name": "Color", "value": color }],
            "prices": [{ "amount": { "amount": "20.00", "currencyCode": "EUR" } }] }],
    });
    shop.set("productCreate", input, "product { id }").await.done()["product"]["id"].clone()
}

async fn translate(shop: &Shop, entity: &Value, locale: &str, texts: &[(&str, Option<&str>)]) {
    let texts: Vec<_> =
        texts.iter().map(|(field, value)| json!({ "locale": locale, "field": field, "value": value })).collect();
    let input = json!({ "entityId": entity, "translations": texts });
    shop.set("translationsSet", input, "translatable { id }").await.done();
}

/// The id of what belongs to a product, by its type.
async fn part(shop: &Shop, product: &Value, kind: &str) -> Value {
    let query = "query($id: ID!) { translatable(id: $id) { parts { id type fields { field value } } } }";
    let found = shop.admin.send(query, json!({ "id": product })).await.at("translatable.parts");
    let own = found.as_array().unwrap().iter().find(|part| part["type"] == kind).unwrap();
    own["id"].clone()
}

fn speaking(shop: &Shop, header: &str) -> Client {
    shop.store.with("accept-language", header)
}

async fn asked(client: &Client, query: &str) -> Answer {
    let search = "query($query: String!) { search(query: $query) { nodes { handle } totalCount correctedQuery } }";
    client.send(search, json!({ "query": query })).await
}

/// The handles of what is found.
async fn found(client: &Client, query: &str) -> Vec<String> {
    let answer = asked(client, query).await;
    let nodes = answer.at("search.nodes");
    let handles: Vec<_> =
        nodes.as_array().unwrap().iter().map(|node| node["handle"].as_str().unwrap().to_owned()).collect();
    assert_eq!(answer.at("search.totalCount"), handles.len(), "{query}");
    let listed = "query($text: String!) { products(filter: { text: $text }) { totalCount } }";
    let listed = client.send(listed, json!({ "text": query })).await;
    assert_eq!(listed.at("products.totalCount"), handles.len(), "the filter finds what the search finds: {query}");
    handles
}

const NOTHING: [&str; 0] = [];

#[tokio::test]
async fn a_text_is_found_in_the_language_of_the_request_and_as_it_is_where_nobody_translated_it() {
    let shop = polyglot().await;
    let first = product(&shop, "Shirt", "Red", 1).await;
    product(&shop, "Blouse", "Blue", 2).await;
    translate(&shop, &first, "de", &[("TITLE", Some("Hemd")), ("SUBTITLE", Some("Sommerlich"))]).await;
    translate(&shop, &first, "pt", &[("TITLE", Some("Camisa"))]).await;
    translate(&shop, &first, "pt-BR", &[("DESCRIPTION_HTML", Some("<p>Tecido</p>"))]).await;
    let (english, german, brazil) = (speaking(&shop, "en"), speaking(&shop, "de"), speaking(&shop, "pt-BR"));

    assert_eq!(found(&german, "hemd").await, ["p-1"]);
    assert_eq!(found(&german, "sommer").await, ["p-1"], "the front of a word");
    assert_eq!(found(&german, "hemd red").await, ["p-1"], "what has no German name is found by its own");
    assert_eq!(found(&german, "blouse").await, ["p-2"], "so is a product that nobody translated");
    assert_eq!(found(&german, "shirt blue").await, ["p-2"], "the type of all is an English word");
    let only_type = asked(&german, "shirt").await;
    assert_eq!(only_type.at("search.totalCount"), 2, "by the name of the type, not by the title");
    assert_eq!(found(&english, "hemd").await, NOTHING);
    assert_eq!(found(&speaking(&shop, "fr"), "hemd").await, NOTHING, "French is not spoken here");
    assert_eq!(found(&brazil, "camisa tecido").await, ["p-1"], "pt-BR before pt before the text itself");
    assert_eq!(found(&brazil, "woven").await, ["p-2"]);
    assert_eq!(found(&speaking(&shop, "pt"), "camisa woven").await, ["p-1"]);

    // A slip is a slip of a word of the language.
    assert_eq!(asked(&german, "hmed").await.at("search.correctedQuery"), "hemd");
    assert_eq!(asked(&english, "hmed").await.at("search.correctedQuery"), json!(null));
    assert_eq!(asked(&english, "camsia").await.at("search.correctedQuery"), json!(null));
    // Staff search the texts themselves, whatever their browser speaks.
    let staff = "query($text: String!) { products(filter: { product: { text: $text } }) { totalCount } }";
    for (text, number) in [("hemd", 0), ("woven shirt", 2)] {
        let client = shop.admin.with("accept-language", "de");
        assert_eq!(client.send(staff, json!({ "text": text })).await.at("products.totalCount"), number, "{text}");
    }
}

#[tokio::test]
async fn suggestions_are_in_the_language_of_the_request() {
    let shop = polyglot().await;
    let first = product(&shop, "Shirt", "Red", 1).await;
    product(&shop, "Heavy Blouse", "Blue", 2).await;
    translate(&shop, &first, "de", &[("TITLE", Some("Hemd Herbst"))]).await;
    let query = "query($query: String!) { searchSuggestions(query: $query) { queries products { title } } }";
    let german = speaking(&shop, "de").send(query, json!({ "query": "he" })).await;
    let queries = german.at("searchSuggestions.queries");
    assert_eq!(queries, json!(["hemd", "heavy", "herbst", "hemd herbst", "heavy blouse"]));
    let english = shop.store.send(query, json!({ "query": "he" })).await;
    assert_eq!(english.at("searchSuggestions.queries"), json!(["heavy", "heavy blouse"]));
    assert_eq!((english.statements, german.statements), (1, 2), "the page, and its texts");
}

/// All that the index holds.
async fn index(shop: &Shop) -> Vec<String> {
    let conn = shop.app.read();
    let mut held = Vec::new();
    for sql in [
        "select locale || '|' || title || '|' || keyword || '|' || body from search_product
            order by product_id, locale",
        "select word || ' ' || products from search_word order by word",
        "select piece || ' ' || word from search_slip order by piece, word",
    ] {
        let rows = conn.query_all_raw(statement(&conn, sql, [])).await.unwrap();
        held.extend(rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()));
    }
    held
}

#[tokio::test]
async fn what_is_translated_is_found_at_once_and_what_is_taken_back_is_not() {
    let shop = polyglot().await;
    let first = product(&shop, "Tunic", "Red", 1).await;
    let second = product(&shop, "Blouse", "Red", 2).await;
    let before = index(&shop).await;
    let (german, english) = (speaking(&shop, "de"), speaking(&shop, "en"));
    let option = part(&shop, &first, "OPTION").await;
    let value = part(&shop, &option, "OPTION_VALUE").await;
    let (tag, kind) = (part(&shop, &first, "TAG").await, part(&shop, &first, "PRODUCT_TYPE").await);
    let shared = [(&value, "Rot", "red"), (&tag, "Ausverkauf", "sale"), (&kind, "Hemden", "shirts")];
    for (entity, german_name, own) in shared {
        translate(&shop, entity, "de", &[("NAME", Some(german_name))]).await;
        assert_eq!(found(&german, german_name).await, ["p-2", "p-1"], "every product that shares it");
        assert_eq!(found(&german, own).await, NOTHING);
        assert_eq!(found(&english, own).await, ["p-2", "p-1"]);
    }
    translate(&shop, &second, "de", &[("TITLE", Some("Bluse"))]).await;
    assert_eq!(found(&german, "bluse").await, ["p-2"]);
    translate(&shop, &second, "de", &[("TITLE", Some("Kittel"))]).await;
    assert_eq!(found(&german, "bluse").await, NOTHING);
    assert_eq!(found(&german, "kittel rot").await, ["p-2"]);

    // Built anew it is the same, in every language.
    let kept = index(&shop).await;
    let done = engine::search::ops::reindex(&shop.app, |_, _| {}).await.unwrap();
    assert_eq!(done as i64, count(&shop.app.read()).await.unwrap());
    assert_eq!(index(&shop).await, kept);
    assert_eq!(found(&german, "kittel rot").await, ["p-2"]);

    translate(&shop, &second, "de", &[("TITLE", None)]).await;
    assert_eq!(found(&german, "blouse").await, ["p-2"]);
    for (entity, ..) in shared {
        shop.set("translationsDelete", json!({ "entityId": entity }), "translatable { id }").await.done();
    }
    assert_eq!(index(&shop).await, before, "no trace of the words that are gone");
    let gone = json!({ "id": first });
    translate(&shop, &first, "de", &[("TITLE", Some("Hemd"))]).await;
    shop.set("productDelete", gone, "deletedProductId").await.done();
    assert_eq!(found(&german, "hemd").await, NOTHING);
    assert!(index(&shop).await.iter().all(|row| !row.contains("hemd")));
}

#[tokio::test]
async fn tags_and_types_are_shown_in_the_language_of_the_request_and_taken_by_filters_as_they_are() {
    let shop = polyglot().await;
    let first = product(&shop, "Shirt", "Red", 1).await;
    let query = "query($id: ID!) { product(by: { id: $id }) { tags productType own: tags(locale: \"en\") } }";
    let before = speaking(&shop, "de").send(query, json!({ "id": first })).await;
    let option = part(&shop, &first, "OPTION").await;
    let named = [
        (part(&shop, &first, "TAG").await, "Ausverkauf"),
        (part(&shop, &first, "PRODUCT_TYPE").await, "Hemden"),
        (part(&shop, &option, "OPTION_VALUE").await, "Rot"),
        (option, "Farbe"),
    ];
    for (entity, name) in &named {
        translate(&shop, entity, "de", &[("NAME", Some(name))]).await;
    }
    let german = speaking(&shop, "de").send(query, json!({ "id": first })).await;
    assert_eq!(german.at("product"), json!({ "tags": ["Ausverkauf"], "productType": "Hemden", "own": ["Sale"] }));
    assert_eq!(german.statements, before.statements, "read with the other texts");
    let english = speaking(&shop, "en").send(query, json!({ "id": first })).await;
    assert_eq!(english.at("product"), json!({ "tags": ["Sale"], "productType": "Shirts", "own": ["Sale"] }));
    let staff = shop.admin.send(query, json!({ "id": first })).await;
    assert_eq!(staff.at("product.tags"), json!(["Sale"]));

    let facets = "query($filter: ProductFilter) { search(query: \"\", filter: $filter) { totalCount facets {
        tags { value label selected } productTypes { value label } vendors { label }
        options { name label values { value label } } } } }";
    let filter = json!({ "tag": { "eq": "sale" } });
    let shown = speaking(&shop, "de").send(facets, json!({ "filter": filter })).await;
    assert_eq!(shown.at("search.totalCount"), 1);
    let expected = json!({
        "tags": [{ "value": "Sale", "label": "Ausverkauf", "selected": true }],
        "productTypes": [{ "value": "Shirts", "label": "Hemden" }], "vendors": [],
        "options": [{ "name": "Color", "label": "Farbe", "values": [{ "value": "Red", "label": "Rot" }] }],
    });
    assert_eq!(shown.at("search.facets"), expected);
    let plain = shop.store.send(facets, json!({})).await;
    assert_eq!(plain.at("search.facets.tags.0"), json!({ "value": "Sale", "label": "Sale", "selected": false }));
    // What the page begins with, the page, its texts, the number, the facets, their names.
    assert_eq!((plain.statements, shown.statements), (3, 6));
    let wrong = json!({ "entityId": named[0].0, "translations": [{ "locale": "de", "field": "TITLE", "value": "x" }] });
    assert_eq!(shop.set("translationsSet", wrong, "translatable { id }").await.refusals(), ["INVALID"]);
    let viewer = shop.staff("viewer").await;
    let set = "mutation($input: AdminTranslationsSetInput!) { translationsSet(input: $input) { userErrors { code } } }";
    let input = json!({ "entityId": named[0].0, "translations": [] });
    assert_eq!(viewer.send(set, json!({ "input": input })).await.error_code(), "FORBIDDEN");
}

async fn category(shop: &Shop, title: &str, parent: Option<&Value>) -> Value {
    let input = json!({ "title": title, "parentId": parent });
    shop.set("categorySet", input, "category { id handle version }").await.done()["category"]["id"].clone()
}

/// `handle count` of each category, with a star when the filter asks for it.
async fn categories(shop: &Shop, query: &str, filter: Value) -> (Vec<String>, u64) {
    let ask = "query($query: String!, $filter: ProductFilter) { search(query: $query, filter: $filter) {
        facets { categories { category { handle } count selected } } } }";
    let answer = shop.store.send(ask, json!({ "query": query, "filter": filter })).await;
    let listed = answer.at("search.facets.categories");
    let told = listed.as_array().unwrap().iter().map(|facet| {
        let star = if facet["selected"] == true { "*" } else { "" };
        format!("{} {}{star}", facet["category"]["handle"].as_str().unwrap(), facet["count"])
    });
    (told.collect(), answer.statements)
}

#[tokio::test]
async fn hits_are_counted_by_category_and_by_all_above_it() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let home = category(&shop, "Home", None).await;
    let kitchen = category(&shop, "Kitchen", Some(&home)).await;
    let knives = category(&shop, "Knives", Some(&kitchen)).await;
    let garden = category(&shop, "Garden", None).await;
    let empty = category(&shop, "Attic", None).await;
    for (title, vendor, of) in [
        ("Bread Knife", "Edge", vec![&knives, &kitchen]),
        ("Pan", "Forge", vec![&kitchen]),
        ("Garden Knife", "Edge", vec![&garden, &knives]),
        ("Rug", "Loom", vec![&home]),
    ] {
        let input = json!({ "title": title, "vendor": vendor, "status": "PUBLISHED", "categoryIds": of });
        shop.set("productCreate", input, "product { id }").await.done();
    }
    let all = ["home 4", "kitchen 3", "knives 2", "garden 1"];
    // The page, the facets, the categories.
    assert_eq!(categories(&shop, "", json!({})).await, (all.map(str::to_owned).to_vec(), 3));
    let knife = categories(&shop, "knife", json!({})).await.0;
    assert_eq!(knife, ["home 2", "kitchen 2", "knives 2", "garden 1"]);
    let edge = categories(&shop, "", json!({ "vendor": { "eq": "Edge" } })).await.0;
    assert_eq!(edge, ["home 2", "kitchen 2", "knives 2", "garden 1"]);
    // As if its own filter were not there; by handle or by id.
    let chosen = ["home 4", "kitchen 3*", "knives 2", "garden 1"];
    assert_eq!(categories(&shop, "", json!({ "category": { "handle": "kitchen" } })).await.0, chosen);
    assert_eq!(categories(&shop, "", json!({ "category": { "id": kitchen } })).await.0, chosen);
    let vendors = "query($filter: ProductFilter) { search(query: \"\", filter: $filter) { totalCount facets {
        vendors { value count } } } }";
    let narrowed = shop.store.send(vendors, json!({ "filter": { "category": { "handle": "garden" } } })).await;
    assert_eq!(narrowed.at("search.totalCount"), 1);
    assert_eq!(narrowed.at("search.facets.vendors"), json!([{ "value": "Edge", "count": 1 }]));
    let vain = categories(&shop, "", json!({ "category": { "id": empty } })).await.0;
    assert_eq!(vain, ["home 4", "kitchen 3", "knives 2", "garden 1", "attic 0*"], "it stays to be taken off");
    assert_eq!(categories(&shop, "zzz", json!({})).await, (Vec::new(), 2), "the page, the facets");

    // What is below something inactive is not to be seen, nor counted for what is above it.
    shop.set("categorySet", json!({ "id": kitchen, "active": false }), "category { id }").await.done();
    assert_eq!(categories(&shop, "", json!({})).await.0, ["garden 1", "home 1"]);
}

#[tokio::test]
async fn a_product_is_made_and_changed_with_its_categories() {
    let shop = Shop::open().await;
    let (home, garden) = (category(&shop, "Home", None).await, category(&shop, "Garden", None).await);
    let select = "product { id version categories { handle } }";
    let handles = |product: &Value| product["categories"].clone();
    let input = json!({ "title": "Rug", "categoryIds": [garden, home] });
    let made = shop.set("productCreate", input, select).await.done()["product"].clone();
    assert_eq!(handles(&made), json!([{ "handle": "garden" }, { "handle": "home" }]), "the main one first");
    let update = async |input: Value| shop.set("productUpdate", input, select).await;
    let same = update(json!({ "id": made["id"], "title": "Mat" })).await.done()["product"].clone();
    assert_eq!(handles(&same), handles(&made), "what is not named stays");
    let input = json!({ "id": made["id"], "categoryIds": [home], "expectedVersion": same["version"] });
    let fewer = update(input).await.done()["product"].clone();
    assert_eq!(handles(&fewer), json!([{ "handle": "home" }]));
    assert_eq!(fewer["version"].as_i64(), same["version"].as_i64().map(|version| version + 1));
    let none = update(json!({ "id": made["id"], "categoryIds": [] })).await.done()["product"].clone();
    assert_eq!(handles(&none), json!([]));

    let faults = |answer: &Answer, name: &str| {
        let refused = answer.at(&format!("{name}.userErrors"));
        let told = refused.as_array().unwrap().iter().map(|refusal| {
            let path: Vec<_> = refusal["path"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            format!("{} {}", refusal["code"].as_str().unwrap(), path.join("."))
        });
        told.collect::<Vec<_>>()
    };
    let missing = "cat_01h2xcejqtf2nbrexx3vqjhp41";
    let wrong = json!([home, missing, home]);
    let expected = ["NOT_FOUND categoryIds.1", "DUPLICATE categoryIds.2"];
    let refused = shop.set("productCreate", json!({ "title": " ", "categoryIds": wrong }), select).await;
    assert_eq!(faults(&refused, "productCreate"), ["REQUIRED title", expected[0], expected[1]]);
    let refused = update(json!({ "id": made["id"], "handle": "A B", "categoryIds": wrong })).await;
    assert_eq!(faults(&refused, "productUpdate"), ["INVALID handle", expected[0], expected[1]]);
    let refused = update(json!({ "id": made["id"], "categoryIds": vec![&home; 51] })).await;
    assert_eq!(faults(&refused, "productUpdate"), ["TOO_MANY categoryIds"]);
    let refused = update(json!({ "id": made["id"], "categoryIds": ["prod_x"] })).await;
    assert_eq!(faults(&refused, "productUpdate"), ["INVALID categoryIds.0"]);
}
