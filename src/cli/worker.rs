//! `emporion worker`: the shop's own work without its doors.

use std::net::SocketAddr;

use clap::Args;
use migration::pending;
use tokio::net::TcpListener;

use super::Place;
use super::open::open_furnished;
use super::serve::stop_signal;
use crate::http;
use engine::background;
use engine::error::{Error, Result};

/// Does the shop's own work: stamps events, takes up what a crash left behind. Any number of workers may run beside
/// each other and beside `emporion serve`.
#[derive(Debug, Args)]
pub struct Worker {
    /// The address of /health/live and /health/ready; nothing is listened on when absent.
    #[arg(long, env = "EMPORION_HEALTH_LISTEN", value_name = "ADDR")]
    health_listen: Option<SocketAddr>,
    #[command(flatten)]
    place: Place,
}

impl Worker {
    /// Works until told to stop.
    pub async fn run(self) -> Result<()> {
        let listener = match self.health_listen {
            Some(address) => {
                let listener = TcpListener::bind(address).await;
                Some(listener.map_err(|error| Error::internal(format!("{address} can't be listened on: {error}")))?)
            }
            None => None,
        };
        let app = open_furnished(&self.place).await?;
        let missing = pending(app.db.admin()).await;
        if !missing.is_empty() {
            let names = missing.join(", ");
            let told =
                format!("the tables are not up to date ({names}); run `emporion migrate up` or `emporion serve` first");
            return Err(Error::internal(told));
        }
        println!("Emporion works for the shop in {}", app.db.url());
        let stop = stop_signal();
        let mut tasks = background::follow(&app, &stop);
        tasks.extend(background::work(&app, &stop));
        match listener {
            Some(listener) => {
                let address = listener.local_addr().map_err(Error::internal)?;
                println!("  health  http://{address}/health/ready");
                let stopped = stop.clone();
                axum::serve(listener, http::health(app.clone()))
                    .with_graceful_shutdown(async move { stopped.cancelled().await })
                    .await
                    .map_err(Error::internal)?;
            }
            None => stop.cancelled().await,
        }
        stop.cancel();
        for task in tasks {
            let _ = task.await;
        }
        app.db.close().await;
        Ok(())
    }
}
