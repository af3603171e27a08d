//! Which pages of other origins may ask, and read the answer. Closed unless
//! the operator or a channel names the origin.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::fresh::keep_unsaid;
use super::gate::Gate;
use engine::app::App;

/// What a page may send besides what every page may.
const SENT: &str = "authorization, content-type, last-event-id, x-publishable-key, x-region, x-request-id";
/// What a page may read besides what every page may.
const READ: &str = "cache-status, content-language, etag, retry-after, x-channel, x-query-cost, x-region, x-request-id";

/// Answers what browsers ask before they let a page ask, and says with every
/// answer who may read it. No cookie is ever taken, so none is allowed for.
pub async fn guard(State((app, gate)): State<(Arc<App>, Arc<Gate>)>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let origin = origin.filter(|_| gate.lets_in(request.headers(), &app.settings()));
    let asks_first =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut answer = match (asks_first, &origin) {
        (false, _) => next.run(request).await,
        (true, None) => (StatusCode::FORBIDDEN, "A page of this origin may not ask.\n").into_response(),
        (true, Some(_)) => StatusCode::NO_CONTENT.into_response(),
    };
    let headers = answer.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin, accept"));
    keep_unsaid(headers);
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        allow(headers, asks_first);
    }
    answer
}

fn allow(headers: &mut HeaderMap, asks_first: bool) {
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    if asks_first {
        set(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST");
        set(header::ACCESS_CONTROL_ALLOW_HEADERS, SENT);
        set(header::ACCESS_CONTROL_MAX_AGE, "7200");
    } else {
        set(header::ACCESS_CONTROL_EXPOSE_HEADERS, READ);
    }
}
