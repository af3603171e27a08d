//! The disk of an embedded database is full, and has room again.

use domain::id::OrderId;
use engine::db::statement;
use entity::order;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, Statement};
use serde_json::json;

use crate::support::Shop;
use crate::support::buying::eventually;
use crate::support::database::on_postgres;
use crate::support::invariants::invariants;
use crate::support::walker::{Walker, new_key};

const LISTING: &str = "{ products(first: 5) { nodes { title variants { availability } } } }";
const CREATE: &str = "mutation($input: CartCreateInput!) { cartCreate(input: $input) {
    cart { id } userErrors { code } } }";

/// Lets the database grow no further, or as far as it can.
async fn pages(shop: &Shop, most: &str) {
    // The one connection that writes; after a failure that is another one.
    shop.app.db.admin().execute_unprepared(&format!("pragma max_page_count = {most}")).await.unwrap();
}

/// As far as the one connection that writes lets the database grow.
async fn limit(shop: &Shop) -> String {
    let asked = Statement::from_string(DbBackend::Sqlite, "pragma max_page_count");
    let row = shop.app.db.admin().query_one_raw(asked).await.unwrap().unwrap();
    row.try_get_by_index::<i64>(0).unwrap().to_string()
}

async fn ask(shop: &Shop, sql: &str) -> String {
    let conn = shop.app.read();
    let row = conn.query_one_raw(statement(&conn, sql, [])).await.unwrap().unwrap();
    row.try_get_by_index::<String>(0).or_else(|_| row.try_get_by_index::<i64>(0).map(|n| n.to_string())).unwrap()
}

#[tokio::test]
async fn a_full_disk_costs_typed_errors_and_nothing_that_was_acknowledged() {
    if on_postgres() {
        return;
    }
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let tee = shop.tee("20.00", 1_000).await;
    shop.checkout_all(&[(&tee, 1)], "manual", "1").await;
    let mut ready = Vec::new();
    for _ in 0..5 {
        ready.push(Walker::ready(&shop.store, &tee, 2).await);
    }

    // What is free inside of the file is filled, and then there is no room.
    let full = ask(&shop, "pragma page_count").await;
    let (mut taken, mut refused) = (0, 0);
    let long = "x".repeat(200);
    let cart = json!({ "lines": [{ "variantId": tee, "quantity": 1 }], "addresses": { "shipping": {
        "firstName": long, "lastName": long, "company": long, "address1": long, "address2": long, "city": long,
        "postalCode": "10115", "countryCode": "DE" } } });
    while refused < 20 {
        assert!(taken < 2_000, "the database grows although it may not");
        pages(&shop, &full).await;
        let answer = shop.store.send(CREATE, json!({ "input": cart })).await;
        match answer.body["errors"][0]["extensions"]["code"].as_str() {
            None => {
                answer.done();
                taken += 1;
            }
            Some(code) => {
                assert_eq!(code, "UNAVAILABLE", "{answer:?}");
                assert!(!answer.body.to_string().contains("full"), "no internal words: {answer:?}");
                refused += 1;
            }
        }
    }
    // An order is refused the same, and leaves nothing behind; what was there can be read. The shop's own work fails for
    // want of room, too, and with its connection goes what keeps the database small: then the order counts, and another
    // one is tried.
    let (mut placed, mut refused) = (1, None);
    while refused.is_none() {
        let (walker, key) = (ready.pop().expect("a connection that lasts for one purchase"), new_key());
        pages(&shop, &full).await;
        let bought = walker.complete(&key).await;
        if bought.body["errors"].is_null() {
            assert_ne!(limit(&shop).await, full, "an order was placed where there is no room: {bought:?}");
            bought.done();
            placed += 1;
        } else {
            assert_eq!(bought.error_code(), "UNAVAILABLE", "{bought:?}");
            refused = Some((walker, key));
        }
    }
    let (ready, key) = refused.unwrap();
    assert_eq!(shop.store.send(LISTING, json!({})).await.at("products.nodes.0.title"), "Tee");
    assert_eq!(shop.admin.send("{ orders { totalCount } }", json!({})).await.at("orders.totalCount"), placed);
    assert_eq!(ask(&shop, "pragma integrity_check").await, "ok");
    let health = reqwest::get(format!("http://{}/health/ready", shop.address)).await.unwrap();
    assert_eq!(health.status(), 200, "it can still be read");

    pages(&shop, "4294967294").await;
    // What is undone after that undoes itself alone: what is acknowledged next is really there, for everybody to read.
    let wrong = json!({ "lines": [{ "variantId": "variant_00000000000000000000000000", "quantity": 1 }] });
    let refused = shop.store.send(CREATE, json!({ "input": wrong })).await;
    assert_eq!(refused.refusals(), ["NOT_FOR_SALE"]);
    let bought = ready.complete(&key).await;
    bought.done();
    let order: OrderId = bought.text("cartComplete.order.id").parse().unwrap();
    assert!(order::Entity::find_by_id(order).one(&shop.app.read()).await.unwrap().is_some());
    assert_eq!(order::Entity::find().count(&shop.app.read()).await.unwrap(), placed + 1);
    let carts: i64 = ask(&shop, "select count(*) from cart").await.parse().unwrap();
    assert_eq!(carts, 6 + taken, "what was refused is not there, what was acknowledged is");
    let waiting = "select count(*) from event where position is null";
    eventually("the log is stamped again", async || ask(&shop, waiting).await == "0").await;
    assert_eq!(ask(&shop, "pragma integrity_check").await, "ok");
    invariants(&shop).await;
}
