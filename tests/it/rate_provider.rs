//! Tax rates and shipping prices that are asked for outside the shop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use engine::provider::http::{HttpConfig, HttpProvider};
use engine::provider::rate::{RateProviderFile, RateProviders};
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{CartSession, Placed, address, euro, eventually, faults};
use crate::support::database::TestDatabase;
use crate::support::invariants::invariants;
use crate::support::outside::{Outside, Reply, signature};

/// The rates of New York City on every row.
fn new_york(question: &Value) -> Reply {
    let rates = json!([
        { "code": "NY", "name": "New York State", "percent": "4", "jurisdiction": "New York" },
        { "code": "NYC", "name": "New York City", "percent": 4.5 },
        { "code": "MCTD", "name": "Commuter district", "percent": "0.375" },
    ]);
    rated(question, rates)
}

/// The same rates on every row.
fn rated(question: &Value, rates: Value) -> Reply {
    let rows = |list: &str| {
        let rows = question[list].as_array().unwrap().iter();
        rows.map(|row| json!({ "position": row["position"], "rates": rates })).collect::<Vec<_>>()
    };
    Reply::Json(json!({ "lines": rows("lines"), "deliveries": rows("deliveries") }))
}

/// What a delivery costs.
fn costs(amount: &'static str) -> impl Fn(&Value) -> Reply + Send + Sync {
    move |question| {
        let options = question["options"].as_array().unwrap().iter();
        let priced = options.map(|option| json!({ "shippingOptionId": option["shippingOptionId"], "amount": amount }));
        Reply::Json(json!({ "options": priced.collect::<Vec<_>>() }))
    }
}

async fn shop_with(tax: Vec<HttpConfig>, shipping: Vec<HttpConfig>) -> Shop {
    let providers = RateProviders::new(RateProviderFile { tax, shipping }).unwrap();
    let database = Arc::new(TestDatabase::copy().await);
    Shop::on(database, |builder| builder.rate_providers(providers)).await
}

/// A shop in Germany, prices without tax, whose rates `outside` names; 19 % are its own.
async fn taxed_by(outside: &Outside, fallback: &str) -> Shop {
    let shop = shop_with(vec![outside.config("rates")], Vec::new()).await;
    shop.europe(&["DE"], false).await;
    shop.offer(&["manual"]).await;
    let input = json!({ "countryCode": "DE", "provider": "rates", "providerFallback": fallback });
    let set = shop.set("taxRegionSet", input, "taxRegion { provider providerFallback }").await.done();
    assert_eq!(set["taxRegion"], json!({ "provider": "rates", "providerFallback": fallback }));
    shop
}

/// A cart with an address and a delivery, so many lamps at 100.00 in it.
async fn lamps(shop: &Shop, quantity: i64) -> CartSession {
    let lamp = shop.product("Lamp").price("100.00").stock(100).create().await;
    let lines = json!([{ "variantId": lamp.variant, "quantity": quantity }]);
    let buyer = json!({ "email": "ada@example.com" });
    let mut cart =
        shop.cart_of(json!({ "lines": lines, "buyer": buyer, "addresses": { "shipping": address("DE") } })).await;
    cart.select_delivery().await.done();
    cart
}

/// `CODE amount` of each tax of a cart, then the total.
async fn bill(cart: &CartSession) -> Vec<String> {
    let told = taxes(cart).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let each = told["taxes"].as_array().unwrap().iter();
    let mut lines: Vec<String> =
        each.map(|tax| format!("{} {}", text(&tax["code"]), text(&tax["amount"]["amount"]))).collect();
    lines.push(text(&told["total"]["amount"]));
    lines
}

async fn taxes(cart: &CartSession) -> Value {
    let query = "query($id: ID!, $token: String) { cart(id: $id, token: $token) {
        taxes { code name percent amount { amount } explanation { basis jurisdiction place { countryCode } } }
        lines { taxesPassedOver { code reason place { countryCode } } }
        issues { code blocking message } total { amount } } }";
    cart.client.send(query, json!({ "id": cart.id, "token": cart.token })).await.at("cart")
}

async fn place(mut cart: CartSession) -> Placed {
    cart.pay("manual").await.done();
    let answer = cart.complete(&cart.id.clone()).await;
    Placed::of(cart, &answer)
}

#[tokio::test]
async fn a_tax_provider_names_the_rates_and_the_shop_adds_them_up() {
    let outside = Outside::start(new_york).await;
    let shop = taxed_by(&outside, "BUILT_IN").await;
    let cart = lamps(&shop, 3).await;
    // 300.00 and 4.90 for the delivery, each rate rounded on each of them.
    assert_eq!(bill(&cart).await, ["NY 12.20", "NYC 13.72", "MCTD 1.15", "331.97"]);
    let told = taxes(&cart).await;
    let because = |jurisdiction: Value| {
        json!({ "basis": "PROVIDER", "jurisdiction": jurisdiction,
        "place": { "countryCode": "DE" } })
    };
    assert_eq!(told["taxes"][0]["explanation"], because(json!("New York")));
    assert_eq!(told["taxes"][1]["explanation"], because(Value::Null));
    assert_eq!(told["taxes"][1]["percent"], "4.5");
    assert_eq!(told["lines"], json!([{ "taxesPassedOver": [] }]));

    let asked = outside.questions();
    let last = asked.last().unwrap();
    assert_eq!(last["currencyCode"], "EUR");
    let there = json!({ "countryCode": "DE", "provinceCode": null, "city": "Town",
        "postalCode": address("DE")["postalCode"], "address1": "Elm Street 1" });
    assert_eq!(last["destination"], there);
    assert!(!last.to_string().contains("Lovelace") && !last.to_string().contains("ada@"), "{last}");
    assert_eq!(last["lines"][0]["amount"], "300.00");
    assert_eq!(last["lines"][0]["quantity"], 3);
    assert_eq!(last["deliveries"][0]["amount"], "4.90");

    let before = outside.questions().len();
    let placed = place(cart).await;
    assert_eq!(outside.questions().len(), before, "the same question is asked once");
    let query = "query($id: ID!) { order(id: $id) { total { amount } tax { amount }
        taxes { code amount { amount } explanation { basis jurisdiction } } } }";
    let order = shop.admin.send(query, json!({ "id": placed.id })).await.at("order");
    assert_eq!((&order["total"]["amount"], &order["tax"]["amount"]), (&json!("331.97"), &json!("27.07")));
    let state = json!({ "code": "NY", "amount": { "amount": "12.20" },
        "explanation": { "basis": "PROVIDER", "jurisdiction": "New York" } });
    assert_eq!(order["taxes"][0], state);
    invariants(&shop).await;
}

#[tokio::test]
async fn the_shops_own_rates_stand_in_for_a_provider_that_is_silent() {
    let outside = Outside::start(|_| Reply::Status(503)).await;
    let shop = taxed_by(&outside, "BUILT_IN").await;
    let cart = lamps(&shop, 1).await;
    assert_eq!(bill(&cart).await, ["VAT 19.93", "124.83"]);
    let told = taxes(&cart).await;
    let passed = json!({ "code": null, "reason": "PROVIDER_UNAVAILABLE", "place": { "countryCode": "DE" } });
    assert_eq!(told["lines"][0]["taxesPassedOver"], json!([passed]));
    assert_eq!(told["taxes"][0]["explanation"]["basis"], "DEFAULT");
    // Nobody asks again at once; after a moment somebody does.
    let asked = outside.questions().len();
    bill(&cart).await;
    assert_eq!(outside.questions().len(), asked);
    outside.answers(new_york);
    shop.pass(TimeDelta::seconds(16));
    assert_eq!(bill(&cart).await, ["NY 4.20", "NYC 4.72", "MCTD 0.40", "114.22"]);
    place(cart).await;
    invariants(&shop).await;
}

#[tokio::test]
async fn where_no_other_rates_may_stand_in_there_is_no_order() {
    let outside = Outside::start(|_| Reply::Status(503)).await;
    let shop = taxed_by(&outside, "REFUSE").await;
    let mut cart = lamps(&shop, 1).await;
    let told = taxes(&cart).await;
    let unavailable = told["issues"].as_array().unwrap().iter().find(|issue| issue["code"] == "TAX_UNAVAILABLE");
    assert_eq!(unavailable.unwrap()["blocking"], true);
    cart.pay("manual").await.done();
    let refused = cart.complete("first try").await;
    assert_eq!(faults(&refused), ["TAX_UNAVAILABLE"]);
    outside.answers(new_york);
    shop.pass(TimeDelta::seconds(16));
    // The total is another one now, and the shopper has not seen it.
    assert_eq!(faults(&cart.complete("second try").await), ["TOTAL_CHANGED expectedTotal"]);
    assert_eq!(bill(&cart).await.last().unwrap(), "114.22");
    place(cart).await;
    invariants(&shop).await;
}

#[tokio::test]
async fn an_answer_counts_for_ten_minutes_and_longer_while_there_is_no_other() {
    let outside = Outside::start(|question| rated(question, json!([]))).await;
    let shop = taxed_by(&outside, "REFUSE").await;
    let cart = lamps(&shop, 1).await;
    assert_eq!(bill(&cart).await, ["104.90"]);
    let asked = outside.questions().len();
    outside.answers(new_york);
    shop.pass(TimeDelta::minutes(9));
    assert_eq!((bill(&cart).await, outside.questions().len()), (vec!["104.90".to_owned()], asked));
    outside.answers(|_| Reply::Status(500));
    shop.pass(TimeDelta::minutes(2));
    assert_eq!((bill(&cart).await, outside.questions().len()), (vec!["104.90".to_owned()], asked + 1));
    outside.answers(new_york);
    shop.pass(TimeDelta::seconds(16));
    assert_eq!(bill(&cart).await.last().unwrap(), "114.22");
    // What nobody asks for any more is forgotten.
    let count = async || {
        use sea_orm::{EntityTrait, PaginatorTrait};
        entity::provider_answer::Entity::find().count(&shop.app.read()).await.unwrap()
    };
    assert!(count().await > 0);
    shop.pass(TimeDelta::hours(3));
    engine::provider::ask::forget_stale(&shop.app).await.unwrap();
    assert_eq!(count().await, 0);
}

#[tokio::test]
async fn an_answer_that_can_t_be_used_is_none() {
    let outside = Outside::start(new_york).await;
    let shop = taxed_by(&outside, "BUILT_IN").await;
    let row = |list: &str| json!({ list: [{ "position": 0, "rates": [] }] });
    let rate = |percent: Value| {
        let rates = json!([{ "code": "A", "name": "A", "percent": percent }]);
        json!({ "lines": [{ "position": 0, "rates": rates }] })
    };
    for wrong in [
        Reply::Json(json!({})),
        Reply::Json(row("deliveries")),
        Reply::Json(rate(json!("-1"))),
        Reply::Json(rate(json!(1.000_01))),
        Reply::Json(rate(json!("1001"))),
        Reply::Json(json!([])),
        Reply::Bytes(b"<html>".to_vec()),
        Reply::Bytes(vec![b' '; 300_000]),
        Reply::Bytes(Vec::new()),
        Reply::Status(204),
        Reply::Status(404),
        Reply::Late(Duration::from_secs(5)),
    ] {
        outside.answers_once([wrong]);
        let began = Instant::now();
        assert_eq!(fresh_bill(&shop).await, ["VAT 19.00", "119.00"]);
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
        // So that the breaker lets the next one through.
        assert_eq!(fresh_bill(&shop).await.len(), 4);
    }
}

/// The bill of a lamp for 100.00 that nobody has asked about before.
async fn fresh_bill(shop: &Shop) -> Vec<String> {
    let handle = format!("lamp-{}", uuid::Uuid::new_v4().simple());
    let lamp = shop.product("Lamp").with("handle", json!(handle)).price("100.00").digital().create().await;
    let lines = json!([{ "variantId": lamp.variant, "quantity": 1 }]);
    bill(&shop.cart_of(json!({ "lines": lines, "addresses": { "shipping": address("DE") } })).await).await
}

#[tokio::test]
async fn who_fails_again_and_again_is_left_alone() {
    let outside = Outside::start(|_| Reply::Late(Duration::from_secs(9))).await;
    let provider = HttpProvider::new(HttpConfig { deadline_ms: Some(50), ..outside.config("rates") }).unwrap();
    let ask = async || provider.ask::<_, Value>("tax.rates", &json!({}), |_| Ok(())).await;
    for _ in 0..5 {
        ask().await.unwrap_err();
    }
    let began = Instant::now();
    for _ in 0..100 {
        assert!(ask().await.unwrap_err().0.contains("left alone"));
    }
    assert!(began.elapsed() < Duration::from_millis(50));
    assert_eq!(outside.questions().len(), 5);
}

#[tokio::test]
async fn what_is_wrong_with_one_question_stops_no_other() {
    let outside = Outside::start(|_| Reply::Status(422)).await;
    let provider = HttpProvider::new(outside.config("rates")).unwrap();
    for _ in 0..20 {
        let silent = provider.ask::<_, Value>("tax.rates", &json!({}), |_| Ok(())).await.unwrap_err();
        assert!(silent.0.contains("422"), "{silent}");
    }
    assert_eq!(outside.questions().len(), 20);
}

#[tokio::test]
async fn many_who_ask_the_same_at_once_ask_once() {
    let outside = Outside::start(new_york).await;
    let shop = taxed_by(&outside, "BUILT_IN").await;
    let cart = lamps(&shop, 1).await;
    let before = outside.questions().len();
    // Who looks before an answer is kept and asks after it was is rare: again and again finds him.
    for round in 1..=15 {
        shop.pass(TimeDelta::minutes(11));
        let bills = futures_util::future::join_all((0..10).map(|_| bill(&cart))).await;
        assert!(bills.iter().all(|bill| bill.last().unwrap() == "114.22"), "{bills:?}");
        assert_eq!(outside.questions().len(), before + round);
    }
}

#[tokio::test]
async fn who_owes_no_tax_needs_no_rates() {
    let outside = Outside::start(|_| Reply::Status(503)).await;
    let shop = taxed_by(&outside, "REFUSE").await;
    let ada = shop.customer("ada@shopper.example").await;
    let exempt = json!({ "id": ada.id.to_string(), "taxExempt": true });
    shop.set("customerUpdate", exempt, "customer { id }").await.done();
    let lamp = shop.product("Lamp").price("100.00").digital().create().await;
    let input = json!({ "lines": [{ "variantId": lamp.variant }], "buyer": { "email": "ada@shopper.example" },
        "addresses": { "shipping": address("DE") } });
    let cart = shop.cart_of_client(&ada.client, input).await;
    let told = taxes(&cart).await;
    assert_eq!((&told["total"]["amount"], &told["taxes"]), (&json!("100.00"), &json!([])));
    let codes: Vec<_> = told["issues"].as_array().unwrap().iter().map(|issue| issue["code"].clone()).collect();
    assert!(!codes.contains(&json!("TAX_UNAVAILABLE")), "{codes:?}");
    place(cart).await;
}

#[tokio::test]
async fn nobody_is_called_in_the_operators_own_network() {
    let outside = Outside::start(new_york).await;
    let elsewhere = Outside::start(new_york).await;
    let port = outside.url.rsplit(':').next().unwrap().trim_end_matches("/ask").to_owned();
    let at = |host: &str| HttpConfig {
        url: format!("https://{host}:{port}/ask"),
        private: false,
        ..outside.config("rates")
    };
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "0",
        "0.0.0.0",
        "10.0.0.1",
        "10.1",
        "172.16.0.1",
        "192.168.0.1",
        "192.168.257",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "0251.0376.0251.0376",
        "100.64.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "127。0。0。1",
        "①②⑦.0.0.1",
    ] {
        let fault = HttpProvider::new(at(host)).expect_err(host);
        assert!(fault.contains("may not be called") || fault.contains("no address"), "{host}: {fault}");
    }
    // A name is looked at when it is called: one that stands for this machine is not.
    let named = HttpProvider::new(at("localhost")).unwrap();
    let silent = named.ask::<_, Value>("tax.rates", &json!({}), |_| Ok(())).await.unwrap_err();
    assert!(silent.0.contains("may be called"), "{silent}");
    let plain = HttpConfig { url: "http://tax.example/".to_owned(), private: false, ..outside.config("rates") };
    assert!(HttpProvider::new(plain).unwrap_err().contains("https"));
    let somebody = HttpConfig { url: "https://a:b@tax.example/".to_owned(), ..outside.config("rates") };
    assert!(HttpProvider::new(somebody).unwrap_err().contains("without a user"));
    // Nobody follows where a provider sends him.
    outside.answers({
        let there = elsewhere.url.clone();
        move |_| Reply::Elsewhere(there.clone())
    });
    let provider = HttpProvider::new(outside.config("rates")).unwrap();
    let silent = provider.ask::<_, Value>("tax.rates", &json!({}), |_| Ok(())).await.unwrap_err();
    assert!(silent.0.contains("307"), "{silent}");
    assert_eq!((outside.questions().len(), elsewhere.questions().len()), (1, 0));
}

#[test]
fn the_tests_own_signature_is_that_of_the_specification() {
    let secret = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let secret = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, secret).unwrap();
    let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
    assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[tokio::test]
async fn a_provider_calculates_what_shipping_costs_and_that_is_taxed() {
    let (carrier, taxes_of) = (Outside::start(costs("7.35")).await, Outside::start(new_york).await);
    let shop = shop_with(vec![taxes_of.config("rates")], vec![carrier.config("carrier")]).await;
    shop.europe(&["DE"], false).await;
    shop.offer(&["manual"]).await;
    let region = json!({ "countryCode": "DE", "provider": "rates" });
    shop.set("taxRegionSet", region, "taxRegion { id }").await.done();
    let express = json!({ "name": "Express", "countries": ["DE"], "kind": "CALCULATED", "provider": "carrier" });
    let made = shop.set("shippingOptionSet", express, "shippingOption { id provider kind }").await.done();
    let express = made["shippingOption"]["id"].clone();
    assert_eq!(made["shippingOption"]["provider"], "carrier");

    let lamp = shop.product("Lamp").price("100.00").weighs(1_500).stock(100).create().await;
    let lines = json!([{ "variantId": lamp.variant, "quantity": 2 }]);
    let input = json!({ "lines": lines, "buyer": { "email": "ada@example.com" },
        "addresses": { "shipping": address("DE") } });
    let mut cart = shop.cart_of(input).await;
    cart.mutate("cartDeliverySelect", json!({ "deliveryOptionId": express })).await.done();
    assert_eq!(bill(&cart).await, ["NY 8.29", "NYC 9.33", "MCTD 0.78", "225.75"]);
    let asked = carrier.questions();
    assert_eq!((&asked[0]["weightGrams"], &asked[0]["quantity"]), (&json!(3_000), &json!(2)));
    assert_eq!((&asked[0]["subtotal"], &asked[0]["currencyCode"]), (&json!("200.00"), &json!("EUR")));
    assert_eq!(asked[0]["options"], json!([{ "shippingOptionId": express, "handle": "express" }]));
    assert_eq!(taxes_of.questions().last().unwrap()["deliveries"][0]["amount"], "7.35");
    place(cart).await;
    assert_eq!(carrier.questions().len(), 1, "what the group is did not change");
    invariants(&shop).await;
}

/// `name REASON message` of what the first group is not offered, then `name amount` of what it is.
async fn offers(cart: &CartSession) -> Vec<String> {
    let query = "query($id: ID!, $token: String) { cart(id: $id, token: $token) { deliveryGroups {
        options { name amount { amount } } unavailableOptions { name reason message } } } }";
    let group = cart.client.send(query, json!({ "id": cart.id, "token": cart.token })).await.at("cart.deliveryGroups")
        [0]
    .clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let not = group["unavailableOptions"].as_array().unwrap().iter();
    let not = not.map(|no| format!("{} {} {}", text(&no["name"]), text(&no["reason"]), text(&no["message"])));
    let offered = group["options"].as_array().unwrap().iter();
    let offered = offered.map(|option| format!("{} {}", text(&option["name"]), text(&option["amount"]["amount"])));
    not.chain(offered).collect()
}

#[tokio::test]
async fn a_carrier_that_says_no_or_nothing_is_told_from_one_that_has_a_price() {
    let carrier = Outside::start(costs("7.35")).await;
    let shop = shop_with(Vec::new(), vec![carrier.config("carrier")]).await;
    shop.europe(&["DE"], true).await;
    let option = async |name: &str, prices: Value| {
        let input = json!({ "name": name, "countries": ["DE"], "kind": "CALCULATED", "provider": "carrier",
            "prices": prices });
        shop.set("shippingOptionSet", input, "shippingOption { id }").await.done()["shippingOption"]["id"].clone()
    };
    let safe = option("Safe", json!([euro("9.90")])).await;
    option("Bare", json!([])).await;
    let cart = lamps(&shop, 1).await;
    assert_eq!(offers(&cart).await, ["Parcel 4.90", "Safe 7.35", "Bare 7.35"]);
    carrier.answers(move |_| {
        Reply::Json(json!({ "options": [{ "shippingOptionId": safe, "reason": "Too heavy for us." }] }))
    });
    shop.pass(TimeDelta::minutes(11));
    let no = "PROVIDER The provider names no price for this group.";
    assert_eq!(
        offers(&cart).await,
        ["Safe PROVIDER Too heavy for us.".to_owned(), format!("Bare {no}"), "Parcel 4.90".to_owned()]
    );
    // The last answer counts while the carrier is silent, and after two hours the merchant's own price.
    carrier.answers(|_| Reply::Status(502));
    shop.pass(TimeDelta::hours(3));
    engine::provider::ask::forget_stale(&shop.app).await.unwrap();
    let silent = "Bare PROVIDER The provider does not answer at the moment.";
    assert_eq!(offers(&cart).await, [silent, "Parcel 4.90", "Safe 9.90"]);
}

#[tokio::test]
async fn what_can_t_be_asked_is_refused_where_it_stands() {
    let outside = Outside::start(new_york).await;
    let shop = shop_with(vec![outside.config("rates")], vec![outside.config("carrier")]).await;
    shop.europe(&["DE"], true).await;
    let set = async |input: Value| faults(&shop.set("taxRegionSet", input, "taxRegion { id }").await);
    assert_eq!(set(json!({ "countryCode": "DE", "provider": "carrier" })).await, ["NOT_FOUND provider"]);
    let country = shop.set("taxRegionSet", json!({ "countryCode": "US" }), "taxRegion { id }").await.done();
    let state = json!({ "countryCode": "US", "provinceCode": "NY", "parentId": country["taxRegion"]["id"],
        "provider": "rates" });
    assert_eq!(set(state).await, ["INVALID provider"]);
    let option = async |input: Value| faults(&shop.set("shippingOptionSet", input, "shippingOption { id }").await);
    let calculated =
        |provider: &str| json!({ "name": "Y", "countries": ["DE"], "kind": "CALCULATED", "provider": provider });
    assert_eq!(option(calculated("rates")).await, ["NOT_FOUND provider"]);
    assert_eq!(option(calculated("manual")).await, ["INVALID kind"]);

    let described = |change: &dyn Fn(&mut HttpConfig)| {
        let mut config = outside.config("rates");
        change(&mut config);
        RateProviders::new(RateProviderFile { tax: vec![config], shipping: Vec::new() }).unwrap_err()
    };
    assert!(described(&|config| config.name = "Rates!".to_owned()).contains("lower-case"));
    assert!(described(&|config| config.secret = "short".to_owned()).contains("24 bytes"));
    assert!(described(&|config| config.secret = "whsec_???".to_owned()).contains("base64"));
    assert!(described(&|config| config.deadline_ms = Some(0)).contains("deadline_ms"));
    assert!(described(&|config| config.url = "no address".to_owned()).contains("no address"));
    let twice = vec![outside.config("rates"), outside.config("rates")];
    assert!(RateProviders::new(RateProviderFile { tax: twice, shipping: Vec::new() }).unwrap_err().contains("twice"));
}

#[tokio::test]
async fn carts_that_are_watched_and_quotes_of_another_moment_are_asked_for_too() {
    let outside = Outside::start(new_york).await;
    let shop = taxed_by(&outside, "REFUSE").await;
    let lamp = shop.product("Torch").price("100.00").digital().create().await;
    let quote = "query($input: AdminQuoteInput!) { quote(input: $input) { quote { total { amount } issues { code } }
        userErrors { code } } }";
    let next_year = (chrono::Utc::now() + TimeDelta::days(365)).to_rfc3339();
    let input = json!({ "lines": [{ "variantId": lamp.variant }], "addresses": { "shipping": address("DE") },
        "at": next_year });
    let told = shop.admin.send(quote, json!({ "input": input })).await.at("quote.quote");
    assert_eq!((&told["total"]["amount"], &told["issues"]), (&json!("108.88"), &json!([])));
    let cart = lamps(&shop, 1).await;
    let seen = outside.questions().len();
    shop.pass(TimeDelta::minutes(11));
    eventually("the cart is asked for anew", async || bill(&cart).await.last().unwrap() == "114.22").await;
    assert_eq!(outside.questions().len(), seen + 1);
}
