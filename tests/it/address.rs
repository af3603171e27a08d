//! Addresses: what a storefront is told of each country, and what holds when one is sent.

use serde_json::{Value, json};

use crate::support::buying::{address, faults, mutate};
use crate::support::walker::new_key;
use crate::support::{Answer, Shop};

/// Some countries of each kind: with and without postal codes and provinces.
const KINDS: [&str; 18] =
    ["US", "CA", "BR", "JP", "CN", "KR", "IN", "IT", "ES", "GB", "IE", "AE", "HK", "QA", "BB", "LT", "MT", "PE"];

/// An address with some lines of its own.
fn with(country: &str, lines: Value) -> Value {
    let mut whole = address(country);
    whole.as_object_mut().unwrap().extend(lines.as_object().unwrap().clone());
    whole
}

/// A cart that goes to an address, as the store answers.
async fn sent_to(shop: &Shop, shipping: Value) -> Answer {
    let select = "cart { shippingAddress { province provinceName postalCode } }";
    mutate(&shop.store, "", "cartCreate", json!({ "addresses": { "shipping": shipping } }), select).await
}

#[tokio::test]
async fn a_storefront_is_told_which_provinces_there_are_and_what_an_address_needs() {
    let shop = Shop::open().await;
    shop.europe(&["DE", "IE", "US"], true).await;
    let query = "{ countries { code provinces { code name } addressRules { lines required provinceLabel
        provinceMustBeListed postalCodeLabel postalCodePattern postalCodeExample } } }";
    let answer = shop.store.send(query, json!({})).await;
    assert_eq!(answer.statements, 0);
    let countries = answer.at("countries");
    let german = json!({
        "code": "DE",
        "provinces": [],
        "addressRules": {
            "lines": [["FIRST_NAME", "LAST_NAME"], ["COMPANY"], ["ADDRESS1"], ["ADDRESS2"], ["POSTAL_CODE", "CITY"],
                ["COUNTRY_CODE"], ["PHONE"]],
            "required": ["LAST_NAME", "ADDRESS1", "CITY", "POSTAL_CODE", "COUNTRY_CODE"],
            "provinceLabel": null,
            "provinceMustBeListed": false,
            "postalCodeLabel": "POSTAL_CODE",
            "postalCodePattern": r"^(?:\d\d\d\d\d)$",
            "postalCodeExample": "10115",
        },
    });
    assert_eq!(countries[0], german);
    let irish = &countries[1]["addressRules"];
    assert_eq!((&irish["provinceLabel"], &irish["postalCodeLabel"]), (&json!("COUNTY"), &json!("EIRCODE")));
    assert_eq!(irish["required"], json!(["LAST_NAME", "ADDRESS1", "CITY", "COUNTRY_CODE"]));
    let american = &countries[2];
    let states = american["provinces"].as_array().unwrap();
    assert_eq!((states.len(), &states[0]), (60, &json!({ "code": "AL", "name": "Alabama" })));
    assert_eq!(american["addressRules"]["lines"][4], json!(["CITY", "PROVINCE", "POSTAL_CODE"]));
    assert_eq!(american["addressRules"]["provinceMustBeListed"], true);
    assert_eq!(american["addressRules"]["postalCodeLabel"], "ZIP_CODE");
}

#[tokio::test]
async fn an_address_is_kept_in_the_form_of_its_country() {
    let shop = Shop::open().await;
    shop.europe(&["US", "JP", "NL", "IE"], true).await;
    for (country, typed, kept) in [
        (
            "US",
            json!({ "province": "new york", "postalCode": "10001 1234" }),
            json!({ "province": "NY", "provinceName": "New York", "postalCode": "10001-1234" }),
        ),
        (
            "JP",
            json!({ "province": "JP-13", "postalCode": "1000001" }),
            json!({ "province": "13", "provinceName": "Tokyo", "postalCode": "100-0001" }),
        ),
        (
            "NL",
            json!({ "postalCode": "nl-1012ab" }),
            json!({ "province": null, "provinceName": null, "postalCode": "1012 AB" }),
        ),
        (
            "IE",
            json!({ "province": "Co. Cork", "postalCode": null }),
            json!({ "province": "Co. Cork", "provinceName": "Co. Cork", "postalCode": null }),
        ),
    ] {
        let cart = sent_to(&shop, with(country, typed)).await.done();
        assert_eq!(cart["cart"]["shippingAddress"], kept, "{country}");
    }
}

#[tokio::test]
async fn what_can_t_be_in_the_country_is_refused_wherever_it_is_sent() {
    let shop = Shop::open().await;
    shop.europe(&["DE", "US"], true).await;
    let ada = shop.customer("ada@shopper.example").await;
    for (country, lines, refused) in [
        ("US", json!({ "province": null }), vec!["REQUIRED province"]),
        ("US", json!({ "province": "Bavaria" }), vec!["INVALID province"]),
        (
            "US",
            json!({ "province": "'; drop table cart --", "postalCode": "1" }),
            vec!["INVALID province", "INVALID postalCode"],
        ),
        ("DE", json!({ "postalCode": "1010" }), vec!["INVALID postalCode"]),
        ("DE", json!({ "postalCode": " ", "city": "" }), vec!["REQUIRED city", "REQUIRED postalCode"]),
    ] {
        let under = |path: &str| -> Vec<String> {
            refused.iter().map(|fault| fault.replace(' ', &format!(" {path}."))).collect()
        };
        let lines = with(country, lines);
        let cart = sent_to(&shop, lines.clone()).await;
        assert_eq!(faults(&cart), under("addresses.shipping"), "{lines}");
        let billing = json!({ "addresses": { "billing": lines } });
        let billing = mutate(&shop.store, "", "cartCreate", billing, "cart { id }").await;
        assert_eq!(faults(&billing), under("addresses.billing"), "{lines}");
        let book = ada.mutate("customerAddressCreate", json!({ "address": lines }), "address { id }").await;
        assert_eq!(faults(&book), under("address"), "{lines}");
    }
    let wrong = sent_to(&shop, with("DE", json!({ "postalCode": "1010" }))).await;
    let message = wrong.at("cartCreate.userErrors.0.message");
    assert_eq!(message, "\"1010\" is no postal code of DE; one of them is 10115.");
}

#[tokio::test]
async fn every_kind_of_country_takes_the_address_that_its_rules_describe() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    for country in KINDS {
        let ada = address(country);
        let cart = sent_to(&shop, ada.clone()).await.done();
        let kept = &cart["cart"]["shippingAddress"];
        assert_eq!((&kept["province"], &kept["postalCode"]), (&ada["province"], &ada["postalCode"]), "{country}");
    }
}

#[tokio::test]
async fn what_is_stored_already_is_never_refused_for_it() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual"]).await;
    let tee = shop.product("Tee").price("20.00").stock(5).create().await;
    let mut cart = shop.cart(&[(&tee.variant, 1)]).await;
    let old = json!({ "first_name": null, "last_name": "Old", "company": null, "address1": "Elm Street 1",
        "address2": null, "city": "Town", "province": "Somewhere", "postal_code": "D 1", "country": "DE", "phone": null });
    let conn = shop.app.db.admin();
    let sql = "update cart set shipping_address = ?";
    let statement = engine::db::statement(&shop.app.read(), sql, [old.into()]);
    sea_orm::ConnectionTrait::execute_raw(conn, statement).await.unwrap();
    cart.select_delivery().await.done();
    cart.pay("manual").await.done();
    let answer = cart.complete(&new_key()).await;
    let order = answer.done()["order"].clone();
    assert!(order.is_object(), "{}", answer.body);
    cart.client = shop.store.clone();
}
