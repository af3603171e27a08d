//! Paying what an order still owes: by whose it is, by a link, as staff saw it come. Whatever races or gets lost, no more
//! is taken than is owed.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::auth::{OWNER, VIEWER};
use engine::sweeper::sweep;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::buying::{Placed, euro, eventually, faults, mutate};
use crate::support::client::Client;
use crate::support::database::TestDatabase;
use crate::support::invariants::invariants;
use crate::support::post::post_shop;
use crate::support::provider::{Says, Scripted, scripted_shop};
use crate::support::stripe::{FakeStripe, Trouble, WEBHOOK_SECRET, signature};
use crate::support::walker::new_key;
use crate::support::{Answer, Shop};

const PAID: &str =
    "payment { id state amount { amount } } order { paymentStatus amountDue { amount } } nextAction processing";
const VISA: &str = "pm_card_visa";
const THREE_D_SECURE: &str = "pm_card_authenticationRequired";

/// An order over 44.90 whose promise staff gave up, so that all of it is owed.
async fn owing(shop: &Shop) -> Placed {
    let handle = json!(new_key().to_lowercase());
    let tee = shop.product("Tee").price("20.00").stock(50).with("handle", handle).create().await.variant;
    let placed = shop.checkout_all(&[(&tee, 2)], "manual", &new_key()).await;
    let payment = order(shop, &placed).await["payments"][0]["id"].clone();
    let input = json!({ "idempotencyKey": new_key(), "paymentId": payment });
    shop.set("paymentVoid", input, "payment { state }").await.done();
    placed
}

async fn at_home(shop: &Shop) {
    let channel = shop.app.settings().channels[0].id.to_string();
    let input = json!({ "id": channel, "storefrontUrl": "https://shop.example" });
    shop.set("channelUpdate", input, "channel { id }").await.done();
}

async fn order(shop: &Shop, placed: &Placed) -> Value {
    let query =
        "query($id: ID!) { order(id: $id) { status paymentStatus amountDue { amount } paymentLinks { id revokedAt }
        payments { id provider state failure amount { amount } entries { kind state amount { amount } cause note } }
        events { kind } } }";
    shop.admin.send(query, json!({ "id": placed.id })).await.at("order")
}

/// What one who holds the order's link pays.
async fn pay(shop: &Shop, placed: &Placed, key: &str, amount: &str, with: (&str, Value)) -> Answer {
    let input = json!({
        "idempotencyKey": key, "orderId": placed.id, "accessToken": placed.access_token, "amount": euro(amount),
        "provider": with.0, "data": with.1,
    });
    mutate(&shop.store, "", "orderPay", input, PAID).await
}

fn by_hand() -> (&'static str, Value) {
    ("manual", json!({}))
}

#[tokio::test]
async fn what_is_owed_is_paid_in_parts_and_never_twice() {
    let (shop, _) = scripted_shop().await;
    let placed = owing(&shop).await;
    let before = order(&shop, &placed).await;
    assert_eq!((&before["paymentStatus"], &before["amountDue"]["amount"]), (&json!("CANCELED"), &json!("44.90")));
    for (amount, fault) in
        [("44.91", "AMOUNT_TOO_LARGE amount"), ("0.00", "INVALID amount"), ("-1.00", "INVALID amount")]
    {
        assert_eq!(faults(&pay(&shop, &placed, "no", amount, by_hand()).await), [fault], "{amount}");
    }
    let input = json!({
        "idempotencyKey": "no", "orderId": placed.id, "accessToken": placed.access_token, "provider": "manual",
        "amount": { "amount": "10.00", "currencyCode": "USD" },
    });
    let dollars = mutate(&shop.store, "", "orderPay", input, PAID).await;
    assert_eq!(faults(&dollars), ["INVALID amount.currencyCode"]);
    let nobody = pay(&shop, &placed, "no", "10.00", ("stripe", json!({}))).await;
    assert_eq!(faults(&nobody), ["PAYMENT_PROVIDER_UNAVAILABLE provider"]);

    let first = pay(&shop, &placed, "first", "10.00", by_hand()).await.done();
    assert_eq!(first["payment"]["state"], "AUTHORIZED");
    assert_eq!(first["order"], json!({ "paymentStatus": "PARTIALLY_AUTHORIZED", "amountDue": { "amount": "34.90" } }));
    let again = pay(&shop, &placed, "first", "10.00", by_hand()).await.done();
    assert_eq!(again, first, "the same key is the same payment");
    assert_eq!(pay(&shop, &placed, "first", "11.00", by_hand()).await.refusals(), ["IDEMPOTENCY_MISMATCH"]);
    let rest = pay(&shop, &placed, "rest", "34.90", ("scripted", json!({}))).await.done();
    assert_eq!(rest["order"], json!({ "paymentStatus": "AUTHORIZED", "amountDue": { "amount": "0.00" } }));
    assert_eq!(faults(&pay(&shop, &placed, "more", "0.01", by_hand()).await), ["STATE_INVALID amount"]);

    let shown = order(&shop, &placed).await;
    let states: Vec<_> = shown["payments"].as_array().unwrap().iter().map(|row| row["state"].clone()).collect();
    assert_eq!(states, ["VOIDED", "AUTHORIZED", "AUTHORIZED"]);
    // Each is taken and given back by itself.
    for (row, status) in [(1, "PARTIALLY_CAPTURED"), (2, "CAPTURED")] {
        let input = json!({ "idempotencyKey": new_key(), "paymentId": shown["payments"][row]["id"] });
        let taken = shop.set("paymentCapture", input, "order { paymentStatus }").await.done();
        assert_eq!(taken["order"]["paymentStatus"], status);
    }
    let input = json!({
        "idempotencyKey": new_key(), "paymentId": shown["payments"][1]["id"], "amount": euro("4.00"), "reason": "FAULTY",
    });
    shop.set("refundCreate", input, "payment { state }").await.done();
    let shown = order(&shop, &placed).await;
    assert_eq!(shown["amountDue"]["amount"], "0.00", "what was given back is not owed again");
    let kinds: Vec<_> =
        shown["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    let own = ["payment.created", "payment.authorized"];
    assert_eq!(kinds[3..7], [own, own].concat());
    invariants(&shop).await;
}

#[tokio::test]
async fn twenty_who_pay_at_once_pay_once() {
    let (shop, provider) = scripted_shop().await;
    for _ in 0..3 {
        let placed = owing(&shop).await;
        let before = provider.asked("create").len();
        let keys: Vec<String> = (0..20).map(|_| new_key()).collect();
        let answers = join_all(keys.iter().map(|key| pay(&shop, &placed, key, "44.90", ("scripted", json!({}))))).await;
        let paid = answers.iter().filter(|answer| answer.refusals().is_empty()).count();
        assert_eq!((paid, provider.asked("create").len() - before), (1, 1));
        for answer in answers.iter().filter(|answer| !answer.refusals().is_empty()) {
            assert!(["PAYMENT_PENDING", "STATE_INVALID"].contains(&answer.refusals()[0].as_str()), "{}", answer.body);
        }
        assert_eq!(order(&shop, &placed).await["amountDue"]["amount"], "0.00");
    }
    invariants(&shop).await;
}

#[tokio::test]
async fn a_silent_provider_is_asked_again_with_the_same_key() {
    let (shop, provider) = scripted_shop().await;
    let placed = owing(&shop).await;
    provider.will_say([Says::Silence, Says::Silence]);
    let silent = pay(&shop, &placed, "k", "44.90", ("scripted", json!({}))).await;
    assert_eq!(silent.refusals(), ["IDEMPOTENCY_IN_FLIGHT"]);
    let waits = order(&shop, &placed).await;
    assert_eq!((&waits["paymentStatus"], &waits["amountDue"]["amount"]), (&json!("AWAITING"), &json!("0.00")));
    assert_eq!(pay(&shop, &placed, "other", "1.00", by_hand()).await.refusals(), ["PAYMENT_PENDING"]);
    eventually("it is paid", async || {
        shop.pass(TimeDelta::seconds(5));
        sweep(&shop.app).await.unwrap();
        order(&shop, &placed).await["paymentStatus"] == "AUTHORIZED"
    })
    .await;
    assert_eq!(
        pay(&shop, &placed, "k", "44.90", ("scripted", json!({}))).await.done()["payment"]["state"],
        "AUTHORIZED"
    );
    let keys: Vec<String> = provider.asked("create").into_iter().map(|asked| asked.key).collect();
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    invariants(&shop).await;
}

#[tokio::test]
async fn who_tries_card_after_card_is_stopped() {
    let (shop, provider) = scripted_shop().await;
    let placed = owing(&shop).await;
    let try_once = async || {
        provider.will_say([Says::Declined]);
        pay(&shop, &placed, "k", "44.90", ("scripted", json!({}))).await
    };
    for _ in 0..10 {
        assert_eq!(try_once().await.refusals(), ["PAYMENT_DECLINED"], "a refusal leaves the key free");
    }
    let stopped = pay(&shop, &placed, "k", "44.90", ("scripted", json!({}))).await;
    assert_eq!(stopped.refusals(), ["THROTTLED"]);
    let wait = stopped.at("orderPay.userErrors.0.retryAfterMs").as_i64().unwrap();
    assert!((3_500_000..=3_600_000).contains(&wait), "{wait}");
    let shown = order(&shop, &placed).await;
    assert_eq!(shown["payments"].as_array().unwrap().len(), 11);
    assert_eq!(shown["payments"][10]["failure"], "The card was declined.");
    assert_eq!(shown["payments"][10]["entries"][0]["state"], "FAILED");
    assert_eq!((&shown["paymentStatus"], &shown["amountDue"]["amount"]), (&json!("CANCELED"), &json!("44.90")));
    invariants(&shop).await;
}

#[tokio::test]
async fn staff_who_may_only_read_pay_nothing_and_call_nothing_off() {
    let (shop, provider) = scripted_shop().await;
    let placed = owing(&shop).await;
    provider.will_say([Says::RequiresAction]);
    let waits = pay(&shop, &placed, "k", "10.00", ("scripted", json!({}))).await.done();
    let viewer = shop.staff(VIEWER).await.credential();
    let viewer = Client::new(format!("http://{}/graphql", shop.address)).with("authorization", &viewer);
    let read = "query($id: ID!) { store { order(id: $id) { id } } }";
    assert_eq!(viewer.send(read, json!({ "id": placed.id })).await.at("store.order.id"), placed.id);
    let pays = "mutation($input: OrderPayInput!) { store { orderPay(input: $input) { userErrors { code } } } }";
    let input = json!({ "idempotencyKey": "v", "orderId": placed.id, "amount": euro("1.00"), "provider": "manual" });
    let told = viewer.send(pays, json!({ "input": input })).await;
    assert_eq!(told.at("store.orderPay.userErrors.0.code"), "NOT_FOUND");
    let cancels = "mutation($input: OrderPaymentCancelInput!) { store { orderPaymentCancel(input: $input) {
        userErrors { code } } } }";
    let input = json!({ "orderId": placed.id, "paymentId": waits["payment"]["id"] });
    let told = viewer.send(cancels, json!({ "input": input })).await;
    assert_eq!(told.at("store.orderPaymentCancel.userErrors.0.code"), "NOT_FOUND");
    assert_eq!(order(&shop, &placed).await["paymentStatus"], "REQUIRES_ACTION");
}

struct AtStripe {
    shop: Shop,
    fake: FakeStripe,
}

impl AtStripe {
    async fn open() -> Self {
        let fake = FakeStripe::start().await;
        let account = Arc::new(fake.client());
        let database = Arc::new(TestDatabase::copy().await);
        let shop = Shop::on(database, |builder| builder.stripe(Some(account))).await;
        shop.europe(&["DE"], true).await;
        shop.offer(&["manual", "stripe"]).await;
        at_home(&shop).await;
        Self { shop, fake }
    }

    async fn pay(&self, placed: &Placed, key: &str, method: &str) -> Answer {
        pay(&self.shop, placed, key, "44.90", ("stripe", json!({ "paymentMethodId": method }))).await
    }

    fn newest(&self) -> String {
        self.fake.intents().last().unwrap()["id"].as_str().unwrap().to_owned()
    }

    async fn send(&self, event: &Value) {
        let body = event.to_string();
        let signed = signature(&[WEBHOOK_SECRET], self.shop.app.clock.now().timestamp(), body.as_bytes());
        let url = format!("http://{}/hooks/payment/stripe", self.shop.address);
        let answer = reqwest::Client::new().post(url).header("stripe-signature", signed).body(body).send().await;
        assert_eq!(answer.unwrap().status(), 200);
    }

    async fn cancel(&self, placed: &Placed, payment: &Value) -> Answer {
        let input = json!({ "orderId": placed.id, "accessToken": placed.access_token, "paymentId": payment });
        mutate(&self.shop.store, "", "orderPaymentCancel", input, "payment { state }").await
    }
}

#[tokio::test]
async fn the_shopper_s_bank_asks_him_and_he_comes_back_or_not() {
    let scene = AtStripe::open().await;
    let placed = owing(&scene.shop).await;
    let waits = scene.pay(&placed, "k", THREE_D_SECURE).await.done();
    assert_eq!(waits["nextAction"]["type"], "redirect", "{waits}");
    assert_eq!(
        (&waits["payment"]["state"], &waits["order"]["paymentStatus"]),
        (&json!("REQUIRES_ACTION"), &json!("REQUIRES_ACTION"))
    );
    let other = scene.pay(&placed, "other", VISA).await;
    assert_eq!(other.refusals(), ["PAYMENT_PENDING"]);
    assert_eq!(other.at("orderPay.userErrors.0.entityId"), waits["payment"]["id"]);
    // Called off at Stripe, too: who confirms it after all pays nothing.
    for _ in 0..2 {
        assert_eq!(scene.cancel(&placed, &waits["payment"]["id"]).await.done()["payment"]["state"], "FAILED");
    }
    scene.fake.act(&scene.newest(), true);
    assert_eq!(scene.fake.kept(), 0);

    // One who never comes back has paid all the same.
    scene.pay(&placed, "again", THREE_D_SECURE).await.done();
    let intent = scene.newest();
    scene.fake.act(&intent, true);
    for _ in 0..3 {
        scene.send(&scene.fake.event("payment_intent.succeeded", &intent)).await;
    }
    eventually("it is paid", async || order(&scene.shop, &placed).await["paymentStatus"] == "CAPTURED").await;
    let again = scene.pay(&placed, "again", THREE_D_SECURE).await.done();
    assert_eq!((&again["payment"]["state"], &again["nextAction"]), (&json!("CAPTURED"), &Value::Null));
    assert_eq!(scene.fake.kept(), 4_490);

    // One who does nothing is waited for for an hour.
    let placed = owing(&scene.shop).await;
    scene.pay(&placed, "k", THREE_D_SECURE).await.done();
    scene.shop.pass(TimeDelta::minutes(61));
    let late = scene.shop.staff(OWNER).await;
    let query = "query($id: ID!) { order(id: $id) { paymentStatus } }";
    eventually("it is given up", async || {
        sweep(&scene.shop.app).await.unwrap();
        late.send(query, json!({ "id": placed.id })).await.at("order.paymentStatus") == "CANCELED"
    })
    .await;
    assert_eq!(scene.fake.intents().last().unwrap()["status"], "canceled");
    invariants(&scene.shop).await;
}

#[tokio::test]
async fn an_order_that_is_canceled_lets_go_of_what_waits() {
    let scene = AtStripe::open().await;
    let placed = owing(&scene.shop).await;
    scene.pay(&placed, "k", THREE_D_SECURE).await.done();
    let input = json!({ "idempotencyKey": new_key(), "orderId": placed.id });
    scene.shop.set("orderCancel", input, "order { status }").await.done();
    eventually("Stripe lets go", async || {
        sweep(&scene.shop.app).await.unwrap();
        scene.fake.intents().last().unwrap()["status"] == "canceled"
    })
    .await;
    eventually("it has ended", async || order(&scene.shop, &placed).await["payments"][1]["state"] == "FAILED").await;
    let shown = order(&scene.shop, &placed).await;
    assert_eq!((&shown["status"], &shown["amountDue"]["amount"]), (&json!("CANCELED"), &json!("0.00")));
    assert_eq!(faults(&scene.pay(&placed, "more", VISA).await), ["STATE_INVALID"]);
    assert_eq!(scene.fake.kept(), 0);
    invariants(&scene.shop).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_is_one_charge_and_money_that_comes_too_late_goes_back() {
    let scene = AtStripe::open().await;
    let placed = owing(&scene.shop).await;
    scene.fake.will([Trouble::Lost]);
    assert_eq!(scene.pay(&placed, "k", VISA).await.refusals(), ["IDEMPOTENCY_IN_FLIGHT"]);
    eventually("it is paid", async || {
        scene.shop.pass(TimeDelta::seconds(5));
        sweep(&scene.shop.app).await.unwrap();
        order(&scene.shop, &placed).await["paymentStatus"] == "CAPTURED"
    })
    .await;
    assert_eq!((scene.fake.kept(), scene.fake.intents().len()), (4_490, 1));

    let placed = owing(&scene.shop).await;
    let waits = scene.pay(&placed, "k", THREE_D_SECURE).await.done();
    scene.cancel(&placed, &waits["payment"]["id"]).await.done();
    let intent = scene.newest();
    scene.fake.change(&intent, "status", json!("requires_action"));
    scene.fake.act(&intent, true);
    assert_eq!(scene.fake.kept(), 2 * 4_490);
    scene.send(&scene.fake.event("payment_intent.succeeded", &intent)).await;
    eventually("it went back", async || {
        sweep(&scene.shop.app).await.unwrap();
        scene.fake.kept() == 4_490
    })
    .await;
    invariants(&scene.shop).await;
}

const LINK: &str = "paymentLink { id url token amount { amount } expiresAt revokedAt }";

async fn link(shop: &Shop, placed: &Placed, more: Value) -> Answer {
    let mut input = json!({ "idempotencyKey": new_key(), "orderId": placed.id });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    shop.set("paymentLinkCreate", input, LINK).await
}

async fn opened(shop: &Shop, token: &Value) -> Value {
    let query =
        "query($token: String!) { paymentLink(token: $token) { orderNumber amount { amount } paymentProviders } }";
    shop.store.send(query, json!({ "token": token })).await.at("paymentLink")
}

async fn pay_by(shop: &Shop, token: &Value, amount: &str) -> Answer {
    let input =
        json!({ "idempotencyKey": new_key(), "linkToken": token, "amount": euro(amount), "provider": "manual" });
    mutate(&shop.store, "", "orderPay", input, PAID).await
}

#[tokio::test]
async fn whoever_holds_a_link_may_pay_and_sees_nothing_else() {
    let (shop, _) = scripted_shop().await;
    at_home(&shop).await;
    let placed = owing(&shop).await;
    let whole = link(&shop, &placed, json!({})).await.done()["paymentLink"].clone();
    let token = &whole["token"];
    crate::support::log::plant(token.as_str().unwrap());
    assert_eq!(whole["url"], format!("https://shop.example/pay?token={}", token.as_str().unwrap()));
    let seen = json!({ "orderNumber": placed.number, "amount": { "amount": "44.90" }, "paymentProviders": ["manual", "scripted"] });
    assert_eq!(opened(&shop, token).await, seen);
    // It is no key to the order, nor is the order's key one of these.
    let query = "query($id: ID!, $token: String) { order(id: $id, accessToken: $token) { id } }";
    let as_order = shop.store.send(query, json!({ "id": placed.id, "token": token })).await;
    assert_eq!(as_order.at("order"), Value::Null);
    assert_eq!(opened(&shop, &json!(placed.access_token)).await, Value::Null);
    assert_eq!(faults(&pay_by(&shop, &json!(placed.access_token), "1.00").await), ["TOKEN_INVALID linkToken"]);
    let neither = json!({ "idempotencyKey": "k", "amount": euro("1.00"), "provider": "manual" });
    assert_eq!(faults(&mutate(&shop.store, "", "orderPay", neither, PAID).await), ["INVALID orderId"]);

    let part = link(&shop, &placed, json!({ "amount": euro("10.00") })).await.done()["paymentLink"].clone();
    assert_eq!(opened(&shop, &part["token"]).await["amount"]["amount"], "10.00");
    assert_eq!(faults(&pay_by(&shop, &part["token"], "10.01").await), ["AMOUNT_TOO_LARGE amount"]);
    let paid = pay_by(&shop, &part["token"], "4.00").await.done();
    assert_eq!((&paid["payment"]["state"], &paid["order"]), (&json!("AUTHORIZED"), &Value::Null), "no order is shown");
    assert_eq!(opened(&shop, &part["token"]).await["amount"]["amount"], "6.00");
    assert_eq!(opened(&shop, token).await["amount"]["amount"], "40.90");
    pay_by(&shop, &part["token"], "6.00").await.done();
    assert_eq!(faults(&pay_by(&shop, &part["token"], "0.01").await), ["STATE_INVALID amount"], "it was for ten");

    let input = json!({ "paymentLinkId": whole["id"] });
    let revoked = shop.set("paymentLinkRevoke", input, LINK).await.done();
    assert!(revoked["paymentLink"]["revokedAt"].is_string());
    assert_eq!(opened(&shop, token).await, Value::Null);
    assert_eq!(faults(&pay_by(&shop, token, "1.00").await), ["TOKEN_INVALID linkToken"]);

    for (more, fault) in [
        (json!({ "amount": euro("34.91") }), "AMOUNT_TOO_LARGE amount"),
        (json!({ "amount": euro("0.00") }), "INVALID amount"),
        (json!({ "expiresAt": "2020-01-01T00:00:00Z" }), "INVALID expiresAt"),
        (json!({ "expiresAt": "2999-01-01T00:00:00Z" }), "INVALID expiresAt"),
    ] {
        assert_eq!(faults(&link(&shop, &placed, more).await), [fault]);
    }
    for _ in 0..19 {
        link(&shop, &placed, json!({})).await.done();
    }
    assert_eq!(link(&shop, &placed, json!({})).await.refusals(), ["TOO_MANY"]);
    assert_eq!(order(&shop, &placed).await["paymentLinks"].as_array().unwrap().len(), 21);
    shop.pass(TimeDelta::days(15));
    assert_eq!(opened(&shop, &part["token"]).await, Value::Null, "its time is over");
    invariants(&shop).await;
}

#[tokio::test]
async fn a_link_is_mailed_to_whoever_bought() {
    let (shop, post) = post_shop().await;
    at_home(&shop).await;
    let placed = owing(&shop).await;
    link(&shop, &placed, json!({ "sendMail": true, "amount": euro("10.00") })).await.done();
    shop.mail_is_done().await;
    let mail = post.last();
    assert_eq!(mail.to.as_str(), "ada@example.com");
    assert_eq!(mail.subject, format!("Pay €10.00 for your order {}", placed.number));
    let after = mail.text.split("https://shop.example/pay?token=").nth(1).unwrap_or_else(|| panic!("{}", mail.text));
    let token = json!(after.split_whitespace().next().unwrap());
    pay_by(&shop, &token, "10.00").await.done();
    assert_eq!(opened(&shop, &token).await["amount"]["amount"], "0.00");
    invariants(&shop).await;
}

#[tokio::test]
async fn money_that_staff_saw_come_is_written_down() {
    let (shop, _): (Shop, Arc<Scripted>) = scripted_shop().await;
    let placed = owing(&shop).await;
    let mark = async |key: &str, amount: Option<&str>| {
        let input = json!({
            "idempotencyKey": key, "orderId": placed.id, "amount": amount.map(euro), "note": " By transfer ",
        });
        shop.set("orderMarkPaid", input, "payment { id state provider } order { paymentStatus amountDue { amount } }")
            .await
    };
    assert_eq!(faults(&mark("no", Some("44.91")).await), ["AMOUNT_TOO_LARGE amount"]);
    let first = mark("first", Some("4.90")).await.done();
    assert_eq!(first["order"], json!({ "paymentStatus": "PARTIALLY_CAPTURED", "amountDue": { "amount": "40.00" } }));
    assert_eq!(mark("first", Some("4.90")).await.done()["payment"], first["payment"]);
    let rest = mark("rest", None).await.done();
    assert_eq!(rest["order"], json!({ "paymentStatus": "CAPTURED", "amountDue": { "amount": "0.00" } }));
    assert_eq!(faults(&mark("more", None).await), ["STATE_INVALID amount"]);
    let entries = order(&shop, &placed).await["payments"][2]["entries"].clone();
    assert_eq!((&entries[1]["kind"], &entries[1]["note"]), (&json!("CAPTURE"), &json!("By transfer")));
    // It is given back like any other.
    let input = json!({ "idempotencyKey": new_key(), "paymentId": rest["payment"]["id"], "reason": "OTHER" });
    shop.set("refundCreate", input, "payment { state }").await.done();
    assert_eq!(order(&shop, &placed).await["paymentStatus"], "PARTIALLY_REFUNDED");
    invariants(&shop).await;
}
