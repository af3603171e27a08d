//! The messages of the websocket, by the text of the protocol
//! [`graphql-transport-ws`][modern], and of its [predecessor][legacy] where
//! the operator allows it. Nothing here touches a wire.
//!
//! [modern]: https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverWebSocket.md
//! [legacy]: https://github.com/apollographql/subscriptions-transport-ws/blob/master/PROTOCOL.md

use async_graphql::{Request, Response, ServerError};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::parameters;

/// How a socket ends: the code and the reason of its close frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// 1001 to 1013 are the websocket's own, 4400 and up the protocol's.
    pub code: u16,
    /// For people; at most 123 bytes go over the wire.
    pub reason: String,
}

impl Close {
    /// The server goes; connect again, to another node perhaps.
    pub const GOING_AWAY: u16 = 1001;
    /// Frames that break the websocket's own protocol.
    pub const BROKEN_FRAMES: u16 = 1002;
    /// A text that is not UTF-8.
    pub const BROKEN_TEXT: u16 = 1007;
    /// A message that is too long to be taken.
    pub const TOO_LONG: u16 = 1009;
    /// The server has failed in a way that nobody expected.
    pub const FAILED: u16 = 1011;
    /// The database does not answer at this moment.
    pub const TRY_LATER: u16 = 1013;
    /// A message that the protocol does not know, or not in this form.
    pub const BAD_REQUEST: u16 = 4400;
    /// An operation before the connection was acknowledged.
    pub const UNAUTHORIZED: u16 = 4401;
    /// The credential is refused, has expired or was revoked.
    pub const FORBIDDEN: u16 = 4403;
    /// The client speaks no subprotocol that is spoken here.
    pub const SUBPROTOCOL: u16 = 4406;
    /// `connection_init` did not come in time.
    pub const INIT_TIMEOUT: u16 = 4408;
    /// An operation's id is in use.
    pub const DUPLICATE: u16 = 4409;
    /// The client does not read what it asked for. Ours; the protocol leaves it open.
    pub const TOO_SLOW: u16 = 4413;
    /// A second `connection_init`.
    pub const INIT_TWICE: u16 = 4429;

    /// A close with this code and reason.
    pub fn new(code: u16, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        // A control frame holds 125 bytes, two of them are the code.
        let mut end = reason.len().min(123);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        reason.truncate(end);
        Self { code, reason }
    }

    fn bad(reason: impl Into<String>) -> Self {
        Self::new(Self::BAD_REQUEST, reason)
    }
}

/// In which words the two sides speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `graphql-transport-ws`.
    Modern,
    /// `graphql-ws`, by which the library `subscriptions-transport-ws` named itself.
    Legacy,
}

impl Dialect {
    /// The subprotocol's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Modern => "graphql-transport-ws",
            Self::Legacy => "graphql-ws",
        }
    }

    /// Reads a client's message.
    ///
    /// # Errors
    /// 4400 for what is no message of the protocol.
    pub fn read(self, text: &str) -> Result<ClientMessage, Close> {
        let message: Value = serde_json::from_str(text).map_err(|_| Close::bad("Invalid message: not JSON"))?;
        let Value::Object(mut message) = message else {
            return Err(Close::bad("Invalid message: not an object"));
        };
        let Some(Value::String(kind)) = message.remove("type") else {
            return Err(Close::bad("Invalid message: `type` must be a string"));
        };
        match (self, kind.as_str()) {
            (_, "connection_init") => Ok(ClientMessage::Init(optional_object(&mut message)?.unwrap_or_default())),
            (Self::Modern, "ping") => Ok(ClientMessage::Ping(optional_object(&mut message)?)),
            (Self::Modern, "pong") => optional_object(&mut message).map(|_| ClientMessage::Pong),
            (Self::Modern, "subscribe") | (Self::Legacy, "start") => {
                let id = id(&mut message)?;
                Ok(ClientMessage::Subscribe(id, Box::new(request(message.remove("payload"))?)))
            }
            (Self::Modern, "complete") | (Self::Legacy, "stop") => Ok(ClientMessage::Complete(id(&mut message)?)),
            (Self::Legacy, "connection_terminate") => Ok(ClientMessage::Terminate),
            (_, other) => Err(Close::bad(format!("Invalid message: unknown type {other:?}"))),
        }
    }

    /// Writes a message to the client.
    pub fn write(self, message: &ServerMessage) -> String {
        let legacy = self == Self::Legacy;
        let written = match message {
            ServerMessage::Ack => frame("connection_ack", None, None::<()>),
            ServerMessage::Rejected(reason) => frame("connection_error", None, Some(json!({ "message": reason }))),
            ServerMessage::Pong(payload) => frame("pong", None, payload.as_ref()),
            ServerMessage::Next(id, response) => frame(if legacy { "data" } else { "next" }, Some(id), Some(response)),
            // The predecessor tells one error, its successor all of them.
            ServerMessage::Error(id, errors) if legacy => frame("error", Some(id), errors.first()),
            ServerMessage::Error(id, errors) => frame("error", Some(id), Some(errors)),
            ServerMessage::Complete(id) => frame("complete", Some(id), None::<()>),
        };
        // Nothing that is written here can fail to be: its keys are strings all.
        written.unwrap_or_default()
    }
}

fn frame<P: Serialize>(kind: &str, id: Option<&str>, payload: Option<P>) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Frame<'a, P> {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        #[serde(rename = "type")]
        kind: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<P>,
    }
    serde_json::to_string(&Frame { id, kind, payload })
}

/// What a client says.
#[derive(Debug)]
pub enum ClientMessage {
    /// Who it is: the context of all its operations.
    Init(Map<String, Value>),
    /// Are you there?
    Ping(Option<Map<String, Value>>),
    /// I am.
    Pong,
    /// Begin an operation.
    Subscribe(String, Box<Request>),
    /// End an operation.
    Complete(String),
    /// Goodbye, in the predecessor's words.
    Terminate,
}

/// What the server says.
#[derive(Debug)]
pub enum ServerMessage {
    /// The client may begin operations.
    Ack,
    /// The client is not let in, in the predecessor's words: its clients don't look at close codes.
    Rejected(String),
    /// I am here, with what the ping said.
    Pong(Option<Map<String, Value>>),
    /// A result of an operation.
    Next(String, Box<Response>),
    /// An operation is refused or ended by these; nothing more comes of it.
    Error(String, Vec<ServerError>),
    /// An operation has ended by itself.
    Complete(String),
}

fn optional_object(message: &mut Map<String, Value>) -> Result<Option<Map<String, Value>>, Close> {
    match message.remove("payload") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(payload)) => Ok(Some(payload)),
        Some(_) => Err(Close::bad("Invalid message: `payload` must be an object")),
    }
}

fn id(message: &mut Map<String, Value>) -> Result<String, Close> {
    match message.remove("id") {
        Some(Value::String(id)) if id.is_empty() => Err(Close::bad("Invalid message: `id` is empty")),
        // It is kept and sent back with every result.
        Some(Value::String(id)) if id.len() > MOST_ID => {
            Err(Close::bad(format!("Invalid message: `id` is longer than {MOST_ID} bytes")))
        }
        Some(Value::String(id)) => Ok(id),
        _ => Err(Close::bad("Invalid message: `id` must be a string")),
    }
}

/// The longest id of an operation, in bytes.
pub const MOST_ID: usize = 256;

fn request(payload: Option<Value>) -> Result<Request, Close> {
    let payload = payload.unwrap_or_default();
    parameters::of_object(payload).map_err(|error| Close::bad(format!("Invalid message: in `payload`, {error}")))
}
