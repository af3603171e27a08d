//! Live jobs, over the same log and the same wake-ups as live orders.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Context, ID, SimpleObject, Subscription};
use domain::id::JobId;
use futures_util::Stream;
use tokio::time::{Instant, timeout};

use super::types::AdminJob;
use crate::api::call::call;
use crate::api::feed::until_it_ends;
use crate::api::guard::admin;
use crate::api::payload::top_level;
use crate::api::scalar::{Int64, parse_id};
use crate::api::shown::Shown;
use engine::actor::{Actor, Need};
use engine::app::App;
use engine::auth::standing::Standing;
use engine::bus::Wakes;
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
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<Shown<AdminJobProgress>>>> {
        let call = call(ctx)?;
        let (app, actor) = (call.app.clone(), call.caller.actor.clone());
        let watcher = async {
            let id: JobId = parse_id(&job_id, &["jobId"]).map_err(|_| Error::not_found("job"))?;
            Watcher::open(app, actor, id).await
        };
        let watcher = watcher.await.map_err(top_level)?;
        Ok(until_it_ends(watcher, |watcher| Box::pin(async { Ok(watcher.next().await?.map(Shown::alone)) })))
    }
}

/// One subscriber of one job.
struct Watcher {
    app: Arc<App>,
    who: Standing,
    job: JobId,
    wakes: Wakes,
    /// The last sequence that was told; none before the first message.
    last: Option<i64>,
    ended: bool,
}

impl Watcher {
    async fn open(app: Arc<App>, actor: Actor, job: JobId) -> Result<Self> {
        // Watch first, read then: what happens between the two wakes us.
        let wakes = app.bus.watch(job.into());
        let watcher = Self { who: Standing::of(app.clone(), actor), app, job, wakes, last: None, ended: false };
        watcher.seen().await?;
        Ok(watcher)
    }

    async fn seen(&self) -> Result<entity::job::Model> {
        let row = repo::find(&self.app.read(), self.job).await?.ok_or_else(|| Error::not_found("job"))?;
        // What is not there and what one may not see get the same answer.
        self.who.actor().check(Need::Permission(row.kind.reads())).map_err(|_| Error::not_found("job"))?;
        Ok(row)
    }

    async fn next(&mut self) -> Result<Option<AdminJobProgress>> {
        while !self.ended {
            self.wakes.see();
            match self.look().await {
                Ok(Some(message)) => return Ok(Some(message)),
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
        Ok(None)
    }

    async fn look(&mut self) -> Result<Option<AdminJobProgress>> {
        let conn = self.app.read();
        if !self.who.is_unchanged(Instant::now()).await {
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
