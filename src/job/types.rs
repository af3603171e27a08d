//! How jobs look.

use std::sync::Arc;

use async_graphql::{ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::import::RowRefusal;
use domain::job::{JobKind, JobState, JobStep};
use domain::refusal::ErrorCode;
use entity::job;

use crate::api::page::connection;
use crate::api::scalar::{Decimal, Int64, id};
use crate::api::word::Enum;
use engine::job::pace;

/// Work that takes longer than a request.
#[derive(Debug, Clone)]
pub struct AdminJob(Arc<job::Model>);

impl From<job::Model> for AdminJob {
    fn from(row: job::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// Why a cell of a file was refused.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminJobError {
    /// The line of the file on which its record begins, counted from 1; in a list of objects the place of the object.
    pub row: i32,
    /// The column's name as the file has it; the field's name in a list of objects.
    pub column: String,
    /// What stands there, at most 200 characters.
    pub value: String,
    /// An English sentence.
    pub message: String,
    /// What to branch on.
    pub code: Enum<ErrorCode>,
    /// The SKU of the variant that the cell is about, where its record names one.
    pub sku: Option<String>,
}

impl From<RowRefusal> for AdminJobError {
    fn from(refusal: RowRefusal) -> Self {
        let row = i32::try_from(refusal.row).unwrap_or(i32::MAX);
        let RowRefusal { column, value, reason: message, code, sku, .. } = refusal;
        Self { row, column, value, message, code: Enum(code), sku }
    }
}

/// Work that takes longer than a request: done in steps, by whichever process is free.
#[Object]
impl AdminJob {
    /// Its id.
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// What it does.
    async fn kind(&self) -> Enum<JobKind> {
        Enum(self.0.kind)
    }

    /// Where it stands.
    async fn state(&self) -> Enum<JobState> {
        Enum(self.0.state)
    }

    /// What it is doing, or was doing when it ended.
    async fn step(&self) -> Enum<JobStep> {
        Enum(self.0.step)
    }

    /// Who started it: the id of a member of staff or of an API key, or `system`.
    async fn actor_id(&self) -> &str {
        &self.0.actor
    }

    /// The name of the file that it reads, when it reads one.
    async fn filename(&self) -> Option<&str> {
        self.0.input.get("name").and_then(serde_json::Value::as_str)
    }

    /// Whether it only tells what it would do.
    async fn dry_run(&self) -> bool {
        self.0.dry_run
    }

    /// How many entries are done: products, or rows of a file of prices.
    async fn done(&self) -> Int64 {
        Int64(self.0.done)
    }

    /// How many entries there are; null until that is known.
    async fn total(&self) -> Option<Int64> {
        self.0.total.map(Int64)
    }

    /// Entries done in a second since it was taken up last; null before the first one.
    async fn rate_per_second(&self) -> Option<Decimal> {
        let milli = pace(&self.0)?.rate_milli;
        Some(Decimal(domain::money::format_decimal(milli, 3)))
    }

    /// Seconds until it ends, at its present pace; null when nobody can tell.
    async fn remaining_seconds(&self) -> Option<Int64> {
        pace(&self.0)?.remaining_seconds.filter(|_| !self.0.state.has_ended()).map(Int64)
    }

    /// How many entries made something.
    async fn created(&self) -> Int64 {
        Int64(self.0.created)
    }

    /// How many entries changed something.
    async fn updated(&self) -> Int64 {
        Int64(self.0.changed)
    }

    /// How many entries found everything as it was to be.
    async fn unchanged(&self) -> Int64 {
        Int64(self.0.unchanged)
    }

    /// How many entries were refused; nothing of them is written.
    async fn refused(&self) -> Int64 {
        Int64(self.0.refused)
    }

    /// The first refused cells, at most 100.
    async fn errors(&self) -> Vec<AdminJobError> {
        let known: Vec<RowRefusal> = serde_json::from_value(self.0.errors.clone()).unwrap_or_default();
        known.into_iter().map(AdminJobError::from).collect()
    }

    /// How many cells were refused.
    async fn error_count(&self) -> Int64 {
        Int64(self.0.error_count)
    }

    /// Why it failed as a whole, as an English sentence; null when it didn't.
    async fn failure(&self) -> Option<&str> {
        self.0.failure.as_deref()
    }

    /// Whether somebody called it off while it was running: it ends with the entries that it is at.
    async fn cancel_requested(&self) -> bool {
        self.0.cancel_requested
    }

    /// How often it was taken up since it was started or tried again.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// When somebody asked for it.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When a process took it up first; null while it waits.
    async fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at
    }

    /// When it ended; null while it goes on.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }
}

connection! {
    /// A page of jobs.
    AdminJobConnection, AdminJobEdge, AdminJob, job::Model
}
