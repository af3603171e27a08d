//! Carts of customers: attached, merged, and nobody else's.

use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{Placed, faults};
use crate::support::client::Client;
use crate::support::customers::{Account, PASSWORD};
use crate::support::invariants::invariants;

const CART: &str = "query($id: ID!, $token: String) { cart(id: $id, token: $token) {
    id email totalQuantity state issues { code blocking } } }";
const MINE: &str = "{ customer { cart { id totalQuantity email } } }";

async fn german_shop() -> (Shop, String) {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual"]).await;
    let tee = shop.tee("20.00", 20_000).await;
    (shop, tee)
}

async fn seen(client: &Client, id: &str, token: &str) -> Value {
    client.send(CART, json!({ "id": id, "token": token })).await.at("cart")
}

async fn log_in_with(shop: &Shop, ada: &Account, id: &str, token: &str) -> crate::support::Answer {
    let input = json!({ "email": ada.email, "password": PASSWORD, "cartId": id, "cartToken": token });
    let select = "tokens { accessToken } cart { id totalQuantity email lines { variantId quantity }
        issues { code blocking lineId } } cartErrors { code path }";
    shop.guest("customerLogin", input, select).await
}

#[tokio::test]
async fn any_change_by_a_customer_makes_a_guest_s_cart_his() {
    let (shop, tee) = german_shop().await;
    let (ada, bob) = (shop.customer("ada@shopper.example").await, shop.customer("bob@shopper.example").await);
    let mut cart = shop.cart_of(json!({ "lines": [{ "variantId": tee, "quantity": 1 }] })).await;
    assert_eq!(seen(&ada.client, &cart.id, "").await, json!(null), "an id alone opens nothing");
    cart.client = ada.client.clone();
    cart.mutate("cartBuyerUpdate", json!({ "locale": "de" })).await.done();
    assert_eq!(
        ada.client.send(MINE, json!({})).await.at("customer.cart"),
        json!({ "id": cart.id, "totalQuantity": 1, "email": "ada@shopper.example" })
    );
    for stranger in [&shop.store, &bob.client] {
        assert_eq!(seen(stranger, &cart.id, &cart.token).await, json!(null), "the token opens it no more");
        let mut stolen = cart.clone();
        stolen.client = stranger.clone();
        assert_eq!(faults(&stolen.mutate("cartBuyerUpdate", json!({ "locale": "en" })).await), ["NOT_FOUND cartId"]);
    }
    let made = "mutation { cartCreate(input: {}) { cart { id email } cartToken userErrors { code } } }";
    let made = bob.client.send(made, json!({})).await;
    assert_eq!(made.at("cartCreate.cart.email"), "bob@shopper.example");
    let token = made.text("cartCreate.cartToken");
    assert_eq!(seen(&shop.store, &made.text("cartCreate.cart.id"), &token).await, json!(null));
    invariants(&shop).await;
}

#[tokio::test]
async fn an_order_bought_while_signed_in_is_the_customer_s() {
    let (shop, tee) = german_shop().await;
    let ada = shop.customer("ada@shopper.example").await;
    let mut cart = shop.ready_cart(&[(&tee, 1)], "manual").await;
    cart.client = ada.client.clone();
    let answer = cart.complete("key").await;
    let placed = Placed::of(cart.clone(), &answer);
    assert_eq!(Placed::of(cart, &answer).id, placed.id);
    let mine = "{ customer { orders(first: 1) { totalCount nodes { id number } pageInfo { hasNextPage } } } }";
    let mine = ada.client.send(mine, json!({})).await;
    assert_eq!(mine.at("customer.orders.totalCount"), 1);
    assert_eq!(mine.at("customer.orders.nodes.0.id"), placed.id.as_str());
    let order = "query($id: ID!) { order(id: $id) { id } }";
    assert_eq!(ada.client.send(order, json!({ "id": placed.id })).await.at("order.id"), placed.id.as_str());
    assert_eq!(shop.store.send(order, json!({ "id": placed.id })).await.at("order"), json!(null));
    invariants(&shop).await;
}

#[tokio::test]
async fn logging_in_merges_the_guest_s_cart_and_names_what_does_not_fit() {
    let (shop, tee) = german_shop().await;
    let mug = shop.product("Mug").price("8.00").stock(5).create().await.variant;
    let ada = shop.customer("ada@shopper.example").await;

    let first = shop.cart_of(json!({ "lines": [{ "variantId": tee, "quantity": 9_990 }] })).await;
    let merged = log_in_with(&shop, &ada, &first.id, &first.token).await.done();
    assert_eq!(merged["cart"]["id"], first.id.as_str(), "a customer without a cart takes it over");
    assert_eq!(merged["cart"]["email"], "ada@shopper.example");

    let lines = json!({ "lines": [{ "variantId": mug, "quantity": 2 }, { "variantId": tee, "quantity": 20 }] });
    let guest = shop.cart_of(lines).await;
    let merged = log_in_with(&shop, &ada, &guest.id, &guest.token).await.done();
    assert_eq!(merged["cart"]["id"], first.id.as_str());
    assert_eq!(
        merged["cart"]["lines"],
        json!([
            { "variantId": tee, "quantity": 9_999 }, { "variantId": mug, "quantity": 2 },
        ])
    );
    let issues = merged["cart"]["issues"].as_array().unwrap();
    let left = issues.iter().find(|issue| issue["code"] == "QUANTITY_OUT_OF_RANGE").expect("the rest is named");
    assert_eq!((&left["blocking"], left["lineId"].is_string()), (&json!(false), true));
    assert_eq!(seen(&shop.store, &guest.id, &guest.token).await, json!(null), "the guest's cart is gone");
    let again = ada.client.send(MINE, json!({})).await;
    assert_eq!(again.at("customer.cart.totalQuantity"), 10_001);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_cart_that_can_t_be_merged_does_not_stand_in_the_way_of_logging_in() {
    let (shop, tee) = german_shop().await;
    let (ada, bob) = (shop.customer("ada@shopper.example").await, shop.customer("bob@shopper.example").await);
    let guest = shop.cart_of(json!({ "lines": [{ "variantId": tee, "quantity": 1 }] })).await;
    log_in_with(&shop, &bob, &guest.id, &guest.token).await.done();
    for (id, token, fault) in [
        (guest.id.as_str(), guest.token.as_str(), "NOT_FOUND"),
        (guest.id.as_str(), "", "NOT_FOUND"),
        ("cart_00000000000000000000000000", "", "NOT_FOUND"),
        ("nonsense", "", "INVALID"),
    ] {
        let done = log_in_with(&shop, &ada, id, token).await.done();
        assert!(done["tokens"]["accessToken"].is_string());
        assert_eq!(done["cart"], json!(null));
        assert_eq!(done["cartErrors"], json!([{ "code": fault, "path": ["cartId"] }]), "{id}");
    }
    let placed = shop.checkout_all(&[(&tee, 1)], "manual", "key").await;
    let done = log_in_with(&shop, &ada, &placed.cart.id, &placed.cart.token).await.done();
    assert_eq!(done["cartErrors"][0]["code"], "CART_COMPLETED");
    invariants(&shop).await;
}
