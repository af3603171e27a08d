//! Paying with test cards: what each of them does, in which way money is taken, and the page that asks the shopper.

use std::sync::Arc;

use chrono::TimeDelta;
use engine::sweeper::sweep;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{CartSession, Placed, eventually, faults};
use crate::support::database::TestDatabase;
use crate::support::invariants::invariants;
use crate::support::provider::{Says, scripted_shop};

async fn card_shop() -> Shop {
    let database = Arc::new(TestDatabase::copy().await);
    let shop = Shop::on(database, |builder| builder.test_cards(true)).await;
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual", "test"]).await;
    shop
}

async fn cart_with(shop: &Shop, tee: &str, data: Value) -> CartSession {
    let mut cart = shop.ready_cart(&[(tee, 2)], "manual").await;
    cart.pay_with("test", data).await.done();
    cart
}

async fn payments(shop: &Shop) -> Vec<entity::test_payment::Model> {
    entity::test_payment::Entity::find().all(&shop.app.read()).await.unwrap()
}

async fn orders(shop: &Shop) -> usize {
    entity::order::Entity::find().all(&shop.app.read()).await.unwrap().len()
}

/// Sends the form of the page, as a browser does.
async fn press(shop: &Shop, url: &str, answer: &str) -> reqwest::Response {
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let request = browser.post(format!("http://{}{url}", shop.address)).body(format!("answer={answer}"));
    request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap()
}

#[tokio::test]
async fn each_test_card_does_what_its_name_says() {
    let shop = card_shop().await;
    let tee = shop.tee("20.00", 50).await;
    for data in [json!({ "card": "success" }), json!({})] {
        let cart = cart_with(&shop, &tee, data).await;
        assert_eq!(cart.complete("k").await.done()["order"]["paymentStatus"], "CAPTURED");
    }
    let mut declined = cart_with(&shop, &tee, json!({ "card": "decline" })).await;
    let answer = declined.complete("k").await;
    assert_eq!(answer.refusals(), ["PAYMENT_DECLINED"]);
    assert_eq!(declined.show().await["state"], "OPEN");
    let unknown = cart_with(&shop, &tee, json!({ "card": "4242" })).await.complete("k").await;
    assert_eq!(unknown.refusals(), ["PAYMENT_DECLINED"]);
    assert!(unknown.body.to_string().contains("the cards are success, decline, 3ds, delayed, lost"));

    // What was lost is asked for again with the same key, and was charged once.
    let lost = cart_with(&shop, &tee, json!({ "card": "lost" })).await;
    assert_eq!(lost.complete("k").await.refusals(), ["IDEMPOTENCY_IN_FLIGHT"]);
    shop.pass(TimeDelta::seconds(10));
    eventually("the order", async || {
        sweep(&shop.app).await.unwrap();
        orders(&shop).await == 3
    })
    .await;
    Placed::of(lost.clone(), &lost.complete("k").await);

    let delayed = cart_with(&shop, &tee, json!({ "card": "delayed" })).await;
    let waiting = delayed.complete("k").await.done();
    assert_eq!(
        (&waiting["processing"], &waiting["order"], &waiting["nextAction"]),
        (&json!(true), &json!(null), &json!(null))
    );
    shop.pass(TimeDelta::seconds(10));
    eventually("the order comes by itself", async || {
        sweep(&shop.app).await.unwrap();
        orders(&shop).await == 4
    })
    .await;
    Placed::of(delayed.clone(), &delayed.complete("k").await);
    let made = payments(&shop).await;
    assert_eq!(made.len(), 5, "one for each cart, and none for an unknown card");
    assert_eq!(shop.level(&tee).await, (50, 8));
    invariants(&shop).await;
}

#[tokio::test]
async fn the_shopper_is_asked_on_a_page_that_works_without_script() {
    let shop = card_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let cart = cart_with(&shop, &tee, json!({ "card": "3ds" })).await;
    let action = cart.complete("k").await.done()["nextAction"].clone();
    let url = action["url"].as_str().unwrap().to_owned();
    let shown = reqwest::get(format!("http://{}{url}", shop.address)).await.unwrap();
    assert_eq!(
        shown.headers()["content-security-policy"].to_str().unwrap().split(';').next(),
        Some("default-src 'none'")
    );
    let page = shown.text().await.unwrap();
    assert!(
        page.contains("Test payment of 44.90 EUR") && page.contains("value=\"confirm\"") && !page.contains("<script")
    );
    assert_eq!(cart.complete("k").await.done()["nextAction"], action, "the shopper has not answered");
    assert_eq!(press(&shop, &url, "maybe").await.status(), 400);
    assert_eq!(press(&shop, &format!("{url}0"), "confirm").await.status(), 404);
    assert_eq!(press(&shop, &url, "confirm").await.status(), 200, "there is no storefront to go back to");
    assert_eq!(press(&shop, &url, "fail").await.status(), 200, "answered is answered");
    Placed::of(cart.clone(), &cart.complete("k").await);

    // With a storefront he goes back to it, wherever on it the client says.
    let channel = shop.app.settings().channels[0].id.to_string();
    let storefront = json!({ "id": channel, "storefrontUrl": "https://shop.example" });
    shop.set("channelUpdate", storefront, "channel { id }").await.done();
    for (wanted, back) in [
        ("https://shop.example/paid?x=1", "https://shop.example/paid?x=1"),
        ("https://shop.example.evil.example/paid", "https://shop.example"),
        ("javascript:alert(1)", "https://shop.example"),
    ] {
        let mut cart = cart_with(&shop, &tee, json!({ "card": "3ds", "returnUrl": wanted })).await;
        let url = cart.complete("k").await.done()["nextAction"]["url"].as_str().unwrap().to_owned();
        let answered = press(&shop, &url, "fail").await;
        assert_eq!(answered.status(), 303);
        assert_eq!(answered.headers()["location"].to_str().unwrap().trim_end_matches('/'), back);
        assert_eq!(cart.complete("k").await.refusals(), ["PAYMENT_DECLINED"]);
        assert_eq!(cart.show().await["state"], "OPEN");
    }
    assert_eq!(orders(&shop).await, 1);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_checkout_of_a_test_card_can_be_called_off_and_nobody_pays_it_afterwards() {
    let shop = card_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let mut cart = cart_with(&shop, &tee, json!({ "card": "3ds" })).await;
    let url = cart.complete("k").await.done()["nextAction"]["url"].as_str().unwrap().to_owned();
    cart.cancel().await.done();
    press(&shop, &url, "confirm").await;
    assert_eq!(payments(&shop).await[0].state.as_str(), "VOIDED");
    // Money on its way can't be stopped: it is given back when it has arrived.
    cart.pay_with("test", json!({ "card": "delayed" })).await.done();
    cart.complete("l").await.done();
    assert_eq!(cart.cancel().await.refusals(), ["IDEMPOTENCY_IN_FLIGHT"]);
    shop.pass(TimeDelta::seconds(30));
    eventually("the cart is open again", async || {
        sweep(&shop.app).await.unwrap();
        cart.show().await["state"] == "OPEN"
    })
    .await;
    let late = payments(&shop).await.into_iter().find(|row| row.card == "delayed").unwrap();
    assert_eq!((late.captured_minor, late.refunded_minor), (4_490, 4_490));
    assert_eq!((orders(&shop).await, shop.level(&tee).await), (0, (50, 0)));
    invariants(&shop).await;
}

#[tokio::test]
async fn the_region_says_when_money_is_taken() {
    let shop = card_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let input = |captures: Value| {
        json!({
            "handle": "europe", "name": "Europe", "currencyCode": "EUR", "countries": ["DE"], "pricesIncludeTax": true,
            "paymentProviders": ["manual", "test"], "paymentCaptures": captures,
        })
    };
    let selection = "region { paymentCaptures { provider mode } }";
    let usual = shop.set("regionSet", input(json!([])), selection).await.done()["region"]["paymentCaptures"].clone();
    assert_eq!(usual, json!([{ "provider": "manual", "mode": "MANUAL" }, { "provider": "test", "mode": "AUTOMATIC" }]));
    let cart = cart_with(&shop, &tee, json!({ "card": "3ds" })).await;
    let url = cart.complete("k").await.done()["nextAction"]["url"].as_str().unwrap().to_owned();

    let by_hand = json!([{ "provider": "test", "mode": "MANUAL" }]);
    shop.set("regionSet", input(by_hand), selection).await.done();
    press(&shop, &url, "confirm").await;
    let begun_before = cart.complete("k").await.done()["order"]["paymentStatus"].clone();
    assert_eq!(begun_before, "CAPTURED", "what was said when it began counts");
    let cart = cart_with(&shop, &tee, json!({})).await;
    assert_eq!(cart.complete("k").await.done()["order"]["paymentStatus"], "AUTHORIZED");

    for captures in [
        json!([{ "provider": "stripe", "mode": "MANUAL" }]),
        json!([{ "provider": "test", "mode": "MANUAL" }, { "provider": "test", "mode": "MANUAL" }]),
    ] {
        let refused = shop.set("regionSet", input(captures.clone()), selection).await;
        let place = captures.as_array().unwrap().len() - 1;
        assert_eq!(faults(&refused), [format!("INVALID paymentCaptures.{place}.provider")]);
    }
    invariants(&shop).await;
}

#[tokio::test]
async fn no_test_card_is_there_unless_the_operator_wants_it() {
    let shop = Shop::open().await;
    let input = json!({
        "handle": "europe", "name": "Europe", "currencyCode": "EUR", "countries": ["DE"], "paymentProviders": ["test"],
    });
    let refused = shop.set("regionSet", input, "region { id }").await;
    assert_eq!(refused.refusals(), ["PAYMENT_PROVIDER_UNAVAILABLE"]);
    let page = reqwest::get(format!("http://{}/hooks/payment/test/confirm/test_1", shop.address)).await.unwrap();
    assert_eq!(page.status(), 404);
}

#[tokio::test]
async fn money_on_its_way_is_looked_for_until_the_provider_knows() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 5).await;
    let mut cart = shop.ready_cart(&[(&tee, 2)], "scripted").await;
    provider.will_say([Says::Processing, Says::Processing, Says::Processing, Says::Declined]);
    assert_eq!(cart.complete("k").await.done()["processing"], true);
    for looks in [1, 2] {
        shop.pass(TimeDelta::hours(2));
        eventually("it is looked for", async || {
            sweep(&shop.app).await.unwrap();
            provider.asked("look_up").len() == looks
        })
        .await;
        assert_eq!(cart.show().await["state"], "COMPLETING", "nobody gives up money on its way");
    }
    shop.pass(TimeDelta::hours(2));
    eventually("the cart is open again", async || {
        sweep(&shop.app).await.unwrap();
        cart.show().await["state"] == "OPEN"
    })
    .await;
    assert_eq!((shop.level(&tee).await, provider.asked("create").len()), ((5, 0), 1));
    invariants(&shop).await;
}

#[tokio::test]
async fn what_the_operator_has_taken_away_is_offered_to_nobody() {
    let database = Arc::new(TestDatabase::copy().await);
    let shop = Shop::on(database.clone(), |builder| builder.test_cards(true)).await;
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual", "test"]).await;
    let tee = shop.tee("20.00", 50).await;
    let cart = cart_with(&shop, &tee, json!({})).await;

    // The same shop, served in production.
    let shop = Shop::on(database, |builder| builder).await;
    let mut cart = CartSession { client: shop.store.clone(), ..cart };
    assert_eq!(cart.complete("k").await.refusals(), ["PAYMENT_PROVIDER_UNAVAILABLE"]);
    assert_eq!(cart.pay("test").await.refusals(), ["PAYMENT_PROVIDER_UNAVAILABLE"]);
    let offered = shop.admin.send("{ regions { paymentProviders } }", json!({})).await.at("regions.0.paymentProviders");
    assert_eq!(offered, json!(["manual"]));
    cart.pay("manual").await.done();
    cart.complete("k").await.done();
    invariants(&shop).await;
}
