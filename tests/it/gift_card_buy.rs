//! Gift cards that are bought: each piece becomes one card, once, when the money is there, and is mailed; and what
//! becomes of them when the order is called off.

use domain::notification::{NotificationState, NotificationTemplate};
use futures_util::future::join_all;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{Placed, euro, faults};
use crate::support::customers::PASSWORD;
use crate::support::giving::Card;
use crate::support::invariants::invariants;
use crate::support::post::{kinds, post_shop};
use crate::support::provider::{Says, scripted_shop};
use crate::support::walker::new_key;

async fn card_product(shop: &Shop) -> String {
    shop.product("Gift card").price("25.00").digital().with("giftCard", json!(true)).create().await.variant
}

/// The cards that were bought with an order.
async fn bought(shop: &Shop, order: &str) -> Vec<Value> {
    let query = "query($id: ID!) { giftCards(filter: { orderId: $id }, sort: [{ field: CREATED_AT }]) {
        nodes { id code lastCharacters balance { amount } recipient frozenAt } } }";
    let page = shop.admin.send(query, json!({ "id": order })).await.at("giftCards.nodes");
    page.as_array().unwrap().clone()
}

async fn capture(shop: &Shop, order: &str, amount: Option<&str>) {
    let payment = shop.payment_by(order, "manual").await;
    let input = json!({ "idempotencyKey": new_key(), "paymentId": payment, "amount": amount.map(euro) });
    shop.set("paymentCapture", input, "payment { state }").await.done();
}

#[tokio::test]
async fn each_piece_is_a_card_once_the_money_is_there_and_is_mailed() {
    let (shop, post) = post_shop().await;
    let (card, tee) = (card_product(&shop).await, shop.tee("20.00", 50).await);
    let placed = shop.checkout_all(&[(&card, 2), (&tee, 1)], "manual", "k").await;
    let query = "query($id: ID!) { order(id: $id) { tax { amount } lines { title tax { amount } total { amount } } } }";
    let order = shop.admin.send(query, json!({ "id": placed.id })).await.at("order");
    assert_eq!(order["lines"][0]["tax"]["amount"], "0.00", "what is bought with it is taxed, it is not");
    assert_eq!(order["lines"][0]["total"]["amount"], "50.00");
    assert_ne!(order["lines"][1]["tax"]["amount"], "0.00");
    assert!(bought(&shop, &placed.id).await.is_empty(), "nothing is paid");
    capture(&shop, &placed.id, Some("70.00")).await;
    assert!(bought(&shop, &placed.id).await.is_empty(), "a part is not all");
    capture(&shop, &placed.id, None).await;
    let cards = bought(&shop, &placed.id).await;
    let told: Vec<_> = cards.iter().map(|card| (&card["balance"]["amount"], &card["recipient"])).collect();
    let expected = (&json!("25.00"), &json!("ada@example.com"));
    assert_eq!(told, [expected, expected]);
    shop.mail_is_done().await;
    let sent: Vec<_> = post.taken().into_iter().filter(|mail| mail.subject.starts_with("A gift card of")).collect();
    assert_eq!(sent.len(), 2);
    for card in &cards {
        let code = card["code"].as_str().unwrap();
        let with = sent.iter().filter(|mail| mail.text.contains(code) && mail.html.contains(code)).count();
        assert_eq!(with, 1, "{code}");
    }
    assert!(sent.iter().all(|mail| mail.to.as_str() == "ada@example.com" && mail.text.contains("€25.00")));
    // What was sent is written down, without its code.
    let sent =
        kinds(&shop).await.into_iter().filter(|row| *row == (NotificationTemplate::GiftCard, NotificationState::Sent));
    assert_eq!(sent.count(), 2);
    let conn = shop.app.read();
    let written = format!(
        "{:?} {:?} {:?}",
        entity::notification::Entity::find().all(&conn).await.unwrap(),
        entity::event::Entity::find().all(&conn).await.unwrap(),
        entity::ledger_account::Entity::find().all(&conn).await.unwrap()
    );
    assert!(cards.iter().all(|card| !written.contains(card["code"].as_str().unwrap())), "{written}");
    // More money changes nothing.
    let payment = shop.payment_by(&placed.id, "manual").await;
    shop.give_back(&payment, Some("1.00"), "ORIGINAL").await.done();
    assert_eq!(bought(&shop, &placed.id).await.len(), 2);

    // A bought card pays.
    let mut cart = shop.ready_cart(&[(&tee, 1)], "manual").await;
    cart.enter(&[&Card::of(&cards[0]).code]).await;
    cart.complete_due("k2").await.done();
    assert_eq!(shop.left_on(&Card::of(&cards[0])).await, "0.10");
    // It was spent, so its order can't be undone.
    assert_eq!(faults(&shop.cancel_order(&placed.id).await), ["STATE_INVALID"]);
    invariants(&shop).await;
}

#[tokio::test]
async fn cards_paid_at_once_are_there_at_once_and_go_with_their_order() {
    let (shop, provider) = scripted_shop().await;
    let (card, tee) = (card_product(&shop).await, shop.tee("20.00", 50).await);
    let gift = shop.gift_card("100.00").await;
    let mut cart = shop.ready_cart(&[(&card, 3), (&tee, 1)], "scripted").await;
    cart.enter(&[&gift.code]).await;
    // No card buys another: 20.00 and 4.90 are what it pays.
    assert_eq!((cart.amount("total"), cart.amount("amountDue")), ("99.90".to_owned(), "75.00".to_owned()));
    provider.will_say([Says::Captured]);
    let answer = cart.complete_due("k").await;
    let order = answer.done()["order"]["id"].as_str().unwrap().to_owned();
    let cards = bought(&shop, &order).await;
    assert_eq!(cards.len(), 3);
    // What staff put on a card besides is its holder's.
    let more = json!({ "idempotencyKey": "m", "giftCardId": cards[2]["id"], "kind": "CREDIT", "amount": euro("1.00") });
    shop.set("giftCardAdjust", more, "giftCard { id }").await.done();
    let canceled = join_all((0..3).map(|_| shop.cancel_order(&order))).await;
    assert_eq!(canceled.iter().filter(|answer| answer.refusals().is_empty()).count(), 1);
    let cards = bought(&shop, &order).await;
    let told: Vec<_> = cards.iter().map(|card| (&card["balance"]["amount"], card["frozenAt"].is_string())).collect();
    assert_eq!(told, [(&json!("0.00"), true), (&json!("0.00"), true), (&json!("1.00"), false)]);
    assert_eq!(shop.left_on(&gift).await, "100.00");
    invariants(&shop).await;
}

#[tokio::test]
async fn a_card_that_is_worth_nothing_by_then_is_not_mailed() {
    let (shop, post) = post_shop().await;
    let card = card_product(&shop).await;
    let mut cart = shop.cart(&[(&card, 1)]).await;
    cart.pay("manual").await.done();
    let answer = cart.complete("k").await;
    let placed = Placed::of(cart, &answer);
    capture(&shop, &placed.id, None).await;
    shop.cancel_order(&placed.id).await.done();
    shop.mail_is_done().await;
    let cards = kinds(&shop).await.into_iter().filter(|(kind, _)| *kind == NotificationTemplate::GiftCard);
    let states: Vec<_> = cards.map(|(_, state)| state).collect();
    assert_eq!(states, [NotificationState::Skipped]);
    assert!(post.taken().iter().all(|mail| !mail.subject.starts_with("A gift card of")));
}

#[tokio::test]
async fn money_that_goes_back_before_the_last_is_taken_keeps_no_card_away_and_all_of_it_freezes_them() {
    let (shop, _post) = post_shop().await;
    let (card, tee) = (card_product(&shop).await, shop.tee("20.00", 50).await);
    let gift = shop.gift_card("10.00").await;
    let mut cart = shop.ready_cart(&[(&card, 2), (&tee, 1)], "manual").await;
    cart.enter(&[&gift.code]).await;
    let answer = cart.complete_due("k").await;
    let placed = Placed::of(cart, &answer);
    let by_card = shop.payment_by(&placed.id, "gift_card").await;
    shop.give_back(&by_card, Some("1.00"), "ORIGINAL").await.done();
    assert!(bought(&shop, &placed.id).await.is_empty());
    capture(&shop, &placed.id, None).await;
    assert_eq!(bought(&shop, &placed.id).await.len(), 2);
    let manual = shop.payment_by(&placed.id, "manual").await;
    shop.give_back(&manual, None, "ORIGINAL").await.done();
    assert!(bought(&shop, &placed.id).await.iter().all(|card| card["frozenAt"].is_null()), "9.00 are still the shop's");
    shop.give_back(&by_card, None, "ORIGINAL").await.done();
    let cards = bought(&shop, &placed.id).await;
    assert!(cards.iter().all(|card| card["frozenAt"].is_string() && card["balance"]["amount"] == "25.00"), "{cards:?}");
    invariants(&shop).await;
}

#[tokio::test]
async fn an_erased_buyer_s_mailbox_stands_beside_no_card() {
    let (shop, _post) = post_shop().await;
    let input = json!({ "idempotencyKey": "k", "amount": euro("50.00"), "sendTo": "ada@example.com" });
    let made = shop.set("giftCardIssue", input, "giftCard { id }").await.done();
    shop.mail_is_done().await;
    shop.register("ada@example.com", PASSWORD).await.done();
    let id = shop.account_id("ada@example.com").await;
    shop.set("customerErase", json!({ "id": id.to_string() }), "erasedId").await.done();
    let conn = shop.app.read();
    let cards = entity::ledger_account::Entity::find().all(&conn).await.unwrap();
    let mails = entity::notification::Entity::find().all(&conn).await.unwrap();
    let of_card = mails.iter().find(|row| row.template == NotificationTemplate::GiftCard).unwrap();
    assert_eq!((cards.len(), &cards[0].recipient, &of_card.recipient), (1, &None, &None), "{made}");
}

#[tokio::test]
async fn staff_send_a_card_to_whom_they_like_in_his_language() {
    let (shop, post) = post_shop().await;
    let input = json!({ "idempotencyKey": "k", "amount": euro("50.00"), "sendTo": "bob@example.com", "locale": "de" });
    let made = shop.set("giftCardIssue", input, "giftCard { id code lastCharacters recipient }").await.done();
    let card = made["giftCard"].clone();
    assert_eq!(card["recipient"], "bob@example.com");
    shop.mail_is_done().await;
    let mail = post.last();
    assert_eq!((mail.to.as_str(), mail.subject.starts_with("Ein Gutschein von")), ("bob@example.com", true));
    assert!(mail.text.contains(card["code"].as_str().unwrap()) && mail.text.contains("50,00"), "{}", mail.text);
    for (field, value) in [("sendTo", json!("nobody")), ("locale", json!("no language"))] {
        let mut input = json!({ "idempotencyKey": new_key(), "amount": euro("50.00") });
        input[field] = value;
        assert_eq!(faults(&shop.set("giftCardIssue", input, "giftCard { id }").await), [format!("INVALID {field}")]);
    }
    // Nobody is mailed unasked.
    shop.gift_card("5.00").await;
    shop.mail_is_done().await;
    assert_eq!(post.taken().len(), 1);
}
