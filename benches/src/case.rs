//! What is asked for.

use serde_json::{Value, json};

use crate::Result;
use crate::http::Http;
use crate::peers::{Catalog, handle, text};

/// How many of the products are asked for by handle, one after the other.
const HANDLES: usize = 500;
/// How many different carts are made, one after the other.
const CARTS: usize = 500;
/// How many products lie behind where the deep page begins.
const BEHIND: usize = 100;

/// The parts of a product in the full view.
macro_rules! full {
    () => {
        "id title handle descriptionHtml media { url alt } options { name values } tags collections { handle title }
        variants { id title sku selectedOptions { name value } price { includesTax amount { amount currencyCode } }
            availability }"
    };
}

/// All of a cart.
macro_rules! cart {
    () => {
        "id state currencyCode email totalQuantity
        shippingAddress { lastName address1 city postalCode countryCode }
        lines { id variantId title quantity unitPrice { amount } includesTax subtotal { amount } discount { amount }
            tax { amount } total { amount } }
        deliveryGroups { id options { id name amount { amount } } selected { id } }
        subtotal { amount } discount { amount } shipping { amount } tax { amount }
        taxes { code percent base { amount } amount { amount } } total { amount currencyCode }
        issues { code message blocking }"
    };
}

const FULL: &str = concat!("{ products(first: 20) { nodes { ", full!(), " } } }");
const LEAN: &str = "{ products(first: 20) { nodes { title handle
    variants { sku price { amount { amount currencyCode } } } } } }";
const DETAIL: &str = concat!("query($handle: String!) { product(by: { handle: $handle }) { ", full!(), " } }");
const DEEP: &str = concat!("query($after: String!) { products(first: 20, after: $after) { nodes { ", full!(), " } } }");
const PAGE: &str = "query($after: String) { products(first: 100, after: $after) { pageInfo { endCursor } } }";
const CREATE: &str = concat!(
    "mutation($input: CartCreateInput!) { cartCreate(input: $input) { cart { ",
    cart!(),
    " } cartToken userErrors { code message } } }"
);

/// One kind of request.
#[derive(Debug)]
pub struct Case {
    /// What the table calls it.
    pub name: &'static str,
    /// The bodies that are sent in turn.
    pub bodies: Vec<Value>,
    /// Requests per second of the better peer, and how many times as many are wanted.
    pub goal: (f64, f64),
    /// How many statements an answer may take.
    pub statements: u64,
}

impl Case {
    fn new(name: &'static str, goal: (f64, f64), statements: u64, bodies: Vec<Value>) -> Self {
        Self { name, bodies, goal, statements }
    }
}

fn body(query: &str, variables: Value) -> Value {
    json!({ "query": query, "variables": variables })
}

/// The single requests that are measured.
pub async fn all(shopper: &mut Http, catalog: &Catalog) -> Result<Vec<Case>> {
    let mut after = Value::Null;
    for _ in 0..catalog.products.saturating_sub(BEHIND).div_ceil(100) {
        let page = shopper.send(PAGE, json!({ "after": after })).await?;
        after = text(&page, "/products/pageInfo/endCursor")?.into();
    }
    let details = (0..HANDLES.min(catalog.products)).map(|number| body(DETAIL, json!({ "handle": handle(number) })));
    let carts = (0..CARTS).map(|number| body(CREATE, json!({ "input": { "lines": lines(catalog, number) } })));
    Ok(vec![
        Case::new("(a) listing, full", (10.3, 50.0), 8, vec![body(FULL, json!({}))]),
        Case::new("(a') listing, lean", (27.8, 50.0), 6, vec![body(LEAN, json!({}))]),
        Case::new("(b) product by handle", (62.1, 20.0), 8, details.collect()),
        Case::new("(c) cart with two lines", (26.7, 20.0), 14, carts.collect()),
        Case::new("(e) listing, full, at depth 900", (10.8, 50.0), 8, vec![body(DEEP, json!({ "after": after }))]),
    ])
}

/// Two lines of a cart, others for each number.
pub fn lines(catalog: &Catalog, number: usize) -> Value {
    let variant = |step: usize| &catalog.variants[(number * 7 + step * 1_999) % catalog.variants.len()];
    json!([{ "variantId": variant(0), "quantity": 1 }, { "variantId": variant(1), "quantity": 2 }])
}

/// The first of the four requests from nothing to an order: the cart, its buyer and the address.
pub const FIRST: &str = CREATE;
/// The second: how it is sent.
pub const SECOND: &str = "mutation($input: CartDeliverySelectInput!) { cartDeliverySelect(input: $input) {
    cart { total { amount currencyCode } } userErrors { code message } } }";
/// The third: how it is paid.
pub const THIRD: &str = "mutation($input: PaymentSessionCreateInput!) { paymentSessionCreate(input: $input) {
    cart { total { amount currencyCode } issues { code } } userErrors { code message } } }";
/// The fourth: the order.
pub const FOURTH: &str = "mutation($input: CartCompleteInput!) { cartComplete(input: $input) {
    order { id number status paymentStatus total { amount } } accessToken userErrors { code message } } }";
