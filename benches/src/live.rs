//! Ten thousand sockets.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep, timeout};

use crate::http::Http;
use crate::server::{Place, Server};
use crate::shop::{LISTING, Order, buy};
use crate::socket::{PER_ADDRESS, Socket};
use crate::table::{Table, quantile};
use crate::{Result, Subject, block_on, process};

/// How many sockets are being opened at once.
const OPENING: usize = 128;
/// How many orders change beside the idle sockets, each watched by one of its own.
const OTHERS: usize = 20;
/// How many events are told to everybody.
const ROUNDS: usize = 6;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a run is like.
#[derive(Debug, Clone, Args)]
pub struct Options {
    #[command(flatten)]
    subject: Subject,
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

/// Measures as often as was asked for, and prints what came out.
pub fn run(options: &Options) -> Result<()> {
    raise_file_limit(options.sockets)?;
    block_on(measure(options))
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

async fn measure(options: &Options) -> Result<()> {
    let mut table = Table::default();
    for run in 1..=options.runs {
        println!("run {run} of {}", options.runs);
        LocalSet::new().run_until(measure_once(options, &mut table)).await?;
    }
    table.print();
    Ok(())
}

async fn measure_once(options: &Options, table: &mut Table) -> Result<()> {
    let mut place = Place::new(&options.subject.binary, options.database_url.as_deref())?;
    let server = place.serve(&["--demo", "--sockets-per-address", &(PER_ADDRESS + 100).to_string()]).await?;
    let mut orders = buy(&server, OTHERS + 1).await?;
    let mut staff = server.staff().await?;
    for order in &mut orders {
        order.change(&mut staff).await?;
    }
    let mut shared = orders.swap_remove(0);

    let count = options.sockets;
    let each = |before: f64, after: f64| (after - before) / count as f64;
    let before = process::at_rest(server.id()?).await?;
    table.note("the server with no socket", "MiB", None, before / 1024.0);
    let opening = Instant::now();
    let crowd = Crowd::open(&server, count, &shared).await?;
    table.note("sockets opened and acknowledged", "per second", None, count as f64 / opening.elapsed().as_secs_f64());
    let idle = process::resting(server.id()?).await?;
    table.note("an idle socket without a subscription", "KiB", Some(16.0), each(before, idle));
    crowd.watch().await?;
    let watching = process::resting(server.id()?).await?;
    table.note("an idle socket with one subscription", "KiB", None, each(before, watching));

    beside(&server, &mut orders, options, table).await?;
    let mut last = Vec::new();
    for _ in 0..ROUNDS {
        let sent = Instant::now();
        let (changed, arrived) = tokio::join!(shared.change(&mut staff), crowd.told());
        changed?;
        last.push(arrived?.duration_since(sent).as_secs_f64() * 1e3);
    }
    table.note("one event to all of them, until the last has it: median", "ms", Some(1_000.0), quantile(&last, 0.5));
    table.note("the same: slowest", "ms", Some(1_000.0), quantile(&last, 1.0));
    table.note(
        "a socket with one subscription after that",
        "KiB",
        None,
        each(before, process::resting(server.id()?).await?),
    );
    crowd.whole()
}

/// Changes other orders one after the other while the crowd is idle: how soon
/// their watchers know, and how long a storefront waits meanwhile.
async fn beside(server: &Server, orders: &mut [Order], options: &Options, table: &mut Table) -> Result<()> {
    let mut staff = server.staff().await?;
    let mut watchers = Vec::new();
    for (number, order) in orders.iter().enumerate() {
        let mut socket = Socket::open(server.address, "/store/graphql", options.sockets + number).await?;
        socket.send(&order.watch()).await?;
        timeout(PATIENCE, socket.next()).await??;
        watchers.push(socket);
    }
    let until = Instant::now() + Duration::from_secs(options.seconds);
    let mut store = server.shopper().await?;
    let changes = change(&mut staff, orders, &mut watchers, until);
    let (late, took) = tokio::join!(changes, ask(&mut store, until));
    let (late, took) = (late?, took?);
    table.note("changes of other orders beside the idle sockets", "in all", None, late.len() as f64);
    table.note("from the call that commits to the client, p50", "ms", None, quantile(&late, 0.5));
    table.note("from the call that commits to the client, p99", "ms", Some(100.0), quantile(&late, 0.99));
    table.note("a listing of 20 products meanwhile, p50", "ms", None, quantile(&took, 0.5));
    table.note("a listing of 20 products meanwhile, p95", "ms", Some(50.0), quantile(&took, 0.95));
    Ok(())
}

/// Changes orders one after the other; answers with how soon the watcher of each knew, in milliseconds.
async fn change(staff: &mut Http, orders: &mut [Order], watchers: &mut [Socket], until: Instant) -> Result<Vec<f64>> {
    let mut late = Vec::new();
    for place in (0..orders.len()).cycle() {
        if Instant::now() >= until {
            break;
        }
        let sent = Instant::now();
        let (changed, told) = tokio::join!(orders[place].change(staff), told(&mut watchers[place]));
        changed?;
        late.push((told? - sent).as_secs_f64() * 1e3);
    }
    Ok(late)
}

async fn told(watcher: &mut Socket) -> Result<Instant> {
    let text = timeout(PATIENCE, watcher.next()).await??;
    match text.contains(r#""kind":"fulfillment."#) {
        true => Ok(Instant::now()),
        false => Err(format!("another message: {text}").into()),
    }
}

/// Lists products again and again; answers with how long each answer took, in milliseconds.
async fn ask(store: &mut Http, until: Instant) -> Result<Vec<f64>> {
    let mut took = Vec::new();
    while Instant::now() < until {
        let sent = Instant::now();
        store.send(LISTING, json!({})).await?;
        took.push(sent.elapsed().as_secs_f64() * 1e3);
        sleep(Duration::from_millis(5)).await;
    }
    Ok(took)
}

/// What a phase of the crowd is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Watching,
}

/// Sockets that do the same thing at the same time.
struct Crowd {
    phase: watch::Sender<Phase>,
    count: usize,
    /// How many messages came to all of them together.
    arrived: Rc<Cell<usize>>,
    /// When the last message came.
    last: Rc<Cell<Instant>>,
    failure: Rc<RefCell<Option<String>>>,
    members: JoinSet<()>,
}

impl Crowd {
    /// Opens the sockets and waits until each is acknowledged.
    async fn open(server: &Server, count: usize, order: &Order) -> Result<Self> {
        let mut crowd = Self {
            phase: watch::Sender::new(Phase::Idle),
            count,
            arrived: Rc::default(),
            last: Rc::new(Cell::new(Instant::now())),
            failure: Rc::default(),
            members: JoinSet::new(),
        };
        let (address, opening) = (server.address, Rc::new(Semaphore::new(OPENING)));
        let message: Rc<str> = order.watch().into();
        let acknowledged = Rc::new(Cell::new(0));
        for number in 0..count {
            let acknowledged = acknowledged.clone();
            let (arrived, last, failure) = (crowd.arrived.clone(), crowd.last.clone(), crowd.failure.clone());
            let (phase, message) = (crowd.phase.subscribe(), message.clone());
            let member = Member { opening: opening.clone(), phase, message, arrived, last };
            crowd.members.spawn_local(async move {
                let Err(error) = member.live(address, number, &acknowledged).await;
                failure.replace(Some(format!("socket {number}: {error}")));
            });
        }
        crowd.until(|| acknowledged.get() == count).await?;
        Ok(crowd)
    }

    /// Every socket begins to watch the order, and has been told its present state.
    async fn watch(&self) -> Result<()> {
        self.arrived.set(0);
        self.phase.send_replace(Phase::Watching);
        self.until(|| self.arrived.get() == self.count).await
    }

    /// One event has come to all of them; answers with when the last one had it.
    async fn told(&self) -> Result<Instant> {
        self.arrived.set(0);
        self.until(|| self.arrived.get() == self.count).await?;
        Ok(self.last.get())
    }

    /// Whether no socket was lost on the way.
    fn whole(&self) -> Result<()> {
        match self.failure.take() {
            Some(failure) => Err(failure.into()),
            None => Ok(()),
        }
    }

    async fn until(&self, reached: impl Fn() -> bool) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !reached() {
            self.whole()?;
            if Instant::now() > deadline {
                return Err(format!("only {} messages came", self.arrived.get()).into());
            }
            sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }
}

/// One of the crowd.
struct Member {
    /// So many may begin something at once.
    opening: Rc<Semaphore>,
    phase: watch::Receiver<Phase>,
    message: Rc<str>,
    arrived: Rc<Cell<usize>>,
    last: Rc<Cell<Instant>>,
}

impl Member {
    /// Opens a socket, and takes what comes until something goes wrong.
    async fn live(mut self, address: SocketAddr, number: usize, acknowledged: &Cell<usize>) -> Result<Infallible> {
        let turn = self.opening.acquire().await?;
        let mut socket = Socket::open(address, "/store/graphql", number).await?;
        drop(turn);
        acknowledged.set(acknowledged.get() + 1);
        loop {
            tokio::select! {
                changed = self.phase.changed() => {
                    changed?;
                    let _turn = self.opening.acquire().await?;
                    socket.send(&self.message).await?;
                    // The first message tells the present.
                    socket.next().await?;
                }
                text = socket.next() => {
                    text?;
                    self.last.set(Instant::now());
                }
            }
            self.arrived.set(self.arrived.get() + 1);
        }
    }
}
