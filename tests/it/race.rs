//! Many buyers, few goods.

use entity::{order, reservation, stock_level, stock_movement};
use futures_util::StreamExt;
use futures_util::stream::iter;
use sea_orm::EntityTrait;
use serde_json::json;

use crate::support::client::Client;
use crate::support::database::{TestDatabase, on_postgres};
use crate::support::node::Node;
use crate::support::walker::{Walker, new_key, stocked};
use crate::support::{Answer, Shop};

/// How many rounds there are: `EMPORION_TEST_ROUNDS` for a long run.
fn rounds(usual: usize) -> usize {
    std::env::var("EMPORION_TEST_ROUNDS").map_or(usual, |rounds| rounds.parse().unwrap())
}

const BUYERS: usize = 200;
const PIECES: usize = 10;
/// How many buyers speak at once.
const AT_ONCE: usize = 32;

/// One round; answers with the numbers of its orders.
async fn round(shop: &Shop, title: &str) -> Vec<i64> {
    let variant = stocked(shop, title, PIECES as i32).await;
    // Everybody has the last pieces in the cart before anybody buys.
    let carts = iter((0..BUYERS).map(|_| Walker::ready(&shop.store, &variant, 1)));
    let buyers: Vec<Walker> = carts.buffer_unordered(AT_ONCE).collect().await;
    let calls = iter(buyers.iter().map(|buyer| async move { buyer.complete(&new_key()).await }));
    let answers: Vec<Answer> = calls.buffer_unordered(AT_ONCE).collect().await;

    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.refusals().is_empty());
    for answer in lost {
        assert_eq!(answer.refusals(), ["INSUFFICIENT_STOCK"]);
        assert_eq!(answer.at("cartComplete.userErrors.0.quantityAvailable"), 0);
    }
    assert_eq!(won.len(), PIECES);
    let query = "query($filter: AdminProductFilter) { products(filter: $filter) {
        nodes { variants { id availability stockLevels { stocked reserved available } } } } }";
    let filter = json!({ "product": { "handle": { "eq": title.to_lowercase().replace(' ', "-") } } });
    let stock = shop.admin.send(query, json!({ "filter": filter })).await.at("products.nodes.0.variants.0");
    let expected = json!({
        "id": variant, "availability": "OUT_OF_STOCK",
        "stockLevels": [{ "stocked": PIECES, "reserved": PIECES, "available": 0 }],
    });
    assert_eq!(stock, expected);
    won.iter().map(|answer| answer.at("cartComplete.order.number").as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_buyers_never_get_an_eleventh_piece() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let mut numbers = Vec::new();
    let rounds = rounds(5);
    for place in 1..=rounds {
        numbers.extend(round(&shop, &format!("Rare Thing {place}")).await);
    }
    numbers.sort_unstable();
    assert_eq!(numbers.len(), rounds * PIECES);
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "numbers with holes: {numbers:?}");

    let conn = shop.app.read();
    assert_eq!(order::Entity::find().all(&conn).await.unwrap().len(), rounds * PIECES);
    let promised = reservation::Entity::find().all(&conn).await.unwrap();
    assert_eq!(promised.len(), rounds * PIECES, "the losers hold nothing");
    for level in stock_level::Entity::find().all(&conn).await.unwrap() {
        let of_level = promised.iter().filter(|row| row.item_id == level.item_id);
        let sum: i32 = of_level.map(|row| row.quantity).sum();
        assert_eq!((level.stocked, level.reserved), (PIECES as i32, sum));
    }
    let moved = stock_movement::Entity::find().all(&conn).await.unwrap();
    assert_eq!(moved.len(), rounds, "promising moves nothing");
}

/// A new product at 10.00 EUR of which there are [`PIECES`]: its variant.
async fn rare(admin: &Client, title: &str) -> String {
    let make = "mutation($input: AdminProductCreateInput!) { productCreate(input: $input) {
        product { variants { id } } userErrors { code message path } } }";
    let price = json!({ "amount": { "amount": "10.00", "currencyCode": "EUR" } });
    let input = json!({
        "title": title, "status": "PUBLISHED", "variants": [{ "prices": [price], "stock": PIECES }],
    });
    let made = admin.send(make, json!({ "input": input })).await;
    made.done();
    made.text("productCreate.product.variants.0.id")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn buyers_at_two_processes_never_get_an_eleventh_piece() {
    // A shop on SQLite is one process.
    if !on_postgres() {
        return;
    }
    let database = TestDatabase::copy().await;
    let mut first = Node::start(&database, &["--demo", "--rate-address", "off"], &[]).await;
    let mut second = Node::start(&database, &["--rate-address", "off"], &[]).await;
    let owner = first.owner_token().await;
    let admin = first.anonymous_admin.bearer(&owner);
    let rounds = rounds(1);
    let buyers = if rounds > 1 { BUYERS } else { BUYERS / 4 };
    for place in 1..=rounds {
        let variant = rare(&admin, &format!("Rare at two {place}")).await;
        let (at, other) = (&first.store, &second.store);
        // Each fills the cart at the one and buys at the other.
        let carts = iter((0..buyers).map(|place| Walker::ready(if place % 2 == 0 { at } else { other }, &variant, 1)));
        let walkers: Vec<Walker> = carts.buffered(AT_ONCE).collect().await;
        let calls = iter(walkers.iter().enumerate().map(|(place, walker)| async move {
            walker.complete_at(if place % 2 == 0 { other } else { at }, &new_key()).await
        }));
        let answers: Vec<Answer> = calls.buffer_unordered(AT_ONCE).collect().await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.refusals().is_empty());
        assert!(lost.iter().all(|answer| answer.refusals() == ["INSUFFICIENT_STOCK"]));
        assert_eq!(won.len(), PIECES, "round {place}");
        let query = "query($id: ID!) { productVariant(by: { id: $id }) { stockLevels { stocked reserved } } }";
        let levels = admin.send(query, json!({ "id": variant })).await;
        let sums = |name: &str| -> i64 {
            let rows = levels.at("productVariant.stockLevels");
            rows.as_array().unwrap().iter().map(|row| row[name].as_i64().unwrap()).sum()
        };
        assert_eq!((sums("stocked"), sums("reserved")), (PIECES as i64, PIECES as i64), "round {place}");
    }
    for node in [&mut first, &mut second] {
        assert!(node.process.terminate().await.success());
    }
}
