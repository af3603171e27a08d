//! What Stripe tells by itself: who forges it, repeats it or sends it in disorder changes nothing; who pays and never
//! comes back gets his order.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::throttle::{Budget, LEAST};
use emporion::http::gate::{Edge, Gate};
use emporion::http::rate::{Limit, Rates};
use engine::provider::payment::{PaymentProvider, PaymentStep};
use engine::sweeper::sweep;
use futures_util::future::join_all;
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::Shop;
use crate::support::buying::{CartSession, Placed, address, eventually};
use crate::support::database::TestDatabase;
use crate::support::invariants::invariants;
use crate::support::stripe::{FakeStripe, Trouble, WEBHOOK_SECRET, signature};

const VISA: &str = "pm_card_visa";
const THREE_D_SECURE: &str = "pm_card_authenticationRequired";
const TOTAL: i64 = 4_490;

/// What is changed of an event before it is signed.
type Change<'c> = &'c dyn Fn(&mut Value);

struct Scene {
    shop: Shop,
    fake: FakeStripe,
    tee: String,
}

impl Scene {
    async fn open() -> Self {
        let fake = FakeStripe::start().await;
        let database = Arc::new(TestDatabase::copy().await);
        let account = Arc::new(fake.client());
        let shop = Shop::on(database, |builder| builder.stripe(Some(account))).await;
        shop.europe(&["DE"], true).await;
        shop.offer(&["manual", "stripe"]).await;
        let tee = shop.tee("20.00", 500).await;
        Self { shop, fake, tee }
    }

    async fn cart(&self, method: &str) -> CartSession {
        let mut cart = self.shop.ready_cart(&[(&self.tee, 2)], "manual").await;
        cart.pay_with("stripe", json!({ "paymentMethodId": method })).await.done();
        cart
    }

    /// A cart that waits for its shopper, and the name of its intent.
    async fn waiting(&self) -> (CartSession, String) {
        let cart = self.cart(THREE_D_SECURE).await;
        assert!(cart.complete("k").await.done()["nextAction"].is_object());
        (cart, self.newest())
    }

    fn newest(&self) -> String {
        self.fake.intents().last().unwrap()["id"].as_str().unwrap().to_owned()
    }

    fn now(&self) -> i64 {
        self.shop.app.clock.now().timestamp()
    }

    async fn post(&self, body: &str, signature: Option<&str>) -> u16 {
        let url = format!("http://{}/hooks/payment/stripe", self.shop.address);
        let mut request = reqwest::Client::new().post(url).body(body.to_owned());
        if let Some(signature) = signature {
            request = request.header("stripe-signature", signature);
        }
        request.send().await.unwrap().status().as_u16()
    }

    /// Sends an event as Stripe does.
    async fn send(&self, event: &Value) -> u16 {
        let body = event.to_string();
        self.post(&body, Some(&signature(&[WEBHOOK_SECRET], self.now(), body.as_bytes()))).await
    }

    async fn orders(&self) -> usize {
        entity::order::Entity::find().all(&self.shop.app.read()).await.unwrap().len()
    }

    async fn events(&self) -> Vec<entity::provider_event::Model> {
        let find = entity::provider_event::Entity::find().order_by_asc(entity::provider_event::Column::Id);
        find.all(&self.shop.app.read()).await.unwrap()
    }

    /// Waits until every event has been looked at, and answers with what came of them.
    async fn settled(&self) -> Vec<String> {
        eventually("every event is looked at", async || {
            sweep(&self.shop.app).await.unwrap();
            self.events().await.iter().all(|event| event.processed_at.is_some())
        })
        .await;
        self.events().await.into_iter().map(|event| event.outcome.unwrap()).collect()
    }

    async fn refusals(&self) -> usize {
        let rows = entity::audit_entry::Entity::find().all(&self.shop.app.read()).await.unwrap();
        rows.iter().filter(|row| row.op == "payment.event_refuse").count()
    }
}

#[tokio::test]
async fn a_shopper_who_paid_and_never_came_back_gets_the_order() {
    let scene = Scene::open().await;
    let (cart, intent) = scene.waiting().await;
    scene.fake.act(&intent, true);
    let event = scene.fake.event("payment_intent.succeeded", &intent);
    assert_eq!(scene.send(&event).await, 200);
    eventually("the order", async || scene.orders().await == 1).await;
    assert_eq!(scene.settled().await, ["LOOKED_UP"]);
    let placed = Placed::of(cart.clone(), &cart.complete("k").await);
    assert_eq!(placed.number, 1_001);
    assert_eq!((scene.fake.kept(), scene.fake.intents().len()), (TOTAL, 1));

    // Without an event the sweeper looks before it gives up.
    let (cart, intent) = scene.waiting().await;
    scene.fake.act(&intent, true);
    scene.shop.pass(TimeDelta::minutes(61));
    eventually("the second order", async || {
        sweep(&scene.shop.app).await.unwrap();
        scene.orders().await == 2
    })
    .await;
    Placed::of(cart.clone(), &cart.complete("k").await);
    // A bank that says no is told, too.
    let (mut cart, intent) = scene.waiting().await;
    scene.fake.act(&intent, false);
    scene.send(&scene.fake.event("payment_intent.payment_failed", &intent)).await;
    eventually("the cart is open again", async || cart.show().await["state"] == "OPEN").await;
    assert_eq!(scene.fake.intents().last().unwrap()["status"], "canceled", "nobody can pay it any more");
    assert_eq!((scene.orders().await, scene.fake.kept()), (2, 2 * TOTAL));
    invariants(&scene.shop).await;
}

#[tokio::test]
async fn what_is_not_signed_by_stripe_a_moment_ago_is_refused_and_audited() {
    let scene = Scene::open().await;
    let (mut cart, intent) = scene.waiting().await;
    scene.fake.act(&intent, true);
    let event = scene.fake.event("payment_intent.succeeded", &intent);
    let (body, now) = (event.to_string(), scene.now());
    let sign = |secret: &str, at: i64| signature(&[secret], at, body.as_bytes());
    let good = sign(WEBHOOK_SECRET, now);
    let forged = [
        None,
        Some(String::new()),
        Some("t=,v1=".to_owned()),
        Some(format!("t={now}")),
        Some(sign("whsec_somebodyelse", now)),
        Some(good.replace("v1=", "v0=")),
        Some(good.replacen(&format!("t={now}"), &format!("t={}", now + 1), 1)),
        Some(format!("{}0", &good[..good.len() - 1])).filter(|changed| *changed != good).or(Some("v1=0".to_owned())),
        Some(sign(WEBHOOK_SECRET, now - 302)),
        Some(sign(WEBHOOK_SECRET, now + 310)),
    ];
    for (place, forged) in forged.iter().enumerate() {
        assert_eq!(scene.post(&body, forged.as_deref()).await, 400, "{place}: {forged:?}");
        assert_eq!(scene.refusals().await, place + 1);
    }
    assert_eq!(scene.post(&body.replace("4490", "4491"), Some(&good)).await, 400, "another body");
    for (field, value) in [("account", json!("acct_other")), ("livemode", json!(true))] {
        let mut other = event.clone();
        other[field] = value;
        assert_eq!(scene.send(&other).await, 400, "another {field}");
    }
    assert_eq!(scene.send(&json!({ "object": "event" })).await, 400);
    assert_eq!((scene.refusals().await, scene.events().await.len()), (forged.len() + 4, 0));
    assert_eq!(cart.show().await["state"], "COMPLETING", "nothing happened");
    let url = |name: &str| format!("http://{}/hooks/payment/{name}", scene.shop.address);
    for provider in ["manual", "nobody"] {
        let answer = reqwest::Client::new().post(url(provider)).body("{}").send().await.unwrap();
        assert_eq!(answer.status(), 404, "{provider} tells nothing");
    }
    let long = reqwest::Client::new().post(url("stripe")).body(vec![b' '; 129 * 1024]).send().await.unwrap();
    assert_eq!(long.status(), 413);

    // Of several signatures one is enough, as while a secret is being replaced.
    let both = signature(&["whsec_theolderone", WEBHOOK_SECRET], scene.now(), body.as_bytes());
    assert_eq!(scene.post(&body, Some(&both)).await, 200);
    eventually("the order", async || scene.orders().await == 1).await;
    invariants(&scene.shop).await;
}

#[tokio::test]
async fn a_signed_event_of_something_else_has_no_effect() {
    let scene = Scene::open().await;
    let (mut cart, intent) = scene.waiting().await;
    let refused = "REFUSED: another amount or currency";
    let event = |change: &dyn Fn(&mut Value)| {
        let mut event = scene.fake.event("payment_intent.succeeded", &intent);
        change(&mut event["data"]["object"]);
        event
    };
    let checkout = scene.fake.intents()[0]["metadata"]["checkout"].as_str().unwrap().to_owned();
    let mut stranger = checkout.clone().into_bytes();
    *stranger.last_mut().unwrap() = if stranger.last() == Some(&b'0') { b'1' } else { b'0' };
    let stranger = String::from_utf8(stranger).unwrap();
    let cases: [(&str, Change<'_>); 6] = [
        (refused, &|object| object["amount"] = json!(100)),
        (refused, &|object| object["currency"] = json!("usd")),
        (refused, &|object| object["currency"] = json!("zzz")),
        ("REFUSED: another payment than that of the checkout", &|object| object["id"] = json!("pi_3fakeother")),
        ("REFUSED: no such checkout or payment", &|object| {
            object["id"] = json!("pi_3fakeother");
            object["metadata"]["checkout"] = json!(stranger);
        }),
        ("IGNORED: a payment of nobody", &|object| {
            object["id"] = json!("pi_3fakeother");
            object["metadata"] = json!({});
        }),
    ];
    for (place, (outcome, change)) in cases.iter().enumerate() {
        assert_eq!(scene.send(&event(change)).await, 200);
        let settled = scene.settled().await;
        assert_eq!((settled.len(), settled.last().map(String::as_str)), (place + 1, Some(*outcome)));
    }
    assert_eq!(scene.refusals().await, 5);
    assert_eq!((cart.show().await["state"].clone(), scene.orders().await), (json!("COMPLETING"), 0));

    // An event that says the right amount of a payment that is for another one: the provider is asked.
    scene.fake.act(&intent, true);
    let authentic = scene.fake.event("payment_intent.succeeded", &intent);
    scene.fake.change(&intent, "amount", json!(100));
    scene.send(&authentic).await;
    eventually("the cart is open again", async || {
        sweep(&scene.shop.app).await.unwrap();
        scene.shop.pass(TimeDelta::seconds(5));
        cart.show().await["state"] == "OPEN"
    })
    .await;
    assert_eq!((scene.orders().await, scene.fake.kept()), (0, 0), "no order, and the money is given back");
    invariants(&scene.shop).await;
}

#[tokio::test]
async fn ten_repeats_are_one_effect_and_disorder_comes_to_the_same() {
    let scene = Scene::open().await;
    let (cart, intent) = scene.waiting().await;
    let before = scene.fake.event("payment_intent.requires_action", &intent);
    scene.fake.act(&intent, true);
    let after = scene.fake.event("payment_intent.succeeded", &intent);
    for answer in join_all((0..10).map(|_| scene.send(&after))).await {
        assert_eq!(answer, 200);
    }
    assert_eq!(scene.send(&before).await, 200, "what happened first comes last");
    eventually("the order", async || scene.orders().await == 1).await;
    assert_eq!(scene.settled().await, ["LOOKED_UP", "LOOKED_UP"]);
    let placed = Placed::of(cart.clone(), &cart.complete("k").await);
    assert_eq!((scene.fake.kept(), scene.fake.intents().len()), (TOTAL, 1));

    // What somebody gives back at Stripe's dashboard stands in the ledger once, however often it is told.
    let back = |key: &str, minor| PaymentStep {
        idempotency_key: key.to_owned(),
        old: false,
        reference: intent.clone(),
        amount: domain::money::Money::new(minor, "EUR".parse().unwrap()),
    };
    let client = scene.fake.client();
    client.refund(&back("dashboard:1", 490)).await.unwrap().unwrap();
    for _ in 0..3 {
        scene.send(&scene.fake.event("charge.refunded", &intent)).await;
    }
    scene.settled().await;
    client.refund(&back("dashboard:2", 1_000)).await.unwrap().unwrap();
    scene.send(&scene.fake.event("charge.refunded", &intent)).await;
    scene.settled().await;
    let query = "query($id: ID!) { order(id: $id) { paymentStatus payments { refunded { amount }
        entries { kind state amount { amount } cause } } events { kind } } }";
    let order = scene.shop.admin.send(query, json!({ "id": placed.id })).await.at("order");
    assert_eq!(
        (&order["paymentStatus"], &order["payments"][0]["refunded"]["amount"]),
        (&json!("PARTIALLY_REFUNDED"), &json!("14.90"))
    );
    let entries: Vec<_> = order["payments"][0]["entries"].as_array().unwrap()[2..].to_vec();
    let entry =
        |amount| json!({ "kind": "REFUND", "state": "SUCCEEDED", "amount": { "amount": amount }, "cause": "provider" });
    assert_eq!(entries, [entry("4.90"), entry("10.00")]);
    invariants(&scene.shop).await;
}

#[tokio::test]
async fn a_refund_that_can_t_be_delivered_is_the_shop_s_money_again() {
    let scene = Scene::open().await;
    let cart = scene.cart(VISA).await;
    let placed = Placed::of(cart.clone(), &cart.complete("k").await);
    let query = "query($id: ID!) { order(id: $id) { paymentStatus payments { id state refunded { amount }
        entries { kind state amount { amount } cause } } events { kind } } }";
    let show = async || scene.shop.admin.send(query, json!({ "id": placed.id })).await.at("order");
    let payment = show().await["payments"][0]["id"].clone();
    let refund = async |key: &str| {
        let mutation = "mutation($input: AdminRefundCreateInput!) { refundCreate(input: $input) {
            payment { state } userErrors { code } } }";
        let amount = json!({ "amount": "44.90", "currencyCode": "EUR" });
        let input = json!({ "idempotencyKey": key, "paymentId": payment, "amount": amount, "reason": "REQUESTED" });
        scene.shop.admin.send(mutation, json!({ "input": input })).await
    };
    assert_eq!(refund("first").await.done()["payment"]["state"], "REFUNDED");
    assert_eq!(show().await["paymentStatus"], "REFUNDED");
    scene.fake.fail_refund();
    for kind in ["refund.failed", "refund.updated"] {
        assert_eq!(scene.send(&scene.fake.refund_event(kind)).await, 200);
        scene.settled().await;
    }
    let order = show().await;
    assert_eq!((&order["paymentStatus"], &order["payments"][0]["state"]), (&json!("CAPTURED"), &json!("CAPTURED")));
    assert_eq!(order["payments"][0]["refunded"]["amount"], "0.00");
    let last = order["payments"][0]["entries"].as_array().unwrap().last().unwrap().clone();
    let back =
        json!({ "kind": "REVERSAL", "state": "SUCCEEDED", "amount": { "amount": "44.90" }, "cause": "provider" });
    assert_eq!(last, back);
    let kinds: Vec<_> = order["events"].as_array().unwrap().iter().map(|event| event["kind"].clone()).collect();
    assert_eq!(kinds[kinds.len() - 2..], ["payment.refunded", "payment.refund_failed"]);
    // It is given back another time.
    assert_eq!(refund("second").await.done()["payment"]["state"], "REFUNDED");
    assert_eq!(scene.fake.kept(), 0);
    invariants(&scene.shop).await;
}

#[tokio::test]
async fn who_calls_off_what_got_no_answer_is_charged_nothing() {
    let scene = Scene::open().await;
    for (trouble, charged) in [(Trouble::Status(500), 0), (Trouble::Lost, 1)] {
        let mut cart = scene.cart(VISA).await;
        scene.fake.confirming(Some(trouble));
        assert_eq!(cart.complete("k").await.refusals(), ["IDEMPOTENCY_IN_FLIGHT"]);
        let rows = entity::checkout::Entity::find().all(&scene.shop.app.read()).await.unwrap();
        let checkout = rows.iter().max_by_key(|row| row.created_at).unwrap().id.to_string();
        eventually("the cart is open", async || {
            scene.shop.pass(TimeDelta::seconds(30));
            cart.cancel().await;
            cart.show().await["state"] == "OPEN"
        })
        .await;
        scene.fake.confirming(None);
        assert_eq!(scene.fake.charges(&checkout), charged, "{trouble:?}: nothing new was taken");
        assert_eq!((scene.orders().await, scene.fake.kept()), (0, 0), "{trouble:?}");
    }
    invariants(&scene.shop).await;
}

#[tokio::test]
async fn nothing_is_placed_on_money_that_was_given_back_meanwhile() {
    let scene = Scene::open().await;
    for part in [1_000, TOTAL] {
        let (mut cart, intent) = scene.waiting().await;
        scene.fake.act(&intent, true);
        let back = PaymentStep {
            idempotency_key: format!("dashboard:{part}"),
            old: false,
            reference: intent.clone(),
            amount: domain::money::Money::new(part, "EUR".parse().unwrap()),
        };
        scene.fake.client().refund(&back).await.unwrap().unwrap();
        assert_eq!(cart.complete("k").await.refusals(), ["PAYMENT_DECLINED"]);
        assert_eq!(cart.show().await["state"], "OPEN");
        assert_eq!((scene.orders().await, scene.fake.kept()), (0, 0), "what was left went back, too");
    }
    invariants(&scene.shop).await;
}

#[tokio::test]
async fn money_that_comes_after_a_checkout_was_called_off_goes_back() {
    let scene = Scene::open().await;
    // The answer to giving it up is lost, so that somebody can still pay.
    let (mut cart, intent) = scene.waiting().await;
    cart.cancel().await.done();
    scene.fake.change(&intent, "status", json!("requires_action"));
    scene.fake.act(&intent, true);
    assert_eq!(scene.fake.kept(), TOTAL);
    let event = scene.fake.event("payment_intent.succeeded", &intent);
    scene.fake.will([Trouble::Status(200), Trouble::Status(500)]);
    for _ in 0..3 {
        scene.send(&event).await;
    }
    eventually("the money is back", async || {
        scene.shop.pass(TimeDelta::seconds(5));
        sweep(&scene.shop.app).await.unwrap();
        scene.fake.kept() == 0
    })
    .await;
    scene.settled().await;
    assert_eq!(cart.show().await["state"], "OPEN");
    assert_eq!(scene.orders().await, 0);
    // It could not be delivered, and goes back another time.
    scene.fake.fail_refund();
    assert_eq!(scene.fake.kept(), TOTAL);
    assert_eq!(scene.send(&scene.fake.refund_event("refund.failed")).await, 200);
    scene.settled().await;
    assert_eq!(scene.fake.kept(), 0);
    // The cart is paid anew, once.
    cart.pay_with("stripe", json!({ "paymentMethodId": VISA })).await.done();
    cart.complete("again").await.done();
    assert_eq!(scene.fake.kept(), TOTAL);
    invariants(&scene.shop).await;
}

#[tokio::test]
async fn a_hundred_lost_answers_settle_with_one_charge_each() {
    let scene = Scene::open().await;
    let mut carts = Vec::new();
    for _ in 0..100 {
        carts.push(scene.cart(VISA).await);
    }
    scene.fake.loses_new(true);
    for cart in &carts {
        assert_eq!(cart.complete("k").await.refusals(), ["IDEMPOTENCY_IN_FLIGHT"]);
    }
    scene.fake.loses_new(false);
    let passed = std::sync::atomic::AtomicI64::new(0);
    eventually("all orders", async || {
        scene.shop.pass(TimeDelta::seconds(5));
        passed.fetch_add(5, std::sync::atomic::Ordering::Relaxed);
        sweep(&scene.shop.app).await.unwrap();
        scene.orders().await == 100
    })
    .await;
    assert!(passed.into_inner() <= 120, "two minutes of the shop's time");
    assert_eq!((scene.fake.kept(), scene.fake.intents().len()), (100 * TOTAL, 100));
    invariants(&scene.shop).await;
}

#[tokio::test]
async fn who_forges_again_and_again_fills_no_table_and_is_slowed_down() {
    let scene = Scene::open().await;
    for _ in 0..40 {
        assert_eq!(scene.post("{}", Some("t=1,v1=00")).await, 400);
    }
    let audited = scene.refusals().await;
    assert!((30..=60).contains(&audited), "{audited}: thirty in each minute");
    assert!(scene.events().await.is_empty());
    let few = Budget { capacity: u32::try_from(10 * LEAST).unwrap(), per_second: 1 };
    let rates = Rates { rate_address: Limit(Some(few)), ..Rates::default() };
    let gate = Gate::new(Edge { rates, ..Edge::default() }, CancellationToken::new());
    let address = scene.shop.served_at(gate).await;
    let url = format!("http://{address}/hooks/payment/stripe");
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let answer = reqwest::Client::new().post(&url).body("{}").send().await.unwrap();
        statuses.push(answer.status().as_u16());
    }
    assert_eq!((statuses[0], statuses[11]), (400, 429), "{statuses:?}");
}

#[tokio::test]
async fn what_is_taken_at_the_dashboard_lets_go_of_the_rest() {
    let scene = Scene::open().await;
    let input = json!({
        "handle": "europe", "name": "Europe", "currencyCode": "EUR", "countries": ["DE"], "pricesIncludeTax": true,
        "paymentProviders": ["manual", "stripe"], "paymentCaptures": [{ "provider": "stripe", "mode": "MANUAL" }],
    });
    scene.shop.set("regionSet", input, "region { id }").await.done();
    let cart = scene.cart(VISA).await;
    let placed = Placed::of(cart.clone(), &cart.complete("k").await);
    let intent = scene.newest();
    let taken = PaymentStep {
        idempotency_key: "dashboard".to_owned(),
        old: false,
        reference: intent.clone(),
        amount: domain::money::Money::new(3_000, "EUR".parse().unwrap()),
    };
    scene.fake.client().capture(&taken).await.unwrap().unwrap();
    for _ in 0..2 {
        scene.send(&scene.fake.event("payment_intent.succeeded", &intent)).await;
        scene.settled().await;
    }
    let query = "query($id: ID!) { order(id: $id) { paymentStatus payments { entries { kind amount { amount } } } } }";
    let order = scene.shop.admin.send(query, json!({ "id": placed.id })).await.at("order");
    let entry = |kind: &str, amount: &str| json!({ "kind": kind, "amount": { "amount": amount } });
    let expected = [entry("AUTHORIZE", "44.90"), entry("CAPTURE", "30.00"), entry("VOID", "14.90")];
    assert_eq!(order["payments"][0]["entries"], json!(expected));
    assert_eq!(order["paymentStatus"], "PARTIALLY_CAPTURED");
    invariants(&scene.shop).await;
}

#[tokio::test]
async fn what_became_store_credit_is_neither_a_refund_of_stripe_s_nor_one_that_came_back() {
    let scene = Scene::open().await;
    let ada = scene.shop.customer("ada@example.com").await;
    let input = json!({ "lines": [{ "variantId": scene.tee, "quantity": 2 }], "buyer": { "email": "ada@example.com" },
        "addresses": { "shipping": address("DE") } });
    let mut cart = scene.shop.cart_of_client(&ada.client, input).await;
    cart.select_delivery().await.done();
    cart.pay_with("stripe", json!({ "paymentMethodId": VISA })).await.done();
    let answer = cart.complete("k").await;
    let placed = Placed::of(cart, &answer);
    let payment = scene.shop.payment_by(&placed.id, "stripe").await;
    scene.shop.give_back(&payment, Some("12.00"), "STORE_CREDIT").await.done();
    assert_eq!((ada.owed().await.as_str(), scene.fake.kept()), ("12.00", TOTAL));
    // Whatever Stripe tells next, the two books differ by the credit alone.
    let intent = scene.newest();
    scene.send(&scene.fake.event("charge.refunded", &intent)).await;
    scene.settled().await;
    assert_eq!(scene.shop.payments(&placed.id).await, ["stripe PARTIALLY_REFUNDED 44.90 12.00"]);
    let back = PaymentStep {
        idempotency_key: "dashboard".to_owned(),
        old: false,
        reference: intent.clone(),
        amount: domain::money::Money::new(490, "EUR".parse().unwrap()),
    };
    scene.fake.client().refund(&back).await.unwrap().unwrap();
    scene.send(&scene.fake.event("charge.refunded", &intent)).await;
    scene.settled().await;
    assert_eq!(scene.shop.payments(&placed.id).await, ["stripe PARTIALLY_REFUNDED 44.90 16.90"]);
    scene.shop.give_back(&payment, None, "ORIGINAL").await.done();
    assert_eq!(
        (scene.shop.payments(&placed.id).await, scene.fake.kept()),
        (vec!["stripe REFUNDED 44.90 44.90".to_owned()], 1_200)
    );
    invariants(&scene.shop).await;
}
