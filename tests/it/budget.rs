//! How many statements buying takes (DESIGN section 7).

use engine::db::StatementCount;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;

use crate::support::Shop;
use crate::support::database::on_postgres;
use crate::support::invariants::invariants;

async fn with_two_goods() -> (Shop, String, String) {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let tee = shop.tee("20.00", 500).await;
    let mug = shop.product("Mug").price("8.50").stock(500).create().await.variant;
    (shop, tee, mug)
}

#[tokio::test]
async fn a_cart_with_two_lines_takes_at_most_14_statements() {
    let (shop, tee, mug) = with_two_goods().await;
    let cart = shop.cart(&[(&tee, 2), (&mug, 1)]).await;
    assert!((1..=14).contains(&cart.statements), "{}", cart.statements);
    invariants(&shop).await;
}

#[tokio::test]
async fn from_nothing_to_an_order_takes_at_most_45_statements() {
    let (shop, tee, mug) = with_two_goods().await;
    let placed = shop.checkout_all(&[(&tee, 2), (&mug, 1)], "manual", "k").await;
    assert!((4..=45).contains(&placed.statements), "{}", placed.statements);
    invariants(&shop).await;
}

#[tokio::test]
async fn more_pieces_and_carts_take_no_more_statements() {
    let (shop, tee, mug) = with_two_goods().await;
    let mut counts = Vec::new();
    for quantity in [1, 9, 90] {
        counts.push(shop.checkout_all(&[(&tee, quantity), (&mug, quantity)], "manual", "k").await.statements);
    }
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
    invariants(&shop).await;
}

/// On several threads, as a server is: what is asked for while the fields are looked at is read at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_listing_takes_8_statements_each_time_on_several_threads() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    for number in 0..20 {
        let variant = |size: &str| {
            json!({ "sku": format!("{number}-{size}"), "stock": 5, "options": [{ "name": "Size", "value": size }],
                "prices": [{ "amount": { "amount": "10.00", "currencyCode": "EUR" } }] })
        };
        let variants = ["S", "M", "L", "XL"].map(variant);
        let input = json!({ "by": { "handle": format!("thing-{number}") }, "title": "Thing", "status": "PUBLISHED",
            "tags": ["thing"], "options": [{ "name": "Size", "values": ["S", "M", "L", "XL"] }],
            "variants": variants });
        shop.set("productSet", input, "product { id }").await.done();
    }
    let collected = json!({ "title": "Things", "rule": { "conditions": [{ "tag": ["thing"] }] } });
    shop.set("collectionSet", collected, "collection { id }").await.done();
    let mut counts = Vec::new();
    for time in 0..25 {
        // Another question each time: none is told what another was.
        let listing = format!(
            "{{ products(first: 20) {{ nodes {{ title media {{ url }} tags collections {{ title }}
                options {{ name values }} variants {{ sku availability selectedOptions {{ name value }}
                    price {{ amount {{ amount }} }} }} }} }} }} # {time}"
        );
        let answer = shop.store.send(&listing, json!({})).await;
        let sizes = answer.at("products.nodes.19.variants").as_array().unwrap().clone();
        let sizes: Vec<_> = sizes.iter().map(|variant| variant["selectedOptions"][0]["value"].clone()).collect();
        assert_eq!(sizes, ["S", "M", "L", "XL"]);
        assert_eq!(answer.at("products.nodes.0.options"), json!([{ "name": "Size", "values": sizes }]));
        counts.push(answer.statements);
    }
    assert!(counts[0] <= 8 && counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

/// What a statement reads, step by step. PostgreSQL takes an index here wherever there is one that fits.
async fn steps(shop: &Shop, asked: &str) -> Vec<String> {
    let conn = shop.app.db.begin(&StatementCount::default()).await.unwrap();
    if on_postgres() {
        conn.execute_unprepared("set local enable_seqscan = off").await.unwrap();
    }
    let (how, column) = if on_postgres() { ("explain", 0) } else { ("explain query plan", 3) };
    let asked = Statement::from_string(conn.backend(), format!("{how} {asked}"));
    let rows = conn.query_all_raw(asked).await.unwrap();
    let steps = rows.iter().map(|row| row.try_get_by_index::<String>(column).unwrap()).collect();
    conn.rollback().await.unwrap();
    steps
}

#[tokio::test]
async fn what_belongs_to_a_cart_or_an_order_is_found_by_an_index() {
    let shop = Shop::open().await;
    let parts = [
        ("cart_line", "cart_id"),
        ("cart_delivery", "cart_id"),
        ("cart_code", "cart_id"),
        ("payment_session", "cart_id"),
        ("checkout", "cart_id"),
        ("reservation", "cart_id"),
        ("reservation", "checkout_id"),
        ("reservation", "order_line_id"),
        ("order_line", "order_id"),
        ("order_shipping_line", "order_id"),
        ("order_token", "order_id"),
        ("line_tax", "order_id"),
        ("line_adjustment", "order_id"),
        ("payment", "order_id"),
        ("payment", "checkout_id"),
        ("payment_entry", "payment_id"),
        ("fulfillment", "order_id"),
        ("notification", "order_id"),
    ];
    let nobody = if on_postgres() { "'00000000-0000-0000-0000-000000000000'" } else { "x'00'" };
    for (table, column) in parts {
        let plan = steps(&shop, &format!("select * from {table} where {column} = {nobody}")).await;
        let all = |step: &&String| step.contains("Seq Scan") || step.starts_with("SCAN");
        assert!(plan.iter().filter(all).count() == 0, "{table} by {column}: {plan:#?}");
    }
}
