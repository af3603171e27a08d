//! What promotions and codes take off carts, how they explain it, and what an order keeps.

use std::sync::Arc;

use chrono::TimeDelta;
use engine::clock::Clock;
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{CartSession, Placed, euro, faults};
use crate::support::database::TestDatabase;
use crate::support::invariants::invariants;
use crate::support::promoting::{off_items, off_shipping, percent_off};
use crate::support::walker::new_key;

/// Everything stands beside everything.
fn beside_all() -> Value {
    json!({ "combinesWith": ["ITEM", "ORDER", "SHIPPING"] })
}

fn with(mut more: Value, field: &str, value: Value) -> Value {
    more[field] = value;
    more
}

async fn german_shop() -> Shop {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual"]).await;
    shop
}

/// Titles and amounts of what comes off each line.
fn taken(shown: &Value) -> Vec<String> {
    let lines = shown["lines"].as_array().unwrap().iter().flat_map(|line| line["adjustments"].as_array().unwrap());
    let text =
        |one: &Value| format!("{} {}", one["title"].as_str().unwrap(), one["amount"]["amount"].as_str().unwrap());
    lines.map(text).collect()
}

#[tokio::test]
async fn automatic_promotions_and_codes_come_off_the_cart_and_stay_with_the_order() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let mug = shop.product("Mug").price("9.99").stock(50).create().await.variant;
    let tenth = shop.promotion("A tenth", "AUTOMATIC", percent_off("10"), beside_all()).await;
    let fixed = json!({ "fixed": { "amounts": [euro("3.00")], "allocation": "EACH_UNIT" } });
    let mugs = json!({ "is": { "variant": [mug] } });
    let three = shop.promotion("Three off mugs", "CODE", off_items(mugs, fixed), beside_all()).await;
    shop.code(&three, "mug-3").await;
    let mut cart = shop.ready_cart(&[(&tee, 1), (&mug, 2)], "manual").await;
    let before = cart.discounts().await;
    // 10 % of 39.98 are 4.00: shared by what is left of each line.
    assert_eq!(before["discount"]["amount"], "4.00");
    assert_eq!(taken(&before), ["A tenth 2.00", "A tenth 2.00"]);
    cart.enter(&[" MUG-3 "]).await;
    let shown = cart.discounts().await;
    // Items first: 2 × 3.00 off the mugs; then 10 % of 20.00 + 13.98, which are 3.40.
    assert_eq!(taken(&shown), ["A tenth 2.00", "Three off mugs 6.00", "A tenth 1.40"]);
    assert_eq!(shown["discount"]["amount"], "9.40");
    assert_eq!(
        shown["codes"][0],
        json!({ "code": "MUG-3", "verdict": "APPLIED", "title": "Three off mugs",
        "amount": { "amount": "6.00" }, "reason": null, "message": null, "condition": [], "test": null,
        "notCombinableWith": null, "missing": null, "missingUnits": null })
    );
    let why = &shown["lines"][1]["adjustments"][0];
    assert_eq!(why["explanation"]["message"], "3.00 EUR off each of 2 units, which came to 19.98 EUR: 6.00 EUR.");
    assert_eq!((&why["units"], &why["of"]["amount"], &why["code"]), (&json!(2), &json!("19.98"), &json!("MUG-3")));
    // 39.98 − 9.40, and 4.90 to send it.
    assert_eq!(cart.total(), euro("35.48"));
    let answer = cart.complete("k").await;
    let placed = Placed::of(cart, &answer);
    assert_eq!((shop.uses(&tenth).await, shop.uses(&three).await), (1, 1));

    // Whatever becomes of the promotions, the order keeps what they gave.
    shop.set("promotionUpdate", json!({ "id": three, "title": "Later" }), "promotion { id }").await.done();
    shop.set("promotionDelete", json!({ "id": tenth }), "deletedId").await.done();
    let query = "query($id: ID!) { order(id: $id) { discount { amount } total { amount }
        lines { discount { amount } adjustments { title code units of { amount } amount { amount }
            explanation { kind percent each { amount } whole { amount } over { amount } message } } } } }";
    let order = shop.admin.send(query, json!({ "id": placed.id })).await.at("order");
    assert_eq!((&order["discount"]["amount"], &order["total"]["amount"]), (&json!("9.40"), &json!("35.48")));
    assert_eq!(taken(&order), ["A tenth 2.00", "Three off mugs 6.00", "A tenth 1.40"]);
    let shared = &order["lines"][1]["adjustments"][1]["explanation"];
    assert_eq!(shared["message"], "1.40 EUR of 3.40 EUR off 33.98 EUR, for the 13.98 EUR that it holds of them.");
    assert_eq!((&shared["kind"], &shared["whole"]["amount"]), (&json!("SHARED"), &json!("3.40")));
    invariants(&shop).await;
}

#[tokio::test]
async fn each_code_is_answered_for_with_the_reason() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let now = shop.clock.now();
    for (title, code, more) in [
        ("Alone", "ALONE", json!({ "exclusive": true })),
        ("Plain", "PLAIN", beside_all()),
        ("Over", "OVER", with(beside_all(), "endsAt", json!(now + TimeDelta::minutes(1)))),
        ("Later", "LATER", with(beside_all(), "startsAt", json!(now + TimeDelta::hours(10)))),
        (
            "Big",
            "BIG",
            with(beside_all(), "conditions", json!({ "is": { "spend": { "ranges": [{ "gte": euro("50.00") }] } } })),
        ),
        ("Once", "ONCE", with(beside_all(), "limits", json!({ "inAll": 1 }))),
    ] {
        let promotion = shop.promotion(title, "CODE", percent_off("10"), more).await;
        shop.code(&promotion, code).await;
    }
    let plain = shop.admin.send("{ promotionCode(code: \"plain\") { promotionId } }", json!({})).await;
    shop.code(&plain.text("promotionCode.promotionId"), "PLAIN-TOO").await;
    shop.pass(TimeDelta::minutes(1));
    let mut first = shop.ready_cart(&[(&tee, 1)], "manual").await;
    assert_eq!(first.verdicts(&["once"]).await, ["ONCE APPLIED"]);
    first.complete("first").await.done();

    let mut cart = shop.ready_cart(&[(&tee, 1)], "manual").await;
    let told = cart.verdicts(&["plain", "nobody's", "over", "later", "big", "once", "plain-too"]).await;
    assert_eq!(
        told,
        [
            "PLAIN APPLIED",
            "NOBODY'S UNKNOWN",
            "OVER EXPIRED",
            "LATER UNKNOWN",
            "BIG CONDITION_UNMET",
            "ONCE LIMIT_REACHED",
            "PLAIN-TOO ALREADY_ENTERED",
        ]
    );
    let shown = cart.discounts().await;
    let big = &shown["codes"][4];
    assert_eq!(
        (&big["test"], &big["condition"], &big["missing"]["amount"]),
        (&json!("spend"), &json!(["is"]), &json!("32.00"))
    );
    assert_eq!(big["message"], "A condition is not met: spend: 32.00 EUR more must be spent.");
    // Whoever tries codes learns nothing of what is being prepared.
    assert_eq!((&shown["codes"][3]["reason"], &shown["codes"][3]["title"]), (&Value::Null, &Value::Null));
    let issues: Vec<_> =
        shown["issues"].as_array().unwrap().iter().map(|issue| json!([issue["code"], issue["blocking"]])).collect();
    assert_eq!(
        json!(issues),
        json!([
            ["CODE_UNKNOWN", false],
            ["CODE_NOT_APPLIED", false],
            ["CODE_UNKNOWN", false],
            ["CODE_NOT_APPLIED", false],
            ["CODE_NOT_APPLIED", false],
            ["CODE_NOT_APPLIED", false]
        ])
    );

    // The list is the whole list; an exclusive promotion of the same priority that is older stays.
    assert_eq!(cart.verdicts(&["plain", "alone"]).await, ["PLAIN NOT_COMBINABLE", "ALONE APPLIED"]);
    assert_eq!(cart.discounts().await["codes"][0]["notCombinableWith"], "Alone");
    assert_eq!(cart.verdicts(&[]).await, [""; 0]);
    assert_eq!(cart.amount("total"), "24.90");
    let many: Vec<String> = (0..21).map(|number| format!("CODE{number}")).collect();
    let refused = cart.try_mutate("cartCodesUpdate", json!({ "codes": many }), "cart { id }").await;
    assert_eq!(faults(&refused), ["TOO_MANY codes"]);
    let refused =
        cart.try_mutate("cartCodesUpdate", json!({ "codes": ["A", " ", "B".repeat(65)] }), "cart { id }").await;
    assert_eq!(faults(&refused), ["INVALID codes.2"]);
    invariants(&shop).await;
}

#[tokio::test]
async fn shipping_gets_free_and_says_what_is_missing_to_it() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let enough = json!({ "is": { "spend": { "ranges": [{ "gte": euro("50.00") }] } } });
    let free = off_shipping(json!({ "free": true }));
    shop.promotion("Free from 50", "AUTOMATIC", free.clone(), with(beside_all(), "conditions", enough)).await;
    let by_code = shop.promotion("Sent for nothing", "CODE", free, beside_all()).await;
    shop.code(&by_code, "SENT").await;
    let mut cart = shop.cart(&[(&tee, 2)]).await;
    assert_eq!(cart.discounts().await["missingToFreeShipping"]["amount"], "10.00");
    assert_eq!(cart.verdicts(&["sent"]).await, ["SENT WAITING"]);
    cart.select_delivery().await.done();
    let shown = cart.discounts().await;
    assert_eq!((&shown["codes"][0]["verdict"], &shown["discount"]["amount"]), (&json!("APPLIED"), &json!("4.90")));
    assert_eq!(shown["deliveryGroups"][0]["adjustments"][0]["title"], "Sent for nothing");
    cart.enter(&[]).await;
    assert_eq!(cart.amount("total"), "44.90");
    let line = cart.shown["lines"][0]["id"].clone();
    cart.mutate("cartLinesUpdate", json!({ "lines": [{ "lineId": line, "quantity": 3 }] })).await.done();
    let shown = cart.discounts().await;
    assert_eq!((&shown["missingToFreeShipping"], &shown["total"]["amount"]), (&Value::Null, &json!("60.00")));
    cart.pay("manual").await.done();
    let answer = cart.complete("k").await;
    let placed = Placed::of(cart, &answer);
    let query = "query($id: ID!) { order(id: $id) { shippingLines { amount { amount } discount { amount }
        total { amount } adjustments { title explanation { message } } } } }";
    let sent = shop.admin.send(query, json!({ "id": placed.id })).await.at("order.shippingLines.0");
    assert_eq!(
        sent,
        json!({ "amount": { "amount": "4.90" }, "discount": { "amount": "4.90" },
        "total": { "amount": "0.00" }, "adjustments": [{ "title": "Free from 50",
            "explanation": { "message": "4.90 EUR for nothing." } }] })
    );
    invariants(&shop).await;
}

#[tokio::test]
async fn buy_two_get_one_and_gifts_come_and_go_with_their_reason() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let pin = shop.product("Pin").price("2.50").stock(3).create().await.variant;
    let tees = json!({ "is": { "variant": [tee] } });
    let offer = json!({ "buyGet": { "buy": tees, "buyQuantity": 2, "get": tees, "getQuantity": 1,
        "reduction": { "free": true } } });
    shop.promotion("Three for two", "AUTOMATIC", offer, beside_all()).await;
    let gift = json!({ "gifts": [{ "variant": pin, "quantity": 1 }] });
    let enough = json!({ "is": { "quantity": { "atLeast": 3 } } });
    shop.promotion("A pin", "AUTOMATIC", gift, with(beside_all(), "conditions", enough)).await;
    let mut cart = shop.ready_cart(&[(&tee, 2)], "manual").await;
    assert_eq!(cart.amount("total"), "44.90");
    let line = cart.shown["lines"][0]["id"].clone();
    let quantity = async |cart: &mut CartSession, number: i64| {
        cart.mutate("cartLinesUpdate", json!({ "lines": [{ "lineId": line, "quantity": number }] })).await.done();
        cart.discounts().await
    };
    let shown = quantity(&mut cart, 3).await;
    assert_eq!(taken(&shown), ["Three for two 20.00", "A pin 2.50"]);
    assert_eq!((&shown["lines"][1]["isGift"], &shown["lines"][1]["quantity"]), (&json!(true), &json!(1)));
    assert_eq!((&shown["discount"]["amount"], &shown["total"]["amount"]), (&json!("22.50"), &json!("44.90")));
    // The gift is changed by nobody, and one that is bought is a line of its own.
    let gift = cart.shown["lines"][1]["id"].clone();
    let more = json!({ "lines": [{ "lineId": gift, "quantity": 9 }] });
    assert_eq!(faults(&cart.try_mutate("cartLinesUpdate", more, "cart { id }").await), ["STATE_INVALID lines.0"]);
    let gone = json!({ "lineIds": [gift] });
    assert_eq!(faults(&cart.try_mutate("cartLinesRemove", gone, "cart { id }").await), ["STATE_INVALID lineIds.0"]);
    cart.mutate("cartLinesAdd", json!({ "lines": [{ "variantId": pin, "quantity": 2 }] })).await.done();
    let shown = cart.discounts().await;
    let held: Vec<_> =
        shown["lines"].as_array().unwrap().iter().map(|line| json!([line["quantity"], line["isGift"]])).collect();
    assert_eq!(json!(held), json!([[3, false], [1, true], [2, false]]));
    assert_eq!(shown["total"]["amount"], "49.90");
    // The last pins are bought: none is left to be given.
    let bought = cart.shown["lines"][2]["id"].clone();
    cart.mutate("cartLinesUpdate", json!({ "lines": [{ "lineId": bought, "quantity": 3 }] })).await.done();
    let shown = cart.discounts().await;
    assert_eq!((shown["lines"].as_array().unwrap().len(), &shown["total"]["amount"]), (2, &json!("52.40")));
    cart.mutate("cartLinesRemove", json!({ "lineIds": [bought] })).await.done();
    assert_eq!(cart.discounts().await["lines"].as_array().unwrap().len(), 2);
    let shown = quantity(&mut cart, 2).await;
    assert_eq!((shown["lines"].as_array().unwrap().len(), &shown["total"]["amount"]), (1, &json!("44.90")));

    let shown = quantity(&mut cart, 3).await;
    assert_eq!(shown["lines"].as_array().unwrap().len(), 2);
    let answer = cart.complete("k").await;
    let placed = Placed::of(cart, &answer);
    let query = "query($id: ID!) { order(id: $id) { lines { title quantity discount { amount } total { amount } } } }";
    let lines = shop.admin.send(query, json!({ "id": placed.id })).await.at("order.lines");
    assert_eq!(
        lines[1],
        json!({ "title": "Pin", "quantity": 1, "discount": { "amount": "2.50" }, "total": { "amount": "0.00" } })
    );
    assert_eq!(shop.level(&pin).await, (3, 1));
    invariants(&shop).await;
}

#[tokio::test]
async fn conditions_look_at_the_catalog_and_at_who_buys() {
    let shop = german_shop().await;
    let hat = shop.product("Hat").price("10.00").stock(50).with("tags", json!(["wool"])).create().await;
    let cap = shop.product("Cap").price("10.00").stock(50).with("discountable", json!(false)).create().await;
    let category = shop.set("categorySet", json!({ "title": "Heads" }), "category { id }").await.done();
    let below = json!({ "title": "Warm", "parentId": category["category"]["id"] });
    let warm = shop.set("categorySet", below, "category { id }").await.done()["category"]["id"].clone();
    let input = json!({ "productId": hat.product, "categoryIds": [warm] });
    shop.set("productCategoriesSet", input, "product { id }").await.done();
    let picks = json!({ "title": "Picks", "productIds": [hat.product] });
    let picks = shop.set("collectionSet", picks, "collection { id }").await.done()["collection"]["id"].clone();
    let definition =
        json!({ "ownerType": "PRODUCT", "namespace": "make", "key": "year", "name": "Year", "type": "INTEGER" });
    let year = shop.set("metafieldDefinitionSet", definition, "metafieldDefinition { id }").await.done();
    let year = year["metafieldDefinition"]["id"].clone();
    let values =
        json!({ "metafields": [{ "ownerId": hat.product, "namespace": "make", "key": "year", "value": "2024" }] });
    shop.set("metafieldsSet", values, "metafields { value }").await.done();
    let off = |items: Value| off_items(items, json!({ "percentage": { "percent": "10" } }));
    let mut number = 0;
    let mut cart = shop.ready_cart(&[(&hat.variant, 2), (&cap.variant, 1)], "manual").await;
    for (items, amount) in [
        (json!({ "is": { "category": [category["category"]["id"]] } }), "2.00"),
        (json!({ "is": { "collection": [picks] } }), "2.00"),
        (json!({ "is": { "metafield": { "definition": year, "operator": "GTE", "values": ["2020"] } } }), "2.00"),
        (json!({ "is": { "metafield": { "definition": year, "operator": "GTE", "values": ["2025"] } } }), "0.00"),
        (json!({ "not": { "is": { "variant": [cap.variant] } } }), "2.00"),
        (json!({ "is": { "variant": [cap.variant] } }), "0.00"),
        (json!({ "is": { "onSale": true } }), "0.00"),
    ] {
        number += 1;
        let id = shop.promotion(&format!("Ten {number}"), "CODE", off(items.clone()), json!({})).await;
        let code = format!("CODE-{number}");
        shop.code(&id, &code).await;
        cart.enter(&[&code]).await;
        assert_eq!(cart.discounts().await["discount"]["amount"], amount, "{items}");
    }
    // The first order, and no other.
    let first = with(json!({}), "conditions", json!({ "is": { "firstOrder": true } }));
    let id = shop.promotion("Welcome", "CODE", percent_off("50"), first).await;
    shop.code(&id, "WELCOME").await;
    assert_eq!(cart.verdicts(&["welcome"]).await, ["WELCOME APPLIED"]);
    cart.complete("k").await.done();
    let mut cart = shop.ready_cart(&[(&hat.variant, 2)], "manual").await;
    assert_eq!(cart.verdicts(&["welcome"]).await, ["WELCOME CONDITION_UNMET"]);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_code_that_gave_something_is_never_dropped_in_silence() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let id = shop.promotion("Half", "CODE", percent_off("50"), json!({})).await;
    shop.code(&id, "HALF").await;
    let mut cart = shop.ready_cart(&[(&tee, 1)], "manual").await;
    assert_eq!(cart.verdicts(&["half"]).await, ["HALF APPLIED"]);
    shop.set("promotionPause", json!({ "id": id }), "promotion { status }").await.done();
    let refused = cart.complete("k").await;
    assert_eq!(refused.refusals(), ["CODE_UNKNOWN", "TOTAL_CHANGED"]);
    // Even for the new total, until the shopper has seen why.
    assert_eq!(cart.complete_for("k", euro("24.90")).await.refusals(), ["CODE_UNKNOWN"]);
    let shown = cart.discounts().await;
    assert_eq!(shown["issues"][0]["blocking"], true);
    cart.enter(&["half"]).await;
    assert_eq!(cart.discounts().await["issues"][0]["blocking"], false);
    shop.set("promotionActivate", json!({ "id": id }), "promotion { status }").await.done();
    cart.enter(&["half"]).await;
    let update = json!({ "id": id, "limits": { "inAll": 1 } });
    shop.set("promotionUpdate", update, "promotion { id }").await.done();
    let mut faster = shop.ready_cart(&[(&tee, 1)], "manual").await;
    faster.enter(&["half"]).await;
    faster.complete("f").await.done();
    let refused = cart.complete("k").await;
    assert_eq!(refused.refusals(), ["CODE_NOT_APPLIED", "TOTAL_CHANGED"]);
    assert_eq!(shop.uses(&id).await, 1);
    invariants(&shop).await;
}

#[tokio::test]
async fn what_is_called_off_or_canceled_comes_back() {
    let database = Arc::new(TestDatabase::copy().await);
    let shop = Shop::on(database, |builder| builder.test_cards(true)).await;
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual", "test"]).await;
    let tee = shop.tee("20.00", 50).await;
    let campaign = shop.campaign(json!({ "title": "Year", "budget": { "spend": [euro("10.00")] } })).await;
    let more = json!({ "campaignId": campaign, "limits": { "inAll": 1, "perCode": 1, "perCustomer": 1 } });
    let id = shop.promotion("Half", "CODE", percent_off("50"), more).await;
    shop.code(&id, "HALF").await;
    let spent = async || {
        let query = "query($id: ID!) { campaign(id: $id) { uses spent { amount } } }";
        shop.admin.send(query, json!({ "id": campaign })).await.at("campaign")
    };
    // Declined: everything is as before.
    let mut cart = shop.ready_cart(&[(&tee, 1)], "manual").await;
    cart.enter(&["half"]).await;
    cart.pay_with("test", json!({ "card": "decline" })).await.done();
    assert_eq!(cart.complete("1").await.refusals(), ["PAYMENT_DECLINED"]);
    assert_eq!((shop.uses(&id).await, spent().await), (0, json!({ "uses": 0, "spent": [{ "amount": "0.00" }] })));
    // Parked, seen by its own cart as before, held against others, then called off.
    cart.pay_with("test", json!({ "card": "3ds" })).await.done();
    let parked = cart.complete("2").await;
    assert!(!parked.at("cartComplete.nextAction").is_null(), "{}", parked.body);
    assert_eq!((shop.uses(&id).await, spent().await), (1, json!({ "uses": 1, "spent": [{ "amount": "10.00" }] })));
    assert_eq!(cart.discounts().await["codes"][0]["verdict"], "APPLIED");
    let mut other = shop.ready_cart(&[(&tee, 1)], "manual").await;
    assert_eq!(other.verdicts(&["half"]).await, ["HALF LIMIT_REACHED"]);
    cart.cancel().await.done();
    assert_eq!((shop.uses(&id).await, spent().await), (0, json!({ "uses": 0, "spent": [{ "amount": "0.00" }] })));
    // Placed and canceled.
    assert_eq!(other.verdicts(&["half"]).await, ["HALF APPLIED"]);
    let answer = other.complete("3").await;
    let placed = Placed::of(other, &answer);
    assert_eq!(shop.uses(&id).await, 1);
    assert_eq!(cart.verdicts(&["half"]).await, ["HALF LIMIT_REACHED"]);
    let cancel = json!({ "orderId": placed.id, "idempotencyKey": new_key() });
    shop.set("orderCancel", cancel, "order { status }").await.done();
    assert_eq!((shop.uses(&id).await, spent().await), (0, json!({ "uses": 0, "spent": [{ "amount": "0.00" }] })));
    assert_eq!(cart.verdicts(&["half"]).await, ["HALF APPLIED"]);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_buyer_has_his_limit_and_a_campaign_its_budget() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let campaign = shop.campaign(json!({ "title": "Year", "budget": { "spend": [euro("25.00")] } })).await;
    let more = json!({ "campaignId": campaign, "limits": { "perCustomer": 1 } });
    let id = shop.promotion("Half", "CODE", percent_off("50"), more).await;
    shop.code(&id, "HALF").await;
    let cart_of = async |email: &str| {
        let mut cart = shop.ready_cart(&[(&tee, 1)], "manual").await;
        cart.mutate("cartBuyerUpdate", json!({ "email": email })).await.done();
        cart
    };
    let mut first = cart_of("ada@shopper.example").await;
    assert_eq!(first.verdicts(&["half"]).await, ["HALF APPLIED"]);
    first.complete("1").await.done();
    let mut again = cart_of("ADA@Shopper.Example").await;
    assert_eq!(again.verdicts(&["half"]).await, ["HALF LIMIT_REACHED"]);
    assert_eq!(again.discounts().await["codes"][0]["reason"], "CUSTOMER_LIMIT_REACHED");
    let mut second = cart_of("bob@shopper.example").await;
    assert_eq!(second.verdicts(&["half"]).await, ["HALF APPLIED"]);
    second.complete("2").await.done();
    // 5.00 are left, and 10.00 are not paid in part.
    let mut third = cart_of("eve@shopper.example").await;
    assert_eq!(third.verdicts(&["half"]).await, ["HALF LIMIT_REACHED"]);
    assert_eq!(third.discounts().await["codes"][0]["reason"], "BUDGET_SPENT");
    invariants(&shop).await;
}

#[tokio::test]
async fn whoever_tries_codes_has_to_wait() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let id = shop.promotion("Half", "CODE", percent_off("50"), json!({})).await;
    shop.code(&id, "HALF").await;
    let mut cart = shop.cart(&[(&tee, 1)]).await;
    // Who is right is never stopped.
    for _ in 0..12 {
        cart.enter(&["half"]).await;
        cart.enter(&[]).await;
    }
    for number in 0..10 {
        let guess = json!({ "codes": [format!("GUESS-{number}")] });
        cart.try_mutate("cartCodesUpdate", guess, "cart { id }").await.done();
    }
    let guess = cart.try_mutate("cartCodesUpdate", json!({ "codes": ["GUESS-11"] }), "cart { id }").await;
    assert_eq!(guess.refusals(), ["THROTTLED"]);
    // What lies in the cart already is no guess.
    cart.try_mutate("cartCodesUpdate", json!({ "codes": ["GUESS-9"] }), "cart { id }").await.done();
    invariants(&shop).await;
}

#[tokio::test]
async fn a_quote_tells_of_promotions_and_codes_and_keeps_nothing() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let pin = shop.product("Pin").price("2.50").stock(3).create().await.variant;
    let gift = json!({ "gifts": [{ "variant": pin, "quantity": 1 }] });
    shop.promotion("A pin", "AUTOMATIC", gift, beside_all()).await;
    let id = shop.promotion("Half", "CODE", percent_off("50"), beside_all()).await;
    shop.code(&id, "HALF").await;
    let query = "query($input: QuoteInput!) { quote(input: $input) { quote { discount { amount } total { amount }
        codes { code verdict } promotions { title amount { amount } }
        lines { quantity isGift adjustments { title amount { amount } } } issues { code } } userErrors { code } } }";
    let input = json!({ "lines": [{ "variantId": tee }], "codes": ["half", "none"] });
    let told = shop.store.send(query, json!({ "input": input })).await.at("quote.quote");
    assert_eq!(
        told["codes"],
        json!([{ "code": "HALF", "verdict": "APPLIED" }, { "code": "NONE", "verdict": "UNKNOWN" }])
    );
    assert_eq!((&told["discount"]["amount"], &told["total"]["amount"]), (&json!("12.50"), &json!("10.00")));
    assert_eq!(told["lines"][1]["isGift"], true);
    assert_eq!(shop.uses(&id).await, 0);
    invariants(&shop).await;
}
