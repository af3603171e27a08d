//! What staff do with the money of an order: take a part, give the rest up, give back.

use std::sync::Arc;

use chrono::TimeDelta;
use engine::sweeper::sweep;
use futures_util::future::join_all;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::buying::{Placed, euro, eventually, faults};
use crate::support::database::TestDatabase;
use crate::support::invariants::invariants;
use crate::support::provider::scripted_shop;
use crate::support::stripe::{FakeStripe, Trouble};
use crate::support::{Answer, Shop};

const SELECTION: &str = "payment { state captured { amount } refunded { amount } } order { paymentStatus }";

async fn payment(shop: &Shop, order: &str) -> Value {
    let query = "query($id: ID!) { order(id: $id) { payments { id state
        entries { kind state amount { amount } cause reason note } } events { kind } } }";
    shop.admin.send(query, json!({ "id": order })).await.at("order")
}

async fn id_of(shop: &Shop, placed: &Placed) -> Value {
    payment(shop, &placed.id).await["payments"][0]["id"].clone()
}

async fn capture(shop: &Shop, key: &str, id: &Value, amount: Option<&str>) -> Answer {
    let input = json!({ "idempotencyKey": key, "paymentId": id, "amount": amount.map(euro) });
    shop.set("paymentCapture", input, SELECTION).await
}

async fn give_up(shop: &Shop, key: &str, id: &Value) -> Answer {
    shop.set("paymentVoid", json!({ "idempotencyKey": key, "paymentId": id }), SELECTION).await
}

async fn refund(shop: &Shop, key: &str, id: &Value, amount: Option<&str>) -> Answer {
    let input = json!({
        "idempotencyKey": key, "paymentId": id, "amount": amount.map(euro), "reason": "FAULTY", "note": " A hole ",
    });
    shop.set("refundCreate", input, SELECTION).await
}

fn status(answer: &Answer) -> Value {
    answer.done()["order"]["paymentStatus"].clone()
}

#[tokio::test]
async fn money_is_taken_in_part_given_up_and_given_back() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let tee = shop.tee("20.00", 50).await;
    let placed = shop.checkout_all(&[(&tee, 2)], "manual", "k").await;
    let id = id_of(&shop, &placed).await;
    assert_eq!(faults(&refund(&shop, "r0", &id, None).await), ["STATE_INVALID"], "nothing was taken");
    assert_eq!(status(&capture(&shop, "c", &id, Some("30.00")).await), "PARTIALLY_CAPTURED");
    assert_eq!(status(&give_up(&shop, "v", &id).await), "PARTIALLY_CAPTURED");
    assert_eq!(status(&give_up(&shop, "v", &id).await), "PARTIALLY_CAPTURED", "the same key does it once");
    assert_eq!(faults(&give_up(&shop, "v2", &id).await), ["STATE_INVALID"]);
    assert_eq!(capture(&shop, "c2", &id, Some("1.00")).await.refusals(), ["AMOUNT_TOO_LARGE"]);

    let too_much = refund(&shop, "r1", &id, Some("30.01")).await;
    assert_eq!(faults(&too_much), ["AMOUNT_TOO_LARGE amount"]);
    assert_eq!(too_much.at("refundCreate.userErrors.0.limit"), 3_000);
    assert_eq!(faults(&refund(&shop, "r1", &id, Some("0.00")).await), ["INVALID amount"]);
    for _ in 0..2 {
        assert_eq!(status(&refund(&shop, "r1", &id, Some("4.90")).await), "PARTIALLY_REFUNDED");
    }
    let mismatch = refund(&shop, "r1", &id, Some("5.00")).await;
    assert_eq!(mismatch.refusals(), ["IDEMPOTENCY_MISMATCH"]);
    assert_eq!(status(&refund(&shop, "r2", &id, None).await), "REFUNDED");
    assert_eq!(faults(&refund(&shop, "r3", &id, None).await), ["STATE_INVALID"]);

    let shown = payment(&shop, &placed.id).await;
    let entry = |kind: &str, amount: &str, cause: &str, reason: Value, note: Value| {
        json!({
            "kind": kind, "state": "SUCCEEDED", "amount": { "amount": amount }, "cause": cause, "reason": reason,
            "note": note,
        })
    };
    let entries = shown["payments"][0]["entries"].as_array().unwrap()[1..].to_vec();
    assert_eq!(
        entries,
        [
            entry("CAPTURE", "30.00", "staff", Value::Null, Value::Null),
            entry("VOID", "14.90", "staff", Value::Null, Value::Null),
            entry("REFUND", "4.90", "staff", json!("FAULTY"), json!("A hole")),
            entry("REFUND", "25.10", "staff", json!("FAULTY"), json!("A hole")),
        ]
    );
    let kinds: Vec<_> =
        shown["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    let expected = [
        "order.placed",
        "payment.authorized",
        "payment.captured",
        "payment.voided",
        "payment.refunded",
        "payment.refunded",
    ];
    assert_eq!(kinds, expected);
    let audited = entity::audit_entry::Entity::find().all(&shop.app.read()).await.unwrap();
    let changed = |op: &str| audited.iter().filter(|entry| entry.op == op && entry.entity.is_some()).count();
    assert_eq!((changed("payment.void"), changed("payment.refund")), (1, 2));
    invariants(&shop).await;
}

#[tokio::test]
async fn many_who_give_back_at_once_give_back_what_was_taken() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let placed = shop.checkout_all(&[(&tee, 2)], "scripted", "k").await;
    let id = id_of(&shop, &placed).await;
    capture(&shop, "c", &id, None).await.done();
    let keys: Vec<String> = (0..8).map(|key| format!("r{key}")).collect();
    let answers = join_all(keys.iter().map(|key| refund(&shop, key, &id, Some("10.00")))).await;
    let done = answers.iter().filter(|answer| answer.refusals().is_empty()).count();
    let refused = answers.iter().filter(|answer| answer.refusals() == ["AMOUNT_TOO_LARGE"]).count();
    assert_eq!((done, refused, provider.asked("refund").len()), (4, 4, 4));
    // What the provider refuses leaves the order where it was.
    provider.refuse_steps();
    assert_eq!(refund(&shop, "no", &id, None).await.refusals(), ["PAYMENT_DECLINED"]);
    let shown = payment(&shop, &placed.id).await;
    assert_eq!(shown["payments"][0]["state"], "PARTIALLY_REFUNDED");
    invariants(&shop).await;
}

#[tokio::test]
async fn at_stripe_a_part_lets_go_of_the_rest_and_a_lost_answer_gives_back_once() {
    let fake = FakeStripe::start().await;
    let account = Arc::new(fake.client());
    let shop = Shop::on(Arc::new(TestDatabase::copy().await), |builder| builder.stripe(Some(account))).await;
    shop.europe(&["DE"], true).await;
    let input = json!({
        "handle": "europe", "name": "Europe", "currencyCode": "EUR", "countries": ["DE"], "pricesIncludeTax": true,
        "paymentProviders": ["manual", "stripe"], "paymentCaptures": [{ "provider": "stripe", "mode": "MANUAL" }],
    });
    shop.set("regionSet", input, "region { id }").await.done();
    let tee = shop.tee("20.00", 50).await;
    let mut orders = Vec::new();
    for _ in 0..2 {
        let mut cart = shop.ready_cart(&[(&tee, 2)], "manual").await;
        cart.pay_with("stripe", json!({ "paymentMethodId": "pm_card_visa" })).await.done();
        orders.push(Placed::of(cart.clone(), &cart.complete("k").await));
    }
    let id = id_of(&shop, &orders[0]).await;
    assert_eq!(status(&capture(&shop, "c", &id, Some("30.00")).await), "PARTIALLY_CAPTURED");
    let entries = payment(&shop, &orders[0].id).await["payments"][0]["entries"].clone();
    assert_eq!((&entries[2]["kind"], &entries[2]["amount"]["amount"]), (&json!("VOID"), &json!("14.90")));
    assert_eq!(capture(&shop, "c2", &id, Some("1.00")).await.refusals(), ["AMOUNT_TOO_LARGE"]);

    fake.will([Trouble::Lost]);
    assert_eq!(refund(&shop, "r", &id, Some("10.00")).await.refusals(), ["IDEMPOTENCY_IN_FLIGHT"]);
    assert_eq!(fake.kept(), 2_000, "it was given back, and nobody was told");
    shop.pass(TimeDelta::seconds(10));
    eventually("the refund is known", async || {
        sweep(&shop.app).await.unwrap();
        payment(&shop, &orders[0].id).await["payments"][0]["state"] == "PARTIALLY_REFUNDED"
    })
    .await;
    assert_eq!(status(&refund(&shop, "r", &id, Some("10.00")).await), "PARTIALLY_REFUNDED");
    assert_eq!(fake.kept(), 2_000);

    let second = id_of(&shop, &orders[1]).await;
    assert_eq!(status(&give_up(&shop, "v", &second).await), "CANCELED");
    assert_eq!(fake.intents()[1]["status"], "canceled");
    invariants(&shop).await;
}

#[tokio::test]
async fn what_a_canceled_order_could_not_give_back_can_be_given_back_later() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let placed = shop.checkout_all(&[(&tee, 1)], "scripted", "k").await;
    let id = id_of(&shop, &placed).await;
    capture(&shop, "c", &id, None).await.done();
    provider.refuse_steps();
    let cancel = json!({ "idempotencyKey": "x", "orderId": placed.id });
    shop.set("orderCancel", cancel, "order { paymentStatus }").await;
    eventually("the provider has refused", async || {
        let payment = payment(&shop, &placed.id).await;
        payment["payments"][0]["entries"].as_array().unwrap().iter().any(|entry| entry["state"] == "FAILED")
    })
    .await;
    assert_eq!(faults(&capture(&shop, "c2", &id, None).await), ["STATE_INVALID"], "nothing more is taken");
    provider.accept_steps();
    assert_eq!(status(&refund(&shop, "r", &id, None).await), "REFUNDED");
    invariants(&shop).await;
}
