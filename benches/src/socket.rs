//! GraphQL over a websocket, with as little of the driver's time as may be:
//! frames are written and read as bytes, and most messages are only looked at.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::Result;

/// How many sockets come from one address: the server has a cap, and an
/// address a bounded number of ports.
pub const PER_ADDRESS: usize = 1_000;

const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// A connection that the server has acknowledged.
#[derive(Debug)]
pub struct Socket {
    wire: TcpStream,
    /// What was read and is not yet a whole frame.
    unread: Vec<u8>,
}

impl Socket {
    /// Opens the `number`th socket.
    pub async fn open(server: SocketAddr, path: &str, number: usize) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        let from = Ipv4Addr::new(127, 0, 1, u8::try_from(1 + number / PER_ADDRESS)?);
        socket.bind(SocketAddr::new(IpAddr::V4(from), 0))?;
        let mut wire = socket.connect(server).await?;
        wire.set_nodelay(true)?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {server}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: ZW1wb3Jpb24gYmVuY2ghIQ==\r\n\
             sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
        );
        wire.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(wire.read_u8().await?);
        }
        if !answer.starts_with(b"HTTP/1.1 101") {
            return Err(format!("no websocket: {}", String::from_utf8_lossy(&answer)).into());
        }
        let mut socket = Self { wire, unread: Vec::new() };
        socket.say(TEXT, br#"{"type":"connection_init"}"#).await?;
        let text = socket.next().await?;
        if !text.contains("connection_ack") {
            return Err(format!("not acknowledged: {text}").into());
        }
        Ok(socket)
    }

    /// Sends a message.
    pub async fn send(&mut self, text: &str) -> Result<()> {
        self.say(TEXT, text.as_bytes()).await
    }

    /// The next message; pings are answered on the way. Nothing of it is lost when it is dropped.
    pub async fn next(&mut self) -> Result<String> {
        loop {
            while let Some((kind, payload)) = self.frame()? {
                match kind {
                    TEXT => return Ok(String::from_utf8(payload)?),
                    PING => self.say(PONG, &payload).await?,
                    CLOSE => return Err(format!("closed: {}", String::from_utf8_lossy(&payload)).into()),
                    _ => {}
                }
            }
            if self.wire.read_buf(&mut self.unread).await? == 0 {
                return Err("the connection was lost".into());
            }
        }
    }

    /// Takes a whole frame of what was read. The server's frames are neither masked nor parted.
    fn frame(&mut self) -> Result<Option<(u8, Vec<u8>)>> {
        let (start, length) = match self.unread.as_slice() {
            [_, length, ..] if *length < 126 => (2, usize::from(*length)),
            [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([*high, *low]))),
            [_, 127, ..] => return Err("a frame of more than 64 KiB".into()),
            _ => return Ok(None),
        };
        if self.unread.len() < start + length {
            return Ok(None);
        }
        let kind = self.unread[0] & 0xf;
        let payload = self.unread[start..start + length].to_vec();
        self.unread.drain(..start + length);
        Ok(Some((kind, payload)))
    }

    async fn say(&mut self, kind: u8, payload: &[u8]) -> Result<()> {
        let mut frame = vec![0x80 | kind];
        match payload.len() {
            short @ ..126 => frame.push(0x80 | short as u8),
            long => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(long)?.to_be_bytes());
            }
        }
        // A mask of zeros is a mask, and leaves the bytes as they are.
        frame.extend([0; 4]);
        frame.extend(payload);
        self.wire.write_all(&frame).await?;
        Ok(())
    }
}
