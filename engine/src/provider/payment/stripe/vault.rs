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

/// How many methods of a customer are shown at most: Stripe's longest page.
const MOST: u32 = 100;

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
        let found = there(self.api.get(&path, &vec![field("limit", MOST)]).await)?;
        Ok(found.map(|found| found["data"].as_array().into_iter().flatten().filter_map(kept).collect()))
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
        // One that was made when the answer got lost, longer ago than Stripe remembers a key.
        let query = vec![field("query", format!("metadata['customer']:'{customer}'"))];
        let found = self.api.get("/v1/customers/search", &query).await.map_err(silent)?;
        for found in found["data"].as_array().into_iter().flatten() {
            if let Some(reference) = found["id"].as_str()
                && self.is_customer(reference).await?
            {
                return Ok(reference.to_owned());
            }
        }
        let reference = self.new_customer(customer, &format!("customer:{customer}")).await?;
        // The key may remember one that was deleted since.
        if self.is_customer(&reference).await? {
            return Ok(reference);
        }
        self.new_customer(customer, &format!("customer:{customer}:{}", Uuid::new_v4().simple())).await
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
                there(self.api.post(&path, &Form::new(), &format!("detach:{reference}")).await)?;
            }
        }
        Ok(true)
    }

    async fn forget_customer(&self, customer: &str) -> Result<(), Silent> {
        if !is_name(customer, "cus_") {
            return Ok(());
        }
        there(self.api.delete(&format!("/v1/customers/{customer}")).await).map(drop)
    }
}
