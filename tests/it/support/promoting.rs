//! How tests promote: promotions, campaigns, codes, and what carts show of them.

use serde_json::{Value, json};

use super::buying::CartSession;
use super::{Answer, Shop};

/// So many percent off the order.
pub fn percent_off(percent: &str) -> Value {
    json!({ "reduce": { "target": { "order": true }, "reduction": { "percentage": { "percent": percent } } } })
}

/// This much off shipping.
pub fn off_shipping(reduction: Value) -> Value {
    json!({ "reduce": { "target": { "shipping": [] }, "reduction": reduction } })
}

/// This much off the items that are so.
pub fn off_items(items: Value, reduction: Value) -> Value {
    json!({ "reduce": { "target": { "items": items }, "reduction": reduction } })
}

/// What a cart shows of promotions.
const DISCOUNTS: &str = "discount { amount } shipping { amount } total { amount currencyCode }
    missingToFreeShipping { amount }
    promotions { title code amount { amount } }
    codes { code verdict title amount { amount } reason message condition test notCombinableWith
        missing { amount } missingUnits }
    lines { variantId quantity isGift discount { amount }
        adjustments { title code units of { amount } amount { amount } explanation { kind percent message } } }
    deliveryGroups { adjustments { title amount { amount } } } issues { code blocking message }";

impl Shop {
    /// A promotion that is let go; answers with its id.
    pub async fn promotion(&self, title: &str, method: &str, offer: Value, more: Value) -> String {
        let mut input = json!({ "title": title, "method": method, "offer": offer });
        for (field, value) in more.as_object().unwrap() {
            input[field] = value.clone();
        }
        let made = self.set("promotionCreate", input, "promotion { id }").await.done();
        let id = made["promotion"]["id"].as_str().unwrap().to_owned();
        self.set("promotionActivate", json!({ "id": id }), "promotion { status }").await.done();
        id
    }

    /// A code of a promotion.
    pub async fn code(&self, promotion: &str, code: &str) {
        let input = json!({ "promotionId": promotion, "codes": [code] });
        self.set("promotionCodesAdd", input, "codes { code }").await.done();
    }

    /// A campaign; answers with its id.
    pub async fn campaign(&self, input: Value) -> String {
        let made = self.set("campaignCreate", input, "campaign { id }").await.done();
        made["campaign"]["id"].as_str().unwrap().to_owned()
    }

    /// How often a promotion was used.
    pub async fn uses(&self, promotion: &str) -> i64 {
        let query = "query($id: ID!) { promotion(id: $id) { uses } }";
        self.admin.send(query, json!({ "id": promotion })).await.at("promotion.uses").as_i64().unwrap()
    }
}

impl CartSession {
    /// Makes these its codes.
    pub async fn enter(&mut self, codes: &[&str]) -> Answer {
        let answer = self.mutate("cartCodesUpdate", json!({ "codes": codes })).await;
        answer.done();
        answer
    }

    /// `CODE VERDICT` of each of these codes, once they are its codes.
    pub async fn verdicts(&mut self, codes: &[&str]) -> Vec<String> {
        self.enter(codes).await;
        let shown = self.discounts().await["codes"].clone();
        let told = |code: &Value| format!("{} {}", code["code"].as_str().unwrap(), code["verdict"].as_str().unwrap());
        shown.as_array().unwrap().iter().map(told).collect()
    }

    /// What it shows of promotions at this moment.
    pub async fn discounts(&self) -> Value {
        let query = format!("query($id: ID!, $token: String) {{ cart(id: $id, token: $token) {{ {DISCOUNTS} }} }}");
        self.client.send(&query, json!({ "id": self.id, "token": self.token })).await.at("cart")
    }
}
