//! The demo shop.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use engine::error::Error;
use engine::seed::picture::{SHAPES, svg};
use engine::seed::{Size, demo, fill, picture};
use entity::{customer, event, order, order_line, price, product, stock_level, variant, variant_item};
use sea_orm::EntityTrait;
use serde_json::json;
use tokio::sync::Notify;

use crate::support::Shop;
use crate::support::buying::eventually;
use crate::support::invariants::invariants;
use crate::support::node::run_command;
use crate::support::walker::{buy, in_stock};

#[tokio::test]
async fn the_demo_shop_is_made_once() {
    let shop = Shop::open().await;
    assert_eq!(demo(&shop.app).await.unwrap(), 30);
    let followed = async || shop.app.settings().price_lists.iter().all(|list| list.shown_at.is_some());
    eventually("the listings follow the sale", followed).await;
    let version = shop.app.settings().version;
    assert_eq!(demo(&shop.app).await.unwrap(), 0);
    assert_eq!(shop.app.settings().version, version, "nor are the settings touched");

    let query = "{ shop { region { handle } } products(first: 100) { totalCount
        nodes { handle title featuredMedia { url } variants { price { amount { currencyCode } includesTax } } } } }";
    for (region, currency, includes_tax) in [(None, "EUR", true), (Some("united-states"), "USD", false)] {
        let store = region.map_or_else(|| shop.store.clone(), |region| shop.store.with("x-region", region));
        let answer = store.send(query, json!({})).await;
        assert_eq!(answer.at("shop.region.handle"), region.unwrap_or("europe"));
        assert_eq!(answer.at("products.totalCount"), 30);
        for product in answer.at("products.nodes").as_array().unwrap() {
            let handle = product["handle"].as_str().unwrap();
            assert_eq!(product["featuredMedia"]["url"], format!("/media/demo/{handle}.svg"));
            let drawn = picture(handle).unwrap_or_default();
            assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>"), "{handle}");
            for variant in product["variants"].as_array().unwrap() {
                let price = json!({ "amount": { "currencyCode": currency }, "includesTax": includes_tax });
                assert_eq!(variant["price"], price, "{handle}");
            }
        }
    }
    assert_eq!(picture("no-such-thing"), None);
    let query = "{ collections { nodes { handle products(first: 3) { totalCount nodes { handle } } } }
        categories { handle children { handle products { totalCount } } } }";
    let shelves = shop.store.send(query, json!({})).await;
    let handles = |at: &str| {
        let rows = shelves.at(at);
        rows.as_array().unwrap().iter().map(|row| row["handle"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(handles("collections.nodes"), ["a-tidy-desk", "gifts", "slow-sunday"]);
    let desk = ["desk-organizer", "clamp-desk-lamp", "field-notebook"];
    assert_eq!(handles("collections.nodes.0.products.nodes"), desk);
    assert_eq!(shelves.at("collections.nodes.1.products.totalCount"), 9, "the gifts that are in stock");
    assert_eq!(handles("categories"), ["home", "garden", "desk-and-travel"]);
    assert_eq!(handles("categories.1.children"), ["plants", "garden-tools"]);
    assert_eq!(shelves.at("categories.1.children.1.products.totalCount"), 3);
    let settings = shop.admin.send("{ taxRates { totalCount } shippingOptions { handle } }", json!({})).await;
    assert_eq!(settings.at("taxRates.totalCount"), 7);
    assert_eq!(settings.at("shippingOptions"), json!([{ "handle": "standard" }, { "handle": "express" }]));
}

#[test]
fn every_shape_is_drawn() {
    for shape in SHAPES {
        let picture = svg(shape, "#3a5F7d", "#d9a441").unwrap_or_default();
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>"), "{shape}");
        assert!(picture.contains("#3a5f7d"), "{shape} has no main color");
        assert!(!picture.contains(['{', '}']), "{shape}");
        assert_eq!(picture.matches('<').count(), picture.matches('>').count(), "{shape}");
    }
}

#[test]
fn nothing_else_gets_in() {
    assert_eq!(svg("teapot", "#000000", "#ffffff"), None);
    for color in ["", "#", "000000", "#fff", "#+12345", "#00000g", "#0000000", "#é0000", "\"/><script>"] {
        assert_eq!(svg("mug", color, "#ffffff"), None, "{color}");
        assert_eq!(svg("mug", "#ffffff", color), None, "{color}");
    }
}

fn until() -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// What a filled shop holds, apart from ids and from when it was filled.
async fn content(shop: &Shop) -> Vec<String> {
    let conn = shop.app.read();
    let mut told = Vec::new();
    let (mut handles, mut numbers) = (HashMap::new(), HashMap::new());
    for row in product::Entity::find().all(&conn).await.unwrap() {
        told.push(format!("{} {} {:?} {} {}", row.handle, row.title, row.subtitle, row.status, row.created_at));
        handles.insert(row.id, row.handle);
    }
    let (mut skus, mut items) = (HashMap::new(), HashMap::new());
    for row in variant::Entity::find().all(&conn).await.unwrap() {
        let sku = row.sku.unwrap_or_default();
        told.push(format!("{sku} {} {} {:?}", handles[&row.product_id], row.title, row.weight_grams));
        skus.insert(row.id, sku);
    }
    for row in variant_item::Entity::find().all(&conn).await.unwrap() {
        items.insert(row.item_id, skus[&row.variant_id].clone());
    }
    for row in price::Entity::find().all(&conn).await.unwrap() {
        if let Some(variant) = row.variant_id {
            told.push(format!("{} {} {} {:?}", skus[&variant], row.currency, row.amount_minor, row.compare_at_minor));
        }
    }
    for row in stock_level::Entity::find().all(&conn).await.unwrap() {
        told.push(format!("{} {} {}", items[&row.item_id], row.stocked, row.reserved));
    }
    for row in order::Entity::find().all(&conn).await.unwrap() {
        let statuses = [row.status.as_str(), row.payment_status.as_str(), row.fulfillment_status.as_str()].join(" ");
        told.push(format!("{:?} {} {} {statuses} {}", row.number, row.email, row.placed_at, row.total_minor));
        numbers.insert(uuid::Uuid::from(row.id), row.number);
    }
    for row in order_line::Entity::find().all(&conn).await.unwrap() {
        let number = numbers[&uuid::Uuid::from(row.order_id)];
        told.push(format!("{number:?} {} {} {:?} {}", row.position, row.variant_title, row.sku, row.ordered));
    }
    for row in event::Entity::find().all(&conn).await.unwrap() {
        if let Some(number) = numbers.get(&row.aggregate_id) {
            told.push(format!("{number:?} {} {} {}", row.sequence, row.kind, row.at));
        }
    }
    for row in customer::Entity::find().all(&conn).await.unwrap() {
        told.push(format!("{} {:?} {} {}", row.email, row.last_name, row.created_at, row.accepts_marketing));
    }
    told.sort();
    told
}

async fn filled(size: Size) -> Shop {
    let shop = Shop::open().await;
    let made = fill(&shop.app, size, until(), |_, _, _| {}).await.unwrap();
    assert_eq!((made.products, made.orders), (size.products(), size.orders()));
    shop
}

/// How many orders stand in each status.
async fn statuses(shop: &Shop) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for row in order::Entity::find().all(&shop.app.read()).await.unwrap() {
        for word in [row.status.as_str(), row.payment_status.as_str(), row.fulfillment_status.as_str()] {
            *counted.entry(word.to_owned()).or_default() += 1;
        }
    }
    counted
}

#[tokio::test]
async fn a_small_shop_is_filled_alike_each_time_and_agrees_with_itself() {
    let shop = filled(Size::S).await;
    invariants(&shop).await;
    let statuses = statuses(&shop).await;
    for word in ["OPEN", "COMPLETED", "CANCELED", "AUTHORIZED", "CAPTURED", "REFUNDED", "NOT_FULFILLED", "DELIVERED"] {
        assert!(statuses.contains_key(word), "{word} in {statuses:?}");
    }
    let query = "{ orders(first: 1) { totalCount nodes { number placedAt } } }";
    let newest = shop.admin.send(query, json!({})).await;
    assert_eq!((newest.at("orders.totalCount"), newest.at("orders.nodes.0.number")), (json!(200), json!(1200)));
    assert!(newest.text("orders.nodes.0.placedAt").starts_with("2025-12-"), "{}", newest.body);

    let content_of_it = content(&shop).await;
    let emails = content_of_it.iter().filter(|line| line.contains("@example.com")).count();
    assert!(emails > 200, "orders and those who have an account");
    assert_eq!(content(&filled(Size::S).await).await, content_of_it);

    // The next order is one like any other.
    let variant = in_stock(&shop.store).await;
    buy(&shop.store, &variant, 1).await;
    invariants(&shop).await;
}

#[tokio::test]
async fn a_fill_that_was_cut_goes_on_where_it_was() {
    let whole = content(&filled(Size::S).await).await;
    let shop = Shop::open().await;
    let cut = Notify::new();
    let filling = fill(&shop.app, Size::S, until(), |unit, done, _| {
        if (unit, done) == ("orders", 100) {
            cut.notify_one();
        }
    });
    tokio::select! {
        done = filling => panic!("it was to be cut: {done:?}"),
        () = cut.notified() => {}
    }
    let other = fill(&shop.app, Size::M, until(), |_, _, _| {}).await;
    let Err(Error::Refused(refusals)) = other else { panic!("{other:?}") };
    assert!(refusals[0].message.contains("emporion seed demo --size s --until 2026-01-01"), "{refusals:?}");
    fill(&shop.app, Size::S, until(), |_, _, _| {}).await.unwrap();
    assert_eq!(content(&shop).await, whole);
    invariants(&shop).await;
}

#[tokio::test]
async fn only_an_empty_shop_is_filled() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop.tee("5.00", 3).await;
    let before = (content(&shop).await, shop.app.settings().version);
    let output = run_command(&shop.database, &["seed", "demo", "--size", "m"]).await;
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && told.contains("1 product(s), 0 order(s) and 0 customer(s)"), "{told}");
    assert!(told.contains("--data-dir"), "{told}");
    assert_eq!((content(&shop).await, shop.app.settings().version), before, "nothing was changed");

    let empty = Shop::open().await;
    let output = run_command(&empty.database, &["seed", "demo", "--until", "2999-01-01"]).await;
    assert!(!output.status.success() && content(&empty).await.is_empty(), "{output:?}");
    let output = run_command(&empty.database, &["seed", "demo", "--size", "s", "--quiet"]).await;
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "The demo shop is there: 30 products, 200 orders.\n");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let output = run_command(&empty.database, &["seed", "demo"]).await;
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && told.contains("was filled already, with size s"), "{told}");
}

#[tokio::test]
async fn a_middle_shop_is_filled_alike_each_time_and_agrees_with_itself() {
    let shop = filled(Size::M).await;
    invariants(&shop).await;
    let statuses = statuses(&shop).await;
    for word in [
        "OPEN",
        "COMPLETED",
        "CANCELED",
        "AUTHORIZED",
        "CAPTURED",
        "PARTIALLY_CAPTURED",
        "REFUNDED",
        "NOT_FULFILLED",
        "FULFILLED",
        "SHIPPED",
        "PARTIALLY_DELIVERED",
        "PARTIALLY_SHIPPED",
        "PARTIALLY_FULFILLED",
        "DELIVERED",
    ] {
        assert!(statuses.contains_key(word), "{word} in {statuses:?}");
    }
    let query = "{ products(first: 1) { totalCount } search(query: \"cushion\") { totalCount }
        collection(by: { handle: \"spring\" }) { products { totalCount } }
        category(by: { handle: \"plants\" }) { products { totalCount } } }";
    let found = shop.store.send(query, json!({})).await;
    for at in ["products", "search", "collection.products", "category.products"] {
        let count = found.at(&format!("{at}.totalCount")).as_i64().unwrap();
        assert!(count > 20, "{at}: {count}");
    }
    assert_eq!(content(&filled(Size::M).await).await, content(&shop).await);
}
