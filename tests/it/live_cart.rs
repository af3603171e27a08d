//! Carts and availability as they change, to those who look at them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{CartSession, Goods, euro};
use crate::support::client::pick;
use crate::support::socket::{PATIENCE, Socket, Subscription};
use crate::support::walker::new_key;

const CART: &str = "subscription($id: ID!, $token: String) { cartUpdated(cartId: $id, cartToken: $token) {
    changes cart { state total { amount } lines { quantity unitPrice { amount } }
        issues { code quantityAvailable } paymentSession { provider } } } }";
const VARIANTS: &str = "subscription($ids: [ID!]!) { variantAvailabilityChanged(variantIds: $ids) {
    variantId availability previous variant { title availability } } }";

async fn shop() -> Shop {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop
}

async fn store(shop: &Shop) -> Socket {
    Socket::open(&format!("ws://{}/store/graphql", shop.address), json!({})).await.unwrap()
}

async fn follow(shop: &Shop, cart: &CartSession) -> (Socket, Subscription, Value) {
    let socket = store(shop).await;
    let mut live = socket.subscribe(CART, json!({ "id": cart.id, "token": cart.token }));
    let first = live.next(PATIENCE).await;
    assert_eq!(first["changes"], json!([]), "the first message tells the present state");
    (socket, live, first)
}

async fn adjust(shop: &Shop, variant: &str, delta: i32) {
    let input = json!({ "variantId": variant, "delta": delta, "reason": "CORRECTION", "idempotencyKey": new_key() });
    shop.set("inventoryAdjust", input, "stockLevel { stocked }").await.done();
}

async fn price(shop: &Shop, goods: &Goods, amount: &str) {
    let variants = json!([{ "id": goods.variant, "prices": [{ "amount": euro(amount) }] }]);
    shop.set("productUpdate", json!({ "id": goods.product, "variants": variants }), "product { id }").await.done();
}

/// A product at 20.00 and 5.00.
async fn two_goods(shop: &Shop) -> [Goods; 2] {
    let tee = shop.product("Tee").price("20.00").stock(10).create().await;
    [tee, shop.product("Cap").price("5.00").stock(10).create().await]
}

/// Nothing comes for a while.
async fn silence(live: &mut Subscription) {
    let came = live.try_next(Duration::from_millis(1_500)).await;
    assert!(came.is_none(), "{came:?}");
}

#[tokio::test]
async fn a_cart_is_told_when_its_price_and_its_stock_change() {
    let shop = shop().await;
    let [tee, other] = two_goods(&shop).await;
    let cart = shop.ready_cart(&[(&tee.variant, 3)], "manual").await;
    let (_socket, mut live, first) = follow(&shop, &cart).await;
    assert_eq!(pick(&first, "cart.total.amount"), "64.90");

    price(&shop, &tee, "25.00").await;
    let told = live.next(PATIENCE).await;
    assert_eq!(told["changes"], json!(["PRICE"]));
    assert_eq!(pick(&told, "cart.total.amount"), "79.90");
    assert_eq!(pick(&told, "cart.issues"), json!([{ "code": "PRICE_CHANGED", "quantityAvailable": null }]));

    adjust(&shop, &tee.variant, -8).await;
    let told = live.next(PATIENCE).await;
    assert_eq!(told["changes"], json!(["STOCK"]));
    let issue = json!({ "code": "INSUFFICIENT_STOCK", "quantityAvailable": 2 });
    assert!(pick(&told, "cart.issues").as_array().unwrap().contains(&issue), "{told}");

    // What is nothing to this cart is not told.
    price(&shop, &other, "6.00").await;
    adjust(&shop, &other.variant, -1).await;
    adjust(&shop, &tee.variant, -1).await;
    let told = live.next(PATIENCE).await;
    assert_eq!(told["changes"], json!(["STOCK"]));
    silence(&mut live).await;
}

#[tokio::test]
async fn another_window_sees_what_one_does_until_the_cart_is_an_order() {
    let shop = shop().await;
    let tee = shop.tee("20.00", 10).await;
    let mut cart = shop.cart(&[(&tee, 1)]).await;
    let (_socket, mut live, first) = follow(&shop, &cart).await;
    assert_eq!(pick(&first, "cart.paymentSession"), Value::Null);

    cart.mutate("cartLinesAdd", json!({ "lines": [{ "variantId": tee, "quantity": 2 }] })).await.done();
    let told = live.next(PATIENCE).await;
    assert_eq!(told["changes"], json!(["CONTENT"]));
    assert_eq!(pick(&told, "cart.lines"), json!([{ "quantity": 3, "unitPrice": { "amount": "20.00" } }]));

    cart.select_delivery().await.done();
    assert_eq!(live.next(PATIENCE).await["changes"], json!(["DELIVERY"]));
    cart.pay("manual").await.done();
    let told = live.next(PATIENCE).await;
    assert_eq!(
        (&told["changes"], &told["cart"]["paymentSession"]["provider"]),
        (&json!(["PAYMENT"]), &json!("manual"))
    );

    cart.complete(&new_key()).await.done();
    let mut told = live.next(PATIENCE).await;
    if told["cart"]["state"] == "COMPLETING" {
        told = live.next(PATIENCE).await;
    }
    assert_eq!((&told["cart"]["state"], &told["changes"]), (&json!("COMPLETED"), &json!(["STATE"])));
    live.ended().await;
}

#[tokio::test]
async fn a_cart_is_followed_by_whom_it_belongs_to() {
    let shop = shop().await;
    let tee = shop.tee("20.00", 10).await;
    let cart = shop.cart(&[(&tee, 1)]).await;
    let other = shop.cart(&[(&tee, 1)]).await;
    let socket = store(&shop).await;
    let none = ("NOT_FOUND".to_owned(), "There is no such cart.".to_owned());
    for (id, token) in [
        (cart.id.as_str(), Value::Null),
        (&cart.id, json!("")),
        (&cart.id, json!(other.token)),
        ("nonsense", json!(cart.token)),
        (&tee, json!(cart.token)),
    ] {
        let refused = socket.subscribe(CART, json!({ "id": id, "token": token })).error().await;
        assert_eq!(refused, none, "{id} {token}");
    }
}

#[tokio::test]
async fn who_looks_at_variants_is_told_when_they_sell_out_and_come_back() {
    let shop = shop().await;
    let tee = shop.tee("20.00", 5).await;
    let cap = shop.product("Cap").price("9.00").stock(0).create().await.variant;
    let socket = store(&shop).await;
    let mut live = socket.subscribe(VARIANTS, json!({ "ids": [tee, cap] }));
    let mut first = [live.next(PATIENCE).await, live.next(PATIENCE).await];
    first.sort_by_key(|told| told["variantId"] != json!(tee));
    let states: Vec<_> = first.iter().map(|told| (&told["availability"], &told["previous"])).collect();
    assert_eq!(states, [(&json!("IN_STOCK"), &Value::Null), (&json!("OUT_OF_STOCK"), &Value::Null)]);

    // Another shopper takes all but one, then the last.
    shop.checkout_all(&[(&tee, 4)], "manual", &new_key()).await;
    let told = live.next(PATIENCE).await;
    assert_eq!((&told["availability"], &told["previous"]), (&json!("LOW_STOCK"), &json!("IN_STOCK")));
    assert_eq!(told["variant"]["availability"], "LOW_STOCK");
    shop.checkout_all(&[(&tee, 1)], "manual", &new_key()).await;
    let told = live.next(PATIENCE).await;
    assert_eq!((&told["availability"], &told["previous"]), (&json!("OUT_OF_STOCK"), &json!("LOW_STOCK")));

    adjust(&shop, &cap, 40).await;
    let told = live.next(PATIENCE).await;
    assert_eq!((&told["variantId"], &told["availability"]), (&json!(cap), &json!("IN_STOCK")));
    // More of what is there anyway is no news.
    adjust(&shop, &cap, 40).await;
    silence(&mut live).await;
}

#[tokio::test]
async fn lists_of_variants_are_bounded_and_hold_what_is_for_sale() {
    let shop = shop().await;
    let tee = shop.tee("20.00", 5).await;
    let socket = store(&shop).await;
    let many: Vec<_> = (0..101).map(|_| tee.clone()).collect();
    for (ids, code) in [
        (json!([]), "TOO_MANY"),
        (json!(many), "TOO_MANY"),
        (json!(["nonsense"]), "INVALID"),
        (json!(["variant_01h455vb4pex5vsknk084sn02q"]), "NOT_FOUND"),
    ] {
        assert_eq!(socket.subscribe(VARIANTS, json!({ "ids": ids })).error().await.0, code, "{ids}");
    }
    let draft = shop.product("Draft").price("1.00").stock(3).with("status", json!("DRAFT")).create().await;
    let hidden = socket.subscribe(VARIANTS, json!({ "ids": [draft.variant] })).error().await;
    assert_eq!(hidden.0, "NOT_FOUND");
}
