//! Many buyers, few goods.

use entity::{order, reservation, stock_level, stock_movement};
use futures_util::StreamExt;
use futures_util::stream::iter;
use sea_orm::EntityTrait;
use serde_json::json;

use crate::support::walker::{Walker, new_key, stocked};
use crate::support::{Answer, Shop};

const ROUNDS: usize = 5;
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
    for place in 1..=ROUNDS {
        numbers.extend(round(&shop, &format!("Rare Thing {place}")).await);
    }
    numbers.sort_unstable();
    assert_eq!(numbers.len(), ROUNDS * PIECES);
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "numbers with holes: {numbers:?}");

    let conn = shop.app.read();
    assert_eq!(order::Entity::find().all(&conn).await.unwrap().len(), ROUNDS * PIECES);
    let promised = reservation::Entity::find().all(&conn).await.unwrap();
    assert_eq!(promised.len(), ROUNDS * PIECES, "the losers hold nothing");
    for level in stock_level::Entity::find().all(&conn).await.unwrap() {
        let of_level = promised.iter().filter(|row| row.item_id == level.item_id);
        let sum: i32 = of_level.map(|row| row.quantity).sum();
        assert_eq!((level.stocked, level.reserved), (PIECES as i32, sum));
    }
    let moved = stock_movement::Entity::find().all(&conn).await.unwrap();
    assert_eq!(moved.len(), ROUNDS, "promising moves nothing");
}
