//! How the shop stands at this moment, for those who look after it.

use std::time::Duration;

use domain::job::JobState;
use domain::notification::NotificationState;

use crate::app::App;
use crate::error::Result;
use crate::{event, job, notification};

/// What waits in the shop.
#[derive(Debug, Clone)]
pub struct Vitals {
    /// The newest position of the event log.
    pub position: i64,
    /// Events without a position.
    pub unstamped: i64,
    /// The age of the oldest of them.
    pub lag: Duration,
    /// Jobs that nobody works on yet.
    pub jobs_waiting: u64,
    /// Jobs that somebody works on.
    pub jobs_running: u64,
    /// Mail that has not been sent yet.
    pub mail_waiting: i64,
    /// Mail that needs somebody: refused, or perhaps never arrived.
    pub mail_failed: i64,
}

impl Vitals {
    /// Reads them, each along an index.
    pub async fn read(app: &App) -> Result<Self> {
        let conn = app.read();
        let (unstamped, oldest) = event::unstamped(&conn).await?;
        let age = oldest.and_then(|oldest| (app.clock.now() - oldest).to_std().ok());
        Ok(Self {
            position: event::last_position(&conn).await?,
            unstamped,
            lag: age.unwrap_or_default(),
            jobs_waiting: job::repo::count_in(&conn, JobState::Queued).await?,
            jobs_running: job::repo::count_in(&conn, JobState::Running).await?,
            mail_waiting: notification::repo::count_in(&conn, &[NotificationState::Pending]).await?,
            mail_failed: notification::repo::count_in(&conn, &[NotificationState::Failed, NotificationState::Unknown])
                .await?,
        })
    }
}
