//! Durable runs of steps around calls to the outside. The row says where a
//! run stands; whoever works on it holds it for a while ([`LEASE`]), so that
//! after a crash another one takes it up.
//!
//! A machine may stand still for longer than that, and wake up beside the one
//! that took its place. So whatever a holder writes ends with a write to the
//! run's row that counts only at the version that he holds: otherwise
//! [`lost`] undoes his transaction.

pub mod ops;
pub mod staff;

use chrono::{DateTime, TimeDelta, Utc};
use domain::flow::FlowState;
use domain::id::FlowId;
use entity::flow;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter};
use uuid::Uuid;

use self::staff::{HUNG, SLACK};
use crate::db::{Conn, insert_all, page_of, statement};
use crate::error::{Error, Result};
use crate::op::{Tx, in_flight};
use crate::page::{Key, Page, Place, Rows};

/// How long a worker may hold a run: longer than the calls of a provider may take that he makes in a row.
pub const LEASE: TimeDelta = TimeDelta::seconds(60);
/// How long a parked run waits for the shopper.
pub const PARKED_LIFE: TimeDelta = TimeDelta::minutes(60);

/// Begins a run that the caller holds; `provider` is whom it asks.
pub async fn begin(
    tx: &mut Tx,
    kind: &str,
    key: impl ToString,
    step: &str,
    provider: Option<String>,
) -> Result<flow::Model> {
    let row = flow::Model {
        id: tx.id(),
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        kind: kind.to_owned(),
        key: key.to_string(),
        state: FlowState::Running,
        step: step.to_owned(),
        attempts: 1,
        run_at: tx.now() + LEASE,
        deadline: tx.now() + PARKED_LIFE,
        data: serde_json::json!({}),
        held: true,
        provider,
    };
    insert_all::<flow::Entity>(&tx.conn, vec![row.clone()]).await?;
    Ok(row)
}

/// Begins a run that whoever wants it takes up ([`ops::Take`]); after a while the sweeper does.
pub async fn offer(
    tx: &mut Tx,
    kind: &str,
    key: impl ToString,
    step: &str,
    provider: Option<String>,
) -> Result<flow::Model> {
    let row = begin(tx, kind, key, step, provider).await?;
    let sql = "update flow set held = false, attempts = 0 where id = ?";
    tx.conn.execute_raw(statement(&tx.conn, sql, [Uuid::from(row.id).into()])).await?;
    Ok(row)
}

/// Begins a run that the caller holds, or takes one up again that has ended;
/// nothing when somebody is at it.
pub async fn begin_again(
    tx: &mut Tx,
    kind: &str,
    key: impl ToString,
    step: &str,
    provider: Option<String>,
) -> Result<Option<flow::Model>> {
    let key = key.to_string();
    let sql =
        "update flow set state = 'RUNNING', held = true, run_at = ?, deadline = ?, step = ?, attempts = 1, version = version + 1,
        updated_at = ? where key = ? and (state not in ('RUNNING', 'PARKED') or run_at <= ?) returning *";
    let (now, until) = (tx.now(), tx.now() + PARKED_LIFE);
    let values = [(now + LEASE).into(), until.into(), step.into(), now.into(), key.clone().into(), now.into()];
    if let Some(row) = tx.conn.query_one_raw(statement(&tx.conn, sql, values)).await? {
        return Ok(Some(flow::Model::from_query_result(&row, "")?));
    }
    if find(&tx.conn, &key).await?.is_some() {
        return Ok(None);
    }
    begin(tx, kind, &key, step, provider).await.map(Some)
}

/// A run by its key.
pub async fn find(conn: &Conn, key: &str) -> Result<Option<flow::Model>> {
    Ok(flow::Entity::find().filter(flow::Column::Key.eq(key)).one(conn).await?)
}

/// Takes a run up: one that is parked or stuck, one whose holder was silent for too
/// long, or one that is to be tried again later, when it is to be something
/// else from now on. `step` says what, which outlives a crash. `None` when
/// somebody is working on it, it is not its time, or it has ended.
pub async fn take(tx: &mut Tx, key: impl ToString, step: Option<&str>) -> Result<Option<flow::Model>> {
    let sql =
        "update flow set state = 'RUNNING', held = true, run_at = ?, step = coalesce(?, step), attempts = attempts + 1,
        version = version + 1, updated_at = ? where key = ?
            and (state in ('PARKED', 'STUCK') or (state = 'RUNNING' and (run_at <= ? or (? and not held)))) returning *";
    let (changes, step) = (step.is_some(), sea_orm::Value::from(step.map(str::to_owned)));
    let (now, until) = (tx.now(), tx.now() + LEASE);
    let values = [until.into(), step, now.into(), key.to_string().into(), now.into(), changes.into()];
    let row = tx.conn.query_one_raw(statement(&tx.conn, sql, values)).await?;
    Ok(row.map(|row| flow::Model::from_query_result(&row, "")).transpose()?)
}

/// Says what a run that the caller holds is for from now on, which outlives a crash, and holds it anew.
///
/// # Errors
/// [`lost`] when he holds it no more; so do all that follow.
pub async fn turn(tx: &mut Tx, run: &flow::Model, step: &str) -> Result<flow::Model> {
    let sql = "update flow set step = ?, run_at = ?, version = version + 1, updated_at = ?
        where id = ? and version = ? returning *";
    let (now, until) = (tx.now(), tx.now() + LEASE);
    let values = [step.into(), until.into(), now.into(), Uuid::from(run.id).into(), run.version.into()];
    let row = tx.conn.query_one_raw(statement(&tx.conn, sql, values)).await?.ok_or_else(|| lost(run))?;
    Ok(flow::Model::from_query_result(&row, "")?)
}

/// Lays a run down until the world outside resumes it, or until `deadline`, which stays as it was when absent; `step`
/// says what it is for then.
pub async fn park(tx: &mut Tx, run: &flow::Model, step: &str, deadline: Option<DateTime<Utc>>) -> Result<()> {
    set(tx, run, FlowState::Parked, tx.now(), deadline, Some(step)).await
}

/// Lets go of a run that shall be tried again later; `step` says what it is for from now on.
pub async fn postpone(tx: &mut Tx, run: &flow::Model, until: DateTime<Utc>, step: Option<&str>) -> Result<()> {
    set(tx, run, FlowState::Running, until, None, step).await
}

/// Lets go of a run that nobody goes on with by himself.
pub async fn leave(tx: &mut Tx, run: &flow::Model, step: Option<&str>) -> Result<()> {
    set(tx, run, FlowState::Stuck, tx.now(), None, step).await
}

/// Makes a run due at once that nobody holds.
async fn make_due(tx: &Tx, key: &str) -> Result<()> {
    let sql = "update flow set run_at = ?, version = version + 1, updated_at = ? where key = ? and state = 'RUNNING'
        and not (held and run_at > ?)";
    let now = tx.now();
    tx.conn.execute_raw(statement(&tx.conn, sql, [now.into(), now.into(), key.into(), now.into()])).await?;
    Ok(())
}

/// Ends a run.
pub async fn end(tx: &mut Tx, run: &flow::Model, state: FlowState) -> Result<()> {
    set(tx, run, state, tx.now(), None, None).await
}

async fn set(
    tx: &Tx,
    run: &flow::Model,
    state: FlowState,
    run_at: DateTime<Utc>,
    deadline: Option<DateTime<Utc>>,
    step: Option<&str>,
) -> Result<()> {
    let sql = "update flow set state = ?, held = false, run_at = ?, deadline = coalesce(?, deadline), step = coalesce(?, step),
        version = version + 1, updated_at = ? where id = ? and version = ?";
    let step = sea_orm::Value::from(step.map(str::to_owned));
    let (id, version) = (Uuid::from(run.id).into(), run.version.into());
    let values = [state.as_str().into(), run_at.into(), deadline.into(), step, tx.now().into(), id, version];
    match tx.conn.execute_raw(statement(&tx.conn, sql, values)).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(lost(run)),
    }
}

/// Another one has taken a run up since, because its holder was silent for too long: he may write nothing any more.
fn lost(run: &flow::Model) -> Error {
    tracing::warn!(run = run.key, kind = run.kind, "another one has taken this run up meanwhile");
    in_flight().into()
}

/// Runs that nobody holds and that are due: those that were let go or lost, and those whose shopper never came back.
/// At most so many of each provider's, so that one with many of them hides no other.
pub async fn due(conn: &Conn, now: DateTime<Utc>, of_each: usize) -> Result<Vec<flow::Model>> {
    let sql = "select * from (
            select flow.*, row_number() over (partition by provider order by run_at, id) as place from flow
            where (state = 'RUNNING' and run_at <= ?) or (state = 'PARKED' and deadline <= ?)) as due
        where place <= ? order by run_at";
    let most = i64::try_from(of_each).unwrap_or(i64::MAX);
    let rows = conn.query_all_raw(statement(conn, sql, [now.into(), now.into(), most.into()])).await?;
    Ok(rows.iter().map(|row| flow::Model::from_query_result(row, "")).collect::<Result<_, _>>()?)
}

/// What runs must be to be in a list.
#[derive(Debug, Clone, Default)]
pub struct FlowFilter {
    /// In one of these states.
    pub states: Option<Vec<FlowState>>,
    /// Of one of these kinds.
    pub kinds: Option<Vec<String>>,
    /// Whether it hangs.
    pub hung: Option<bool>,
}

impl FlowFilter {
    fn condition(&self, now: DateTime<Utc>) -> Condition {
        use flow::Column;
        let tried = Condition::all().add(Column::State.eq(FlowState::Running)).add(Column::Attempts.gte(HUNG));
        let waited = Condition::all().add(Column::State.eq(FlowState::Parked)).add(Column::Deadline.lt(now - SLACK));
        let hung = Condition::any().add(tried).add(waited).add(Column::State.eq(FlowState::Stuck));
        Condition::all()
            .add_option(self.states.as_ref().map(|states| Column::State.is_in(states.iter().copied())))
            .add_option(self.kinds.as_ref().map(|kinds| Column::Kind.is_in(kinds.iter().map(String::as_str))))
            .add_option(self.hung.map(|wanted| if wanted { hung } else { hung.not() }))
    }
}

/// A page of runs by the time at which they began.
pub async fn page(
    conn: &Conn,
    filter: &FlowFilter,
    now: DateTime<Utc>,
    page: Page,
    count: bool,
) -> Result<Rows<flow::Model>> {
    let find = flow::Entity::find().filter(filter.condition(now));
    let place = |row: &flow::Model| Place { key: Key::Time(row.created_at), id: row.id.into() };
    Ok(page_of(conn, find, (flow::Column::CreatedAt, flow::Column::Id), page, count, place).await?)
}

/// A run by its id.
pub async fn find_by_id(conn: &Conn, id: FlowId) -> Result<Option<flow::Model>> {
    Ok(flow::Entity::find_by_id(id).one(conn).await?)
}

/// The id of what a run is about, out of its key.
pub fn subject<T: std::str::FromStr>(row: &flow::Model) -> Option<T> {
    row.key.parse().ok()
}

/// A moment after `attempts` tries: a second, doubling to five minutes.
pub fn back_off(now: DateTime<Utc>, attempts: i32) -> DateTime<Utc> {
    now + TimeDelta::seconds(1_i64 << attempts.clamp(0, 8)).min(TimeDelta::minutes(5))
}
