//! Where a process shows its metrics.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use engine::app::App;
use engine::error::{Error, Result};
use tokio::net::TcpListener;

use crate::http;
use crate::http::gate::Gate;

/// The address of the metrics.
#[derive(Debug, Args)]
pub struct MetricsPage {
    /// The address of /metrics, for Prometheus; nothing is listened on when absent. Whoever reaches it may read it.
    #[arg(long, env = "EMPORION_METRICS_LISTEN", value_name = "ADDR")]
    metrics_listen: Option<SocketAddr>,
}

impl MetricsPage {
    /// Takes the address.
    pub fn bind(&self) -> Result<Option<TcpListener>> {
        self.metrics_listen.map(bind).transpose()
    }
}

/// Listens on an address.
pub fn bind(address: SocketAddr) -> Result<TcpListener> {
    let told = |error| Error::internal(format!("{address} can't be listened on: {error}"));
    http::listen::bind(address).map_err(told)
}

/// Shows the metrics for as long as the process runs.
pub fn show(listener: Option<TcpListener>, app: &Arc<App>, gate: &Arc<Gate>) -> Result<()> {
    let Some(listener) = listener else { return Ok(()) };
    let address = listener.local_addr().map_err(Error::internal)?;
    println!("  metrics http://{address}/metrics");
    let (router, stop) = (http::metrics::routes(app.clone(), gate.clone()), gate.stop.clone());
    tokio::spawn(async move { http::listen::serve(listener, router, &stop).await });
    Ok(())
}
