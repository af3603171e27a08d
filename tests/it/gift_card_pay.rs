//! Gift cards and store credit pay for orders: in their order, in part, never twice, and get back what they paid.

use chrono::TimeDelta;
use futures_util::future::join_all;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{Placed, address, euro, faults, mutate};
use crate::support::invariants::invariants;
use crate::support::promoting::percent_off;
use crate::support::provider::{Says, scripted_shop};

/// A shop in Germany with prices that hold 19 % tax.
async fn german_shop() -> Shop {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop
}

#[tokio::test]
async fn a_card_pays_a_part_and_gets_it_back() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let card = shop.gift_card("15.00").await;
    let mut cart = shop.ready_cart(&[(&tee, 2)], "manual").await;
    let (total, tax) = (cart.amount("total"), cart.amount("tax"));
    assert_eq!(total, "44.90");
    cart.enter(&[&card.code.to_lowercase()]).await;
    assert_eq!(cart.paid_by().await, [format!("{} APPLIED 15.00", card.masked)]);
    assert_eq!((cart.amount("total"), cart.amount("tax"), cart.amount("amountDue")), (total, tax, "29.90".to_owned()));

    // What the shopper saw to be left must be told, and be true.
    let none = cart.complete("k0").await;
    assert_eq!(faults(&none), ["REQUIRED expectedAmountDue"]);
    let wrong = json!({ "idempotencyKey": "k0", "expectedTotal": cart.total(), "expectedAmountDue": euro("29.89") });
    let wrong = cart.try_mutate("cartComplete", wrong, "order { id }").await;
    assert_eq!(faults(&wrong), ["TOTAL_CHANGED expectedAmountDue"]);
    assert_eq!(shop.left_on(&card).await, "15.00");

    let answer = cart.complete_due("k").await;
    let placed = Placed::of(cart.clone(), &answer);
    assert_eq!(cart.complete_due("k").await.done()["order"]["id"], json!(placed.id), "the same key is the same order");
    assert_eq!(answer.done()["order"]["total"]["amount"], "44.90");
    assert_eq!(
        shop.payments(&placed.id).await,
        ["gift_card CAPTURED 15.00 0.00".to_owned(), "manual AUTHORIZED 0.00 0.00".to_owned()]
    );
    assert_eq!(cart.paid_by().await, [format!("{} APPLIED 15.00", card.masked)], "the cart shows what it was");
    assert_eq!(shop.left_on(&card).await, "0.00");
    let query = "query($id: ID!, $token: String) { order(id: $id, accessToken: $token) {
        payments { provider giftCardLastCharacters amount { amount } } } }";
    let seen = shop.store.send(query, json!({ "id": placed.id, "token": placed.access_token })).await;
    let seen = seen.at("order.payments.0");
    assert_eq!((&seen["provider"], &seen["amount"]["amount"]), (&json!("gift_card"), &json!("15.00")));
    assert_eq!(format!("****{}", seen["giftCardLastCharacters"].as_str().unwrap()), card.masked);
    let query = "query($id: ID!) { giftCard(id: $id) { entries(first: 1) { kind orderId actor } } }";
    let spent = shop.admin.send(query, json!({ "id": card.id })).await.at("giftCard.entries.0");
    assert_eq!((&spent["kind"], &spent["orderId"]), (&json!("SPEND"), &json!(placed.id)));

    let by_card = shop.payment_by(&placed.id, "gift_card").await;
    let back = shop.give_back(&by_card, Some("4.00"), "ORIGINAL").await.done();
    assert_eq!(back["payment"], json!({ "state": "PARTIALLY_REFUNDED", "refunded": { "amount": "4.00" } }));
    assert_eq!(faults(&shop.give_back(&by_card, Some("11.01"), "ORIGINAL").await), ["AMOUNT_TOO_LARGE amount"]);
    assert_eq!(shop.left_on(&card).await, "4.00");
    let canceled = shop.cancel_order(&placed.id).await.done();
    assert_eq!(canceled["order"]["status"], "CANCELED");
    assert_eq!(shop.left_on(&card).await, "15.00");
    assert_eq!(shop.moves_of(&card).await, ["ISSUE 15.00", "SPEND -15.00", "REFUND 4.00", "RELEASE 11.00"]);
    assert_eq!(shop.payments(&placed.id).await[0], "gift_card REFUNDED 15.00 15.00");
    assert_eq!(shop.cancel_order(&placed.id).await.refusals().len(), 1, "it is canceled once");
    assert_eq!(shop.left_on(&card).await, "15.00");
    invariants(&shop).await;
}

#[tokio::test]
async fn cards_pay_in_their_order_and_then_the_credit_and_nobody_else_is_asked() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let ada = shop.customer("ada@example.com").await;
    shop.credit(&ada, "30.00").await;
    let (first, second) = (shop.gift_card("10.00").await, shop.gift_card("5.00").await);
    let spare = shop.gift_card("9.00").await;
    let input = json!({
        "lines": [{ "variantId": tee, "quantity": 2 }], "addresses": { "shipping": address("DE") },
        "buyer": { "useStoreCredit": true }, "codes": [second.code, first.code],
    });
    let mut cart = shop.cart_of_client(&ada.client, input).await;
    cart.select_delivery().await.done();
    assert_eq!(
        (cart.amount("total"), cart.amount("amountDue"), cart.amount("storeCredit")),
        ("44.90".to_owned(), "0.00".to_owned(), "29.90".to_owned())
    );
    assert!(cart.issues().is_empty(), "no payment is missing: {:?}", cart.shown["issues"]);
    // The whole list is sent: what lies in it is named as it shows itself.
    cart.enter(&[&first.masked, &spare.code, &second.masked]).await;
    assert_eq!(
        cart.paid_by().await,
        [
            format!("{} APPLIED 10.00", first.masked),
            format!("{} APPLIED 9.00", spare.masked),
            format!("{} APPLIED 5.00", second.masked),
        ]
    );
    assert_eq!(cart.amount("storeCredit"), "20.90");
    cart.enter(&[&second.masked, &first.masked]).await;
    let answer = cart.complete_due("k").await;
    let order = answer.done()["order"].clone();
    assert_eq!((&order["paymentStatus"], &order["total"]["amount"]), (&json!("CAPTURED"), &json!("44.90")));
    let placed = Placed::of(cart, &answer);
    let expected =
        ["gift_card CAPTURED 5.00 0.00", "gift_card CAPTURED 10.00 0.00", "store_credit CAPTURED 29.90 0.00"];
    assert_eq!(shop.payments(&placed.id).await, expected);
    assert_eq!((ada.owed().await.as_str(), shop.left_on(&spare).await.as_str()), ("0.10", "9.00"));
    shop.cancel_order(&placed.id).await.done();
    assert_eq!((ada.owed().await, shop.left_on(&first).await), ("30.00".to_owned(), "10.00".to_owned()));
    invariants(&shop).await;
}

#[tokio::test]
async fn a_card_that_pays_nothing_says_why_and_stands_in_nobody_s_way() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let (frozen, over, empty, small, spare) = (
        shop.gift_card("5.00").await,
        shop.gift_card("6.00").await,
        shop.gift_card("7.00").await,
        shop.gift_card("44.90").await,
        shop.gift_card("9.00").await,
    );
    let update = async |card: &str, mut change: Value| {
        change["id"] = json!(card);
        shop.set("giftCardUpdate", change, "giftCard { id }").await.done();
    };
    update(&frozen.id, json!({ "frozen": true })).await;
    update(&over.id, json!({ "expiresAt": shop.app.clock.now() + TimeDelta::minutes(5) })).await;
    let adjust = json!({ "idempotencyKey": "a", "giftCardId": empty.id, "kind": "DEBIT", "amount": euro("7.00") });
    shop.set("giftCardAdjust", adjust, "giftCard { id }").await.done();
    let yen = json!({ "idempotencyKey": "y", "amount": { "amount": "500", "currencyCode": "JPY" }, "code": "YEN-YEN-YEN-YENS" });
    shop.set("giftCardIssue", yen, "giftCard { id }").await.done();
    shop.pass(TimeDelta::minutes(6));
    let mut cart = shop.ready_cart(&[(&tee, 2)], "manual").await;
    let codes =
        [&frozen.code, &over.code, &empty.code, "yen-yen-yen-yens", &small.code, &small.code, &spare.code, "NONE-SUCH"];
    cart.enter(&codes).await;
    assert_eq!(
        cart.paid_by().await,
        [
            format!("{} FROZEN 0.00", frozen.masked),
            format!("{} EXPIRED 0.00", over.masked),
            format!("{} EMPTY 0.00", empty.masked),
            "****YENS OTHER_CURRENCY 0.00".to_owned(),
            format!("{} APPLIED 44.90", small.masked),
            format!("{} ALREADY_ENTERED 0.00", small.masked),
            format!("{} NOT_NEEDED 0.00", spare.masked),
            "NONE-SUCH UNKNOWN 0.00".to_owned(),
        ]
    );
    // No code of a card stands in the database in the clear, wherever a cart keeps what was entered.
    let kept = entity::cart_code::Entity::find().all(&shop.app.read()).await.unwrap();
    assert!(!format!("{kept:?}").contains(&small.code[..9]), "{kept:?}");
    let placed = cart.complete_due("k").await;
    placed.done();
    assert_eq!((shop.left_on(&small).await, shop.left_on(&spare).await), ("0.00".to_owned(), "9.00".to_owned()));
    // Who is not logged in has no credit.
    let mut guest = shop.cart(&[(&tee, 1)]).await;
    let refused = guest.mutate("cartBuyerUpdate", json!({ "useStoreCredit": true })).await;
    assert_eq!(faults(&refused), ["STATE_INVALID useStoreCredit"]);
    // Nobody learns a card by its end: what was not in this cart is not known by it.
    guest.enter(&[&spare.masked]).await;
    assert_eq!(guest.paid_by().await, [format!("{} UNKNOWN 0.00", spare.masked)]);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_declined_payment_gives_the_card_back_what_it_paid() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let card = shop.gift_card("15.00").await;
    let mut cart = shop.ready_cart(&[(&tee, 2)], "scripted").await;
    provider.will_say([Says::Declined, Says::Captured]);
    cart.enter(&[&card.code]).await;
    assert_eq!(cart.complete_due("k").await.refusals(), ["PAYMENT_DECLINED"]);
    assert_eq!(shop.left_on(&card).await, "15.00");
    assert_eq!(shop.moves_of(&card).await, ["ISSUE 15.00", "SPEND -15.00", "RELEASE 15.00"]);
    let answer = cart.complete_due("k2").await;
    let placed = Placed::of(cart, &answer);
    let expected = ["gift_card CAPTURED 15.00 0.00", "scripted CAPTURED 29.90 0.00"];
    assert_eq!(shop.payments(&placed.id).await, expected);
    assert_eq!(shop.left_on(&card).await, "0.00");
    invariants(&shop).await;
}

#[tokio::test]
async fn what_comes_back_to_a_claimed_card_is_its_owner_s_credit() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let ada = shop.customer("ada@example.com").await;
    let card = shop.gift_card("50.00").await;
    let mut cart = shop.ready_cart(&[(&tee, 1)], "manual").await;
    cart.enter(&[&card.code]).await;
    let answer = cart.complete_due("k").await;
    let placed = Placed::of(cart, &answer);
    ada.mutate("giftCardClaim", json!({ "code": card.code }), "storeCredit { balance { amount } }").await.done();
    assert_eq!((ada.owed().await.as_str(), shop.left_on(&card).await.as_str()), ("25.10", "0.00"));
    let by_card = shop.payment_by(&placed.id, "gift_card").await;
    shop.give_back(&by_card, Some("10.00"), "ORIGINAL").await.done();
    assert_eq!((ada.owed().await.as_str(), shop.left_on(&card).await.as_str()), ("35.10", "0.00"));
    shop.cancel_order(&placed.id).await.done();
    assert_eq!((ada.owed().await.as_str(), shop.left_on(&card).await.as_str()), ("50.00", "0.00"));
    invariants(&shop).await;
}

#[tokio::test]
async fn staff_give_back_as_store_credit_to_who_has_an_account() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let ada = shop.customer("ada@example.com").await;
    let input = json!({
        "lines": [{ "variantId": tee, "quantity": 2 }], "addresses": { "shipping": address("DE") },
        "buyer": { "email": "ada@example.com" },
    });
    let mut cart = shop.cart_of_client(&ada.client, input).await;
    cart.select_delivery().await.done();
    cart.pay("manual").await.done();
    let answer = cart.complete("k").await;
    let placed = Placed::of(cart, &answer);
    let payment = shop.payment_by(&placed.id, "manual").await;
    assert_eq!(faults(&shop.give_back(&payment, None, "STORE_CREDIT").await), ["STATE_INVALID"], "nothing was taken");
    let take = json!({ "idempotencyKey": "c", "paymentId": payment });
    shop.set("paymentCapture", take, "payment { state }").await.done();
    let back = shop.give_back(&payment, Some("12.00"), "STORE_CREDIT").await.done();
    assert_eq!(back["order"]["paymentStatus"], "PARTIALLY_REFUNDED");
    assert_eq!(ada.owed().await, "12.00");
    assert_eq!(faults(&shop.give_back(&payment, Some("32.91"), "STORE_CREDIT").await), ["AMOUNT_TOO_LARGE amount"]);
    shop.give_back(&payment, None, "ORIGINAL").await.done();
    assert_eq!(shop.payments(&placed.id).await, ["manual REFUNDED 44.90 44.90"]);
    assert_eq!(ada.owed().await, "12.00");

    let guest = shop.checkout_all(&[(&tee, 1)], "manual", "g").await;
    let payment = shop.payment_by(&guest.id, "manual").await;
    let take = json!({ "idempotencyKey": "g", "paymentId": payment });
    shop.set("paymentCapture", take, "payment { state }").await.done();
    assert_eq!(faults(&shop.give_back(&payment, None, "STORE_CREDIT").await), ["STATE_INVALID to"]);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_cart_without_cards_costs_no_statement_more_and_one_card_a_few() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let plain = shop.ready_cart(&[(&tee, 2)], "manual").await.complete("k").await;
    plain.done();
    let card = shop.gift_card("15.00").await;
    let mut cart = shop.ready_cart(&[(&tee, 2)], "manual").await;
    cart.enter(&[&card.code]).await;
    let with = cart.complete_due("k2").await;
    with.done();
    assert!(with.statements <= plain.statements + 6, "{} instead of {}", with.statements, plain.statements);
}

#[tokio::test]
async fn an_order_with_a_code_and_a_card_gives_both_back_when_it_is_canceled() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let half = shop.promotion("Half", "CODE", percent_off("50"), json!({ "limits": { "inAll": 1 } })).await;
    shop.code(&half, "HALF").await;
    let card = shop.gift_card("15.00").await;
    let mut cart = shop.ready_cart(&[(&tee, 2)], "manual").await;
    cart.enter(&["half", &card.code]).await;
    assert_eq!(cart.paid_by().await, ["HALF APPLIED 20.00".to_owned(), format!("{} APPLIED 15.00", card.masked)]);
    assert_eq!((cart.amount("total"), cart.amount("amountDue")), ("24.90".to_owned(), "9.90".to_owned()));
    let answer = cart.complete_due("k").await;
    let placed = Placed::of(cart, &answer);
    let manual = shop.payment_by(&placed.id, "manual").await;
    let take = json!({ "idempotencyKey": "c", "paymentId": manual });
    shop.set("paymentCapture", take, "payment { state }").await.done();
    shop.give_back(&manual, Some("9.90"), "ORIGINAL").await.done();
    let by_card = shop.payment_by(&placed.id, "gift_card").await;
    shop.give_back(&by_card, Some("0.10"), "ORIGINAL").await.done();
    assert_eq!((shop.uses(&half).await, shop.left_on(&card).await), (1, "0.10".to_owned()), "a part keeps the use");
    shop.cancel_order(&placed.id).await.done();
    assert_eq!((shop.uses(&half).await, shop.left_on(&card).await), (0, "15.00".to_owned()));
    assert_eq!(shop.payments(&placed.id).await, ["gift_card REFUNDED 15.00 15.00", "manual REFUNDED 9.90 9.90"]);
    // Both are good for somebody else.
    let mut next = shop.ready_cart(&[(&tee, 2)], "manual").await;
    next.enter(&["half", &card.code]).await;
    next.complete_due("k2").await.done();
    assert_eq!((shop.uses(&half).await, shop.left_on(&card).await), (1, "0.00".to_owned()));
    invariants(&shop).await;
}

#[tokio::test]
async fn what_a_card_did_not_pay_is_paid_later_and_the_card_keeps_its_part() {
    let shop = german_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let card = shop.gift_card("15.00").await;
    let mut cart = shop.ready_cart(&[(&tee, 2)], "manual").await;
    cart.enter(&[&card.code]).await;
    let answer = cart.complete_due("k").await;
    let placed = Placed::of(cart, &answer);
    let manual = shop.payment_by(&placed.id, "manual").await;
    let give_up = json!({ "idempotencyKey": "v", "paymentId": manual });
    shop.set("paymentVoid", give_up, "payment { state }").await.done();
    let query = "query($id: ID!) { order(id: $id) { amountDue { amount } paymentStatus } }";
    let due = shop.admin.send(query, json!({ "id": placed.id })).await.at("order.amountDue.amount");
    assert_eq!(due, "29.90");
    let input = json!({ "idempotencyKey": "p", "orderId": placed.id, "accessToken": placed.access_token,
        "amount": euro("29.90"), "provider": "manual" });
    mutate(&shop.store, "", "orderPay", input, "payment { state }").await.done();
    let expected = ["gift_card CAPTURED 15.00 0.00", "manual VOIDED 0.00 0.00", "manual AUTHORIZED 0.00 0.00"];
    assert_eq!(shop.payments(&placed.id).await, expected);
    shop.cancel_order(&placed.id).await.done();
    assert_eq!(shop.left_on(&card).await, "15.00");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn orders_that_are_canceled_while_others_are_placed_lose_no_cent_of_a_card() {
    let shop = german_shop().await;
    let tee = shop.tee("5.10", 1_000).await;
    let ada = shop.customer("ada@example.com").await;
    let card = shop.gift_card("50.00").await;
    let ready = async || {
        let mut cart = shop.ready_cart(&[(&tee, 1)], "manual").await;
        cart.enter(&[&card.code]).await;
        cart
    };
    let mut placed = Vec::new();
    for place in 0..5 {
        let cart = ready().await;
        let answer = cart.complete_due(&format!("first {place}")).await;
        placed.push(Placed::of(cart, &answer).id);
    }
    assert_eq!(shop.left_on(&card).await, "0.00");
    // These carts see an empty card, and want to pay all by themselves.
    let mut waiting = Vec::new();
    for _ in 0..10 {
        waiting.push(ready().await);
    }
    let canceled = join_all(placed.iter().map(|order| shop.cancel_order(order)));
    let buying = join_all(waiting.iter_mut().enumerate().map(async |(place, cart)| {
        for round in 0..40 {
            cart.show().await;
            let answer = cart.complete_due(&format!("then {place} {round}")).await;
            if answer.refusals().is_empty() {
                return cart.amount("amountDue");
            }
            assert_eq!(answer.refusals(), ["TOTAL_CHANGED"]);
        }
        panic!("{place} never came to an end");
    }));
    let (canceled, bought) = tokio::join!(canceled, buying);
    canceled.iter().for_each(|answer| drop(answer.done()));
    let by_card = bought.iter().filter(|due| *due == "0.00").count();
    assert_eq!(shop.left_on(&card).await, format!("{}.00", 50 - 10 * by_card));
    // What is left moves to its owner, and orders that go back then go back to him.
    let claim = ada.mutate("giftCardClaim", json!({ "code": card.code }), "storeCredit { balance { amount } }").await;
    assert_eq!(claim.refusals().is_empty(), by_card < 5, "{}", claim.body);
    invariants(&shop).await;
}
