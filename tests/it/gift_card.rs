//! Gift cards and store credit: what is on them is the sum of what was done, whoever races; a code is told to nobody who
//! does not have it.

use futures_util::future::join_all;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::buying::{euro, faults};
use crate::support::customers::Account;
use crate::support::invariants::invariants;
use crate::support::walker::new_key;
use crate::support::{Answer, Shop};

const CARD: &str = "giftCard { id code lastCharacters version balance { amount } expiresAt frozenAt note
    entries { kind amount { amount } balance { amount } note actor } }";

async fn issued(shop: &Shop, amount: &str) -> Value {
    let input = json!({ "idempotencyKey": new_key(), "amount": euro(amount) });
    shop.set("giftCardIssue", input, CARD).await.done()["giftCard"].clone()
}

async fn adjusted(shop: &Shop, card: &Value, kind: &str, amount: &str) -> Answer {
    let input = json!({ "idempotencyKey": new_key(), "giftCardId": card["id"], "kind": kind, "amount": euro(amount) });
    shop.set("giftCardAdjust", input, CARD).await
}

async fn shown(shop: &Shop, card: &Value) -> Value {
    let query = "query($id: ID!) { giftCard(id: $id) { version balance { amount } code customer { email }
        entries(first: 250) { kind amount { amount } balance { amount } } } }";
    shop.admin.send(query, json!({ "id": card["id"] })).await.at("giftCard")
}

/// What a client without an account sees of a code.
async fn looked_up(shop: &Shop, code: &str) -> Answer {
    let query = "query($code: String!) { giftCard(code: $code) { lastCharacters balance { amount currencyCode }
        expiresAt spendable } }";
    shop.store.send(query, json!({ "code": code })).await
}

async fn claimed(who: &Account, code: &str) -> Answer {
    who.mutate("giftCardClaim", json!({ "code": code }), "storeCredit { balance { amount currencyCode } }").await
}

#[tokio::test]
async fn a_card_is_made_looked_up_changed_and_frozen() {
    let shop = Shop::open().await;
    let input = json!({ "idempotencyKey": "k", "amount": euro("50.00"), "note": "for Ada" });
    let card = shop.set("giftCardIssue", input.clone(), CARD).await.done()["giftCard"].clone();
    let again = shop.set("giftCardIssue", input, CARD).await.done()["giftCard"].clone();
    assert_eq!(again, card, "the same key is the same card, with its code");
    let code = card["code"].as_str().unwrap();
    assert_eq!((code.len(), code.matches('-').count()), (19, 3), "{code}");
    assert_eq!(card["lastCharacters"], code[15..]);
    let entry =
        json!({ "kind": "ISSUE", "amount": { "amount": "50.00" }, "balance": { "amount": "50.00" }, "note": null });
    let mut first = card["entries"][0].clone();
    first.as_object_mut().unwrap().remove("actor");
    assert_eq!(first, entry);

    for form in [code.to_owned(), code.to_lowercase(), code.replace('-', ""), format!(" {} ", code.replace('-', " "))] {
        let seen = looked_up(&shop, &form).await.at("giftCard");
        let expected = json!({
            "lastCharacters": card["lastCharacters"], "balance": { "amount": "50.00", "currencyCode": "EUR" },
            "expiresAt": null, "spendable": true,
        });
        assert_eq!(seen, expected, "{form}");
    }
    let more = adjusted(&shop, &card, "CREDIT", "10.00").await.done();
    assert_eq!(more["giftCard"]["balance"]["amount"], "60.00");
    assert_eq!(faults(&adjusted(&shop, &card, "DEBIT", "60.01").await), ["AMOUNT_TOO_LARGE amount"]);
    for amount in ["0.00", "-1.00"] {
        assert_eq!(faults(&adjusted(&shop, &card, "CREDIT", amount).await), ["INVALID amount"], "{amount}");
    }
    let dollars = json!({ "idempotencyKey": new_key(), "giftCardId": card["id"], "kind": "CREDIT",
        "amount": { "amount": "1.00", "currencyCode": "USD" } });
    assert_eq!(faults(&shop.set("giftCardAdjust", dollars, CARD).await), ["INVALID amount.currencyCode"]);

    let version = shown(&shop, &card).await["version"].clone();
    let input = json!({ "id": card["id"], "expectedVersion": version, "frozen": true, "note": null });
    let frozen = shop.set("giftCardUpdate", input.clone(), CARD).await.done()["giftCard"].clone();
    assert!(frozen["frozenAt"].is_string() && frozen["note"].is_null(), "{frozen}");
    assert_eq!(faults(&shop.set("giftCardUpdate", input, CARD).await), ["CONFLICT expectedVersion"]);
    assert_eq!(looked_up(&shop, code).await.at("giftCard.spendable"), false);
    let input = json!({ "id": card["id"], "frozen": false, "expiresAt": "2020-01-01T00:00:00Z" });
    assert_eq!(faults(&shop.set("giftCardUpdate", input, CARD).await), ["INVALID expiresAt"]);
    let soon = shop.app.clock.now() + chrono::TimeDelta::hours(2);
    let input = json!({ "id": card["id"], "frozen": false, "expiresAt": soon });
    shop.set("giftCardUpdate", input, CARD).await.done();
    assert_eq!(looked_up(&shop, code).await.at("giftCard.spendable"), true);
    shop.pass(chrono::TimeDelta::hours(3));
    assert_eq!(looked_up(&shop, code).await.at("giftCard.spendable"), false);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_code_from_elsewhere_is_long_and_nobody_else_s() {
    let shop = Shop::open().await;
    let issue = async |code: &str, amount: &str| {
        let input = json!({ "idempotencyKey": new_key(), "amount": euro(amount), "code": code });
        shop.set("giftCardIssue", input, CARD).await
    };
    let card = issue("old-shop 2024 abcd", "5.00").await;
    assert_eq!(faults(&card), ["INVALID code"]);
    let card = issue("old-shop-2024-abcd", "5.00").await.done()["giftCard"].clone();
    assert_eq!((&card["code"], &card["lastCharacters"]), (&json!("OLD-SHOP-2024-ABCD"), &json!("ABCD")));
    // Whoever types it without hyphens means the same card.
    for taken in ["OLD-SHOP-2024-ABCD", "OLDSHOP2024ABCD"] {
        assert_eq!(faults(&issue(taken, "5.00").await), ["TAKEN code"]);
    }
    for (code, fault) in [("", "REQUIRED code"), ("SHORT-1234", "INVALID code"), ("Ä23456789012", "INVALID code")] {
        assert_eq!(faults(&issue(code, "5.00").await), [fault], "{code}");
    }
    assert_eq!(faults(&issue("LONG-ENOUGH-CODE", "0.00").await), ["INVALID amount"]);
    // No code stands in the database in the clear, nor its plain hash.
    let rows = entity::ledger_account::Entity::find().all(&shop.app.read()).await.unwrap();
    let written = format!("{rows:?}");
    assert!(!written.contains("OLD-SHOP"), "{written}");
    let audit = entity::audit_entry::Entity::find().all(&shop.app.read()).await.unwrap();
    assert!(!format!("{audit:?}").contains("OLDSHOP") && !format!("{audit:?}").contains("OLD-SHOP"));
}

#[tokio::test]
async fn cards_are_found_by_what_they_are() {
    let shop = Shop::open().await;
    let cards = [issued(&shop, "10.00").await, issued(&shop, "30.00").await, issued(&shop, "20.00").await];
    adjusted(&shop, &cards[0], "DEBIT", "10.00").await.done();
    shop.set("giftCardUpdate", json!({ "id": cards[1]["id"], "frozen": true }), CARD).await.done();
    let list = async |arguments: &str| {
        let query = format!("{{ giftCards{arguments} {{ totalCount nodes {{ id }} }} }}");
        let page = shop.admin.send(&query, json!({})).await.at("giftCards");
        let place = |row: &Value| cards.iter().position(|card| card["id"] == row["id"]).unwrap();
        let found: Vec<usize> = page["nodes"].as_array().unwrap().iter().map(place).collect();
        assert!(page["totalCount"].as_i64().unwrap() >= found.len() as i64);
        found
    };
    assert_eq!(list("").await, [2, 1, 0]);
    assert_eq!(list("(sort: [{ field: BALANCE, direction: DESC }])").await, [1, 2, 0]);
    assert_eq!(list("(sort: [{ field: BALANCE, direction: DESC }], first: 1)").await, [1]);
    assert_eq!(list("(filter: { hasBalance: false })").await, [0]);
    assert_eq!(list("(filter: { frozen: true })").await, [1]);
    assert_eq!(list("(filter: { frozen: false, hasBalance: true })").await, [2]);
    assert_eq!(list("(filter: { expired: true })").await, Vec::<usize>::new());
    assert_eq!(list("(filter: { currencyCode: \"USD\" })").await, Vec::<usize>::new());
    let last = cards[2]["lastCharacters"].as_str().unwrap().to_lowercase();
    assert_eq!(list(&format!("(filter: {{ lastCharacters: \"{last}\" }})")).await, [2]);
}

#[tokio::test]
async fn who_claims_a_card_has_store_credit_and_the_code_is_worth_nothing() {
    let shop = Shop::open().await;
    let ada = shop.customer("ada@example.com").await;
    let eve = shop.customer("eve@example.com").await;
    let card = issued(&shop, "50.00").await;
    let code = card["code"].as_str().unwrap();
    let credit = claimed(&ada, code).await.done();
    assert_eq!(credit["storeCredit"]["balance"], json!({ "amount": "50.00", "currencyCode": "EUR" }));
    assert_eq!(faults(&claimed(&eve, code).await), ["STATE_INVALID code"]);
    assert_eq!(looked_up(&shop, code).await.at("giftCard.balance.amount"), "0.00");
    let seen = shown(&shop, &card).await;
    assert_eq!((&seen["code"], &seen["customer"]["email"]), (&Value::Null, &json!("ada@example.com")));

    let other = issued(&shop, "7.50").await;
    claimed(&ada, other["code"].as_str().unwrap()).await.done();
    let own = ada.client.send("{ customer { storeCredit { balance { amount } } } }", json!({})).await;
    assert_eq!(own.at("customer.storeCredit"), json!([{ "balance": { "amount": "57.50" } }]));
    let adjust = async |kind: &str, amount: Value| {
        let input = json!({ "idempotencyKey": new_key(), "customerId": ada.id.to_string(), "kind": kind,
            "amount": amount, "note": "a late parcel" });
        shop.set("storeCreditAdjust", input, "storeCredit { id balance { amount } entries { kind note } }").await
    };
    let less = adjust("DEBIT", euro("7.50")).await.done();
    assert_eq!(less["storeCredit"]["balance"]["amount"], "50.00");
    let kinds: Vec<&Value> =
        less["storeCredit"]["entries"].as_array().unwrap().iter().map(|row| &row["kind"]).collect();
    assert_eq!(kinds, ["DEBIT", "TRANSFER_IN", "TRANSFER_IN"]);
    assert_eq!(faults(&adjust("DEBIT", euro("50.01")).await), ["AMOUNT_TOO_LARGE amount"]);
    let yen = json!({ "amount": "900", "currencyCode": "JPY" });
    assert_eq!(adjust("CREDIT", yen).await.done()["storeCredit"]["balance"]["amount"], "900");
    let query = "query($id: ID!) { customer(by: { id: $id }) { storeCredit { balance { amount currencyCode } } } }";
    let credits = shop.admin.send(query, json!({ "id": ada.id.to_string() })).await.at("customer.storeCredit");
    let expected = json!([{ "balance": { "amount": "50.00", "currencyCode": "EUR" } },
        { "balance": { "amount": "900", "currencyCode": "JPY" } }]);
    assert_eq!(credits, expected);
    let nobody = json!({ "idempotencyKey": new_key(), "customerId": "cust_01h455vb4pex5vsknk084sn02q", "kind": "CREDIT",
        "amount": euro("1.00") });
    assert_eq!(faults(&shop.set("storeCreditAdjust", nobody, "storeCredit { id }").await), ["NOT_FOUND customerId"]);
    let guest = shop.guest("giftCardClaim", json!({ "code": code }), "storeCredit { balance { amount } }").await;
    assert_eq!(guest.body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    invariants(&shop).await;
}

#[tokio::test]
async fn many_at_once_take_no_more_than_is_there() {
    let shop = Shop::open().await;
    for _ in 0..3 {
        let card = issued(&shop, "5.00").await;
        let answers = join_all((0..20).map(|_| adjusted(&shop, &card, "DEBIT", "1.00"))).await;
        let done = answers.iter().filter(|answer| answer.refusals().is_empty()).count();
        assert_eq!((done, shown(&shop, &card).await["balance"]["amount"].clone()), (5, json!("0.00")));
        assert_eq!(shown(&shop, &card).await["entries"].as_array().unwrap().len(), 6);
    }
    // One card is claimed by one of those who have its code.
    let card = issued(&shop, "50.00").await;
    let code = card["code"].as_str().unwrap();
    let mut people = Vec::new();
    for name in ["ada", "bob", "eve", "joe"] {
        people.push(shop.customer(&format!("{name}@example.com")).await);
    }
    let answers = join_all(people.iter().map(|who| claimed(who, code))).await;
    assert_eq!(answers.iter().filter(|answer| answer.refusals().is_empty()).count(), 1);
    invariants(&shop).await;
}

#[tokio::test]
async fn who_guesses_codes_is_stopped_and_one_good_code_buys_no_more_guesses() {
    let shop = Shop::open().await;
    let ada = shop.customer("ada@example.com").await;
    let card = issued(&shop, "50.00").await;
    let code = card["code"].as_str().unwrap();
    for guess in 0..5 {
        assert!(looked_up(&shop, &format!("3333-4444-6666-77{guess:02}")).await.at("giftCard").is_null());
        looked_up(&shop, code).await.at("giftCard.balance");
    }
    for guess in 5..10 {
        assert!(looked_up(&shop, &format!("3333-4444-6666-77{guess:02}")).await.at("giftCard").is_null());
    }
    let stopped = looked_up(&shop, code).await;
    assert_eq!(stopped.body["errors"][0]["extensions"]["code"], "THROTTLED", "{}", stopped.body);
    // A customer is counted by himself.
    for _ in 0..10 {
        assert_eq!(faults(&claimed(&ada, "3333-4444-6666-7777").await), ["NOT_FOUND code"]);
    }
    assert_eq!(claimed(&ada, code).await.refusals(), ["THROTTLED"]);
    shop.pass(chrono::TimeDelta::minutes(16));
    let ada = shop.again("ada@example.com", crate::support::customers::PASSWORD).await;
    claimed(&ada, code).await.done();
}
