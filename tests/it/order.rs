//! Placed orders: who sees them, what staff do with their money and goods.

use chrono::TimeDelta;
use domain::auth::{OWNER, VIEWER};
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};

use crate::support::buying::{Placed, euro, faults, mutate};
use crate::support::client::Client;
use crate::support::invariants::invariants;
use crate::support::provider::scripted_shop;
use crate::support::{Answer, Shop};

async fn german_shop() -> Shop {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop
}

const STATUSES: &str = "order { status paymentStatus fulfillmentStatus }";

/// The three statuses in an answer.
fn statuses(payload: &Value) -> [&str; 3] {
    ["status", "paymentStatus", "fulfillmentStatus"].map(|name| payload["order"][name].as_str().unwrap())
}

async fn kinds(shop: &Shop, order: &str) -> Vec<String> {
    let query = "query($id: ID!) { order(id: $id) { events { sequence kind } } }";
    let events = shop.admin.send(query, json!({ "id": order })).await.at("order.events");
    let events = events.as_array().unwrap();
    let sequences: Vec<_> = events.iter().map(|event| event["sequence"].as_i64().unwrap()).collect();
    assert_eq!(sequences, (1..=events.len() as i64).collect::<Vec<_>>());
    events.iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
}

async fn payment(shop: &Shop, order: &str) -> Value {
    let query = "query($id: ID!) { order(id: $id) { payments { id state captured { amount } refunded { amount }
        entries { kind state amount { amount } cause } } } }";
    shop.admin.send(query, json!({ "id": order })).await.at("order.payments.0")
}

async fn capture(client: &Client, key: &str, payment: &Value, amount: Option<&str>) -> Answer {
    let input = json!({ "idempotencyKey": key, "paymentId": payment["id"], "amount": amount.map(euro) });
    let selection = format!("payment {{ state captured {{ amount }} }} {STATUSES}");
    mutate(client, "Admin", "paymentCapture", input, &selection).await
}

async fn cancel(client: &Client, key: &str, order: &str) -> Answer {
    let input = json!({ "idempotencyKey": key, "orderId": order, "reason": "Changed my mind" });
    mutate(client, "Admin", "orderCancel", input, STATUSES).await
}

const FULFILLMENT: &str = "fulfillment { id state lines { orderLineId quantity } trackings { number carrier url }
    shippedAt deliveredAt canceledAt } order { status paymentStatus fulfillmentStatus }";

async fn pack(client: &Client, key: &str, order: &str, lines: Value) -> Answer {
    let input = json!({ "idempotencyKey": key, "orderId": order, "lines": lines });
    mutate(client, "Admin", "fulfillmentCreate", input, FULFILLMENT).await
}

async fn ship(client: &Client, fulfillment: &Value) -> Answer {
    let trackings = json!([{ "number": "JD014", "carrier": "DHL", "url": "https://dhl.example/JD014" }]);
    let input = json!({ "id": fulfillment["id"], "trackings": trackings });
    mutate(client, "Admin", "fulfillmentShip", input, FULFILLMENT).await
}

async fn deliver(client: &Client, fulfillment: &Value) -> Answer {
    mutate(client, "Admin", "fulfillmentDeliver", json!({ "id": fulfillment["id"] }), FULFILLMENT).await
}

async fn unpack(client: &Client, key: &str, fulfillment: &Value) -> Answer {
    let input = json!({ "idempotencyKey": key, "id": fulfillment["id"] });
    mutate(client, "Admin", "fulfillmentCancel", input, FULFILLMENT).await
}

async fn lines_of(shop: &Shop, order: &str) -> Vec<Value> {
    let query = "query($id: ID!) { order(id: $id) { lines { id quantity } } }";
    shop.admin.send(query, json!({ "id": order })).await.at("order.lines").as_array().unwrap().clone()
}

#[tokio::test]
async fn only_the_link_opens_an_order() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 5).await;
    let one = shop.checkout_all(&[(&tee, 1)], "manual", "k").await;
    let two = shop.checkout_all(&[(&tee, 1)], "manual", "k").await;
    let seen = async |id: &str, token: Value| {
        let query = "query($id: ID!, $token: String) { order(id: $id, accessToken: $token) { number } }";
        shop.store.send(query, json!({ "id": id, "token": token })).await.at("order")
    };
    assert_eq!(seen(&one.id, json!(one.access_token)).await, json!({ "number": 1_001 }));
    let staff = shop.session(domain::auth::ActorKind::Staff, uuid::Uuid::now_v7(), domain::auth::Surface::Admin).await;
    let forged = format!("{}x", one.access_token);
    let unsigned = one.access_token.rsplit_once('.').unwrap().0.to_owned() + ".";
    for token in [json!(null), json!(""), json!("x"), json!(forged), json!(unsigned), json!(staff)] {
        assert_eq!(seen(&one.id, token.clone()).await, json!(null), "{token}");
    }
    assert_eq!(seen(&one.id, json!(two.access_token)).await, json!(null), "another order's link");
    assert_eq!(seen(&one.id, json!(one.cart.token)).await, json!(null), "the cart's token");
    for id in ["", "order", one.cart.id.as_str(), "1001"] {
        assert_eq!(seen(id, json!(one.access_token)).await, json!(null), "{id}");
    }
    shop.pass(TimeDelta::days(89));
    assert_eq!(seen(&one.id, json!(one.access_token)).await, json!({ "number": 1_001 }));
    shop.pass(TimeDelta::days(2));
    assert_eq!(seen(&one.id, json!(one.access_token)).await, json!(null), "its time is over");
    invariants(&shop).await;
}

const ORDERS: &str = "query($filter: AdminOrderFilter, $first: Int, $after: String, $direction: SortDirection) {
    orders(filter: $filter, first: $first, after: $after, direction: $direction) {
        nodes { number placedAt } totalCount pageInfo { hasNextPage hasPreviousPage endCursor } } }";

fn numbers(answer: &Answer) -> Vec<i64> {
    let nodes = answer.at("orders.nodes");
    nodes.as_array().unwrap().iter().map(|node| node["number"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn staff_find_orders() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let mut placed: Vec<Placed> = Vec::new();
    for number in 0..4 {
        let mut cart = shop.ready_cart(&[(&tee, 1)], "manual").await;
        cart.mutate("cartBuyerUpdate", json!({ "email": format!("Shopper{number}@example.com") })).await.done();
        let answer = cart.complete("k").await;
        placed.push(Placed::of(cart, &answer));
        shop.pass(TimeDelta::minutes(1));
    }
    cancel(&shop.admin, "c", &placed[0].id).await.done();
    capture(&shop.admin, "c", &payment(&shop, &placed[1].id).await, None).await.done();
    pack(&shop.admin, "p", &placed[2].id, json!(null)).await.done();

    let all = shop.admin.send(ORDERS, json!({})).await;
    assert_eq!((numbers(&all), all.at("orders.totalCount")), (vec![1_004, 1_003, 1_002, 1_001], json!(4)));
    let second = all.at("orders.nodes.2.placedAt");
    let third = all.at("orders.nodes.1.placedAt");
    for (filter, expected) in [
        (json!({ "status": ["CANCELED"] }), vec![1_001]),
        (json!({ "status": ["OPEN"] }), vec![1_004, 1_003, 1_002]),
        (json!({ "status": [] }), vec![]),
        (json!({ "paymentStatus": ["CAPTURED", "CANCELED"] }), vec![1_002, 1_001]),
        (json!({ "fulfillmentStatus": ["FULFILLED"] }), vec![1_003]),
        (json!({ "status": ["OPEN"], "paymentStatus": ["AUTHORIZED"] }), vec![1_004, 1_003]),
        (json!({ "number": 1_002 }), vec![1_002]),
        (json!({ "number": 9 }), vec![]),
        (json!({ "email": "SHOPPER3@Example.com" }), vec![1_004]),
        (json!({ "email": "nobody@example.com" }), vec![]),
        (json!({ "placedFrom": second }), vec![1_004, 1_003, 1_002]),
        (json!({ "placedBefore": second }), vec![1_001]),
        (json!({ "placedFrom": second, "placedBefore": third }), vec![1_002]),
    ] {
        let found = shop.admin.send(ORDERS, json!({ "filter": filter })).await;
        assert_eq!(
            (numbers(&found), found.at("orders.totalCount")),
            (expected.clone(), json!(expected.len())),
            "{filter}"
        );
    }
    let mut found = Vec::new();
    let mut after = json!(null);
    for page in 0..2 {
        let listed = shop.admin.send(ORDERS, json!({ "first": 2, "after": after, "direction": "ASC" })).await;
        assert_eq!(listed.at("orders.pageInfo.hasNextPage"), page == 0);
        assert_eq!(listed.at("orders.pageInfo.hasPreviousPage"), page == 1);
        found.extend(numbers(&listed));
        after = listed.at("orders.pageInfo.endCursor");
    }
    assert_eq!(found, [1_001, 1_002, 1_003, 1_004]);
    let mismatch = shop.admin.send(ORDERS, json!({ "first": 2, "after": after, "direction": "DESC" })).await;
    assert_eq!(mismatch.error_code(), "CURSOR_MISMATCH");
    assert_eq!(shop.admin.send(ORDERS, json!({ "filter": { "email": "x" } })).await.error_code(), "INVALID");
    invariants(&shop).await;
}

#[tokio::test]
async fn money_is_captured_in_parts_and_never_too_much() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 5).await;
    let order = shop.checkout_all(&[(&tee, 2)], "scripted", "k").await;
    let own = payment(&shop, &order.id).await;
    assert_eq!((&own["state"], &own["captured"]["amount"]), (&json!("AUTHORIZED"), &json!("0.00")));
    let too_much = capture(&shop.admin, "a", &own, Some("44.91")).await;
    assert_eq!(faults(&too_much), ["AMOUNT_TOO_LARGE amount"]);
    assert_eq!(too_much.at("paymentCapture.userErrors.0.limit"), 4_490);
    for amount in ["0.00", "-1.00"] {
        assert_eq!(faults(&capture(&shop.admin, "a", &own, Some(amount)).await), ["INVALID amount"], "{amount}");
    }
    for _ in 0..2 {
        let part = capture(&shop.admin, "a", &own, Some("10.00")).await.done();
        let shown = json!({ "state": "PARTIALLY_CAPTURED", "captured": { "amount": "10.00" } });
        assert_eq!(part["payment"], shown);
        assert_eq!(statuses(&part), ["OPEN", "PARTIALLY_CAPTURED", "NOT_FULFILLED"]);
    }
    assert_eq!(capture(&shop.admin, "a", &own, Some("11.00")).await.refusals(), ["IDEMPOTENCY_MISMATCH"]);
    let too_much = capture(&shop.admin, "b", &own, Some("34.91")).await;
    assert_eq!(too_much.at("paymentCapture.userErrors.0.limit"), 3_490);
    let rest = capture(&shop.admin, "b", &own, None).await.done();
    assert_eq!(rest["payment"], json!({ "state": "CAPTURED", "captured": { "amount": "44.90" } }));
    assert_eq!(statuses(&rest), ["OPEN", "CAPTURED", "NOT_FULFILLED"]);
    let nothing_left = capture(&shop.admin, "c", &own, Some("0.01")).await;
    assert_eq!(faults(&nothing_left), ["AMOUNT_TOO_LARGE amount"]);
    let captured: Vec<_> = provider.asked("capture").iter().map(|asked| asked.minor).collect();
    assert_eq!(captured, [1_000, 3_490], "a key takes money once");
    let history = ["order.placed", "payment.authorized", "payment.captured", "payment.captured"];
    assert_eq!(kinds(&shop, &order.id).await, history);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_capture_that_the_provider_refuses_takes_nothing() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 5).await;
    let order = shop.checkout_all(&[(&tee, 2)], "scripted", "k").await;
    let own = payment(&shop, &order.id).await;
    provider.refuse_steps();
    for _ in 0..2 {
        assert_eq!(capture(&shop.admin, "a", &own, None).await.refusals(), ["PAYMENT_DECLINED"]);
    }
    assert_eq!(provider.asked("capture").len(), 1, "a refused key stays refused");
    assert_eq!(payment(&shop, &order.id).await["state"], "AUTHORIZED");
    assert_eq!(kinds(&shop, &order.id).await, ["order.placed", "payment.authorized", "payment.failed"]);
    invariants(&shop).await;
}

#[tokio::test]
async fn goods_are_packed_shipped_and_delivered_in_parts() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 10).await;
    let mug = shop.product("Mug").price("8.50").stock(10).create().await.variant;
    let order = shop.checkout_all(&[(&tee, 3), (&mug, 1)], "manual", "k").await;
    let lines = lines_of(&shop, &order.id).await;
    let admin = &shop.admin;
    let some = |quantity: i32| json!([{ "orderLineId": lines[0]["id"], "quantity": quantity }]);

    let mut first = json!(null);
    for _ in 0..2 {
        let packed = pack(admin, "1", &order.id, some(2)).await.done();
        assert_eq!(statuses(&packed), ["OPEN", "AUTHORIZED", "PARTIALLY_FULFILLED"]);
        assert_eq!(shop.level(&tee).await, (8, 1), "packed goods are gone, the rest stays promised");
        first = packed["fulfillment"].clone();
    }
    assert_eq!(first["lines"], some(2));
    assert_eq!(pack(admin, "1", &order.id, some(1)).await.refusals(), ["IDEMPOTENCY_MISMATCH"]);
    let shipped = ship(admin, &first).await.done();
    assert_eq!(statuses(&shipped), ["OPEN", "AUTHORIZED", "PARTIALLY_SHIPPED"]);
    let tracking = json!([{ "number": "JD014", "carrier": "DHL", "url": "https://dhl.example/JD014" }]);
    assert_eq!(shipped["fulfillment"]["trackings"], tracking);
    assert_eq!(ship(admin, &first).await.refusals(), ["STATE_INVALID"]);
    assert_eq!(unpack(admin, "x", &first).await.refusals(), ["STATE_INVALID"]);

    let second = pack(admin, "2", &order.id, json!(null)).await.done();
    assert_eq!(statuses(&second), ["OPEN", "AUTHORIZED", "PARTIALLY_SHIPPED"]);
    assert_eq!((shop.level(&tee).await, shop.level(&mug).await), ((7, 0), (9, 0)));
    assert_eq!(pack(admin, "3", &order.id, json!(null)).await.refusals(), ["STATE_INVALID"]);
    for _ in 0..2 {
        let undone = unpack(admin, "2", &second["fulfillment"]).await.done();
        assert_eq!(undone["fulfillment"]["state"], "CANCELED");
        assert_eq!(statuses(&undone), ["OPEN", "AUTHORIZED", "PARTIALLY_SHIPPED"]);
        assert_eq!((shop.level(&tee).await, shop.level(&mug).await), ((8, 1), (10, 1)));
    }
    assert_eq!(ship(admin, &second["fulfillment"]).await.refusals(), ["STATE_INVALID"]);
    invariants(&shop).await;

    let arrived = deliver(admin, &first).await.done();
    assert_eq!(statuses(&arrived), ["OPEN", "AUTHORIZED", "PARTIALLY_DELIVERED"]);
    let third = pack(admin, "3", &order.id, json!(null)).await.done();
    assert_eq!(statuses(&third), ["OPEN", "AUTHORIZED", "PARTIALLY_DELIVERED"]);
    ship(admin, &third["fulfillment"]).await.done();
    let arrived = deliver(admin, &third["fulfillment"]).await.done();
    assert_eq!(statuses(&arrived), ["OPEN", "AUTHORIZED", "DELIVERED"]);
    assert_eq!(deliver(admin, &third["fulfillment"]).await.refusals(), ["STATE_INVALID"]);
    let paid = capture(admin, "c", &payment(&shop, &order.id).await, None).await.done();
    assert_eq!(statuses(&paid), ["COMPLETED", "CAPTURED", "DELIVERED"]);

    let history = [
        "order.placed",
        "payment.authorized",
        "fulfillment.created",
        "fulfillment.shipped",
        "fulfillment.created",
        "fulfillment.canceled",
        "fulfillment.delivered",
        "fulfillment.created",
        "fulfillment.shipped",
        "fulfillment.delivered",
        "payment.captured",
    ];
    assert_eq!(kinds(&shop, &order.id).await, history);
    let kept = entity::audit_entry::Entity::find()
        .order_by_asc(entity::audit_entry::Column::Id)
        .all(&shop.app.read())
        .await
        .unwrap();
    let of_goods = |entry: &&entity::audit_entry::Model| {
        // A key that is sent again is noted as a call that changed nothing.
        entry.entity.is_some() && (entry.op.starts_with("fulfillment.") || entry.op.starts_with("payment."))
    };
    let done: Vec<_> = kept.iter().filter(of_goods).map(|entry| entry.op.as_str()).collect();
    let expected = [
        "fulfillment.create",
        "fulfillment.ship",
        "fulfillment.create",
        "fulfillment.cancel",
        "fulfillment.deliver",
        "fulfillment.create",
        "fulfillment.ship",
        "fulfillment.deliver",
        "payment.capture",
    ];
    assert_eq!(done, expected, "each once, whatever was sent twice");
    assert!(kept.iter().filter(of_goods).all(|entry| entry.actor.starts_with("staff_")));
    invariants(&shop).await;
}

#[tokio::test]
async fn what_is_packed_is_checked_line_by_line() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 10).await;
    let one = shop.checkout_all(&[(&tee, 3)], "manual", "k").await;
    let two = shop.checkout_all(&[(&tee, 1)], "manual", "k").await;
    let (own, other) = (lines_of(&shop, &one.id).await, lines_of(&shop, &two.id).await);
    let line = |line: &Value, quantity: i32| json!({ "orderLineId": line["id"], "quantity": quantity });
    let refused = pack(&shop.admin, "p", &one.id, json!([line(&own[0], 4), line(&other[0], 1)])).await;
    assert_eq!(faults(&refused), ["AMOUNT_TOO_LARGE lines.0.quantity", "NOT_FOUND lines.1.orderLineId"]);
    assert_eq!(refused.at("fulfillmentCreate.userErrors.0.limit"), 3);
    let twice = pack(&shop.admin, "p", &one.id, json!([line(&own[0], 0), line(&own[0], -1)])).await;
    let expected = [
        "QUANTITY_OUT_OF_RANGE lines.0.quantity",
        "DUPLICATE lines.1.orderLineId",
        "QUANTITY_OUT_OF_RANGE lines.1.quantity",
    ];
    assert_eq!(faults(&twice), expected);
    assert_eq!(faults(&pack(&shop.admin, "p", &one.id, json!([])).await), ["REQUIRED lines"]);
    let bad = json!({ "idempotencyKey": "p", "orderId": "order", "locationId": "loc", "lines": [
        { "orderLineId": "x", "quantity": 1 }] });
    let bad = mutate(&shop.admin, "Admin", "fulfillmentCreate", bad, FULFILLMENT).await;
    assert_eq!(faults(&bad), ["INVALID orderId", "INVALID lines.0.orderLineId", "INVALID locationId"]);

    let location = json!({ "name": "Attic", "handle": "attic", "priority": 9 });
    let attic = shop.set("locationSet", location, "location { id }").await.done();
    let there = json!({ "idempotencyKey": "p", "orderId": one.id, "locationId": attic["location"]["id"] });
    let there = mutate(&shop.admin, "Admin", "fulfillmentCreate", there, FULFILLMENT).await;
    assert_eq!(there.refusals(), ["INSUFFICIENT_STOCK"], "packing takes what is promised, where it is promised");
    assert_eq!(shop.level(&tee).await, (10, 4));
    pack(&shop.admin, "p", &one.id, json!([line(&own[0], 3)])).await.done();
    assert_eq!(shop.level(&tee).await, (7, 1));
    invariants(&shop).await;
}

#[tokio::test]
async fn a_canceled_order_gives_up_the_money_and_the_goods() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 5).await;
    let order = shop.checkout_all(&[(&tee, 2)], "scripted", "k").await;
    let lines = lines_of(&shop, &order.id).await;
    pack(&shop.admin, "p", &order.id, json!([{ "orderLineId": lines[0]["id"], "quantity": 1 }])).await.done();
    assert_eq!(shop.level(&tee).await, (4, 1));
    for _ in 0..2 {
        let canceled = cancel(&shop.admin, "c", &order.id).await.done();
        assert_eq!(statuses(&canceled), ["CANCELED", "CANCELED", "CANCELED"]);
    }
    assert_eq!(shop.level(&tee).await, (5, 0), "all of it is there and free");
    let asked: Vec<_> = provider.asked("void").iter().map(|asked| asked.minor).collect();
    assert_eq!((asked, provider.asked("refund").len()), (vec![4_490], 0));
    let history = [
        "order.placed",
        "payment.authorized",
        "fulfillment.created",
        "fulfillment.canceled",
        "order.canceled",
        "payment.voided",
    ];
    assert_eq!(kinds(&shop, &order.id).await, history);
    assert_eq!(cancel(&shop.admin, "again", &order.id).await.refusals(), ["STATE_INVALID"]);
    assert_eq!(pack(&shop.admin, "q", &order.id, json!(null)).await.refusals(), ["STATE_INVALID"]);
    let own = payment(&shop, &order.id).await;
    assert_eq!(capture(&shop.admin, "q", &own, None).await.refusals(), ["STATE_INVALID"]);
    assert_eq!(own["state"], "VOIDED");
    let kept = entity::audit_entry::Entity::find().all(&shop.app.read()).await.unwrap();
    let kept: Vec<_> = kept.iter().filter(|entry| entry.op == "order.cancel" && entry.entity.is_some()).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].entity.as_deref(), Some(order.id.as_str()));
    assert_eq!(kept[0].after.as_ref().unwrap()["reason"], "Changed my mind");
    invariants(&shop).await;
}

#[tokio::test]
async fn a_canceled_order_gives_taken_money_back() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 5).await;
    let order = shop.checkout_all(&[(&tee, 2)], "scripted", "k").await;
    capture(&shop.admin, "a", &payment(&shop, &order.id).await, None).await.done();
    let canceled = cancel(&shop.admin, "c", &order.id).await.done();
    assert_eq!(statuses(&canceled), ["CANCELED", "REFUNDED", "CANCELED"]);
    let asked: Vec<_> = provider.asked("refund").iter().map(|asked| asked.minor).collect();
    assert_eq!((asked, provider.asked("void").len()), (vec![4_490], 0));
    assert_eq!(shop.level(&tee).await, (5, 0));
    let history = ["order.placed", "payment.authorized", "payment.captured", "order.canceled", "payment.refunded"];
    assert_eq!(kinds(&shop, &order.id).await, history);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_canceled_order_lets_go_of_what_was_not_taken_too() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 5).await;
    let order = shop.checkout_all(&[(&tee, 2)], "scripted", "k").await;
    capture(&shop.admin, "a", &payment(&shop, &order.id).await, Some("10.00")).await.done();
    let canceled = cancel(&shop.admin, "c", &order.id).await.done();
    assert_eq!(statuses(&canceled), ["CANCELED", "REFUNDED", "CANCELED"]);
    let asked = |what: &str| provider.asked(what).iter().map(|asked| asked.minor).collect::<Vec<_>>();
    assert_eq!((asked("refund"), asked("void")), (vec![1_000], vec![3_490]), "nothing stays set aside");
    invariants(&shop).await;
}

#[tokio::test]
async fn what_was_shipped_is_not_canceled() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 5).await;
    let order = shop.checkout_all(&[(&tee, 2)], "manual", "k").await;
    let packed = pack(&shop.admin, "p", &order.id, json!(null)).await.done();
    assert_eq!(statuses(&packed), ["OPEN", "AUTHORIZED", "FULFILLED"]);
    ship(&shop.admin, &packed["fulfillment"]).await.done();
    assert_eq!(cancel(&shop.admin, "c", &order.id).await.refusals(), ["STATE_INVALID"]);
    assert_eq!(shop.level(&tee).await, (3, 0));
    assert_eq!(payment(&shop, &order.id).await["state"], "AUTHORIZED");
    invariants(&shop).await;
}

#[tokio::test]
async fn a_viewer_sees_orders_and_changes_none() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 5).await;
    let order = shop.checkout_all(&[(&tee, 2)], "manual", "k").await;
    let own = payment(&shop, &order.id).await;
    let packed = pack(&shop.admin, "p", &order.id, json!(null)).await.done()["fulfillment"].clone();
    let viewer = shop.staff(VIEWER).await;
    assert_eq!(numbers(&viewer.send(ORDERS, json!({})).await), [1_001]);
    for refused in [
        cancel(&viewer, "v", &order.id).await,
        capture(&viewer, "v", &own, None).await,
        pack(&viewer, "v", &order.id, json!(null)).await,
        ship(&viewer, &packed).await,
        deliver(&viewer, &packed).await,
        unpack(&viewer, "v", &packed).await,
    ] {
        assert_eq!(refused.error_code(), "FORBIDDEN", "{}", refused.body);
    }
    assert_eq!(kinds(&shop, &order.id).await, ["order.placed", "payment.authorized", "fulfillment.created"]);
    // Two members of staff may use the same key: it is each one's own.
    let colleague = shop.staff(OWNER).await;
    assert_eq!(pack(&colleague, "p", &order.id, json!(null)).await.refusals(), ["STATE_INVALID"]);
    invariants(&shop).await;
}
