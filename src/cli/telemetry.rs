//! What the process says of itself while it runs: the log on stderr, and what
//! happens to panics.
//!
//! The log holds nothing of who asks and nothing of what was sent, at any
//! level. Of the libraries only what they say at `info` and above gets in,
//! whatever `EMPORION_LOG` says: at their lower levels some of them tell the
//! bytes of a connection.

use std::io::IsTerminal;

use clap::{Args, ValueEnum};
use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Our own crates, whose records are ours to answer for.
const OURS: &[&str] = &["bench", "domain", "emporion", "engine", "entity", "migration"];

/// In which form the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// How the log is written.
#[derive(Debug, Clone, Args)]
pub struct Log {
    /// In which form the log is written.
    #[arg(long, global = true, env = "EMPORION_LOG_FORMAT", value_enum, default_value = "text", value_name = "FORMAT")]
    log_format: Format,
}

impl Log {
    /// Begins the log of this process; what is answered ends with it.
    pub fn begin(&self) -> Telemetry {
        let wanted = EnvFilter::try_from_env("EMPORION_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
        let written = written(wanted, self.log_format, std::io::stderr().is_terminal(), std::io::stderr);
        let registry = tracing_subscriber::registry().with(written);
        #[cfg(feature = "otlp")]
        let (traces, exporter) = super::otlp::begin();
        #[cfg(feature = "otlp")]
        let registry = registry.with(traces);
        registry.init();
        log_panics();
        Telemetry {
            #[cfg(feature = "otlp")]
            _exporter: exporter,
        }
    }
}

/// What a process says of itself, until it is dropped.
#[derive(Debug)]
pub struct Telemetry {
    #[cfg(feature = "otlp")]
    _exporter: super::otlp::Exporter,
}

/// What writes the records that are wanted, and that may be written.
pub fn written<S, W>(wanted: EnvFilter, format: Format, colored: bool, writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let allowed = filter_fn(is_harmless).with_max_level_hint(LevelFilter::TRACE);
    let layer = tracing_subscriber::fmt::layer().with_ansi(colored).with_writer(writer);
    let layer = match format {
        Format::Text => layer.boxed(),
        Format::Json => layer.json().flatten_event(true).with_current_span(false).boxed(),
    };
    layer.with_filter(wanted.and(allowed))
}

/// Whether a record may be written or told at all.
pub(super) fn is_harmless(record: &Metadata<'_>) -> bool {
    let name = record.target().split("::").next().unwrap_or_default();
    *record.level() <= tracing::Level::INFO || OURS.contains(&name)
}

/// Where a panic was goes into the log, in the record of its request. What it
/// says does so only when it is a text of the program's own: one that was put
/// together while the program ran may hold what it was working on.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line()));
        let says = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("what it says is not logged");
        tracing::error!(place, says, "a panic");
    }));
}
