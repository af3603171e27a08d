//! `emporion worker`: the shop's own work without its doors.

use std::net::SocketAddr;

use clap::Args;
use migration::pending;

use super::Place;
use super::ending::{stop_signals, wind_up};
use super::metrics::{self, MetricsPage};
use super::open::open_furnished;
use crate::http;
use crate::http::gate::{Edge, Gate};
use engine::background;
use engine::error::{Error, Result};

/// Does the shop's own work: stamps events, sends mail, takes up what a crash left behind. Any number of workers may run beside
/// each other and beside `emporion serve`.
#[derive(Debug, Args)]
pub struct Worker {
    /// The address of /health/live and /health/ready; nothing is listened on when absent.
    #[arg(long, env = "EMPORION_HEALTH_LISTEN", value_name = "ADDR")]
    health_listen: Option<SocketAddr>,
    #[command(flatten)]
    metrics: MetricsPage,
    #[command(flatten)]
    place: Place,
}

impl Worker {
    /// Works until told to stop.
    pub async fn run(self) -> Result<()> {
        let listener = self.health_listen.map(metrics::bind).transpose()?;
        let shown = self.metrics.bind()?;
        let app = open_furnished(&self.place).await?;
        let missing = pending(app.db.admin()).await;
        if !missing.is_empty() {
            let names = missing.join(", ");
            let told =
                format!("the tables are not up to date ({names}); run `emporion migrate up` or `emporion serve` first");
            return Err(Error::internal(told));
        }
        println!("Emporion works for the shop in {}", app.db.url());
        // What it gives back is taken up by others at once: nothing waits for its grace.
        let (leaving, stop) = stop_signals(0);
        let gate = Gate::with_notice(Edge::default(), leaving, stop.clone());
        metrics::show(shown, &app, &gate)?;
        let mut tasks = background::follow(&app, &stop);
        tasks.extend(background::work(&app, &stop));
        match listener {
            Some(listener) => {
                let address = listener.local_addr().map_err(Error::internal)?;
                println!("  health  http://{address}/health/ready");
                http::listen::serve(listener, http::health(app.clone(), gate), &stop).await;
            }
            None => stop.cancelled().await,
        }
        wind_up(&app, tasks).await;
        Ok(())
    }
}
