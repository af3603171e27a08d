//! A shopper on his way to an order, and what staff do with it afterwards.

use serde_json::{Value, json};

use super::client::Client;
use super::socket::{Socket, Subscription};
use super::{Answer, Shop};

/// What `cartComplete` is sent as.
pub const COMPLETE: &str = "mutation($input: CartCompleteInput!) { cartComplete(input: $input) {
    order { id number status } accessToken userErrors { code message quantityAvailable } } }";
const CREATE: &str = "mutation($input: CartCreateInput!) { cartCreate(input: $input) {
    cart { id deliveryGroups { options { id } } } cartToken userErrors { code message path } } }";
const CHOOSE: &str = "mutation($delivery: CartDeliverySelectInput!, $payment: PaymentSessionCreateInput!) {
    cartDeliverySelect(input: $delivery) { userErrors { code message } }
    paymentSessionCreate(input: $payment) {
        cart { total { amount currencyCode } amountDue { amount currencyCode } } userErrors { code message } } }";
const UPDATED: &str = "subscription($id: ID!, $token: String, $after: Int64) {
    orderUpdated(orderId: $id, accessToken: $token, afterSequence: $after) {
        sequence event { kind } order { number status paymentStatus fulfillmentStatus } } }";

/// A placed order and what opens it.
#[derive(Debug, Clone)]
pub struct Placed {
    pub id: String,
    pub token: String,
}

/// A shopper whose cart lacks nothing but the last call.
#[derive(Debug, Clone)]
pub struct Walker {
    pub cart: String,
    store: Client,
    token: String,
    total: Value,
    due: Value,
}

/// An intention that nobody had before.
pub fn new_key() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Who buys, and where it is sent.
pub fn german_cart(variant: &str, quantity: i64) -> Value {
    json!({
        "lines": [{ "variantId": variant, "quantity": quantity }],
        "buyer": { "email": "ada@shopper.example" },
        "addresses": { "shipping": {
            "firstName": "Ada", "lastName": "Beispiel", "address1": "Musterweg 1", "postalCode": "10115",
            "city": "Berlin", "countryCode": "DE",
        } },
    })
}

/// A new product at 10.00 EUR with so much stock; answers with the id of its variant.
pub async fn stocked(shop: &Shop, title: &str, stock: i32) -> String {
    let price = json!({ "amount": { "amount": "10.00", "currencyCode": "EUR" } });
    let input = json!({ "title": title, "status": "PUBLISHED", "variants": [{ "prices": [price], "stock": stock }] });
    let made = shop.set("productCreate", input, "product { variants { id } }").await;
    made.done();
    made.text("productCreate.product.variants.0.id")
}

/// A variant of which the shop has some.
pub async fn in_stock(store: &Client) -> String {
    all_in_stock(store).await.swap_remove(0)
}

/// Every variant of which the shop has some.
pub async fn all_in_stock(store: &Client) -> Vec<String> {
    let query = "{ products(first: 100) { nodes { variants { id availability price { includesTax } } } } }";
    let listed = store.send(query, json!({})).await.at("products.nodes");
    let variants = listed.as_array().unwrap().iter().flat_map(|product| product["variants"].as_array().unwrap());
    let found = variants.filter(|variant| variant["availability"] == "IN_STOCK" && !variant["price"].is_null());
    let found: Vec<_> = found.map(|variant| variant["id"].as_str().unwrap().to_owned()).collect();
    assert!(!found.is_empty(), "nothing is in stock");
    found
}

impl Walker {
    /// Fills a cart and chooses the first delivery and the payment `manual`.
    pub async fn ready(store: &Client, variant: &str, quantity: i64) -> Self {
        Self::ready_to_pay(store, variant, quantity, "manual", json!({})).await
    }

    /// The same with a code, which gives something.
    pub async fn ready_with(store: &Client, variant: &str, quantity: i64, code: &str) -> Self {
        Self::ready_with_all(store, variant, quantity, &[code]).await
    }

    /// The same with codes of promotions and gift cards.
    pub async fn ready_with_all(store: &Client, variant: &str, quantity: i64, codes: &[&str]) -> Self {
        let mut cart = german_cart(variant, quantity);
        cart["codes"] = json!(codes);
        Self::ready_of(store, cart, "manual", json!({})).await
    }

    /// The same with another way to pay.
    pub async fn ready_to_pay(store: &Client, variant: &str, quantity: i64, provider: &str, data: Value) -> Self {
        Self::ready_of(store, german_cart(variant, quantity), provider, data).await
    }

    async fn ready_of(store: &Client, cart: Value, provider: &str, data: Value) -> Self {
        let made = store.send(CREATE, json!({ "input": cart })).await;
        made.done();
        let (cart, token) = (made.text("cartCreate.cart.id"), made.text("cartCreate.cartToken"));
        let option = made.text("cartCreate.cart.deliveryGroups.0.options.0.id");
        let delivery = json!({ "cartId": cart, "cartToken": token, "deliveryOptionId": option });
        let payment = json!({ "cartId": cart, "cartToken": token, "provider": provider, "data": data });
        let chosen = store.send(CHOOSE, json!({ "delivery": delivery, "payment": payment })).await;
        for mutation in ["cartDeliverySelect", "paymentSessionCreate"] {
            assert_eq!(chosen.at(&format!("{mutation}.userErrors")), json!([]));
        }
        let total = chosen.at("paymentSessionCreate.cart.total");
        let due = chosen.at("paymentSessionCreate.cart.amountDue");
        Self { cart, store: store.clone(), token, total, due }
    }

    /// Chooses another way to pay.
    pub async fn pay_with(&self, store: &Client, provider: &str, data: Value) {
        let pay = "mutation($input: PaymentSessionCreateInput!) { paymentSessionCreate(input: $input) {
            userErrors { code } } }";
        let input = json!({ "cartId": self.cart, "cartToken": self.token, "provider": provider, "data": data });
        store.send(pay, json!({ "input": input })).await.done();
    }

    /// The variables of the last call.
    pub fn completion(&self, key: &str) -> Value {
        json!({ "input": {
            "idempotencyKey": key, "cartId": self.cart, "cartToken": self.token, "expectedTotal": self.total,
            "expectedAmountDue": self.due,
        } })
    }

    /// What calls the checkout off: a document and its variables.
    pub fn cancellation(&self) -> (&'static str, Value) {
        let cancel = "mutation($input: CheckoutCancelInput!) { checkoutCancel(input: $input) { userErrors { code } } }";
        (cancel, json!({ "input": { "cartId": self.cart, "cartToken": self.token } }))
    }

    /// Makes the last call, to this shop.
    pub async fn complete_at(&self, store: &Client, key: &str) -> Answer {
        store.send(COMPLETE, self.completion(key)).await
    }

    /// Makes the last call.
    pub async fn complete(&self, key: &str) -> Answer {
        self.complete_at(&self.store, key).await
    }
}

/// Buys so many pieces.
pub async fn buy(store: &Client, variant: &str, quantity: i64) -> Placed {
    let answer = Walker::ready(store, variant, quantity).await.complete(&new_key()).await;
    answer.done();
    Placed { id: answer.text("cartComplete.order.id"), token: answer.text("cartComplete.accessToken") }
}

const PACK: &str = "mutation($input: AdminFulfillmentCreateInput!) { fulfillmentCreate(input: $input) {
    fulfillment { id } userErrors { code message } } }";
const UNPACK: &str = "mutation($input: AdminFulfillmentCancelInput!) { fulfillmentCancel(input: $input) {
    fulfillment { state } userErrors { code message } } }";

/// Packs everything of an order: one event. Answers with the fulfillment.
pub async fn pack(admin: &Client, order: &str) -> String {
    pack_at(|| admin.clone(), order).await
}

/// The same at whoever is there when he is needed.
pub async fn pack_at(admin: impl Fn() -> Client, order: &str) -> String {
    let answer = Client::insist(admin, PACK, json!({ "idempotencyKey": new_key(), "orderId": order })).await;
    answer.done();
    answer.text("fulfillmentCreate.fulfillment.id")
}

/// Unpacks a fulfillment, at whoever is there when he is needed: one event.
pub async fn unpack_at(admin: impl Fn() -> Client, fulfillment: &str) {
    let input = json!({ "idempotencyKey": new_key(), "id": fulfillment });
    Client::insist(admin, UNPACK, input).await.done();
}

/// Packs everything of an order and unpacks it: two events, and all is as before.
pub async fn pack_and_unpack(admin: &Client, order: &str) {
    let id = pack(admin, order).await;
    unpack_at(|| admin.clone(), &id).await;
}

/// Watches an order.
pub fn watch(socket: &Socket, placed: &Placed, after: Option<i64>) -> Subscription {
    watch_with(socket, &placed.id, Some(&placed.token), after)
}

/// Watches an order by id with whatever token.
pub fn watch_with(socket: &Socket, order: &str, token: Option<&str>, after: Option<i64>) -> Subscription {
    socket.subscribe(UPDATED, json!({ "id": order, "token": token, "after": after }))
}

/// The sequence of a message.
#[track_caller]
pub fn sequence(update: &Value) -> i64 {
    update["sequence"].as_i64().unwrap_or_else(|| panic!("no sequence: {update}"))
}
