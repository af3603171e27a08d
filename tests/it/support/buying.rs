//! How tests sell and buy: products, carts, checkouts.

use std::time::{Duration, Instant};

use domain::address::AddressRules;
use domain::id::VariantId;
use engine::inventory::repo::of_variants;
use serde_json::{Value, json};

use super::client::Client;
use super::log;
use super::{Answer, Shop};

/// An amount in euro as input.
pub fn euro(amount: &str) -> Value {
    json!({ "amount": amount, "currencyCode": "EUR" })
}

/// An address in this country as input.
pub fn address(country: &str) -> Value {
    let code = country.parse().ok();
    let rules = code.as_ref().map(AddressRules::of);
    let postal_code = rules.and_then(|rules| rules.postal_codes).map(|codes| codes.example);
    let province = rules.and_then(|rules| rules.provinces).map(|provinces| provinces.list[0].code);
    json!({ "firstName": "Ada", "lastName": "Lovelace", "address1": "Elm Street 1", "city": "Town",
            "province": province, "postalCode": postal_code, "countryCode": country })
}

/// Sends a mutation of the usual shape; `prefix` is `Admin` on the admin surface.
pub async fn mutate(client: &Client, prefix: &str, mutation: &str, input: Value, selection: &str) -> Answer {
    let mut name = mutation.to_owned();
    name.replace_range(..1, &mutation[..1].to_uppercase());
    let query = format!(
        "mutation($input: {prefix}{name}Input!) {{ {mutation}(input: $input) {{
            {selection} userErrors {{ code message path quantityAvailable limit entityId retryAfterMs }} }} }}"
    );
    client.send(&query, json!({ "input": input })).await
}

/// `CODE path.of.the.fault` of each refusal of the one mutation in the answer.
#[track_caller]
pub fn faults(answer: &Answer) -> Vec<String> {
    answer.refusals();
    let payload = answer.body["data"].as_object().unwrap().values().next().unwrap();
    let fault = |refusal: &Value| {
        let path: Vec<_> = refusal["path"].as_array().unwrap().iter().map(|step| step.as_str().unwrap()).collect();
        format!("{} {}", refusal["code"].as_str().unwrap(), path.join(".")).trim_end().to_owned()
    };
    payload["userErrors"].as_array().unwrap().iter().map(fault).collect()
}

/// Waits for what happens in the background; says what never came.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !holds().await {
        assert!(Instant::now() < deadline, "never came: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A product with one variant, before it is made.
pub struct NewProduct<'s> {
    shop: &'s Shop,
    product: Value,
    variant: Value,
}

/// A product with one variant.
#[derive(Debug, Clone)]
pub struct Goods {
    pub product: String,
    pub variant: String,
}

impl NewProduct<'_> {
    /// What a piece costs in euro; once more for another price.
    pub fn price(self, amount: &str) -> Self {
        self.price_in(amount, "EUR")
    }

    /// What a piece costs in a currency.
    pub fn price_in(mut self, amount: &str, currency: &str) -> Self {
        let price = json!({ "amount": { "amount": amount, "currencyCode": currency } });
        self.variant["prices"].as_array_mut().unwrap().push(price);
        self
    }

    /// How many there are.
    pub fn stock(mut self, stock: i32) -> Self {
        self.variant["stock"] = json!(stock);
        self
    }

    /// What a piece weighs, in grams.
    pub fn weighs(mut self, grams: i32) -> Self {
        self.variant["weightGrams"] = json!(grams);
        self
    }

    /// Nothing is sent, nothing is counted.
    pub fn digital(mut self) -> Self {
        self.variant["requiresShipping"] = json!(false);
        self.variant["manageInventory"] = json!(false);
        self
    }

    /// What it differs in otherwise.
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.product[field] = value;
        self
    }

    /// Makes it.
    pub async fn create(mut self) -> Goods {
        self.product["variants"] = json!([self.variant]);
        let made = self.shop.set("productCreate", self.product, "product { id variants { id } }").await.done();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Goods { product: text(&made["product"]["id"]), variant: text(&made["product"]["variants"][0]["id"]) }
    }
}

/// The cart as its answers show it.
const CART: &str = "id state totalQuantity currencyCode subtotal { amount } shipping { amount } tax { amount }
    total { amount currencyCode } amountDue { amount currencyCode } storeCredit { amount }
    lines { id variantId quantity unitPrice { amount } subtotal { amount } tax { amount } total { amount } }
    deliveryGroups { id options { id name amount { amount } } selected { id name } } paymentSession { provider }
    issues { code blocking lineId quantityAvailable }";

/// The order as `cartComplete` shows it.
const COMPLETED: &str = "order { id number status paymentStatus fulfillmentStatus total { amount } tax { amount } }
    accessToken nextAction processing";

/// A cart and whoever holds its token.
#[derive(Debug, Clone)]
pub struct CartSession {
    pub client: Client,
    pub id: String,
    pub token: String,
    /// The cart as the last answer showed it.
    pub shown: Value,
    /// The statements of all requests so far.
    pub statements: u64,
}

impl CartSession {
    /// Sends a mutation of this cart.
    pub async fn mutate(&mut self, mutation: &str, input: Value) -> Answer {
        let answer = self.try_mutate(mutation, input, &format!("cart {{ {CART} }}")).await;
        self.statements += answer.statements;
        let cart = &answer.body["data"][mutation]["cart"];
        if !cart.is_null() {
            self.shown = cart.clone();
        }
        answer
    }

    /// Sends a mutation of this cart and forgets what it shows.
    pub async fn try_mutate(&self, mutation: &str, mut input: Value, selection: &str) -> Answer {
        input["cartId"] = json!(self.id);
        input["cartToken"] = json!(self.token);
        mutate(&self.client, "", mutation, input, selection).await
    }

    /// The cart as it is at this moment.
    pub async fn show(&mut self) -> Value {
        let query = format!("query($id: ID!, $token: String) {{ cart(id: $id, token: $token) {{ {CART} }} }}");
        let answer = self.client.send(&query, json!({ "id": self.id, "token": self.token })).await;
        self.shown = answer.at("cart");
        self.shown.clone()
    }

    /// The codes of what stands against it, as last shown.
    pub fn issues(&self) -> Vec<String> {
        let issues = self.shown["issues"].as_array().unwrap();
        issues.iter().map(|issue| issue["code"].as_str().unwrap().to_owned()).collect()
    }

    /// The amount of a total as last shown.
    pub fn amount(&self, name: &str) -> String {
        self.shown[name]["amount"].as_str().unwrap().to_owned()
    }

    /// The total as last shown, as input.
    pub fn total(&self) -> Value {
        self.shown["total"].clone()
    }

    /// Chooses the first delivery option that is offered.
    pub async fn select_delivery(&mut self) -> Answer {
        let option = self.shown["deliveryGroups"][0]["options"][0]["id"].clone();
        self.mutate("cartDeliverySelect", json!({ "deliveryOptionId": option })).await
    }

    /// Chooses how it is paid.
    pub async fn pay(&mut self, provider: &str) -> Answer {
        self.mutate("paymentSessionCreate", json!({ "provider": provider })).await
    }

    /// Chooses how it is paid, with what the provider needs to know.
    pub async fn pay_with(&mut self, provider: &str, data: Value) -> Answer {
        self.mutate("paymentSessionCreate", json!({ "provider": provider, "data": data })).await
    }

    /// Turns it into an order for the total that was shown last.
    pub async fn complete(&self, key: &str) -> Answer {
        self.complete_for(key, self.total()).await
    }

    /// Turns it into an order for this total.
    pub async fn complete_for(&self, key: &str, total: Value) -> Answer {
        let input = json!({ "idempotencyKey": key, "expectedTotal": total });
        self.try_mutate("cartComplete", input, COMPLETED).await
    }

    /// Turns it into an order for the total and what was shown last to be left of it.
    pub async fn complete_due(&self, key: &str) -> Answer {
        let due = self.shown["amountDue"].clone();
        let input = json!({ "idempotencyKey": key, "expectedTotal": self.total(), "expectedAmountDue": due });
        self.try_mutate("cartComplete", input, COMPLETED).await
    }

    /// Calls the checkout off.
    pub async fn cancel(&mut self) -> Answer {
        self.mutate("checkoutCancel", json!({})).await
    }
}

/// An order and what opens it.
#[derive(Debug, Clone)]
pub struct Placed {
    pub id: String,
    pub number: i64,
    pub access_token: String,
    pub statements: u64,
    pub cart: CartSession,
}

impl Placed {
    /// The order in the answer of a `cartComplete` that was not refused.
    #[track_caller]
    pub fn of(cart: CartSession, answer: &Answer) -> Self {
        let done = answer.done();
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no order: {}", answer.body)).to_owned();
        log::plant(&text(&done["accessToken"]));
        Self {
            id: text(&done["order"]["id"]),
            number: done["order"]["number"].as_i64().unwrap(),
            access_token: text(&done["accessToken"]),
            statements: cart.statements + answer.statements,
            cart,
        }
    }
}

impl Shop {
    /// A product that is for sale once it is created.
    pub fn product(&self, title: &str) -> NewProduct<'_> {
        let product = json!({ "title": title, "status": "PUBLISHED" });
        NewProduct { shop: self, product, variant: json!({ "prices": [] }) }
    }

    /// The variant of a new tee.
    pub async fn tee(&self, price: &str, stock: i32) -> String {
        self.product("Tee").price(price).stock(stock).create().await.variant
    }

    /// Lets the region `europe` offer these payment providers and no others.
    pub async fn offer(&self, providers: &[&str]) {
        let region = self.app.settings().region_named("europe").unwrap().clone();
        let countries: Vec<_> = region.countries.iter().map(ToString::to_string).collect();
        let input = json!({
            "handle": "europe", "name": "Europe", "currencyCode": "EUR", "countries": countries,
            "pricesIncludeTax": region.row.prices_include_tax, "paymentProviders": providers,
        });
        self.set("regionSet", input, "region { id }").await.done();
    }

    /// Makes a cart of this.
    pub async fn cart_of(&self, input: Value) -> CartSession {
        self.cart_of_client(&self.store, input).await
    }

    /// The same, as this client makes it.
    pub async fn cart_of_client(&self, client: &Client, input: Value) -> CartSession {
        let answer = mutate(client, "", "cartCreate", input, &format!("cart {{ {CART} }} cartToken")).await;
        let made = answer.done();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        log::plant(&text(&made["cartToken"]));
        CartSession {
            client: client.clone(),
            id: text(&made["cart"]["id"]),
            token: text(&made["cartToken"]),
            shown: made["cart"].clone(),
            statements: answer.statements,
        }
    }

    /// Makes a full cart for Germany in one call.
    pub async fn cart(&self, lines: &[(&str, i64)]) -> CartSession {
        let lines: Vec<_> =
            lines.iter().map(|(variant, quantity)| json!({ "variantId": variant, "quantity": quantity })).collect();
        let input = json!({
            "lines": lines, "buyer": { "email": "ada@example.com" }, "addresses": { "shipping": address("DE") },
        });
        self.cart_of(input).await
    }

    /// A full cart with delivery and payment chosen.
    pub async fn ready_cart(&self, lines: &[(&str, i64)], provider: &str) -> CartSession {
        let mut cart = self.cart(lines).await;
        cart.select_delivery().await.done();
        cart.pay(provider).await.done();
        cart
    }

    /// Buys in four requests.
    pub async fn checkout_all(&self, lines: &[(&str, i64)], provider: &str, key: &str) -> Placed {
        let cart = self.ready_cart(lines, provider).await;
        let answer = cart.complete(key).await;
        Placed::of(cart, &answer)
    }

    /// How many pieces of a variant lie there, and how many of them are promised.
    pub async fn level(&self, variant: &str) -> (i32, i32) {
        let variant: VariantId = variant.parse().unwrap();
        let rows = of_variants(&self.app.read(), &[variant]).await.unwrap();
        let levels: Vec<_> = rows.into_iter().filter_map(|row| row.level).collect();
        (levels.iter().map(|row| row.stocked).sum(), levels.iter().map(|row| row.reserved).sum())
    }
}
