//! Taxes: which rates are due where, who owes none, and what a tax says of itself.

use engine::db::{Db, StatementCount};
use entity::{line_tax, tax_rate, tax_region};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{CartSession, Placed, faults, mutate};
use crate::support::database::TestDatabase;
use crate::support::invariants::invariants;

/// A region with its own currency.
async fn sells(shop: &Shop, currency: &str, countries: &[&str], inclusive: bool, rounding: &str) {
    let input = json!({ "name": format!("{currency} {}", countries[0]), "currencyCode": currency,
        "countries": countries, "pricesIncludeTax": inclusive, "taxRounding": rounding });
    shop.set("regionSet", input, "region { id }").await.done();
}

/// An area within another one; `more` says which part.
async fn area(shop: &Shop, country: &str, parent: Option<&str>, more: Value) -> String {
    let mut input = json!({ "countryCode": country, "parentId": parent });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = shop.set("taxRegionSet", input, "taxRegion { id }").await.done();
    made["taxRegion"]["id"].as_str().unwrap().to_owned()
}

/// A rate of an area, the default unless `more` says otherwise.
async fn rate(shop: &Shop, area: &str, code: &str, percent: &str, more: Value) -> Value {
    let mut input = json!({ "taxRegionId": area, "code": code, "name": code, "percent": percent });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    shop.set("taxRateSet", input, "taxRate { id version }").await.done()["taxRate"].clone()
}

/// Goods that nobody sends, of a type.
async fn goods(shop: &Shop, title: &str, price: &str, currency: &str) -> String {
    let product = shop.product(title).with("productType", json!(title)).price_in(price, currency);
    product.digital().create().await.variant
}

fn address(country: &str, province: &str, city: &str, postal_code: &str) -> Value {
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    json!({ "lastName": "Lovelace", "address1": "Elm Street 1", "city": city, "countryCode": country,
        "province": given(province), "postalCode": given(postal_code) })
}

async fn cart(shop: &Shop, lines: &[(&str, i64)], to: Value) -> CartSession {
    let lines: Vec<_> =
        lines.iter().map(|(variant, quantity)| json!({ "variantId": variant, "quantity": quantity })).collect();
    let buyer = json!({ "email": "ada@example.com" });
    shop.cart_of(json!({ "lines": lines, "buyer": buyer, "addresses": { "shipping": to } })).await
}

/// `CODE base tax` of each tax of a cart, then the total.
async fn bill(cart: &CartSession) -> Vec<String> {
    let query = "query($id: ID!, $token: String) { cart(id: $id, token: $token) {
        taxes { code base { amount } amount { amount } } total { amount } } }";
    let answer = cart.client.send(query, json!({ "id": cart.id, "token": cart.token })).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let told = |tax: &Value| {
        format!("{} {} {}", text(&tax["code"]), text(&tax["base"]["amount"]), text(&tax["amount"]["amount"]))
    };
    let mut lines: Vec<String> = answer.at("cart.taxes").as_array().unwrap().iter().map(told).collect();
    lines.push(answer.text("cart.total.amount"));
    lines
}

async fn place(mut cart: CartSession) -> Placed {
    cart.pay("manual").await.done();
    let answer = cart.complete(&cart.id.clone()).await;
    Placed::of(cart, &answer)
}

#[tokio::test]
async fn a_type_has_its_own_rate_and_the_order_keeps_why() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let (shirt, book) = (goods(&shop, "Shirt", "19.99", "EUR").await, goods(&shop, "Book", "14.99", "EUR").await);
    let reduced = json!({ "countryCode": "DE", "code": "VAT7", "name": "VAT, reduced", "percent": "7",
        "default": false, "productTypes": ["book"] });
    let reduced = shop.set("taxRateSet", reduced, "taxRate { id version productTypes default }").await.done();
    assert_eq!(reduced["taxRate"]["productTypes"], json!(["Book"]));
    let cart = cart(&shop, &[(&shirt, 2), (&book, 1)], address("DE", "", "Berlin", "10115")).await;
    // 39.98 / 1.19 = 33.5966 and 14.99 / 1.07 = 14.0093.
    assert_eq!(bill(&cart).await, ["VAT 33.60 6.38", "VAT7 14.01 0.98", "54.97"]);
    let query = "query($id: ID!, $token: String) { cart(id: $id, token: $token) { taxExemption lines {
        taxes { code explanation { basis place { countryCode provinceCode } } }
        taxesPassedOver { code reason place { countryCode } } } } }";
    let lines = cart.client.send(query, json!({ "id": cart.id, "token": cart.token })).await.at("cart.lines");
    let because = |basis: &str| json!({ "basis": basis, "place": { "countryCode": "DE", "provinceCode": null } });
    assert_eq!(lines[0]["taxes"], json!([{ "code": "VAT", "explanation": because("DEFAULT") }]));
    assert_eq!(lines[0]["taxesPassedOver"], json!([]));
    assert_eq!(lines[1]["taxes"], json!([{ "code": "VAT7", "explanation": because("PRODUCT_TYPE") }]));
    let passed = json!([{ "code": "VAT", "reason": "OVERRIDDEN", "place": { "countryCode": "DE" } }]);
    assert_eq!(lines[1]["taxesPassedOver"], passed);

    let placed = place(cart).await;
    let gone = json!({ "id": reduced["taxRate"]["id"], "expectedVersion": 1 });
    shop.set("taxRateDelete", gone, "deletedId").await.done();
    let query = "query($id: ID!) { order(id: $id) { taxExemption taxes { code percent amount { amount }
        explanation { basis place { countryCode } } } lines { taxes { code explanation { basis } } } } }";
    let order = shop.admin.send(query, json!({ "id": placed.id })).await.at("order");
    let tax = |code: &str, percent: &str, amount: &str, basis: &str| {
        json!({ "code": code, "percent": percent, "amount": { "amount": amount },
            "explanation": { "basis": basis, "place": { "countryCode": "DE" } } })
    };
    let taxes = json!([tax("VAT", "19", "6.38", "DEFAULT"), tax("VAT7", "7", "0.98", "PRODUCT_TYPE")]);
    assert_eq!(order["taxes"], taxes);
    let line = |code: &str, basis: &str| json!({ "taxes": [{ "code": code, "explanation": { "basis": basis } }] });
    assert_eq!(order["lines"], json!([line("VAT", "DEFAULT"), line("VAT7", "PRODUCT_TYPE")]));
    invariants(&shop).await;
}

#[tokio::test]
async fn city_district_and_state_add_up_and_a_product_may_be_free() {
    let shop = Shop::open().await;
    sells(&shop, "USD", &["US"], false, "LINE").await;
    let country = area(&shop, "US", None, json!({})).await;
    let state = area(&shop, "US", Some(&country), json!({ "provinceCode": "New York" })).await;
    let patterns = json!({ "provinceCode": "NY", "county": "MCTD", "postalPatterns": ["100*", "11200-11299"] });
    let district = area(&shop, "US", Some(&state), patterns).await;
    let city = area(&shop, "US", Some(&district), json!({ "provinceCode": "NY", "city": "New York" })).await;
    rate(&shop, &state, "NY", "4", json!({})).await;
    rate(&shop, &district, "MCTD", "0.375", json!({ "combinable": true })).await;
    rate(&shop, &city, "NYC", "4.5", json!({ "combinable": true })).await;
    let lamp = goods(&shop, "Lamp", "100.00", "USD").await;
    let shirt = shop.product("Shirt").price_in("100.00", "USD").digital().create().await;
    rate(&shop, &city, "FREE", "0", json!({ "default": false, "productIds": [shirt.product] })).await;

    let brooklyn = address("US", "NY", "new york", "11201-1832");
    let both = cart(&shop, &[(&lamp, 1), (&shirt.variant, 1)], brooklyn.clone()).await;
    let taxes = ["NYC 100.00 4.50", "MCTD 100.00 0.38", "NY 100.00 4.00", "FREE 100.00 0.00", "208.88"];
    assert_eq!(bill(&both).await, taxes);
    let albany = cart(&shop, &[(&lamp, 1)], address("US", "NY", "Albany", "12207")).await;
    assert_eq!(bill(&albany).await, ["NY 100.00 4.00", "104.00"]);
    let portland = cart(&shop, &[(&lamp, 1)], address("US", "OR", "Portland", "97201")).await;
    assert_eq!(bill(&portland).await, ["100.00"]);
    let query = "query($id: ID!, $token: String) { cart(id: $id, token: $token) { lines {
        taxesPassedOver { code reason place { city } } } } }";
    let lines = both.client.send(query, json!({ "id": both.id, "token": both.token })).await.at("cart.lines");
    let none = json!({ "code": null, "reason": "NO_RATE", "place": { "city": null } });
    assert_eq!(lines[0]["taxesPassedOver"], json!([none]));
    let passed = |code: &str, reason: &str, city: Option<&str>| json!({ "code": code, "reason": reason, "place": { "city": city } });
    let expected = json!([
        passed("NYC", "OVERRIDDEN", Some("New York")),
        passed("MCTD", "NOT_COMBINED", None),
        passed("NY", "NOT_COMBINED", None),
        none
    ]);
    assert_eq!(lines[1]["taxesPassedOver"], expected);
    place(both).await;
    invariants(&shop).await;
}

#[tokio::test]
async fn each_country_is_taxed_in_its_own_way_to_the_last_unit() {
    let shop = Shop::open().await;
    sells(&shop, "CAD", &["CA"], false, "LINE").await;
    let canada = area(&shop, "CA", None, json!({})).await;
    rate(&shop, &canada, "GST", "5", json!({})).await;
    for (province, code, percent, combinable) in
        [("BC", "PST", "7", true), ("QC", "QST", "9.975", true), ("ON", "HST", "13", false)]
    {
        let area = area(&shop, "CA", Some(&canada), json!({ "provinceCode": province })).await;
        rate(&shop, &area, code, percent, json!({ "combinable": combinable })).await;
    }
    let lamp = goods(&shop, "Lamp", "19.99", "CAD").await;
    for (province, taxes) in [
        ("AB", vec!["GST 19.99 1.00", "20.99"]),
        ("BC", vec!["PST 19.99 1.40", "GST 19.99 1.00", "22.39"]),
        ("QC", vec!["QST 19.99 1.99", "GST 19.99 1.00", "22.98"]),
        ("ON", vec!["HST 19.99 2.60", "22.59"]),
    ] {
        let cart = cart(&shop, &[(&lamp, 1)], address("CA", province, "Town", "K1A 0B1")).await;
        assert_eq!(bill(&cart).await, taxes, "{province}");
    }

    sells(&shop, "JPY", &["JP"], false, "DOCUMENT").await;
    let japan = area(&shop, "JP", None, json!({})).await;
    rate(&shop, &japan, "JCT10", "10", json!({})).await;
    let (rice, cup) = (goods(&shop, "Rice", "105", "JPY").await, goods(&shop, "Cup", "1015", "JPY").await);
    rate(&shop, &japan, "JCT8", "8", json!({ "default": false, "productTypes": ["Rice"] })).await;
    let tea = goods(&shop, "Tea", "106", "JPY").await;
    shop.set(
        "taxRateSet",
        json!({ "taxRegionId": japan, "code": "JCT8", "name": "Reduced", "percent": "8",
        "default": false, "productTypes": ["Rice", "Tea"] }),
        "taxRate { id }",
    )
    .await
    .done();
    let lines = [(rice.as_str(), 1), (tea.as_str(), 1), (cup.as_str(), 1)];
    let tokyo = cart(&shop, &lines, address("JP", "Tokyo", "Chiyoda", "100-0001")).await;
    // 211 × 8 % = 16.88 once, not 8.4 and 8.48 each; 1015 × 10 % = 101.5.
    assert_eq!(bill(&tokyo).await, ["JCT8 211 17", "JCT10 1015 102", "1345"]);

    sells(&shop, "KWD", &["KW"], false, "LINE").await;
    let kuwait = area(&shop, "KW", None, json!({})).await;
    rate(&shop, &kuwait, "VAT", "5", json!({})).await;
    let dates = goods(&shop, "Dates", "12.345", "KWD").await;
    let city = cart(&shop, &[(&dates, 3)], address("KW", "", "Kuwait City", "")).await;
    assert_eq!(bill(&city).await, ["VAT 37.035 1.852", "38.887"]);

    sells(&shop, "CHF", &["CH"], true, "LINE").await;
    let swiss = area(&shop, "CH", None, json!({})).await;
    rate(&shop, &swiss, "MWST", "8.1", json!({})).await;
    let (watch, bread) = (goods(&shop, "Watch", "100.00", "CHF").await, goods(&shop, "Bread", "25.00", "CHF").await);
    rate(&shop, &swiss, "MWST26", "2.6", json!({ "default": false, "productTypes": ["Bread"] })).await;
    let zurich = cart(&shop, &[(&watch, 1), (&bread, 1)], address("CH", "", "Zürich", "8001")).await;
    assert_eq!(bill(&zurich).await, ["MWST 92.51 7.49", "MWST26 24.37 0.63", "125.00"]);
    place(zurich).await;
    place(tokyo).await;
    invariants(&shop).await;
}

#[tokio::test]
async fn a_delivery_has_a_rate_of_its_own() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let option = shop.app.settings().shipping_options[0].row.id.to_string();
    let free = json!({ "countryCode": "DE", "code": "POST", "name": "Post", "percent": "0", "default": false,
        "shippingOptionIds": [option] });
    let set = shop.set("taxRateSet", free, "taxRate { shippingOptionIds productIds }").await.done();
    assert_eq!(set["taxRate"], json!({ "shippingOptionIds": [option], "productIds": [] }));
    let tee = shop.tee("20.00", 5).await;
    let mut cart = shop.cart(&[(&tee, 1)]).await;
    cart.select_delivery().await.done();
    assert_eq!(bill(&cart).await, ["VAT 16.81 3.19", "POST 4.90 0.00", "24.90"]);
    let placed = place(cart).await;
    let rows = line_tax::Entity::find().all(&shop.app.read()).await.unwrap();
    let post = rows.iter().find(|row| row.code == "POST").unwrap();
    assert_eq!(post.explanation.as_ref().unwrap()["basis"], "SHIPPING_OPTION");
    assert_eq!(post.order_id.to_string(), placed.id);
    invariants(&shop).await;
}

#[tokio::test]
async fn exempt_customers_and_groups_pay_prices_without_their_tax() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let tee = goods(&shop, "Tee", "20.00", "EUR").await;
    let (ada, bob) = (shop.customer("ada@shopper.example").await, shop.customer("bob@shopper.example").await);
    let own = json!({ "lines": [{ "variantId": tee, "quantity": 1 }],
        "addresses": { "shipping": address("DE", "", "Berlin", "10115") } });
    let adas = shop.cart_of_client(&ada.client, own.clone()).await;
    assert_eq!(bill(&adas).await, ["VAT 16.81 3.19", "20.00"]);
    let exempt = json!({ "id": ada.id.to_string(), "taxExempt": true });
    let told = shop.set("customerUpdate", exempt, "customer { taxExempt }").await.done();
    assert_eq!(told["customer"]["taxExempt"], true);
    // 20.00 / 1.19 = 16.81.
    assert_eq!(bill(&adas).await, ["16.81"]);
    let group = json!({ "name": "Embassies", "taxExempt": true, "add": [bob.id.to_string()] });
    let group = shop.set("customerGroupSet", group, "group { id taxExempt version }").await.done();
    assert_eq!(group["group"]["taxExempt"], true);
    let bobs = shop.cart_of_client(&bob.client, own.clone()).await;
    let query =
        "query($id: ID!) { cart(id: $id) { taxExemption tax { amount } lines { total { amount } taxes { code } } } }";
    let shown = bob.client.send(query, json!({ "id": bobs.id })).await.at("cart");
    let line = json!({ "total": { "amount": "16.81" }, "taxes": [] });
    assert_eq!(shown, json!({ "taxExemption": "CUSTOMER_GROUP", "tax": { "amount": "0.00" }, "lines": [line] }));
    let placed = place(bobs).await;
    let query = "query($id: ID!) { order(id: $id) { taxExemption total { amount } taxes { code } } }";
    let order = bob.client.send(query, json!({ "id": placed.id })).await.at("order");
    assert_eq!(order, json!({ "taxExemption": "CUSTOMER_GROUP", "total": { "amount": "16.81" }, "taxes": [] }));
    // What a set leaves out stays.
    let kept = shop.set("customerGroupSet", json!({ "name": "Embassies" }), "group { taxExempt }").await.done();
    assert_eq!(kept["group"]["taxExempt"], true);
    shop.set("customerGroupDelete", json!({ "id": group["group"]["id"] }), "deletedId").await.done();
    let bobs = shop.cart_of_client(&bob.client, own).await;
    assert_eq!(bill(&bobs).await, ["VAT 16.81 3.19", "20.00"]);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_buyer_with_a_vat_number_abroad_owes_the_tax_himself() {
    let shop = Shop::open().await;
    shop.europe(&["DE", "FR"], true).await;
    let tee = goods(&shop, "Tee", "20.00", "EUR").await;
    let location = shop.app.settings().locations[0].handle.to_string();
    let home = json!({ "handle": location, "name": "Home", "countryCode": "DE" });
    shop.set("locationSet", home, "location { id }").await.done();
    for country in ["DE", "FR"] {
        let input = json!({ "countryCode": country, "reverseCharge": true });
        let set = shop.set("taxRegionSet", input, "taxRegion { reverseCharge version parent { id } }").await.done();
        assert_eq!(set["taxRegion"], json!({ "reverseCharge": true, "version": 2, "parent": null }));
    }
    let mut paris = cart(&shop, &[(&tee, 1)], address("FR", "", "Paris", "75001")).await;
    let refused = paris.mutate("cartBuyerUpdate", json!({ "taxNumber": "FR123" })).await;
    assert_eq!(faults(&refused), ["INVALID taxNumber"]);
    paris.mutate("cartBuyerUpdate", json!({ "taxNumber": "fr 12 345 678 901" })).await.done();
    assert_eq!(bill(&paris).await, ["16.81"]);
    let query = "query($id: ID!, $token: String) { cart(id: $id, token: $token) { taxExemption taxNumber } }";
    let shown = paris.client.send(query, json!({ "id": paris.id, "token": paris.token })).await.at("cart");
    assert_eq!(shown, json!({ "taxExemption": "REVERSE_CHARGE", "taxNumber": "FR12345678901" }));
    // Another country's number, none, and a sale within one country.
    paris.mutate("cartBuyerUpdate", json!({ "taxNumber": "ATU12345678" })).await.done();
    assert_eq!(bill(&paris).await, ["VAT 16.81 3.19", "20.00"]);
    paris.mutate("cartBuyerUpdate", json!({ "taxNumber": null })).await.done();
    assert_eq!(bill(&paris).await, ["VAT 16.81 3.19", "20.00"]);
    let mut berlin = cart(&shop, &[(&tee, 1)], address("DE", "", "Berlin", "10115")).await;
    berlin.mutate("cartBuyerUpdate", json!({ "taxNumber": "DE123456789" })).await.done();
    assert_eq!(bill(&berlin).await, ["VAT 16.81 3.19", "20.00"]);

    // A customer's number comes along with his carts and stands on his order; erasing him takes it away.
    let ada = shop.customer("ada@shopper.example").await;
    let refused = ada.mutate("customerUpdate", json!({ "taxNumber": "X" }), "customer { id }").await;
    assert_eq!(faults(&refused), ["INVALID taxNumber"]);
    let number = json!({ "taxNumber": "FR12345678901" });
    ada.mutate("customerUpdate", number, "customer { taxNumber taxExempt }").await.done();
    let own = json!({ "lines": [{ "variantId": tee, "quantity": 1 }],
        "addresses": { "shipping": address("FR", "", "Paris", "75001") } });
    let placed = place(shop.cart_of_client(&ada.client, own).await).await;
    let query = "query($id: ID!) { order(id: $id) { taxExemption taxNumber total { amount } } }";
    let order = ada.client.send(query, json!({ "id": placed.id })).await.at("order");
    let expected =
        json!({ "taxExemption": "REVERSE_CHARGE", "taxNumber": "FR12345678901", "total": { "amount": "16.81" } });
    assert_eq!(order, expected);
    invariants(&shop).await;
}

#[tokio::test]
async fn what_can_t_be_is_refused_by_name() {
    let shop = Shop::open().await;
    let set = async |input: Value| faults(&shop.set("taxRegionSet", input, "taxRegion { id }").await);
    let country = area(&shop, "US", None, json!({})).await;
    let ny = area(&shop, "US", Some(&country), json!({ "provinceCode": "NY" })).await;
    let within = |more: Value| {
        let mut input = json!({ "countryCode": "US", "parentId": country });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    assert_eq!(set(within(json!({ "provinceCode": "Bavaria" }))).await, ["INVALID provinceCode"]);
    assert_eq!(set(within(json!({ "county": "Marin" }))).await, ["REQUIRED postalPatterns"]);
    assert_eq!(
        set(within(json!({ "postalPatterns": ["94x", "941*", "941*"] }))).await,
        ["INVALID postalPatterns.0", "DUPLICATE postalPatterns.2"]
    );
    assert_eq!(set(within(json!({}))).await, ["INVALID parentId"]);
    assert_eq!(set(json!({ "countryCode": "CA", "parentId": country })).await, ["INVALID parentId"]);
    assert_eq!(set(json!({ "countryCode": "US", "provinceCode": "NJ" })).await, ["REQUIRED parentId"]);
    assert_eq!(set(within(json!({ "provinceCode": "NJ", "reverseCharge": true }))).await, ["INVALID reverseCharge"]);
    let nowhere = "taxreg_00000000000000000000000000";
    assert_eq!(set(json!({ "countryCode": "US", "parentId": nowhere })).await, ["NOT_FOUND parentId"]);
    let moved = json!({ "id": ny, "countryCode": "US", "provinceCode": "NY" });
    assert_eq!(set(moved).await, ["REQUIRED parentId", "INUSE parentId"].map(|text| text.replace("INUSE", "IN_USE")));
    // The same area once more is the same tax region; another one as deep may not share a place with it.
    let again = shop
        .set(
            "taxRegionSet",
            within(json!({ "provinceCode": "US-NY", "expectedVersion": 1 })),
            "taxRegion { id version }",
        )
        .await
        .done();
    assert_eq!(again["taxRegion"], json!({ "id": ny, "version": 2 }));
    assert_eq!(set(within(json!({ "provinceCode": "NY", "expectedVersion": 1 }))).await, ["CONFLICT expectedVersion"]);
    area(&shop, "US", Some(&ny), json!({ "provinceCode": "NY", "postalPatterns": ["100*"] })).await;
    let over = json!({ "countryCode": "US", "parentId": ny, "postalPatterns": ["10050-10150"] });
    assert_eq!(set(over).await, ["TAKEN"]);
    let delete = |id: &str| json!({ "id": id });
    assert_eq!(faults(&shop.set("taxRegionDelete", delete(&country), "deletedId").await), ["IN_USE id"]);
    assert_eq!(faults(&shop.set("taxRegionDelete", delete(nowhere), "deletedId").await), ["NOT_FOUND id"]);

    let rate_of = async |region: &str, more: Value| {
        let mut input = json!({ "taxRegionId": region, "code": "TAX", "name": "Tax", "percent": "4" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        faults(&shop.set("taxRateSet", input, "taxRate { id }").await)
    };
    let none: [&str; 0] = [];
    assert_eq!(rate_of(&ny, json!({})).await, none);
    assert_eq!(rate_of(&ny, json!({ "code": "MORE" })).await, ["TAKEN default"]);
    assert_eq!(rate_of(&ny, json!({ "code": "MORE", "default": false })).await, ["REQUIRED default"]);
    assert_eq!(rate_of(&country, json!({ "combinable": true, "code": "C" })).await, ["INVALID combinable"]);
    assert_eq!(rate_of(&country, json!({ "percent": "1001", "code": " " })).await, ["INVALID percent"]);
    assert_eq!(rate_of(&country, json!({ "code": " " })).await, ["REQUIRED code"]);
    let unknown = json!({ "code": "MORE", "default": false, "productIds": ["prod_00000000000000000000000000", "x"] });
    assert_eq!(rate_of(&ny, unknown).await, ["INVALID productIds.1"]);
    let shirt = shop.product("Shirt").with("productType", json!("Shirts")).price("9.00").create().await;
    let unknown = json!({ "code": "MORE", "default": false, "productTypes": ["Hats", "shirts", "SHIRTS"],
        "productIds": ["prod_00000000000000000000000000"], "shippingOptionIds": ["shipopt_00000000000000000000000000"] });
    assert_eq!(
        rate_of(&ny, unknown).await,
        [
            "NOT_FOUND productIds.0",
            "NOT_FOUND productTypes.0",
            "DUPLICATE productTypes.2",
            "NOT_FOUND shippingOptionIds.0"
        ]
    );
    let own = json!({ "code": "SHIRT", "default": false, "productIds": [shirt.product] });
    assert_eq!(rate_of(&ny, own.clone()).await, none);
    let mut other = own;
    other["code"] = json!("OTHER");
    assert_eq!(rate_of(&ny, other).await, ["TAKEN productIds.0"]);
    // A combinable rate and the one that it is combined with need two names.
    let inner = area(&shop, "US", Some(&ny), json!({ "provinceCode": "NY", "city": "Albany" })).await;
    assert_eq!(rate_of(&inner, json!({ "combinable": true })).await, ["TAKEN code"]);
    assert_eq!(rate_of(&inner, json!({})).await, none);
    assert_eq!(rate_of(nowhere, json!({})).await, ["NOT_FOUND taxRegionId"]);
    let both = json!({ "taxRegionId": ny, "countryCode": "US", "code": "X", "name": "X", "percent": "1" });
    assert_eq!(faults(&shop.set("taxRateSet", both, "taxRate { id }").await), ["REQUIRED taxRegionId"]);
    let gone = json!({ "id": "taxrate_00000000000000000000000000" });
    assert_eq!(faults(&shop.set("taxRateDelete", gone, "deletedId").await), ["NOT_FOUND id"]);
    shop.set("taxRegionDelete", delete(&inner), "deletedId").await.done();
}

#[tokio::test]
async fn staff_find_tax_regions_and_rates() {
    let shop = Shop::open().await;
    shop.europe(&["DE", "FR"], true).await;
    let germany = shop.app.settings().taxes.0.within(None).next().unwrap().id.to_string();
    let part = area(&shop, "DE", Some(&germany), json!({ "city": "Büsingen", "postalPatterns": ["78266"] })).await;
    rate(&shop, &part, "NONE", "0", json!({})).await;
    let regions = "query($filter: AdminTaxRegionFilter) { taxRegions(first: 10, filter: $filter) { totalCount nodes {
        countryCode city postalPatterns parent { id } rates { code percent default combinable taxRegion { id } } } } }";
    let all = shop.admin.send(regions, json!({})).await.at("taxRegions");
    assert_eq!(all["totalCount"], 3);
    let inner = json!({ "filter": { "parentId": germany } });
    let inner = shop.admin.send(regions, inner).await.at("taxRegions.nodes");
    let rate =
        json!({ "code": "NONE", "percent": "0", "default": true, "combinable": false, "taxRegion": { "id": part } });
    assert_eq!(
        inner,
        json!([{ "countryCode": "DE", "city": "Büsingen", "postalPatterns": ["78266"],
        "parent": { "id": germany }, "rates": [rate] }])
    );
    let rates = "query($filter: AdminTaxRateFilter, $sort: [AdminTaxRateSort!], $after: String) {
        taxRates(first: 2, filter: $filter, sort: $sort, after: $after) { totalCount pageInfo { endCursor }
            nodes { code taxRegion { countryCode } } } }";
    let of_france = json!({ "filter": { "countryCode": "FR" } });
    let of_france = shop.admin.send(rates, of_france).await.at("taxRates");
    assert_eq!(of_france["nodes"], json!([{ "code": "VAT", "taxRegion": { "countryCode": "FR" } }]));
    let first = shop.admin.send(rates, json!({})).await.at("taxRates");
    assert_eq!(first["totalCount"], 3);
    let codes =
        |page: &Value| page["nodes"].as_array().unwrap().iter().map(|rate| rate["code"].clone()).collect::<Vec<_>>();
    assert_eq!(codes(&first), ["NONE", "VAT"]);
    let next = json!({ "after": first["pageInfo"]["endCursor"] });
    assert_eq!(codes(&shop.admin.send(rates, next).await.at("taxRates")), ["VAT"]);
    let newest = json!({ "sort": [{ "field": "CREATED_AT", "direction": "DESC" }], "filter": { "taxRegionId": part } });
    assert_eq!(codes(&shop.admin.send(rates, newest).await.at("taxRates")), ["NONE"]);
    let nothing = json!({ "filter": { "default": false } });
    assert_eq!(shop.admin.send(rates, nothing).await.at("taxRates.totalCount"), 0);
    let refused = shop.admin.send(rates, json!({ "filter": { "targetId": "cart_x" } })).await;
    assert_eq!(refused.error_code(), "INVALID");
}

#[tokio::test]
async fn rates_of_countries_outlive_the_tree_of_areas() {
    let database = TestDatabase::empty().await;
    let db = Db::open(&database.url).await.unwrap();
    migration::up(db.admin()).await.unwrap();
    let later = migration::status(db.admin()).await.iter().rev().take_while(|(name, _)| *name != "m0025_taxes").count();
    migration::down(db.admin(), later + 1).await.unwrap();
    let id = |number: u8| match db.backend() {
        sea_orm::DbBackend::Postgres => format!("'00000000-0000-7000-8000-0000000000{number:02}'"),
        _ => format!("x'000000000000700080000000000000{number:02}'"),
    };
    let at = "'2026-01-01T00:00:00+00:00'";
    for sql in [
        format!(
            "insert into tax_region (id, version, created_at, updated_at, country) values ({}, 1, {at}, {at}, 'DE')",
            id(1)
        ),
        format!(
            "insert into tax_rate (id, version, created_at, updated_at, tax_region_id, code, name, rate_ppm,
            is_default, combinable) values ({}, 3, {at}, {at}, {}, 'VAT', 'VAT', 190000, true, false)",
            id(2),
            id(1)
        ),
    ] {
        sea_orm::ConnectionTrait::execute_unprepared(db.admin(), &sql).await.unwrap();
    }
    for turn in 0..2 {
        migration::up(db.admin()).await.unwrap();
        let conn = db.read(&StatementCount::default());
        let regions = tax_region::Entity::find().all(&conn).await.unwrap();
        let rates = tax_rate::Entity::find().all(&conn).await.unwrap();
        assert_eq!((regions.len(), rates.len()), (1, 1), "{turn}");
        assert_eq!((regions[0].country.as_str(), regions[0].parent_id, &regions[0].postal), ("DE", None, &json!([])));
        let rate = &rates[0];
        assert_eq!((rate.tax_region_id, rate.version, rate.rate_ppm), (regions[0].id, 3, 190_000));
        migration::down(db.admin(), later + 1).await.unwrap();
    }
}

#[tokio::test]
async fn a_guest_s_cart_asks_nobody_and_a_customer_s_once() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let tee = goods(&shop, "Tee", "20.00", "EUR").await;
    let ada = shop.customer("ada@shopper.example").await;
    let input = json!({ "lines": [{ "variantId": tee, "quantity": 1 }] });
    let show = async |cart: &CartSession| {
        let query = "query($id: ID!, $token: String) { cart(id: $id, token: $token) {
            taxes { code explanation { basis } } lines { taxes { code } taxesPassedOver { code } } } }";
        cart.client.send(query, json!({ "id": cart.id, "token": cart.token })).await.statements
    };
    let guest = show(&shop.cart_of(input.clone()).await).await;
    let own = show(&shop.cart_of_client(&ada.client, input).await).await;
    assert!(own <= guest + 2, "{own} and {guest}: the session and the exemption");
    let refused = mutate(&shop.store, "", "cartCreate", json!({ "buyer": { "taxNumber": "1" } }), "cartToken").await;
    assert_eq!(faults(&refused), ["INVALID buyer.taxNumber"]);
}

#[tokio::test]
async fn a_catalog_price_is_told_with_and_without_the_visitor_s_tax() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    sells(&shop, "USD", &["US", "CA"], false, "LINE").await;
    let country = area(&shop, "US", None, json!({})).await;
    let state = area(&shop, "US", Some(&country), json!({ "provinceCode": "NY" })).await;
    rate(&shop, &state, "NY", "4", json!({})).await;
    let city = area(&shop, "US", Some(&state), json!({ "provinceCode": "NY", "city": "New York" })).await;
    rate(&shop, &city, "NYC", "4.5", json!({ "combinable": true })).await;
    let book = shop.product("Book").with("productType", json!("Book")).price("14.99").price_in("19.99", "USD");
    let book = book.create().await;
    let ask = async |region: &str, place: Value| {
        let query = "query($id: ID!, $place: TaxPlaceInput) { product(by: { id: $id }) { variants { price {
            amount { amount } taxed(place: $place) { withTax { amount } withoutTax { amount }
                taxes { code amount { amount } explanation { basis } } } } } } }";
        let client = shop.store.with("x-region", region);
        let answer = client.send(query, json!({ "id": book.product, "place": place })).await;
        (answer.at("product.variants.0.price.taxed"), answer.statements)
    };
    let told = |with: &str, without: &str, taxes: &[(&str, &str, &str)]| {
        let tax = |(code, amount, basis): &(&str, &str, &str)| json!({ "code": code, "amount": { "amount": amount }, "explanation": { "basis": basis } });
        json!({ "withTax": { "amount": with }, "withoutTax": { "amount": without },
            "taxes": taxes.iter().map(tax).collect::<Vec<_>>() })
    };
    let (german, statements) = ask("europe", json!(null)).await;
    assert_eq!(german, told("14.99", "12.60", &[("VAT", "2.39", "DEFAULT")]));
    let reduced = json!({ "countryCode": "DE", "code": "VAT7", "name": "VAT, reduced", "percent": "7",
        "default": false, "productTypes": ["Book"] });
    shop.set("taxRateSet", reduced, "taxRate { id }").await.done();
    let (german, more) = ask("europe", json!(null)).await;
    assert_eq!(german, told("14.99", "14.01", &[("VAT7", "0.98", "PRODUCT_TYPE")]));
    assert!(more <= statements + 1, "{more} and {statements}: the type of the product, no more");
    // A region of several countries says nothing by itself.
    let american = "usd-us";
    assert_eq!(ask(american, json!(null)).await.0, json!(null));
    let brooklyn =
        json!({ "countryCode": "US", "provinceCode": "New York", "city": "NEW YORK", "postalCode": "11201" });
    let (told_there, asked) = ask(american, brooklyn).await;
    assert_eq!(told_there, told("21.69", "19.99", &[("NYC", "0.90", "DEFAULT"), ("NY", "0.80", "DEFAULT")]));
    assert_eq!(asked, statements);
    let oregon = json!({ "countryCode": "US", "provinceCode": "OR" });
    assert_eq!(ask(american, oregon).await.0, told("19.99", "19.99", &[]));
}
