//! Gift cards and store credit in tests.

use serde_json::{Value, json};

use super::buying::{CartSession, euro};
use super::customers::Account;
use super::walker::new_key;
use super::{Answer, Shop};

const CARD: &str = "giftCard { id code lastCharacters balance { amount } }";

/// A gift card as staff got it.
#[derive(Debug, Clone)]
pub struct Card {
    pub id: String,
    pub code: String,
    /// How a cart shows its code.
    pub masked: String,
}

impl Card {
    /// The card in an answer.
    pub fn of(card: &Value) -> Self {
        let text = |name: &str| card[name].as_str().unwrap_or_else(|| panic!("no {name}: {card}")).to_owned();
        Self { id: text("id"), code: text("code"), masked: format!("****{}", text("lastCharacters")) }
    }
}

impl Shop {
    /// A gift card with so much on it, in euro.
    pub async fn gift_card(&self, amount: &str) -> Card {
        let input = json!({ "idempotencyKey": new_key(), "amount": euro(amount) });
        Card::of(&self.set("giftCardIssue", input, CARD).await.done()["giftCard"])
    }

    /// What is on a card.
    pub async fn left_on(&self, card: &Card) -> String {
        let query = "query($id: ID!) { giftCard(id: $id) { balance { amount } } }";
        let shown = self.admin.send(query, json!({ "id": card.id })).await;
        shown.text("giftCard.balance.amount")
    }

    /// `KIND amount` of a card's movements, the oldest first.
    pub async fn moves_of(&self, card: &Card) -> Vec<String> {
        let query = "query($id: ID!) { giftCard(id: $id) { entries(first: 250) { kind amount { amount } } } }";
        let entries = self.admin.send(query, json!({ "id": card.id })).await.at("giftCard.entries");
        moves(&entries)
    }

    /// Gives a customer store credit, in euro.
    pub async fn credit(&self, who: &Account, amount: &str) {
        let input = json!({ "idempotencyKey": new_key(), "customerId": who.id.to_string(), "kind": "CREDIT",
            "amount": euro(amount) });
        self.set("storeCreditAdjust", input, "storeCredit { id }").await.done();
    }

    /// The payments of an order: `provider STATE captured refunded` of each.
    pub async fn payments(&self, order: &str) -> Vec<String> {
        let query = "query($id: ID!) { order(id: $id) { payments {
            provider state captured { amount } refunded { amount } } } }";
        let shown = self.admin.send(query, json!({ "id": order })).await.at("order.payments");
        let told = |row: &Value| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let amounts = (text(&row["captured"]["amount"]), text(&row["refunded"]["amount"]));
            format!("{} {} {} {}", text(&row["provider"]), text(&row["state"]), amounts.0, amounts.1)
        };
        shown.as_array().unwrap().iter().map(told).collect()
    }

    /// The id of an order's payment by this provider.
    pub async fn payment_by(&self, order: &str, provider: &str) -> String {
        let query = "query($id: ID!) { order(id: $id) { payments { id provider } } }";
        let shown = self.admin.send(query, json!({ "id": order })).await.at("order.payments");
        let found = shown.as_array().unwrap().iter().find(|row| row["provider"] == provider).unwrap().clone();
        found["id"].as_str().unwrap().to_owned()
    }

    /// Gives back so much of a payment, all when absent.
    pub async fn give_back(&self, payment: &str, amount: Option<&str>, to: &str) -> Answer {
        let input = json!({ "idempotencyKey": new_key(), "paymentId": payment, "amount": amount.map(euro),
            "reason": "REQUESTED", "to": to });
        let select = "payment { state refunded { amount } } order { paymentStatus }";
        self.set("refundCreate", input, select).await
    }

    /// Calls an order off.
    pub async fn cancel_order(&self, order: &str) -> Answer {
        let input = json!({ "idempotencyKey": new_key(), "orderId": order });
        self.set("orderCancel", input, "order { status paymentStatus }").await
    }
}

/// `KIND amount` of movements, the oldest first.
pub fn moves(entries: &Value) -> Vec<String> {
    let told = |row: &Value| format!("{} {}", row["kind"].as_str().unwrap(), row["amount"]["amount"].as_str().unwrap());
    entries.as_array().unwrap().iter().rev().map(told).collect()
}

impl Account {
    /// What the shop owes in euro.
    pub async fn owed(&self) -> String {
        let shown =
            self.client.send("{ customer { storeCredit { balance { amount currencyCode } } } }", json!({})).await;
        let credits = shown.at("customer.storeCredit");
        let own = credits.as_array().unwrap().iter().find(|row| row["balance"]["currencyCode"] == "EUR").cloned();
        own.map_or_else(|| "0.00".to_owned(), |row| row["balance"]["amount"].as_str().unwrap().to_owned())
    }
}

impl CartSession {
    /// What each code of the cart does: `code VERDICT amount`.
    pub async fn paid_by(&self) -> Vec<String> {
        let query = "query($id: ID!, $token: String) { cart(id: $id, token: $token) {
            codes { code verdict amount { amount } } } }";
        let shown = self.client.send(query, json!({ "id": self.id, "token": self.token })).await.at("cart.codes");
        let told = |row: &Value| {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            format!("{} {} {}", text("code"), text("verdict"), row["amount"]["amount"].as_str().unwrap())
        };
        shown.as_array().unwrap().iter().map(told).collect()
    }
}
