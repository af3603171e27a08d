//! `emporion serve`.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;

use super::ending::{stop_signals, wind_up};
use super::metrics::{self, MetricsPage};
use super::{Place, setup};
use crate::http;
use crate::http::gate::{Edge, Gate};
use engine::app::App;
use engine::db::DatabaseUrl;
use engine::error::{Error, Result};
use engine::{background, seed};

/// Serves the shop.
#[derive(Debug, Args)]
pub struct Serve {
    /// The address to listen on; loopback unless told otherwise.
    #[arg(long, env = "EMPORION_LISTEN", default_value = "127.0.0.1:4000", value_name = "ADDR")]
    listen: SocketAddr,
    /// Fill an empty shop with the demo products.
    #[arg(long)]
    demo: bool,
    /// Leave the shop's own work to `emporion worker`: without one, events get no position, and what a crash left
    /// behind stays there.
    #[arg(long)]
    no_worker: bool,
    /// How long to go on taking requests when told to stop, in seconds: as long as whatever stands before the server
    /// takes to notice that it is not ready any more.
    #[arg(long, env = "EMPORION_SHUTDOWN_GRACE", value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=30))]
    shutdown_grace: u64,
    #[command(flatten)]
    metrics: MetricsPage,
    #[command(flatten)]
    edge: Edge,
    #[command(flatten)]
    place: Place,
}

impl Serve {
    /// Sets the shop up as far as needed and serves until told to stop.
    pub async fn run(mut self) -> Result<()> {
        let (mail, stripe) = (self.place.mail()?, self.place.stripe()?);
        let (providers, rate_providers) = (self.place.identity_providers()?, self.place.rate_providers()?);
        self.edge.trusting.load(&self.edge.documents.limits()).await.map_err(Error::internal)?;
        let url = self.place.prepare()?;
        let _only_one = only_server(&url)?;
        // An address that is taken is told before anything is made, above all
        // before a password is shown that nobody would see again.
        let listener = metrics::bind(self.listen)?;
        let shown = self.metrics.bind()?;
        let builder = App::builder(&url).await?.redis(self.place.redis_url.clone()).files(self.place.files());
        let builder = builder
            .mail(mail)
            .secret(self.place.secret.clone())
            .identity_providers(providers)
            .rate_providers(rate_providers)
            .stripe(stripe)
            .test_cards(!self.edge.production);
        let setting_up = builder.db().lock_setup().await?;
        migration::up(builder.db().admin()).await?;
        let app = builder.open().await?;
        setup::furnish(&app).await?;
        let owner = setup::first_owner(&app).await?;
        if self.demo {
            seed::demo(&app).await?;
        }
        drop(setting_up);
        let address = listener.local_addr().map_err(Error::internal)?;
        println!("Emporion serves the shop in {url}");
        println!("  store   http://{address}/store/graphql");
        println!("  admin   http://{address}/admin/graphql");
        if self.edge.shows_graphiql() {
            println!("  browse  http://{address}/graphiql");
        }
        if let Some((email, secret)) = owner {
            println!("  owner   {email}");
            println!("          password {secret} (shown this once; staffPasswordChange changes it)");
        }
        let (leaving, stop) = stop_signals(self.shutdown_grace);
        let gate = Gate::with_notice(self.edge, leaving, stop);
        metrics::show(shown, &app, &gate)?;
        serve_with(app, listener, gate, !self.no_worker).await
    }
}

/// One process serves an embedded database; the lock ends with the process.
fn only_server(url: &DatabaseUrl) -> Result<Option<std::fs::File>> {
    let DatabaseUrl::Sqlite(path) = url else { return Ok(None) };
    let lock = lock_of(path, "server")?;
    lock.map(Some).ok_or_else(|| {
        Error::internal(format!(
            "another process serves the shop in {url}; several processes need PostgreSQL (--database-url)"
        ))
    })
}

/// The lock of an office of an embedded database, `server` or `relay`, unless another process holds it.
fn lock_of(path: &Path, office: &str) -> Result<Option<std::fs::File>> {
    let lock = std::fs::File::create(path.with_extension(office))
        .map_err(|error| Error::internal(format!("{} can't be opened: {error}", path.display())))?;
    Ok(lock.try_lock().is_ok().then_some(lock))
}

/// Serves and works until the gate is told to stop, then lets running
/// requests end.
pub async fn serve(app: Arc<App>, listener: TcpListener, gate: Arc<Gate>) -> Result<()> {
    serve_with(app, listener, gate, true).await
}

/// The same; without `works` the shop's own work is left to a worker.
async fn serve_with(app: Arc<App>, listener: TcpListener, gate: Arc<Gate>, works: bool) -> Result<()> {
    let stop = gate.stop.clone();
    let mut tasks = background::follow(&app, &stop);
    if works {
        tasks.extend(background::work(&app, &stop));
    }
    let router = http::router(app.clone(), gate.clone());
    tokio::join!(http::listen::serve(listener, router, &stop), async {
        stop.cancelled().await;
        gate.emptied().await;
    });
    wind_up(&app, tasks).await;
    Ok(())
}
