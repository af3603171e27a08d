//! Quotes: what lines would cost, to whom and when, and why; nothing is stored.

use chrono::TimeDelta;
use engine::clock::Clock;
use serde_json::{Value, json};

use crate::support::buying::{address, euro, faults};
use crate::support::client::Client;
use crate::support::invariants::invariants;
use crate::support::rows::Reader;
use crate::support::{Answer, Shop};

const SELECT: &str = "quote { total { amount } tax { amount } shipping { amount } subtotal { amount }
    taxes { code amount { amount } } issues { code }
    lines { quantity unitPrice { amount } compareAt { amount } total { amount }
        explanation { amount { amount } listName verdict unmet { attribute } } }
    deliveries { lineIndexes selected { name amount { amount } } unavailableOptions { name reason } } }
    userErrors { code path message }";

async fn ask(client: &Client, prefix: &str, input: Value) -> Answer {
    let query = format!("query($input: {prefix}QuoteInput!) {{ quote(input: $input) {{ {SELECT} }} }}");
    client.send(&query, json!({ "input": input })).await
}

async fn german_shop() -> (Shop, String) {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let tee = shop.tee("20.00", 5).await;
    (shop, tee)
}

#[tokio::test]
async fn a_shopper_s_quote_is_what_the_cart_will_cost_and_nothing_is_stored() {
    let (shop, tee) = german_shop().await;
    let options = "{ deliveryOptions: shop { name } }";
    shop.store.send(options, json!({})).await;
    let lines = json!([{ "variantId": tee, "quantity": 3 }]);
    let cart = shop.cart(&[(&tee, 3)]).await;
    let parcel = cart.shown["deliveryGroups"][0]["options"][0]["id"].clone();
    let reader = Reader::of(&shop).await;
    let before = reader.rows(&shop).await;
    let input = json!({ "lines": lines, "addresses": { "shipping": address("DE") }, "deliveryOptionIds": [parcel] });
    let answer = ask(&shop.store, "", input.clone()).await;
    let quote = answer.at("quote.quote");
    let amounts = ["subtotal", "shipping", "tax", "total"].map(|name| quote[name]["amount"].clone());
    // 60.00 and 4.90 hold 9.58 and 0.78 of 19 %.
    assert_eq!(json!(amounts), json!(["60.00", "4.90", "10.36", "64.90"]), "{}", answer.body);
    assert_eq!(quote["deliveries"][0]["selected"], json!({ "name": "Parcel", "amount": { "amount": "4.90" } }));
    assert_eq!((&quote["issues"], &quote["taxes"][0]["code"]), (&json!([]), &json!("VAT")));
    assert_eq!(
        quote["lines"][0]["explanation"],
        json!([{ "amount": { "amount": "20.00" }, "listName": null, "verdict": "CHOSEN", "unmet": null }])
    );
    assert_eq!(reader.rows(&shop).await, before, "nothing is stored");
    assert!(answer.statements <= 3, "{}", answer.statements);

    let many = json!({ "lines": [{ "variantId": tee, "quantity": 9 }], "addresses": { "shipping": address("DE") } });
    let short = ask(&shop.store, "", many).await;
    let issues = short.at("quote.quote.issues");
    let codes: Vec<&str> = issues.as_array().unwrap().iter().map(|issue| issue["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"INSUFFICIENT_STOCK"), "{codes:?}");
    let nothing = ask(&shop.store, "", json!({ "lines": [] })).await;
    assert_eq!(faults(&nothing), ["REQUIRED lines"]);
    let mut with_codes = input.clone();
    with_codes["codes"] = json!(["SUMMER", " "]);
    let told = ask(&shop.store, "", with_codes).await.at("quote.quote");
    assert_eq!(told["total"]["amount"], "64.90");
    let codes: Vec<&str> =
        told["issues"].as_array().unwrap().iter().map(|issue| issue["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["CODE_UNKNOWN", "CODE_UNKNOWN"]);
    let many = json!({ "lines": lines, "codes": vec!["A"; 21] });
    assert_eq!(faults(&ask(&shop.store, "", many).await), ["TOO_MANY codes"]);
    let unknown = json!({ "lines": [{ "variantId": shop.app.ids.next(shop.clock.now()).to_string() }] });
    assert_eq!(faults(&ask(&shop.store, "", unknown).await), ["INVALID lines.0.variantId"]);
    invariants(&shop).await;
}

#[tokio::test]
async fn staff_ask_what_a_wholesale_customer_will_pay_next_friday_and_why() {
    let (shop, tee) = german_shop().await;
    let group = shop.set("customerGroupSet", json!({ "name": "Wholesale" }), "group { id }").await.done();
    let group = group["group"]["id"].clone();
    let rules = json!([{ "attribute": "customerGroup", "values": [group] }]);
    let lists = [
        json!({ "name": "Wholesale", "kind": "OVERRIDE", "status": "ACTIVE", "rules": rules }),
        json!({ "name": "Friday", "kind": "SALE", "status": "ACTIVE", "priority": 1,
            "startsAt": shop.clock.now() + TimeDelta::days(4), "endsAt": shop.clock.now() + TimeDelta::days(6) }),
    ];
    for (list, amount) in lists.into_iter().zip(["15.00", "12.00"]) {
        let made = shop.set("priceListSet", list, "priceList { id }").await.done();
        let rows =
            json!({ "priceListId": made["priceList"]["id"], "rows": [{ "variantId": tee, "amount": euro(amount) }] });
        shop.set("priceListPricesBulkSet", rows, "created").await.done();
    }
    let lines = json!([{ "variantId": tee, "quantity": 2 }]);
    let quoted = async |more: Value| {
        let mut input = json!({ "lines": lines, "addresses": { "shipping": address("DE") } });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask(&shop.admin, "Admin", input).await
    };
    let unit = |answer: &Answer| answer.at("quote.quote.lines.0.unitPrice.amount");
    assert_eq!(unit(&quoted(json!({})).await), "20.00");
    assert_eq!(unit(&quoted(json!({ "customerGroupIds": [group] })).await), "15.00");
    let friday = json!({ "customerGroupIds": [group], "at": shop.clock.now() + TimeDelta::days(5) });
    let friday = quoted(friday).await;
    assert_eq!(unit(&friday), "12.00");
    let why: Vec<Value> = friday
        .at("quote.quote.lines.0.explanation")
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!([one["listName"], one["verdict"]]))
        .collect();
    assert_eq!(why, [json!(["Friday", "CHOSEN"]), json!(["Wholesale", "OUTRANKED"]), json!([null, "OUTRANKED"])]);
    let today = quoted(json!({})).await;
    let told = today.at("quote.quote.lines.0.explanation");
    let unmet = told.as_array().unwrap().iter().find(|one| one["listName"] == "Wholesale").unwrap();
    assert_eq!((&unmet["verdict"], &unmet["unmet"]["attribute"]), (&json!("LIST_RULE_UNMET"), &json!("customerGroup")));

    let agreed = json!([{ "variantId": tee, "quantity": 2, "unitPrice": euro("9.99") }]);
    let agreed = ask(&shop.admin, "Admin", json!({ "lines": agreed })).await;
    assert_eq!((unit(&agreed), agreed.at("quote.quote.total.amount")), (json!("9.99"), json!("19.98")));
    let foreign = json!([{ "variantId": tee, "unitPrice": { "amount": "1", "currencyCode": "USD" } }]);
    assert_eq!(faults(&ask(&shop.admin, "Admin", json!({ "lines": foreign })).await), ["INVALID lines.0.unitPrice"]);
    let never = json!({ "at": shop.clock.now() + TimeDelta::days(20_000) });
    assert_eq!(faults(&quoted(never).await), ["INVALID at"]);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_price_that_staff_agreed_on_counts_until_they_take_it_back() {
    let (shop, tee) = german_shop().await;
    shop.offer(&["manual"]).await;
    let mut cart = shop.ready_cart(&[(&tee, 2)], "manual").await;
    let line = cart.shown["lines"][0]["id"].clone();
    let id = cart.id.clone();
    let agree = async |price: Value| {
        let input = json!({ "cartId": id, "lineId": line, "unitPrice": price });
        shop.set(
            "cartLinePriceSet",
            input,
            "quote { total { amount } lines { unitPrice { amount } explanation { verdict } } }",
        )
        .await
    };
    let answer = agree(euro("12.34")).await.done();
    assert_eq!(answer["quote"]["lines"][0], json!({ "unitPrice": { "amount": "12.34" }, "explanation": [] }));
    assert_eq!(answer["quote"]["total"]["amount"], "29.58");
    assert_eq!(faults(&agree(json!({ "amount": "1", "currencyCode": "USD" })).await), ["INVALID unitPrice"]);
    assert_eq!(faults(&agree(euro("-1.00")).await), ["INVALID unitPrice"]);
    cart.show().await;
    assert_eq!(
        (cart.amount("total"), cart.shown["lines"][0]["unitPrice"]["amount"].clone()),
        ("29.58".into(), json!("12.34"))
    );
    // A sale does not touch it.
    let sale = json!({ "name": "Sale", "kind": "SALE", "status": "ACTIVE" });
    let sale = shop.set("priceListSet", sale, "priceList { id }").await.done();
    let rows =
        json!({ "priceListId": sale["priceList"]["id"], "rows": [{ "variantId": tee, "amount": euro("5.00") }] });
    shop.set("priceListPricesBulkSet", rows, "created").await.done();
    cart.show().await;
    assert_eq!(cart.amount("total"), "29.58");
    let taken_back = agree(json!(null)).await.done();
    assert_eq!(taken_back["quote"]["lines"][0]["unitPrice"]["amount"], "5.00");
    agree(euro("12.34")).await.done();
    cart.show().await;
    let done = cart.complete("k").await.done();
    assert_eq!(done["order"]["total"]["amount"], "29.58");
    invariants(&shop).await;
}
