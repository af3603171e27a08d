//! Customers of the fake, and what they saved.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};

use super::form::number;
use super::{Answer, Books, invalid, missing};

#[derive(Debug, Default)]
pub struct Vault {
    customers: BTreeMap<String, Value>,
    methods: BTreeMap<String, Value>,
}

impl Vault {
    /// How a payment method behaves: a saved one as what it was made from.
    pub fn token(&self, method: Option<&str>) -> Option<String> {
        let saved = method.and_then(|id| self.methods.get(id)).map(|method| &method["metadata"]["token"]);
        saved.and_then(Value::as_str).or(method).map(str::to_owned)
    }

    /// Why a customer can't pay with this.
    pub fn refuses(&self, method: Option<&str>, customer: Option<&str>) -> Option<Answer> {
        if customer.is_some_and(|id| self.customer(id).is_none()) {
            return Some(invalid("resource_missing", "No such customer"));
        }
        let owner = method.and_then(|id| self.methods.get(id)).map(|method| &method["customer"])?;
        let message = match (owner.as_str(), customer) {
            (None, _) => "The provided PaymentMethod was detached and may not be used again.",
            (Some(owner), Some(customer)) if owner == customer => return None,
            (Some(_), Some(_)) => "The PaymentMethod belongs to a different customer.",
            (Some(_), None) => "The PaymentMethod is attached to a customer, who must be given with it.",
        };
        Some(invalid("payment_method_customer_mismatch", message))
    }

    fn customer(&self, id: &str) -> Option<&Value> {
        self.customers.get(id).filter(|customer| customer["deleted"] != true)
    }

    /// What paid is kept for the customer, as the intent says; one that is kept already stays.
    pub fn attach(&mut self, intent: &Value, id: String) {
        let (Some(method), Some(_)) = (intent["payment_method"].as_str(), intent["customer"].as_str()) else { return };
        let of_cards = &intent["payment_method_options"]["card"]["setup_future_usage"];
        if (intent["setup_future_usage"].is_null() && of_cards.is_null()) || self.methods.contains_key(method) {
            return;
        }
        let card = json!({
            "brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2031, "fingerprint": format!("print of {method}"),
        });
        let created = chrono::Utc::now().timestamp() + self.methods.len() as i64;
        let kept = json!({
            "id": id, "object": "payment_method", "type": "card", "card": card, "customer": intent["customer"],
            "created": created, "metadata": { "token": method },
        });
        self.methods.insert(id, kept);
    }

    /// What a customer has, the newest first.
    pub fn methods_of(&self, customer: &str) -> Vec<Value> {
        self.methods.values().rev().filter(|method| method["customer"] == customer).cloned().collect()
    }

    /// Every customer who is not deleted.
    pub fn customers(&self) -> Vec<String> {
        self.customers.keys().filter(|id| self.customer(id).is_some()).cloned().collect()
    }

    pub fn delete(&mut self, id: &str) -> Answer {
        if self.customer(id).is_none() {
            return missing("customer");
        }
        for method in self.methods.values_mut().filter(|method| method["customer"] == id) {
            method["customer"] = Value::Null;
        }
        let deleted = json!({ "id": id, "object": "customer", "deleted": true });
        self.customers.insert(id.to_owned(), deleted.clone());
        (200, deleted)
    }

    fn detach(&mut self, id: &str) -> Answer {
        match self.methods.get_mut(id) {
            Some(method) if method["customer"].is_string() => {
                method["customer"] = Value::Null;
                (200, method.clone())
            }
            Some(_) => invalid("payment_method_not_attached", "The PaymentMethod is not attached to a customer."),
            None => missing("payment_method"),
        }
    }

    fn search(&self, form: &Value) -> Answer {
        let query = form["query"].as_str().unwrap();
        let wanted = query.strip_prefix("metadata['customer']:'").unwrap().strip_suffix('\'').unwrap();
        let found = self.customers.values().filter(|customer| customer["metadata"]["customer"] == wanted);
        (200, json!({ "object": "search_result", "has_more": false, "data": found.collect::<Vec<_>>() }))
    }

    fn list(&self, customer: &str, form: &Value) -> Answer {
        if self.customer(customer).is_none() {
            return missing("customer");
        }
        let all = self.methods_of(customer);
        let after = all.iter().position(|method| method["id"] == form["starting_after"]);
        let limit = usize::try_from(number(&form["limit"])).unwrap_or(10);
        let rest = &all[after.map_or(0, |place| place + 1)..];
        let data: Vec<&Value> = rest.iter().take(limit).collect();
        (200, json!({ "object": "list", "has_more": rest.len() > data.len(), "data": data }))
    }
}

impl Books {
    /// A call about customers or what they saved; whether it got as far as being carried out.
    pub fn of_customers(&mut self, method: &Method, parts: &[&str], form: &Value) -> (Answer, bool) {
        match (method, parts) {
            (&Method::POST, ["customers"]) => {
                let id = self.name("cus");
                let metadata = form["metadata"].as_object().cloned().unwrap_or_default();
                let row = json!({ "id": id, "object": "customer", "metadata": metadata, "livemode": false });
                self.vault.customers.insert(id, row.clone());
                ((200, row), true)
            }
            (&Method::GET, ["customers", "search"]) => (self.vault.search(form), false),
            (&Method::GET, ["customers", id]) => {
                let found = self.vault.customers.get(*id).cloned();
                (found.map_or_else(|| missing("customer"), |row| (200, row)), false)
            }
            (&Method::DELETE, ["customers", id]) => (self.vault.delete(id), false),
            (&Method::GET, ["customers", id, "payment_methods"]) => (self.vault.list(id, form), false),
            (&Method::POST, ["payment_methods", id, "detach"]) => (self.vault.detach(id), true),
            _ => (missing("url"), false),
        }
    }
}
