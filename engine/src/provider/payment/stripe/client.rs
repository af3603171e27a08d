//! Calls to Stripe: forms in, JSON out, with a key that makes each change safe to repeat.

use std::sync::Arc;

use reqwest::{Client, Method, StatusCode, redirect};
use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer;

use super::super::DEADLINE;
use super::StripeConfig;
use crate::provider::http::{Guard, body_of, may_call, told};

/// The version of the protocol that is spoken, whatever the account is set to.
pub(super) const VERSION: &str = "2024-06-20";
/// Where Stripe is.
const API: &str = "https://api.stripe.com";
/// The largest answer, in bytes.
const MAX_ANSWER: usize = 512 * 1024;

/// Why a call has no result.
#[derive(Debug)]
pub(super) enum Fault {
    /// Nobody knows whether it had an effect; the same call may be made again.
    Silent(String),
    /// The card was declined.
    Declined(Value),
    /// The key was used with something else before.
    KeyReused,
    /// The secret key is not good, or not for this.
    NotAllowed,
    /// It can't be done; the code says why.
    Refused { code: String },
    /// There is nothing of this name.
    Missing,
}

/// Fields of a form, in order.
pub(super) type Form = Vec<(String, String)>;

/// The way to Stripe.
pub(super) struct Api {
    base: Url,
    key: String,
    private: bool,
    http: Client,
}

impl Api {
    /// # Errors
    /// What is wrong with the settings, in words.
    pub fn new(config: &StripeConfig) -> Result<Self, String> {
        let private = config.api.is_some();
        let base: Url =
            config.api.as_deref().unwrap_or(API).parse().map_err(|_| "stripe_api is no address".to_owned())?;
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .timeout(DEADLINE)
            .user_agent(concat!("emporion/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(Guard { private }))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { base, key: config.secret_key.clone(), private, http })
    }

    /// Changes something.
    pub async fn post(&self, path: &str, form: &Form, key: &str) -> Result<Value, Fault> {
        self.call(Method::POST, path, form, Some(key)).await
    }

    /// Looks something up.
    pub async fn get(&self, path: &str, query: &Form) -> Result<Value, Fault> {
        self.call(Method::GET, path, query, None).await
    }

    /// Deletes something.
    pub async fn delete(&self, path: &str) -> Result<Value, Fault> {
        self.call(Method::DELETE, path, &Form::new(), None).await
    }

    async fn call(&self, method: Method, path: &str, form: &Form, key: Option<&str>) -> Result<Value, Fault> {
        may_call(&self.base, self.private).map_err(Fault::Silent)?;
        let mut url = self.base.join(path).map_err(|error| Fault::Silent(error.to_string()))?;
        let fields = Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = match method {
            Method::GET => {
                url.set_query(Some(&fields));
                self.http.get(url)
            }
            Method::DELETE => self.http.delete(url),
            _ => {
                let request = self.http.post(url).header("content-type", "application/x-www-form-urlencoded");
                request.body(fields)
            }
        };
        request = request.bearer_auth(&self.key).header("stripe-version", VERSION);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let silent = |error: reqwest::Error| Fault::Silent(told(&error.without_url()));
        let response = request.send().await.map_err(silent)?;
        let status = response.status();
        let body = body_of(response, MAX_ANSWER).await.map_err(Fault::Silent)?;
        let Ok(answer) = serde_json::from_slice::<Value>(&body) else {
            return Err(Fault::Silent(format!("it answered with {status} and no JSON")));
        };
        if status == StatusCode::OK { Ok(answer) } else { Err(fault(status, &answer["error"])) }
    }
}

/// What a refusal means.
fn fault(status: StatusCode, error: &Value) -> Fault {
    let kind = error["type"].as_str().unwrap_or_default();
    let code = error["code"].as_str().unwrap_or(kind);
    // Their text may repeat what was sent: only the words that they document are kept.
    let code: String = code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(80).collect();
    match status {
        StatusCode::PAYMENT_REQUIRED => Fault::Declined(error.clone()),
        _ if kind == "idempotency_error" => Fault::KeyReused,
        // Another call with the same key or on the same object is running.
        StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS => Fault::Silent(format!("it answered with {status}")),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Fault::NotAllowed,
        StatusCode::NOT_FOUND => Fault::Missing,
        StatusCode::BAD_REQUEST if kind == "card_error" => Fault::Declined(error.clone()),
        StatusCode::BAD_REQUEST if code == "lock_timeout" => Fault::Silent(code),
        StatusCode::BAD_REQUEST => Fault::Refused { code },
        _ => Fault::Silent(format!("it answered with {status}")),
    }
}
