//! GraphQL over a websocket, as a storefront listens: `graphql-transport-ws`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long the server may take for what it must do at all.
pub const PATIENCE: Duration = Duration::from_secs(30);

type Wire = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A connection that the server has acknowledged.
#[derive(Debug)]
pub struct Socket {
    starts: mpsc::UnboundedSender<Start>,
    started: AtomicU64,
    listening: JoinHandle<()>,
}

/// How the server closed a connection instead of acknowledging it.
#[derive(Debug)]
pub struct Closed {
    pub code: u16,
    pub reason: String,
}

#[derive(Debug)]
struct Start {
    id: String,
    payload: Value,
    events: mpsc::UnboundedSender<Event>,
}

#[derive(Debug)]
enum Event {
    Next(Value),
    Error(Value),
    Complete,
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Socket {
    /// Connects and introduces itself with this payload of `connection_init`.
    pub async fn open(url: &str, payload: Value) -> Result<Self, Closed> {
        Self::try_open(url, payload).await.unwrap()
    }

    /// The same where the connection may be lost on the way.
    pub async fn try_open(url: &str, payload: Value) -> Result<Result<Self, Closed>, Error> {
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
        let (mut wire, _) = timeout(PATIENCE, connect_async(request)).await.expect("a connection in time")?;
        send(&mut wire, json!({ "type": "connection_init", "payload": payload })).await?;
        loop {
            match timeout(PATIENCE, wire.next()).await.expect("an answer to connection_init in time") {
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(text.as_str()).unwrap();
                    assert_eq!(message["type"], "connection_ack", "{message}");
                    break;
                }
                Some(Ok(Message::Close(Some(frame)))) => {
                    let (code, reason) = (u16::from(frame.code), frame.reason.as_str().to_owned());
                    return Ok(Err(Closed { code, reason }));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Err(Error::ConnectionClosed),
            }
        }
        let (starts, started) = mpsc::unbounded_channel();
        Ok(Ok(Self { starts, started: AtomicU64::new(0), listening: tokio::spawn(listen(wire, started)) }))
    }

    /// Begins a subscription of one field.
    pub fn subscribe(&self, query: &str, variables: Value) -> Subscription {
        let id = self.started.fetch_add(1, Ordering::Relaxed).to_string();
        let (events, received) = mpsc::unbounded_channel();
        let payload = json!({ "query": query, "variables": variables });
        // On a connection that is lost already it ends at once.
        let _ = self.starts.send(Start { id, payload, events });
        Subscription { events: received }
    }

    /// Lets go of the connection without a word, as a network does.
    pub fn cut(self) {
        drop(self);
    }
}

async fn send(wire: &mut Wire, message: Value) -> Result<(), Error> {
    wire.send(Message::text(message.to_string())).await
}

async fn listen(mut wire: Wire, mut starts: mpsc::UnboundedReceiver<Start>) {
    let mut listeners: HashMap<String, mpsc::UnboundedSender<Event>> = HashMap::new();
    loop {
        let message = tokio::select! {
            start = starts.recv() => {
                let Some(Start { id, payload, events }) = start else { return };
                listeners.insert(id.clone(), events);
                if send(&mut wire, json!({ "id": id, "type": "subscribe", "payload": payload })).await.is_err() {
                    return;
                }
                continue;
            }
            message = wire.next() => message,
        };
        let message: Value = match message {
            Some(Ok(Message::Text(text))) => serde_json::from_str(text.as_str()).unwrap(),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            Some(Ok(_)) => continue,
        };
        let id = message["id"].as_str().unwrap_or_default();
        let event = match message["type"].as_str().unwrap_or_default() {
            "next" => Event::Next(message["payload"].clone()),
            "error" => Event::Error(message["payload"].clone()),
            "complete" => Event::Complete,
            _ => continue,
        };
        // A test that has seen enough may have let go of the other end.
        if let Some(listener) = listeners.get(id) {
            let _ = listener.send(event);
        }
    }
}

/// One subscription of a connection.
#[derive(Debug)]
pub struct Subscription {
    events: mpsc::UnboundedReceiver<Event>,
}

impl Subscription {
    /// The value of the field in the next message, which must come in time.
    #[track_caller]
    pub fn next(&mut self, within: Duration) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let came = self.try_next(within).await;
            came.unwrap_or_else(|| panic!("nothing came within {within:?} at {caller}"))
        }
    }

    /// The same, or nothing when nothing comes in time.
    pub async fn try_next(&mut self, within: Duration) -> Option<Value> {
        let update = timeout(within, self.next_or_lost()).await.ok()?;
        Some(update.expect("the subscription goes on"))
    }

    /// The same, however long it takes; nothing when the connection is lost, or the shop asks to come again.
    pub async fn next_or_lost(&mut self) -> Option<Value> {
        match self.events.recv().await? {
            Event::Error(errors) if errors[0]["extensions"]["code"] == "UNAVAILABLE" => None,
            Event::Next(payload) => {
                assert!(payload["errors"].is_null(), "unexpected errors: {payload}");
                let data = payload["data"].as_object().unwrap_or_else(|| panic!("no data: {payload}"));
                Some(data.values().next().unwrap().clone())
            }
            ended => panic!("the subscription has ended: {ended:?}"),
        }
    }

    /// Whatever comes first, errors too, or nothing when nothing comes in time.
    pub async fn first(&mut self, within: Duration) -> Option<Value> {
        match timeout(within, self.events.recv()).await {
            Ok(Some(Event::Next(payload))) => Some(payload),
            Ok(Some(Event::Error(errors))) => Some(json!({ "errors": errors })),
            _ => None,
        }
    }

    /// The code and the message of the error that comes next and ends the subscription.
    pub async fn error(&mut self) -> (String, String) {
        let event = timeout(PATIENCE, self.events.recv()).await.expect("an error in time");
        let Some(Event::Error(errors)) = event else { panic!("no error but {event:?}") };
        let message = errors[0]["message"].as_str().unwrap_or_else(|| panic!("no error: {errors}"));
        // What the library finds while it validates has no code.
        let code = errors[0]["extensions"]["code"].as_str().unwrap_or_default();
        (code.to_owned(), message.to_owned())
    }

    /// Waits until the server says that there is nothing more, or the connection is lost.
    pub async fn ended(&mut self) {
        match timeout(PATIENCE, self.events.recv()).await.expect("an end in time") {
            None | Some(Event::Complete) => {}
            Some(Event::Next(payload) | Event::Error(payload)) => panic!("one more message: {payload}"),
        }
    }
}
