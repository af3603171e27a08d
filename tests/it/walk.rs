//! The walk of the README, with the binary itself: from an empty database to a
//! delivered order.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::database::TestDatabase;
use crate::support::node::{Node, Process, run_command};
use crate::support::socket::{Socket, Subscription};
use crate::support::walker::{COMPLETE, Placed, german_cart, new_key, sequence, watch};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/shopify/packt-product-data.csv");
const SOON: Duration = Duration::from_secs(10);

async fn import(database: &TestDatabase) -> String {
    let output = run_command(database, &["import", "shopify", PATH, "--currency", "EUR"]).await;
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The lowest price of a listed product, in cents.
fn lowest(product: &Value) -> i64 {
    let prices = product["variants"].as_array().unwrap().iter();
    prices.filter_map(|variant| variant["price"]["amount"]["amountMinor"].as_i64()).min().unwrap_or(i64::MAX)
}

/// Looks at the list and opens the wheelbarrow; answers with its variant.
async fn browse(store: &Client) -> String {
    let list = "{ products(first: 100, sort: [{ field: PRICE }]) {
        totalCount nodes { handle variants { price { amount { amountMinor } } } } } }";
    let list = store.send(list, json!({})).await.at("products");
    let products = list["nodes"].as_array().unwrap();
    assert_eq!(list["totalCount"], products.len());
    let prices: Vec<i64> = products.iter().map(lowest).collect();
    assert!(prices.is_sorted(), "{prices:?}");
    let handles: Vec<_> = products.iter().map(|product| product["handle"].as_str().unwrap()).collect();
    assert!(handles.contains(&"grey-wheelbarrow") && handles.contains(&"harbor-mug"), "{handles:?}");

    let open = "{ product(by: { handle: \"grey-wheelbarrow\" }) { title
        variants { id availability price { amount { amount currencyCode } } } } }";
    let product = store.send(open, json!({})).await;
    assert_eq!(product.at("product.title"), "Grey Wheelbarrow");
    assert_eq!(product.at("product.variants.0.availability"), "IN_STOCK");
    let price = json!({ "amount": "10.00", "currencyCode": "EUR" });
    assert_eq!(product.at("product.variants.0.price.amount"), price);
    product.text("product.variants.0.id")
}

/// Two wheelbarrows, in four requests.
async fn order(store: &Client, variant: &str) -> Placed {
    let create = "mutation($input: CartCreateInput!) { cartCreate(input: $input) {
        cart { id subtotal { amount } deliveryGroups { options { id name amount { amount } } } }
        cartToken userErrors { code message path } } }";
    let made = store.send(create, json!({ "input": german_cart(variant, 2) })).await;
    made.done();
    assert_eq!(made.at("cartCreate.cart.subtotal.amount"), "20.00");
    let (cart, token) = (made.text("cartCreate.cart.id"), made.text("cartCreate.cartToken"));

    let select = "mutation($input: CartDeliverySelectInput!) { cartDeliverySelect(input: $input) {
        cart { deliveryGroups { selected { id } } } userErrors { code message } } }";
    let option = made.text("cartCreate.cart.deliveryGroups.0.options.0.id");
    let input = json!({ "cartId": cart, "cartToken": token, "deliveryOptionId": option });
    let selected = store.send(select, json!({ "input": input })).await;
    selected.done();
    assert_eq!(selected.at("cartDeliverySelect.cart.deliveryGroups.0.selected.id"), option.as_str());

    let pay = "mutation($input: PaymentSessionCreateInput!) { paymentSessionCreate(input: $input) {
        cart { total { amount currencyCode } issues { code } } userErrors { code message } } }";
    let input = json!({ "cartId": cart, "cartToken": token, "provider": "manual" });
    let chosen = store.send(pay, json!({ "input": input })).await;
    chosen.done();
    assert_eq!(chosen.at("paymentSessionCreate.cart.issues"), json!([]), "nothing is missing");

    let total = chosen.at("paymentSessionCreate.cart.total");
    let input = json!({ "idempotencyKey": new_key(), "cartId": cart, "cartToken": token, "expectedTotal": total });
    let placed = store.send(COMPLETE, json!({ "input": input })).await;
    placed.done();
    Placed { id: placed.text("cartComplete.order.id"), token: placed.text("cartComplete.accessToken") }
}

/// Sends a mutation of staff; it must not be refused.
async fn staff(admin: &Client, mutation: &str, input: Value, selection: &str) -> Value {
    let kind = format!("Admin{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let query = format!(
        "mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {selection} userErrors {{ code message }} }} }}"
    );
    admin.send(&query, json!({ "input": input })).await.done()
}

/// The next message: its sequence, what happened, and the three statuses.
async fn message(live: &mut Subscription) -> (i64, Value, [String; 3]) {
    let update = live.next(SOON).await;
    let word = |name: &str| update["order"][name].as_str().unwrap().to_owned();
    let statuses = [word("status"), word("paymentStatus"), word("fulfillmentStatus")];
    (sequence(&update), update["event"]["kind"].clone(), statuses)
}

/// Takes the money and sends the goods; each step is told at once.
async fn fulfill(admin: &Client, order: &str, live: &mut Subscription) {
    let told = |sequence: i64, kind: &str, statuses: [&str; 3]| (sequence, json!(kind), statuses.map(str::to_owned));
    let query = "query($id: ID!) { order(id: $id) { payments { id state } } }";
    let payment = admin.send(query, json!({ "id": order })).await.text("order.payments.0.id");

    let input = json!({ "idempotencyKey": new_key(), "paymentId": payment });
    staff(admin, "paymentCapture", input, "payment { state }").await;
    assert_eq!(message(live).await, told(3, "payment.captured", ["OPEN", "CAPTURED", "NOT_FULFILLED"]));

    let input = json!({ "idempotencyKey": new_key(), "orderId": order });
    let packed = staff(admin, "fulfillmentCreate", input, "fulfillment { id state }").await;
    assert_eq!(message(live).await, told(4, "fulfillment.created", ["OPEN", "CAPTURED", "FULFILLED"]));

    let id = &packed["fulfillment"]["id"];
    let parcel = json!({ "number": "00340434161094000001", "carrier": "DHL", "url": "https://carrier.example/1" });
    let input = json!({ "id": id, "trackings": [parcel] });
    staff(admin, "fulfillmentShip", input, "fulfillment { state }").await;
    assert_eq!(message(live).await, told(5, "fulfillment.shipped", ["OPEN", "CAPTURED", "SHIPPED"]));

    staff(admin, "fulfillmentDeliver", json!({ "id": id }), "fulfillment { state }").await;
    assert_eq!(message(live).await, told(6, "fulfillment.delivered", ["COMPLETED", "CAPTURED", "DELIVERED"]));
}

#[tokio::test]
async fn a_shop_goes_from_nothing_to_a_delivered_order() {
    let database = TestDatabase::empty().await;
    let mut node = Node::start(&database, &["--demo"], &[]).await;
    let owner = node.owner().await;
    assert_eq!(import(&database).await, "created 20, updated 0, unchanged 0, refused 0\n");
    let variant = browse(&node.store).await;
    let placed = order(&node.store, &variant).await;

    let socket = Socket::open(&node.store_socket, json!({})).await.unwrap();
    let mut live = watch(&socket, &placed, None);
    let present = (2, json!(null), ["OPEN", "AUTHORIZED", "NOT_FULFILLED"].map(str::to_owned));
    assert_eq!(message(&mut live).await, present);
    let watched = ["watch", "order", &placed.id, "--token", &placed.token, "--after", "0", "--url", &node.store_socket];
    let mut watching = Process::start(&watched, &[]);
    fulfill(&owner, &placed.id, &mut live).await;

    let happened = [
        "order.placed",
        "payment.authorized",
        "payment.captured",
        "fulfillment.created",
        "fulfillment.shipped",
        "fulfillment.delivered",
    ];
    let mut last = String::new();
    for (place, kind) in happened.iter().enumerate() {
        last = watching.line().await;
        assert!(last.starts_with(&format!("#{}  {kind} ", place + 1)), "{last}");
    }
    assert!(last.contains("COMPLETED") && last.contains("paid CAPTURED"), "{last}");
    watching.kill().await;

    let query = "query($id: ID!, $token: String) { order(id: $id, accessToken: $token) {
        status lines { quantity quantityDelivered } fulfillments { state trackings { number carrier url } } } }";
    let seen = node.store.send(query, json!({ "id": placed.id, "token": placed.token })).await;
    assert_eq!(seen.at("order.status"), "COMPLETED");
    assert_eq!(seen.at("order.lines"), json!([{ "quantity": 2, "quantityDelivered": 2 }]));
    assert_eq!(seen.at("order.fulfillments.0.state"), "DELIVERED");
    assert_eq!(seen.at("order.fulfillments.0.trackings.0.number"), "00340434161094000001");

    let stock = "{ product(by: { handle: \"grey-wheelbarrow\" }) {
        variants { stockLevels { stocked reserved available } } } }";
    let left = json!([{ "stocked": 6, "reserved": 0, "available": 6 }]);
    assert_eq!(owner.send(stock, json!({})).await.at("product.variants.0.stockLevels"), left);
    assert_eq!(import(&database).await, "created 0, updated 0, unchanged 20, refused 0\n");
    assert_eq!(owner.send(stock, json!({})).await.at("product.variants.0.stockLevels"), left, "stock is left alone");
}
