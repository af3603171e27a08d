//! Works on jobs: takes one that is due, does it, ends it.

use std::sync::Arc;
use std::time::Duration;

use domain::id::{ApiKeyId, StaffId};
use domain::job::{JobKind, JobState, MAX_ATTEMPTS};
use entity::job;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::ops::{EndJob, ForgetJobs, Progress, TakeJob, Taken};
use super::{KEPT, Lease, repo};
use crate::actor::{Actor, Caller};
use crate::app::App;
use crate::auth;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::panic::caught;

/// How often it looks when nothing is committed here.
const EVERY: Duration = Duration::from_millis(500);
/// How long it rests after every look: what is committed all the time wakes it no oftener.
const REST: Duration = Duration::from_millis(100);
/// How often old jobs are looked for, in looks.
const FORGET_EVERY: u32 = 2_000;

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// It did what it was to do.
    Done,
    /// It was called off.
    Canceled,
    /// It was refused as a whole, with what was found.
    Refused(String, Progress),
    /// The process is stopping: another one goes on.
    Stopped,
}

/// What a job knows while it is done.
pub struct Run<'r> {
    /// The shop.
    pub app: Arc<App>,
    /// In whose name.
    pub caller: Caller,
    /// The job as it was taken up.
    pub job: job::Model,
    /// Who works on it.
    pub lease: Lease,
    /// Says that the process is stopping.
    pub stop: CancellationToken,
    /// Told after every step.
    pub watch: &'r (dyn Fn(&job::Model) + Send + Sync),
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("job", &self.job.id).field("lease", &self.lease).finish_non_exhaustive()
    }
}

/// Works on jobs until `stop`.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let owner = owner(&app);
    let mut looks: u32 = 0;
    let mut commits = app.bus.watch_commits();
    while !stop.is_cancelled() {
        commits.mark_unchanged();
        if looks.is_multiple_of(FORGET_EVERY)
            && let Err(error) = forget(&app).await
        {
            tracing::warn!(%error, "old jobs stay a while longer");
        }
        looks = looks.wrapping_add(1);
        match next(&app, &owner, &stop).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "jobs wait for the database"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = async { sleep(REST).await; let _ = timeout(EVERY, commits.changed()).await; } => {}
        }
    }
}

/// A name for this process that no other one has.
pub fn owner(app: &App) -> String {
    format!("{}-{}", std::process::id(), app.ids.next(app.clock.now()).simple())
}

async fn forget(app: &Arc<App>) -> Result<()> {
    if repo::any_ended(&app.read(), app.clock.now() - KEPT).await? {
        app.run(&Caller::system(), &ForgetJobs).await?;
    }
    Ok(())
}

/// Takes one job that is due and works on it until it ends; `false` when there is none.
pub async fn next(app: &Arc<App>, owner: &str, stop: &CancellationToken) -> Result<bool> {
    if !repo::any_due(&app.read(), app.clock.now()).await? {
        return Ok(false);
    }
    let take = TakeJob { owner: owner.to_owned(), fingerprint: None };
    let Taken::Held(job) = app.run(&Caller::system(), &take).await? else { return Ok(false) };
    let row = work(app, *job, stop, &|_| {}).await?;
    tracing::info!(job = %row.id, kind = %row.kind, state = %row.state, done = row.done, "a job was worked on");
    Ok(true)
}

/// Works on a job that the caller holds until it ends; answers with what became of it.
pub async fn work(
    app: &Arc<App>,
    job: job::Model,
    stop: &CancellationToken,
    watch: &(dyn Fn(&job::Model) + Send + Sync),
) -> Result<job::Model> {
    let owner = job.lease_owner.clone().unwrap_or_default();
    let lease = Lease { job: job.id, owner };
    let attempts = job.attempts;
    tracing::debug!(job = %job.id, kind = %job.kind, attempts, "a job begins");
    let outcome = match starter(app, &job).await {
        Ok(actor) => {
            let caller = Caller::new(actor);
            let (app, stop) = (app.clone(), stop.clone());
            let run = Run { app, caller, job, lease: lease.clone(), stop, watch };
            let worked = async {
                failpoint::reach("job.begun");
                match run.job.kind {
                    JobKind::ProductImport => crate::catalog::import::work(&run).await,
                    JobKind::PriceImport => crate::pricing::import::work(&run).await,
                    JobKind::CodeBatch => crate::promotion::batch::work(&run).await,
                    JobKind::CodeImport => crate::promotion::import::work(&run).await,
                }
            };
            caught(worked).await.unwrap_or_else(|panicked| Err(panicked.into()))
        }
        Err(error) => Err(error),
    };
    let (state, failure, found) = match outcome {
        Ok(End::Done) => (JobState::Succeeded, None, Progress::default()),
        Ok(End::Canceled) => (JobState::Canceled, None, Progress::default()),
        Ok(End::Refused(why, found)) => (JobState::Failed, Some(why), found),
        Ok(End::Stopped) => (JobState::Queued, None, Progress::default()),
        Err(Error::Refused(refusals)) => {
            let why = refusals.iter().map(|refusal| refusal.message.as_str()).collect::<Vec<_>>().join(" ");
            (JobState::Failed, Some(why), Progress::default())
        }
        Err(Error::Unauthenticated | Error::Forbidden) => {
            let why = "Whoever started the job may not do this any more.".to_owned();
            (JobState::Failed, Some(why), Progress::default())
        }
        Err(error) => {
            tracing::error!(job = %lease.job, %error, "a job was interrupted");
            let why = "Something went wrong on our side.".to_owned();
            let again = attempts < MAX_ATTEMPTS;
            (if again { JobState::Queued } else { JobState::Failed }, Some(why), Progress::default())
        }
    };
    // The internal words of a failure stay in the log.
    let end = EndJob { lease, state, failure, found };
    let row = app.run(&Caller::system(), &end).await?;
    tracing::debug!(job = %row.id, state = %row.state, done = row.done, "a job ends");
    watch(&row);
    Ok(row)
}

/// Who started a job, with what he may do now.
async fn starter(app: &App, job: &job::Model) -> Result<Actor> {
    let conn = app.read();
    let actor = if job.actor == Actor::System.to_string() {
        Some(Actor::System)
    } else if let Ok(id) = job.actor.parse::<StaffId>() {
        auth::repo::find_staff_actor(&conn, id).await?
    } else if let Ok(id) = job.actor.parse::<ApiKeyId>() {
        auth::repo::find_api_key_by_id(&conn, id).await?
    } else {
        None
    };
    actor.ok_or(Error::Forbidden)
}
