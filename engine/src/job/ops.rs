//! What somebody starts, calls off and tries again, and what a runner notes.

use domain::id::JobId;
use domain::import::RowRefusal;
use domain::job::{JobKind, JobState, JobStep, MAX_ERRORS, MAX_OPEN};
use domain::refusal::{ErrorCode, Refusal};
use entity::job;
use serde_json::json;

use super::{KEPT, LEASE, Lease, TELL, aggregate, repo};
use crate::actor::{Actor, Need};
use crate::error::{Error, Result};
use crate::op::{Op, Tx};

/// A new job.
#[derive(Debug, Clone)]
pub struct CreateJob {
    /// What it does.
    pub kind: JobKind,
    /// With what.
    pub input: serde_json::Value,
    /// Equal for jobs that do the same with the same.
    pub fingerprint: String,
    /// The file that it reads, when the shop stores it.
    pub file_hash: Option<String>,
    /// Whether it only tells what it would do.
    pub dry_run: bool,
    /// The process that works on it from the start; it waits for one when absent.
    pub owner: Option<String>,
}

impl CreateJob {
    fn row(&self, tx: &Tx) -> job::Model {
        let now = tx.now();
        let held = self.owner.is_some();
        job::Model {
            id: tx.id(),
            version: 1,
            created_at: now,
            updated_at: now,
            kind: self.kind,
            state: if held { JobState::Running } else { JobState::Queued },
            step: JobStep::Check,
            actor: tx.actor().to_string(),
            fingerprint: self.fingerprint.clone(),
            input: self.input.clone(),
            file_hash: self.file_hash.clone(),
            dry_run: self.dry_run,
            done: 0,
            total: None,
            created: 0,
            changed: 0,
            unchanged: 0,
            refused: 0,
            errors: json!([]),
            error_count: 0,
            failure: None,
            cancel_requested: false,
            attempts: i32::from(held),
            run_at: now,
            lease_owner: self.owner.clone(),
            lease_until: held.then(|| now + LEASE),
            paced_at: None,
            paced_from: 0,
            told_at: None,
            started_at: held.then_some(now),
            finished_at: None,
        }
    }
}

impl Op for CreateJob {
    const NAME: &'static str = "job.create";
    // What is needed depends on the kind: the op asks for it.
    const NEEDS: Need = Need::Admin;
    type Out = job::Model;

    async fn run(&self, tx: &mut Tx) -> Result<job::Model> {
        tx.actor().check(Need::Everywhere(self.kind.writes()))?;
        let actor = tx.actor().to_string();
        if *tx.actor() != Actor::System && repo::count_open(tx, &actor).await? >= MAX_OPEN {
            let message = format!("You have {MAX_OPEN} jobs that have not ended.");
            return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_OPEN as i64).into());
        }
        let row = self.row(tx);
        let row = repo::insert(tx, row).await?;
        tx.emit(aggregate(row.id), "job.created", json!({ "kind": row.kind }));
        tx.audit(row.id, None, Some(json!({ "kind": row.kind, "dryRun": row.dry_run })));
        Ok(row)
    }
}

/// What came of looking for a job.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// There is none.
    None,
    /// Somebody else works on it.
    Busy(Box<job::Model>),
    /// It is the caller's from now on.
    Held(Box<job::Model>),
}

/// Takes a job up that nobody works on.
#[derive(Debug, Clone)]
pub struct TakeJob {
    /// The process.
    pub owner: String,
    /// The one with this fingerprint; whichever is due when absent.
    pub fingerprint: Option<String>,
}

impl Op for TakeJob {
    const NAME: &'static str = "job.take";
    const NEEDS: Need = Need::System;
    type Out = Taken;

    async fn run(&self, tx: &mut Tx) -> Result<Taken> {
        let found = match &self.fingerprint {
            Some(fingerprint) => repo::lock_open(tx, fingerprint).await?,
            None => repo::lock_due(tx).await?,
        };
        let Some(mut row) = found else { return Ok(Taken::None) };
        if row.state == JobState::Running && row.lease_until.is_some_and(|until| until > tx.now()) {
            return Ok(Taken::Busy(Box::new(row)));
        }
        let now = tx.now();
        row.state = JobState::Running;
        row.attempts += 1;
        row.lease_owner = Some(self.owner.clone());
        row.lease_until = Some(now + LEASE);
        row.started_at = row.started_at.or(Some(now));
        row.paced_at = None;
        let row = change(tx, row).await?;
        tx.emit(aggregate(row.id), "job.started", json!({ "attempt": row.attempts }));
        Ok(Taken::Held(Box::new(row)))
    }
}

async fn change(tx: &mut Tx, mut row: job::Model) -> Result<job::Model> {
    row.version += 1;
    row.updated_at = tx.now();
    repo::update(tx, row).await
}

/// The job of a lease that still holds, locked until the transaction ends.
pub async fn held(tx: &Tx, lease: &Lease) -> Result<job::Model> {
    let row = repo::lock(tx, lease.job).await?.ok_or_else(|| Error::not_found("job"))?;
    if row.state != JobState::Running || row.lease_owner.as_deref() != Some(lease.owner.as_str()) {
        return Err(Error::internal("another process has taken this job up"));
    }
    Ok(row)
}

/// What some entries of a job came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// How many entries are done now.
    pub done: i64,
    /// How many of them made something.
    pub created: i64,
    /// How many changed something.
    pub changed: i64,
    /// How many found everything as it was to be.
    pub unchanged: i64,
    /// How many were refused.
    pub refused: i64,
    /// The cells that were.
    pub errors: Vec<RowRefusal>,
}

/// Notes progress in the transaction of what was done. Whoever waits is told
/// now and then.
pub async fn advance(tx: &mut Tx, mut row: job::Model, progress: &Progress) -> Result<job::Model> {
    let now = tx.now();
    if row.paced_at.is_none() {
        row.paced_at = Some(now);
        row.paced_from = progress.done;
    }
    row.done = progress.done;
    row.created += progress.created;
    row.changed += progress.changed;
    row.unchanged += progress.unchanged;
    row.refused += progress.refused;
    remember(&mut row, &progress.errors)?;
    row.lease_until = Some(now + LEASE);
    if row.told_at.is_none_or(|told| now - told >= TELL) {
        row.told_at = Some(now);
        tx.emit(aggregate(row.id), "job.progressed", json!({ "done": row.done, "total": row.total }));
    }
    change(tx, row).await
}

fn remember(row: &mut job::Model, errors: &[RowRefusal]) -> Result<()> {
    row.error_count += errors.len() as i64;
    if let Some(known) = row.errors.as_array_mut() {
        for error in errors.iter().take(MAX_ERRORS.saturating_sub(known.len())) {
            known.push(serde_json::to_value(error).map_err(Error::internal)?);
        }
    }
    Ok(())
}

/// Says that somebody still works on a job, without anything being done.
#[derive(Debug, Clone)]
pub struct RenewLease {
    /// Who.
    pub lease: Lease,
    /// How many entries there are, once that is known.
    pub total: Option<i64>,
}

impl Op for RenewLease {
    const NAME: &'static str = "job.renew";
    const NEEDS: Need = Need::System;
    type Out = job::Model;

    async fn run(&self, tx: &mut Tx) -> Result<job::Model> {
        let mut row = held(tx, &self.lease).await?;
        row.lease_until = Some(tx.now() + LEASE);
        row.total = self.total.or(row.total);
        change(tx, row).await
    }
}

/// Says that a job was looked over and begins to do what it is to do.
#[derive(Debug, Clone)]
pub struct BeginWork {
    /// Who works on it.
    pub lease: Lease,
    /// How many entries there are.
    pub total: i64,
    /// What was refused so far.
    pub found: Progress,
}

impl Op for BeginWork {
    const NAME: &'static str = "job.begin_work";
    const NEEDS: Need = Need::System;
    type Out = job::Model;

    async fn run(&self, tx: &mut Tx) -> Result<job::Model> {
        let mut row = held(tx, &self.lease).await?;
        row.step = JobStep::Work;
        row.total = Some(self.total);
        row.told_at = None;
        advance(tx, row, &self.found).await
    }
}

/// Notes progress of what wrote nothing.
#[derive(Debug, Clone)]
pub struct NoteProgress {
    /// Who works on it.
    pub lease: Lease,
    /// What came of it.
    pub progress: Progress,
}

impl Op for NoteProgress {
    const NAME: &'static str = "job.note";
    const NEEDS: Need = Need::System;
    type Out = job::Model;

    async fn run(&self, tx: &mut Tx) -> Result<job::Model> {
        let row = held(tx, &self.lease).await?;
        advance(tx, row, &self.progress).await
    }
}

/// Ends a job, or lays it down to be tried again.
#[derive(Debug, Clone)]
pub struct EndJob {
    /// Who works on it.
    pub lease: Lease,
    /// How it ends; queued again when it shall be tried again.
    pub state: JobState,
    /// Why it failed.
    pub failure: Option<String>,
    /// What was refused besides.
    pub found: Progress,
}

impl Op for EndJob {
    const NAME: &'static str = "job.end";
    const NEEDS: Need = Need::System;
    type Out = job::Model;

    async fn run(&self, tx: &mut Tx) -> Result<job::Model> {
        let mut row = held(tx, &self.lease).await?;
        let now = tx.now();
        row.state = self.state;
        row.failure.clone_from(&self.failure);
        row.refused += self.found.refused;
        remember(&mut row, &self.found.errors)?;
        row.lease_owner = None;
        row.lease_until = None;
        row.cancel_requested &= !self.state.has_ended();
        if self.state.has_ended() {
            row.finished_at = Some(now);
            let payload = json!({ "state": row.state, "done": row.done });
            tx.emit(aggregate(row.id), "job.finished", payload);
        } else {
            row.run_at = crate::flow::back_off(now, row.attempts);
            tx.emit(aggregate(row.id), "job.postponed", json!({ "attempt": row.attempts }));
        }
        change(tx, row).await
    }
}

/// The job that somebody wants to change, if he may.
async fn changeable(tx: &Tx, id: JobId) -> Result<job::Model> {
    let row = repo::lock(tx, id).await?.ok_or_else(|| Error::not_found("job"))?;
    tx.actor().check(Need::Everywhere(row.kind.writes()))?;
    Ok(row)
}

/// Calls a job off. What is done stays.
#[derive(Debug, Clone)]
pub struct CancelJob {
    /// Which one.
    pub id: JobId,
}

impl Op for CancelJob {
    const NAME: &'static str = "job.cancel";
    // What is needed depends on the kind: the op asks for it.
    const NEEDS: Need = Need::Admin;
    type Out = job::Model;

    async fn run(&self, tx: &mut Tx) -> Result<job::Model> {
        let mut row = changeable(tx, self.id).await?;
        if row.cancel_requested || row.state == JobState::Canceled {
            return Ok(row);
        }
        if row.state.has_ended() {
            let message = "The job has ended already.";
            return Err(Refusal::new(ErrorCode::StateInvalid, message).at(["id"]).about(row.id).into());
        }
        if row.state == JobState::Queued {
            row.state = JobState::Canceled;
            row.finished_at = Some(tx.now());
            tx.emit(aggregate(row.id), "job.finished", json!({ "state": row.state, "done": row.done }));
        } else {
            row.cancel_requested = true;
            tx.emit(aggregate(row.id), "job.cancel_requested", json!({}));
        }
        let row = change(tx, row).await?;
        tx.audit(row.id, None, Some(json!({ "state": row.state, "cancelRequested": row.cancel_requested })));
        Ok(row)
    }
}

/// Tries a job again that failed or was called off: it goes on where it stood.
#[derive(Debug, Clone)]
pub struct RetryJob {
    /// Which one.
    pub id: JobId,
}

impl Op for RetryJob {
    const NAME: &'static str = "job.retry";
    // What is needed depends on the kind: the op asks for it.
    const NEEDS: Need = Need::Admin;
    type Out = job::Model;

    async fn run(&self, tx: &mut Tx) -> Result<job::Model> {
        let mut row = changeable(tx, self.id).await?;
        if !row.state.can_be_tried_again() {
            let message = "Only a job that failed or was called off can be tried again.";
            return Err(Refusal::new(ErrorCode::StateInvalid, message).at(["id"]).about(row.id).into());
        }
        if row.step == JobStep::Check {
            // It is looked over again from the start.
            (row.refused, row.error_count, row.errors) = (0, 0, json!([]));
        }
        let before = row.state;
        row.state = JobState::Queued;
        (row.failure, row.finished_at, row.cancel_requested) = (None, None, false);
        row.attempts = 0;
        row.run_at = tx.now();
        // From now on it runs for whoever wants it again.
        row.actor = tx.actor().to_string();
        let row = change(tx, row).await?;
        tx.emit(aggregate(row.id), "job.retried", json!({ "done": row.done }));
        tx.audit(row.id, Some(json!({ "state": before })), Some(json!({ "state": row.state })));
        Ok(row)
    }
}

/// Forgets jobs that ended long ago.
#[derive(Debug, Clone)]
pub struct ForgetJobs;

impl Op for ForgetJobs {
    const NAME: &'static str = "job.forget";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let before = tx.now() - KEPT;
        repo::delete_ended(tx, before).await
    }
}
