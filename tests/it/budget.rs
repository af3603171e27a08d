//! How many statements buying takes (DESIGN section 7).

use crate::support::Shop;
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
