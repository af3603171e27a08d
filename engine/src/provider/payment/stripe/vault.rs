//! What customers of Stripe saved. All that Stripe is told of a customer is his id here.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::CustomerId;
use serde_json::Value;
use uuid::Uuid;

use super::super::Silent;
use super::super::vault::{PaymentVault, SavedMethod};
use super::client::{Fault, Form};
use super::intent::is_name;
use super::{Stripe, field, silent};

/// How many methods of a customer are asked for at once: Stripe's longest page.
const PAGE: u32 = 100;
/// How many pages are looked at: whoever saved more has old ones left.
const PAGES: usize = 10;
/// For how long the same key makes the same customer: what Stripe answers once it answers for a day, a fault, too.
const HOUR: i64 = 3_600;

/// A method with what tells that two are the same card.
struct Kept {
    method: SavedMethod,
    fingerprint: Option<String>,
}

fn kept(value: &Value) -> Option<Kept> {
    let reference = value["id"].as_str().filter(|id| is_name(id, "pm_"))?.to_owned();
    let kind = value["type"].as_str()?.to_owned();
    let details = &value[&kind];
    let text = |name: &str| details[name].as_str().map(str::to_owned);
    let number = |name: &str| details[name].as_i64().and_then(|number| i32::try_from(number).ok());
    let method = SavedMethod {
        reference,
        brand: text("brand").or_else(|| text("bank_code")),
        last_digits: text("last4"),
        expires: number("exp_month").zip(number("exp_year")),
        created_at: DateTime::<Utc>::from_timestamp(value["created"].as_i64()?, 0)?,
        kind,
    };
    Some(Kept { method, fingerprint: text("fingerprint") })
}

/// Nothing of what is not there, or not any more.
fn there(answer: Result<Value, Fault>) -> Result<Option<Value>, Silent> {
    match answer {
        Ok(value) if value["deleted"] == true => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(Fault::Missing) => Ok(None),
        Err(Fault::Refused { code }) if code == "resource_missing" => Ok(None),
        Err(fault) => Err(silent(fault)),
    }
}

impl Stripe {
    async fn is_customer(&self, reference: &str) -> Result<bool, Silent> {
        if !is_name(reference, "cus_") {
            return Ok(false);
        }
        Ok(there(self.api.get(&format!("/v1/customers/{reference}"), &Form::new()).await)?.is_some())
    }

    async fn kept(&self, customer: &str) -> Result<Option<Vec<Kept>>, Silent> {
        if !is_name(customer, "cus_") {
            return Ok(None);
        }
        let path = format!("/v1/customers/{customer}/payment_methods");
        let (mut form, mut all) = (vec![field("type", "card"), field("limit", PAGE)], Vec::new());
        for _ in 0..PAGES {
            let Some(found) = there(self.api.get(&path, &form).await)? else { return Ok(None) };
            all.extend(found["data"].as_array().into_iter().flatten().filter_map(kept));
            let last = all.last().map(|kept: &Kept| kept.method.reference.clone());
            match last.filter(|_| found["has_more"] == true) {
                Some(last) => {
                    form.truncate(2);
                    form.push(field("starting_after", last));
                }
                None => break,
            }
        }
        Ok(Some(all))
    }

    /// The names under which Stripe knows a customer, as far as its search tells: that lags by a minute, and accounts of
    /// some countries have none.
    async fn names(&self, customer: CustomerId) -> Result<Vec<String>, Silent> {
        let query = vec![field("query", format!("metadata['customer']:'{customer}'"))];
        let found = match self.api.get("/v1/customers/search", &query).await {
            Ok(found) => found,
            Err(Fault::Refused { .. } | Fault::Missing) => return Ok(Vec::new()),
            Err(fault) => return Err(silent(fault)),
        };
        let names = found["data"].as_array().into_iter().flatten().filter_map(|found| found["id"].as_str());
        Ok(names.filter(|name| is_name(name, "cus_")).map(str::to_owned).collect())
    }

    async fn delete(&self, name: &str) -> Result<(), Silent> {
        there(self.api.delete(&format!("/v1/customers/{name}")).await).map(drop)
    }

    async fn new_customer(&self, customer: CustomerId, key: &str) -> Result<String, Silent> {
        let form = vec![field("metadata[customer]", customer)];
        let made = self.api.post("/v1/customers", &form, key).await.map_err(silent)?;
        let reference = made["id"].as_str().filter(|id| is_name(id, "cus_"));
        reference.map(str::to_owned).ok_or_else(|| Silent("a customer without an id".to_owned()))
    }
}

#[async_trait]
impl PaymentVault for Stripe {
    async fn create_customer(&self, customer: CustomerId) -> Result<String, Silent> {
        // One that was made when the answer got lost.
        for name in self.names(customer).await? {
            if self.is_customer(&name).await? {
                return Ok(name);
            }
        }
        let hour = Utc::now().timestamp() / HOUR;
        let name = self.new_customer(customer, &format!("customer:{customer}:{hour}")).await?;
        // The key may remember one that was deleted since.
        if self.is_customer(&name).await? {
            return Ok(name);
        }
        self.new_customer(customer, &format!("customer:{customer}:{}", Uuid::new_v4().simple())).await
    }

    async fn owns(&self, customer: &str, method: &str) -> Result<Option<bool>, Silent> {
        let kept = self.kept(customer).await?;
        Ok(kept.map(|kept| kept.iter().any(|kept| kept.method.reference == method)))
    }

    async fn methods(&self, customer: &str) -> Result<Option<Vec<SavedMethod>>, Silent> {
        let Some(mut kept) = self.kept(customer).await? else { return Ok(None) };
        kept.sort_by_key(|kept| std::cmp::Reverse(kept.method.created_at));
        let mut seen = std::collections::HashSet::new();
        kept.retain(|kept| kept.fingerprint.as_ref().is_none_or(|print| seen.insert(print.clone())));
        Ok(Some(kept.into_iter().map(|kept| kept.method).collect()))
    }

    /// With every other that is the same card: they were shown as one.
    async fn forget_method(&self, customer: &str, method: &str) -> Result<bool, Silent> {
        let kept = self.kept(customer).await?.unwrap_or_default();
        let Some(own) = kept.iter().find(|kept| kept.method.reference == method) else { return Ok(false) };
        for kept in &kept {
            let same = kept.fingerprint.is_some() && kept.fingerprint == own.fingerprint;
            if same || kept.method.reference == method {
                let reference = &kept.method.reference;
                let path = format!("/v1/payment_methods/{reference}/detach");
                // Twice has the effect of once; a key would keep a fault for a day.
                there(self.api.post(&path, &Form::new(), &Uuid::new_v4().to_string()).await)?;
            }
        }
        Ok(true)
    }

    async fn forget_customer(&self, customer: CustomerId, name: Option<&str>) -> Result<(), Silent> {
        if let Some(name) = name.filter(|name| is_name(name, "cus_")) {
            self.delete(name).await?;
        }
        for name in self.names(customer).await? {
            self.delete(&name).await?;
        }
        Ok(())
    }
}
