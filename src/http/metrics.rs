//! What one process has done and how it stands, in the text that [Prometheus]
//! reads. No label can have values without end.
//!
//! [Prometheus]: https://prometheus.io/docs/instrumenting/exposition_formats/

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use engine::app::App;
use engine::vitals::Vitals;

use super::gate::Gate;

/// The upper bounds of the histogram of durations, in seconds.
const BOUNDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// How long the database may take to say how it stands.
const PATIENCE: Duration = Duration::from_secs(2);

/// What became of a request; the worst counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It was done. What a mutation refuses in its payload is done as well.
    Done,
    /// It was refused as a whole, or in part.
    Refused,
    /// The database was away.
    Unavailable,
    /// Something went wrong on our side.
    Failed,
    /// Whoever asked went before there was an answer.
    Gone,
}

impl Outcome {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
            Self::Gone => "gone",
        }
    }

    /// What an error with this code makes of a request.
    pub fn of_code(code: &str) -> Self {
        match code {
            "INTERNAL" => Self::Failed,
            "UNAVAILABLE" => Self::Unavailable,
            _ => Self::Refused,
        }
    }

    /// What a status makes of it.
    pub fn of_status(status: u16) -> Self {
        match status {
            503 => Self::Unavailable,
            500.. => Self::Failed,
            400.. => Self::Refused,
            _ => Self::Done,
        }
    }
}

/// A request that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Where it came in.
    pub door: &'static str,
    /// What it was: a kind of operation, `socket`, or `other`.
    pub kind: &'static str,
    /// What became of it.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
    /// What its document weighed, when it had one.
    pub cost: Option<u64>,
    /// How many statements it ran.
    pub statements: u64,
}

type Place = (&'static str, &'static str);

#[derive(Debug, Default)]
struct Sums {
    requests: BTreeMap<(&'static str, &'static str, Outcome), u64>,
    durations: BTreeMap<Place, Durations>,
    costs: BTreeMap<Place, u64>,
    statements: BTreeMap<Place, u64>,
    subscriptions: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Default)]
struct Durations {
    counts: [u64; BOUNDS.len()],
    all: u64,
    seconds: f64,
}

/// What one process has done.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<Sums>);

impl Metrics {
    fn sums(&self) -> std::sync::MutexGuard<'_, Sums> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more subscription runs.
    pub fn subscription_begins(&self, door: &'static str) {
        *self.sums().subscriptions.entry(door).or_default() += 1;
    }

    /// A request has ended.
    pub fn ended(&self, ended: &Ended) {
        let place = (ended.door, ended.kind);
        let mut sums = self.sums();
        *sums.requests.entry((ended.door, ended.kind, ended.outcome)).or_default() += 1;
        *sums.costs.entry(place).or_default() += ended.cost.unwrap_or(0);
        *sums.statements.entry(place).or_default() += ended.statements;
        match ended.kind {
            "subscription" => {
                let running = sums.subscriptions.entry(ended.door).or_default();
                *running = running.saturating_sub(1);
            }
            // It lasts as long as somebody likes it to.
            "socket" => {}
            _ => {
                let durations = sums.durations.entry(place).or_default();
                let seconds = ended.took.as_secs_f64();
                let reached = BOUNDS.iter().zip(&mut durations.counts).filter(|(bound, _)| seconds <= **bound);
                reached.for_each(|(_, count)| *count += 1);
                durations.all += 1;
                durations.seconds += seconds;
            }
        }
    }

    fn write(&self, page: &mut Page) {
        let sums = self.sums();
        page.name("emporion_requests_total", "counter", "Requests that have ended, operations of sockets too.");
        for ((door, kind, outcome), count) in &sums.requests {
            page.one(&[("door", door), ("kind", kind), ("outcome", outcome.as_str())], count);
        }
        page.name("emporion_request_duration_seconds", "histogram", "How long requests took, but for subscriptions.");
        for ((door, kind), durations) in &sums.durations {
            let labels = [("door", *door), ("kind", *kind)];
            for (bound, count) in BOUNDS.iter().zip(durations.counts) {
                page.part("_bucket", &[labels[0], labels[1], ("le", &bound.to_string())], count);
            }
            page.part("_bucket", &[labels[0], labels[1], ("le", "+Inf")], durations.all);
            page.part("_sum", &labels, durations.seconds);
            page.part("_count", &labels, durations.all);
        }
        let mut by_place = |name, help, sums: &BTreeMap<Place, u64>| {
            page.name(name, "counter", help);
            sums.iter().for_each(|((door, kind), sum)| page.one(&[("door", door), ("kind", kind)], sum));
        };
        by_place("emporion_cost_total", "What the documents that ran weighed.", &sums.costs);
        by_place("emporion_statements_total", "Statements that requests ran in the database.", &sums.statements);
        page.name("emporion_subscriptions", "gauge", "Subscriptions that run.");
        sums.subscriptions.iter().for_each(|(door, count)| page.one(&[("door", door)], count));
    }
}

/// The text as it grows.
#[derive(Debug, Default)]
struct Page {
    text: String,
    name: &'static str,
}

impl Page {
    fn name(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn one(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.part("", labels, value);
    }

    fn part(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "{}{suffix}{labels} {value}", self.name);
    }

    fn gauge(&mut self, name: &'static str, help: &str, value: impl Display) {
        self.name(name, "gauge", help);
        self.one(&[], value);
    }

    fn vitals(&mut self, vitals: &Vitals) {
        self.gauge("emporion_event_log_position", "The newest position of the event log.", vitals.position);
        self.gauge("emporion_event_log_waiting", "Events that have no position yet.", vitals.unstamped);
        self.gauge("emporion_event_log_lag_seconds", "The age of the oldest of them.", vitals.lag.as_secs_f64());
        self.name("emporion_jobs", "gauge", "Jobs that have not ended.");
        self.one(&[("state", "waiting")], vitals.jobs_waiting);
        self.one(&[("state", "running")], vitals.jobs_running);
        self.name("emporion_mail", "gauge", "Mail that has not gone.");
        self.one(&[("state", "waiting")], vitals.mail_waiting);
        self.one(&[("state", "failed")], vitals.mail_failed);
    }
}

/// The page of a process.
pub fn routes(app: Arc<App>, gate: Arc<Gate>) -> Router {
    Router::new().route("/metrics", get(show)).with_state((app, gate))
}

async fn show(State((app, gate)): State<(Arc<App>, Arc<Gate>)>) -> Response {
    let mut page = Page::default();
    page.name("emporion_build_info", "gauge", "The version that runs.");
    page.one(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    gate.metrics.write(&mut page);
    page.gauge("emporion_sockets", "Websockets and streams of events that are open.", gate.open());
    page.name("emporion_database_connections", "gauge", "Connections to the database.");
    for pool in app.db.pools() {
        page.one(&[("pool", pool.name), ("state", "used")], pool.used);
        page.one(&[("pool", pool.name), ("state", "idle")], pool.idle);
    }
    let vitals = tokio::time::timeout(PATIENCE, Vitals::read(&app)).await;
    let vitals = vitals.ok().and_then(|read| read.ok());
    page.gauge("emporion_database_up", "Whether the database answers.", u8::from(vitals.is_some()));
    if let Some(vitals) = vitals {
        page.vitals(&vitals);
    }
    if let Some(bytes) = memory() {
        page.gauge("process_resident_memory_bytes", "Memory that the process holds.", bytes);
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page.text).into_response()
}

/// What the kernel says, where there is such a kernel.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let held = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(held.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
}
