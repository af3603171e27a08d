//! Whether PostgreSQL is there at all.
//!
//! A request that meets a server which is down, or silent, would wait for a
//! connection or an answer as long as the pool lets it. One connection asks
//! the server all the time, so that requests are told at once instead, and
//! are served again the moment it is back.

use std::convert::Infallible;
use std::time::Duration;

use sea_orm::{ConnAcquireErr, DbErr};
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::open::{connect_postgres, sqlx_error};
use super::{DatabaseUrl, Db};

/// How often the server is asked.
const BEAT: Duration = Duration::from_millis(500);
/// How long it may take to answer: a busy server does so at once, since it has nothing to look up.
const PATIENCE: Duration = Duration::from_secs(5);
/// How soon a server that is away is asked again.
const AGAIN: Duration = Duration::from_millis(200);

impl Db {
    /// Asks the server for ever whether it is there; while it is not, whatever waits for it fails at once. An embedded
    /// database is always there.
    pub async fn keep_watch(&self) {
        let DatabaseUrl::Postgres(url) = &self.url else { return };
        loop {
            let Err(error) = self.beat(url).await;
            // One that has no room for this connection is there all the same.
            if !answers(&error) && !self.away.send_replace(true) {
                tracing::warn!(%error, "PostgreSQL is away; requests are refused until it answers");
            }
            sleep(AGAIN).await;
        }
    }

    async fn beat(&self, url: &str) -> Result<Infallible, DbErr> {
        let mut connection: PgConnection = connect_postgres(url).await?;
        loop {
            let answered = timeout(PATIENCE, connection.ping()).await;
            answered.map_err(|_| gone())?.map_err(sqlx_error)?;
            if self.away.send_replace(false) {
                tracing::warn!("PostgreSQL answers again");
            }
            if let Some(parked) = &self.parked {
                parked.settle();
            }
            sleep(BEAT).await;
        }
    }
}

/// Whether an error is what a server says that works.
fn answers(error: &DbErr) -> bool {
    let code = super::sql::code(error);
    code.is_some_and(|code| !code.starts_with("57P"))
}

fn gone() -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)
}

/// The outcome of some work of the database, for which nobody waits once the server is away.
pub(super) async fn unless_away<T>(
    away: &watch::Sender<bool>,
    work: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    let mut away = away.subscribe();
    tokio::select! {
        biased;
        outcome = work => outcome,
        _ = away.wait_for(|away| *away) => Err(gone()),
    }
}
