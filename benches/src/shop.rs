//! Orders to watch and to change.

use serde_json::{Value, json};

use crate::Result;
use crate::http::{Http, new_key};
use crate::peers::text;
use crate::server::Server;

const PRODUCTS: &str = "{ products(first: 100) { nodes { variants { id availability price { includesTax } } } } }";
const CREATE: &str = "mutation($input: CartCreateInput!) { cartCreate(input: $input) {
    cart { id deliveryGroups { options { id } } } cartToken userErrors { code message } } }";
const CHOOSE: &str = "mutation($delivery: CartDeliverySelectInput!, $payment: PaymentSessionCreateInput!) {
    cartDeliverySelect(input: $delivery) { userErrors { code message } }
    paymentSessionCreate(input: $payment) { cart { total { amount currencyCode } } userErrors { code message } } }";
const COMPLETE: &str = "mutation($input: CartCompleteInput!) { cartComplete(input: $input) {
    order { id } accessToken userErrors { code message } } }";
const PACK: &str = "mutation($input: AdminFulfillmentCreateInput!) { fulfillmentCreate(input: $input) {
    fulfillment { id } userErrors { code message } } }";
const UNPACK: &str = "mutation($input: AdminFulfillmentCancelInput!) { fulfillmentCancel(input: $input) {
    fulfillment { state } userErrors { code message } } }";
const WATCH: &str = "subscription($id: ID!, $token: String) { orderUpdated(orderId: $id, accessToken: $token) {
    sequence event { kind at } order { number status paymentStatus fulfillmentStatus } } }";

/// A page of products as a storefront lists them.
pub const LISTING: &str = "{ products(first: 20) { nodes { title handle variants { id availability
    price { amount { amount currencyCode } } } } } }";

/// A placed order.
#[derive(Debug, Clone)]
pub struct Order {
    id: String,
    token: String,
    /// The fulfillment that holds all of it, when it is packed.
    packed: Option<String>,
}

impl Order {
    /// What `graphql-transport-ws` calls the message that begins watching it.
    pub fn watch(&self) -> String {
        let variables = json!({ "id": self.id, "token": self.token });
        json!({ "id": "1", "type": "subscribe", "payload": { "query": WATCH, "variables": variables } }).to_string()
    }

    /// Packs what is not packed and unpacks what is: one event.
    pub async fn change(&mut self, staff: &mut Http) -> Result<()> {
        let key = new_key();
        match self.packed.take() {
            None => {
                let input = json!({ "idempotencyKey": key, "orderId": self.id });
                let answer = staff.send(PACK, json!({ "input": input })).await?;
                self.packed = Some(text(&answer, "/fulfillmentCreate/fulfillment/id")?);
            }
            Some(fulfillment) => {
                let input = json!({ "idempotencyKey": key, "id": fulfillment });
                staff.send(UNPACK, json!({ "input": input })).await?;
            }
        }
        Ok(())
    }
}

/// Buys one piece each in so many orders.
pub async fn buy(server: &Server, count: usize) -> Result<Vec<Order>> {
    let mut store = server.shopper().await?;
    let products = store.send(PRODUCTS, json!({})).await?;
    let variants = products["products"]["nodes"].as_array().into_iter().flatten();
    let variants = variants.flat_map(|product| product["variants"].as_array().into_iter().flatten());
    let in_stock = |variant: &&Value| variant["availability"] == "IN_STOCK" && !variant["price"].is_null();
    let variants: Vec<_> = variants.filter(in_stock).map(|variant| variant["id"].clone()).collect();
    let mut orders = Vec::new();
    for place in 0..count {
        let variant = variants.get(place % variants.len().max(1)).ok_or("nothing is in stock")?;
        orders.push(buy_one(&mut store, variant).await?);
    }
    Ok(orders)
}

async fn buy_one(store: &mut Http, variant: &Value) -> Result<Order> {
    let input = json!({
        "lines": [{ "variantId": variant, "quantity": 1 }],
        "buyer": { "email": "ada@shopper.example" },
        "addresses": { "shipping": {
            "firstName": "Ada", "lastName": "Beispiel", "address1": "Musterweg 1", "postalCode": "10115",
            "city": "Berlin", "countryCode": "DE",
        } },
    });
    let made = store.send(CREATE, json!({ "input": input })).await?;
    let (cart, token) = (&made["cartCreate"]["cart"]["id"], &made["cartCreate"]["cartToken"]);
    let option = made.pointer("/cartCreate/cart/deliveryGroups/0/options/0/id");
    let delivery = json!({ "cartId": cart, "cartToken": token, "deliveryOptionId": option });
    let payment = json!({ "cartId": cart, "cartToken": token, "provider": "manual" });
    let chosen = store.send(CHOOSE, json!({ "delivery": delivery, "payment": payment })).await?;
    let total = chosen.pointer("/paymentSessionCreate/cart/total");
    let input = json!({ "idempotencyKey": new_key(), "cartId": cart, "cartToken": token, "expectedTotal": total });
    let placed = store.send(COMPLETE, json!({ "input": input })).await?;
    let id = text(&placed, "/cartComplete/order/id")?;
    Ok(Order { id, token: text(&placed, "/cartComplete/accessToken")?, packed: None })
}
