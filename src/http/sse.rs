//! GraphQL over server-sent events: one operation, one response, by the text
//! of [`graphql-sse`][protocol] in its mode of distinct connections.
//!
//! A subscription that can be taken up again names its place in each event's
//! `id`. A browser's `EventSource` sends the last one back by itself, as
//! `Last-Event-ID`, and goes on behind it.
//!
//! [protocol]: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Executor, Request, Response, ServerError};
use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response as HttpResponse};
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use tokio::time::{Instant, interval_at};

use super::gate::Pass;
use super::{Context, Endpoint, RECHECK, error_of, has_ended, holds_nul, nul, open_call, refuse, was_not_run};
use crate::api::call::Place;
use crate::api::operation;
use engine::error::Error;

/// How often a silent stream says that it is still there, so that no proxy cuts it.
const KEEP_ALIVE: Duration = Duration::from_secs(12);

/// What a request for a stream brings besides its document.
pub struct Listener {
    /// Who asks, and in which words.
    pub context: Context,
    /// From where.
    pub address: IpAddr,
    /// The last event that was seen.
    pub last_event_id: Option<String>,
    /// Whether it came by GET, which changes nothing.
    pub by_get: bool,
}

/// Answers with the results of an operation as they come.
pub async fn listen<S: Executor>(endpoint: Endpoint<S>, listener: Listener, mut request: Request) -> HttpResponse {
    let kind = match operation::kind(&mut request) {
        Ok(kind) => kind,
        Err(error) => return invalid(vec![error]),
    };
    if kind == OperationType::Mutation && listener.by_get {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")], "Send mutations by POST.\n")
            .into_response();
    }
    if holds_nul(&request) {
        return refuse(nul());
    }
    let Some(pass) = endpoint.gate.admit(listener.address) else { return super::too_many_connections() };
    let place = Arc::new(Place::behind(listener.last_event_id));
    let call = match open_call(&endpoint.app, endpoint.door, listener.context.clone()).await {
        Ok(call) => call.at(place.clone()),
        Err(error) => return refuse(error),
    };
    let request = request.data(call);
    let mut results = match kind {
        OperationType::Subscription => endpoint.schema.execute_stream(request, None),
        _ => {
            let schema = endpoint.schema.clone();
            stream::once(async move { schema.execute(request).await }).boxed()
        }
    };
    // A document that is not valid is known to be so at once.
    let first = results.next().now_or_never().flatten();
    if let Some(response) = first.as_ref().filter(|response| was_not_run(response)) {
        return invalid(response.errors.clone());
    }
    let results = stream::iter(first).chain(results).boxed();
    let feed = Feed {
        endpoint,
        context: listener.context,
        place,
        results: Some(results),
        next_check: Instant::now() + RECHECK,
        _pass: pass,
    };
    let events =
        stream::unfold(
            feed,
            |mut feed| async move { feed.next().await.map(|event| (Ok::<_, Infallible>(event), feed)) },
        );
    // Some proxies hold back what they take for a page.
    let unheld = [("x-accel-buffering", "no")];
    (unheld, Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))).into_response()
}

fn invalid(errors: Vec<ServerError>) -> HttpResponse {
    (StatusCode::BAD_REQUEST, Json(Response::from_errors(errors))).into_response()
}

struct Feed<S> {
    endpoint: Endpoint<S>,
    context: Context,
    place: Arc<Place>,
    /// Nothing once the last event is told.
    results: Option<BoxStream<'static, Response>>,
    next_check: Instant,
    _pass: Pass,
}

impl<S: Executor> Feed<S> {
    async fn next(&mut self) -> Option<Event> {
        let stop = self.endpoint.gate.stop.clone();
        loop {
            let results = self.results.as_mut()?;
            let mut check = interval_at(self.next_check, RECHECK);
            tokio::select! {
                // The client comes back by itself, to another node perhaps.
                _ = stop.cancelled() => return None,
                response = results.next() => return Some(match response {
                    Some(response) => self.told(response),
                    None => {
                        self.results = None;
                        Event::default().event("complete").data("")
                    }
                }),
                _ = check.tick(), if self.context.credential.is_some() => {
                    self.next_check = Instant::now() + RECHECK;
                    let opened = open_call(&self.endpoint.app, self.endpoint.door, self.context.clone()).await;
                    if let Err(error @ (Error::Unauthenticated | Error::Forbidden)) = opened {
                        let response = Response::from_errors(vec![error_of(error)]);
                        self.results = Some(stream::empty().boxed());
                        return Some(self.told(response));
                    }
                }
            }
        }
    }

    fn told(&mut self, response: Response) -> Event {
        if has_ended(&response) {
            self.results = Some(stream::empty().boxed());
        }
        let event = Event::default().event("next");
        let event = match self.place.last() {
            Some(place) => event.id(place),
            None => event,
        };
        event.json_data(response).unwrap_or_else(|_| Event::default().event("complete").data(""))
    }
}
