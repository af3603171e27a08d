//! The machine is lost while Stripe is at work: whatever died, there is one charge for each order, and none without.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use engine::db::{Db, StatementCount, statement};
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::support::buying::eventually;
use crate::support::client::Client;
use crate::support::database::{TestDatabase, on_postgres};
use crate::support::node::Node;
use crate::support::stripe::{FakeStripe, KEY, WEBHOOK_SECRET, signature};
use crate::support::walker::{COMPLETE, Walker, german_cart, new_key};

const REGION: &str = "mutation($input: AdminRegionSetInput!) { regionSet(input: $input) {
    region { id } userErrors { code message path } } }";

/// A shop of processes that come and go, and Stripe.
struct Scene {
    region: Value,
    database: TestDatabase,
    db: Db,
    fake: FakeStripe,
    owner: String,
    variant: String,
}

impl Scene {
    async fn open() -> Self {
        let (database, fake) = (TestDatabase::copy().await, FakeStripe::start().await);
        let mut node = start(&database, &fake, "").await;
        let owner = node.owner_token().await;
        let admin = node.anonymous_admin.bearer(&owner);
        let regions = admin.send("{ regions { handle name currencyCode countries } }", json!({})).await.at("regions");
        let sells = |region: &&Value| region["countries"].as_array().unwrap().contains(&json!("DE"));
        let mut input = regions.as_array().unwrap().iter().find(sells).unwrap().clone();
        input["pricesIncludeTax"] = json!(true);
        input["paymentProviders"] = json!(["manual", "stripe"]);
        admin.send(REGION, json!({ "input": input })).await.done();
        let region = input;
        let make = "mutation($input: AdminProductCreateInput!) { productCreate(input: $input) {
            product { variants { id } } userErrors { code message path } } }";
        let price = json!({ "amount": { "amount": "10.00", "currencyCode": "EUR" } });
        let input = json!({
            "title": "Tee", "status": "PUBLISHED", "variants": [{ "prices": [price], "stock": 100_000 }],
        });
        let made = admin.send(make, json!({ "input": input })).await;
        made.done();
        let variant = made.text("productCreate.product.variants.0.id");
        assert!(node.process.terminate().await.success());
        let db = Db::open(&database.url).await.unwrap();
        Self { region, database, db, fake, owner, variant }
    }

    /// From now on Stripe's money is taken when staff say so.
    async fn take_by_hand(&self, node: &Node) {
        let mut input = self.region.clone();
        input["paymentCaptures"] = json!([{ "provider": "stripe", "mode": "MANUAL" }]);
        node.anonymous_admin.bearer(&self.owner).send(REGION, json!({ "input": input })).await.done();
    }

    /// A process that is lost at this point; at none when it has no name.
    async fn node(&self, failpoint: &str) -> Node {
        start(&self.database, &self.fake, failpoint).await
    }

    async fn walker(&self, store: &Client, method: &str) -> Walker {
        Walker::ready_to_pay(store, &self.variant, 1, "stripe", json!({ "paymentMethodId": method })).await
    }

    /// Makes the last call at a process that is lost in it.
    async fn lose(&self, failpoint: &str, walker: &Walker, key: &str) {
        let mut node = self.node(failpoint).await;
        let call = json!({ "query": COMPLETE, "variables": walker.completion(key) });
        let answer = reqwest::Client::new().post(&node.store_url).json(&call).send().await;
        assert!(answer.is_err(), "{failpoint}: {answer:?}");
        assert!(!node.process.ended().await.success(), "{failpoint}");
    }

    /// Lets the time pass for which a lost process held its runs.
    async fn end_the_leases(&self) {
        let conn = self.db.begin(&StatementCount::default()).await.unwrap();
        let past = Utc::now() - TimeDelta::minutes(5);
        conn.execute_raw(statement(&conn, "update flow set run_at = ? where state = 'RUNNING'", [past.into()]))
            .await
            .unwrap();
        conn.commit().await.unwrap();
    }

    async fn orders(&self) -> u64 {
        entity::order::Entity::find().count(&self.db.read(&StatementCount::default())).await.unwrap()
    }

    async fn carts(&self, state: &str) -> usize {
        let rows = entity::cart::Entity::find().all(&self.db.read(&StatementCount::default())).await.unwrap();
        rows.iter().filter(|row| row.state.as_str() == state).count()
    }
}

async fn start(database: &TestDatabase, fake: &FakeStripe, failpoint: &str) -> Node {
    let variables = [
        ("EMPORION_FAILPOINT", failpoint),
        ("EMPORION_STRIPE_SECRET_KEY", KEY),
        ("EMPORION_STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET),
        ("EMPORION_STRIPE_API", fake.url.as_str()),
    ];
    Node::start(database, &["--demo", "--rate-address", "off"], &variables).await
}

#[tokio::test]
async fn a_checkout_that_is_lost_at_any_step_is_one_order_and_one_charge() {
    let scene = Scene::open().await;
    let mut paid = 0;
    for (count, failpoint) in ["checkout.begun", "checkout.asked", "op.checkout.place"].into_iter().enumerate() {
        let mut node = scene.node("").await;
        let (walker, key) = (scene.walker(&node.store, "pm_card_visa").await, new_key());
        assert!(node.process.terminate().await.success());
        scene.lose(failpoint, &walker, &key).await;
        let mut node = scene.node("").await;
        scene.end_the_leases().await;
        eventually("the order", async || scene.orders().await == count as u64 + 1).await;
        walker.complete_at(&node.store, &key).await.done();
        let total = scene.fake.kept() - paid;
        paid = scene.fake.kept();
        assert!(total > 0, "{failpoint}");
        assert_eq!(scene.fake.intents().len(), count + 1, "{failpoint}: one charge");
        assert!(node.process.terminate().await.success());
    }
    scene.db.close().await;
}

#[tokio::test]
async fn a_refusal_that_is_lost_opens_the_cart_and_nobody_can_pay_it() {
    let scene = Scene::open().await;
    for (count, failpoint) in ["checkout.asked", "checkout.given_up", "op.checkout.abandon"].into_iter().enumerate() {
        let mut node = scene.node("").await;
        let (walker, key) = (scene.walker(&node.store, "pm_card_chargeDeclined").await, new_key());
        assert!(node.process.terminate().await.success());
        scene.lose(failpoint, &walker, &key).await;
        assert_eq!(scene.carts("COMPLETING").await, 1, "{failpoint}");
        let mut node = scene.node("").await;
        scene.end_the_leases().await;
        eventually("the cart is open", async || scene.carts("OPEN").await == count + 1).await;
        let intents = scene.fake.intents();
        assert_eq!((intents.len(), &intents[count]["status"]), (count + 1, &json!("canceled")), "{failpoint}");
        assert!(node.process.terminate().await.success());
    }
    assert_eq!((scene.orders().await, scene.fake.kept()), (0, 0));
    scene.db.close().await;
}

/// What staff ask for at a process that is lost in it, and what must be true afterwards.
struct Step {
    failpoint: &'static str,
    mutation: &'static str,
    input: Value,
    /// The payment status that tells that it was done.
    status: &'static str,
    /// How much less Stripe keeps than it took, in cents.
    less: i64,
}

impl Scene {
    /// An order that was paid at Stripe: its id and its payment's, and how much Stripe keeps for it.
    async fn paid(&self) -> (Value, String, i64) {
        let mut node = self.node("").await;
        let walker = self.walker(&node.store, "pm_card_visa").await;
        let before = self.fake.kept();
        let placed = walker.complete(&new_key()).await;
        placed.done();
        let order = json!({ "id": placed.text("cartComplete.order.id") });
        let admin = node.anonymous_admin.bearer(&self.owner);
        let query = "query($id: ID!) { order(id: $id) { payments { id } } }";
        let payment = admin.send(query, order.clone()).await.text("order.payments.0.id");
        assert!(node.process.terminate().await.success());
        (order, payment, self.fake.kept() - before)
    }

    /// Asks for something at a process that is lost in it; another one ends it, and the same call is answered.
    async fn lose_and_end(&self, order: &Value, step: &Step) {
        let Step { failpoint, mutation, input, status, .. } = step;
        let mut name = (*mutation).to_owned();
        name.replace_range(..1, &mutation[..1].to_uppercase());
        let text = format!(
            "mutation($input: Admin{name}Input!) {{ {mutation}(input: $input) {{ userErrors {{ code message }} }} }}"
        );
        let mut lost = self.node(failpoint).await;
        let call = json!({ "query": text, "variables": { "input": input } });
        let url = lost.store_url.replace("/store/", "/admin/");
        let answer = reqwest::Client::new().post(url).bearer_auth(&self.owner).json(&call).send().await;
        assert!(answer.is_err(), "{mutation} at {failpoint}: {answer:?}");
        assert!(!lost.process.ended().await.success());

        let mut node = self.node("").await;
        self.end_the_leases().await;
        let admin = node.anonymous_admin.bearer(&self.owner);
        let query = "query($id: ID!) { order(id: $id) { paymentStatus } }";
        // One that was lost before it was written is asked for again by whoever wanted it.
        if failpoint.starts_with("op.order.") || failpoint.ends_with("capture") || failpoint.ends_with("refund") {
            admin.send(&text, json!({ "input": input })).await.done();
        }
        eventually("it is done", async || admin.send(query, order.clone()).await.at("order.paymentStatus") == *status)
            .await;
        admin.send(&text, json!({ "input": input })).await.done();
        assert_eq!(admin.send(query, order.clone()).await.at("order.paymentStatus"), *status);
        assert!(node.process.terminate().await.success());
    }
}

#[tokio::test]
async fn what_staff_do_with_money_is_done_once_wherever_it_is_lost() {
    let scene = Scene::open().await;
    for failpoint in ["op.payment.refund", "payment.asked", "op.payment.settle"] {
        let (order, payment, total) = scene.paid().await;
        let before = scene.fake.kept();
        let amount = json!({ "amount": "1.00", "currencyCode": "EUR" });
        let input =
            json!({ "idempotencyKey": new_key(), "paymentId": payment, "amount": amount, "reason": "REQUESTED" });
        let step = Step { failpoint, mutation: "refundCreate", input, status: "PARTIALLY_REFUNDED", less: 100 };
        scene.lose_and_end(&order, &step).await;
        assert_eq!(scene.fake.kept(), before - step.less, "{failpoint}: once");

        let input = json!({ "idempotencyKey": new_key(), "orderId": order["id"] });
        let at = if failpoint == "op.payment.refund" { "op.order.cancel" } else { failpoint };
        let step = Step { failpoint: at, mutation: "orderCancel", input, status: "REFUNDED", less: total };
        scene.lose_and_end(&order, &step).await;
        assert_eq!(scene.fake.kept(), before - step.less, "{failpoint}: all of it went back, once");
    }
    let mut node = scene.node("").await;
    scene.take_by_hand(&node).await;
    assert!(node.process.terminate().await.success());
    for failpoint in ["op.payment.capture", "payment.asked", "op.payment.settle"] {
        let before = scene.fake.kept();
        let (order, payment, taken) = scene.paid().await;
        assert_eq!(taken, 0, "it is promised, and not taken");
        let input = json!({ "idempotencyKey": new_key(), "paymentId": payment });
        let step = Step { failpoint, mutation: "paymentCapture", input, status: "CAPTURED", less: 0 };
        scene.lose_and_end(&order, &step).await;
        let row = scene.fake.intents().last().unwrap().clone();
        assert_eq!(row["status"], "succeeded", "{failpoint}");
        assert_eq!(scene.fake.kept(), before + row["amount"].as_i64().unwrap(), "{failpoint}: once");
    }
    scene.db.close().await;
}

#[tokio::test]
async fn a_checkout_that_is_called_off_and_lost_charges_nobody() {
    let scene = Scene::open().await;
    for (count, failpoint) in ["checkout.given_up", "op.checkout.abandon"].into_iter().enumerate() {
        let mut node = scene.node("").await;
        let (walker, key) = (scene.walker(&node.store, "pm_card_authenticationRequired").await, new_key());
        walker.complete(&key).await;
        assert!(node.process.terminate().await.success());
        let mut lost = scene.node(failpoint).await;
        let (text, input) = walker.cancellation();
        let call = json!({ "query": text, "variables": input });
        let answer = reqwest::Client::new().post(&lost.store_url).json(&call).send().await;
        assert!(answer.is_err(), "{failpoint}: {answer:?}");
        assert!(!lost.process.ended().await.success());
        let mut node = scene.node("").await;
        scene.end_the_leases().await;
        eventually("the cart is open", async || scene.carts("OPEN").await == count + 1).await;
        let intent = scene.fake.intents().last().unwrap().clone();
        assert_eq!(intent["status"], "canceled", "{failpoint}");
        scene.fake.act(intent["id"].as_str().unwrap(), true);
        assert_eq!((scene.orders().await, scene.fake.kept()), (0, 0), "{failpoint}");
        assert!(node.process.terminate().await.success());
    }
    scene.db.close().await;
}

/// An order whose promised money was given up, and how it is paid.
struct Owing {
    order: Value,
    input: Value,
}

const PAY: &str = "mutation($input: OrderPayInput!) { orderPay(input: $input) {
    payment { state } userErrors { code message } } }";
const OWING: &str =
    "query($id: ID!) { order(id: $id) { paymentStatus total { amount currencyCode } payments { id state } } }";

impl Scene {
    async fn owing(&self, method: &str) -> Owing {
        let mut node = self.node("").await;
        let walker = Walker::ready_to_pay(&node.store, &self.variant, 1, "manual", json!({})).await;
        let placed = walker.complete(&new_key()).await;
        let admin = node.anonymous_admin.bearer(&self.owner);
        let order = json!({ "id": placed.text("cartComplete.order.id") });
        let shown = admin.send(OWING, order.clone()).await.at("order");
        let give_up = "mutation($input: AdminPaymentVoidInput!) { paymentVoid(input: $input) { userErrors { code } } }";
        let input = json!({ "idempotencyKey": new_key(), "paymentId": shown["payments"][0]["id"] });
        admin.send(give_up, json!({ "input": input })).await.done();
        assert!(node.process.terminate().await.success());
        let input = json!({
            "idempotencyKey": new_key(), "orderId": order["id"], "accessToken": placed.text("cartComplete.accessToken"),
            "amount": shown["total"], "provider": "stripe", "data": { "paymentMethodId": method },
        });
        Owing { order, input }
    }

    /// Pays at a process that is lost in it.
    async fn lose_paying(&self, failpoint: &str, owing: &Owing) {
        let mut lost = self.node(failpoint).await;
        let call = json!({ "query": PAY, "variables": { "input": owing.input } });
        let answer = reqwest::Client::new().post(&lost.store_url).json(&call).send().await;
        assert!(answer.is_err(), "{failpoint}: {answer:?}");
        assert!(!lost.process.ended().await.success());
    }
}

#[tokio::test]
async fn what_an_order_owes_is_charged_once_wherever_it_is_lost() {
    let scene = Scene::open().await;
    for failpoint in ["order_payment.begun", "order_payment.asked", "op.payment.land"] {
        let owing = scene.owing("pm_card_visa").await;
        let before = (scene.fake.kept(), scene.fake.intents().len());
        scene.lose_paying(failpoint, &owing).await;
        let mut node = scene.node("").await;
        scene.end_the_leases().await;
        let admin = node.anonymous_admin.bearer(&scene.owner);
        eventually("it is paid", async || {
            admin.send(OWING, owing.order.clone()).await.at("order.paymentStatus") == "CAPTURED"
        })
        .await;
        let again = node.store.send(PAY, json!({ "input": owing.input })).await.done();
        assert_eq!(again["payment"]["state"], "CAPTURED");
        assert_eq!(scene.fake.intents().len(), before.1 + 1, "{failpoint}: one charge");
        assert!(scene.fake.kept() > before.0);
        assert!(node.process.terminate().await.success());
    }
    scene.db.close().await;
}

#[tokio::test]
async fn a_payment_that_is_declined_and_lost_comes_to_nothing_and_the_order_can_be_paid() {
    let scene = Scene::open().await;
    for failpoint in ["order_payment.given_up", "op.payment.fail"] {
        let mut owing = scene.owing("pm_card_chargeDeclined").await;
        let before = scene.fake.kept();
        scene.lose_paying(failpoint, &owing).await;
        assert_eq!(scene.fake.intents().last().unwrap()["status"], "canceled", "{failpoint}: nobody can pay it");
        let mut node = scene.node("").await;
        scene.end_the_leases().await;
        let admin = node.anonymous_admin.bearer(&scene.owner);
        eventually("it came to nothing", async || {
            admin.send(OWING, owing.order.clone()).await.at("order.payments.1.state") == "FAILED"
        })
        .await;
        assert_eq!(scene.fake.kept(), before);
        owing.input["data"]["paymentMethodId"] = json!("pm_card_visa");
        let paid = node.store.send(PAY, json!({ "input": owing.input })).await.done();
        assert_eq!(paid["payment"]["state"], "CAPTURED", "{failpoint}");
        assert!(node.process.terminate().await.success());
    }
    scene.db.close().await;
}

#[tokio::test]
async fn money_that_came_too_late_and_is_lost_on_its_way_back_goes_back_once() {
    let scene = Scene::open().await;
    for (count, failpoint) in ["checkout.returning", "op.checkout.end_return"].into_iter().enumerate() {
        let mut node = scene.node("").await;
        let walker = scene.walker(&node.store, "pm_card_authenticationRequired").await;
        walker.complete(&new_key()).await;
        let (text, input) = walker.cancellation();
        node.store.send(text, input).await.done();
        assert!(node.process.terminate().await.success());
        let intent = scene.fake.intents().last().unwrap()["id"].as_str().unwrap().to_owned();
        // The answer to giving it up is lost, so that somebody can still pay.
        scene.fake.change(&intent, "status", json!("requires_action"));
        scene.fake.act(&intent, true);
        assert!(scene.fake.kept() > 0);
        let body = scene.fake.event("payment_intent.succeeded", &intent).to_string();

        let mut lost = scene.node(failpoint).await;
        let url = lost.store_url.replace("/store/graphql", "/hooks/payment/stripe");
        let signed = signature(&[WEBHOOK_SECRET], Utc::now().timestamp(), body.as_bytes());
        let _ = reqwest::Client::new().post(url).header("stripe-signature", signed).body(body).send().await;
        assert!(!lost.process.ended().await.success(), "{failpoint}");
        let mut node = scene.node("").await;
        scene.end_the_leases().await;
        eventually("the money is back", async || scene.fake.kept() == 0).await;
        let conn = scene.db.read(&StatementCount::default());
        eventually("nothing is under way", async || {
            let runs = entity::flow::Entity::find().all(&conn).await.unwrap();
            runs.iter().all(|run| run.state.as_str() != "RUNNING")
        })
        .await;
        assert_eq!((scene.orders().await, scene.carts("OPEN").await), (0, count + 1), "{failpoint}");
        assert!(node.process.terminate().await.success());
    }
    scene.db.close().await;
}

#[tokio::test]
async fn a_process_that_wakes_up_beside_the_one_that_took_its_place_changes_nothing() {
    if !on_postgres() {
        return;
    }
    let scene = Scene::open().await;
    for (count, failpoint) in ["delay:checkout.asked", "delay:checkout.begun"].into_iter().enumerate() {
        let mut asleep = scene.node(failpoint).await;
        let mut node = scene.node("").await;
        let (walker, key) = (scene.walker(&asleep.store, "pm_card_visa").await, new_key());
        let call = json!({ "query": COMPLETE, "variables": walker.completion(&key) });
        let asked = tokio::spawn(reqwest::Client::new().post(&asleep.store_url).json(&call).send());
        eventually("it was begun", async || scene.carts("COMPLETING").await == 1).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        scene.end_the_leases().await;
        eventually("the order", async || scene.orders().await == count as u64 + 1).await;
        let answer: Value = asked.await.unwrap().unwrap().json().await.unwrap();
        let placed = walker.complete_at(&node.store, &key).await;
        // It may wake up while the other one is at work.
        let answer = &answer["data"]["cartComplete"];
        if answer["userErrors"][0]["code"] != "IDEMPOTENCY_IN_FLIGHT" {
            assert_eq!(answer["order"]["id"], placed.at("cartComplete.order.id"), "{failpoint}: {answer}");
        }
        assert_eq!((scene.orders().await, scene.fake.intents().len()), (count as u64 + 1, count + 1), "{failpoint}");
        assert!(asleep.process.terminate().await.success());
        assert!(node.process.terminate().await.success());
    }
    scene.db.close().await;
}

#[tokio::test]
async fn a_step_that_fails_or_stands_still_is_one_order_and_one_charge() {
    let scene = Scene::open().await;
    for (count, failpoint) in ["fail-once:checkout.place", "delay:op.checkout.place"].into_iter().enumerate() {
        let mut node = scene.node(failpoint).await;
        let (walker, key) = (scene.walker(&node.store, "pm_card_visa").await, new_key());
        let call = json!({ "query": COMPLETE, "variables": walker.completion(&key) });
        let asked = tokio::spawn(reqwest::Client::new().post(&node.store_url).json(&call).send());
        // Whoever stands still is taken for lost, and another one goes on beside him.
        eventually("it was paid", async || scene.fake.intents().len() == count + 1).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        scene.end_the_leases().await;
        let answer: Value = asked.await.unwrap().unwrap().json().await.unwrap();
        if failpoint.starts_with("fail") {
            assert_eq!(answer["errors"][0]["extensions"]["code"], "INTERNAL", "{answer}");
            scene.end_the_leases().await;
        }
        eventually("the order", async || scene.orders().await == count as u64 + 1).await;
        walker.complete_at(&node.store, &key).await.done();
        assert_eq!((scene.orders().await, scene.fake.intents().len()), (count as u64 + 1, count + 1), "{failpoint}");
        assert!(node.process.terminate().await.success());
    }
    scene.db.close().await;
}

#[tokio::test]
async fn an_event_that_is_lost_after_it_was_taken_is_looked_at() {
    let scene = Scene::open().await;
    for (count, failpoint) in
        ["payment.event_came", "payment.event_stored", "checkout.asked", "payment.event_looked_at"]
            .into_iter()
            .enumerate()
    {
        let mut node = scene.node("").await;
        let (walker, key) = (scene.walker(&node.store, "pm_card_authenticationRequired").await, new_key());
        walker.complete(&key).await;
        assert!(node.process.terminate().await.success());
        let intent = scene.fake.intents().last().unwrap()["id"].as_str().unwrap().to_owned();
        scene.fake.act(&intent, true);
        let event: Value = scene.fake.event("payment_intent.succeeded", &intent);
        let body = event.to_string();

        let mut lost = scene.node(failpoint).await;
        let url = lost.store_url.replace("/store/graphql", "/hooks/payment/stripe");
        let signed = signature(&[WEBHOOK_SECRET], Utc::now().timestamp(), body.as_bytes());
        let _ = reqwest::Client::new().post(url).header("stripe-signature", signed).body(body.clone()).send().await;
        assert!(!lost.process.ended().await.success(), "{failpoint}");
        let mut node = scene.node("").await;
        scene.end_the_leases().await;
        if failpoint == "payment.event_came" {
            // What was not taken is sent again.
            let url = node.store_url.replace("/store/graphql", "/hooks/payment/stripe");
            let signed = signature(&[WEBHOOK_SECRET], Utc::now().timestamp(), body.as_bytes());
            let sent = reqwest::Client::new().post(url).header("stripe-signature", signed).body(body).send().await;
            assert_eq!(sent.unwrap().status(), 200);
        }
        eventually("the order", async || scene.orders().await == count as u64 + 1).await;
        walker.complete_at(&node.store, &key).await.done();
        assert_eq!(scene.fake.intents().len(), count + 1);
        assert!(node.process.terminate().await.success());
    }
    scene.db.close().await;
}

/// How many buy at once.
const BUYERS: usize = 8;

/// How often the machine is lost under the buyers: `EMPORION_TEST_LOSSES` for a long run.
fn losses() -> usize {
    std::env::var("EMPORION_TEST_LOSSES").map_or(12, |losses| losses.parse().unwrap())
}

/// Buys one thing at whoever is there, with the same key until there is an answer.
async fn buy(at: impl Fn() -> Client, variant: &str, method: &str) -> bool {
    let create = "mutation($input: CartCreateInput!) { cartCreate(input: $input) {
        cart { id deliveryGroups { options { id } } } cartToken userErrors { code message } } }";
    let made = Client::insist(&at, create, german_cart(variant, 1)).await;
    let (cart, token) = (made.text("cartCreate.cart.id"), made.text("cartCreate.cartToken"));
    let with = |more: Value| {
        let mut input = json!({ "cartId": cart, "cartToken": token });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let choose = "mutation($input: CartDeliverySelectInput!) { cartDeliverySelect(input: $input) {
        userErrors { code message } } }";
    let option = made.at("cartCreate.cart.deliveryGroups.0.options.0.id");
    Client::insist(&at, choose, with(json!({ "deliveryOptionId": option }))).await.done();
    let pay = "mutation($input: PaymentSessionCreateInput!) { paymentSessionCreate(input: $input) {
        cart { total { amount currencyCode } } userErrors { code message } } }";
    let data = json!({ "provider": "stripe", "data": { "paymentMethodId": method } });
    let total = Client::insist(&at, pay, with(data)).await.at("paymentSessionCreate.cart.total");
    let input = with(json!({ "idempotencyKey": new_key(), "expectedTotal": total }));
    let answer = loop {
        let answer = Client::insist(&at, COMPLETE, input.clone()).await;
        if answer.refusals() != ["IDEMPOTENCY_IN_FLIGHT"] {
            break answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    match answer.refusals().as_slice() {
        [] => true,
        refused => {
            assert_eq!(refused, ["PAYMENT_DECLINED"], "{method}");
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_is_lost_again_and_again_under_buyers_charges_each_order_once() {
    let scene = Scene::open().await;
    let stop = Arc::new(AtomicBool::new(false));
    let node = scene.node("").await;
    let there = Arc::new(Mutex::new(node.store.clone()));
    let buyers: Vec<_> = (0..BUYERS)
        .map(|buyer| {
            let (stop, there, variant) = (stop.clone(), there.clone(), scene.variant.clone());
            tokio::spawn(async move {
                let mut bought = 0;
                while !stop.load(Ordering::Relaxed) {
                    // Every fourth buyer's card is declined.
                    let method = if buyer % 4 == 3 { "pm_card_chargeDeclined" } else { "pm_card_visa" };
                    bought += usize::from(buy(|| there.lock().unwrap().clone(), &variant, method).await);
                }
                bought
            })
        })
        .collect();
    let mut node = node;
    for loss in 0..losses() {
        tokio::time::sleep(Duration::from_millis(150 + 130 * (loss as u64 * 7 % 5))).await;
        node.process.kill().await;
        // Nobody holds the runs of a process that is gone, so the time need not pass.
        scene.end_the_leases().await;
        node = scene.node("").await;
        *there.lock().unwrap() = node.store.clone();
    }
    stop.store(true, Ordering::Relaxed);
    let mut bought = 0;
    for buyer in buyers {
        bought += buyer.await.unwrap();
    }
    eventually("nothing is under way", async || scene.carts("COMPLETING").await == 0).await;
    let conn = scene.db.read(&StatementCount::default());
    let orders = entity::order::Entity::find().all(&conn).await.unwrap();
    assert_eq!(orders.len(), bought, "each buyer got the orders that he was told of");
    assert!(bought > 0);
    let totals: i64 = orders.iter().map(|order| order.total_minor).sum();
    assert_eq!(scene.fake.kept(), totals, "no order without money, no money without an order");
    let paid = scene.fake.intents().into_iter().filter(|intent| intent["status"] == "succeeded").count();
    assert_eq!(paid, orders.len(), "one charge each");
    let payments = entity::payment::Entity::find().all(&conn).await.unwrap();
    assert_eq!(payments.len(), orders.len());
    println!("{} losses under {BUYERS} buyers: {bought} orders, {} intents", losses(), scene.fake.intents().len());
    assert!(node.process.terminate().await.success());
    scene.db.close().await;
}
