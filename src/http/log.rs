//! One line in the log for each request, when it has ended: what was asked for
//! and what became of it, and nothing of who asked or of what was sent.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_graphql::parser::types::{DocumentOperations, OperationType};
use async_graphql::{Request as Operation, Response as Result, ServerError, Value};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use engine::db::StatementCount;
use engine::error::Error;
use engine::failpoint;
use engine::panic::caught;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tracing::{Instrument, Span};

use super::answer::refuse;
use super::gate::Gate;
use super::metrics::{Ended, Metrics, Outcome};
use super::negotiate::Media;
use super::ready::Refused;
use crate::api::document::Judged;
use crate::api::request_id::RequestId;

/// The header in which the id comes and goes.
pub const HEADER: &str = "x-request-id";
/// The longest name of an operation that is logged, in characters.
const MOST_NAME: usize = 64;

/// What is known of a request so far. It is logged when nobody holds it any
/// more, so that one which was given up, or panicked, has its line too.
#[derive(Debug)]
pub struct Line {
    id: RequestId,
    span: Span,
    began: Instant,
    door: &'static str,
    metrics: Arc<Metrics>,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    kind: Option<&'static str>,
    operation: Option<String>,
    cost: Option<u64>,
    statements: StatementCount,
    messages: u64,
    errors: u64,
    code: Option<String>,
    status: Option<u16>,
    outcome: Option<Outcome>,
}

impl Line {
    /// A request that begins at this door.
    fn begin(id: RequestId, door: &'static str, metrics: Arc<Metrics>) -> Arc<Self> {
        let span = tracing::error_span!(parent: None, "request", %id);
        Arc::new(Self { id, span, began: Instant::now(), door, metrics, told: Mutex::default() })
    }

    /// An operation of this number on the socket that this line is about.
    pub fn of_operation(&self, number: u64) -> Arc<Self> {
        Self::begin(self.id.of_operation(number), self.door, self.metrics.clone())
    }

    /// Does the work of this request: all that is logged meanwhile bears its id.
    pub async fn along<T>(&self, work: impl Future<Output = T>) -> T {
        self.id.scope(work).instrument(self.span.clone()).await
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It became a socket.
    pub fn is_socket(&self) {
        self.told().kind = Some("socket");
    }

    /// Its document was judged.
    pub fn judged(&self, judged: &Judged, operation: &mut Operation) {
        let mut told = self.told();
        let kind = match judged.kind {
            OperationType::Query => "query",
            OperationType::Mutation => "mutation",
            OperationType::Subscription => "subscription",
        };
        if judged.kind == OperationType::Subscription && told.kind.is_none() {
            self.metrics.subscription_begins(self.door);
        }
        told.kind = Some(kind);
        told.cost = Some(judged.weight.cost);
        told.operation = name_of(operation);
    }

    /// Its statements are counted there.
    pub fn counts(&self, statements: &StatementCount) {
        self.told().statements = statements.clone();
    }

    /// The name of the operation; empty when it has none.
    pub fn operation(&self) -> String {
        self.told().operation.clone().unwrap_or_default()
    }

    /// It was answered, or told one more message.
    pub fn answered(&self, response: &Result) {
        failpoint::reach_one("message", &self.operation());
        self.told().messages += 1;
        self.refused(&response.errors);
    }

    /// It was answered with what another was told a moment ago, which had this cost.
    pub fn answered_as_before(&self, cost: u64) {
        let mut told = self.told();
        told.kind = Some("query");
        told.cost = Some(cost);
        told.messages += 1;
    }

    /// These errors are told.
    pub fn refused(&self, errors: &[ServerError]) {
        let codes = errors.iter().map(|error| match error.extensions.as_ref().and_then(|values| values.get("code")) {
            Some(Value::String(code)) => code.as_str(),
            _ => "",
        });
        let mut told = self.told();
        for code in codes {
            told.errors += 1;
            told.outcome = told.outcome.max(Some(Outcome::of_code(code)));
            told.code.get_or_insert_with(|| code.to_owned());
        }
        told.outcome.get_or_insert(Outcome::Done);
    }

    /// It ended by itself; a socket says with which code.
    pub fn ended(&self, code: Option<u16>) {
        let mut told = self.told();
        told.outcome.get_or_insert(Outcome::Done);
        told.status = code.or(told.status);
    }

    /// It ended by a panic.
    pub fn failed(&self) {
        self.told().outcome = Some(Outcome::Failed);
    }

    fn answered_with(&self, status: u16) {
        let mut told = self.told();
        told.status = Some(status);
        told.outcome = told.outcome.max(Some(Outcome::of_status(status)));
    }
}

/// The results of an operation that goes on, each worked out as a part of this request. When one panics, `panicked` is
/// the last.
pub fn watched<T: Send + 'static>(
    results: BoxStream<'static, T>,
    line: Arc<Line>,
    panicked: fn(Error) -> T,
) -> BoxStream<'static, T> {
    let next = move |state: Option<(BoxStream<'static, T>, Arc<Line>)>| async move {
        let (mut results, line) = state?;
        let told = async { caught(results.next()).await.map_err(|error| panicked(error.into())) };
        match line.along(told).await {
            Ok(Some(result)) => Some((result, Some((results, line)))),
            Ok(None) => {
                line.ended(None);
                None
            }
            Err(last) => {
                line.failed();
                Some((last, None))
            }
        }
    };
    stream::unfold(Some((results, line)), next).boxed()
}

impl Drop for Line {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let Told { kind, operation, cost, statements, messages, errors, code, status, outcome } =
            std::mem::take(&mut *self.told());
        // Whoever asked went before there was an answer.
        let outcome = outcome.unwrap_or(Outcome::Gone);
        let statements = statements.get();
        let kind = kind.unwrap_or("other");
        self.metrics.ended(&Ended { door: self.door, kind, outcome, took, cost, statements });
        let _entered = self.span.enter();
        let ms = took.as_micros() as f64 / 1000.0;
        let (door, outcome, code) = (self.door, outcome.as_str(), code.filter(|code| !code.is_empty()));
        macro_rules! line {
            ($level:expr) => {
                tracing::event!(
                    $level, door, kind, operation, cost, statements, messages, status, outcome, errors, code, ms,
                    "request"
                )
            };
        }
        match door {
            // Asked every few seconds by whoever looks after the process.
            "health" => line!(tracing::Level::DEBUG),
            _ => line!(tracing::Level::INFO),
        }
    }
}

/// The name of the operation that a request runs, shortened to what a line holds. By the grammar it has letters,
/// digits and underscores alone; where it was not read by the grammar, nothing is said.
fn name_of(operation: &mut Operation) -> Option<String> {
    let name = match &operation.operation_name {
        Some(name) => Some(name.clone()),
        None => match &operation.parsed_query().ok()?.operations {
            DocumentOperations::Multiple(operations) => operations.keys().next().map(ToString::to_string),
            DocumentOperations::Single(_) => None,
        },
    };
    let name = name.filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))?;
    Some(name.chars().take(MOST_NAME).collect())
}

/// The door that a path leads to. No path is logged: some hold a token.
fn door_of(request: &Request) -> &'static str {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    match path {
        "/store/graphql" => "store",
        "/admin/graphql" => "admin",
        "/graphql" => "unified",
        "/uploads/{token}" => "upload",
        path if path.starts_with("/media/") => "media",
        path if path.starts_with("/health/") => "health",
        path if path.starts_with("/graphiql") => "graphiql",
        _ => "none",
    }
}

/// Gives every request its id and its line, answers one that panics, and says
/// whether the connection stays.
pub async fn keep(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let given = request.headers().get(HEADER).and_then(|id| id.to_str().ok()).and_then(RequestId::given);
    let id = given.unwrap_or_else(RequestId::made);
    let door = door_of(&request);
    let line = Line::begin(id, door, gate.metrics.clone());
    request.extensions_mut().insert(line.clone());
    let answered = async {
        let answered = caught(next.run(request)).await;
        answered.unwrap_or_else(|panicked| refuse(Media::Json, Refused::Caller(panicked.into())))
    };
    let mut answer = line.along(answered).await;
    line.answered_with(answer.status().as_u16());
    if let Ok(id) = HeaderValue::from_str(&line.id.to_string()) {
        answer.headers_mut().insert(HEADER, id);
    }
    if gate.is_leaving() {
        // The client's next request goes to another process, or to the one that follows this.
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}
