//! A provider that is asked over HTTP: one POST per question, signed as [Standard Webhooks] say, answered with 200 and
//! JSON before a deadline. No redirect is followed, no proxy is used, and only addresses of the public internet are
//! called unless the operator says that the provider stands in his own network.
//!
//! [Standard Webhooks]: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

mod guard;

pub(in crate::provider) use guard::{Guard, may_call};

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::provider::breaker::Breaker;
use reqwest::{Response, StatusCode, redirect};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::Silent;

/// The largest answer, in bytes.
const MAX_ANSWER: usize = 256 * 1024;
/// How long a provider may take when nothing is said, and at most, in milliseconds.
const DEADLINE_MS: u64 = 2_000;
const MAX_DEADLINE_MS: u64 = 10_000;
/// The fewest bytes of a secret.
const LEAST_SECRET: usize = 24;
/// Refusals that are not about the question: no other one would fare better.
const OF_PROVIDER: [StatusCode; 5] = [
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
    StatusCode::NOT_FOUND,
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::TOO_MANY_REQUESTS,
];
/// The most of a fault that is told, in characters.
const MAX_FAULT: usize = 200;
/// What a secret in the form of Standard Webhooks begins with.
const SECRET_PREFIX: &str = "whsec_";

/// A provider as the operator describes it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// What staff choose it by: lower-case letters, digits and dashes.
    pub name: String,
    /// Where it is asked: https, or http in the operator's own network.
    pub url: String,
    /// What questions are signed with: at least 24 bytes, in base64 behind `whsec_` or as they are.
    pub secret: String,
    /// How long it may take, in milliseconds: 2000 when absent, at most 10000.
    pub deadline_ms: Option<u64>,
    /// Whether it stands in the operator's own network.
    #[serde(default)]
    pub private: bool,
}

impl std::fmt::Debug for HttpConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpConfig").field("name", &self.name).field("url", &self.url).finish_non_exhaustive()
    }
}

/// A provider that can be asked.
#[derive(Debug)]
pub struct HttpProvider {
    name: String,
    url: Url,
    key: hmac::Key,
    private: bool,
    http: reqwest::Client,
    breaker: Mutex<Breaker>,
    since: Instant,
}

/// Why there is no usable answer.
struct Fault {
    why: String,
    /// Whether the provider is well and refuses this very question.
    of_question: bool,
}

impl From<String> for Fault {
    fn from(why: String) -> Self {
        Self { why, of_question: false }
    }
}

/// What is sent.
#[derive(Serialize)]
struct Envelope<'q, Q> {
    r#type: &'q str,
    data: &'q Q,
}

impl HttpProvider {
    /// A provider of which nothing is known yet.
    ///
    /// # Errors
    /// What is wrong with the description, in words.
    pub fn new(config: HttpConfig) -> Result<Self, String> {
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if config.name.is_empty() || config.name.len() > 32 || !config.name.chars().all(letter) {
            return Err("name is 1 to 32 lower-case letters, digits and dashes".to_owned());
        }
        let url: Url = config.url.parse().map_err(|_| "url is no address".to_owned())?;
        let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        let scheme = url.scheme() == "https" || url.scheme() == "http" && config.private;
        if !bare || !scheme || url.host().is_none() {
            return Err("url is an https address without a user (http only with private = true)".to_owned());
        }
        may_call(&url, config.private)?;
        let secret = match config.secret.strip_prefix(SECRET_PREFIX) {
            Some(text) => STANDARD.decode(text).map_err(|_| format!("secret is no base64 behind {SECRET_PREFIX}"))?,
            None => config.secret.into_bytes(),
        };
        if secret.len() < LEAST_SECRET {
            return Err(format!("secret has at least {LEAST_SECRET} bytes"));
        }
        let deadline = config.deadline_ms.unwrap_or(DEADLINE_MS);
        if !(1..=MAX_DEADLINE_MS).contains(&deadline) {
            return Err(format!("deadline_ms is between 1 and {MAX_DEADLINE_MS}"));
        }
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .timeout(Duration::from_millis(deadline))
            .user_agent(concat!("emporion/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(Guard { private: config.private }))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            name: config.name,
            url,
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            private: config.private,
            http,
            breaker: Mutex::default(),
            since: Instant::now(),
        })
    }

    /// What staff choose it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Asks a question; `check` says what is wrong with an answer that can't be used.
    ///
    /// # Errors
    /// When there is no usable answer before the deadline, or the provider is left alone for a while.
    pub async fn ask<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        kind: &str,
        question: &Q,
        check: impl FnOnce(&A) -> Result<(), String> + Send,
    ) -> Result<A, Silent> {
        if !self.breaker().admits(self.now_ms()) {
            return Err(Silent("it failed again and again and is left alone for a while".to_owned()));
        }
        let fault = match self.exchange(kind, question).await {
            Ok(answer) => match check(&answer) {
                Ok(()) => {
                    self.breaker().answered();
                    return Ok(answer);
                }
                Err(why) => Fault { why, of_question: false },
            },
            Err(fault) => fault,
        };
        match fault.of_question {
            // It is well, and others' questions will be answered: whoever sends nonsense stops nobody else.
            true => self.breaker().answered(),
            false => self.breaker().failed(self.now_ms()),
        }
        let why: String = fault.why.chars().take(MAX_FAULT).collect();
        tracing::warn!(provider = self.name, kind, why, "a provider gave no usable answer");
        Err(Silent(why))
    }

    async fn exchange<Q: Serialize, A: DeserializeOwned>(&self, kind: &str, question: &Q) -> Result<A, Fault> {
        // Addresses by number pass no resolver.
        may_call(&self.url, self.private)?;
        let body = serde_json::to_vec(&Envelope { r#type: kind, data: question }).map_err(|error| error.to_string())?;
        // The same question has the same id: who keeps answers by id may answer it from there.
        let id = format!("ask_{}", hex(&Sha256::digest(&body)[..16]));
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(|error| error.to_string())?;
        let timestamp = now.as_secs().to_string();
        let request = self.http.post(self.url.clone());
        let request = request.header("content-type", "application/json").header("accept", "application/json");
        let request = request.header("webhook-signature", self.signature(&id, &timestamp, &body));
        let request = request.header("webhook-id", id).header("webhook-timestamp", timestamp);
        let failed = |error: reqwest::Error| told(&error.without_url());
        let response = request.body(body).send().await.map_err(failed)?;
        if response.status() != StatusCode::OK {
            let status = response.status();
            let of_question = status.is_client_error() && !OF_PROVIDER.contains(&status);
            return Err(Fault { why: format!("it answered with {status}"), of_question });
        }
        let body = body_of(response, MAX_ANSWER).await?;
        Ok(serde_json::from_slice(&body).map_err(|error| format!("its answer can't be read: {error}"))?)
    }

    fn signature(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            context.update(part);
        }
        format!("v1,{}", STANDARD.encode(context.sign()))
    }

    fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A body of so many bytes at most.
pub(in crate::provider) async fn body_of(mut response: Response, most: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| told(&error.without_url()))? {
        if body.len() + part.len() > most {
            return Err(format!("its answer is larger than {most} bytes"));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// An error with what caused it: the outermost says only that sending failed.
pub(in crate::provider) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
