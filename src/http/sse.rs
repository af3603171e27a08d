//! GraphQL over server-sent events: one operation, one response, by the text
//! of [`graphql-sse`][protocol] in its mode of distinct connections.
//!
//! A subscription that can be taken up again names its place in each event's
//! `id`. A browser's `EventSource` sends the last one back by itself, as
//! `Last-Event-ID`, and goes on behind it.
//!
//! [protocol]: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md

use std::convert::Infallible;
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Executor, Request, Response};
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response as HttpResponse};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::time::{Instant, sleep, sleep_until};

use super::answer::error_of;
use super::driven::driven;
use super::gate::Pass;
use super::log::{Line, watched};
use super::negotiate::Media;
use super::rate::Toll;
use super::ready::open_call;
use super::{Context, Endpoint, RECHECK, Refused, has_ended, mutation_by_get, refuse};
use crate::api::call::Place;
use crate::api::gather::gathered;
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

/// Answers with the results of an operation as they come. What is wrong with
/// the operation is told as an event, as the protocol has it: a browser's
/// `EventSource` shows nothing of any other answer.
pub async fn listen<S: Executor>(
    endpoint: Endpoint<S>,
    line: Arc<Line>,
    listener: Listener,
    mut request: Request,
) -> HttpResponse {
    let (judged, toll) = match endpoint.begin(&mut request, &listener.context, &line).await {
        Ok((judged, toll)) => (Ok(judged), toll),
        Err(Refused::Document(errors)) => (Err(errors), Toll::default()),
        Err(refused) => return refuse(Media::Json, refused),
    };
    if listener.by_get && matches!(&judged, Ok(judged) if judged.kind == OperationType::Mutation) {
        return mutation_by_get();
    }
    let Some(pass) = endpoint.gate.admit(listener.address) else { return super::too_many_connections() };
    let place = Arc::new(Place::behind(listener.last_event_id));
    let told = |errors| stream::iter([Response::from_errors(errors)]).boxed();
    let results = match judged {
        Err(errors) => told(errors),
        Ok(judged) => match endpoint.open(&judged, listener.context.clone(), &line).await {
            Err(Refused::Document(errors)) => told(errors),
            Err(refused) => return refuse(Media::Json, refused),
            Ok(call) => {
                let statements = call.caller.statements.clone();
                let request = request.data(call.at(place.clone()));
                let results = match judged.kind {
                    OperationType::Subscription => endpoint.schema.execute_stream(request, None),
                    OperationType::Query | OperationType::Mutation => {
                        let schema = endpoint.schema.clone();
                        stream::once(async move { gathered(schema.execute(request)).await }).boxed()
                    }
                };
                let told = move |response| {
                    let mut response = judged.tell(response);
                    if judged.kind != OperationType::Subscription {
                        judged.count(&mut response, statements.get());
                    }
                    response
                };
                results.map(told).boxed()
            }
        },
    };
    // What could not be told in full is asked for again when the client comes back.
    let telling = line.clone();
    let results = results.map(move |response| {
        telling.answered(&response);
        let reached = place.last().filter(|_| response.is_ok());
        (response, reached)
    });
    let panicked = |error| (Response::from_errors(vec![error_of(error)]), None);
    let feed = Feed {
        endpoint,
        context: listener.context,
        results: Some(driven(watched(results.boxed(), line, panicked))),
        next_check: Instant::now() + RECHECK,
        _pass: pass,
    };
    let events = stream::unfold(feed, |mut feed| async move {
        let event = feed.next().await?;
        Some((Ok::<_, Infallible>(event), feed))
    });
    let headers = [
        (header::CONTENT_TYPE.as_str(), "text/event-stream"),
        (header::CACHE_CONTROL.as_str(), "no-cache"),
        // Some proxies hold back what they take for a page.
        ("x-accel-buffering", "no"),
    ];
    let mut answer = (headers, Body::from_stream(events)).into_response();
    toll.tell(answer.headers_mut());
    answer
}

/// An event as it goes over the wire. Its data are one line, which may be
/// empty but is there: without one, a browser tells nobody of the event.
fn event(kind: &str, id: Option<String>, data: &str) -> String {
    let mut event = format!("event: {kind}\n");
    if let Some(id) = id {
        let _ = writeln!(event, "id: {id}");
    }
    event + "data: " + data + "\n\n"
}

/// What clients skip.
fn comment() -> String {
    ":\n\n".to_owned()
}

fn complete() -> String {
    event("complete", None, "")
}

struct Feed<S> {
    endpoint: Endpoint<S>,
    context: Context,
    /// With the place that is reached by each; nothing once the last event is told.
    results: Option<BoxStream<'static, (Response, Option<String>)>>,
    next_check: Instant,
    _pass: Pass,
}

impl<S: Executor> Feed<S> {
    async fn next(&mut self) -> Option<String> {
        let stop = self.endpoint.gate.stop.clone();
        let silence = sleep(KEEP_ALIVE);
        tokio::pin!(silence);
        loop {
            let results = self.results.as_mut()?;
            tokio::select! {
                // The client comes back by itself, to another node perhaps.
                _ = stop.cancelled() => return None,
                response = results.next() => return Some(match response {
                    Some((response, reached)) => self.told(response, reached),
                    None => {
                        self.results = None;
                        complete()
                    }
                }),
                _ = &mut silence => return Some(comment()),
                _ = sleep_until(self.next_check), if self.context.credential.is_some() => {
                    self.next_check = Instant::now() + RECHECK;
                    let opened = open_call(&self.endpoint.app, self.endpoint.door, self.context.clone()).await;
                    if let Err(error @ (Error::Unauthenticated | Error::Forbidden)) = opened {
                        let response = Response::from_errors(vec![error_of(error)]);
                        self.results = Some(stream::empty().boxed());
                        return Some(self.told(response, None));
                    }
                }
            }
        }
    }

    fn told(&mut self, response: Response, reached: Option<String>) -> String {
        if has_ended(&response) {
            self.results = Some(stream::empty().boxed());
        }
        // Nothing in a response can fail to be written: its keys are strings all.
        let data = serde_json::to_string(&response).unwrap_or_default();
        event("next", reached, &data)
    }
}
