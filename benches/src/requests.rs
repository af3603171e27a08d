//! Listings, products, carts and checkouts.

use std::path::PathBuf;
use std::process::Stdio;

use clap::Args;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::case::{Case, all};
use crate::flow::{buy, checkouts};
use crate::peers::{Catalog, fill};
use crate::server::{Place, Server};
use crate::table::quantile;
use crate::wrk::{Load, load};
use crate::{Result, Subject, block_on, lists, process, still};

/// Connections of single requests.
const CONNECTIONS: usize = 8;
/// How many products the shop has.
const PRODUCTS: usize = 1_000;
/// The listing of a shop with lists, in the table.
const LISTED: &str = "(f) listing, full, ten price lists, 100,000 prices";
/// Seconds before anything counts.
const WARM: u64 = 3;

/// What a run is like.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    subject: Subject,
    /// An empty PostgreSQL database; without one SQLite alone is measured.
    #[arg(long, env = "EMPORION_TEST_POSTGRES_URL", value_name = "URL")]
    database_url: Option<String>,
    /// Leave SQLite out.
    #[arg(long)]
    postgres_alone: bool,
    /// How often each case is measured.
    #[arg(long, default_value_t = 3, value_name = "COUNT")]
    runs: usize,
    /// How long each time, in seconds.
    #[arg(long, default_value_t = 10, value_name = "SECONDS")]
    seconds: u64,
    /// Only the cases whose name contains this.
    #[arg(long, default_value = "", value_name = "TEXT")]
    case: String,
    /// More arguments of the server, each by itself.
    #[arg(long, value_name = "ARGUMENT", allow_hyphen_values = true)]
    server: Vec<String>,
}

/// Measures everything and prints the tables.
pub fn run(options: &Options) -> Result<()> {
    block_on(async {
        if !options.postgres_alone {
            measure(options, Place::new(&options.subject.binary, None)?).await?;
        }
        if let Some(url) = &options.database_url {
            measure(options, Place::new(&options.subject.binary, Some(url))?).await?;
        }
        Ok(())
    })
}

/// What PostgreSQL does by itself within some minutes of a shop's life: it looks over the tables that have been filled.
const LOOK_OVER: &str = "select format('analyze %I', relname) from pg_stat_user_tables where n_live_tup > 50 \\gexec\n";

async fn look_over(url: &str) -> Result<()> {
    let folder = std::env::var("EMPORION_TEST_POSTGRES_BIN").map(PathBuf::from).unwrap_or_default();
    let mut command = Command::new(folder.join("psql"));
    let mut child = command.args([url, "--quiet"]).stdin(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().ok_or("no input")?;
    stdin.write_all(LOOK_OVER.as_bytes()).await?;
    drop(stdin);
    if child.wait().await?.success() { Ok(()) } else { Err("psql can't look the tables over".into()) }
}

/// A server that works each answer out anew.
const UNCACHED: [&str; 2] = ["--answer-cache", "off"];

async fn measure(options: &Options, mut place: Place) -> Result<()> {
    let database = if place.is_postgres() { "PostgreSQL" } else { "SQLite" };
    eprintln!("{database}: filling the shop");
    let server = place.serve(&UNCACHED).await?;
    let catalog = fill(&server, PRODUCTS).await?;
    server.stop().await?;
    if let Some(url) = &options.database_url.as_ref().filter(|_| place.is_postgres()) {
        look_over(url).await?;
    }
    let more: Vec<&str> = options.server.iter().map(String::as_str).chain(UNCACHED).collect();
    let mut starts = Vec::new();
    for _ in 0..3 {
        let server = place.serve(&more).await?;
        starts.push(server.start_up);
        server.stop().await?;
    }
    let server = place.serve(&more).await?;
    let idle = process::at_rest(server.id()?).await?;
    println!("\n{database}, each answer worked out anew:\n");
    print_head();
    let cases = all(&mut server.shopper().await?, &catalog).await?;
    for case in cases.iter().filter(|case| case.name.contains(&options.case)) {
        let statements = asked(&server, case).await?;
        let runs = Runs::of(options, &server, |seconds| load(server.address, &case.bodies, CONNECTIONS, seconds));
        runs.await?.print(case.name, CONNECTIONS, case.goal, statements);
    }
    for clients in [1, 4].into_iter().filter(|_| "(d) checkout".contains(&options.case)) {
        let statements = buy(&mut server.shopper().await?.counting(), &catalog, 0).await?;
        let runs = Runs::of(options, &server, |seconds| checkouts(&server, &catalog, clients, seconds)).await?;
        runs.print("(d) checkout", clients, if clients == 1 { (3.5, 40.0) } else { (4.7, 40.0) }, statements);
    }
    if LISTED.contains(&options.case) {
        let taken = lists::fill(&server, &catalog).await?;
        eprintln!("10,000 prices in one call: {:.2} s, at most {:.2}", quantile(&taken, 0.5), quantile(&taken, 1.0));
        if let Some(url) = options.database_url.as_ref().filter(|_| place.is_postgres()) {
            look_over(url).await?;
        }
        let full = &cases[0];
        let statements = asked(&server, full).await?;
        let runs = Runs::of(options, &server, |seconds| load(server.address, &full.bodies, CONNECTIONS, seconds));
        runs.await?.print(LISTED, CONNECTIONS, full.goal, statements);
    }
    let (loaded, peak) = (process::resident(server.id()?)?, process::peak(server.id()?)?);
    server.stop().await?;
    println!("\nFrom start to first answer {:.0} ms ({} starts). ", quantile(&starts, 0.5), starts.len());
    println!(
        "Memory: idle {:.0} MiB, after the load {:.0}, at most {:.0}.",
        idle / 1024.0,
        loaded / 1024.0,
        peak / 1024.0
    );
    if cases[0].name.contains(&options.case) {
        cached(options, &mut place, &catalog).await?;
    }
    Ok(())
}

/// Answers kept for a moment, beside a server that does nothing but send the same bytes.
async fn cached(options: &Options, place: &mut Place, catalog: &Catalog) -> Result<()> {
    let more: Vec<&str> = options.server.iter().map(String::as_str).collect();
    let server = place.serve(&more).await?;
    let mut shopper = server.shopper().await?;
    let cases = all(&mut shopper, catalog).await?;
    let bytes = shopper.exchange(&cases[0].bodies[0].to_string()).await?;
    let folder = tempfile::tempdir()?;
    let (_still, address) = still::start(&bytes, folder.path()).await?;
    println!("\nThe full listing kept, in one run with a still server of the same bytes:\n");
    print_head();
    let bodies = &cases[0].bodies;
    let kept = Runs::of(options, &server, |seconds| load(server.address, bodies, CONNECTIONS, seconds)).await?;
    let still = Runs::of(options, &server, |seconds| load(address, bodies, CONNECTIONS, seconds)).await?;
    let rate = quantile(&still.rates(), 0.5);
    kept.print("(a) listing, full, kept", CONNECTIONS, (rate, 0.7), Some(0));
    still.print("the still server", CONNECTIONS, (rate, 1.0), None);
    server.stop().await
}

/// How many statements a case takes; its answers must be without errors.
pub async fn asked(server: &Server, case: &Case) -> Result<Option<u64>> {
    let mut shopper = server.shopper().await?.counting();
    // The first requests of a connection prepare what later ones use.
    for body in case.bodies.iter().take(8) {
        shopper.send(body["query"].as_str().unwrap_or_default(), body["variables"].clone()).await?;
    }
    let before = shopper.statements;
    let Some(Value::String(query)) = case.bodies[0].get("query") else { return Err("a case without a query".into()) };
    shopper.send(query, case.bodies[0]["variables"].clone()).await?;
    Ok(shopper.statements.zip(before).map(|(after, before)| after - before))
}

fn print_head() {
    println!(
        "| case | clients | per second (min–max) | p50, ms | p99, ms | kB | statements | server's ms of the \
        processor | PostgreSQL's | goal | of the goal |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
}

/// Several loads of one case.
struct Runs {
    loads: Vec<Load>,
    /// Processor time of the server and of PostgreSQL for each request, in milliseconds.
    spent: Vec<[f64; 2]>,
}

impl Runs {
    async fn of<F: Future<Output = Result<Load>>>(
        options: &Options,
        server: &Server,
        work: impl Fn(u64) -> F,
    ) -> Result<Self> {
        work(WARM).await?;
        let (mut loads, mut spent) = (Vec::new(), Vec::new());
        for _ in 0..options.runs {
            let times = || {
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>([
                    process::spent(server.id()?)?,
                    process::spent_by_all("postgres")?,
                ])
            };
            let before = times()?;
            let load = work(options.seconds).await?;
            let after = times()?;
            spent.push([0, 1].map(|who| (after[who] - before[who]) * 1e3 / load.requests));
            loads.push(load);
        }
        Ok(Self { loads, spent })
    }

    fn rates(&self) -> Vec<f64> {
        self.loads.iter().map(|load| load.rate).collect()
    }

    fn print(&self, name: &str, clients: usize, (peer, times): (f64, f64), statements: Option<u64>) {
        let middle = |of: fn(&Load) -> f64| quantile(&self.loads.iter().map(of).collect::<Vec<_>>(), 0.5);
        let [least, rate, most] = [0.0, 0.5, 1.0].map(|share| quantile(&self.rates(), share));
        let [server, postgres] =
            [0, 1].map(|who| quantile(&self.spent.iter().map(|spent| spent[who]).collect::<Vec<_>>(), 0.5));
        let statements = statements.map(|count| count.to_string()).unwrap_or_default();
        println!(
            "| {name} | {clients} | {rate:.0} ({least:.0}–{most:.0}) | {:.2} | {:.2} | {:.1} | {statements} | \
             {server:.2} | {postgres:.2} | {times} × {peer:.1} | {:.2} |",
            middle(|load| load.p50),
            middle(|load| load.p99),
            middle(|load| load.bytes) / 1e3,
            rate / (peer * times),
        );
    }
}
