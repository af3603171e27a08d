//! The benchmark: starts the release binary on a folder of its own, drives it
//! in a closed loop, and says how it compares with the goals. `make bench`
//! runs it; what it measured is in `docs/PERFORMANCE.md`.
//!
//! | | |
//! |---|---|
//! | [`live`] | ten thousand sockets: memory, one event to all, latency beside them |
//! | [`server`] | the process that is measured |
//! | [`shop`] | orders to watch and to change |
//! | [`http`], [`socket`] | the two wires, written by hand so that the driver takes little of the machine |
//! | [`table`] | figures |

mod http;
mod live;
mod server;
mod shop;
mod socket;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The result of anything here: whatever goes wrong ends the run.
type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// What a run is like.
#[derive(Debug, Clone, Parser)]
struct Options {
    /// The binary that is measured.
    #[arg(long, value_name = "FILE")]
    binary: PathBuf,
    /// How many sockets are opened.
    #[arg(long, default_value_t = 10_000, value_name = "COUNT")]
    sockets: usize,
    /// How often everything is measured, each time with a server of its own.
    #[arg(long, default_value_t = 3, value_name = "COUNT")]
    runs: usize,
    /// How long changes go on beside the idle sockets, in seconds.
    #[arg(long, default_value_t = 10, value_name = "SECONDS")]
    seconds: u64,
    /// An empty PostgreSQL database for one run; SQLite in a temporary folder when absent.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let measured = raise_file_limit(options.sockets)
        .and_then(|()| Ok(runtime?))
        .and_then(|runtime| runtime.block_on(live::measure(&options)));
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Each socket is an open file on either side, and the server inherits the limit.
fn raise_file_limit(sockets: usize) -> Result<()> {
    let needed = sockets as u64 + 512;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if maximum.is_some_and(|maximum| maximum < needed) {
        let maximum = maximum.unwrap_or_default();
        return Err(format!(
            "{sockets} sockets need {needed} open files, and the hard limit is {maximum}: raise it (ulimit -Hn, as \
             root) or measure fewer (--sockets {})",
            maximum.saturating_sub(512)
        )
        .into());
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum })?;
    Ok(())
}
