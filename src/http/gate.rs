//! What is decided about a connection before anything of it is read: where it
//! comes from, which page opened it, and how many its address has.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, header};
use clap::Args;
use engine::settings::Settings;
use engine::throttle::place;
use ipnet::IpNet;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use super::cached::{Answers, Caching};
use super::limits::Documents;
use super::metrics::Metrics;
use super::persisted::Persisted;
use super::rate::Rates;
use super::trusted::Trusting;

/// How long what was sent to a client may lie untaken before the connection is cut: on a telephone that is out of
/// reach for a moment it may take some seconds.
const UNTAKEN: Duration = Duration::from_secs(30);
/// How long the sockets may take to say goodbye when the server goes.
const GOODBYE: Duration = Duration::from_secs(5);

/// What the operator says of the world before the door.
#[derive(Debug, Clone, Args)]
pub struct Edge {
    /// Pages of these origins may ask, and open websockets, such as https://shop.example; those of the channels'
    /// storefronts and of the server's own address may anyway.
    #[arg(long, env = "EMPORION_ALLOWED_ORIGINS", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub allowed_origins: Vec<String>,
    /// The proxies before the server, whose word for the client's address is taken: addresses or networks such as
    /// 10.0.0.0/8; nobody's when absent.
    #[arg(long, env = "EMPORION_TRUSTED_PROXIES", value_name = "NETWORK", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// How many websockets one client address may have open.
    #[arg(long, env = "EMPORION_SOCKETS_PER_ADDRESS", value_name = "COUNT", default_value_t = 100)]
    pub sockets_per_address: usize,
    /// Speak the older subprotocol `graphql-ws` too.
    #[arg(long, env = "EMPORION_LEGACY_SOCKETS")]
    pub legacy_sockets: bool,
    /// The shop is open to the world: show the schema to staff alone, and suggest no names of it.
    #[arg(long, env = "EMPORION_PRODUCTION")]
    pub production: bool,
    /// Show the page /graphiql, on which operations can be tried: unless `--production` when not said.
    #[arg(long, env = "EMPORION_GRAPHIQL", value_name = "true|false")]
    pub graphiql: Option<bool>,
    /// How large documents may be.
    #[command(flatten)]
    pub documents: Documents,
    /// Which documents are trusted.
    #[command(flatten)]
    pub trusting: Trusting,
    /// How long answers are told again.
    #[command(flatten)]
    pub caching: Caching,
    /// How many documents are known by their hash alone, for clients of automatic persisted queries; 0 for none.
    #[arg(long, env = "EMPORION_PERSISTED_QUERIES", value_name = "COUNT", default_value_t = 1_000)]
    pub persisted_queries: usize,
    /// How much anybody may ask.
    #[command(flatten)]
    pub rates: Rates,
}

impl Default for Edge {
    fn default() -> Self {
        Self {
            allowed_origins: vec![],
            trusted_proxies: vec![],
            sockets_per_address: 100,
            legacy_sockets: false,
            production: false,
            graphiql: None,
            documents: Documents::default(),
            trusting: Trusting::default(),
            caching: Caching::default(),
            persisted_queries: 1_000,
            rates: Rates::default(),
        }
    }
}

impl Edge {
    /// Whether there is a page to try operations on.
    pub fn shows_graphiql(&self) -> bool {
        self.graphiql.unwrap_or(!self.production)
    }
}

fn origin(text: &str) -> Result<String, String> {
    match origin_of(text) {
        Some(origin) if origin == text.trim_end_matches('/') => Ok(origin),
        _ => Err("an origin is a scheme and a host, such as https://shop.example".to_owned()),
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let told = |_| "an address such as 10.0.0.7 or a network such as 10.0.0.0/8".to_owned();
    IpAddr::from_str(text).map(IpNet::from).or_else(|_| text.parse().map_err(told))
}

/// The origin of an address on the web; nothing for anything else.
fn origin_of(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}

/// Lets the system cut a connection whose client takes nothing of what it asked for. Whatever is sent waits for its
/// client, and a stream of events or a long answer holds its place and its memory as long.
pub fn demand_taking(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(stream, UNTAKEN.as_millis() as u32) {
        tracing::debug!(%error, "a connection can't be told to be cut");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (stream, UNTAKEN);
}

/// Stands before the sockets of one process.
#[derive(Debug)]
pub struct Gate {
    /// What the operator says.
    pub edge: Edge,
    /// Cancelled when the process goes.
    pub stop: CancellationToken,
    /// Cancelled as soon as the process is to go, while it still takes requests.
    pub leaving: CancellationToken,
    /// What the process has done.
    pub metrics: Arc<Metrics>,
    /// The documents that are known by their hash.
    pub persisted: Persisted,
    /// The answers that are told again.
    pub answers: Arc<Answers>,
    sockets: TaskTracker,
    addresses: Mutex<HashMap<IpAddr, usize>>,
    warned: AtomicBool,
}

impl Gate {
    /// A gate that nobody has passed yet.
    pub fn new(edge: Edge, stop: CancellationToken) -> Arc<Self> {
        Self::with_notice(edge, stop.child_token(), stop)
    }

    /// One that is told before the process stops taking requests.
    pub fn with_notice(edge: Edge, leaving: CancellationToken, stop: CancellationToken) -> Arc<Self> {
        let (persisted, answers) = (Persisted::new(edge.persisted_queries), Answers::new(&edge.caching));
        let (metrics, sockets, addresses) = (Arc::default(), TaskTracker::new(), Mutex::default());
        let warned = AtomicBool::new(false);
        Arc::new(Self { edge, stop, leaving, metrics, persisted, answers, sockets, addresses, warned })
    }

    /// Whether clients shall go elsewhere.
    pub fn is_leaving(&self) -> bool {
        self.leaving.is_cancelled() || self.stop.is_cancelled()
    }

    /// How many sockets and streams of events are open.
    pub fn open(&self) -> usize {
        self.sockets.len()
    }

    /// Waits until the sockets have gone, as long as is decent.
    pub async fn emptied(&self) {
        self.sockets.close();
        if timeout(GOODBYE, self.sockets.wait()).await.is_err() {
            tracing::warn!(sockets = self.sockets.len(), "sockets are cut that did not close in time");
        }
    }

    /// The client's address: the peer's, or what trusted proxies say of it.
    /// Each proxy appends the address that it sees, so the list is read from
    /// its end, and the first address that is no trusted proxy's is it.
    pub fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
        let trusted = |address: &IpAddr| self.edge.trusted_proxies.iter().any(|network| network.contains(address));
        let mut client = peer.ip().to_canonical();
        let forwarded: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        if !forwarded.is_empty() && !trusted(&client) && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "requests say for whom they come (X-Forwarded-For), and nobody trusts who sends them: all of them count \
                 as one address. If a proxy of yours is there, name it with --trusted-proxies"
            );
        }
        for hop in forwarded.iter().rev() {
            let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
            if !trusted(&client) {
                break;
            }
            client = address.to_canonical();
        }
        client
    }

    /// Whether a page of this origin may connect. What is no browser says
    /// none; a browser always does, and can't lie about it.
    pub fn lets_in(&self, headers: &HeaderMap, settings: &Settings) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        let Some(origin) = origin.to_str().ok().and_then(origin_of) else { return false };
        let own = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        own.is_some_and(|host| [format!("http://{host}"), format!("https://{host}")].contains(&origin))
            || self.edge.allowed_origins.contains(&origin)
            || settings.storefronts().any(|address| origin_of(address).as_ref() == Some(&origin))
    }

    /// Counts one more socket of this address until the pass is dropped;
    /// nothing when the address has enough.
    pub fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Pass> {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let count = addresses.entry(place(address)).or_default();
        if *count >= self.edge.sockets_per_address {
            return None;
        }
        *count += 1;
        Some(Pass { gate: self.clone(), address, _tracked: self.sockets.token() })
    }
}

/// One socket of an address.
#[derive(Debug)]
pub struct Pass {
    gate: Arc<Gate>,
    address: IpAddr,
    _tracked: tokio_util::task::task_tracker::TaskTrackerToken,
}

impl Pass {
    /// Whose it is.
    pub fn address(&self) -> IpAddr {
        self.address
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut addresses = self.gate.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let place = place(self.address);
        if let Some(count) = addresses.get_mut(&place) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&place);
            }
        }
    }
}
