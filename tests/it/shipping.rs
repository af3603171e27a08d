//! What brings an order to the shopper: profiles, zones, tables, rules, pickup.

use engine::db::{Db, StatementCount, statement};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::Shop;
use crate::support::buying::{CartSession, Placed, address, euro, faults};
use crate::support::database::TestDatabase;
use crate::support::invariants::invariants;

/// The groups of a cart with what they are offered and what not.
const GROUPS: &str = "query($id: ID!, $token: String) { cart(id: $id, token: $token) { deliveryGroups { id
    lines { variantId } options { id name amount { amount } includesTax pickup { name address { address1 city } } }
    unavailableOptions { id name reason message } selected { name amount { amount } } }
    issues { code message deliveryGroupId } total { amount } shipping { amount } } }";

async fn groups(cart: &CartSession) -> Value {
    cart.client.send(GROUPS, json!({ "id": cart.id, "token": cart.token })).await.at("cart")
}

/// `name amount` of what the first group is offered.
async fn offered(cart: &CartSession) -> Vec<String> {
    let cart = groups(cart).await;
    let options = cart["deliveryGroups"][0]["options"].as_array().unwrap().iter();
    options.map(|option| format!("{} {}", text(&option["name"]), text(&option["amount"]["amount"]))).collect()
}

/// `name REASON` of what the first group is not offered.
async fn unavailable(cart: &CartSession) -> Vec<String> {
    let cart = groups(cart).await;
    let options = cart["deliveryGroups"][0]["unavailableOptions"].as_array().unwrap().iter();
    options.map(|option| format!("{} {}", text(&option["name"]), text(&option["reason"]))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// A shop in Germany and Austria, prices with 19 % tax, whose parcels cost 4.90.
async fn shop() -> Shop {
    let shop = Shop::open().await;
    shop.europe(&["DE", "AT"], true).await;
    shop.offer(&["manual"]).await;
    shop
}

/// Makes a shipping option to Germany, unless the input says otherwise, and answers with its id.
async fn option(shop: &Shop, mut input: Value) -> Value {
    if input["serviceZoneId"].is_null() && input["countries"].is_null() {
        input["countries"] = json!(["DE"]);
    }
    input["pricesIncludeTax"] = json!(true);
    shop.set("shippingOptionSet", input, "shippingOption { id }").await.done()["shippingOption"]["id"].clone()
}

async fn profile(shop: &Shop, name: &str) -> Value {
    let made = shop.set("shippingProfileSet", json!({ "name": name }), "shippingProfile { id version }").await.done();
    made["shippingProfile"]["id"].clone()
}

async fn zone(shop: &Shop, name: &str, areas: Value) -> Value {
    let input = json!({ "name": name, "areas": areas });
    shop.set("serviceZoneSet", input, "serviceZone { id }").await.done()["serviceZone"]["id"].clone()
}

/// A table in euro with these bands: from, below, amount.
fn table(bands: &[(i64, Option<i64>, &str)]) -> Value {
    let band =
        |(from, below, amount): &(i64, Option<i64>, &str)| json!({ "from": from, "below": below, "amount": amount });
    json!([{ "currencyCode": "EUR", "bands": bands.iter().map(band).collect::<Vec<_>>() }])
}

async fn go_to(cart: &mut CartSession, change: Value) {
    let mut shipping = address("DE");
    for (field, value) in change.as_object().unwrap() {
        shipping[field] = value.clone();
    }
    cart.mutate("cartAddressesUpdate", json!({ "shipping": shipping })).await.done();
}

async fn select(cart: &mut CartSession, option: &Value, group: Value) -> crate::support::Answer {
    let input = json!({ "deliveryOptionId": option, "deliveryGroupId": group });
    cart.mutate("cartDeliverySelect", input).await
}

async fn order_of(shop: &Shop, placed: &Placed) -> Value {
    let query = "query($id: ID!, $token: String!) { order(id: $id, accessToken: $token) { shippingAddress { city }
        shippingLines { name total { amount } tax { amount } } total { amount } tax { amount } } }";
    shop.store.send(query, json!({ "id": placed.id, "token": placed.access_token })).await.at("order")
}

#[tokio::test]
async fn a_table_by_weight_says_what_it_costs_and_what_is_too_heavy() {
    let shop = shop().await;
    let tables = table(&[(5_000, Some(31_501), "9.90"), (0, Some(5_000), "4.90")]);
    let freight = option(&shop, json!({ "name": "Freight", "kind": "BY_WEIGHT", "tables": tables })).await;
    let anvil = shop.product("Anvil").price("49.99").weighs(12_000).stock(9).create().await.variant;
    let mut cart = shop.cart(&[(&anvil, 2)]).await;
    assert_eq!(offered(&cart).await, ["Parcel 4.90", "Freight 9.90"]);
    select(&mut cart, &freight, json!(null)).await.done();
    // 99.98 holds 15.96, 9.90 holds 1.58.
    assert_eq!(
        ["subtotal", "shipping", "tax", "total"].map(|name| cart.amount(name)),
        ["99.98", "9.90", "17.54", "109.88"]
    );
    cart.pay("manual").await.done();
    let line = cart.shown["lines"][0]["id"].clone();
    let three = json!({ "lines": [{ "lineId": line, "quantity": 3 }] });
    cart.mutate("cartLinesUpdate", three).await.done();
    let heavy = groups(&cart).await;
    let group = &heavy["deliveryGroups"][0];
    assert_eq!(unavailable(&cart).await, ["Freight TABLE"]);
    assert_eq!(group["unavailableOptions"][0]["message"], "The table of this option has no price for 36.000 kg.");
    let issue =
        heavy["issues"].as_array().unwrap().iter().find(|issue| issue["code"] == "DELIVERY_UNAVAILABLE").unwrap();
    assert_eq!(issue["deliveryGroupId"], group["id"]);
    assert!(text(&issue["message"]).contains("36.000 kg"), "{issue}");
    assert_eq!(faults(&cart.complete("heavy").await), ["DELIVERY_UNAVAILABLE"]);
    // What still fits survives the way there and back.
    cart.mutate("cartLinesUpdate", json!({ "lines": [{ "lineId": line, "quantity": 2 }] })).await.done();
    assert_eq!(cart.shown["deliveryGroups"][0]["selected"]["name"], "Freight");
    let answer = cart.complete("light").await;
    let placed = Placed::of(cart, &answer);
    let lines = json!([{ "name": "Freight", "total": { "amount": "9.90" }, "tax": { "amount": "1.58" } }]);
    assert_eq!(order_of(&shop, &placed).await["shippingLines"], lines);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_price_of_shipping_says_how_it_was_found_and_the_order_keeps_it() {
    let shop = shop().await;
    let bands = table(&[(0, Some(2_000), "3.00"), (2_000, Some(10_000), "7.00")]);
    let free = json!([euro("90.00")]);
    let by_weight = json!({ "name": "Weighed", "kind": "BY_WEIGHT", "tables": bands, "freeFrom": free });
    let weighed = option(&shop, by_weight).await;
    let lamp = shop.product("Lamp").price("40.00").weighs(1_500).stock(9).create().await;
    let mut cart = shop.cart(&[(&lamp.variant, 2)]).await;
    go_to(&mut cart, json!({})).await;
    select(&mut cart, &weighed, Value::Null).await.done();
    let query = "query($id: ID!, $token: String) { cart(id: $id, token: $token) { deliveryGroups {
        total { amount } taxes { code amount { amount } } selected { explanation { kind measured from below standsIn
        freeFrom { amount } amountBefore { amount } } } } } }";
    let told = async |cart: &CartSession| {
        let answer = cart.client.send(query, json!({ "id": cart.id, "token": cart.token })).await;
        answer.at("cart.deliveryGroups")[0].clone()
    };
    let band = json!({ "kind": "BY_WEIGHT", "measured": 3_000, "from": 2_000, "below": 10_000, "standsIn": false,
        "freeFrom": null, "amountBefore": null });
    let group = told(&cart).await;
    // 7.00 / 1.19 = 5.882: of 7.00 are 1.12 tax.
    assert_eq!(
        (&group["total"]["amount"], &group["taxes"]),
        (&json!("7.00"), &json!([{ "code": "VAT", "amount": { "amount": "1.12" } }]))
    );
    assert_eq!(group["selected"]["explanation"], band);
    cart.mutate("cartLinesAdd", json!({ "lines": [{ "variantId": lamp.variant, "quantity": 1 }] })).await.done();
    let mut free = band;
    (free["measured"], free["freeFrom"]) = (json!(4_500), json!({ "amount": "90.00" }));
    free["amountBefore"] = json!({ "amount": "7.00" });
    assert_eq!(told(&cart).await["selected"]["explanation"], free);
    cart.mutate("cartBuyerUpdate", json!({ "email": "ada@example.com" })).await.done();
    cart.pay("manual").await.done();
    let answer = cart.complete("kept").await;
    let placed = Placed::of(cart, &answer);
    shop.set("shippingOptionDelete", json!({ "id": weighed }), "deletedId").await.done();
    let query = "query($id: ID!) { order(id: $id) { shippingLines { amount { amount } explanation { kind measured from
        below standsIn freeFrom { amount } amountBefore { amount } } } } }";
    let line = shop.admin.send(query, json!({ "id": placed.id })).await.at("order.shippingLines")[0].clone();
    assert_eq!((&line["amount"]["amount"], &line["explanation"]), (&json!("0.00"), &free));
    invariants(&shop).await;
}

#[tokio::test]
async fn subtotals_and_pieces_have_tables_too_and_from_an_amount_on_it_is_free() {
    let shop = shop().await;
    let by_subtotal = table(&[(0, Some(5_000), "6.00"), (5_000, None, "3.00")]);
    let sub = json!({ "name": "Value", "kind": "BY_SUBTOTAL", "tables": by_subtotal, "freeFrom": [euro("100.00")] });
    option(&shop, sub).await;
    let by_pieces = table(&[(2, Some(4), "2.00"), (4, None, "1.00")]);
    option(&shop, json!({ "name": "Pieces", "kind": "BY_QUANTITY", "tables": by_pieces })).await;
    let pen = shop.product("Pen").price("24.99").stock(99).create().await.variant;
    for (pieces, wanted) in [
        (1, vec!["Parcel 4.90", "Value 6.00"]),
        (2, vec!["Parcel 4.90", "Value 6.00", "Pieces 2.00"]),
        // 74.97, then 99.96, then 124.95.
        (3, vec!["Parcel 4.90", "Value 3.00", "Pieces 2.00"]),
        (4, vec!["Parcel 4.90", "Value 3.00", "Pieces 1.00"]),
        (5, vec!["Parcel 4.90", "Value 0.00", "Pieces 1.00"]),
    ] {
        let cart = shop.cart(&[(&pen, pieces)]).await;
        assert_eq!(offered(&cart).await, wanted, "{pieces}");
    }
    let cent = shop.product("Cent").price("100.00").stock(9).create().await.variant;
    assert_eq!(offered(&shop.cart(&[(&cent, 1)]).await).await[1], "Value 0.00", "the bound itself is free");
}

#[tokio::test]
async fn products_of_several_profiles_ship_in_groups_each_with_its_own_choice() {
    let shop = shop().await;
    let bulky = profile(&shop, "Bulky").await;
    let freight = json!({ "name": "Freight", "shippingProfileId": bulky, "prices": [euro("29.00")] });
    let freight = option(&shop, freight).await;
    let tee = shop.tee("20.00", 9).await;
    let sofa = shop.product("Sofa").price("500.00").with("shippingProfileId", bulky.clone()).stock(9).create().await;
    let ebook = shop.product("Book").price("5.00").digital().create().await.variant;
    let mut cart = shop.cart(&[(&tee, 1), (&ebook, 1), (&sofa.variant, 1)]).await;
    let shown = groups(&cart).await;
    let of = |group: &Value| {
        group["lines"].as_array().unwrap().iter().map(|line| text(&line["variantId"]).to_owned()).collect::<Vec<_>>()
    };
    let both = shown["deliveryGroups"].as_array().unwrap();
    assert_eq!(both.iter().map(of).collect::<Vec<_>>(), [vec![tee.clone()], vec![sofa.variant.clone()]]);
    assert_eq!(both[0]["unavailableOptions"][0]["reason"], "PROFILE");
    assert_eq!(both[1]["options"][0]["name"], "Freight");
    assert_eq!(cart.issues().iter().filter(|code| *code == "DELIVERY_MISSING").count(), 2);
    let (light, heavy) = (both[0]["id"].clone(), both[1]["id"].clone());
    let refused = select(&mut cart, &freight, light.clone()).await;
    assert_eq!(faults(&refused), ["DELIVERY_UNAVAILABLE deliveryOptionId"]);
    let parcel = both[0]["options"][0]["id"].clone();
    select(&mut cart, &parcel, json!(null)).await.done();
    assert_eq!(faults(&cart.complete("early").await), ["DELIVERY_MISSING", "PAYMENT_MISSING"]);
    // The option says which group it is for.
    select(&mut cart, &freight, json!(null)).await.done();
    assert_eq!(["shipping", "total"].map(|name| cart.amount(name)), ["33.90", "558.90"]);
    let chosen = |cart: &CartSession| {
        let groups = cart.shown["deliveryGroups"].as_array().unwrap();
        groups.iter().map(|group| (group["id"].clone(), group["selected"]["name"].clone())).collect::<Vec<_>>()
    };
    let settled = [(light.clone(), json!("Parcel")), (heavy.clone(), json!("Freight"))];
    assert_eq!(chosen(&cart), settled);
    cart.show().await;
    assert_eq!(chosen(&cart), settled, "a look shows the same groups");

    // A group goes with its last line, the other one stays as it is.
    let line = cart.shown["lines"][0]["id"].clone();
    cart.mutate("cartLinesRemove", json!({ "lineIds": [line] })).await.done();
    assert_eq!(chosen(&cart), [(heavy.clone(), json!("Freight"))]);
    let back = json!({ "lines": [{ "variantId": tee, "quantity": 2 }] });
    cart.mutate("cartLinesAdd", back).await.done();
    assert_eq!(chosen(&cart)[0], (heavy, json!("Freight")));
    assert_eq!(chosen(&cart)[1].1, json!(null));
    let fresh = chosen(&cart)[1].0.clone();
    select(&mut cart, &parcel, fresh).await.done();
    cart.pay("manual").await.done();
    let answer = cart.complete("both").await;
    let placed = Placed::of(cart, &answer);
    let order = order_of(&shop, &placed).await;
    let lines = order["shippingLines"].as_array().unwrap().iter();
    let lines: Vec<_> = lines.map(|line| (text(&line["name"]), text(&line["total"]["amount"]))).collect();
    assert_eq!(lines, [("Freight", "29.00"), ("Parcel", "4.90")]);
    assert_eq!(order["total"]["amount"], "578.90");
    invariants(&shop).await;
}

#[tokio::test]
async fn a_product_that_gets_another_profile_changes_the_carts_that_hold_it() {
    let shop = shop().await;
    let bulky = profile(&shop, "Bulky").await;
    let sofa = shop.product("Sofa").price("500.00").stock(9).create().await;
    let mut cart = shop.ready_cart(&[(&sofa.variant, 1)], "manual").await;
    let input = json!({ "id": sofa.product, "shippingProfileId": bulky });
    let set = shop.set("productUpdate", input, "product { shippingProfile { name } }").await.done();
    assert_eq!(set["product"]["shippingProfile"]["name"], "Bulky");
    let (first, second) = (groups(&cart).await, groups(&cart).await);
    assert_eq!(first["deliveryGroups"][0]["id"], second["deliveryGroups"][0]["id"], "whoever looks sees one group");
    assert_eq!(unavailable(&cart).await, ["Parcel PROFILE"]);
    cart.show().await;
    assert_eq!(cart.issues(), ["DELIVERY_MISSING"]);
    let freight = json!({ "name": "Freight", "shippingProfileId": bulky, "prices": [euro("29.00")] });
    let freight = option(&shop, freight).await;
    select(&mut cart, &freight, second["deliveryGroups"][0]["id"].clone()).await.done();
    let answer = cart.complete("key").await;
    Placed::of(cart, &answer);
    let missing = json!({ "id": sofa.product, "shippingProfileId": "shipprof_00000000000000000000000000" });
    let refused = shop.set("productUpdate", missing, "product { id }").await;
    assert_eq!(faults(&refused), ["NOT_FOUND shippingProfileId"]);
    let back = json!({ "by": { "id": sofa.product }, "shippingProfileId": null });
    let set = shop.set("productSet", back, "product { shippingProfile { isDefault } }").await.done();
    assert_eq!(set["product"]["shippingProfile"]["isDefault"], true);
    invariants(&shop).await;
}

#[tokio::test]
async fn zones_go_to_provinces_cities_and_postal_codes() {
    let shop = shop().await;
    let berlin = json!([{ "countryCode": "DE", "postalPatterns": ["10*", "12000-12999"] },
        { "countryCode": "DE", "city": "Köln" }]);
    let courier = zone(&shop, "Courier", berlin).await;
    option(&shop, json!({ "name": "Bike", "serviceZoneId": courier, "prices": [euro("9.00")] })).await;
    option(&shop, json!({ "name": "Van", "serviceZoneId": courier, "prices": [euro("12.00")] })).await;
    let tee = shop.tee("20.00", 9).await;
    let mut cart = shop.cart(&[(&tee, 1)]).await;
    for (change, told) in [
        (json!({ "postalCode": "10115" }), [vec!["Parcel 4.90", "Bike 9.00", "Van 12.00"], vec![]]),
        (json!({ "postalCode": "50667", "city": "koln" }), [vec!["Parcel 4.90", "Bike 9.00", "Van 12.00"], vec![]]),
        (json!({ "postalCode": "80331" }), [vec!["Parcel 4.90"], vec!["Bike POSTAL_CODE", "Van POSTAL_CODE"]]),
        (
            json!({ "countryCode": "AT", "postalCode": "1010" }),
            [vec!["Parcel 4.90"], vec!["Bike COUNTRY", "Van COUNTRY"]],
        ),
    ] {
        go_to(&mut cart, change).await;
        assert_eq!([offered(&cart).await, unavailable(&cart).await], told);
    }
    cart.mutate("cartAddressesUpdate", json!({ "shipping": null })).await.done();
    let nowhere = ["Parcel ADDRESS_MISSING", "Bike ADDRESS_MISSING", "Van ADDRESS_MISSING"];
    assert_eq!(unavailable(&cart).await, nowhere);

    let listed =
        shop.admin.send("{ serviceZones { handle areas { countryCode city postalPatterns } } }", json!({})).await;
    assert_eq!(
        listed.at("serviceZones.1"),
        json!({ "handle": "courier", "areas": [
            { "countryCode": "DE", "city": null, "postalPatterns": ["10*", "12000-12999"] },
            { "countryCode": "DE", "city": "Köln", "postalPatterns": [] },
        ] })
    );
}

#[tokio::test]
async fn rules_say_for_whom_an_option_is_and_what_is_not_for_him_he_is_not_told_of() {
    let shop = shop().await;
    let bob = shop.customer("bob@shopper.example").await;
    let group = json!({ "name": "Friends", "add": [bob.id.to_string()] });
    let group = shop.set("customerGroupSet", group, "group { id }").await.done()["group"]["id"].clone();
    let rule = |attribute: &str, operator: &str, value: &Value| json!([{ "attribute": attribute, "operator": operator, "values": [value] }]);
    let friends = json!({ "name": "Friends", "prices": [euro("1.00")], "rules": rule("customerGroup", "EQ", &group) });
    option(&shop, friends).await;
    let big = json!({ "name": "Big", "prices": [euro("0.00")], "rules": rule("subtotal.EUR", "GTE", &json!("50")) });
    option(&shop, big).await;
    let tee = shop.tee("20.00", 99).await;
    let guest = shop.cart(&[(&tee, 2)]).await;
    assert_eq!(
        (offered(&guest).await, unavailable(&guest).await),
        (vec!["Parcel 4.90".into()], vec!["Big RULE".into()])
    );
    let told = groups(&guest).await;
    let message = "The subtotal.EUR must be at least 50; it is 40.00.";
    assert_eq!(told["deliveryGroups"][0]["unavailableOptions"][0]["message"], message);
    let input = json!({ "lines": [{ "variantId": tee, "quantity": 3 }], "addresses": { "shipping": address("DE") } });
    let his = shop.cart_of_client(&bob.client, input).await;
    assert_eq!(offered(&his).await, ["Parcel 4.90", "Friends 1.00", "Big 0.00"]);
}

#[tokio::test]
async fn an_amount_of_another_currency_meets_no_bound_of_this_one() {
    let shop = shop().await;
    let states = json!({ "handle": "us", "name": "US", "currencyCode": "USD", "countries": ["US"] });
    shop.set("regionSet", states, "region { id }").await.done();
    let rules = json!([{ "attribute": "subtotal.EUR", "operator": "GTE", "values": ["50"] }]);
    let prices = json!([euro("1.00"), { "amount": "1.00", "currencyCode": "USD" }]);
    option(&shop, json!({ "name": "Big", "prices": prices, "rules": rules })).await;
    let tee = shop.tee("20.00", 99).await;
    let mut cart = shop.cart(&[(&tee, 3)]).await;
    assert_eq!(offered(&cart).await, ["Parcel 4.90", "Big 1.00"]);
    cart.mutate("cartBuyerUpdate", json!({ "region": "us" })).await.done();
    let told = groups(&cart).await["deliveryGroups"][0]["unavailableOptions"][1].clone();
    assert_eq!(told["message"], "The subtotal.EUR must be at least 50; it is nothing.");
    // What costs enough in dollars does not cost enough in euros.
    let dear = shop.product("Dear").price("60.00").price_in("60.00", "USD").stock(9).create().await.variant;
    let mut cart = shop.cart(&[(&dear, 1)]).await;
    assert_eq!(offered(&cart).await, ["Parcel 4.90", "Big 1.00"]);
    cart.mutate("cartBuyerUpdate", json!({ "region": "us" })).await.done();
    assert_eq!(unavailable(&cart).await, ["Parcel CURRENCY", "Big RULE"]);
    // Without a currency nobody knows what is meant.
    for (attribute, fits) in [("subtotal", false), ("subtotal.euro", false), ("subtotal.USD", true)] {
        let rules = json!([{ "attribute": attribute, "operator": "GTE", "values": ["50"] }]);
        let input = json!({ "name": "Other", "countries": ["DE"], "prices": [euro("1.00")], "rules": rules });
        let told = faults(&shop.set("shippingOptionSet", input, "shippingOption { id }").await);
        assert_eq!(told.is_empty(), fits, "{attribute}: {told:?}");
    }
}

#[tokio::test]
async fn what_is_picked_up_needs_no_address_and_is_taken_where_it_is() {
    let shop = shop().await;
    let store = json!({ "handle": "store", "name": "The store", "countryCode": "DE", "priority": 5 });
    let store = shop.set("locationSet", store, "location { id pickup }").await.done()["location"].clone();
    assert_eq!(store["pickup"], false);
    let pickup = json!({ "name": "Collect", "countries": ["DE"], "prices": [euro("0.00")],
        "pickupLocationId": store["id"] });
    let refused = shop.set("shippingOptionSet", pickup.clone(), "shippingOption { id }").await;
    assert_eq!(faults(&refused), ["NOT_FOUND pickupLocationId"]);
    let open = json!({ "handle": "store", "name": "The store", "countryCode": "DE", "priority": 5, "pickup": true });
    assert_eq!(faults(&shop.set("locationSet", open.clone(), "location { id }").await), ["REQUIRED address"]);
    let mut open = open;
    open["address"] = json!({ "address1": "High Street 2", "city": "Berlin", "postalCode": "10117" });
    shop.set("locationSet", open.clone(), "location { id address { city } }").await.done();
    let collect = option(&shop, pickup).await;

    let tee = shop.tee("20.00", 9).await;
    let input = json!({ "lines": [{ "variantId": tee, "quantity": 2 }], "buyer": { "email": "ada@example.com" } });
    let mut cart = shop.cart_of(input).await;
    assert_eq!(unavailable(&cart).await, ["Parcel ADDRESS_MISSING", "Collect PICKUP_STOCK"]);
    let arrived = json!({ "idempotencyKey": "1", "variantId": tee, "locationId": store["id"], "delta": 2,
        "reason": "RECEIVED" });
    shop.set("inventoryAdjust", arrived, "stockLevel { stocked }").await.done();
    let shown = groups(&cart).await["deliveryGroups"][0]["options"][0].clone();
    let point = json!({ "name": "The store", "address": { "address1": "High Street 2", "city": "Berlin" } });
    assert_eq!((&shown["name"], &shown["pickup"]), (&json!("Collect"), &point));
    select(&mut cart, &collect, json!(null)).await.done();
    cart.pay("manual").await.done();
    assert_eq!(cart.issues(), [""; 0]);
    // 40.00 holds 6.39.
    assert_eq!(["tax", "total"].map(|name| cart.amount(name)), ["6.39", "40.00"]);
    let answer = cart.complete("collect").await;
    let placed = Placed::of(cart, &answer);
    let order = order_of(&shop, &placed).await;
    assert_eq!((&order["shippingAddress"], &order["shippingLines"][0]["name"]), (&json!(null), &json!("Collect")));
    let items = "{ inventoryItems { nodes { stockLevels { locationId reserved } } } }";
    let levels = shop.admin.send(items, json!({})).await.at("inventoryItems.nodes.0.stockLevels");
    let reserved = |level: &Value| (level["locationId"] == store["id"], level["reserved"].clone());
    let mut told: Vec<_> = levels.as_array().unwrap().iter().map(reserved).collect();
    told.sort_by_key(|(here, _)| *here);
    assert_eq!(told, [(false, json!(0)), (true, json!(2))]);

    let again = shop.cart(&[(&tee, 1)]).await;
    assert_eq!(unavailable(&again).await, ["Collect PICKUP_STOCK"], "others have it");
    open["pickup"] = json!(false);
    shop.set("locationSet", open, "location { id }").await.done();
    assert_eq!(unavailable(&again).await, ["Collect PICKUP_CLOSED"]);
    invariants(&shop).await;
}

#[tokio::test]
async fn everything_that_can_t_be_is_refused_where_it_stands() {
    let shop = shop().await;
    let set = async |input: Value| faults(&shop.set("shippingOptionSet", input, "shippingOption { id }").await);
    let bands = json!([
        { "currencyCode": "EUR", "bands": [{ "from": 0, "below": 10, "amount": "1" }, { "from": 11, "amount": "2" }] },
        { "currencyCode": "EUR", "bands": [{ "from": 0, "amount": "1" }, { "from": 5, "amount": "2" }] },
    ]);
    let rules = json!([{ "attribute": "moon", "operator": "EQ", "values": ["full"] }]);
    let wrong = json!({ "name": " ", "handle": "x", "countries": ["DE", "DE"], "kind": "BY_WEIGHT", "tables": bands,
        "freeFrom": [euro("1"), euro("2")], "rules": rules, "shippingProfileId": "shipprof_00000000000000000000000000" });
    assert_eq!(
        set(wrong).await,
        [
            "REQUIRED name",
            "NOT_FOUND shippingProfileId",
            "DUPLICATE tables.1",
            "GAP tables.0.bands.1.from",
            "OVERLAP tables.1.bands.1.from",
            "DUPLICATE freeFrom.1",
            "INVALID rules.0.attribute",
            "DUPLICATE countries.1",
        ]
    );
    let dollars = json!({ "name": "Y", "countries": ["DE"], "prices": [{ "amount": "1", "currencyCode": "USD" }] });
    assert_eq!(set(dollars).await, ["REGION_MISSING prices.0"]);
    assert_eq!(set(json!({ "name": "Y", "prices": [euro("1")] })).await, ["REQUIRED countries"]);
    assert_eq!(set(json!({ "name": "Y", "countries": ["DE"] })).await, ["REQUIRED prices"]);
    assert_eq!(set(json!({ "name": "Y", "countries": ["DE"], "kind": "BY_WEIGHT" })).await, ["REQUIRED tables"]);
    let both = json!({ "name": "Y", "countries": ["DE"], "kind": "CALCULATED" });
    assert_eq!(set(both).await, ["INVALID kind"]);

    let areas = json!([{ "countryCode": "US", "provinceCode": "NY" }, { "countryCode": "DE" }, { "countryCode": "DE" },
        { "countryCode": "US", "provinceCode": "Bavaria" }, { "countryCode": "US", "provinceCode": "NY", "city": "Troy" }]);
    let refused = shop.set("serviceZoneSet", json!({ "name": "Z", "areas": areas }), "serviceZone { id }").await;
    assert_eq!(faults(&refused), ["OVERLAP areas.2", "INVALID areas.3.provinceCode"]);
    let refused = shop.set("serviceZoneSet", json!({ "name": "Z", "areas": [] }), "serviceZone { id }").await;
    assert_eq!(faults(&refused), ["REQUIRED areas"]);
}

#[tokio::test]
async fn staff_change_and_take_away_what_nothing_stands_on() {
    let shop = shop().await;
    let bulky = profile(&shop, "Bulky").await;
    let home = zone(&shop, "Home", json!([{ "countryCode": "DE" }])).await;
    let input =
        json!({ "name": "Freight", "shippingProfileId": bulky, "serviceZoneId": home, "prices": [euro("9.00")] });
    let freight = option(&shop, input).await;
    let sofa = shop.product("Sofa").price("500.00").with("shippingProfileId", bulky.clone()).stock(9).create().await;

    let list = "query($filter: AdminShippingOptionFilter, $sort: [AdminShippingOptionSort!]) {
        shippingOptions(filter: $filter, sort: $sort) { name version shippingProfile { name } serviceZone { handle } } }";
    let names = async |filter: Value, sort: Value| {
        let answer = shop.admin.send(list, json!({ "filter": filter, "sort": sort })).await;
        let options = answer.at("shippingOptions");
        options.as_array().unwrap().iter().map(|option| text(&option["name"]).to_owned()).collect::<Vec<_>>()
    };
    let by_name = json!([{ "field": "NAME" }]);
    assert_eq!(names(json!(null), by_name.clone()).await, ["Freight", "Parcel"]);
    assert_eq!(names(json!(null), json!([{ "field": "NAME", "direction": "DESC" }])).await, ["Parcel", "Freight"]);
    for (filter, wanted) in [
        (json!({ "shippingProfileId": bulky }), vec!["Freight"]),
        (json!({ "serviceZoneId": home }), vec!["Freight"]),
        (json!({ "countryCode": "AT" }), vec!["Parcel"]),
        (json!({ "currencyCode": "USD" }), vec![]),
        (json!({ "kind": "FLAT", "pickup": false }), vec!["Freight", "Parcel"]),
        (json!({ "pickup": true }), vec![]),
    ] {
        assert_eq!(names(filter.clone(), by_name.clone()).await, wanted, "{filter}");
    }

    // What is left out stays, and a version that is not the newest is a conflict.
    let change = json!({ "handle": "freight", "name": "Van", "expectedVersion": 1 });
    let select = "shippingOption { version name shippingProfile { name } serviceZone { handle } prices { amount } }";
    let changed = shop.set("shippingOptionSet", change.clone(), select).await.done();
    assert_eq!(
        changed["shippingOption"],
        json!({ "version": 2, "name": "Van", "shippingProfile": { "name": "Bulky" },
            "serviceZone": { "handle": "home" }, "prices": [{ "amount": "9.00" }] })
    );
    assert_eq!(
        faults(&shop.set("shippingOptionSet", change, "shippingOption { id }").await),
        ["CONFLICT expectedVersion"]
    );

    let delete = async |what: &str, id: &Value| faults(&shop.set(what, json!({ "id": id }), "deletedId").await);
    assert_eq!(delete("serviceZoneDelete", &home).await, ["IN_USE id"]);
    assert_eq!(delete("shippingProfileDelete", &bulky).await, ["IN_USE id", "IN_USE id"]);
    let mut cart = shop.cart(&[(&sofa.variant, 1)]).await;
    cart.select_delivery().await.done();
    assert_eq!(delete("shippingOptionDelete", &freight).await, [""; 0]);
    cart.show().await;
    assert!(cart.issues().contains(&"DELIVERY_UNAVAILABLE".to_owned()), "{:?}", cart.issues());
    assert_eq!(delete("serviceZoneDelete", &home).await, [""; 0]);
    assert_eq!(delete("shippingProfileDelete", &bulky).await, ["IN_USE id"], "the sofa is of it");
    let back = json!({ "id": sofa.product, "shippingProfileId": null });
    shop.set("productUpdate", back, "product { id }").await.done();
    assert_eq!(delete("shippingProfileDelete", &bulky).await, [""; 0]);
    let profiles = shop.admin.send("{ shippingProfiles { id isDefault } }", json!({})).await.at("shippingProfiles");
    assert_eq!(profiles.as_array().unwrap().len(), 1);
    assert_eq!(delete("shippingProfileDelete", &profiles[0]["id"]).await, ["IN_USE id"]);
    let log = "{ auditEntries(first: 4) { nodes { op before after } } }";
    let log = shop.admin.send(log, json!({})).await.at("auditEntries.nodes");
    assert_eq!(log[0]["op"], "shipping_profile.delete", "{log}");
    // A zone that other options go to is not changed through one of them.
    let shared = zone(&shop, "Shared", json!([{ "countryCode": "DE" }])).await;
    for name in ["One", "Two"] {
        option(&shop, json!({ "name": name, "serviceZoneId": shared, "prices": [euro("1.00")] })).await;
    }
    let narrow = json!({ "handle": "one", "name": "One", "countries": ["AT"] });
    assert_eq!(faults(&shop.set("shippingOptionSet", narrow, "shippingOption { id }").await), ["IN_USE countries"]);
}

#[tokio::test]
async fn options_of_before_stay_as_they_were() {
    let database = TestDatabase::empty().await;
    let db = Db::open(&database.url).await.unwrap();
    migration::up(db.admin()).await.unwrap();
    while !migration::pending(db.admin()).await.contains(&"m0026_shipping") {
        migration::down(db.admin(), 1).await.unwrap();
    }
    let conn = db.read(&StatementCount::default());
    let (zone, option, price) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let now = chrono::Utc::now();
    let run = async |sql: &str, values: Vec<sea_orm::Value>| {
        db.admin().execute_raw(statement(&conn, sql, values)).await.unwrap();
    };
    run("insert into service_zone (id, name) values (?, 'Parcel')", vec![zone.into()]).await;
    for country in ["FR", "DE"] {
        run("insert into geo_zone (service_zone_id, country) values (?, ?)", vec![zone.into(), country.into()]).await;
    }
    run(
        "insert into shipping_option (id, version, created_at, updated_at, handle, name, service_zone_id, provider)
            values (?, 3, ?, ?, 'parcel', 'Parcel', ?, 'manual')",
        vec![option.into(), now.into(), now.into(), zone.into()],
    )
    .await;
    run(
        "insert into price (id, created_at, updated_at, shipping_option_id, currency, amount_minor, includes_tax,
            rule_count) values (?, ?, ?, ?, 'EUR', 490, true, 0)",
        vec![price.into(), now.into(), now.into(), option.into()],
    )
    .await;
    migration::up(db.admin()).await.unwrap();
    let settings = engine::settings::Settings::load(&conn, chrono::Utc::now()).await.unwrap();
    let known = &settings.shipping_options[0];
    let countries: Vec<_> = known.countries.iter().map(ToString::to_string).collect();
    assert_eq!((known.row.version, countries, known.row.includes_tax), (3, vec!["DE".into(), "FR".into()], true));
    assert_eq!((known.prices[0].amount_minor, known.row.kind.as_str()), (490, "FLAT"));
    assert_eq!(settings.service_zones[0].row.handle.as_str(), "parcel");
    assert!(settings.default_profile().is_ok());
    migration::down(db.admin(), 1).await.unwrap();
    let count = conn.query_one_raw(statement(&conn, "select count(*) from geo_zone", [])).await.unwrap().unwrap();
    assert_eq!(count.try_get_by_index::<i64>(0).unwrap(), 2);
}
