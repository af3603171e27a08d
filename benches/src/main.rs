//! The benchmark: starts the release binary on a folder of its own, drives it
//! in a closed loop, and says how it compares with the goals. `make bench`
//! runs it; what it measured is in `docs/PERFORMANCE.md`.
//!
//! | | |
//! |---|---|
//! | [`requests`] | listings, carts and checkouts: requests per second, latency, memory |
//! | [`live`] | ten thousand sockets: memory, one event to all, latency beside them |
//! | [`check`] | what must hold of every release build: start-up, memory, documents, promotions, statements, import |
//! | [`server`] | the process that is measured |
//! | [`peers`] | the catalog that the peers were measured with |
//! | [`case`] | what is asked for |
//! | [`documents`] | documents as large as are read |
//! | [`promotions`] | a cart of 100 lines under 200 promotions |
//! | [`shop`] | orders to watch and to change |
//! | [`wrk`], [`flow`] | what makes the load |
//! | [`still`] | the same bytes from a server that does nothing else |
//! | [`http`], [`socket`] | the two wires, written by hand so that the driver takes little of the machine |
//! | [`process`] | memory and time of processes |
//! | [`table`] | figures |

mod case;
mod check;
mod documents;
mod flow;
mod http;
mod lists;
mod live;
mod peers;
mod process;
mod promotions;
mod requests;
mod server;
mod shop;
mod socket;
mod still;
mod table;
mod wrk;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// The result of anything here: whatever goes wrong ends the run.
type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// Measures the release binary.
#[derive(Debug, Parser)]
struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Listings, carts and checkouts, on SQLite and, where its address is known, on PostgreSQL.
    Requests(requests::Options),
    /// Ten thousand sockets that watch an order.
    Live(live::Options),
    /// What must hold of every release build; fails when it does not.
    Check(check::Options),
    /// Serves a file to whoever asks for anything, until it is killed.
    Still(still::Options),
}

/// What is measured.
#[derive(Debug, Clone, Args)]
struct Subject {
    /// The binary that is measured.
    #[arg(long, value_name = "FILE")]
    binary: PathBuf,
}

fn main() -> ExitCode {
    let measured = match Options::parse().what {
        What::Requests(options) => requests::run(&options),
        What::Live(options) => live::run(&options),
        What::Check(options) => check::run(&options),
        What::Still(options) => still::run(&options),
    };
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a measurement on this thread alone: the driver takes one core at most.
fn block_on<T>(measurement: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measurement)
}
