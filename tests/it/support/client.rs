//! GraphQL over HTTP, as a storefront sends it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::socket::PATIENCE;

/// A client of one surface with its headers.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    headers: Vec<(String, String)>,
}

impl Client {
    /// A client of this address, without a credential.
    pub fn new(url: String) -> Self {
        Self { http: reqwest::Client::new(), url, headers: Vec::new() }
    }

    /// The same with one more header.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.retain(|(known, _)| known != name);
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The same from another place: an address of this machine.
    pub fn at(&self, place: &str) -> Self {
        let http = reqwest::Client::builder().local_address(place.parse::<std::net::IpAddr>().ok());
        Self { http: http.build().unwrap(), ..self.clone() }
    }

    /// The same as this bearer.
    pub fn bearer(&self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// What it sends in a header.
    pub fn header(&self, name: &str) -> String {
        let sent = self.headers.iter().find(|(known, _)| known == name);
        sent.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The credential that it sends.
    pub fn credential(&self) -> String {
        self.header("authorization")
    }

    /// Sends an operation.
    pub async fn send(&self, query: &str, variables: Value) -> Answer {
        self.try_send(query, variables).await.unwrap()
    }

    /// The same where the connection may be lost before the answer has come.
    pub async fn try_send(&self, query: &str, variables: Value) -> reqwest::Result<Answer> {
        self.try_post(json!({ "query": query, "variables": variables })).await
    }

    /// Sends a body as it is.
    pub async fn post(&self, body: Value) -> Answer {
        self.try_post(body).await.unwrap()
    }

    /// The answer to a query as it is written.
    pub async fn text(&self, query: &str) -> String {
        self.sent(json!({ "query": query })).await.unwrap().text().await.unwrap()
    }

    async fn sent(&self, body: Value) -> reqwest::Result<reqwest::Response> {
        let mut request = self.http.post(&self.url).json(&body);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.send().await
    }

    async fn try_post(&self, body: Value) -> reqwest::Result<Answer> {
        let response = self.sent(body).await?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let statements = header("x-statements").map(|count| count.parse().unwrap());
        let language = header("content-language").unwrap_or_default();
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, body, statements: statements.unwrap_or(0), language })
    }

    /// Sends a mutation until it is answered, whatever is lost or away meanwhile: its idempotency key is the same each
    /// time. `whom` is asked anew for each try.
    pub async fn insist(whom: impl Fn() -> Self, query: &str, input: Value) -> Answer {
        let deadline = Instant::now() + 2 * PATIENCE;
        while Instant::now() < deadline {
            if let Ok(answer) = whom().try_send(query, json!({ "input": input })).await
                && !answer.asks_to_come_again()
            {
                return answer;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("never answered: {query} {input}");
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub statements: u64,
    /// In which language it is.
    pub language: String,
}

impl Answer {
    /// The value at `a.b.0.c` under `data`; the answer must have no errors.
    #[track_caller]
    pub fn at(&self, path: &str) -> Value {
        assert!(self.body["errors"].is_null(), "unexpected errors: {}", self.body);
        pick(&self.body["data"], path)
    }

    /// The text at a path.
    #[track_caller]
    pub fn text(&self, path: &str) -> String {
        match self.at(path) {
            Value::String(text) => text,
            other => panic!("{path} is {other} in {}", self.body),
        }
    }

    /// The payload of the one mutation in the answer, which must not be refused.
    #[track_caller]
    pub fn done(&self) -> Value {
        let payload = self.payload();
        assert_eq!(payload["userErrors"], json!([]), "refused: {}", self.body);
        payload
    }

    /// The codes of the refusals of the one mutation in the answer.
    #[track_caller]
    pub fn refusals(&self) -> Vec<String> {
        let payload = self.payload();
        let refused = payload["userErrors"].as_array().unwrap_or_else(|| panic!("no payload: {}", self.body));
        refused.iter().map(|refusal| refusal["code"].as_str().unwrap().to_owned()).collect()
    }

    /// The code of the first top-level error.
    #[track_caller]
    pub fn error_code(&self) -> String {
        let code = &self.body["errors"][0]["extensions"]["code"];
        code.as_str().unwrap_or_else(|| panic!("no coded error: {}", self.body)).to_owned()
    }

    /// The message of the first top-level error.
    #[track_caller]
    pub fn error(&self) -> String {
        let message = &self.body["errors"][0]["message"];
        message.as_str().unwrap_or_else(|| panic!("no error: {}", self.body)).to_owned()
    }

    /// Whether the shop can't do it at this moment, and says so in the words that are agreed.
    pub fn asks_to_come_again(&self) -> bool {
        let error = &self.body["errors"][0]["extensions"]["code"];
        let fields = self.body["data"].as_object();
        let refused = fields.and_then(|fields| fields.values().next()?["userErrors"][0]["code"].as_str());
        error == "UNAVAILABLE" || refused == Some("IDEMPOTENCY_IN_FLIGHT")
    }

    #[track_caller]
    fn payload(&self) -> Value {
        assert!(self.body["errors"].is_null(), "unexpected errors: {}", self.body);
        let data = self.body["data"].as_object().unwrap_or_else(|| panic!("no data: {}", self.body));
        data.values().next().unwrap().clone()
    }
}

/// The value at `a.b.0.c`.
#[track_caller]
pub fn pick(value: &Value, path: &str) -> Value {
    path.split('.').fold(value, |value, step| step.parse::<usize>().map_or(&value[step], |place| &value[place])).clone()
}
