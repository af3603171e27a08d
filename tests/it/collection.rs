//! Collections: by hand and by rule, shown, ordered, changed.

use chrono::TimeDelta;
use domain::auth::VIEWER;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::buying::{euro, faults};
use crate::support::client::Client;
use crate::support::{Answer, Shop};

/// A published product; `more` goes into the input.
async fn product(shop: &Shop, title: &str, more: Value) -> String {
    let mut input = json!({ "title": title, "status": "PUBLISHED" });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = shop.set("productCreate", input, "product { id }").await.done();
    made["product"]["id"].as_str().unwrap().to_owned()
}

async fn set(shop: &Shop, input: Value) -> Answer {
    shop.set("collectionSet", input, "collection { id handle version kind }").await
}

async fn made(shop: &Shop, input: Value) -> Value {
    set(shop, input).await.done()["collection"].clone()
}

/// The titles of a list of nodes.
fn titles(nodes: &Value) -> Vec<String> {
    nodes.as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect()
}

/// The titles of a collection's products as `client` sees them.
async fn members(client: &Client, id: &Value, arguments: &str) -> Vec<String> {
    let query = format!(
        "query($id: ID!) {{ collection(by: {{ id: $id }}) {{ products(first: 100{arguments}) {{ nodes {{ title }} }} }} }}"
    );
    titles(&client.send(&query, json!({ "id": id })).await.at("collection.products.nodes"))
}

#[tokio::test]
async fn a_collection_by_hand_keeps_its_order() {
    let shop = Shop::open().await;
    let mut ids = Vec::new();
    for title in ["A", "B", "C", "D", "E"] {
        ids.push(product(&shop, title, json!({})).await);
    }
    let input = json!({
        "title": "Picks", "descriptionHtml": "<b>Best</b><script>x()</script>", "seoTitle": "Our picks",
        "picture": { "url": "/media/picks.jpg", "alt": "Picks" }, "productIds": [ids[2], ids[0], ids[1]],
    });
    let picks = made(&shop, input).await;
    assert_eq!(picks["kind"], "MANUAL");
    let query = "{ collection(by: { handle: \"picks\" }) {
        title descriptionHtml seoTitle seoDescription picture { url alt kind }
        products { totalCount nodes { title } } } }";
    let shown = shop.store.send(query, json!({})).await.at("collection");
    let expected = json!({
        "title": "Picks", "descriptionHtml": "<b>Best</b>", "seoTitle": "Our picks", "seoDescription": null,
        "picture": { "url": "/media/picks.jpg", "alt": "Picks", "kind": "IMAGE" },
        "products": { "totalCount": 3, "nodes": [{ "title": "C" }, { "title": "A" }, { "title": "B" }] },
    });
    assert_eq!(shown, expected);

    let id = &picks["id"];
    let change = async |mutation: &str, input: Value| {
        let mut input = input;
        input["id"] = id.clone();
        shop.set(mutation, input, "collection { version }").await
    };
    let added = change("collectionProductsAdd", json!({ "productIds": [ids[3], ids[0], ids[4]] })).await.done();
    assert_eq!(added["collection"]["version"], 2);
    assert_eq!(members(&shop.store, id, "").await, ["C", "A", "B", "D", "E"]);
    let moves = json!([{ "productId": ids[4], "position": 0 }, { "productId": ids[2], "position": 99 }]);
    change("collectionProductsReorder", json!({ "moves": moves, "expectedVersion": 2 })).await.done();
    assert_eq!(members(&shop.store, id, "").await, ["E", "A", "B", "D", "C"]);
    let backwards = ", sort: [{ field: MANUAL, direction: DESC }]";
    assert_eq!(members(&shop.store, id, backwards).await, ["C", "D", "B", "A", "E"]);
    assert_eq!(members(&shop.store, id, ", sort: [{ field: TITLE }]").await, ["A", "B", "C", "D", "E"]);
    change("collectionProductsRemove", json!({ "productIds": [ids[1], ids[3]] })).await.done();
    assert_eq!(members(&shop.store, id, "").await, ["E", "A", "C"]);
    shop.set("productDelete", json!({ "id": ids[0] }), "deletedProductId").await.done();
    assert_eq!(members(&shop.admin, id, "").await, ["E", "C"]);
    change("collectionProductsReorder", json!({ "moves": [{ "productId": ids[2], "position": 0 }] })).await.done();
    assert_eq!(members(&shop.store, id, "").await, ["C", "E"]);

    let none = change("collectionProductsRemove", json!({ "productIds": [ids[1]] })).await.done();
    assert_eq!(none["collection"]["version"], 5, "nothing changed");
    let stale = change("collectionProductsAdd", json!({ "productIds": [ids[1]], "expectedVersion": 2 })).await;
    assert_eq!(faults(&stale), ["CONFLICT expectedVersion"]);
    let wrong = json!({ "moves": [{ "productId": ids[1], "position": 0 }, { "productId": ids[0], "position": 0 }] });
    let wrong = change("collectionProductsReorder", wrong).await;
    assert_eq!(faults(&wrong), ["NOT_FOUND moves.0.productId", "NOT_FOUND moves.1.productId"]);
    let gone = change("collectionProductsAdd", json!({ "productIds": [ids[1], ids[0], ids[1]] })).await;
    assert_eq!(faults(&gone), ["DUPLICATE productIds.2"]);
    let gone = change("collectionProductsAdd", json!({ "productIds": [ids[1], ids[0]] })).await;
    assert_eq!(faults(&gone), ["NOT_FOUND productIds.1"]);
    let many = vec![ids[1].clone(); 251];
    let many = change("collectionProductsAdd", json!({ "productIds": many })).await;
    assert_eq!(faults(&many), ["TOO_MANY productIds"]);
}

/// Five products that differ in what rules ask.
async fn goods(shop: &Shop) -> Vec<String> {
    shop.europe(&["DE"], true).await;
    let variant = |price: &str, stock: i32, color: &str| {
        json!([{ "prices": [{ "amount": euro(price) }], "stock": stock,
                 "options": [{ "name": "Color", "value": color }] }])
    };
    let listed = [
        ("Anvil", "Forge", "Tools", json!(["Iron"]), variant("9.00", 5, "Black")),
        ("Bellows", "Forge", "Tools", json!(["leather"]), variant("3.00", 0, "Brown")),
        ("Chisel", "Edge", "Tools", json!(["iron", "Sale"]), variant("3.00", 2, "Black")),
        ("Drill", "Edge", "Machines", json!([]), variant("40.00", 1, "Red")),
        ("Easel", "Edge", "Studio", json!(["sale"]), variant("12.00", 9, "Brown")),
    ];
    let mut ids = Vec::new();
    for (title, vendor, kind, tags, variants) in listed {
        let more = json!({ "vendor": vendor, "productType": kind, "tags": tags, "variants": variants });
        ids.push(product(shop, title, more).await);
        shop.pass(TimeDelta::seconds(1));
    }
    ids
}

#[tokio::test]
async fn a_rule_chooses_the_products_of_a_collection() {
    let shop = Shop::open().await;
    goods(&shop).await;
    let rules: [(&str, Value, &[&str]); 10] = [
        ("ALL", json!([{ "tag": ["IRON"] }]), &["Anvil", "Chisel"]),
        ("ALL", json!([{ "tag": ["iron", "sale"] }, { "vendor": ["Edge"] }]), &["Chisel", "Easel"]),
        ("ANY", json!([{ "tag": ["leather"] }, { "productType": ["machines"] }]), &["Bellows", "Drill"]),
        ("ALL", json!([{ "titleContains": "E" }]), &["Bellows", "Chisel", "Easel"]),
        ("ALL", json!([{ "titleContains": "%" }]), &[]),
        ("ALL", json!([{ "price": [{ "gte": euro("3.00"), "lte": euro("9.00") }] }]), &["Anvil", "Bellows", "Chisel"]),
        ("ALL", json!([{ "price": [{ "gte": { "amount": "1", "currencyCode": "USD" } }] }]), &[]),
        (
            "ALL",
            json!([{ "optionValue": { "name": "color", "values": ["BLACK", "Red"] } }]),
            &["Anvil", "Chisel", "Drill"],
        ),
        ("ALL", json!([{ "available": false }]), &["Bellows"]),
        (
            "ALL",
            json!([{ "createdWithinDays": 1 }, { "productType": ["Tools"] }, { "available": true }]),
            &["Anvil", "Chisel"],
        ),
    ];
    for (place, (matching, conditions, expected)) in rules.into_iter().enumerate() {
        let input = json!({
            "handle": "rule", "title": "By rule", "rule": { "match": matching, "conditions": conditions },
        });
        let collection = made(&shop, input).await;
        assert_eq!((&collection["kind"], &collection["version"]), (&json!("RULES"), &json!(place + 1)));
        let sorted = ", sort: [{ field: TITLE }]";
        assert_eq!(members(&shop.store, &collection["id"], sorted).await, expected, "{conditions}");
        let filter = "{ products(sort: [{ field: TITLE }], filter: { collection: { handle: \"rule\" } }) {
            nodes { title } } }";
        let found = shop.store.send(filter, json!({})).await;
        assert_eq!(titles(&found.at("products.nodes")), expected, "{conditions}");
        let filter = "{ products(sort: [{ field: TITLE }], filter: { product: { collection: { handle: \"rule\" } } }) {
            nodes { title } } }";
        assert_eq!(titles(&shop.admin.send(filter, json!({})).await.at("products.nodes")), expected, "{conditions}");
        let every = shop
            .store
            .send("{ products(sort: [{ field: TITLE }]) { nodes { title collections { handle } } } }", json!({}))
            .await;
        let nodes = every.at("products.nodes");
        let inside: Vec<_> = nodes.as_array().unwrap().iter().filter(|node| node["collections"] != json!([])).collect();
        assert_eq!(inside.iter().map(|node| node["title"].as_str().unwrap()).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn a_rule_is_always_up_to_date_and_comes_back_as_it_was_given() {
    let shop = Shop::open().await;
    let ids = goods(&shop).await;
    let since = "2020-01-01T00:00:00Z";
    let conditions = json!([
        { "tag": [" Sale "] }, { "price": [{ "lte": euro("12.00") }] }, { "createdSince": since },
    ]);
    let sale = made(&shop, json!({ "title": "Sale", "rule": { "conditions": conditions } })).await;
    assert_eq!(members(&shop.store, &sale["id"], "").await, ["Easel", "Chisel"], "the newest first");
    shop.set("productUpdate", json!({ "id": ids[0], "tags": ["sale"] }), "product { id }").await.done();
    assert_eq!(members(&shop.store, &sale["id"], "").await, ["Easel", "Chisel", "Anvil"]);
    let query = "query($id: ID!) { collection(by: { id: $id }) { version rule { match conditions {
        tag vendor price { gte { amount } lte { amount currencyCode } } createdSince available } } } }";
    let told = shop.admin.send(query, json!({ "id": sale["id"] })).await.at("collection");
    let bare = json!({ "tag": null, "vendor": null, "price": null, "createdSince": null, "available": null });
    let with = |name: &str, value: Value| {
        let mut condition = bare.clone();
        condition[name] = value;
        condition
    };
    let range = json!([{ "gte": null, "lte": { "amount": "12.00", "currencyCode": "EUR" } }]);
    let expected =
        [with("tag", json!(["Sale"])), with("price", range), with("createdSince", json!("2020-01-01T00:00:00+00:00"))];
    assert_eq!(told["rule"], json!({ "match": "ALL", "conditions": expected }));
    assert_eq!(told["version"], 1, "the products changed, the collection did not");

    let listed = json!({ "id": sale["id"], "productIds": [ids[3]], "expectedVersion": 1 });
    assert_eq!(made(&shop, listed).await["kind"], "MANUAL");
    assert_eq!(members(&shop.store, &sale["id"], "").await, ["Drill"]);
    let renamed = made(&shop, json!({ "id": sale["id"], "handle": "drills", "title": "Drills" })).await;
    assert_eq!((&renamed["handle"], &renamed["version"]), (&json!("drills"), &json!(3)));
    assert_eq!(members(&shop.store, &sale["id"], "").await, ["Drill"], "what is left out stays");
}

#[tokio::test]
async fn everything_wrong_with_a_collection_is_named_at_once() {
    let shop = Shop::open().await;
    let nowhere = "prod_01h2xcejqtf2nbrexx3vqjhp41";
    let input = json!({
        "title": " ", "handle": "ok", "picture": { "url": "javascript:alert(1)" },
        "rule": { "conditions": [{ "tag": [] }, { "createdWithinDays": 0 }] },
        "productIds": [nowhere], "channelIds": ["chan_01h2xcejqtf2nbrexx3vqjhp41"], "seoTitle": " ",
    });
    let expected = [
        "REQUIRED title",
        "REQUIRED seoTitle",
        "REQUIRED rule.conditions.0.tag",
        "INVALID rule.conditions.1.createdWithinDays",
        "INVALID productIds",
        "NOT_FOUND productIds.0",
        "INVALID picture.url",
        "NOT_FOUND channelIds.0",
    ];
    assert_eq!(faults(&set(&shop, input).await), expected);
    assert_eq!(shop.admin.send("{ collections { totalCount } }", json!({})).await.at("collections.totalCount"), 0);

    let one = made(&shop, json!({ "title": "One" })).await;
    made(&shop, json!({ "title": "Two" })).await;
    assert_eq!(faults(&set(&shop, json!({ "id": one["id"], "handle": "two" })).await), ["TAKEN handle"]);
    assert_eq!(
        faults(&set(&shop, json!({ "title": "One", "expectedVersion": 0 })).await),
        ["CONFLICT expectedVersion"]
    );
    assert_eq!(made(&shop, json!({ "title": "One", "expectedVersion": 1 })).await["id"], one["id"]);
    let category = json!({ "conditions": [{ "categoryId": "cat_01h2xcejqtf2nbrexx3vqjhp41" }] });
    let unknown = set(&shop, json!({ "title": "Three", "rule": category })).await;
    assert_eq!(faults(&unknown), ["NOT_FOUND rule.conditions.0.categoryId"]);
    let rule = made(&shop, json!({ "title": "Rule", "rule": { "conditions": [{ "available": true }] } })).await;
    let add = json!({ "id": rule["id"], "productIds": [] });
    assert_eq!(faults(&shop.set("collectionProductsAdd", add, "collection { id }").await), ["STATE_INVALID id"]);
    let stale = json!({ "id": one["id"], "expectedVersion": 1 });
    assert_eq!(faults(&shop.set("collectionDelete", stale, "deletedCollectionId").await), ["CONFLICT expectedVersion"]);
    let gone = shop.set("collectionDelete", json!({ "id": one["id"] }), "deletedCollectionId").await.done();
    assert_eq!(gone["deletedCollectionId"], one["id"]);
    assert_ne!(made(&shop, json!({ "title": "One" })).await["id"], one["id"], "the handle is free again");
}

#[tokio::test]
async fn only_what_is_published_in_the_channel_is_to_be_seen() {
    let shop = Shop::open().await;
    let channel = shop.set("channelCreate", json!({ "name": "Wholesale" }), "channel { id }").await.done();
    let channel = channel["channel"]["id"].clone();
    let key = json!({ "title": "B2B", "channelId": channel });
    let key = shop.set("publishableKeyCreate", key, "publishableKey { token }").await.done();
    let wholesale = shop.store.with("x-publishable-key", key["publishableKey"]["token"].as_str().unwrap());
    let seen = product(&shop, "Seen", json!({})).await;
    let draft = product(&shop, "Draft", json!({ "status": "DRAFT" })).await;
    let later = (shop.app.clock.now() + TimeDelta::hours(1)).to_rfc3339();
    let both = json!([seen, draft]);
    let here = made(&shop, json!({ "title": "Here", "productIds": both })).await;
    let there = made(&shop, json!({ "title": "There", "productIds": both, "channelIds": [channel] })).await;
    let soon = made(&shop, json!({ "title": "Soon", "productIds": both, "publishAt": later })).await;

    let query = "query($id: ID!) { collection(by: { id: $id }) { id } node(id: $id) { id } collections { nodes { id } }
        products(filter: { collection: { id: $id } }) { nodes { title } } }";
    let sees = async |client: &Client, id: &Value| {
        let answer = client.send(query, json!({ "id": id })).await;
        let listed = answer.at("collections.nodes").as_array().unwrap().iter().any(|node| node["id"] == *id);
        let found = [answer.at("collection"), answer.at("node")].map(|found| found["id"] == *id);
        (found, listed, titles(&answer.at("products.nodes")))
    };
    let nothing = || ([false; 2], false, Vec::<String>::new());
    let everything = || ([true; 2], true, vec!["Seen".to_owned()]);
    assert_eq!(sees(&shop.store, &here["id"]).await, everything());
    assert_eq!(sees(&shop.store, &there["id"]).await, nothing());
    assert_eq!(sees(&wholesale, &there["id"]).await, everything());
    assert_eq!(sees(&shop.store, &soon["id"]).await, nothing());
    let listed = shop.store.send("{ products { nodes { collections { title } } } }", json!({})).await;
    assert_eq!(listed.at("products.nodes.0.collections"), json!([{ "title": "Here" }]));
    assert_eq!(members(&shop.admin, &soon["id"], "").await, ["Seen", "Draft"]);
    let filter = json!({ "channelId": channel });
    let admin = "query($filter: AdminCollectionFilter) { collections(filter: $filter) { totalCount nodes { title
        publications { channel { handle } } } } }";
    let only = shop.admin.send(admin, json!({ "filter": filter })).await;
    assert_eq!(only.at("collections.totalCount"), 3, "a new collection is in every open channel");
    let text = shop.admin.send(admin, json!({ "filter": { "text": "THE re", "kind": "MANUAL" } })).await;
    let expected = json!([{ "title": "There", "publications": [{ "channel": { "handle": "wholesale" } }] }]);
    assert_eq!(text.at("collections.nodes"), expected);
    shop.pass(TimeDelta::hours(2));
    assert_eq!(sees(&shop.store, &soon["id"]).await, everything());
}

#[tokio::test]
async fn staff_need_permission_and_what_they_did_is_kept() {
    let shop = Shop::open().await;
    let mine = made(&shop, json!({ "title": "Mine" })).await;
    let viewer = shop.staff(VIEWER).await;
    let read = "query($id: ID!) { collection(by: { id: $id }) { title } node(id: $id) { id } }";
    assert_eq!(viewer.send(read, json!({ "id": mine["id"] })).await.at("collection.title"), "Mine");
    let write = r#"mutation { collectionSet(input: { title: "Theirs" }) { collection { id } userErrors { code } } }"#;
    assert_eq!(viewer.send(write, json!({})).await.error_code(), "FORBIDDEN");
    assert_eq!(shop.anonymous_admin.send(read, json!({ "id": mine["id"] })).await.error_code(), "UNAUTHENTICATED");
    shop.set("collectionDelete", json!({ "id": mine["id"] }), "deletedCollectionId").await.done();

    let conn = shop.app.read();
    let events = entity::event::Entity::find().all(&conn).await.unwrap();
    let own: Vec<_> = events.iter().filter(|event| event.aggregate_type == "collection").collect();
    let told: Vec<_> = own.iter().map(|event| (event.sequence, event.kind.as_str())).collect();
    assert_eq!(told, [(1, "collection.created"), (2, "collection.deleted")]);
    let kept = entity::audit_entry::Entity::find().all(&conn).await.unwrap();
    let ops: Vec<_> = kept.iter().filter(|row| row.op.starts_with("collection.")).map(|row| row.op.as_str()).collect();
    assert_eq!(ops, ["collection.set", "collection.delete"]);
}

#[tokio::test]
async fn pages_of_a_collection_visit_every_product_once() {
    let shop = Shop::open().await;
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.push(product(&shop, &format!("P{number}"), json!({})).await);
    }
    ids.reverse();
    let picks = made(&shop, json!({ "title": "Picks", "productIds": ids })).await;
    let query = "query($id: ID!, $after: String, $field: CollectionProductSortField!) { collection(by: { id: $id }) {
        products(first: 3, after: $after, sort: [{ field: $field }]) {
            nodes { id } pageInfo { hasNextPage endCursor } } } }";
    let (mut seen, mut after) = (Vec::new(), json!(null));
    loop {
        let variables = json!({ "id": picks["id"], "after": after, "field": "MANUAL" });
        let page = shop.store.send(query, variables).await.at("collection.products");
        seen.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        assert!(seen.len() < 7, "it never ends");
    }
    assert_eq!(seen, ids);
    let other = json!({ "id": picks["id"], "after": after, "field": "TITLE" });
    assert_eq!(shop.store.send(query, other).await.error_code(), "CURSOR_MISMATCH");
    let other = made(&shop, json!({ "title": "Others", "productIds": ids })).await;
    let other = json!({ "id": other["id"], "after": after, "field": "MANUAL" });
    assert_eq!(shop.store.send(query, other).await.error_code(), "CURSOR_MISMATCH");
}

#[tokio::test]
async fn statements_do_not_grow_with_products_or_collections() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let of_products = "{ products(first: 100) { nodes { title collections { handle } } } }";
    let of_collections = "{ collections(first: 50) { nodes { handle products(first: 2) { totalCount nodes {
        title featuredMedia { url } } } } } }";
    let filtered = "{ products(filter: { collection: { handle: \"rule-0\" } }) { nodes { title } } }";
    let mut counts = Vec::new();
    let mut ids = Vec::new();
    for size in [1, 4, 12] {
        while ids.len() < size {
            let number = ids.len();
            ids.push(product(&shop, &format!("P{number}"), json!({ "tags": ["t"] })).await);
            let rule = json!({ "conditions": [{ "tag": ["t"] }] });
            made(&shop, json!({ "title": format!("Rule {number}"), "rule": rule })).await;
            made(&shop, json!({ "title": format!("Hand {number}"), "productIds": ids })).await;
        }
        let products = shop.store.send(of_products, json!({})).await;
        let nodes = products.at("products.nodes");
        let found: usize =
            nodes.as_array().unwrap().iter().map(|node| node["collections"].as_array().unwrap().len()).sum();
        assert_eq!(found, size * size + size * (size + 1) / 2);
        let collections = shop.store.send(of_collections, json!({})).await;
        assert_eq!(collections.at("collections.nodes").as_array().unwrap().len(), size * 2);
        assert_eq!(collections.at("collections.nodes.0.products.totalCount"), 1, "Hand 0 lists the first");
        let filtered = shop.store.send(filtered, json!({})).await;
        assert_eq!(filtered.at("products.nodes").as_array().unwrap().len(), size);
        counts.push((products.statements, collections.statements, filtered.statements));
    }
    // The page, the lists and the rules asked. The collections, what the rules begin with, a page of
    // each kind of sort, the numbers, the media. The collection, what it begins with, the page.
    assert_eq!(counts, [(2, 6, 3); 3]);
}

#[tokio::test]
async fn a_filter_names_at_most_twenty_collections() {
    let shop = Shop::open().await;
    product(&shop, "A", json!({})).await;
    made(&shop, json!({ "title": "Rule", "rule": { "conditions": [{ "titleContains": "a" }] } })).await;
    let query = "query($any: [ProductFilter!]) { products(filter: { or: $any }) { totalCount } }";
    let many = |count: usize| json!({ "any": vec![json!({ "collection": { "handle": "rule" } }); count] });
    assert_eq!(shop.store.send(query, many(20)).await.at("products.totalCount"), 1);
    assert_eq!(shop.store.send(query, many(21)).await.error_code(), "TOO_MANY");
    let strange = json!({ "any": [{ "collection": { "id": "prod_x" } }] });
    assert_eq!(shop.store.send(query, strange).await.error_code(), "INVALID");
    let everything_else = "{ products(filter: { not: { collection: { handle: \"none\" } } }) { totalCount } }";
    assert_eq!(shop.store.send(everything_else, json!({})).await.at("products.totalCount"), 1);
}

#[tokio::test]
async fn both_surfaces_in_one_request_see_what_is_theirs() {
    let shop = Shop::open().await;
    let id = product(&shop, "A", json!({})).await;
    let hidden = json!({ "title": "Hidden", "productIds": [id], "channelIds": [] });
    made(&shop, hidden).await;
    made(&shop, json!({ "title": "Shown", "productIds": [id] })).await;
    let op = engine::auth::keys::CreateApiKey {
        title: "Tool".to_owned(),
        role: "viewer".to_owned(),
        secret: engine::auth::token::random_token(engine::auth::API_KEY_PREFIX),
    };
    shop.app.run(&engine::actor::Caller::system(), &op).await.unwrap();
    let unified = Client::new(format!("http://{}/graphql", shop.address)).bearer(&op.secret);
    let inside = "collection(by: { handle: \"shown\" }) {
        products(filter: { collection: { handle: \"hidden\" } }) { totalCount } }";
    let query = format!("{{ store {{ {inside} }} admin {{ {inside} }} }}");
    let answer = unified.send(&query, json!({})).await;
    assert_eq!(answer.at("store.collection.products.totalCount"), 0);
    assert_eq!(answer.at("admin.collection.products.totalCount"), 1);
}
