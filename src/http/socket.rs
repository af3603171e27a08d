//! GraphQL over a websocket: the loop of one connection.
//!
//! Results are pulled from the operations only when the client has taken the
//! ones before, so nothing gathers here: what a slow client has not seen yet
//! stays in the event log. A client that takes nothing at all is let go.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Executor, Request, Response, ServerError};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use engine::error::Error;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use serde_json::Map;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_stream::StreamMap;
use tokio_tungstenite::tungstenite::Error as WireError;
use tokio_tungstenite::tungstenite::error::ProtocolError;

use super::answer::error_of;
use super::driven::driven;
use super::gate::Pass;
use super::log::{Line, watched};
use super::protocol::{ClientMessage, Close, Dialect, ServerMessage};
use super::rate::Pace;
use super::ready::open_call;
use super::{Context, Endpoint, RECHECK, has_ended};
use crate::api::document::was_not_run;
use crate::api::gather::gathered;
use domain::refusal::{ErrorCode, Refusal};

/// How long a client may take to introduce itself.
const INIT: Duration = Duration::from_secs(3);
/// How long a client may take to take one message.
const TAKE: Duration = Duration::from_secs(10);
/// How often a silent client is asked whether it is still there. A client
/// that stays silent for two of these is gone.
const PING: Duration = Duration::from_secs(25);
/// How many operations one socket may have running.
const OPERATIONS: usize = 32;
/// How long a client may take to close its side, too.
const PART: Duration = Duration::from_secs(2);
/// How long the close frame has before a connection that is not read any more is dropped.
const LINGER: Duration = Duration::from_secs(1);

/// What comes out of an operation.
enum Step {
    Next(Box<Response>),
    Refused(Vec<ServerError>),
    Done,
}

/// One connection.
pub struct Socket<S> {
    wire: WebSocket,
    line: Arc<Line>,
    begun: u64,
    endpoint: Endpoint<S>,
    dialect: Dialect,
    context: Context,
    operations: StreamMap<String, BoxStream<'static, Step>>,
    heard: Instant,
    pinged: bool,
    checked: Instant,
    pace: Pace,
    /// When the next message may be taken, unless that is at once: one that talks too fast waits in the line.
    rests: Option<Instant>,
}

/// Serves a connection to its end; the pass goes with it.
pub async fn serve<S: Executor>(mut wire: WebSocket, endpoint: Endpoint<S>, line: Arc<Line>, pass: Pass) {
    let legacy = endpoint.gate.edge.legacy_sockets;
    let spoken = [Dialect::Modern, Dialect::Legacy].into_iter().filter(|dialect| legacy || *dialect == Dialect::Modern);
    let chosen = wire.protocol().cloned();
    let dialect = spoken.into_iter().find(|dialect| chosen.as_ref().is_some_and(|name| name == dialect.name()));
    let (wire, close) = match dialect {
        None => (wire, Some(Close::new(Close::SUBPROTOCOL, "Subprotocol not acceptable"))),
        Some(dialect) => {
            let stop = endpoint.gate.stop.clone();
            let introduced = tokio::select! {
                _ = stop.cancelled() => Err(Some(going_away())),
                introduced = introduce(&mut wire, &endpoint, dialect, pass.address()) => introduced,
            };
            match introduced {
                Err(close) => (wire, close),
                Ok(context) => {
                    let now = Instant::now();
                    let operations = StreamMap::new();
                    let mut socket = Socket {
                        wire,
                        line: line.clone(),
                        begun: 0,
                        endpoint,
                        dialect,
                        context,
                        operations,
                        heard: now,
                        pinged: false,
                        checked: now,
                        pace: Pace::new(now),
                        rests: None,
                    };
                    let close = socket.converse().await;
                    (socket.wire, close)
                }
            }
        }
    };
    line.ended(close.as_ref().map(|close| close.code));
    part(wire, close).await;
    drop(pass);
}

fn going_away() -> Close {
    Close::new(Close::GOING_AWAY, "The server goes: connect again")
}

/// Says why, unless the client ends it, and lets each side answer the close of
/// the other, as the websocket's own protocol asks.
async fn part(mut wire: WebSocket, close: Option<Close>) {
    let code = close.as_ref().map(|close| close.code);
    let parting = async {
        if let Some(Close { code, reason }) = close {
            let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
            wire.send(frame).await?;
        }
        // The library answers a close when it is asked for what comes behind it.
        while let Some(Ok(_)) = wire.recv().await {}
        Ok::<(), axum::Error>(())
    };
    let _ = timeout(PART, parting).await;
    // What lies unread when a connection is dropped resets it, and a reset overtakes the close frame.
    if matches!(code, Some(Close::BROKEN_FRAMES | Close::BROKEN_TEXT | Close::TOO_LONG)) {
        sleep(LINGER).await;
    }
}

/// What to say of a connection that can't be read on; nothing when it is lost.
fn broken(error: axum::Error) -> Option<Close> {
    let error = error.into_inner().downcast::<WireError>().ok()?;
    let code = match *error {
        WireError::Capacity(_) => Close::TOO_LONG,
        WireError::Utf8(_) => Close::BROKEN_TEXT,
        WireError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return None,
        WireError::Protocol(_) => Close::BROKEN_FRAMES,
        _ => return None,
    };
    Some(Close::new(code, error.to_string()))
}

/// Waits for `connection_init` and acknowledges it. An error without a close
/// is a client that has gone.
async fn introduce<S>(
    wire: &mut WebSocket,
    endpoint: &Endpoint<S>,
    dialect: Dialect,
    from: IpAddr,
) -> Result<Context, Option<Close>> {
    let deadline = Instant::now() + INIT;
    let late = || Some(Close::new(Close::INIT_TIMEOUT, "Connection initialisation timeout"));
    loop {
        let message = match timeout_at(deadline, wire.recv()).await {
            Err(_) => return Err(late()),
            Ok(None) => return Err(None),
            Ok(Some(Err(error))) => return Err(broken(error)),
            Ok(Some(Ok(message))) => message,
        };
        let Some(text) = text_of(message)? else { continue };
        let payload = match dialect.read(&text)? {
            ClientMessage::Init(payload) => payload,
            ClientMessage::Ping(payload) => {
                say(wire, dialect, &ServerMessage::Pong(payload)).await?;
                continue;
            }
            ClientMessage::Pong | ClientMessage::Complete(_) => continue,
            ClientMessage::Terminate => return Err(None),
            ClientMessage::Subscribe(..) => return Err(Some(Close::new(Close::UNAUTHORIZED, "Unauthorized"))),
        };
        let context = context_of(&payload, from);
        let opened = open_call(&endpoint.app, endpoint.door, context.clone()).await;
        let _ = endpoint.note(&context, &opened).await;
        if let Err(error) = opened {
            let close = rejected(error);
            if dialect == Dialect::Legacy {
                say(wire, dialect, &ServerMessage::Rejected(close.reason.clone())).await?;
            }
            return Err(Some(close));
        }
        say(wire, dialect, &ServerMessage::Ack).await?;
        return Ok(context);
    }
}

/// What a client says of itself, by the names of the headers.
fn context_of(payload: &Map<String, serde_json::Value>, from: IpAddr) -> Context {
    let text = |name: &str| {
        let found = payload.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        found.1.as_str().map(str::to_owned)
    };
    Context {
        credential: text("authorization"),
        publishable_key: text("x-publishable-key"),
        region: text("x-region"),
        languages: text("accept-language"),
        from: Some(from),
    }
}

fn rejected(error: Error) -> Close {
    let code = match &error {
        Error::Unauthenticated | Error::Forbidden => Close::FORBIDDEN,
        // The same words would be refused again: the client's library must not try them again.
        Error::Refused(_) => Close::BAD_REQUEST,
        Error::Raced | Error::Unanswered(_) | Error::Database(_) => Close::TRY_LATER,
        Error::Internal(_) => Close::FAILED,
    };
    Close::new(code, error_of(error).message)
}

/// The text of a message; nothing for the websocket's own, which the library
/// answers.
fn text_of(message: Message) -> Result<Option<String>, Option<Close>> {
    match message {
        Message::Text(text) => Ok(Some(text.as_str().to_owned())),
        Message::Binary(_) => Err(Some(Close::new(Close::BAD_REQUEST, "Invalid message: binary"))),
        Message::Ping(_) | Message::Pong(_) => Ok(None),
        Message::Close(_) => Err(None),
    }
}

async fn say(wire: &mut WebSocket, dialect: Dialect, message: &ServerMessage) -> Result<(), Option<Close>> {
    send(wire, Message::text(dialect.write(message))).await
}

async fn send(wire: &mut WebSocket, message: Message) -> Result<(), Option<Close>> {
    match timeout(TAKE, wire.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(None),
        Err(_) => Err(Some(Close::new(Close::TOO_SLOW, "Messages are not taken: connect again and resume"))),
    }
}

impl<S: Executor> Socket<S> {
    /// Talks until one side ends it; answers with what is left to say.
    async fn converse(&mut self) -> Option<Close> {
        let stop = self.endpoint.gate.stop.clone();
        loop {
            let alarm = self.heard + if self.pinged { 2 * PING } else { PING };
            let alarm = if self.context.credential.is_some() { alarm.min(self.checked + RECHECK) } else { alarm };
            let alarm = self.rests.map_or(alarm, |rests| alarm.min(rests));
            let outcome = tokio::select! {
                _ = stop.cancelled() => Err(Some(going_away())),
                message = self.wire.recv(), if self.rests.is_none() => match message {
                    Some(Ok(message)) => self.take(message).await,
                    Some(Err(error)) => Err(broken(error)),
                    None => Err(None),
                },
                Some((id, step)) = self.operations.next() => self.tell(id, step).await,
                _ = sleep_until(alarm) => self.look_after().await,
            };
            if let Err(close) = outcome {
                return close;
            }
        }
    }

    async fn take(&mut self, message: Message) -> Result<(), Option<Close>> {
        (self.heard, self.pinged) = (Instant::now(), false);
        self.rests = self.pace.step(self.heard);
        let Some(text) = text_of(message)? else { return Ok(()) };
        match self.dialect.read(&text)? {
            ClientMessage::Init(_) => Err(Some(Close::new(Close::INIT_TWICE, "Too many initialisation requests"))),
            ClientMessage::Ping(payload) => self.say(&ServerMessage::Pong(payload)).await,
            ClientMessage::Pong => Ok(()),
            ClientMessage::Complete(id) => {
                self.operations.remove(&id);
                Ok(())
            }
            ClientMessage::Terminate => Err(None),
            ClientMessage::Subscribe(id, _) if self.operations.contains_key(&id) => {
                Err(Some(Close::new(Close::DUPLICATE, format!("Subscriber for {id} already exists"))))
            }
            ClientMessage::Subscribe(id, _) if self.operations.len() >= OPERATIONS => {
                let message = format!("A connection may run {OPERATIONS} operations at once.");
                let refusal = Refusal::new(ErrorCode::TooMany, message).limit(OPERATIONS as i64);
                self.say(&ServerMessage::Error(id, vec![error_of(refusal.into())])).await
            }
            ClientMessage::Subscribe(id, request) => {
                self.begun += 1;
                let line = self.line.of_operation(self.begun);
                self.operations.insert(id, run(self.endpoint.clone(), line, self.context.clone(), *request));
                Ok(())
            }
        }
    }

    async fn tell(&mut self, id: String, step: Step) -> Result<(), Option<Close>> {
        let message = match step {
            Step::Next(response) => ServerMessage::Next(id, response),
            Step::Refused(errors) => {
                self.operations.remove(&id);
                ServerMessage::Error(id, errors)
            }
            Step::Done => {
                self.operations.remove(&id);
                ServerMessage::Complete(id)
            }
        };
        self.say(&message).await
    }

    /// Asks whether the client is still there, and whether it still may be.
    async fn look_after(&mut self) -> Result<(), Option<Close>> {
        let now = Instant::now();
        self.rests = self.rests.filter(|rests| now < *rests);
        if self.context.credential.is_some() && now >= self.checked + RECHECK {
            self.checked = now;
            let opened = open_call(&self.endpoint.app, self.endpoint.door, self.context.clone()).await;
            // A database that is away says nothing about anybody's rights.
            if let Err(error @ (Error::Unauthenticated | Error::Forbidden)) = opened {
                return Err(Some(rejected(error)));
            }
        }
        if now >= self.heard + 2 * PING {
            return Err(Some(Close::new(Close::GOING_AWAY, "Nothing was heard for too long")));
        }
        if now >= self.heard + PING && !self.pinged {
            self.pinged = true;
            send(&mut self.wire, Message::Ping(Default::default())).await?;
        }
        Ok(())
    }

    async fn say(&mut self, message: &ServerMessage) -> Result<(), Option<Close>> {
        say(&mut self.wire, self.dialect, message).await
    }
}

/// Runs an operation. A socket may be open for days: each operation is begun
/// with the settings of its moment and by whoever the credential stands for
/// then.
fn run<S: Executor>(
    endpoint: Endpoint<S>,
    line: Arc<Line>,
    context: Context,
    mut request: Request,
) -> BoxStream<'static, Step> {
    let watching = line.clone();
    let begun = async move {
        let judged = match endpoint.begin(&mut request, &context, &line).await {
            Ok((judged, _)) => judged,
            Err(refused) => return steps([Step::Refused(refused.into_errors())]),
        };
        let call = match endpoint.open(&judged, context, &line).await {
            Ok(call) => call,
            Err(refused) => {
                let errors = refused.into_errors();
                line.refused(&errors);
                return steps([Step::Refused(errors)]);
            }
        };
        let statements = call.caller.statements.clone();
        let request = request.data(call);
        if judged.kind != OperationType::Subscription {
            let mut response = judged.tell(gathered(endpoint.schema.execute(request)).await);
            judged.count(&mut response, statements.get());
            line.answered(&response);
            return match was_not_run(&response) {
                true => steps([Step::Refused(response.errors)]),
                false => steps([Step::Next(Box::new(response)), Step::Done]),
            };
        }
        let results = endpoint.schema.execute_stream(request, None).map(move |response| {
            let response = judged.tell(response);
            line.answered(&response);
            match has_ended(&response) {
                true => Step::Refused(response.errors),
                false => Step::Next(Box::new(response)),
            }
        });
        results.chain(stream::iter([Step::Done])).boxed()
    };
    // In a box of its own, of which nothing is left once the operation has begun: its stream may last for days.
    let panicked = |error| Step::Refused(vec![error_of(error)]);
    driven(watched(stream::once(begun.boxed()).flatten().boxed(), watching, panicked))
}

fn steps<const N: usize>(steps: [Step; N]) -> BoxStream<'static, Step> {
    stream::iter(steps).boxed()
}
