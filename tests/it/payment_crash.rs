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
use crate::support::database::TestDatabase;
use crate::support::node::Node;
use crate::support::stripe::{FakeStripe, KEY, WEBHOOK_SECRET, signature};
use crate::support::walker::{COMPLETE, Walker, german_cart, new_key};

/// A shop of processes that come and go, and Stripe.
struct Scene {
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
        let set = "mutation($input: AdminRegionSetInput!) { regionSet(input: $input) {
            region { id } userErrors { code message path } } }";
        admin.send(set, json!({ "input": input })).await.done();
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
        Self { database, db, fake, owner, variant }
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
    for (count, failpoint) in ["checkout.begun", "checkout.paid", "op.checkout.place"].into_iter().enumerate() {
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
    for (count, failpoint) in ["checkout.paid", "checkout.declined", "op.checkout.abandon"].into_iter().enumerate() {
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

#[tokio::test]
async fn a_refund_that_is_lost_is_given_back_once() {
    let scene = Scene::open().await;
    for failpoint in ["payment.asked", "op.payment.settle"] {
        let mut node = scene.node("").await;
        let walker = scene.walker(&node.store, "pm_card_visa").await;
        let before = scene.fake.kept();
        let placed = walker.complete(&new_key()).await;
        placed.done();
        let admin = node.anonymous_admin.bearer(&scene.owner);
        let query = "query($id: ID!) { order(id: $id) { payments { id } } }";
        let order = json!({ "id": placed.text("cartComplete.order.id") });
        let payment = admin.send(query, order.clone()).await.text("order.payments.0.id");
        assert!(node.process.terminate().await.success());
        let total = scene.fake.kept() - before;

        let refund = "mutation($input: AdminRefundCreateInput!) { refundCreate(input: $input) {
            payment { state } userErrors { code message } } }";
        let amount = json!({ "amount": "1.00", "currencyCode": "EUR" });
        let input =
            json!({ "idempotencyKey": failpoint, "paymentId": payment, "amount": amount, "reason": "REQUESTED" });
        let mut lost = scene.node(failpoint).await;
        let call = json!({ "query": refund, "variables": { "input": input } });
        let url = lost.store_url.replace("/store/", "/admin/");
        let answer = reqwest::Client::new().post(url).bearer_auth(&scene.owner).json(&call).send().await;
        assert!(answer.is_err(), "{failpoint}: {answer:?}");
        assert!(!lost.process.ended().await.success());
        assert_eq!(scene.fake.kept(), before + total - 100, "{failpoint}: it was given back");

        let mut node = scene.node("").await;
        scene.end_the_leases().await;
        let admin = node.anonymous_admin.bearer(&scene.owner);
        let query = "query($id: ID!) { order(id: $id) { paymentStatus payments { refunded { amount } } } }";
        eventually("the refund is known", async || {
            admin.send(query, order.clone()).await.at("order.paymentStatus") == "PARTIALLY_REFUNDED"
        })
        .await;
        let again = admin.send(refund, json!({ "input": input })).await.done();
        assert_eq!(again["payment"]["state"], "PARTIALLY_REFUNDED");
        assert_eq!(admin.send(query, order).await.at("order.payments.0.refunded.amount"), "1.00");
        assert_eq!(scene.fake.kept(), before + total - 100, "{failpoint}: once");
        assert!(node.process.terminate().await.success());
    }
    scene.db.close().await;
}

#[tokio::test]
async fn an_event_that_is_lost_after_it_was_taken_is_looked_at() {
    let scene = Scene::open().await;
    for (count, failpoint) in
        ["payment.event_stored", "checkout.paid", "payment.event_looked_at"].into_iter().enumerate()
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
        let _ = reqwest::Client::new().post(url).header("stripe-signature", signed).body(body).send().await;
        assert!(!lost.process.ended().await.success(), "{failpoint}");
        let mut node = scene.node("").await;
        scene.end_the_leases().await;
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
