//! A websocket without manners: whatever a test wants to say, in bytes or in
//! messages, and whatever comes back.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::socket::PATIENCE;

/// The subprotocol that is spoken.
pub const MODERN: &str = "graphql-transport-ws";

/// One connection.
#[derive(Debug)]
pub struct Wire(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Wire {
    /// Connects with these headers; the status of the answer when it is
    /// refused, which is 101 when the subprotocol is not spoken.
    pub async fn connect(url: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().append(*name, HeaderValue::from_str(value).unwrap());
        }
        match timeout(PATIENCE, connect_async(request)).await.expect("a connection in time") {
            Ok((wire, _)) => Ok(Self(wire)),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_))) => Err(101),
            Err(error) => panic!("no connection: {error}"),
        }
    }

    /// Connects by the protocol, and says nothing yet.
    pub async fn open(url: &str) -> Self {
        Self::connect(url, &[("sec-websocket-protocol", MODERN)]).await.unwrap()
    }

    /// The same, acknowledged.
    pub async fn acknowledged(url: &str) -> Self {
        let mut wire = Self::open(url).await;
        wire.say(json!({ "type": "connection_init" })).await;
        assert_eq!(wire.hear().await, json!({ "type": "connection_ack" }));
        wire
    }

    /// Sends a message of the protocol.
    pub async fn say(&mut self, message: Value) {
        self.send(Message::text(message.to_string())).await;
    }

    /// Sends anything.
    pub async fn send(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    /// The next message of the protocol.
    pub async fn hear(&mut self) -> Value {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("a message in time") {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(text.as_str()).unwrap(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("no message but {other:?}"),
            }
        }
    }

    /// Whether nothing comes for a while.
    pub async fn is_silent(&mut self) -> bool {
        timeout(Duration::from_millis(300), self.0.next()).await.is_err()
    }

    /// The code and the reason of the close frame, which must be what comes next.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            match timeout(PATIENCE * 2, self.0.next()).await.expect("a close in time") {
                Some(Ok(Message::Close(Some(frame)))) => {
                    return (u16::from(frame.code), frame.reason.as_str().to_owned());
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("no close but {other:?}"),
            }
        }
    }
}
