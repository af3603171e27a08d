//! Rows of jobs.

use chrono::{DateTime, Utc};
use domain::id::JobId;
use domain::job::{JobKind, JobState};
use entity::job;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::db::{Conn, page_of};
use crate::error::Result;
use crate::op::Tx;
use crate::page::{Key, Page, Place, Rows};

/// A job.
pub async fn find(conn: &Conn, id: JobId) -> Result<Option<job::Model>> {
    Ok(job::Entity::find_by_id(id).one(conn).await?)
}

/// A job, locked until the transaction ends.
pub async fn lock(tx: &Tx, id: JobId) -> Result<Option<job::Model>> {
    Ok(job::Entity::find_by_id(id).lock_exclusive().one(&tx.conn).await?)
}

/// Writes a new job.
pub async fn insert(tx: &mut Tx, row: job::Model) -> Result<job::Model> {
    Ok(row.into_active_model().reset_all().insert(&tx.conn).await?)
}

/// Writes every column of a job.
pub async fn update(tx: &mut Tx, row: job::Model) -> Result<job::Model> {
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

fn is_due(now: DateTime<Utc>) -> Condition {
    let waits = Condition::all().add(job::Column::State.eq(JobState::Queued)).add(job::Column::RunAt.lte(now));
    let lost = Condition::all().add(job::Column::State.eq(JobState::Running)).add(job::Column::LeaseUntil.lte(now));
    // As the index says it.
    let open = Expr::cust("job.state in ('QUEUED', 'RUNNING')");
    Condition::all().add(open).add(Condition::any().add(waits).add(lost))
}

/// Whether there is a job that nobody works on and that is due.
pub async fn any_due(conn: &Conn, now: DateTime<Utc>) -> Result<bool> {
    Ok(job::Entity::find().filter(is_due(now)).one(conn).await?.is_some())
}

/// The oldest job that nobody works on and that is due, locked until the
/// transaction ends.
pub async fn lock_due(tx: &Tx) -> Result<Option<job::Model>> {
    let find = job::Entity::find().filter(is_due(tx.now())).order_by_asc(job::Column::RunAt);
    Ok(find.order_by_asc(job::Column::Id).lock_exclusive().one(&tx.conn).await?)
}

/// The newest job with this fingerprint that has not ended, locked until the transaction ends.
pub async fn lock_open(tx: &Tx, fingerprint: &str) -> Result<Option<job::Model>> {
    let find = job::Entity::find()
        .filter(job::Column::Fingerprint.eq(fingerprint))
        .filter(job::Column::State.is_in([JobState::Queued, JobState::Running]))
        .order_by_desc(job::Column::CreatedAt);
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// How many jobs of somebody have not ended.
pub async fn count_open(tx: &Tx, actor: &str) -> Result<u64> {
    let open = job::Column::State.is_in([JobState::Queued, JobState::Running]);
    Ok(job::Entity::find().filter(job::Column::Actor.eq(actor)).filter(open).count(&tx.conn).await?)
}

/// How many jobs are in a state.
pub async fn count_in(conn: &Conn, state: JobState) -> Result<u64> {
    Ok(job::Entity::find().filter(job::Column::State.eq(state)).count(conn).await?)
}

/// Forgets jobs that ended before a moment.
pub async fn delete_ended(tx: &mut Tx, before: DateTime<Utc>) -> Result<()> {
    job::Entity::delete_many().filter(job::Column::FinishedAt.lt(before)).exec(&tx.conn).await?;
    Ok(())
}

/// Whether a job ended before a moment.
pub async fn any_ended(conn: &Conn, before: DateTime<Utc>) -> Result<bool> {
    Ok(job::Entity::find().filter(job::Column::FinishedAt.lt(before)).one(conn).await?.is_some())
}

/// Which of these files a job may still read.
pub async fn named_files(conn: &Conn, hashes: &[String]) -> Result<Vec<String>> {
    let find = job::Entity::find().select_only().column(job::Column::FileHash);
    let find = find.filter(job::Column::FileHash.is_in(hashes.iter().cloned()));
    // One that succeeded is not tried again.
    Ok(find.filter(job::Column::State.ne(JobState::Succeeded)).into_tuple().all(conn).await?)
}

/// All files that a job may still read.
pub async fn all_named_files(conn: &Conn) -> Result<Vec<String>> {
    let find = job::Entity::find().select_only().column(job::Column::FileHash);
    let find = find.filter(job::Column::FileHash.is_not_null());
    Ok(find.filter(job::Column::State.ne(JobState::Succeeded)).into_tuple().all(conn).await?)
}

/// What jobs must be to be in a list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// One of these kinds.
    pub kinds: Vec<JobKind>,
    /// In one of these states.
    pub states: Option<Vec<JobState>>,
}

/// A page of jobs, the newest first, and their number when it is asked for.
pub async fn page(conn: &Conn, filter: &Filter, page: Page, count: bool) -> Result<Rows<job::Model>> {
    let states = filter.states.as_ref().map(|states| job::Column::State.is_in(states.iter().copied()));
    let find = job::Entity::find()
        .filter(job::Column::Kind.is_in(filter.kinds.iter().copied()))
        .filter(Condition::all().add_option(states));
    let place = |row: &job::Model| Place { key: Key::Time(row.created_at), id: row.id.into() };
    let sort = (job::Column::CreatedAt, job::Column::Id);
    Ok(page_of(conn, find, sort, page, count, place).await?)
}
