//! GraphQL over one kept connection.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

use crate::Result;

/// A client of one endpoint.
#[derive(Debug)]
pub struct Http {
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
        Ok(Self { wire: BufStream::new(stream), head })
    }

    /// Sends an operation; answers with its data, which must be without errors and refusals.
    pub async fn send(&mut self, query: &str, variables: Value) -> Result<Value> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = format!("{}content-length: {}\r\n\r\n{body}", self.head, body.len());
        self.wire.write_all(request.as_bytes()).await?;
        self.wire.flush().await?;
        let mut answer: Value = serde_json::from_slice(&self.body().await?)?;
        let refused = |payload: &Value| payload["userErrors"].as_array().is_some_and(|errors| !errors.is_empty());
        let data = answer["data"].take();
        let refused = data.as_object().is_some_and(|fields| fields.values().any(refused));
        if refused || !answer["errors"].is_null() {
            return Err(format!("refused: {data} {answer}").into());
        }
        Ok(data)
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
