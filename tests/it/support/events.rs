//! A stream of server-sent events, read as they come.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::socket::PATIENCE;

/// One event.
#[derive(Debug, PartialEq)]
pub struct Event {
    pub kind: String,
    pub id: Option<String>,
    pub data: Value,
}

/// One response.
#[derive(Debug)]
pub struct Events {
    response: reqwest::Response,
    read: String,
}

impl Events {
    /// Asks by POST, with these headers; the status and the body of the answer when it is no stream.
    pub async fn post(url: &str, query: &str, headers: &[(&str, &str)]) -> Result<Self, (u16, String)> {
        Self::post_body(url, json!({ "query": query }).to_string(), headers).await
    }

    /// The same with a body of one's own.
    pub async fn post_body(url: &str, body: String, headers: &[(&str, &str)]) -> Result<Self, (u16, String)> {
        let request = reqwest::Client::new().post(url).header(CONTENT_TYPE, "application/json");
        Self::send(request.body(body), headers).await
    }

    /// Asks by GET, as a browser's `EventSource` does.
    pub async fn get(url: &str, query: &str, headers: &[(&str, &str)]) -> Result<Self, (u16, String)> {
        Self::get_with(url, &[("query", query)], headers).await
    }

    /// The same with these parameters.
    pub async fn get_with(
        url: &str,
        parameters: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Result<Self, (u16, String)> {
        let url = reqwest::Url::parse_with_params(url, parameters).unwrap();
        Self::send(reqwest::Client::new().get(url), headers).await
    }

    async fn send(request: reqwest::RequestBuilder, headers: &[(&str, &str)]) -> Result<Self, (u16, String)> {
        let accept = headers.iter().any(|(name, _)| *name == "accept");
        let request = if accept { request } else { request.header(ACCEPT, "text/event-stream") };
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = timeout(PATIENCE, request.send()).await.expect("an answer in time").unwrap();
        let kind = response.headers().get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap().to_owned());
        if kind.as_deref() == Some("text/event-stream") {
            assert_eq!(response.status(), 200);
            return Ok(Self { response, read: String::new() });
        }
        Err((response.status().as_u16(), response.text().await.unwrap()))
    }

    /// The next event; nothing when the stream has ended.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.read = rest;
                let field = |name: &str| {
                    let value = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
                    value.map(|value| value.trim_start().to_owned())
                };
                // A comment only keeps the connection alive.
                let Some(kind) = field("event") else { continue };
                let data = field("data").expect("a browser tells nobody of an event without data");
                let data = if data.is_empty() { Value::Null } else { serde_json::from_str(&data).unwrap() };
                return Some(Event { kind, id: field("id"), data });
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.expect("an event in time");
            self.read += std::str::from_utf8(&chunk.ok().flatten()?).unwrap();
        }
    }

    /// Whether nothing comes for a while.
    pub async fn is_silent(&mut self) -> bool {
        timeout(Duration::from_millis(300), self.next()).await.is_err()
    }
}
