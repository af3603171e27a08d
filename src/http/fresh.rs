//! For how long an answer may be kept, and by whom: what the headers say of
//! [RFC 9111][caching]. An answer is public when it is a query of the store
//! without a credential, asks for nothing but what everybody is shown, and has
//! no errors. Everything else is nobody's to keep.
//!
//! [caching]: https://www.rfc-editor.org/rfc/rfc9111

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response as HttpResponse};
use sha2::{Digest, Sha256};

use super::answer::refuse;
use super::cached::{Answer, Asked, Moment, Turn};
use super::log::Line;
use super::negotiate::{Media, Wish};
use super::ready::Context;
use super::{Door, Endpoint};
use crate::api::document::Judged;

/// What a public answer depends on besides what every answer does.
const VARY: &str = "accept-language, authorization, x-publishable-key, x-region";
/// Where an answer comes from, by RFC 9211.
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// What came of looking for an answer that is there already.
pub enum Look {
    /// It is there.
    Known(HttpResponse),
    /// It is to be worked out.
    Sought(Sought),
}

/// How an answer that is to be worked out will be told.
#[derive(Debug)]
pub struct Sought {
    /// Whether the operation came by GET, which changes nothing.
    pub by_get: bool,
    /// What the client holds already.
    holds: Option<HeaderValue>,
    /// Those who wait for the answer, too.
    turn: Option<Turn>,
}

/// How a public answer will be told.
pub struct Share(Sought);

impl Sought {
    /// How the answer is told when it is public. When not, nobody waits for it any more.
    pub fn share(self, judged: &Judged, context: &Context, door: Door) -> Option<Share> {
        let public = judged.public && context.credential.is_none() && !matches!(door, Door::Admin);
        public.then_some(Share(self))
    }
}

impl<S> Endpoint<S> {
    /// Looks for the answer to a question that another has asked a moment ago,
    /// by its very bytes: nothing of it is parsed.
    pub async fn look(
        &self,
        line: &Line,
        peer: SocketAddr,
        method: &Method,
        headers: &HeaderMap,
        words: &[u8],
    ) -> Look {
        let by_get = method == Method::GET;
        let holds = headers.get(header::IF_NONE_MATCH).filter(|_| by_get).cloned();
        let sought = |turn| Look::Sought(Sought { by_get, holds: holds.clone(), turn });
        let may = !matches!(self.door, Door::Admin) && !headers.contains_key(header::AUTHORIZATION);
        let media = Media::of(headers).filter(|_| may && Wish::of(headers) != Wish::Events);
        let Some(media) = media else { return sought(None) };
        let said = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
        let context = (said("accept-language"), said("x-publishable-key"), said("x-region"));
        let door = matches!(self.door, Door::Unified);
        let answers = &self.gate.answers;
        let number = answers.number((door, by_get, media == Media::Json, context, words));
        let moment = Moment { epoch: self.app.epoch.now(), now: self.app.clock.now() };
        match answers.ask(number, moment).await {
            Asked::Known(answer) => {
                line.answered_as_before(answer.cost);
                Look::Known(match self.pay(peer, headers).await {
                    Ok(toll) => {
                        let mut response = told(&answer, holds.as_ref(), "emporion; hit");
                        toll.tell(response.headers_mut());
                        response
                    }
                    Err(refused) => refuse(media, refused),
                })
            }
            Asked::Turn(turn) => sought(Some(turn)),
            Asked::Alone => sought(None),
        }
    }

    /// Tells a public answer to its client and to all who wait for it.
    pub async fn tell(&self, share: Share, judged: &Judged, answer: HttpResponse) -> HttpResponse {
        let Share(Sought { by_get, holds, turn }) = share;
        let (parts, body) = answer.into_parts();
        let Ok(body) = to_bytes(body, usize::MAX).await else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let mut headers = parts.headers;
        let lasting = &self.gate.edge.caching;
        if by_get {
            let (fresh, stale) = (lasting.answer_max_age, lasting.answer_stale);
            let lasts = match fresh {
                0 => "public, no-cache".to_owned(),
                fresh => format!("public, max-age={fresh}, stale-while-revalidate={stale}"),
            };
            set(&mut headers, header::CACHE_CONTROL, &lasts);
            set(&mut headers, header::ETAG, &tag(&body));
            headers.append(header::VARY, HeaderValue::from_static(VARY));
        }
        // A hit costs none.
        let statements = headers.remove("x-statements");
        if statements.is_some() {
            headers.insert("x-statements", HeaderValue::from_static("0"));
        }
        let answer = Arc::new(Answer { headers, body, cost: judged.weight.cost });
        let status = if turn.is_some() { "emporion; fwd=miss; stored" } else { "emporion; fwd=bypass" };
        let mut response = told(&answer, holds.as_ref(), status);
        if let Some(statements) = statements {
            response.headers_mut().insert("x-statements", statements);
        }
        if let Some(turn) = turn {
            turn.keep(answer);
        }
        response
    }
}

impl Share {
    /// It has errors, or could not be written: for one alone.
    pub fn give_up(self) {
        if let Some(turn) = self.0.turn {
            turn.give_up();
        }
    }
}

/// Says of an answer that nobody may keep it, unless it says otherwise.
pub fn keep_unsaid(headers: &mut HeaderMap) {
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The answer, or that the client holds it already.
fn told(answer: &Answer, holds: Option<&HeaderValue>, status: &'static str) -> HttpResponse {
    let held = answer.headers.get(header::ETAG).zip(holds).is_some_and(|(tag, holds)| names(holds, tag));
    let body = if held { Body::empty() } else { Body::from(answer.body.clone()) };
    let mut response = HttpResponse::new(body);
    *response.headers_mut() = answer.headers.clone();
    response.headers_mut().insert(CACHE_STATUS, HeaderValue::from_static(status));
    if held {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    response
}

/// A strong tag: the same bytes have the same on every node.
fn tag(body: &Bytes) -> String {
    let mut tag = String::from("\"");
    for byte in &Sha256::digest(body)[..16] {
        let _ = write!(tag, "{byte:02x}");
    }
    tag + "\""
}

/// Whether a list of tags names this one. They are compared weakly, as for
/// every `If-None-Match`: a proxy that compresses weakens a tag.
fn names(list: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(list), Ok(tag)) = (list.to_str(), tag.to_str()) else { return false };
    list.split(',').map(str::trim).any(|held| held == "*" || held.strip_prefix("W/").unwrap_or(held) == tag)
}
