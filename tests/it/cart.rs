//! Carts: what they cost, what they refuse, whose they are.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::id::{CartId, VariantId};
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::buying::{address, euro, faults, mutate};
use crate::support::invariants::invariants;
use crate::support::{Answer, Shop};

async fn german_shop(prices_include_tax: bool) -> Shop {
    let shop = Shop::open().await;
    shop.europe(&["DE"], prices_include_tax).await;
    shop
}

async fn create(shop: &Shop, input: Value) -> Answer {
    mutate(&shop.store, "", "cartCreate", input, "cart { id } cartToken").await
}

fn line(variant: &str, quantity: i64) -> Value {
    json!({ "variantId": variant, "quantity": quantity })
}

#[tokio::test]
async fn prices_that_include_tax_are_what_is_paid() {
    let shop = german_shop(true).await;
    let tee = shop.tee("20.00", 5).await;
    let mut cart = shop.cart(&[(&tee, 2)]).await;
    // 40.00 / 1.19 = 33.61: the tax is what is left.
    assert_eq!((cart.amount("subtotal"), cart.amount("tax")), ("40.00".to_owned(), "6.39".to_owned()));
    cart.select_delivery().await.done();
    assert_eq!(cart.amount("shipping"), "4.90");
    assert_eq!(cart.amount("total"), "44.90");
    // 4.90 / 1.19 = 4.12, so 0.78 more.
    assert_eq!(cart.amount("tax"), "7.17");
    assert_eq!(cart.shown["lines"][0]["total"]["amount"], "40.00");
    assert_eq!(cart.issues(), ["PAYMENT_MISSING"]);
    cart.pay("manual").await.done();
    assert_eq!(cart.issues(), [""; 0]);
    assert_eq!(cart.shown["paymentSession"]["provider"], "manual");
    invariants(&shop).await;
}

#[tokio::test]
async fn tax_comes_on_top_where_prices_exclude_it() {
    let shop = german_shop(false).await;
    let tee = shop.tee("18.00", 5).await;
    let mut cart = shop.cart(&[(&tee, 2)]).await;
    assert_eq!((cart.amount("subtotal"), cart.amount("tax")), ("36.00".to_owned(), "6.84".to_owned()));
    assert_eq!(cart.amount("total"), "42.84");
    cart.select_delivery().await.done();
    assert_eq!((cart.amount("tax"), cart.amount("total")), ("7.77".to_owned(), "48.67".to_owned()));
    assert_eq!(cart.shown["lines"][0]["subtotal"]["amount"], "36.00");
    assert_eq!(cart.shown["lines"][0]["tax"]["amount"], "6.84");
    assert_eq!(cart.shown["lines"][0]["total"]["amount"], "42.84");
    invariants(&shop).await;
}

#[tokio::test]
async fn lines_of_one_variant_merge_change_and_go() {
    let shop = german_shop(true).await;
    let tee = shop.tee("20.00", 50).await;
    let mug = shop.product("Mug").price("8.50").stock(50).create().await.variant;
    let mut cart = shop.cart(&[(&tee, 2), (&mug, 1), (&tee, 1)]).await;
    cart.mutate("cartLinesAdd", json!({ "lines": [line(&mug, 1), { "variantId": tee }] })).await.done();
    let held = |cart: &Value| -> Vec<(String, i64)> {
        let lines = cart["lines"].as_array().unwrap().iter();
        lines.map(|line| (line["variantId"].as_str().unwrap().to_owned(), line["quantity"].as_i64().unwrap())).collect()
    };
    assert_eq!(held(&cart.shown), [(tee.clone(), 4), (mug.clone(), 2)]);
    assert_eq!((cart.amount("total").as_str(), &cart.shown["totalQuantity"]), ("97.00", &json!(6)));

    let (first, second) = (cart.shown["lines"][0]["id"].clone(), cart.shown["lines"][1]["id"].clone());
    cart.mutate("cartLinesUpdate", json!({ "lines": [{ "lineId": second, "quantity": 3 }] })).await.done();
    assert_eq!(held(&cart.shown), [(tee.clone(), 4), (mug.clone(), 3)]);
    cart.mutate("cartLinesRemove", json!({ "lineIds": [first] })).await.done();
    assert_eq!(held(&cart.shown), [(mug.clone(), 3)]);
    assert_eq!(cart.amount("total"), "25.50");
    let gone = cart.mutate("cartLinesRemove", json!({ "lineIds": [second, first] })).await;
    assert_eq!(faults(&gone), ["NOT_FOUND lineIds.1"]);
    let gone = cart.mutate("cartLinesUpdate", json!({ "lines": [{ "lineId": first, "quantity": 0 }] })).await;
    assert_eq!(faults(&gone), ["QUANTITY_OUT_OF_RANGE lines.0.quantity", "NOT_FOUND lines.0.lineId"]);
    assert_eq!(held(&cart.show().await), [(mug, 3)], "a refusal changes nothing");
    invariants(&shop).await;
}

#[tokio::test]
async fn quantities_have_bounds_wherever_they_come_in() {
    let shop = german_shop(true).await;
    let tee = shop.tee("20.00", 5).await;
    let bad = [0, -1, 10_000, 9_007_199_254_740_991_i64];
    let lines: Vec<_> = bad.iter().map(|quantity| line(&tee, *quantity)).collect();
    let expected: Vec<_> =
        (0..bad.len()).map(|place| format!("QUANTITY_OUT_OF_RANGE lines.{place}.quantity")).collect();
    let refused = create(&shop, json!({ "lines": lines })).await;
    assert_eq!(faults(&refused), expected);
    assert_eq!(refused.at("cartCreate.userErrors.0.limit"), 9_999);
    assert_eq!(refused.at("cartCreate.cartToken"), json!(null));

    let mut cart = shop.cart(&[(&tee, 1)]).await;
    assert_eq!(faults(&cart.mutate("cartLinesAdd", json!({ "lines": lines })).await), expected);
    let id = cart.shown["lines"][0]["id"].clone();
    for quantity in bad {
        let update = json!({ "lines": [{ "lineId": id, "quantity": quantity }] });
        let refused = cart.mutate("cartLinesUpdate", update).await;
        assert_eq!(faults(&refused), ["QUANTITY_OUT_OF_RANGE lines.0.quantity"], "{quantity}");
    }
    let grown = cart.mutate("cartLinesAdd", json!({ "lines": [line(&tee, 9_999)] })).await;
    assert_eq!(faults(&grown), ["QUANTITY_OUT_OF_RANGE lines.0.quantity"], "1 and 9999 are too many together");
    assert_eq!(cart.show().await["totalQuantity"], 1);
    invariants(&shop).await;
}

#[tokio::test]
async fn what_is_not_for_sale_here_is_refused() {
    let shop = german_shop(true).await;
    let tee = shop.tee("20.00", 5).await;
    let channel = shop.set("channelCreate", json!({ "name": "Wholesale" }), "channel { id }").await.done();
    let elsewhere = json!([channel["channel"]["id"]]);
    let elsewhere = shop.product("Elsewhere").price("1.00").stock(1).with("channelIds", elsewhere).create().await;
    let draft = shop.product("Draft").price("1.00").stock(1).with("status", json!("DRAFT")).create().await;
    let unknown = VariantId(Uuid::now_v7()).to_string();
    let mut cart = shop.cart(&[(&tee, 1)]).await;
    for variant in [&elsewhere.variant, &draft.variant, &unknown] {
        let lines = json!({ "lines": [line(&tee, 1), line(variant, 1)] });
        assert_eq!(faults(&create(&shop, lines.clone()).await), ["NOT_FOR_SALE lines.1.variantId"], "{variant}");
        assert_eq!(faults(&cart.mutate("cartLinesAdd", lines).await), ["NOT_FOR_SALE lines.1.variantId"], "{variant}");
    }
    for malformed in ["", "tee", elsewhere.product.as_str(), "variant_0", "' or 1=1 --"] {
        let lines = json!({ "lines": [line(malformed, 1)] });
        assert_eq!(faults(&create(&shop, lines.clone()).await), ["INVALID lines.0.variantId"], "{malformed}");
        assert_eq!(faults(&cart.mutate("cartLinesAdd", lines).await), ["INVALID lines.0.variantId"], "{malformed}");
    }
    assert_eq!(cart.show().await["totalQuantity"], 1);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_product_that_goes_off_sale_stays_in_the_cart_and_blocks_it() {
    let shop = german_shop(true).await;
    let tee = shop.product("Tee").price("20.00").stock(5).create().await;
    let mut cart = shop.ready_cart(&[(&tee.variant, 1)], "manual").await;
    shop.set("productPublish", json!({ "id": tee.product, "channelIds": [] }), "product { id }").await.done();
    cart.show().await;
    assert_eq!(cart.issues(), ["NOT_FOR_SALE"]);
    assert_eq!(cart.shown["issues"][0]["lineId"], cart.shown["lines"][0]["id"]);
    assert_eq!(cart.complete("k").await.refusals(), ["NOT_FOR_SALE"]);
    assert_eq!(cart.show().await["state"], "OPEN");
    invariants(&shop).await;
}

#[tokio::test]
async fn only_who_holds_the_token_has_the_cart() {
    let shop = german_shop(true).await;
    let tee = shop.tee("20.00", 5).await;
    let cart = shop.cart(&[(&tee, 1)]).await;
    let other = shop.cart(&[(&tee, 1)]).await;
    let nobody = CartId(Uuid::now_v7()).to_string();
    let read = "query($id: ID!, $token: String) { cart(id: $id, token: $token) { id } }";
    let own = cart.id.as_str();
    let stranger = [
        (own, json!(null)),
        (own, json!("")),
        (own, json!(other.token)),
        (own, json!(cart.token.to_uppercase())),
        (nobody.as_str(), json!(cart.token)),
    ];
    for (id, token) in stranger {
        let seen = shop.store.send(read, json!({ "id": id, "token": token })).await;
        assert_eq!(seen.at("cart"), json!(null), "{id} {token}");
        for (mutation, mut input) in [
            ("cartLinesAdd", json!({ "lines": [line(&tee, 1)] })),
            ("cartLinesUpdate", json!({ "lines": [{ "lineId": cart.shown["lines"][0]["id"], "quantity": 2 }] })),
            ("cartLinesRemove", json!({ "lineIds": [cart.shown["lines"][0]["id"]] })),
            ("cartBuyerUpdate", json!({ "email": "eve@example.com" })),
            ("cartAddressesUpdate", json!({ "shipping": null })),
            ("paymentSessionCreate", json!({ "provider": "manual" })),
            ("checkoutCancel", json!({})),
            ("cartComplete", json!({ "idempotencyKey": "k", "expectedTotal": euro("20.00") })),
        ] {
            input["cartId"] = json!(id);
            input["cartToken"] = token.clone();
            let refused = mutate(&shop.store, "", mutation, input, "__typename").await;
            assert_eq!(faults(&refused), ["NOT_FOUND cartId"], "{mutation} {id} {token}");
        }
    }
    for malformed in ["", "cart", other.token.as_str()] {
        let seen = shop.store.send(read, json!({ "id": malformed, "token": cart.token })).await;
        assert_eq!(seen.at("cart"), json!(null));
        let input = json!({ "cartId": malformed, "cartToken": cart.token, "lines": [line(&tee, 1)] });
        let refused = mutate(&shop.store, "", "cartLinesAdd", input, "__typename").await;
        assert_eq!(faults(&refused), ["INVALID cartId"]);
    }
    invariants(&shop).await;
}

#[tokio::test]
async fn a_cart_whose_time_is_over_is_gone_for_good() {
    let shop = german_shop(true).await;
    let tee = shop.tee("20.00", 5).await;
    let mut cart = shop.ready_cart(&[(&tee, 1)], "manual").await;
    shop.pass(TimeDelta::days(31));
    assert_eq!(cart.complete("k").await.refusals(), ["NOT_FOUND"]);
    assert_eq!(cart.show().await, json!(null));
    let refused = cart.mutate("cartLinesAdd", json!({ "lines": [line(&tee, 1)] })).await;
    assert_eq!(faults(&refused), ["NOT_FOUND cartId"], "a change does not bring it back");
    invariants(&shop).await;
}

async fn shop_with_britain() -> (Shop, String) {
    let shop = german_shop(true).await;
    let britain = json!({
        "handle": "britain", "name": "Britain", "currencyCode": "GBP", "countries": ["GB"], "pricesIncludeTax": true,
    });
    shop.set("regionSet", britain, "region { id }").await.done();
    let tee = shop.product("Tee").price("20.00").price_in("17.00", "GBP").stock(5).create().await.variant;
    (shop, tee)
}

#[tokio::test]
async fn another_region_has_other_prices() {
    let (shop, tee) = shop_with_britain().await;
    let mut cart = shop.cart(&[(&tee, 2)]).await;
    cart.select_delivery().await.done();
    assert_eq!((&cart.shown["currencyCode"], cart.amount("total")), (&json!("EUR"), "44.90".to_owned()));
    cart.mutate("cartBuyerUpdate", json!({ "region": "britain" })).await.done();
    assert_eq!((&cart.shown["currencyCode"], cart.amount("total")), (&json!("GBP"), "34.00".to_owned()));
    assert_eq!(cart.shown["lines"][0]["unitPrice"]["amount"], "17.00");
    assert!(cart.issues().contains(&"PRICE_CHANGED".to_owned()), "the switch is told: {:?}", cart.issues());
    assert!(cart.issues().contains(&"COUNTRY_NOT_SERVED".to_owned()), "{:?}", cart.issues());
    cart.mutate("cartBuyerUpdate", json!({ "region": "europe" })).await.done();
    assert_eq!(cart.amount("total"), "44.90");

    let britain = shop.cart_of(json!({ "lines": [line(&tee, 1)], "buyer": { "region": "britain" } })).await;
    assert_eq!(britain.amount("total"), "17.00");
    let by_address = json!({ "lines": [line(&tee, 1)], "addresses": { "shipping": address("GB") } });
    assert_eq!(shop.cart_of(by_address).await.shown["currencyCode"], "GBP");
    invariants(&shop).await;
}

#[tokio::test]
async fn a_shop_without_a_region_sells_nothing_and_says_so() {
    let shop = Shop::open().await;
    let refused = create(&shop, json!({})).await;
    assert_eq!(faults(&refused), ["REGION_MISSING buyer.region"]);
}

#[tokio::test]
async fn unknown_regions_are_refused_everywhere() {
    let (shop, tee) = shop_with_britain().await;
    let mut cart = shop.cart(&[(&tee, 1)]).await;
    let refused = cart.mutate("cartBuyerUpdate", json!({ "region": "atlantis", "email": "no mail" })).await;
    assert_eq!(faults(&refused), ["INVALID email", "NOT_FOUND region"]);
    assert_eq!(cart.show().await["currencyCode"], "EUR");
    let refused = create(&shop, json!({ "buyer": { "region": "atlantis" } })).await;
    assert_eq!(faults(&refused), ["NOT_FOUND buyer.region"]);
    let header = shop.store.with("x-region", "atlantis").send("{ shop { locale } }", json!({})).await;
    assert_eq!((header.status, header.error_code().as_str()), (400, "NOT_FOUND"));
    let british = shop.store.with("x-region", "britain");
    let made = mutate(&british, "", "cartCreate", json!({}), "cart { currencyCode }").await;
    assert_eq!(made.done()["cart"]["currencyCode"], "GBP");
    invariants(&shop).await;
}

#[tokio::test]
async fn a_new_price_is_told_once_and_does_not_block() {
    let shop = german_shop(true).await;
    let tee = shop.product("Tee").price("20.00").stock(5).create().await;
    let mut cart = shop.ready_cart(&[(&tee.variant, 2)], "manual").await;
    let seen = cart.total();
    let variants = json!([{ "id": tee.variant, "prices": [{ "amount": euro("21.00") }] }]);
    shop.set("productUpdate", json!({ "id": tee.product, "variants": variants }), "product { id }").await.done();
    cart.show().await;
    let issue = json!({
        "code": "PRICE_CHANGED", "blocking": false, "lineId": cart.shown["lines"][0]["id"], "quantityAvailable": null,
    });
    assert_eq!(cart.shown["issues"], json!([issue]));
    assert_eq!(cart.amount("total"), "46.90");
    assert_eq!(faults(&cart.complete_for("k", seen).await), ["TOTAL_CHANGED expectedTotal"]);
    cart.mutate("cartBuyerUpdate", json!({ "locale": "de" })).await.done();
    assert_eq!(cart.issues(), ["PRICE_CHANGED"], "the answer that shows the new price tells so");
    cart.show().await;
    assert_eq!(cart.issues(), [""; 0], "the shopper has seen it");
    cart.complete("k").await.done();
    invariants(&shop).await;
}

#[tokio::test]
async fn everything_that_is_missing_is_listed() {
    let shop = german_shop(true).await;
    let tee = shop.tee("20.00", 3).await;
    let priceless = shop.product("Priceless").stock(3).create().await.variant;
    let empty = shop.cart_of(json!({})).await;
    assert_eq!(empty.issues(), ["CART_EMPTY", "EMAIL_MISSING"]);
    assert_eq!(empty.complete("k").await.refusals(), ["CART_EMPTY", "EMAIL_MISSING"]);

    let bare = shop.cart_of(json!({ "lines": [line(&tee, 5), line(&priceless, 1)] })).await;
    let expected = [
        "INSUFFICIENT_STOCK",
        "PRICE_MISSING",
        "EMAIL_MISSING",
        "SHIPPING_ADDRESS_MISSING",
        "DELIVERY_MISSING",
        "PAYMENT_MISSING",
    ];
    assert_eq!(bare.issues(), expected);
    let short = json!({
        "code": "INSUFFICIENT_STOCK", "blocking": true, "lineId": bare.shown["lines"][0]["id"], "quantityAvailable": 3,
    });
    assert_eq!(bare.shown["issues"][0], short);
    assert_eq!(bare.shown["deliveryGroups"][0]["options"], json!([]), "no options without an address");
    let refused = bare.complete("k").await;
    assert_eq!(refused.refusals(), expected);
    assert_eq!(refused.at("cartComplete.userErrors.0.quantityAvailable"), 3);
    assert_eq!(refused.at("cartComplete.userErrors.0.entityId"), json!(tee));
    assert_eq!(shop.level(&tee).await, (3, 0));
    invariants(&shop).await;
}

#[tokio::test]
async fn an_address_names_each_bad_line() {
    let shop = german_shop(true).await;
    let tee = shop.tee("20.00", 5).await;
    let mut cart = shop.cart(&[(&tee, 1)]).await;
    let bad = json!({
        "lastName": " ", "address1": "x".repeat(256), "city": "", "phone": "1\n2", "countryCode": "DE",
    });
    let expected = |path: &str| {
        ["INVALID", "REQUIRED", "INVALID", "REQUIRED", "REQUIRED"]
            .iter()
            .zip(["phone", "lastName", "address1", "city", "postalCode"])
            .map(|(code, line)| format!("{code} {path}.{line}"))
            .collect::<Vec<_>>()
    };
    let refused = cart.mutate("cartAddressesUpdate", json!({ "shipping": bad, "billing": bad })).await;
    assert_eq!(faults(&refused), [expected("shipping"), expected("billing")].concat());
    let refused = create(&shop, json!({ "addresses": { "billing": bad }, "lines": [line(&tee, 0)] })).await;
    let lines = vec!["QUANTITY_OUT_OF_RANGE lines.0.quantity".to_owned()];
    assert_eq!(faults(&refused), [expected("addresses.billing"), lines].concat());
    let query = "query($id: ID!, $token: String) { cart(id: $id, token: $token) { shippingAddress { city }
        billingAddress { city } } }";
    let kept = shop.store.send(query, json!({ "id": cart.id, "token": cart.token })).await;
    assert_eq!(kept.at("cart"), json!({ "shippingAddress": { "city": "Town" }, "billingAddress": null }));
    let unknown = cart.mutate("cartAddressesUpdate", json!({ "shipping": address("XX") })).await;
    assert!(unknown.error().contains("CountryCode") || unknown.error().contains("country"), "{}", unknown.error());
    invariants(&shop).await;
}

#[tokio::test]
async fn a_delivery_option_of_another_country_is_refused_and_not_kept() {
    let shop = german_shop(true).await;
    let tee = shop.tee("20.00", 5).await;
    let alps = json!({ "handle": "alps", "name": "Over the Alps", "countries": ["AT"], "prices": [euro("9.90")] });
    let alps = shop.set("shippingOptionSet", alps, "shippingOption { id }").await.done();
    let mut cart = shop.cart(&[(&tee, 1)]).await;
    assert_eq!(cart.shown["deliveryGroups"][0]["options"].as_array().unwrap().len(), 1);
    let choice = json!({ "deliveryOptionId": alps["shippingOption"]["id"] });
    assert_eq!(faults(&cart.mutate("cartDeliverySelect", choice).await), ["DELIVERY_UNAVAILABLE deliveryOptionId"]);
    let malformed = cart.mutate("cartDeliverySelect", json!({ "deliveryOptionId": "parcel" })).await;
    assert_eq!(faults(&malformed), ["INVALID deliveryOptionId"]);
    assert_eq!(cart.show().await["deliveryGroups"][0]["selected"], json!(null));
    let kept = entity::cart_delivery::Entity::find().all(&shop.app.read()).await.unwrap();
    assert!(kept.iter().all(|group| group.shipping_option_id.is_none()), "{kept:?}");

    cart.select_delivery().await.done();
    let moved = json!({ "shipping": address("AT") });
    cart.mutate("cartAddressesUpdate", moved).await.done();
    assert_eq!(cart.issues(), ["COUNTRY_NOT_SERVED", "DELIVERY_UNAVAILABLE", "PAYMENT_MISSING"]);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_payment_provider_that_is_not_offered_is_refused() {
    let shop = german_shop(true).await;
    let tee = shop.tee("20.00", 5).await;
    let mut cart = shop.cart(&[(&tee, 1)]).await;
    for provider in ["", "Manual", "stripe"] {
        assert_eq!(faults(&cart.pay(provider).await), ["PAYMENT_PROVIDER_UNAVAILABLE provider"]);
    }
    let large = json!({ "provider": "manual", "data": { "x": "y".repeat(16 * 1024) } });
    assert_eq!(faults(&cart.mutate("paymentSessionCreate", large).await), ["TOO_MANY data"]);
    assert_eq!(cart.show().await["paymentSession"], json!(null));
    invariants(&shop).await;
}

#[tokio::test]
async fn no_input_of_a_shopper_sets_what_the_shop_decides() {
    let shop = Shop::open().await;
    let query = "{ __schema { types { name kind inputFields { name } } } }";
    let types = shop.store.send(query, json!({})).await.at("__schema.types");
    let mut decided = BTreeSet::new();
    let mut inputs = 0;
    for kind in types.as_array().unwrap() {
        let name = kind["name"].as_str().unwrap();
        // Filters and sorts ask; they set nothing.
        if kind["kind"] != "INPUT_OBJECT" || name.ends_with("Filter") || name.ends_with("Sort") {
            continue;
        }
        inputs += 1;
        for field in kind["inputFields"].as_array().unwrap() {
            let field = field["name"].as_str().unwrap();
            let words =
                ["price", "total", "tax", "status", "state", "discount", "customer", "paid", "number", "version"];
            let lower = field.to_lowercase();
            // Asking for a link names the order by its number.
            let asks = name == "OrderAccessRequestInput" && field == "number";
            // Who has a VAT number says so; what follows from it is the shop's.
            let own = ["expectedTotal", "taxNumber"].contains(&field);
            if words.iter().any(|word| lower.contains(word)) && !own && !asks {
                decided.insert(format!("{name}.{field}"));
            }
        }
    }
    assert!(inputs > 10, "{inputs}");
    assert!(decided.is_empty(), "{decided:?}");
}
