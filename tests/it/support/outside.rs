//! A provider of tax rates or shipping prices that stands outside the shop, over HTTP.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use engine::provider::http::HttpConfig;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::Value;
use tokio::net::TcpListener;

/// What questions are signed with.
pub const SECRET: &[u8] = b"thirty-two bytes of no great use";

/// How it answers.
pub enum Reply {
    /// With this.
    Json(Value),
    /// With this status and nothing else.
    Status(u16),
    /// With these bytes.
    Bytes(Vec<u8>),
    /// By sending the caller there.
    Elsewhere(String),
    /// Not at all for so long.
    Late(Duration),
}

type Answers = Box<dyn Fn(&Value) -> Reply + Send + Sync>;

/// A running provider. It ends with the test.
pub struct Outside {
    /// Where it is asked.
    pub url: String,
    heard: Arc<Heard>,
}

struct Heard {
    answers: Mutex<Answers>,
    questions: Mutex<Vec<Value>>,
    once: Mutex<VecDeque<Reply>>,
}

impl Outside {
    /// One that answers each question by its data.
    pub async fn start(answers: impl Fn(&Value) -> Reply + Send + Sync + 'static) -> Self {
        let answers: Answers = Box::new(answers);
        let heard =
            Arc::new(Heard { answers: Mutex::new(answers), questions: Mutex::default(), once: Mutex::default() });
        let app = Router::new().fallback(any(answer)).with_state(heard.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/ask", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, heard }
    }

    /// It answers otherwise from now on.
    pub fn answers(&self, answers: impl Fn(&Value) -> Reply + Send + Sync + 'static) {
        *self.heard.answers.lock().unwrap() = Box::new(answers);
    }

    /// It answers the next questions so.
    pub fn answers_once(&self, replies: impl IntoIterator<Item = Reply>) {
        self.heard.once.lock().unwrap().extend(replies);
    }

    /// What it was asked so far, the data alone.
    pub fn questions(&self) -> Vec<Value> {
        self.heard.questions.lock().unwrap().clone()
    }

    /// How the operator describes it.
    pub fn config(&self, name: &str) -> HttpConfig {
        HttpConfig {
            name: name.to_owned(),
            url: self.url.clone(),
            secret: format!("whsec_{}", STANDARD.encode(SECRET)),
            deadline_ms: Some(1_000),
            private: true,
        }
    }
}

async fn answer(State(heard): State<Arc<Heard>>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    let signed = signature(SECRET, &text("webhook-id"), &text("webhook-timestamp"), &body);
    assert_eq!(text("webhook-signature"), signed, "it is signed as Standard Webhooks say");
    let age = chrono::Utc::now().timestamp() - text("webhook-timestamp").parse::<i64>().unwrap();
    assert!((0..60).contains(&age), "signed {age} s ago");
    let envelope: Value = serde_json::from_slice(&body).unwrap();
    assert!(["tax.rates", "shipping.rates"].contains(&envelope["type"].as_str().unwrap()), "{envelope}");
    let data = envelope["data"].clone();
    heard.questions.lock().unwrap().push(data.clone());
    let once = heard.once.lock().unwrap().pop_front();
    let reply = once.unwrap_or_else(|| heard.answers.lock().unwrap()(&data));
    match reply {
        Reply::Json(value) => axum::Json(value).into_response(),
        Reply::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Reply::Bytes(bytes) => bytes.into_response(),
        Reply::Elsewhere(url) => (StatusCode::TEMPORARY_REDIRECT, [("location", url)]).into_response(),
        Reply::Late(time) => {
            tokio::time::sleep(time).await;
            StatusCode::OK.into_response()
        }
    }
}

/// The signature of [Standard Webhooks](https://www.standardwebhooks.com), worked out by what signs tokens.
pub fn signature(secret: &[u8], id: &str, timestamp: &str, body: &[u8]) -> String {
    let message = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
    let signed = crypto::sign(&message, &EncodingKey::from_secret(secret), Algorithm::HS256).unwrap();
    format!("v1,{}", STANDARD.encode(URL_SAFE_NO_PAD.decode(signed).unwrap()))
}
