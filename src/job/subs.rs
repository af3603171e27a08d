//! Live jobs, over the same log and the same wake-ups as live orders.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Context, ID, SimpleObject, Subscription};
use domain::id::JobId;
use futures_util::Stream;
use tokio::time::timeout;

use super::types::AdminJob;
use crate::api::call::call;
use crate::api::guard::admin;
use crate::api::payload::top_level;
use crate::api::scalar::{Int64, parse_id};
use engine::actor::{Actor, Need};
use engine::app::App;
use engine::auth::in_force;
use engine::error::{Error, Result};
use engine::event as log;
use engine::job::{aggregate, repo};

/// How long a subscriber sleeps at most before it looks by itself, and before
/// its right to see the job is checked again.
const LOOK: Duration = Duration::from_secs(15);

/// A message about a job.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminJobProgress {
    /// Rises with everything that happens to the job; what was not told singly is in the next message.
    pub sequence: Int64,
    /// The job as it is now: what is done, its pace, what is left, the first errors.
    pub job: AdminJob,
}

/// Live jobs of the admin surface.
#[derive(Debug, Default)]
pub struct JobAdminSubscription;

#[Subscription]
impl JobAdminSubscription {
    /// A job as it goes on: its present state first, then what changed, at most twice a second. It ends when the job
    /// does.
    #[graphql(guard = "admin()")]
    async fn job_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The job's id.")] job_id: ID,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<AdminJobProgress>>> {
        let call = call(ctx)?;
        let (app, actor) = (call.app.clone(), call.caller.actor.clone());
        let watcher = async {
            let id: JobId = parse_id(&job_id, &["jobId"]).map_err(|_| Error::not_found("job"))?;
            Watcher::open(app, actor, id).await
        };
        let watcher = watcher.await.map_err(top_level)?;
        Ok(futures_util::stream::unfold(watcher, |mut watcher| async move {
            if watcher.ended {
                return None;
            }
            let message = watcher.next().await.map_err(top_level);
            watcher.ended |= message.is_err();
            Some((message, watcher))
        }))
    }
}

/// One subscriber of one job.
struct Watcher {
    app: Arc<App>,
    actor: Actor,
    job: JobId,
    wakes: tokio::sync::watch::Receiver<u64>,
    /// The last sequence that was told; none before the first message.
    last: Option<i64>,
    ended: bool,
}

impl Watcher {
    async fn open(app: Arc<App>, actor: Actor, job: JobId) -> Result<Self> {
        // Watch first, read then: what happens between the two wakes us.
        let wakes = app.bus.watch(job.into());
        let watcher = Self { app, actor, job, wakes, last: None, ended: false };
        watcher.seen().await?;
        Ok(watcher)
    }

    async fn seen(&self) -> Result<entity::job::Model> {
        let row = repo::find(&self.app.read(), self.job).await?.ok_or_else(|| Error::not_found("job"))?;
        // What is not there and what one may not see get the same answer.
        self.actor.check(Need::Permission(row.kind.reads())).map_err(|_| Error::not_found("job"))?;
        Ok(row)
    }

    async fn next(&mut self) -> Result<AdminJobProgress> {
        loop {
            self.wakes.mark_unchanged();
            match self.look().await {
                Ok(Some(message)) => return Ok(message),
                Ok(None) => {
                    let _ = timeout(LOOK, self.wakes.changed()).await;
                }
                Err(Error::Database(error)) => {
                    tracing::warn!(%error, "a feed waits for the database");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn look(&mut self) -> Result<Option<AdminJobProgress>> {
        let conn = self.app.read();
        if !in_force(&conn, &self.actor, self.app.clock.now()).await.unwrap_or(true) {
            return Err(Error::Unauthenticated);
        }
        // The sequence comes before the job: the job may be newer than it, never older.
        let sequence = log::last_sequence(&conn, aggregate(self.job)).await?;
        if self.last.is_some_and(|last| last >= sequence) {
            return Ok(None);
        }
        let row = self.seen().await?;
        self.last = Some(sequence);
        self.ended = row.state.has_ended();
        Ok(Some(AdminJobProgress { sequence: Int64(sequence), job: row.into() }))
    }
}
