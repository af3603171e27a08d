//! What is asked of a provider: what it publishes, and a token for a code.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::refusal::{ErrorCode, Refusal};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use reqwest::{RequestBuilder, StatusCode, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use url::Url;

use super::{ProviderConfig, callable};
use crate::error::{Error, Result};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer, in bytes.
const MAX_ANSWER: usize = 256 * 1024;
/// How long what a provider publishes is taken to be true.
const FRESH: TimeDelta = TimeDelta::hours(1);
/// How often keys are fetched because a token names an unknown one.
const REFETCH: TimeDelta = TimeDelta::minutes(1);

/// What a provider publishes of itself.
#[derive(Debug, Clone, Deserialize)]
pub struct Discovery {
    issuer: String,
    /// Where people prove who they are.
    pub authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// What a code is changed into.
#[derive(Debug, Deserialize)]
pub struct TokenAnswer {
    /// Who it is.
    pub id_token: String,
    /// Opens what the provider knows besides.
    pub access_token: Option<String>,
}

#[derive(Debug, Clone)]
struct Published {
    discovery: Discovery,
    at: DateTime<Utc>,
    keys: Option<(JwkSet, DateTime<Utc>)>,
}

/// Speaks with one provider.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    // Held while it is fetched, so that many log-ins at once ask once.
    published: Mutex<Option<Published>>,
}

/// The refusal when a provider does not answer as it should; why is logged.
fn unavailable(config: &ProviderConfig, why: impl std::fmt::Display) -> Error {
    tracing::warn!(provider = config.name, %why, "the identity provider failed");
    let message = "The identity provider does not answer as it should; try again later.";
    Refusal::new(ErrorCode::IdentityProviderUnavailable, message).into()
}

impl Client {
    /// A client that knows nothing yet.
    pub fn new() -> Result<Self> {
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(PATIENCE)
            .timeout(PATIENCE)
            .build();
        Ok(Self { http: http.map_err(Error::internal)?, published: Mutex::new(None) })
    }

    async fn answer(&self, config: &ProviderConfig, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>)> {
        let failed = |error: reqwest::Error| unavailable(config, error.without_url());
        let mut response = request.header("accept", "application/json").send().await.map_err(failed)?;
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(failed)? {
            if body.len() + part.len() > MAX_ANSWER {
                return Err(unavailable(config, "the answer is too large"));
            }
            body.extend_from_slice(&part);
        }
        Ok((response.status(), body))
    }

    async fn json<T: DeserializeOwned>(&self, config: &ProviderConfig, request: RequestBuilder) -> Result<T> {
        match self.answer(config, request).await? {
            (StatusCode::OK, body) => serde_json::from_slice(&body).map_err(|error| unavailable(config, error)),
            (status, _) => Err(unavailable(config, status)),
        }
    }

    fn endpoint(config: &ProviderConfig, address: &str) -> Result<Url> {
        callable(address).ok_or_else(|| unavailable(config, format!("{address:?} is no address to call")))
    }

    async fn publish<'p>(
        &self,
        config: &ProviderConfig,
        held: &'p mut Option<Published>,
        now: DateTime<Utc>,
    ) -> Result<&'p mut Published> {
        if held.as_ref().is_none_or(|known| now - known.at >= FRESH) {
            let address = format!("{}/.well-known/openid-configuration", config.issuer.trim_end_matches('/'));
            let address = Self::endpoint(config, &address)?;
            let discovery: Discovery = self.json(config, self.http.get(address)).await?;
            if discovery.issuer != config.issuer {
                return Err(unavailable(config, format!("it calls itself {:?}", discovery.issuer)));
            }
            Self::endpoint(config, &discovery.authorization_endpoint)?;
            *held = Some(Published { discovery, at: now, keys: None });
        }
        held.as_mut().ok_or_else(|| Error::internal("what was published is gone"))
    }

    /// What the provider publishes of itself.
    pub async fn discovery(&self, config: &ProviderConfig, now: DateTime<Utc>) -> Result<Discovery> {
        let mut held = self.published.lock().await;
        Ok(self.publish(config, &mut held, now).await?.discovery.clone())
    }

    /// The key of this name. One that is unknown is looked for again, at most
    /// once a minute: a provider changes its keys, and anybody can invent names.
    pub async fn key(&self, config: &ProviderConfig, kid: Option<&str>, now: DateTime<Utc>) -> Result<Option<Jwk>> {
        let mut held = self.published.lock().await;
        let known = self.publish(config, &mut held, now).await?;
        let address = Self::endpoint(config, &known.discovery.jwks_uri)?;
        let found = known.keys.as_ref().and_then(|(keys, _)| named(keys, kid));
        let fetch = match &known.keys {
            None => true,
            Some((_, at)) if found.is_none() => now - *at >= REFETCH,
            Some((_, at)) => now - *at >= FRESH,
        };
        if !fetch {
            return Ok(found);
        }
        let keys: JwkSet = self.json(config, self.http.get(address)).await?;
        let found = named(&keys, kid);
        known.keys = Some((keys, now));
        Ok(found)
    }

    /// Changes a code into tokens; nothing when the provider refuses the code.
    pub async fn change(
        &self,
        config: &ProviderConfig,
        discovery: &Discovery,
        code: &str,
        verifier: &str,
    ) -> Result<Option<TokenAnswer>> {
        let address = Self::endpoint(config, &discovery.token_endpoint)?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", config.redirect_url.as_str()),
            ("code_verifier", verifier),
        ];
        let takes = |method: &str| {
            let methods = discovery.token_endpoint_auth_methods_supported.as_ref();
            methods.map_or(method == "client_secret_basic", |known| known.iter().any(|known| known == method))
        };
        let mut request = self.http.post(address);
        match &config.client_secret {
            Some(secret) if takes("client_secret_basic") => {
                // Both parts are escaped before they are joined (RFC 6749, section 2.3.1).
                let escaped = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                request = request.basic_auth(escaped(&config.client_id), Some(escaped(secret)));
            }
            Some(secret) => form.extend([("client_id", config.client_id.as_str()), ("client_secret", secret.as_str())]),
            None => form.push(("client_id", config.client_id.as_str())),
        }
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        match self.answer(config, request).await? {
            (StatusCode::OK, body) => {
                serde_json::from_slice(&body).map(Some).map_err(|error| unavailable(config, error))
            }
            (StatusCode::BAD_REQUEST, _) => Ok(None),
            (status, _) => Err(unavailable(config, status)),
        }
    }

    /// What the provider knows besides of whom an access token stands for.
    pub async fn user_info<T: DeserializeOwned>(
        &self,
        config: &ProviderConfig,
        discovery: &Discovery,
        access_token: &str,
    ) -> Result<Option<T>> {
        let Some(address) = &discovery.userinfo_endpoint else { return Ok(None) };
        let address = Self::endpoint(config, address)?;
        self.json(config, self.http.get(address).bearer_auth(access_token)).await.map(Some)
    }
}

/// The key of this name; without a name, the only key that signs.
fn named(keys: &JwkSet, kid: Option<&str>) -> Option<Jwk> {
    match kid {
        Some(kid) => keys.find(kid).cloned(),
        None => match keys.keys.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        },
    }
}
