//! Jobs on the admin surface.

use async_graphql::{Context, ID, InputObject, Object};
use domain::id::JobId;
use domain::job::{JobKind, JobState};
use domain::refusal::{ErrorCode, Refusal};

use super::types::{AdminJob, AdminJobConnection};
use crate::api::call::call;
use crate::api::guard::admin;
use crate::api::page::{ADMIN_MAX, Page, PageArgs};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::parse_id;
use crate::api::word::Enum;
use engine::actor::{Actor, Need};
use engine::job::ops::{CancelJob, RetryJob};
use engine::job::repo;

/// What jobs must be to be in the list. What you leave out is not asked.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AdminJobFilter {
    /// One of these kinds, at most 20.
    pub kind: Option<Vec<Enum<JobKind>>>,
    /// In one of these states, at most 20.
    pub state: Option<Vec<Enum<JobState>>>,
}

/// The most words that a filter names.
const MAX_WORDS: usize = 20;

/// The kinds that somebody may see.
fn readable(actor: &Actor) -> impl Iterator<Item = JobKind> + '_ {
    let kinds = JobKind::ALL.iter().copied();
    kinds.filter(|kind| actor.check(Need::Permission(kind.reads())).is_ok())
}

fn check<T>(words: &Option<Vec<T>>, name: &str) -> Result<(), Refusal> {
    if words.as_ref().is_some_and(|words| words.len() > MAX_WORDS) {
        let refusal = Refusal::new(ErrorCode::TooMany, format!("At most {MAX_WORDS} at once."));
        return Err(refusal.limit(MAX_WORDS as i64).at(["filter", name]));
    }
    Ok(())
}

/// Queries about jobs.
#[derive(Debug, Default)]
pub struct JobAdminQuery;

#[Object]
impl JobAdminQuery {
    /// The jobs that you may see, the newest first. Ended ones are remembered for 30 days.
    #[graphql(guard = "admin()")]
    #[allow(clippy::too_many_arguments)]
    async fn jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the jobs must be.")] filter: Option<AdminJobFilter>,
    ) -> async_graphql::Result<AdminJobConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let filter = filter.unwrap_or_default();
            check(&filter.kind, "kind")?;
            check(&filter.state, "state")?;
            let wanted =
                |kind: &JobKind| filter.kind.as_ref().is_none_or(|kinds| kinds.iter().any(|one| one.0 == *kind));
            let kinds: Vec<JobKind> = readable(&call.caller.actor).filter(wanted).collect();
            let states = filter.state.as_ref().map(|states| states.iter().map(|state| state.0).collect());
            let filter = repo::Filter { kinds, states };
            let args = PageArgs { first, after, last, before, offset };
            let page = Page::read(args, ADMIN_MAX, true, &("jobs", &filter))?;
            repo::page(&call.conn(), &filter, page, count).await
        };
        outcome.await.map(AdminJobConnection::from).map_err(top_level)
    }

    /// One job; null when there is none that you may see.
    #[graphql(guard = "admin()")]
    async fn job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id.")] id: ID,
    ) -> async_graphql::Result<Option<AdminJob>> {
        let Ok(id) = parse_id::<JobId>(&id, &["id"]) else { return Ok(None) };
        let call = call(ctx)?;
        let row = repo::find(&call.conn(), id).await.map_err(top_level)?;
        let seen = row.filter(|row| call.caller.actor.check(Need::Permission(row.kind.reads())).is_ok());
        Ok(seen.map(AdminJob::from))
    }
}

/// Which job is called off.
#[derive(Debug, InputObject)]
pub struct AdminJobCancelInput {
    /// Which job.
    pub id: ID,
}

/// Which job is tried again.
#[derive(Debug, InputObject)]
pub struct AdminJobRetryInput {
    /// Which job.
    pub id: ID,
}

payload! {
    /// What `jobCancel` did.
    AdminJobCancelPayload {
        /// The job as it is now.
        job: AdminJob
    }
}

payload! {
    /// What `jobRetry` did.
    AdminJobRetryPayload {
        /// The job as it is now.
        job: AdminJob
    }
}

/// Mutations of jobs.
#[derive(Debug, Default)]
pub struct JobAdminMutation;

#[Object]
impl JobAdminMutation {
    /// Calls a job off: one that waits ends at once, one that is running after the entries that it is at. What is done
    /// stays. It takes the permission that starting it takes.
    #[graphql(guard = "admin()")]
    async fn job_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: AdminJobCancelInput,
    ) -> async_graphql::Result<AdminJobCancelPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = CancelJob { id: parse_id(&input.id, &["id"])? };
            call.app.run(&call.caller, &op).await.map(AdminJob::from)
        };
        AdminJobCancelPayload::answer(outcome.await)
    }

    /// Tries a job again that failed or was called off, in your name: it goes on where it stood. It takes the
    /// permission that starting it takes.
    #[graphql(guard = "admin()")]
    async fn job_retry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: AdminJobRetryInput,
    ) -> async_graphql::Result<AdminJobRetryPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = RetryJob { id: parse_id(&input.id, &["id"])? };
            call.app.run(&call.caller, &op).await.map(AdminJob::from)
        };
        AdminJobRetryPayload::answer(outcome.await)
    }
}
