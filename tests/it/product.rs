//! Products in depth: set from outside, many variants at once, copied,
//! scheduled, options shared, products beside products.

use chrono::TimeDelta;
use domain::auth::VIEWER;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::buying::{euro, faults};
use crate::support::{Answer, Shop};

async fn events(shop: &Shop) -> i64 {
    let sql = "select count(*) from event where aggregate_type in ('product', 'option')";
    let conn = shop.app.read();
    let row = conn.query_one_raw(engine::db::statement(&conn, sql, [])).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

const PRODUCT: &str = "outcome product { id handle version status title tags media { url } options { name values }
    variants { id version title sku externalReference weightGrams lengthMm hsCode originCountry
        prices { amount { amount } } stockLevels { stocked } } }";

async fn set(shop: &Shop, input: Value) -> Answer {
    shop.set("productSet", input, PRODUCT).await
}

fn variant(reference: &str, sku: &str, size: &str) -> Value {
    json!({ "externalReference": reference, "sku": sku, "options": [{ "name": "Size", "value": size }],
        "prices": [{ "amount": euro("10.00") }], "stock": 4 })
}

fn cap() -> Value {
    json!({
        "by": { "externalReference": "erp-1" }, "title": "Cap", "status": "PUBLISHED", "tags": ["New", "Hat"],
        "productType": "Hats", "vendor": "Ridge", "media": [{ "url": "/a.jpg" }, { "url": "/b.jpg", "alt": "Back" }],
        "variants": [variant("v-1", "CAP-S", "S"), variant("v-2", "CAP-M", "M")],
    })
}

async fn capped() -> (Shop, Value) {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let made = set(&shop, cap()).await.done();
    assert_eq!(made["outcome"], "CREATED");
    let product = made["product"].clone();
    (shop, product)
}

#[tokio::test]
async fn a_product_that_is_set_twice_is_changed_once() {
    let (shop, made) = capped().await;
    assert_eq!((&made["handle"], &made["version"]), (&json!("cap"), &json!(1)));
    let before = events(&shop).await;
    let again = set(&shop, cap()).await.done();
    assert_eq!((&again["outcome"], &again["product"]), (&json!("UNCHANGED"), &made));
    assert_eq!(events(&shop).await, before, "nothing is announced");
    let by_handle = json!({ "by": { "handle": "cap" }, "title": "Cap" });
    assert_eq!(set(&shop, by_handle).await.done()["outcome"], "UNCHANGED", "what is not named stays");
    let renamed = json!({ "by": { "id": made["id"] }, "title": "Hat", "expectedVersion": 1 });
    let renamed = set(&shop, renamed.clone()).await.done();
    assert_eq!((&renamed["outcome"], &renamed["product"]["version"]), (&json!("UPDATED"), &json!(2)));
    assert_eq!(renamed["product"]["variants"], made["variants"]);
    assert_eq!(events(&shop).await, before + 1);
}

#[tokio::test]
async fn a_list_that_is_set_is_the_whole_list() {
    let (shop, made) = capped().await;
    let old = |place: usize| made["variants"][place]["id"].clone();
    // Two change their numbers with each other, one is new; then one goes.
    let variants = json!([
        { "id": old(1), "sku": "CAP-S", "weightGrams": 80, "lengthMm": 200, "hsCode": "6505.00", "originCountry": "PT" },
        { "id": old(0), "sku": "CAP-M", "prices": [] },
        variant("v-3", "CAP-L", "L"),
    ]);
    let input = json!({ "by": { "externalReference": "erp-1" }, "variants": variants, "media": [{ "url": "/b.jpg" }],
        "tags": ["Hat"] });
    let product = set(&shop, input).await.done()["product"].clone();
    assert_eq!((&product["tags"], &product["media"]), (&json!(["Hat"]), &json!([{ "url": "/b.jpg" }])));
    let told = |place: usize, name: &str| product["variants"][place][name].clone();
    assert_eq!([told(0, "id"), told(0, "sku"), told(0, "title")], [old(1), json!("CAP-S"), json!("M")]);
    assert_eq!([told(0, "hsCode"), told(0, "originCountry")], [json!("650500"), json!("PT")]);
    assert_eq!([told(0, "weightGrams"), told(0, "lengthMm")], [json!(80), json!(200)]);
    assert_eq!([told(1, "sku"), told(1, "prices")], [json!("CAP-M"), json!([])]);
    assert_eq!(told(2, "stockLevels"), json!([{ "stocked": 4 }]));
    let one = json!({ "by": { "externalReference": "erp-1" }, "variants": [{ "externalReference": "v-3" }] });
    let product = set(&shop, one).await.done()["product"].clone();
    assert_eq!(product["variants"].as_array().unwrap().len(), 1);
    assert_eq!(product["options"], json!([{ "name": "Size", "values": ["L"] }]));
}

#[tokio::test]
async fn a_product_that_can_t_be_set_says_why() {
    let (shop, made) = capped().await;
    let refused = async |input: Value| faults(&set(&shop, input).await);
    let by = json!({ "externalReference": "erp-1" });
    assert_eq!(refused(json!({ "by": { "externalReference": "erp-2" } })).await, ["REQUIRED title"]);
    assert_eq!(refused(json!({ "by": by, "expectedVersion": 9 })).await, ["CONFLICT expectedVersion"]);
    let other = json!({ "by": { "handle": "mug" }, "title": "Mug", "variants": [{ "sku": "CAP-S" }] });
    assert_eq!(refused(other).await, ["TAKEN variants.0.sku"]);
    let other = json!({ "by": { "handle": "mug" }, "title": "Mug", "variants": [{ "externalReference": "v-1" }] });
    assert_eq!(refused(other).await, ["TAKEN variants.0.externalReference"]);
    let id = made["variants"][0]["id"].clone();
    let twice = json!({ "by": by, "variants": [{ "id": id, "lengthMm": 0, "hsCode": "12" }, { "sku": "CAP-S" }] });
    let expected = [
        "DUPLICATE variants.1.id",
        "INVALID variants.0.lengthMm",
        "INVALID variants.0.hsCode",
        "DUPLICATE variants.1.sku",
        "DUPLICATE variants.1.externalReference",
        "DUPLICATE variants.1.options",
    ];
    let mut found = refused(twice).await;
    found.sort();
    let mut expected = expected.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(found, expected);
    let viewer = shop.staff(VIEWER).await;
    let write = "mutation { productSet(input: { by: { handle: \"x\" } }) { outcome } }";
    assert_eq!(viewer.send(write, json!({})).await.error_code(), "FORBIDDEN");
}

const BULK: &str = "created updated unchanged deleted refused results { index outcome variant { sku } }";

async fn bulk(shop: &Shop, rows: Value, on_error: &str) -> Answer {
    shop.set("productVariantsBulkSet", json!({ "rows": rows, "onError": on_error }), BULK).await
}

#[tokio::test]
async fn many_variants_of_several_products_are_written_at_once() {
    let (shop, cap) = capped().await;
    let mug = json!({ "by": { "handle": "mug" }, "title": "Mug", "variants": [{ "sku": "MUG" }] });
    set(&shop, mug).await.done();
    let rows = json!([
        { "productId": cap["id"], "variant": variant("v-3", "CAP-L", "L") },
        { "variant": { "sku": "MUG", "barcode": "4006381333931" } },
        { "variant": { "externalReference": "v-1", "sku": "CAP-S" } },
        { "variant": { "id": cap["variants"][1]["id"] }, "delete": true },
    ]);
    let done = bulk(&shop, rows, "ABORT").await.done();
    let outcomes: Vec<_> = (0..4).map(|place| done["results"][place]["outcome"].clone()).collect();
    assert_eq!(outcomes, ["CREATED", "UPDATED", "UNCHANGED", "DELETED"]);
    assert_eq!([&done["created"], &done["updated"], &done["unchanged"], &done["deleted"]], [1, 1, 1, 1]);
    assert_eq!(done["results"][0]["variant"], json!({ "sku": "CAP-L" }));
    let query = "{ product(by: { handle: \"cap\" }) { version variants { sku title } } }";
    let product = shop.admin.send(query, json!({})).await.at("product");
    let left = json!([{ "sku": "CAP-S", "title": "S" }, { "sku": "CAP-L", "title": "L" }]);
    assert_eq!((&product["version"], &product["variants"]), (&json!(2), &left));
}

#[tokio::test]
async fn a_refused_row_refuses_all_or_itself() {
    let (shop, cap) = capped().await;
    let rows = json!([
        { "productId": cap["id"], "variant": variant("v-3", "CAP-L", "L") },
        { "productId": cap["id"], "variant": variant("v-4", "CAP-M", "XL") },
        { "variant": { "sku": "NEW" } },
        { "productId": cap["id"], "variant": variant("v-5", "CAP-X", "S") },
        { "variant": { "sku": "CAP-S", "weightGrams": -1 } },
        { "variant": { "sku": "NOWHERE" }, "delete": true },
        { "productId": cap["id"], "variant": variant("v-6", "CAP-L", "XXL") },
    ]);
    let expected = [
        "REQUIRED rows.2.productId",
        "DUPLICATE rows.3.variant.options",
        "INVALID rows.4.variant.weightGrams",
        "NOT_FOUND rows.5.variant.id",
        "TAKEN rows.6.variant.sku",
    ];
    let told =
        |answer: &Answer| faults(answer).into_iter().filter(|fault| !fault.contains("rows.1.")).collect::<Vec<_>>();
    let before = events(&shop).await;
    let refused = bulk(&shop, rows.clone(), "ABORT").await;
    assert!(expected.iter().all(|fault| told(&refused).contains(&(*fault).to_owned())), "{:?}", faults(&refused));
    assert_eq!(refused.at("productVariantsBulkSet.results"), json!(null));
    assert_eq!(events(&shop).await, before, "nothing was written");
    let skipped = bulk(&shop, rows, "SKIP_ROW").await;
    let payload = skipped.at("productVariantsBulkSet");
    assert_eq!(payload["results"][0]["outcome"], "CREATED");
    assert!([2, 3, 4, 5, 6].iter().all(|row: &usize| payload["results"][row]["outcome"] == "REFUSED"), "{payload}");
    assert_eq!(payload["created"], 1);
    let all: Vec<Value> = cap["variants"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    let mug = json!({ "by": { "handle": "mug" }, "title": "Mug", "variants": [{ "sku": "MUG" }] });
    set(&shop, mug).await.done();
    let last = bulk(&shop, json!([{ "variant": { "sku": "MUG" }, "delete": true }]), "ABORT").await;
    assert_eq!(faults(&last), ["IN_USE rows.0.delete"]);
    assert_eq!(faults(&bulk(&shop, json!([]), "ABORT").await), ["REQUIRED rows"]);
    let twice = json!([{ "variant": { "id": all[0] } }, { "variant": { "id": all[0] } }]);
    assert_eq!(faults(&bulk(&shop, twice, "ABORT").await), ["DUPLICATE rows.1.variant.id"]);
}

#[tokio::test]
async fn statements_of_many_rows_do_not_grow_with_the_rows() {
    let (shop, _) = capped().await;
    let mut counts = Vec::new();
    for count in [2, 200] {
        let handle = format!("big-{count}");
        let made = json!({ "by": { "handle": handle }, "title": handle, "variants": [variant("", &handle, "one")] });
        let product = set(&shop, made).await.done()["product"]["id"].clone();
        let row = |number: usize| {
            let sku = format!("B{count}-{number}");
            json!({ "productId": product, "variant": variant(&sku, &sku, &sku) })
        };
        let rows: Vec<Value> = (0..count).map(row).collect();
        let answer = bulk(&shop, json!(rows), "ABORT").await;
        assert_eq!(answer.done()["created"], count);
        counts.push(answer.statements);
    }
    assert_eq!(counts[0], counts[1]);
    let rows: Vec<Value> = (0..2001).map(|_| json!({ "variant": { "sku": "X" } })).collect();
    assert_eq!(faults(&bulk(&shop, json!(rows), "ABORT").await), ["TOO_MANY rows"]);
}

#[tokio::test]
async fn the_grid_of_variants_is_filtered_sorted_and_paged() {
    let (shop, cap) = capped().await;
    let mug = json!({ "by": { "handle": "mug" }, "title": "Mug",
        "variants": [{ "sku": "mug", "barcode": "4006381333931" }] });
    set(&shop, mug).await.done();
    let skus = async |arguments: &str| {
        let query = format!("{{ productVariants({arguments}) {{ totalCount nodes {{ sku product {{ title }} }} }} }}");
        let answer = shop.admin.send(&query, json!({})).await;
        let nodes = answer.at("productVariants.nodes");
        let skus: Vec<_> =
            nodes.as_array().unwrap().iter().map(|node| node["sku"].as_str().unwrap().to_owned()).collect();
        // Who asks, the number, the page, and the products of all its rows.
        let expected = if skus.is_empty() { 3 } else { 4 };
        assert_eq!(answer.statements, expected, "{arguments}");
        skus.join(" ")
    };
    assert_eq!(skus("first: 10").await, "CAP-M CAP-S mug");
    assert_eq!(skus("first: 1, offset: 1").await, "CAP-S");
    assert_eq!(skus("sort: [{ field: NEWEST, direction: DESC }]").await.split(' ').next(), Some("mug"));
    for (filter, expected) in [
        ("sku: { in: [\"mug\", \"CAP-S\"] }", "CAP-S mug"),
        ("barcode: { eq: \"4006381333931\" }", "mug"),
        ("text: \"cap-m\"", "CAP-M"),
        ("text: \"ridge\"", "CAP-M CAP-S"),
        ("text: \"HATS new cap-s\"", "CAP-S"),
        ("stock: IN_STOCK", "CAP-M CAP-S"),
        ("stock: OUT_OF_STOCK", "mug"),
        ("stock: NOT_COUNTED", ""),
        ("updatedSince: \"2199-01-01T00:00:00Z\"", ""),
    ] {
        assert_eq!(skus(&format!("filter: {{ {filter} }}")).await, expected, "{filter}");
    }
    let query = format!("{{ productVariants(filter: {{ productIds: [{}] }}) {{ totalCount }} }}", cap["id"]);
    assert_eq!(shop.admin.send(&query, json!({})).await.at("productVariants.totalCount"), 2);
    let query = "{ a: productVariant(by: { sku: \"CAP-S\" }) { externalReference }
        b: productVariant(by: { externalReference: \"v-2\" }) { sku } c: productVariant(by: { sku: \"no\" }) { sku } }";
    let found = shop.admin.send(query, json!({})).await;
    assert_eq!(found.at("a.externalReference"), "v-1");
    assert_eq!((found.at("b.sku"), found.at("c")), (json!("CAP-M"), json!(null)));
    assert_eq!(
        shop.anonymous_admin.send("{ productVariants { totalCount } }", json!({})).await.error_code(),
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn a_copy_has_everything_but_stock_and_numbers() {
    let (shop, cap) = capped().await;
    let select = "product { title handle status tags media { url } publications { publishedAt }
        variants { sku externalReference title prices { amount { amount } } stockLevels { stocked } } }";
    let input = json!({ "id": cap["id"], "title": "Cap Two" });
    let copy = shop.set("productDuplicate", input, select).await.done()["product"].clone();
    assert_eq!((&copy["handle"], &copy["status"], &copy["tags"]), (&json!("cap-two"), &json!("DRAFT"), &cap["tags"]));
    assert_eq!((&copy["media"], &copy["publications"]), (&cap["media"], &json!([])));
    let first = json!({ "sku": null, "externalReference": null, "title": "S",
        "prices": [{ "amount": { "amount": "10.00" } }], "stockLevels": [{ "stocked": 0 }] });
    assert_eq!(copy["variants"][0], first);
    let input = json!({ "id": cap["id"], "title": "Cap Three", "skuSuffix": "-B" });
    let copy = shop.set("productDuplicate", input.clone(), select).await.done()["product"].clone();
    assert_eq!(copy["variants"][1]["sku"], "CAP-M-B");
    assert_eq!(faults(&shop.set("productDuplicate", input, select).await), ["TAKEN handle"]);
    let taken = json!({ "id": cap["id"], "title": "Cap Four", "skuSuffix": "-B" });
    let taken = faults(&shop.set("productDuplicate", taken, select).await);
    assert_eq!(taken, ["TAKEN skuSuffix", "TAKEN skuSuffix"]);
}

/// Whether each way of the store leads to the product.
async fn seen(shop: &Shop, product: &Value) -> Vec<bool> {
    let query = "query($id: ID!, $handle: String!, $variant: ID!, $ids: [ID!]!) { a: product(by: { id: $id }) { id }
        b: product(by: { handle: $handle }) { id } products { nodes { id } } d: node(id: $id) { id }
        e: node(id: $variant) { id } nodes(ids: $ids) { id } }";
    let (id, variant) = (&product["id"], &product["variants"][0]["id"]);
    let variables = json!({ "id": id, "handle": product["handle"], "variant": variant, "ids": [id] });
    let answer = shop.store.send(query, variables).await;
    let listed = answer.at("products.nodes").as_array().unwrap().iter().any(|node| node["id"] == *id);
    let cart = "mutation($id: ID!) { cartCreate(input: { lines: [{ variantId: $id, quantity: 1 }] }) {
        cart { lines { id } } userErrors { code } } }";
    let cart = shop.store.send(cart, json!({ "id": variant })).await;
    let bought = cart.at("cartCreate.userErrors") == json!([]);
    let there = |path: &str| answer.at(path) != json!(null);
    vec![there("a"), there("b"), listed, there("d"), there("e"), there("nodes.0"), bought]
}

#[tokio::test]
async fn a_product_is_seen_on_every_way_from_its_moment_on_and_not_when_archived() {
    let (shop, cap) = capped().await;
    let channel = shop.admin.send("{ channels { id } }", json!({})).await.at("channels.0.id");
    let (all, none) = (vec![true; 7], vec![false; 7]);
    assert_eq!(seen(&shop, &cap).await, all);
    let archive = json!({ "id": cap["id"], "expectedVersion": 1 });
    let gone = shop.set("productArchive", archive, "product { status version }").await.done();
    assert_eq!(gone["product"], json!({ "status": "ARCHIVED", "version": 2 }));
    assert_eq!(seen(&shop, &cap).await, none);
    let again = shop.set("productArchive", json!({ "id": cap["id"] }), "product { version }").await.done();
    assert_eq!(again["product"]["version"], 2, "archiving again changes nothing");
    let publish = |channels: Value| {
        shop.set("productPublish", json!({ "id": cap["id"], "channels": channels }), "product { status }")
    };
    assert_eq!(faults(&publish(json!([{ "channelId": channel }])).await), ["STATE_INVALID id"]);
    let back = shop.set("productUnarchive", json!({ "id": cap["id"] }), "product { status }").await.done();
    assert_eq!(back["product"]["status"], "DRAFT");
    assert_eq!(seen(&shop, &cap).await, none);
    let twice = publish(json!([{ "channelId": channel }, { "channelId": channel }])).await;
    assert_eq!(faults(&twice), ["DUPLICATE channels.1.channelId"]);
    let neither = shop.set("productPublish", json!({ "id": cap["id"] }), "product { id }").await;
    assert_eq!(faults(&neither), ["REQUIRED channels"]);
    publish(json!([{ "channelId": channel }])).await.done();
    assert_eq!(seen(&shop, &cap).await, all);
    let off = shop.set("productUnpublish", json!({ "id": cap["id"], "channelIds": [channel] }), "product { status }");
    assert_eq!(off.await.done()["product"]["status"], "DRAFT");
    assert_eq!(seen(&shop, &cap).await, none);
    let off = shop.set("productUnpublish", json!({ "id": cap["id"], "channelIds": [channel] }), "product { status }");
    assert_eq!(faults(&off.await), ["NOT_FOUND channelIds.0"]);
    let soon = (chrono::Utc::now() + TimeDelta::minutes(5)).to_rfc3339();
    publish(json!([{ "channelId": channel, "publishAt": soon }])).await.done();
    assert_eq!(seen(&shop, &cap).await, none);
    shop.pass(TimeDelta::minutes(6));
    assert_eq!(seen(&shop, &cap).await, all);
}

#[tokio::test]
async fn an_option_is_renamed_for_every_product_that_shares_it() {
    let (shop, _) = capped().await;
    let second = json!({ "by": { "handle": "glove" }, "title": "Glove", "status": "PUBLISHED",
        "variants": [variant("g", "GLOVE", "S"), { "sku": "OWN", "title": "Own", "options": [{ "name": "size", "value": "M" }] }] });
    set(&shop, second).await.done();
    let options = "{ options { totalCount nodes { id name version values { id name rank swatch { color } } } } }";
    let size = shop.admin.send(options, json!({})).await.at("options.nodes.0");
    assert_eq!((&size["name"], &size["values"][0]["name"]), (&json!("Size"), &json!("S")));
    let small = size["values"][0]["id"].clone();
    let value = |input: Value| {
        shop.set("optionValueSet", input, "option { version values { name swatch { color imageUrl } } }")
    };
    let renamed = json!({ "id": small, "name": "Small", "expectedVersion": 1, "swatch": { "color": "#FF0000" } });
    let option = value(renamed.clone()).await.done()["option"].clone();
    assert_eq!((&option["version"], &option["values"][0]["name"]), (&json!(2), &json!("Small")));
    let query = "{ a: product(by: { handle: \"cap\" }) { options { optionValues { name swatch { color } } } variants { title } }
        b: product(by: { handle: \"glove\" }) { options { values } variants { title } } }";
    let seen = shop.store.send(query, json!({})).await;
    let first = json!({ "name": "Small", "swatch": { "color": "#ff0000" } });
    assert_eq!(seen.at("a.options.0.optionValues.0"), first);
    assert_eq!(seen.at("a.variants"), json!([{ "title": "Small" }, { "title": "M" }]));
    assert_eq!(seen.at("b.variants"), json!([{ "title": "Small" }, { "title": "Own" }]), "titles of their own stay");
    assert_eq!(faults(&value(renamed).await), ["CONFLICT expectedVersion"]);
    assert_eq!(faults(&value(json!({ "id": small, "name": "m" })).await), ["TAKEN name"], "two values don't merge");
    let wrong = value(json!({ "id": small, "swatch": { "color": "red" } })).await;
    assert_eq!(faults(&wrong), ["INVALID swatch.color"]);
    assert_eq!(faults(&value(json!({ "name": "L" })).await), ["REQUIRED optionId"]);
    let pictured = json!({ "id": small, "swatch": { "imageUrl": "/s.png" } });
    let option = value(pictured).await.done()["option"].clone();
    assert_eq!(option["values"][0]["swatch"], json!({ "color": null, "imageUrl": "/s.png" }));

    let set = |input: Value| shop.set("optionSet", input, "option { id name version rank }");
    let color = set(json!({ "name": "Color", "rank": 3 })).await.done()["option"].clone();
    assert_eq!(set(json!({ "name": "color" })).await.done()["option"]["id"], color["id"]);
    assert_eq!(faults(&set(json!({ "id": color["id"], "name": "SIZE" })).await), ["TAKEN name"]);
    assert_eq!(faults(&set(json!({})).await), ["REQUIRED name"]);
    let cut = set(json!({ "id": size["id"], "name": "Cut" })).await.done()["option"].clone();
    assert_eq!(cut["name"], "Cut");
    let query = "{ product(by: { handle: \"cap\" }) { options { name } } }";
    assert_eq!(shop.store.send(query, json!({})).await.at("product.options.0.name"), "Cut");
}

#[tokio::test]
async fn products_stand_beside_each_other_by_hand_and_by_what_they_share() {
    let (shop, cap) = capped().await;
    let mut made = Vec::new();
    for (handle, extra) in [
        ("scarf", json!({ "tags": ["Hat", "New"], "vendor": "Ridge" })),
        ("glove", json!({ "tags": ["hat"] })),
        ("mug", json!({})),
        ("draft", json!({ "status": "DRAFT", "tags": ["Hat"] })),
    ] {
        let mut input = json!({ "by": { "handle": handle }, "title": handle, "status": "PUBLISHED" });
        extra.as_object().unwrap().iter().for_each(|(name, value)| input[name] = value.clone());
        made.push(set(&shop, input).await.done()["product"]["id"].clone());
    }
    let relate = |ids: Value| {
        shop.set("productRelatedSet", json!({ "id": cap["id"], "relatedIds": ids }), "product { related { handle } }")
    };
    let done = relate(json!([made[2], made[3]])).await.done();
    assert_eq!(done["product"]["related"], json!([{ "handle": "mug" }, { "handle": "draft" }]));
    let wrong = relate(json!([cap["id"], made[0], made[0], cap["variants"][0]["id"]])).await;
    assert_eq!(faults(&wrong), ["INVALID relatedIds.3"]);
    let wrong = relate(json!([cap["id"], made[0], made[0]])).await;
    assert_eq!(faults(&wrong), ["INVALID relatedIds.0", "DUPLICATE relatedIds.2"]);
    assert_eq!(faults(&relate(json!(vec![made[0].clone(); 21])).await), ["TOO_MANY relatedIds"]);

    let query = "query($id: ID!) { products { nodes { handle related(first: 5) { handle } } }
        productRecommendations(productId: $id) { handle } }";
    let answer = shop.store.send(query, json!({ "id": cap["id"] })).await;
    let nodes = answer.at("products.nodes");
    let own = nodes.as_array().unwrap().iter().find(|node| node["handle"] == "cap").unwrap();
    assert_eq!(own["related"], json!([{ "handle": "mug" }]), "drafts are not shown");
    let expected = json!([{ "handle": "mug" }, { "handle": "scarf" }, { "handle": "glove" }]);
    assert_eq!(answer.at("productRecommendations"), expected);
    assert_eq!(answer.statements, 3, "the list, what stands beside all of it, the recommendations");
    let beside = "query($id: ID!) { productRecommendations(productId: $id, first: 1) { handle } }";
    let nothing = shop.store.send(beside, json!({ "id": made[3] })).await;
    assert_eq!(nothing.at("productRecommendations"), json!([]), "a draft has no neighbors");
    let many = "query($id: ID!) { productRecommendations(productId: $id, first: 21) { handle } }";
    assert_eq!(shop.store.send(many, json!({ "id": cap["id"] })).await.error_code(), "INVALID");
}
