//! `emporion watch order`: an order as it changes, over the store's
//! subscription, the way any storefront would follow it.

use std::io::ErrorKind;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use engine::error::{Error, Result};

/// The websocket subprotocol that is spoken.
const SUBPROTOCOL: &str = "graphql-transport-ws";
/// How long the server may take to answer when a connection begins.
const BEGIN: Duration = Duration::from_secs(10);
/// How often the server is asked whether it is there; it hangs up on clients
/// that are silent for a minute.
const PING: Duration = Duration::from_secs(20);
/// After so long without a word the connection is taken for lost.
const SILENCE: Duration = Duration::from_secs(50);
/// The first pause before another try; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Close codes with which a server says that another try is of no use:
/// unauthorized and forbidden.
const FINAL_CODES: [u16; 2] = [4401, 4403];

const SUBSCRIPTION: &str = "subscription($id: ID!, $token: String, $after: Int64) {
    orderUpdated(orderId: $id, accessToken: $token, afterSequence: $after) {
        sequence
        event { kind at }
        order { number status paymentStatus fulfillmentStatus total { amount currencyCode } }
    } }";

/// Follows something live.
#[derive(Debug, Args)]
pub struct Watch {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// Print what happens to an order, one line each, until you stop it. A lost
    /// connection is taken up where it ended.
    Order(Order),
}

#[derive(Debug, Args)]
struct Order {
    /// The order's id.
    id: String,
    /// The order's access token.
    #[arg(long)]
    token: String,
    /// Begin behind this sequence number instead of with the present state.
    #[arg(long, value_name = "N")]
    after: Option<i64>,
    /// The store's address, by https:// or wss://, or without TLS by http:// or ws://.
    #[arg(long, default_value = "http://127.0.0.1:4000/store/graphql")]
    url: String,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why a connection ended.
#[derive(Debug)]
enum End {
    /// The connection broke; another one may do better.
    Lost(String),
    /// The server said no and would say it again.
    Refused(String),
}

impl From<SocketError> for End {
    fn from(error: SocketError) -> Self {
        match error {
            // An answer that blames the request: the address or its server is the wrong one.
            SocketError::Http(response) if response.status().is_client_error() => {
                Self::Refused(format!("the server answered {}", response.status()))
            }
            SocketError::Url(error) => Self::Refused(format!("the address is of no use: {error}")),
            // A certificate that is not trusted, by this machine or by any, will not be so a moment later.
            SocketError::Io(error) if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::NotFound) => {
                Self::Refused(format!("the server can't be trusted: {error}"))
            }
            error => Self::Lost(error.to_string()),
        }
    }
}

impl Watch {
    /// Watches until interrupted, or until the server refuses.
    pub async fn run(self) -> Result<ExitCode> {
        let Subject::Order(order) = self.subject;
        let request = order.request()?;
        tokio::select! {
            refusal = order.follow(request) => {
                eprintln!("emporion: {refusal}");
                Ok(ExitCode::FAILURE)
            }
            _ = tokio::signal::ctrl_c() => Ok(ExitCode::SUCCESS),
        }
    }
}

impl Order {
    fn request(&self) -> Result<Request> {
        // What a browser would be given names the same endpoint.
        let address = match self.url.split_once("://") {
            Some(("ws" | "http", rest)) => format!("ws://{rest}"),
            Some(("wss" | "https", rest)) => format!("wss://{rest}"),
            _ => {
                let message = format!("{:?} is no address of a store: it begins with https:// or wss://", self.url);
                return Err(Error::internal(message));
            }
        };
        let mut request = address
            .into_client_request()
            .map_err(|error| Error::internal(format!("{:?} is no address: {error}", self.url)))?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        Ok(request)
    }

    /// Connects again and again; answers with the refusal that ends it.
    async fn follow(&self, request: Request) -> String {
        let mut seen = self.after;
        let mut pause = FIRST_PAUSE;
        loop {
            let outcome = match begin(request.clone()).await {
                Ok(mut socket) => {
                    pause = FIRST_PAUSE;
                    self.read(&mut socket, &mut seen).await
                }
                Err(end) => Err(end),
            };
            match outcome {
                Err(End::Refused(message)) => return message,
                Err(End::Lost(why)) => eprintln!("connection lost, trying again ({why})"),
                Ok(()) => eprintln!("connection lost, trying again (the server ended the subscription)"),
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Subscribes behind what was seen and prints what comes.
    async fn read(&self, socket: &mut Socket, seen: &mut Option<i64>) -> Result<(), End> {
        let variables = json!({ "id": self.id, "token": self.token, "after": *seen });
        let payload = json!({ "query": SUBSCRIPTION, "variables": variables });
        send(socket, json!({ "id": "1", "type": "subscribe", "payload": payload })).await?;
        let mut heard = Instant::now();
        let mut clock = interval(PING);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let message = tokio::select! {
                message = receive(socket) => message?,
                _ = clock.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Err(End::Lost("the server has fallen silent".to_owned()));
                    }
                    send(socket, json!({ "type": "ping" })).await?;
                    continue;
                }
            };
            heard = Instant::now();
            match message["type"].as_str().unwrap_or_default() {
                "next" => print(&message["payload"], seen)?,
                "error" => return Err(End::Refused(messages(&message["payload"]))),
                "complete" => return Ok(()),
                "ping" => send(socket, json!({ "type": "pong" })).await?,
                _ => {}
            }
        }
    }
}

/// Connects and introduces itself.
async fn begin(request: Request) -> Result<Socket, End> {
    let silent = |_| End::Lost("the server gives no answer".to_owned());
    let (mut socket, _) = timeout(BEGIN, connect_async(request)).await.map_err(silent)??;
    send(&mut socket, json!({ "type": "connection_init" })).await?;
    let acknowledged = async {
        loop {
            let message = receive(&mut socket).await?;
            match message["type"].as_str().unwrap_or_default() {
                "connection_ack" => return Ok::<(), End>(()),
                "ping" => send(&mut socket, json!({ "type": "pong" })).await?,
                _ => {}
            }
        }
    };
    timeout(BEGIN, acknowledged).await.map_err(silent)??;
    Ok(socket)
}

async fn send(socket: &mut Socket, message: Value) -> Result<(), End> {
    Ok(socket.send(Message::text(message.to_string())).await?)
}

/// The next message of the protocol. Frames below it are answered by the library.
async fn receive(socket: &mut Socket) -> Result<Value, End> {
    loop {
        match socket.next().await {
            None => return Err(End::Lost("the server hung up".to_owned())),
            Some(Ok(Message::Text(text))) => {
                let read = serde_json::from_str(text.as_str());
                return read.map_err(|error| End::Lost(format!("the server sent no JSON: {error}")));
            }
            Some(Ok(Message::Close(Some(frame)))) => {
                let (code, reason) = (u16::from(frame.code), frame.reason.as_str());
                let said = format!("the server closed the connection: {code} {reason}");
                return Err(if FINAL_CODES.contains(&code) { End::Refused(said) } else { End::Lost(said) });
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
        }
    }
}

/// Prints one message of the subscription, unless it was printed before.
fn print(payload: &Value, seen: &mut Option<i64>) -> Result<(), End> {
    if payload["errors"].as_array().is_some_and(|errors| !errors.is_empty()) {
        return Err(End::Refused(messages(&payload["errors"])));
    }
    let update = &payload["data"]["orderUpdated"];
    let sequence = update["sequence"].as_i64();
    if sequence.is_some() && sequence <= *seen {
        return Ok(());
    }
    println!("{}", line(update));
    *seen = sequence.or(*seen);
    Ok(())
}

/// What the server has against it, in its own words.
fn messages(errors: &Value) -> String {
    let each = |error: &Value| error["message"].as_str().map_or_else(|| error.to_string(), str::to_owned);
    match errors.as_array() {
        Some(errors) => errors.iter().map(each).collect::<Vec<_>>().join("; "),
        None => each(errors),
    }
}

/// An update of an order as one line for people.
pub fn line(update: &Value) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let kind = update["event"]["kind"].as_str().unwrap_or("present state");
    let order = &update["order"];
    format!(
        "#{}  {kind:<22} order {}  {}  paid {}  delivery {}  {} {}",
        text(&update["sequence"]),
        text(&order["number"]),
        text(&order["status"]),
        text(&order["paymentStatus"]),
        text(&order["fulfillmentStatus"]),
        text(&order["total"]["amount"]),
        text(&order["total"]["currencyCode"]),
    )
}
