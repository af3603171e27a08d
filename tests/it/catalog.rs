//! Products: made, shown, changed, listed, counted.

use chrono::TimeDelta;
use domain::auth::OWNER;
use domain::catalog::{MediaDraft, MediaKind, PriceDraft, ProductDraft, ProductStatus, VariantDraft};
use engine::actor::Caller;
use engine::catalog::ops::{CreateProduct, PublishProduct};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::{Answer, Shop};

async fn create(shop: &Shop, input: Value) -> Answer {
    shop.set("productCreate", input, "product { id handle version status variants { id } }").await
}

async fn created(shop: &Shop, input: Value) -> Value {
    create(shop, input).await.done()["product"].clone()
}

/// `CODE path.of.the.fault` of each refusal of a mutation.
fn faults(answer: &Answer, mutation: &str) -> Vec<String> {
    let refused = answer.at(&format!("{mutation}.userErrors"));
    let path = |refusal: &Value| {
        let steps: Vec<_> = refusal["path"].as_array().unwrap().iter().map(|step| step.as_str().unwrap()).collect();
        steps.join(".")
    };
    let fault = |refusal: &Value| format!("{} {}", refusal["code"].as_str().unwrap(), path(refusal));
    refused.as_array().unwrap().iter().map(fault).collect()
}

fn euro(amount: &str) -> Value {
    json!({ "amount": amount, "currencyCode": "EUR" })
}

fn shirt() -> Value {
    let variant = |color: &str, size: &str, sku: &str, stock: i32, managed: bool| {
        json!({
            "options": [{ "name": "Size", "value": size }, { "name": "Color", "value": color }], "sku": sku,
            "prices": [{ "amount": euro("20.00"), "compareAt": euro("25.00") }], "stock": stock,
            "manageInventory": managed,
        })
    };
    json!({
        "title": "Trail Shirt", "subtitle": "Merino", "vendor": "Ridge", "productType": "Shirts", "status": "PUBLISHED",
        "descriptionHtml": "<p onclick=\"x()\">Light.</p><script>alert(1)</script>",
        "tags": ["New", "new", "Summer"],
        "options": [{ "name": "Color", "values": ["Green", "Red"] }, { "name": "Size", "values": ["M", "L"] }],
        "variants": [
            variant("Green", "M", "TS-GM", 0, true),
            variant("Green", "L", "TS-GL", 2, true),
            variant("Red", "M", "TS-RM", 10, true),
            variant("Red", "L", "TS-RL", 0, false),
        ],
        "media": [{ "url": "/media/front.jpg", "alt": "Front" }, { "url": "https://cdn.example/back.jpg" }],
    })
}

#[tokio::test]
async fn a_product_is_made_in_one_call_and_shoppers_see_all_of_it() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let made = created(&shop, shirt()).await;
    assert_eq!((&made["handle"], &made["version"]), (&json!("trail-shirt"), &json!(1)));

    let query = "{ product(by: { handle: \"trail-shirt\" }) {
        title subtitle descriptionHtml vendor productType tags options { name values }
        featuredMedia { url alt kind } media { url }
        variants { title sku availability selectedOptions { name value }
            price { amount { amount amountMinor currencyCode } compareAt { amount } includesTax } } } }";
    let product = shop.store.send(query, json!({})).await.at("product");
    assert_eq!(product["title"], "Trail Shirt");
    assert_eq!(product["descriptionHtml"], "<p>Light.</p>", "nothing that runs is kept");
    assert_eq!(product["tags"], json!(["New", "Summer"]));
    let options = json!([{ "name": "Color", "values": ["Green", "Red"] }, { "name": "Size", "values": ["M", "L"] }]);
    assert_eq!(product["options"], options);
    assert_eq!(product["featuredMedia"], json!({ "url": "/media/front.jpg", "alt": "Front", "kind": "IMAGE" }));
    assert_eq!(product["media"][1]["url"], "https://cdn.example/back.jpg");
    let variants = product["variants"].as_array().unwrap();
    let told: Vec<_> = variants.iter().map(|variant| (&variant["title"], &variant["availability"])).collect();
    let expected = [("Green / M", "OUT_OF_STOCK"), ("Green / L", "LOW_STOCK"), ("Red / M", "IN_STOCK")];
    for (place, (title, availability)) in expected.into_iter().chain([("Red / L", "IN_STOCK")]).enumerate() {
        assert_eq!(told[place], (&json!(title), &json!(availability)));
    }
    let selected = json!([{ "name": "Color", "value": "Green" }, { "name": "Size", "value": "L" }]);
    assert_eq!(variants[1]["selectedOptions"], selected);
    let price = json!({
        "amount": { "amount": "20.00", "amountMinor": 2000, "currencyCode": "EUR" },
        "compareAt": { "amount": "25.00" }, "includesTax": true,
    });
    assert_eq!(variants[0]["price"], price);
}

#[tokio::test]
async fn staff_see_stock_prices_and_publications() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let made = created(&shop, shirt()).await;
    let query = "query($id: ID!) { product(by: { id: $id }) { status publications { channel { handle } }
        variants { sku manageInventory backorder prices { amount { amount } } stockLevels { stocked available } } } }";
    let product = shop.admin.send(query, json!({ "id": made["id"] })).await.at("product");
    assert_eq!(product["status"], "PUBLISHED");
    assert_eq!(product["publications"], json!([{ "channel": { "handle": "default" } }]));
    let third = json!({
        "sku": "TS-RM", "manageInventory": true, "backorder": "DENY",
        "prices": [{ "amount": { "amount": "20.00" } }], "stockLevels": [{ "stocked": 10, "available": 10 }],
    });
    assert_eq!(product["variants"][2], third);
}

#[tokio::test]
async fn every_fault_is_named_with_its_place_and_nothing_is_made() {
    let shop = Shop::open().await;
    let size = json!([{ "name": "Size", "value": "S" }]);
    let input = json!({
        "title": " ", "media": [{ "url": "javascript:alert(1)" }],
        "variants": [
            { "options": size, "sku": "A", "stock": -1 },
            { "options": size, "sku": "A", "weightGrams": -5 },
        ],
    });
    let refused = create(&shop, input).await;
    let expected = [
        "REQUIRED title",
        "INVALID media.0.url",
        "INVALID variants.0.stock",
        "DUPLICATE variants.1.sku",
        "DUPLICATE variants.1.options",
        "INVALID variants.1.weightGrams",
    ];
    assert_eq!(faults(&refused, "productCreate"), expected);
    assert_eq!(shop.admin.send("{ products { totalCount } }", json!({})).await.at("products.totalCount"), 0);
}

#[tokio::test]
async fn handles_and_skus_are_unique() {
    let shop = Shop::open().await;
    created(&shop, json!({ "title": "Mug", "variants": [{ "sku": "M-1" }] })).await;
    let again = create(&shop, json!({ "title": "Mug" })).await;
    assert_eq!(faults(&again, "productCreate"), ["TAKEN handle"]);
    let other = json!({ "title": "Cup", "variants": [{ "sku": "M-1" }] });
    assert_eq!(faults(&create(&shop, other).await, "productCreate"), ["TAKEN variants.0.sku"]);
    let cup = created(&shop, json!({ "title": "Cup" })).await;
    let renamed = shop.set("productUpdate", json!({ "id": cup["id"], "handle": "mug" }), "product { id }").await;
    assert_eq!(faults(&renamed, "productUpdate"), ["TAKEN handle"]);
}

async fn seen_by(client: &Client, product: &Value) -> [bool; 3] {
    let query = "query($id: ID!, $handle: String!) { a: product(by: { id: $id }) { id }
        b: product(by: { handle: $handle }) { id } products { nodes { id } } }";
    let answer = client.send(query, json!({ "id": product["id"], "handle": product["handle"] })).await;
    let listed = answer.at("products.nodes");
    let listed = listed.as_array().unwrap().iter().any(|node| node["id"] == product["id"]);
    [answer.at("a") != json!(null), answer.at("b") != json!(null), listed]
}

#[tokio::test]
async fn drafts_and_other_channels_products_are_not_to_be_seen() {
    let shop = Shop::open().await;
    let channel = shop.set("channelCreate", json!({ "name": "Wholesale" }), "channel { id }").await.done();
    let channel = channel["channel"]["id"].clone();
    let key = json!({ "title": "B2B", "channelId": channel });
    let key = shop.set("publishableKeyCreate", key, "publishableKey { token }").await.done();
    let wholesale = shop.store.with("x-publishable-key", key["publishableKey"]["token"].as_str().unwrap());

    let draft = created(&shop, json!({ "title": "Draft" })).await;
    assert_eq!(draft["status"], "DRAFT");
    let elsewhere = json!({ "title": "Elsewhere", "status": "PUBLISHED", "channelIds": [channel] });
    let elsewhere = created(&shop, elsewhere).await;
    for hidden in [&draft, &elsewhere] {
        assert_eq!(seen_by(&shop.store, hidden).await, [false; 3]);
        assert_eq!(seen_by(&shop.admin, hidden).await, [true; 3]);
    }
    assert_eq!(seen_by(&wholesale, &draft).await, [false; 3]);
    assert_eq!(seen_by(&wholesale, &elsewhere).await, [true; 3]);
}

#[tokio::test]
async fn publishing_shows_and_deleting_hides() {
    let shop = Shop::open().await;
    let channel = shop.admin.send("{ channels { id } }", json!({})).await.at("channels.0.id");
    let mug = created(&shop, json!({ "title": "Mug", "variants": [{ "sku": "M-1" }] })).await;
    let publish = |channels: Value, at: Value| {
        let input = json!({ "id": mug["id"], "channelIds": channels, "publishAt": at });
        shop.set("productPublish", input, "product { status version }")
    };
    let tomorrow = (chrono::Utc::now() + TimeDelta::days(1)).to_rfc3339();
    assert_eq!(publish(json!([channel]), json!(tomorrow)).await.done()["product"]["status"], "PUBLISHED");
    assert_eq!(seen_by(&shop.store, &mug).await, [false; 3], "not before its time");
    // Staff's tokens don't live that long; shoppers need none.
    shop.pass(TimeDelta::days(2));
    assert_eq!(seen_by(&shop.store, &mug).await, [true; 3]);

    let shop = Shop::open().await;
    let channel = shop.admin.send("{ channels { id } }", json!({})).await.at("channels.0.id");
    let mug = created(&shop, json!({ "title": "Mug", "variants": [{ "sku": "M-1" }] })).await;
    let publish = |channels: Value| {
        shop.set("productPublish", json!({ "id": mug["id"], "channelIds": channels }), "product { status }")
    };
    publish(json!([channel])).await.done();
    assert_eq!(seen_by(&shop.store, &mug).await, [true; 3]);
    assert_eq!(publish(json!([])).await.done()["product"]["status"], "DRAFT");
    assert_eq!(seen_by(&shop.store, &mug).await, [false; 3]);
    publish(json!([channel])).await.done();
    let twice = publish(json!([channel, channel])).await;
    assert_eq!(faults(&twice, "productPublish"), ["DUPLICATE channelIds.1"]);

    let stale = json!({ "id": mug["id"], "expectedVersion": 1 });
    assert_eq!(shop.set("productDelete", stale, "deletedProductId").await.refusals(), ["CONFLICT"]);
    let gone = shop.set("productDelete", json!({ "id": mug["id"] }), "deletedProductId").await.done();
    assert_eq!(gone["deletedProductId"], mug["id"]);
    assert_eq!(seen_by(&shop.store, &mug).await, [false; 3]);
    assert_eq!(seen_by(&shop.admin, &mug).await, [false; 3]);
    let again = created(&shop, json!({ "title": "Mug", "variants": [{ "sku": "M-1" }] })).await;
    assert_eq!(again["handle"], "mug", "handle and SKU are free again");
}

#[tokio::test]
async fn an_update_changes_what_it_names() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let made = created(&shop, shirt()).await;
    let input = json!({
        "id": made["id"], "expectedVersion": 1, "title": "Hill Shirt", "subtitle": null, "tags": ["Winter"],
        "descriptionHtml": "<b>Warm</b><iframe></iframe>",
        "variants": [{ "id": made["variants"][0]["id"], "prices": [{ "amount": euro("18.00") }] }],
    });
    let select = "product { version title subtitle handle vendor tags descriptionHtml
        variants { prices { amount { amount } compareAt { amount } } } }";
    let product = shop.set("productUpdate", input.clone(), select).await.done()["product"].clone();
    assert_eq!((&product["version"], &product["title"]), (&json!(2), &json!("Hill Shirt")));
    assert_eq!((&product["subtitle"], &product["vendor"]), (&json!(null), &json!("Ridge")));
    assert_eq!((&product["handle"], &product["tags"]), (&json!("trail-shirt"), &json!(["Winter"])));
    assert_eq!(product["descriptionHtml"], "<b>Warm</b>");
    let changed = json!([{ "amount": { "amount": "18.00" }, "compareAt": null }]);
    assert_eq!(product["variants"][0]["prices"], changed);
    assert_eq!(product["variants"][1]["prices"][0]["amount"]["amount"], "20.00");

    let stale = shop.set("productUpdate", input, select).await;
    assert_eq!(faults(&stale, "productUpdate"), ["CONFLICT expectedVersion"]);
    assert_eq!(stale.at("productUpdate.userErrors.0.currentVersion"), 2);
    let found = "{ products(filter: { text: \"winter hill\" }) { nodes { title } } }";
    assert_eq!(shop.store.send(found, json!({})).await.at("products.nodes.0.title"), "Hill Shirt");
}

struct Goods {
    title: &'static str,
    vendor: Option<&'static str>,
    kind: &'static str,
    tags: &'static [&'static str],
    color: &'static str,
    price: Option<i64>,
    stock: i32,
}

const fn goods(
    title: &'static str,
    vendor: Option<&'static str>,
    kind: &'static str,
    tags: &'static [&'static str],
    color: &'static str,
    price: Option<i64>,
    stock: i32,
) -> Goods {
    Goods { title, vendor, kind, tags, color, price, stock }
}

const GOODS: [Goods; 5] = [
    goods("Anvil", Some("Forge"), "Tools", &["Iron"], "Black", Some(900), 5),
    goods("bellows", Some("Forge"), "Tools", &["leather"], "Brown", Some(300), 0),
    goods("Chisel", Some("Edge"), "Tools", &["Iron", "Sale"], "Black", Some(300), 2),
    goods("Drill", None, "Machines", &[], "Red", None, 1),
    goods("Easel", Some("Edge"), "Studio", &["sale"], "Brown", Some(1200), 9),
];

fn price(minor: i64) -> PriceDraft {
    PriceDraft { currency: "EUR".parse().unwrap(), amount_minor: minor, compare_at_minor: None }
}

impl Goods {
    fn draft(&self) -> ProductDraft {
        let variant = VariantDraft {
            options: vec![("Color".to_owned(), self.color.to_owned())],
            prices: self.price.map(price).into_iter().collect(),
            stock: Some(self.stock),
            ..VariantDraft::default()
        };
        ProductDraft {
            title: self.title.to_owned(),
            vendor: self.vendor.map(str::to_owned),
            product_type: Some(self.kind.to_owned()),
            tags: self.tags.iter().map(ToString::to_string).collect(),
            status: ProductStatus::Published,
            variants: vec![variant],
            ..ProductDraft::default()
        }
    }
}

async fn put(shop: &Shop, draft: ProductDraft) -> domain::id::ProductId {
    let op = CreateProduct { draft, channels: None };
    shop.app.run(&Caller::system(), &op).await.unwrap().id
}

async fn shop_with_goods() -> Shop {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    for goods in &GOODS {
        put(&shop, goods.draft()).await;
        shop.pass(TimeDelta::seconds(1));
    }
    shop
}

async fn titles(shop: &Shop, arguments: &str) -> Vec<String> {
    let query = format!("{{ products(first: 100, {arguments}) {{ nodes {{ title }} }} }}");
    let nodes = shop.store.send(&query, json!({})).await.at("products.nodes");
    nodes.as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_listing_is_sorted() {
    let shop = shop_with_goods().await;
    let newest = ["Easel", "Drill", "Chisel", "bellows", "Anvil"];
    assert_eq!(titles(&shop, "sort: []").await, newest);
    let sorts = [
        ("NEWEST", ["Anvil", "bellows", "Chisel", "Drill", "Easel"]),
        ("TITLE", ["Anvil", "bellows", "Chisel", "Drill", "Easel"]),
        // What has no price counts as the dearest.
        ("PRICE", ["bellows", "Chisel", "Anvil", "Easel", "Drill"]),
    ];
    for (field, mut expected) in sorts {
        assert_eq!(titles(&shop, &format!("sort: [{{ field: {field} }}]")).await, expected, "{field}");
        expected.reverse();
        let descending = format!("sort: [{{ field: {field}, direction: DESC }}]");
        assert_eq!(titles(&shop, &descending).await, expected, "{field} downwards");
    }
}

#[tokio::test]
async fn a_listing_is_filtered() {
    let shop = shop_with_goods().await;
    let filters: [(&str, &[&str]); 15] = [
        (r#"tag: { eq: "IRON" }"#, &["Anvil", "Chisel"]),
        (r#"tag: { in: ["sale", "leather"] }"#, &["bellows", "Chisel", "Easel"]),
        (r#"tag: { in: [] }"#, &[]),
        (r#"productType: { eq: "tools" }"#, &["Anvil", "bellows", "Chisel"]),
        (r#"vendor: { eq: "Edge" }"#, &["Chisel", "Easel"]),
        (r#"handle: { in: ["anvil", "drill", "none"] }"#, &["Anvil", "Drill"]),
        (r#"optionValue: { name: "color", values: ["black", "Red"] }"#, &["Anvil", "Chisel", "Drill"]),
        (
            r#"price: { gte: { amount: "3.00", currencyCode: "EUR" }, lte: { amount: "9", currencyCode: "EUR" } }"#,
            &["Anvil", "bellows", "Chisel"],
        ),
        ("available: true", &["Anvil", "Chisel", "Drill", "Easel"]),
        ("available: false", &["bellows"]),
        (r#"text: "EDGE iron""#, &["Chisel"]),
        (r#"text: "%""#, &[]),
        (r#"or: [{ vendor: { eq: "Edge" } }, { tag: { eq: "leather" } }]"#, &["bellows", "Chisel", "Easel"]),
        (r#"and: [{ vendor: { eq: "Edge" } }, { tag: { eq: "iron" } }]"#, &["Chisel"]),
        (r#"vendor: { eq: "Forge" }, not: { available: false }"#, &["Anvil"]),
    ];
    for (filter, expected) in filters {
        let arguments = format!("sort: [{{ field: TITLE }}], filter: {{ {filter} }}");
        assert_eq!(titles(&shop, &arguments).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn not_is_everything_else_even_where_nothing_is_said() {
    let shop = shop_with_goods().await;
    let others = titles(&shop, r#"sort: [{ field: TITLE }], filter: { not: { vendor: { eq: "Edge" } } }"#).await;
    assert_eq!(others, ["Anvil", "bellows", "Drill"]);
}

#[tokio::test]
async fn filters_have_bounds() {
    let shop = shop_with_goods().await;
    let nested = |depth: usize| {
        let filter = format!("{}{{ available: true }}{}", "{ not: ".repeat(depth), " }".repeat(depth));
        format!("{{ products(filter: {filter}) {{ totalCount }} }}")
    };
    assert_eq!(shop.store.send(&nested(4), json!({})).await.at("products.totalCount"), 4);
    assert_eq!(shop.store.send(&nested(5), json!({})).await.error_code(), "TOO_MANY");
    let tags = vec!["x"; 251];
    let query = "query($tags: [String!]) { products(filter: { tag: { in: $tags } }) { totalCount } }";
    assert_eq!(shop.store.send(query, json!({ "tags": tags })).await.error_code(), "TOO_MANY");
    let dollars = r#"{ products(filter: { price: { gte: { amount: "1", currencyCode: "USD" } } }) { totalCount } }"#;
    assert_eq!(shop.store.send(dollars, json!({})).await.error_code(), "INVALID");
}

const PAGE: &str = "query($first: Int, $after: String, $last: Int, $before: String, $sort: [ProductSort!]) {
    products(first: $first, after: $after, last: $last, before: $before, sort: $sort) {
        nodes { id } edges { cursor } totalCount
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

fn ids(answer: &Answer) -> Vec<String> {
    let nodes = answer.at("products.nodes");
    nodes.as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_visit_every_product_once_in_both_directions() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let channel = shop.app.settings().channels[0].id;
    let now = chrono::SubsecRound::trunc_subsecs(chrono::Utc::now(), 6);
    for number in 0..8_i64 {
        // Three of each value, so that a page ends within equals.
        let draft = ProductDraft {
            handle: Some(format!("twin-{number}").parse().unwrap()),
            title: format!("Twin {}", number / 3),
            variants: vec![VariantDraft { prices: vec![price(100 * (number / 3))], ..VariantDraft::default() }],
            ..ProductDraft::default()
        };
        let id = put(&shop, draft).await;
        let at = Some(now - TimeDelta::hours(number / 3 + 1));
        let op = PublishProduct { id, channels: vec![channel], at };
        shop.app.run(&Caller::system(), &op).await.unwrap();
    }
    for field in ["NEWEST", "TITLE", "PRICE"] {
        for direction in ["ASC", "DESC"] {
            let sort = json!([{ "field": field, "direction": direction }]);
            let whole = shop.store.send(PAGE, json!({ "first": 100, "sort": sort })).await;
            let all = ids(&whole);
            assert_eq!((all.len(), whole.at("products.totalCount")), (8, json!(8)));

            let (mut forward, mut after) = (Vec::new(), json!(null));
            for place in 0.. {
                let page = shop.store.send(PAGE, json!({ "first": 2, "after": after, "sort": sort })).await;
                assert_eq!(page.at("products.pageInfo.hasPreviousPage"), place > 0);
                assert_eq!(page.at("products.pageInfo.endCursor"), page.at("products.edges.1.cursor"));
                forward.extend(ids(&page));
                after = page.at("products.pageInfo.endCursor");
                if page.at("products.pageInfo.hasNextPage") == false {
                    break;
                }
                assert!(place < 8, "{field} {direction} never ends");
            }
            assert_eq!(forward, all, "{field} {direction}");

            let (mut backward, mut before) = (Vec::new(), json!(null));
            for place in 0.. {
                let page = shop.store.send(PAGE, json!({ "last": 3, "before": before, "sort": sort })).await;
                assert_eq!(page.at("products.pageInfo.hasNextPage"), place > 0);
                backward.splice(0..0, ids(&page));
                before = page.at("products.pageInfo.startCursor");
                if page.at("products.pageInfo.hasPreviousPage") == false {
                    break;
                }
                assert!(place < 8, "{field} {direction} never ends backwards");
            }
            assert_eq!(backward, all, "{field} {direction} backwards");
        }
    }
}

#[tokio::test]
async fn cursors_and_page_sizes_are_checked() {
    let shop = shop_with_goods().await;
    let by_title = json!([{ "field": "TITLE" }]);
    let page = shop.store.send(PAGE, json!({ "first": 2, "sort": by_title })).await;
    let cursor = page.at("products.pageInfo.endCursor");
    let code = async |variables: Value| shop.store.send(PAGE, variables).await.error_code();
    let by_price = json!([{ "field": "PRICE" }]);
    assert_eq!(code(json!({ "first": 2, "after": cursor, "sort": by_price })).await, "CURSOR_MISMATCH");
    assert_eq!(code(json!({ "first": 2, "after": cursor })).await, "CURSOR_MISMATCH");
    assert_eq!(code(json!({ "first": 2, "after": "nonsense" })).await, "INVALID");
    assert_eq!(code(json!({ "first": 101 })).await, "INVALID");
    assert_eq!(code(json!({ "first": -1 })).await, "INVALID");
    assert_eq!(code(json!({ "last": 101 })).await, "INVALID");
    assert_eq!(code(json!({ "first": 1, "last": 1 })).await, "INVALID");
    assert_eq!(code(json!({ "last": 1, "after": cursor })).await, "INVALID");
}

async fn adjust(client: &Client, key: &str, variant: &Value, delta: i32) -> Answer {
    let query = "mutation($input: AdminInventoryAdjustInput!) { inventoryAdjust(input: $input) {
        stockLevel { stocked reserved available } userErrors { code message path quantityAvailable } } }";
    let input = json!({ "idempotencyKey": key, "variantId": variant, "delta": delta, "reason": "CORRECTION" });
    client.send(query, json!({ "input": input })).await
}

#[tokio::test]
async fn an_adjustment_counts_once_and_is_kept() {
    let shop = Shop::open().await;
    let mug = created(&shop, json!({ "title": "Mug", "variants": [{ "stock": 5 }] })).await;
    let variant = &mug["variants"][0]["id"];
    for _ in 0..2 {
        let level = adjust(&shop.admin, "a", variant, 3).await.done()["stockLevel"].clone();
        assert_eq!(level, json!({ "stocked": 8, "reserved": 0, "available": 8 }));
    }
    let other = adjust(&shop.admin, "a", variant, 4).await;
    assert_eq!(faults(&other, "inventoryAdjust"), ["IDEMPOTENCY_MISMATCH idempotencyKey"]);
    let colleague = shop.staff(OWNER).await;
    assert_eq!(adjust(&colleague, "a", variant, 4).await.done()["stockLevel"]["stocked"], 12);

    let below = adjust(&shop.admin, "b", variant, -13).await;
    assert_eq!(faults(&below, "inventoryAdjust"), ["INSUFFICIENT_STOCK delta"]);
    assert_eq!(below.at("inventoryAdjust.userErrors.0.quantityAvailable"), 12);
    // A refusal leaves no trace: the same key may be tried with what is possible.
    assert_eq!(adjust(&shop.admin, "b", variant, -12).await.done()["stockLevel"]["stocked"], 0);
    assert_eq!(adjust(&shop.admin, " ", variant, 1).await.refusals(), ["INVALID"]);
    assert_eq!(adjust(&shop.admin, "c", variant, 0).await.refusals(), ["INVALID"]);

    let conn = shop.app.read();
    let movements = entity::stock_movement::Entity::find().all(&conn).await.unwrap();
    let levels = entity::stock_level::Entity::find().all(&conn).await.unwrap();
    assert_eq!(movements.len(), 4);
    assert_eq!(movements.iter().map(|row| row.delta).sum::<i32>(), levels[0].stocked);
}

fn sample(number: usize) -> ProductDraft {
    let variant = |size: &str| VariantDraft {
        options: vec![("Size".to_owned(), size.to_owned())],
        prices: vec![price(1_000 + number as i64)],
        stock: Some(5),
        ..VariantDraft::default()
    };
    let url = format!("/media/sample-{number}.jpg");
    ProductDraft {
        title: format!("Sample {number}"),
        tags: vec!["sample".to_owned(), format!("tag {number}")],
        status: ProductStatus::Published,
        variants: vec![variant("S"), variant("M")],
        media: vec![MediaDraft { url, alt: None, kind: MediaKind::Image }],
        ..ProductDraft::default()
    }
}

#[tokio::test]
async fn statements_do_not_grow_with_the_page() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let card = "title handle featuredMedia { url } options { name values }
        variants { price { amount { amount currencyCode } } availability }";
    let listing = format!("{{ products(first: 100) {{ nodes {{ {card} }} }} }}");
    let rich =
        format!("{{ products(first: 100) {{ nodes {{ {card} tags media {{ url alt }} collections {{ title }} }} }} }}");
    let page = "{ product(by: { handle: \"sample-0\" }) { title descriptionHtml tags media { url }
        options { name values } variants { id title selectedOptions { name value } availability
        price { amount { amount } compareAt { amount } } } } }";
    let rule = json!({ "title": "Rule", "rule": { "conditions": [{ "tag": ["sample"] }] } });
    shop.set("collectionSet", rule, "collection { id }").await.done();
    let mut made = 0;
    let mut counts = Vec::new();
    for size in [1, 10, 100] {
        while made < size {
            put(&shop, sample(made)).await;
            made += 1;
        }
        let few = shop.store.send(&listing, json!({})).await;
        assert_eq!(few.at("products.nodes").as_array().unwrap().len(), size);
        let many = shop.store.send(&rich, json!({})).await;
        let collections = many.at("products.nodes.0.collections");
        assert_eq!(collections, json!([{ "title": "Rule" }]));
        counts.push((few.statements, many.statements));
    }
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
    assert!(counts[0].0 <= 6 && counts[0].1 <= 8, "{counts:?}");
    let answer = shop.store.send(page, json!({})).await;
    assert_eq!(answer.at("product.variants").as_array().unwrap().len(), 2);
    assert!(answer.statements <= 8, "{}", answer.statements);
}
