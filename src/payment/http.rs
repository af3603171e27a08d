//! Payments over plain HTTP: what providers tell by themselves, and the page that asks the shopper of a test card.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, RawForm, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use domain::throttle::LEAST;

use crate::http::gate::Gate;
use crate::http::slow;
use engine::actor::Caller;
use engine::app::App;
use engine::error::Error;
use engine::payment::incoming::{process, receive};
use engine::provider::payment::test::{PAGE, Shown};
use engine::throttle::{Asker, Throttle};

/// The largest body of the page's form, in bytes.
const FORM: usize = 1024;
/// The largest event of a provider, in bytes.
const EVENT: usize = 128 * 1024;

/// What an event needs to be taken in.
#[derive(Clone)]
struct Hook {
    app: Arc<App>,
    gate: Arc<Gate>,
    throttle: Arc<Throttle>,
    refused: Arc<Mutex<Refused>>,
}

/// How many forgeries of the last minute stand in the audit log: who sends many fills it with no more than these.
#[derive(Debug, Default)]
struct Refused {
    minute: i64,
    count: usize,
}

/// How many forgeries stand in the audit log for each minute; the log of the process has them all.
const AUDITED: usize = 30;

impl Refused {
    /// Whether one more is audited at a moment.
    fn audits(&mut self, now: DateTime<Utc>) -> bool {
        let minute = now.timestamp() / 60;
        if self.minute != minute {
            *self = Self { minute, count: 0 };
        }
        self.count += 1;
        self.count <= AUDITED
    }
}

/// The ways in for providers, and for the browsers of those who pay.
pub fn routes(app: Arc<App>, gate: Arc<Gate>, throttle: Arc<Throttle>) -> Router {
    let page = get(show).post(answer).layer(DefaultBodyLimit::max(FORM));
    let page = Router::new().route(&format!("{PAGE}{{reference}}"), page).with_state(app.clone());
    let hook = post(hear).layer(DefaultBodyLimit::max(EVENT)).layer(from_fn(slow::hurry));
    page.merge(Router::new().route("/hooks/payment/{provider}", hook).with_state(Hook {
        app,
        gate,
        throttle,
        refused: Arc::default(),
    }))
}

/// Takes an event of a provider in. It is looked at after it is kept, so the provider waits for no other.
async fn hear(
    State(hook): State<Hook>,
    Path(provider): Path<String>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let from = hook.gate.client(peer, &headers);
    let standings = hook.throttle.take(&Asker::at(Some(from)), LEAST).await;
    if standings.iter().any(|standing| standing.wait.is_some()) {
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "10")], "Too many requests.\n").into_response();
    }
    let Some(told) = hook.app.payments.get(&provider).filter(|provider| provider.sends_events()) else {
        return (StatusCode::NOT_FOUND, "No such payment provider tells anything here.\n").into_response();
    };
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return rejection.into_response(),
    };
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let now = hook.app.clock.now();
    let read = told.read_event(&text, &body, now);
    let caller = Caller { from: Some(from), ..Caller::system() };
    let audits = || hook.refused.lock().unwrap_or_else(PoisonError::into_inner).audits(now);
    match receive(&hook.app, &caller, &provider, read, &body, audits).await {
        Ok(Ok(stored)) => {
            if let Some(id) = stored {
                let app = hook.app.clone();
                tokio::spawn(async move {
                    if let Err(error) = process(&app, id).await {
                        tracing::warn!(event = %id, %error, "an event will be looked at again");
                    }
                });
            }
            (StatusCode::OK, "Taken.\n").into_response()
        }
        Ok(Err(_)) => (StatusCode::BAD_REQUEST, "This is no event of the provider's.\n").into_response(),
        Err(error) => {
            tracing::error!(%error, "an event of a payment provider could not be kept");
            (StatusCode::SERVICE_UNAVAILABLE, "The shop can't take events at the moment.\n").into_response()
        }
    }
}

/// Asks whether it is he. Who has the address may answer: it is not to be guessed, and no money moves.
async fn show(State(app): State<Arc<App>>, Path(reference): Path<String>) -> Response {
    let Some(cards) = &app.test_cards else { return nothing() };
    told(cards.show(&reference).await, false)
}

async fn answer(State(app): State<Arc<App>>, Path(reference): Path<String>, RawForm(form): RawForm) -> Response {
    let Some(cards) = &app.test_cards else { return nothing() };
    let confirmed = match form.as_ref() {
        b"answer=confirm" => true,
        b"answer=fail" => false,
        _ => return (StatusCode::BAD_REQUEST, "The form says answer=confirm or answer=fail.\n").into_response(),
    };
    told(cards.answer(&reference, confirmed).await, true)
}

fn nothing() -> Response {
    (StatusCode::NOT_FOUND, "There is no such payment.\n").into_response()
}

fn told(found: Result<Option<Shown>, Error>, answered: bool) -> Response {
    match found {
        Ok(None) => nothing(),
        Ok(Some(Shown { return_url: Some(url), waits: false, .. })) if answered => {
            (StatusCode::SEE_OTHER, [(header::LOCATION, url), (header::CACHE_CONTROL, "no-store".to_owned())])
                .into_response()
        }
        Ok(Some(shown)) => page(&shown),
        Err(error) => {
            tracing::error!(%error, "the page of a test payment could not be shown");
            (StatusCode::SERVICE_UNAVAILABLE, "The shop does not answer at the moment.\n").into_response()
        }
    }
}

fn page(shown: &Shown) -> Response {
    let asked = if shown.waits {
        "<p>Is it you who pays?</p>
<form method=\"post\">
<button name=\"answer\" value=\"confirm\">Yes, pay</button>
<button name=\"answer\" value=\"fail\">No, decline</button>
</form>"
    } else {
        "<p>That is answered. Go back to the shop.</p>"
    };
    // The amount is digits and a code: nothing in it needs to be escaped.
    let page = format!(
        "<!doctype html>
<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Test payment</title>
<style>body{{font:1.1rem sans-serif;max-width:26rem;margin:15vh auto;padding:0 1rem}}button{{font:inherit;padding:.5rem 1rem}}</style>
<h1>Test payment of {}</h1>
<p>This is a test card: no money moves.</p>
{asked}
</html>
",
        shown.amount
    );
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, Html(page)).into_response()
}
