//! GraphQL over one kept connection.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

use crate::Result;

/// A client of one endpoint.
#[derive(Debug)]
pub struct Http {
    /// How many bytes of answers came so far, without their headers.
    pub received: usize,
    /// How many statements the answers took so far; nothing unless they are asked for.
    pub statements: Option<u64>,
    wire: BufStream<TcpStream>,
    head: String,
}

impl Http {
    /// Connects to an endpoint such as `/store/graphql`, with or without a bearer's token.
    pub async fn connect(server: SocketAddr, path: &str, token: Option<&str>) -> Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let credential = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let head = format!("POST {path} HTTP/1.1\r\nhost: {server}\r\ncontent-type: application/json\r\n{credential}");
        Ok(Self { received: 0, statements: None, wire: BufStream::new(stream), head })
    }

    /// The same, and asks with each operation how many statements it took.
    pub fn counting(self) -> Self {
        Self { statements: Some(0), ..self }
    }

    /// Sends an operation; answers with its data, which must be without errors and refusals.
    pub async fn send(&mut self, query: &str, variables: Value) -> Result<Value> {
        let mut body = json!({ "query": query, "variables": variables });
        if self.statements.is_some() {
            body["extensions"] = json!({ "cost": true });
        }
        let mut answer: Value = serde_json::from_slice(&self.exchange(&body.to_string()).await?)?;
        if let Some(count) = &mut self.statements {
            *count += answer["extensions"]["cost"]["statements"].as_u64().ok_or("the server counts no statements")?;
        }
        let refused = |payload: &Value| payload["userErrors"].as_array().is_some_and(|errors| !errors.is_empty());
        let data = answer["data"].take();
        let refused = data.as_object().is_some_and(|fields| fields.values().any(refused));
        if refused || !answer["errors"].is_null() {
            return Err(format!("refused: {data} {answer}").into());
        }
        Ok(data)
    }

    /// Sends a body as it is; answers with the body that comes back.
    pub async fn exchange(&mut self, body: &str) -> Result<Vec<u8>> {
        let request = format!("{}content-length: {}\r\n\r\n{body}", self.head, body.len());
        self.wire.write_all(request.as_bytes()).await?;
        self.wire.flush().await?;
        let answer = self.body().await?;
        self.received += answer.len();
        Ok(answer)
    }

    async fn body(&mut self) -> Result<Vec<u8>> {
        let mut length = None;
        loop {
            let mut line = String::new();
            if self.wire.read_line(&mut line).await? == 0 {
                return Err("the server closed a kept connection".into());
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = Some(value.parse()?),
                None if line == "\r\n" => break,
                _ => {}
            }
        }
        let mut body = vec![0; length.ok_or("an answer without a length")?];
        self.wire.read_exact(&mut body).await?;
        Ok(body)
    }
}

/// An intention that this shop has not heard of before.
pub fn new_key() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    format!("bench-key-{:020}", LAST.fetch_add(1, Ordering::Relaxed))
}
