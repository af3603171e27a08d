//! What staff are told of promotions: what they would do, what speaks against them, and what they brought.

use chrono::TimeDelta;
use engine::clock::Clock;
use serde_json::{Value, json};

use crate::support::buying::{address, euro, faults};
use crate::support::client::Client;
use crate::support::invariants::invariants;
use crate::support::promoting::{off_items, off_shipping, percent_off};
use crate::support::rows::Reader;
use crate::support::walker::new_key;
use crate::support::{Answer, Shop};

async fn german_shop() -> (Shop, String) {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual"]).await;
    let tee = shop.tee("20.00", 100).await;
    (shop, tee)
}

/// A promotion that no cart knows.
async fn draft(shop: &Shop, title: &str, method: &str, offer: Value, more: Value) -> String {
    let mut input = json!({ "title": title, "method": method, "offer": offer });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = shop.set("promotionCreate", input, "promotion { id }").await.done();
    made["promotion"]["id"].as_str().unwrap().to_owned()
}

fn spend(amount: &str) -> Value {
    json!({ "is": { "spend": { "ranges": [{ "gte": euro(amount) }] } } })
}

const SIDE: &str = "total { amount } discount { amount } codes { code verdict title message amount { amount } }
    promotions { title amount { amount } }
    lines { isGift quantity adjustments { title amount { amount } explanation { kind message } } }";

async fn simulate(shop: &Shop, input: Value) -> Answer {
    let query = format!(
        "query($input: AdminPromotionSimulateInput!) {{ promotionSimulate(input: $input) {{
            cart {{ amount {{ amount }} cost {{ amount }} without {{ {SIDE} }} with {{ {SIDE} }}
                notApplied {{ reason message test condition notCombinableWith missing {{ amount }} missingUnits }} }}
            userErrors {{ code path }} }} }}"
    );
    shop.admin.send(&query, json!({ "input": input })).await
}

/// What a promotion would do to so many tees.
async fn on_tees(shop: &Shop, promotion: &str, (tee, quantity): (&str, i32), more: Value) -> Value {
    let mut cart = json!({ "lines": [{ "variantId": tee, "quantity": quantity }],
        "addresses": { "shipping": address("DE") } });
    cart.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    simulate(shop, json!({ "promotionId": promotion, "cart": cart })).await.at("promotionSimulate.cart")
}

fn amounts(told: &Value) -> [&str; 4] {
    let sides = [&told["amount"], &told["cost"], &told["without"]["discount"], &told["with"]["discount"]];
    sides.map(|amount| amount["amount"].as_str().unwrap())
}

#[tokio::test]
async fn a_draft_is_tried_on_a_cart_that_nobody_has() {
    let (shop, tee) = german_shop().await;
    shop.promotion("A tenth", "AUTOMATIC", percent_off("10"), json!({})).await;
    let more = json!({ "priority": 5, "conditions": spend("50.00"), "endsAt": shop.clock.now() + TimeDelta::days(9),
        "startsAt": shop.clock.now() + TimeDelta::days(5) });
    let quarter = draft(&shop, "A quarter", "CODE", percent_off("25"), more).await;
    shop.code(&quarter, "SPRING").await;
    let ends_at = shop.clock.now() + TimeDelta::minutes(1);
    let old = json!({ "promotionId": quarter, "codes": ["WINTER"], "endsAt": ends_at });
    shop.set("promotionCodesAdd", old, "codes { id }").await.done();

    // It comes before the tenth, and the two don't combine.
    let told = on_tees(&shop, &quarter, (&tee, 3), json!({})).await;
    assert_eq!(amounts(&told), ["15.00", "9.00", "6.00", "15.00"]);
    assert_eq!(
        (&told["without"]["total"], &told["with"]["total"]),
        (&json!({ "amount": "54.00" }), &json!({ "amount": "45.00" }))
    );
    assert_eq!(told["notApplied"], Value::Null);
    let adjusted = &told["with"]["lines"][0]["adjustments"][0];
    assert_eq!((&adjusted["title"], &adjusted["explanation"]["kind"]), (&json!("A quarter"), &json!("SHARED")));
    assert_eq!(told["with"]["promotions"], json!([{ "title": "A quarter", "amount": { "amount": "15.00" } }]));

    let told = on_tees(&shop, &quarter, (&tee, 2), json!({})).await;
    assert_eq!(amounts(&told), ["0.00", "0.00", "4.00", "4.00"]);
    let why = &told["notApplied"];
    assert_eq!((&why["reason"], &why["test"]), (&json!("CONDITION_UNMET"), &json!("spend")));
    assert_eq!((&why["missing"]["amount"], &why["condition"]), (&json!("10.00"), &json!(["is"])));

    // Its own code, one that nobody knows, and one whose time is over.
    let told = on_tees(&shop, &quarter, (&tee, 3), json!({ "codes": ["spring", "nothing"] })).await;
    let verdicts = |side: &str| {
        let codes = told[side]["codes"].as_array().unwrap().iter();
        codes
            .map(|code| format!("{} {}", code["code"].as_str().unwrap(), code["verdict"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(verdicts("with"), ["SPRING APPLIED", "NOTHING UNKNOWN"]);
    assert_eq!(verdicts("without"), ["SPRING UNKNOWN", "NOTHING UNKNOWN"]);
    assert_eq!(told["with"]["codes"][0]["title"], "A quarter");
    assert_eq!(amounts(&told), ["15.00", "9.00", "6.00", "15.00"]);
    let late = json!({ "codes": ["WINTER"], "at": shop.clock.now() + TimeDelta::hours(1) });
    let told = on_tees(&shop, &quarter, (&tee, 3), late).await;
    assert_eq!(
        (&told["notApplied"]["reason"], &told["with"]["codes"][0]["verdict"]),
        (&json!("CODE_EXPIRED"), &json!("EXPIRED"))
    );

    // One that comes behind the tenth is kept out by it; one that gives a mug makes it a line of the cart.
    let half = draft(&shop, "A half", "AUTOMATIC", percent_off("50"), json!({})).await;
    let told = on_tees(&shop, &half, (&tee, 1), json!({})).await;
    let why = &told["notApplied"];
    assert_eq!((&why["reason"], &why["notCombinableWith"]), (&json!("NOT_COMBINABLE"), &json!("A tenth")));
    shop.set("promotionActivate", json!({ "id": half }), "promotion { id }").await.done();
    shop.set("promotionPause", json!({ "id": half }), "promotion { id }").await.done();
    let told = on_tees(&shop, &half, (&tee, 1), json!({})).await;
    assert_eq!(told["notApplied"]["reason"], "NOT_COMBINABLE", "what is held back is tried as a draft is");
}

#[tokio::test]
async fn what_a_trial_can_t_be_made_of_is_named_and_nothing_is_stored() {
    let (shop, tee) = german_shop().await;
    let mug = shop.product("Mug").price("8.50").stock(9).create().await.variant;
    let gift = json!({ "gifts": [{ "variant": mug, "quantity": 1 }] });
    let gift = draft(&shop, "A mug", "AUTOMATIC", gift, json!({})).await;
    let reader = Reader::of(&shop).await;
    let before = reader.rows(&shop).await;
    let told = on_tees(&shop, &gift, (&tee, 1), json!({})).await;
    assert_eq!(amounts(&told), ["8.50", "8.50", "0.00", "8.50"]);
    assert_eq!(told["with"]["lines"][1]["isGift"], true);

    let cart = json!({ "lines": [{ "variantId": tee }] });
    let refused = |answer: &Answer| faults(answer);
    let nothing = simulate(&shop, json!({ "promotionId": gift })).await;
    assert_eq!(refused(&nothing), ["REQUIRED cart"]);
    let nobody = "promo_00000000000000000000000000";
    assert_eq!(
        refused(&simulate(&shop, json!({ "promotionId": nobody, "cart": cart })).await),
        ["NOT_FOUND promotionId"]
    );
    let orders = |first: i32| json!({ "promotionId": gift, "orders": { "first": first } });
    assert_eq!(refused(&simulate(&shop, orders(0)).await), ["INVALID orders.first"]);
    assert_eq!(refused(&simulate(&shop, orders(1_001)).await), ["INVALID orders.first"]);
    let empty = json!({ "promotionId": gift, "cart": { "lines": [] } });
    assert_eq!(refused(&simulate(&shop, empty).await), ["REQUIRED cart.lines"]);
    let many = json!({ "promotionId": gift, "cart": { "lines": [{ "variantId": tee }], "codes": vec!["A"; 21] } });
    assert_eq!(refused(&simulate(&shop, many).await), ["TOO_MANY cart.codes"]);
    assert_eq!(reader.rows(&shop).await, before, "nothing is stored");
}

const ORDERS: &str = "lookedAt hasOlder given cost { amount currencyCode } revenue { amount currencyCode }
    newest { number total { amount } amount { amount } }";

async fn on_orders(shop: &Shop, promotion: &str, orders: Value) -> Answer {
    let query = format!(
        "query($input: AdminPromotionSimulateInput!) {{ promotionSimulate(input: $input) {{
            orders {{ {ORDERS} }} userErrors {{ code path message }} }} }}"
    );
    shop.admin.send(&query, json!({ "input": { "promotionId": promotion, "orders": orders } })).await
}

/// How many orders it would have given something, what it would have cost, and what these came to.
async fn tried(shop: &Shop, promotion: &str) -> String {
    let told = on_orders(shop, promotion, json!({})).await.at("promotionSimulate.orders");
    let sum = |name: &str| told[name][0]["amount"].as_str().unwrap_or("nothing").to_owned();
    format!("{} of {}: {} of {}", told["given"], told["lookedAt"], sum("cost"), sum("revenue"))
}

#[tokio::test]
async fn a_draft_is_tried_on_orders_of_the_past() {
    let (shop, tee) = german_shop().await;
    let mug = shop.product("Mug").price("8.50").stock(9).with("tags", json!(["gift"])).create().await;
    let minute = async || shop.pass(TimeDelta::minutes(1));
    shop.checkout_all(&[(&tee, 1)], "manual", "1").await;
    minute().await;
    let second = shop.checkout_all(&[(&tee, 3)], "manual", "2").await;
    minute().await;
    let third = shop.checkout_all(&[(&tee, 4), (&mug.variant, 2)], "manual", "3").await;
    minute().await;
    let canceled = shop.checkout_all(&[(&tee, 5)], "manual", "4").await;
    let cancel = json!({ "idempotencyKey": "c", "orderId": canceled.id });
    shop.set("orderCancel", cancel, "order { status }").await.done();
    let fifty = |more: Value| {
        let mut all = json!({ "conditions": spend("50.00") });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let quarter = draft(&shop, "A quarter", "CODE", percent_off("25"), fifty(json!({}))).await;
    let reader = Reader::of(&shop).await;
    let before = reader.rows(&shop).await;
    // 25 % of 60.00 and of 97.00; each order paid 4.90 to be sent.
    assert_eq!(tried(&shop, &quarter).await, "2 of 3: 39.25 of 166.80");
    let answer = on_orders(&shop, &quarter, json!({ "first": 2 })).await;
    let told = answer.at("promotionSimulate.orders");
    assert_eq!((&told["lookedAt"], &told["hasOlder"], &told["given"]), (&json!(2), &json!(true), &json!(2)));
    assert_eq!(
        told["newest"],
        json!([{ "number": third.number, "total": { "amount": "101.90" }, "amount": { "amount": "24.25" } },
            { "number": second.number, "total": { "amount": "64.90" }, "amount": { "amount": "15.00" } }])
    );
    assert_eq!(told["cost"], json!([euro("39.25")]));
    let one = on_orders(&shop, &quarter, json!({ "first": 1 })).await;
    assert_eq!(one.statements, answer.statements, "it does not grow with the orders");
    assert!(one.statements <= 10, "{}", one.statements);
    let late = on_orders(&shop, &quarter, json!({ "placedFrom": shop.clock.now() })).await;
    assert_eq!(late.at("promotionSimulate.orders.lookedAt"), 0);
    assert_eq!(reader.rows(&shop).await, before, "nothing is stored");

    // Limits and budgets are reached as they would have been, by the oldest first.
    let first = draft(&shop, "One", "CODE", percent_off("25"), fifty(json!({ "limits": { "inAll": 1 } }))).await;
    assert_eq!(tried(&shop, &first).await, "1 of 3: 15.00 of 64.90");
    let own = json!({ "limits": { "perCustomer": 1 } });
    let own = draft(&shop, "Each", "CODE", percent_off("25"), own).await;
    assert_eq!(tried(&shop, &own).await, "1 of 3: 5.00 of 24.90", "all have one mailbox");
    let campaign = shop.campaign(json!({ "title": "Year", "budget": { "spend": [euro("20.00")] } })).await;
    let paid = draft(&shop, "Paid", "CODE", percent_off("25"), json!({ "campaignId": campaign })).await;
    assert_eq!(tried(&shop, &paid).await, "2 of 3: 20.00 of 89.80", "5.00 and 15.00");

    // What an order keeps, and what its products are today.
    let first_order = json!({ "conditions": { "is": { "firstOrder": true } } });
    let welcome = draft(&shop, "Welcome", "AUTOMATIC", percent_off("10"), first_order).await;
    assert_eq!(tried(&shop, &welcome).await, "1 of 3: 2.00 of 24.90");
    let mugs = json!({ "is": { "product": [mug.product] } });
    let free = json!({ "free": true });
    let mugs = draft(&shop, "Mugs", "AUTOMATIC", off_items(mugs, free.clone()), json!({})).await;
    assert_eq!(tried(&shop, &mugs).await, "1 of 3: 17.00 of 101.90");
    let sent = draft(&shop, "Sent", "AUTOMATIC", off_shipping(free), json!({})).await;
    assert_eq!(tried(&shop, &sent).await, "3 of 3: 14.70 of 191.70");
    let gift = json!({ "gifts": [{ "variant": mug.variant, "quantity": 1 }] });
    let gift = draft(&shop, "A mug", "AUTOMATIC", gift, json!({})).await;
    assert_eq!(tried(&shop, &gift).await, "3 of 3: 25.50 of 191.70");
    invariants(&shop).await;
}

#[tokio::test]
async fn an_order_s_own_promotions_stay_beside_the_one_on_trial() {
    let (shop, tee) = german_shop().await;
    let mug = shop.product("Mug").price("8.50").stock(9).create().await.variant;
    let gift = json!({ "gifts": [{ "variant": mug, "quantity": 1 }] });
    shop.promotion("A mug", "AUTOMATIC", gift, json!({ "combinesWith": ["ITEM", "ORDER"] })).await;
    let tenth = shop.promotion("A tenth", "CODE", percent_off("10"), json!({ "combinesWith": ["ITEM"] })).await;
    shop.code(&tenth, "TENTH").await;
    let mut cart = shop.ready_cart(&[(&tee, 2)], "manual").await;
    cart.enter(&["TENTH"]).await;
    cart.complete("1").await.done();
    shop.pass(TimeDelta::minutes(1));
    // The gift is no spending, and the tenth gives way: 20.00 in place of 4.00.
    let more = json!({ "priority": 9, "combinesWith": ["ITEM"], "conditions": spend("40.00") });
    let half = draft(&shop, "A half", "AUTOMATIC", percent_off("50"), more).await;
    assert_eq!(tried(&shop, &half).await, "1 of 1: 16.00 of 40.90");
    let more = json!({ "priority": 9, "combinesWith": ["ITEM"], "conditions": spend("40.01") });
    let more = draft(&shop, "More", "AUTOMATIC", percent_off("50"), more).await;
    assert_eq!(tried(&shop, &more).await, "0 of 1: nothing of nothing");
    // Behind it, it gives nothing.
    let behind = draft(&shop, "Behind", "AUTOMATIC", percent_off("50"), json!({ "combinesWith": ["ITEM"] })).await;
    assert_eq!(tried(&shop, &behind).await, "0 of 1: nothing of nothing");
    invariants(&shop).await;
}

/// A key that holds these permissions, in one channel or everywhere.
async fn key(shop: &Shop, name: &str, permissions: &[&str], channel: Option<&str>) -> Client {
    shop.set("roleSet", json!({ "name": name, "permissions": permissions }), "role { id }").await.done();
    let channels: Vec<&str> = channel.into_iter().collect();
    let input = json!({ "title": name, "role": name, "channelIds": channels });
    let made = shop.set("apiKeyCreate", input, "secret").await.done();
    shop.anonymous_admin.bearer(made["secret"].as_str().unwrap())
}

#[tokio::test]
async fn who_may_not_read_orders_learns_nothing_of_them() {
    let (shop, tee) = german_shop().await;
    shop.checkout_all(&[(&tee, 3)], "manual", "1").await;
    let quarter = shop.promotion("A quarter", "AUTOMATIC", percent_off("25"), json!({})).await;
    let catalog = key(&shop, "Catalog", &["CATALOG_READ"], None).await;
    let query = "query($input: AdminPromotionSimulateInput!) { promotionSimulate(input: $input) {
        cart { amount { amount } } orders { lookedAt } userErrors { code path } } }";
    let cart = json!({ "lines": [{ "variantId": tee }] });
    let input = json!({ "promotionId": quarter, "cart": cart });
    let told = catalog.send(&query.replace("orders { lookedAt }", ""), json!({ "input": input })).await;
    assert_eq!(told.at("promotionSimulate.cart.amount.amount"), "5.00");
    let input = json!({ "promotionId": quarter, "orders": {} });
    assert_eq!(catalog.send(query, json!({ "input": input })).await.error_code(), "FORBIDDEN");
    let ada = shop.customer("ada@example.com").await;
    let mut named = json!({ "promotionId": quarter, "cart": cart });
    named["cart"]["customerId"] = json!(ada.id.to_string());
    let refused = catalog.send(&query.replace("orders { lookedAt }", ""), json!({ "input": named })).await;
    assert_eq!(refused.body["data"]["promotionSimulate"]["userErrors"][0]["code"], "OUT_OF_SCOPE", "{}", refused.body);

    let usage = "query($id: ID!) { promotion(id: $id) { uses usage { used } } }";
    assert_eq!(catalog.send(usage, json!({ "id": quarter })).await.error_code(), "FORBIDDEN");

    // Orders of other channels are not looked at.
    let made = shop.set("channelCreate", json!({ "name": "Elsewhere" }), "channel { id }").await.done();
    let elsewhere = made["channel"]["id"].as_str().unwrap().to_owned();
    let limited = key(&shop, "Limited", &["CATALOG_READ", "ORDERS_READ"], Some(&elsewhere)).await;
    let only = json!({ "input": { "promotionId": quarter, "orders": {} } });
    assert_eq!(limited.send(query, only.clone()).await.at("promotionSimulate.orders.lookedAt"), 0);
    assert_eq!(shop.admin.send(query, only).await.at("promotionSimulate.orders.lookedAt"), 1);
}

#[tokio::test]
async fn staff_are_told_what_speaks_against_a_promotion() {
    let shop = Shop::open().await;
    let stays = shop.promotion("Stays", "AUTOMATIC", percent_off("10"), json!({ "conditions": spend("5.00") })).await;
    let yields = shop.promotion("Yields", "AUTOMATIC", percent_off("20"), json!({})).await;
    let odd = json!({ "all": [{ "is": { "signedIn": true } }, { "is": { "signedIn": false } }] });
    let odd = draft(&shop, "Odd", "AUTOMATIC", percent_off("20"), json!({ "conditions": odd })).await;
    let told = async |id: &str| {
        let query = "query($id: ID!) { promotion(id: $id) { hints { code message otherId otherTitle } } }";
        shop.admin.send(query, json!({ "id": id })).await.at("promotion.hints")
    };
    assert_eq!(
        told(&stays).await,
        json!([{ "code": "STAYS", "otherId": yields, "otherTitle": "Yields",
            "message": "Where both would count it stays, and \"Yields\" gives nothing." }])
    );
    assert_eq!(told(&yields).await[0]["code"], "YIELDS");
    assert_eq!(
        told(&odd).await,
        json!([{ "code": "NEVER_CONDITIONS", "otherId": null, "otherTitle": null,
            "message": "No cart meets its conditions: they are at odds with each other." }])
    );
    // A draft is looked at as if it were let go; others do not know of it.
    let alone =
        draft(&shop, "Alone", "AUTOMATIC", percent_off("30"), json!({ "priority": 9, "exclusive": true })).await;
    let codes: Vec<Value> = told(&alone).await.as_array().unwrap().iter().map(|hint| hint["code"].clone()).collect();
    assert_eq!(codes, [json!("KEEPS_OUT"), json!("KEEPS_OUT")]);
    assert_eq!(told(&stays).await.as_array().unwrap().len(), 1);
    shop.set("promotionActivate", json!({ "id": alone }), "promotion { id }").await.done();
    assert_eq!(told(&yields).await[0]["code"], "NEVER_KEPT_OUT");
    let list = "{ promotions { nodes { hints { code } } } }";
    let (one, all) = (
        shop.admin.send("{ promotions(first: 1) { nodes { hints { code } } } }", json!({})).await,
        shop.admin.send(list, json!({})).await,
    );
    assert_eq!(one.statements, all.statements);
}

#[tokio::test]
async fn what_promotions_and_codes_gave_and_brought_is_counted() {
    let (shop, tee) = german_shop().await;
    let half = shop.promotion("A half", "CODE", percent_off("50"), json!({})).await;
    let other = shop.promotion("Other", "CODE", percent_off("10"), json!({})).await;
    shop.code(&half, "HALF-A").await;
    shop.code(&half, "HALF-B").await;
    let buy = async |code: &str, quantity: i64| {
        let mut cart = shop.ready_cart(&[(&tee, quantity)], "manual").await;
        cart.enter(&[code]).await;
        let placed = cart.complete(&new_key()).await.done();
        shop.pass(TimeDelta::minutes(1));
        placed["order"]["id"].clone()
    };
    let start = shop.clock.now();
    buy("HALF-A", 1).await;
    buy("HALF-A", 2).await;
    let canceled = buy("HALF-B", 3).await;
    let cancel = json!({ "idempotencyKey": "c", "orderId": canceled });
    shop.set("orderCancel", cancel, "order { status }").await.done();

    const USAGE: &str = "{ reserved used released
        amounts { currencyCode orders discount { amount } revenue { amount } } }";
    let query = format!(
        "query($id: ID!, $from: DateTime, $until: DateTime) {{ promotion(id: $id) {{
            usage(from: $from, until: $until) {USAGE} }}
            promotionCodes(promotionId: $id) {{ nodes {{ code usage {USAGE} }} }} }}"
    );
    let told = shop.admin.send(&query, json!({ "id": half })).await;
    // 10.00 and 20.00 came off; 10.00 and 20.00 were paid, and 4.90 each to be sent.
    let both = json!({ "reserved": 0, "used": 2, "released": 1, "amounts": [{ "currencyCode": "EUR", "orders": 2,
        "discount": { "amount": "30.00" }, "revenue": { "amount": "39.80" } }] });
    assert_eq!(told.at("promotion.usage"), both);
    let by_code = told.at("promotionCodes.nodes");
    assert_eq!(by_code[0]["usage"], json!({ "reserved": 0, "used": 2, "released": 0, "amounts": both["amounts"] }));
    assert_eq!(by_code[1]["usage"], json!({ "reserved": 0, "used": 0, "released": 1, "amounts": [] }));
    let minute = |minutes: i64| start + TimeDelta::minutes(minutes);
    let second = json!({ "id": half, "from": minute(1), "until": minute(2) });
    let told = shop.admin.send(&query, second).await.at("promotion.usage");
    assert_eq!((&told["used"], &told["amounts"][0]["revenue"]["amount"]), (&json!(1), &json!("24.90")));
    let nothing = shop.admin.send(&query, json!({ "id": other })).await.at("promotion.usage");
    assert_eq!(nothing, json!({ "reserved": 0, "used": 0, "released": 0, "amounts": [] }));

    // One statement, however many promotions.
    let listed = |first: i32| format!("{{ promotions(first: {first}) {{ nodes {{ usage {{ used }} }} }} }}");
    let (one, two) = (shop.admin.send(&listed(1), json!({})).await, shop.admin.send(&listed(2), json!({})).await);
    assert_eq!((one.statements, two.at("promotions.nodes").as_array().unwrap().len()), (two.statements, 2));
    invariants(&shop).await;
}
