//! From cart to order: once, for the total that was shown, or not at all.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::checkout::CheckoutState;
use engine::actor::Caller;
use engine::checkout::place::Place;
use engine::provider::payment::Outcome;
use engine::sweeper::sweep;
use futures_util::future::join_all;
use sea_orm::EntityTrait;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::support::Shop;
use crate::support::buying::{Placed, euro, eventually, faults};
use crate::support::invariants::invariants;
use crate::support::provider::{Says, scripted_shop};

async fn german_shop(prices_include_tax: bool) -> Shop {
    let shop = Shop::open().await;
    shop.europe(&["DE"], prices_include_tax).await;
    shop
}

async fn orders(shop: &Shop) -> Vec<entity::order::Model> {
    entity::order::Entity::find().all(&shop.app.read()).await.unwrap()
}

async fn checkouts(shop: &Shop) -> Vec<entity::checkout::Model> {
    entity::checkout::Entity::find().all(&shop.app.read()).await.unwrap()
}

#[tokio::test]
async fn four_requests_make_an_order() {
    let shop = german_shop(true).await;
    let tee = shop.tee("20.00", 5).await;
    let placed = shop.checkout_all(&[(&tee, 2)], "manual", "k").await;
    assert_eq!(placed.number, 1_001);
    assert_eq!(shop.level(&tee).await, (5, 2), "promised, and not gone before it is packed");
    let query = "query($id: ID!, $token: String!) { order(id: $id, accessToken: $token) {
        number status paymentStatus fulfillmentStatus email locale currencyCode
        subtotal { amount } shipping { amount } discount { amount } tax { amount } total { amount }
        taxes { code percent base { amount } amount { amount } }
        lines { title quantity unitPrice { amount } includesTax tax { amount } total { amount } }
        shippingLines { name amount { amount } tax { amount } total { amount } }
        shippingAddress { lastName countryCode } billingAddress { city } payments { provider state amount { amount } }
        } }";
    let order = shop.store.send(query, json!({ "id": placed.id, "token": placed.access_token })).await.at("order");
    let expected = json!({
        "number": 1_001, "status": "OPEN", "paymentStatus": "AUTHORIZED", "fulfillmentStatus": "NOT_FULFILLED",
        "email": "ada@example.com", "locale": "en", "currencyCode": "EUR",
        "subtotal": { "amount": "40.00" }, "shipping": { "amount": "4.90" }, "discount": { "amount": "0.00" },
        "tax": { "amount": "7.17" }, "total": { "amount": "44.90" },
        "taxes": [{
            "code": "VAT", "percent": "19", "base": { "amount": "37.73" }, "amount": { "amount": "7.17" },
        }],
        "lines": [{
            "title": "Tee", "quantity": 2, "unitPrice": { "amount": "20.00" }, "includesTax": true,
            "tax": { "amount": "6.39" }, "total": { "amount": "40.00" },
        }],
        "shippingLines": [{
            "name": "Parcel", "amount": { "amount": "4.90" }, "tax": { "amount": "0.78" },
            "total": { "amount": "4.90" },
        }],
        "shippingAddress": { "lastName": "Lovelace", "countryCode": "DE" }, "billingAddress": { "city": "Town" },
        "payments": [{ "provider": "manual", "state": "AUTHORIZED", "amount": { "amount": "44.90" } }],
    });
    assert_eq!(order, expected);
    invariants(&shop).await;
}

#[tokio::test]
async fn another_total_than_the_shown_one_changes_nothing() {
    let shop = german_shop(true).await;
    let tee = shop.tee("20.00", 5).await;
    let mut cart = shop.ready_cart(&[(&tee, 2)], "manual").await;
    let dollars = json!({ "amount": "44.90", "currencyCode": "USD" });
    for total in [euro("44.89"), euro("0.00"), euro("-44.90"), dollars] {
        assert_eq!(faults(&cart.complete_for("k", total.clone()).await), ["TOTAL_CHANGED expectedTotal"], "{total}");
    }
    let malformed = cart.complete_for("k", euro("44.901")).await;
    assert_eq!(faults(&malformed), ["INVALID expectedTotal.amount"]);
    assert_eq!(faults(&cart.complete(" ").await), ["INVALID idempotencyKey"]);
    assert_eq!(cart.show().await["state"], "OPEN");
    assert_eq!(shop.level(&tee).await, (5, 0));
    assert_eq!((checkouts(&shop).await.len(), orders(&shop).await.len()), (0, 0));
    cart.complete("k").await.done();
    invariants(&shop).await;
}

#[tokio::test]
async fn the_same_key_gives_the_same_order_and_no_other() {
    let shop = german_shop(true).await;
    let tee = shop.tee("20.00", 5).await;
    let cart = shop.ready_cart(&[(&tee, 2)], "manual").await;
    let first = cart.complete("k").await.done();
    assert_eq!(cart.complete("k").await.done(), first, "order and access token");
    assert_eq!(cart.complete("other").await.refusals(), ["CART_COMPLETED"]);
    let other = cart.complete_for("k", euro("1.00")).await;
    assert_eq!(faults(&other), ["IDEMPOTENCY_MISMATCH idempotencyKey"]);
    let mut cart = cart;
    assert_eq!(cart.mutate("cartBuyerUpdate", json!({ "locale": "de" })).await.refusals(), ["CART_COMPLETED"]);
    assert_eq!(cart.cancel().await.refusals(), ["CART_COMPLETED"]);
    let stranger = crate::support::buying::CartSession { token: "ct_x".to_owned(), ..cart.clone() };
    assert_eq!(faults(&stranger.complete("k").await), ["NOT_FOUND cartId"], "a key opens nothing");
    // Keys are the cart's own: another shopper's cart may use the same text.
    shop.checkout_all(&[(&tee, 1)], "manual", "k").await;
    assert_eq!(orders(&shop).await.len(), 2);
    assert_eq!(shop.level(&tee).await, (5, 3));
    invariants(&shop).await;
}

#[tokio::test]
async fn what_is_not_sent_needs_no_address() {
    let shop = german_shop(true).await;
    let song = shop.product("Song").price("1.19").digital().create().await.variant;
    let lines = json!([{ "variantId": song }]);
    let mut cart = shop.cart_of(json!({ "lines": lines, "buyer": { "email": "ada@example.com" } })).await;
    assert_eq!((cart.issues(), &cart.shown["deliveryGroups"]), (vec!["PAYMENT_MISSING".to_owned()], &json!([])));
    cart.pay("manual").await.done();
    let placed = Placed::of(cart.clone(), &cart.complete("k").await);
    let order = orders(&shop).await.remove(0);
    assert_eq!((order.id.to_string(), order.total_minor, order.tax_minor), (placed.id, 119, 19));
    assert_eq!((order.shipping_address, order.shipping_minor), (None, 0));
    invariants(&shop).await;
}

#[tokio::test]
async fn what_costs_nothing_needs_no_payment() {
    let shop = german_shop(true).await;
    let gift = shop.product("Gift").price("0.00").digital().create().await.variant;
    let lines = json!([{ "variantId": gift, "quantity": 3 }]);
    let cart = shop.cart_of(json!({ "lines": lines, "buyer": { "email": "ada@example.com" } })).await;
    assert_eq!((cart.issues(), cart.amount("total")), (Vec::new(), "0.00".to_owned()));
    let order = cart.complete("k").await.done()["order"].clone();
    assert_eq!((&order["paymentStatus"], &order["status"]), (&json!("CAPTURED"), &json!("OPEN")));
    assert!(entity::payment::Entity::find().all(&shop.app.read()).await.unwrap().is_empty());
    invariants(&shop).await;
}

/// Pseudo-random numbers, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

#[tokio::test]
async fn stored_totals_are_what_the_lines_come_to() {
    let mut dice = Dice(7);
    for inclusive in [true, false] {
        let shop = german_shop(inclusive).await;
        let mut goods = Vec::new();
        for number in 0..8 {
            let minor = dice.roll(9_999) as i64;
            let price = format!("{}.{:02}", minor / 100, minor % 100);
            let made = shop.product(&format!("Thing {number}")).price(&price).stock(10_000).create().await;
            goods.push((made.variant, minor));
        }
        for _ in 0..15 {
            let mut lines: Vec<(&str, i64, i64)> = Vec::new();
            for (variant, minor) in &goods {
                if dice.roll(3) == 0 || lines.is_empty() {
                    lines.push((variant.as_str(), 1 + dice.roll(9) as i64, *minor));
                }
            }
            let asked: Vec<_> = lines.iter().map(|(variant, quantity, _)| (*variant, *quantity)).collect();
            let placed = shop.checkout_all(&asked, "manual", "k").await;
            let order = orders(&shop).await.into_iter().find(|order| order.id.to_string() == placed.id).unwrap();
            let rows = lines.iter().map(|(_, quantity, minor)| quantity * minor);
            let subtotal: i64 = rows.clone().sum();
            // 19 % on top, or 19/119 out of it, each row rounded by itself.
            let tax = |row: i64| match inclusive {
                true => row - (row * 200 + 119) / 238,
                false => (row * 19 + 50) / 100,
            };
            let taxes: i64 = rows.chain([490]).map(tax).sum();
            let total = subtotal + 490 + if inclusive { 0 } else { taxes };
            let stored = (order.subtotal_minor, order.shipping_minor, order.tax_minor, order.total_minor);
            assert_eq!(stored, (subtotal, 490, taxes, total), "{lines:?}");
        }
        assert_eq!(orders(&shop).await.len(), 15);
        invariants(&shop).await;
    }
}

#[tokio::test]
async fn a_declined_payment_gives_everything_back() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 5).await;
    let mut cart = shop.ready_cart(&[(&tee, 2)], "scripted").await;
    provider.will_say([Says::Declined]);
    let declined = cart.complete("k").await;
    assert_eq!(declined.refusals(), ["PAYMENT_DECLINED"]);
    assert_eq!(declined.at("cartComplete.userErrors.0.message"), "The card was declined.");
    assert_eq!(cart.show().await["state"], "OPEN");
    assert_eq!((shop.level(&tee).await, orders(&shop).await.len()), ((5, 0), 0));
    invariants(&shop).await;

    let placed = Placed::of(cart.clone(), &cart.complete("k").await);
    assert_eq!(placed.number, 1_001, "no number was lost");
    let asked = provider.asked("create");
    assert_eq!((asked.len(), asked[0].minor), (2, 4_490));
    assert_ne!(asked[0].key, asked[1].key, "a declined payment is not asked for again");
    invariants(&shop).await;
}

#[tokio::test]
async fn money_that_is_taken_at_once_is_captured() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 5).await;
    provider.will_say([Says::Captured]);
    let cart = shop.ready_cart(&[(&tee, 1)], "scripted").await;
    assert_eq!(cart.complete("k").await.done()["order"]["paymentStatus"], "CAPTURED");
    let payment = entity::payment::Entity::find().one(&shop.app.read()).await.unwrap().unwrap();
    assert_eq!((payment.state.as_str(), payment.amount_minor), ("CAPTURED", 2_490));
    invariants(&shop).await;
}

#[tokio::test]
async fn the_same_call_goes_on_after_the_shopper_acted() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 5).await;
    let mut cart = shop.ready_cart(&[(&tee, 2)], "scripted").await;
    provider.will_say([Says::RequiresAction, Says::RequiresAction, Says::Authorized]);
    for _ in 0..2 {
        let waiting = cart.complete("k").await.done();
        assert_eq!(waiting["nextAction"], json!({ "url": "https://pay.example/3ds" }));
        assert_eq!((&waiting["order"], &waiting["accessToken"]), (&json!(null), &json!(null)));
    }
    assert_eq!(cart.show().await["state"], "COMPLETING");
    assert_eq!(shop.level(&tee).await, (5, 2));
    let line = cart.shown["lines"][0]["id"].clone();
    for (mutation, input) in [
        ("cartLinesAdd", json!({ "lines": [{ "variantId": tee }] })),
        ("cartLinesUpdate", json!({ "lines": [{ "lineId": line, "quantity": 1 }] })),
        ("cartLinesRemove", json!({ "lineIds": [line] })),
        ("cartBuyerUpdate", json!({ "email": "eve@example.com" })),
        ("cartAddressesUpdate", json!({ "shipping": null })),
        ("cartDeliverySelect", json!({ "deliveryOptionId": cart.shown["deliveryGroups"][0]["options"][0]["id"] })),
        ("paymentSessionCreate", json!({ "provider": "manual" })),
    ] {
        assert_eq!(cart.mutate(mutation, input).await.refusals(), ["CART_COMPLETING"], "{mutation}");
    }
    assert_eq!(cart.complete("other").await.refusals(), ["CART_COMPLETING"]);
    let mismatch = cart.complete_for("k", euro("1.00")).await;
    assert_eq!(mismatch.refusals(), ["IDEMPOTENCY_MISMATCH"]);
    invariants(&shop).await;

    let placed = Placed::of(cart.clone(), &cart.complete("k").await);
    let (created, looked_up) = (provider.asked("create"), provider.asked("look_up"));
    assert_eq!((created.len(), looked_up.len()), (1, 2), "made once, and looked up by its name from then on");
    assert!(looked_up.iter().all(|asked| asked.key == format!("scripted:{}", created[0].key)), "{looked_up:?}");
    assert_eq!(Placed::of(cart.clone(), &cart.complete("k").await).id, placed.id);
    assert_eq!(provider.asked("look_up").len(), 2, "a placed order asks nobody");
    invariants(&shop).await;
}

#[tokio::test]
async fn a_checkout_that_waits_can_be_called_off() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 5).await;
    let mut cart = shop.ready_cart(&[(&tee, 2)], "scripted").await;
    assert_eq!(cart.cancel().await.refusals(), ["CHECKOUT_MISSING"]);
    provider.will_say([Says::RequiresAction]);
    cart.complete("k").await.done();
    for _ in 0..2 {
        assert_eq!(cart.cancel().await.done()["cart"]["state"], "OPEN");
        assert_eq!(provider.asked("void").len(), 1, "the second time is harmless");
    }
    assert_eq!((shop.level(&tee).await, orders(&shop).await.len()), ((5, 0), 0));
    invariants(&shop).await;

    // What the provider says afterwards comes too late: no order, and the cart stays open.
    let row = checkouts(&shop).await.remove(0);
    let late = Outcome::Authorized { reference: "scripted:late".to_owned() };
    let run = engine::flow::find(&shop.app.read(), &row.id.to_string()).await.unwrap().unwrap();
    let place = Place { checkout: row, outcome: Some(late), run };
    let refused = shop.app.run(&Caller::system(), &place).await.unwrap_err();
    assert_eq!(refused.to_string(), "refused: CHECKOUT_MISSING");
    assert_eq!(cart.show().await["state"], "OPEN");
    cart.complete("k").await.done();
    invariants(&shop).await;
}

#[tokio::test]
async fn a_shopper_who_never_comes_back_is_not_waited_for() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 5).await;
    let mut cart = shop.ready_cart(&[(&tee, 2)], "scripted").await;
    provider.will_say(vec![Says::RequiresAction; 3]);
    cart.complete("k").await.done();
    shop.pass(TimeDelta::minutes(59));
    sweep(&shop.app).await.unwrap();
    assert_eq!(cart.show().await["state"], "COMPLETING", "not before its time");
    shop.pass(TimeDelta::minutes(2));
    sweep(&shop.app).await.unwrap();
    // The server sweeps too; either may have taken it up.
    eventually("the cart is open again", async || cart.show().await["state"] == "OPEN").await;
    assert_eq!((shop.level(&tee).await, provider.asked("void").len()), ((5, 0), 1));
    assert_eq!(checkouts(&shop).await[0].state, CheckoutState::Abandoned);
    sweep(&shop.app).await.unwrap();
    assert_eq!(provider.asked("void").len(), 1);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_silent_provider_is_asked_again_until_it_answers() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 5).await;
    let mut cart = shop.ready_cart(&[(&tee, 2)], "scripted").await;
    provider.will_say([Says::Silence, Says::Silence]);
    let silent = cart.complete("k").await;
    assert_eq!(silent.refusals(), ["IDEMPOTENCY_IN_FLIGHT"]);
    assert!(silent.at("cartComplete.userErrors.0.retryAfterMs").as_i64().unwrap() > 0);
    assert_eq!((cart.show().await["state"].clone(), shop.level(&tee).await), (json!("COMPLETING"), (5, 2)));
    for calls in [2, 3] {
        shop.pass(TimeDelta::seconds(10));
        eventually("the provider is asked again", async || {
            sweep(&shop.app).await.unwrap();
            provider.asked("create").len() == calls
        })
        .await;
    }
    eventually("the order", async || !orders(&shop).await.is_empty()).await;
    let keys: Vec<_> = provider.asked("create").into_iter().map(|asked| asked.key).collect();
    assert_eq!(keys, vec![keys[0].clone(); 3], "one payment, asked for three times");
    let placed = Placed::of(cart.clone(), &cart.complete("k").await);
    let orders = orders(&shop).await;
    assert_eq!((orders.len(), orders[0].id.to_string()), (1, placed.id));
    invariants(&shop).await;
}

#[tokio::test]
async fn eight_calls_at_once_make_one_order() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let cart = shop.ready_cart(&[(&tee, 2)], "scripted").await;
    let answers = join_all((0..8).map(|_| cart.complete("k"))).await;
    let mut ids = Vec::new();
    for answer in &answers {
        match answer.refusals().as_slice() {
            [] => ids.push(answer.text("cartComplete.order.id")),
            refused => assert_eq!(refused, ["IDEMPOTENCY_IN_FLIGHT"]),
        }
    }
    assert!(!ids.is_empty() && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!((orders(&shop).await.len(), provider.asked("create").len()), (1, 1));
    assert_eq!(shop.level(&tee).await, (50, 2));
    invariants(&shop).await;
}

#[tokio::test]
async fn the_last_pieces_are_sold_once() {
    let shop = german_shop(true).await;
    let tee = shop.tee("20.00", 5).await;
    let mut carts = Vec::new();
    for _ in 0..8 {
        carts.push(shop.ready_cart(&[(&tee, 2)], "manual").await);
    }
    let answers = join_all(carts.iter().map(|cart| cart.complete("k"))).await;
    let sold = answers.iter().filter(|answer| answer.refusals().is_empty()).count();
    assert_eq!((sold, shop.level(&tee).await), (2, (5, 4)));
    for answer in answers.iter().filter(|answer| !answer.refusals().is_empty()) {
        assert_eq!(answer.refusals(), ["INSUFFICIENT_STOCK"]);
        let left = answer.at("cartComplete.userErrors.0.quantityAvailable").as_i64().unwrap();
        assert!(left <= 3, "{left}");
    }
    invariants(&shop).await;
}

#[tokio::test]
async fn a_worker_that_was_given_up_does_not_undo_what_another_did() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 5).await;
    let cart = shop.ready_cart(&[(&tee, 2)], "scripted").await;
    let gate = Arc::new(Semaphore::new(0));
    provider.will_say([Says::OnceLetThrough(gate.clone(), Box::new(Says::Authorized)), Says::Authorized]);
    let slow = tokio::spawn({
        let cart = cart.clone();
        async move { cart.complete("k").await }
    });
    eventually("the provider is asked", async || provider.asked("create").len() == 1).await;
    shop.pass(TimeDelta::seconds(61));
    eventually("another worker placed the order", async || {
        sweep(&shop.app).await.unwrap();
        !orders(&shop).await.is_empty()
    })
    .await;
    gate.add_permits(1);
    let answer = slow.await.unwrap();
    assert!([vec![], vec!["IDEMPOTENCY_IN_FLIGHT".to_owned()]].contains(&answer.refusals()), "{}", answer.body);
    assert_eq!((provider.asked("void"), provider.asked("refund")), (vec![], vec![]), "the order keeps its money");
    Placed::of(cart.clone(), &cart.complete("k").await);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_provider_that_the_region_no_longer_offers_takes_no_money() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 5).await;
    let mut cart = shop.ready_cart(&[(&tee, 1)], "scripted").await;
    shop.offer(&["manual"]).await;
    assert_eq!(cart.complete("k").await.refusals(), ["PAYMENT_PROVIDER_UNAVAILABLE"]);
    assert_eq!((cart.show().await["state"].clone(), provider.asked("create").len()), (json!("OPEN"), 0));
    cart.pay("manual").await.done();
    cart.complete("k").await.done();
    invariants(&shop).await;
}
