//! Work that takes longer than a request.

use domain::id::JobId;
use domain::job::{JobKind, JobState, JobStep};
use sea_orm::entity::prelude::*;

/// Work that takes longer than a request.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub kind: JobKind,
    pub state: JobState,
    pub step: JobStep,
    /// Who started it, as the audit log names him.
    pub actor: String,
    /// Equal for jobs that do the same with the same.
    pub fingerprint: String,
    pub input: Json,
    /// The file that it reads, when the shop stores it: the hash of its bytes.
    pub file_hash: Option<String>,
    pub dry_run: bool,
    /// How many entries are done: where whoever takes it up goes on.
    pub done: i64,
    /// How many entries there are, once that is known.
    pub total: Option<i64>,
    pub created: i64,
    pub changed: i64,
    pub unchanged: i64,
    pub refused: i64,
    /// The first refused cells.
    pub errors: Json,
    pub error_count: i64,
    /// Why it failed as a whole.
    pub failure: Option<String>,
    pub cancel_requested: bool,
    pub attempts: i32,
    /// Not before this moment.
    pub run_at: DateTimeUtc,
    /// The process that works on it.
    pub lease_owner: Option<String>,
    /// Until when nobody else takes it up.
    pub lease_until: Option<DateTimeUtc>,
    /// When this attempt began to do entries, and how many were done by then.
    pub paced_at: Option<DateTimeUtc>,
    pub paced_from: i64,
    /// When those who wait were told last.
    pub told_at: Option<DateTimeUtc>,
    pub started_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
