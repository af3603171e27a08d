//! Connections to PostgreSQL that reads leave at hand for the next read.
//!
//! Whatever comes back to the pool is asked first whether it is still good: a way to the server and back for each read,
//! a twentieth of the time that a listing takes of either. A read that has ended well left its connection as it was, so
//! the next one goes on with it. Only a part of the pool is kept so, for a moment, and none of it while somebody waits.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::sea_query::Values;
use sea_orm::{ConnAcquireErr, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgPool, Postgres};

use super::open::{FRESH, POSTGRES_POOL, is_good};

/// How many connections are kept at most.
const MOST: usize = 8;
/// How long a connection is used, or left alone, before the pool sees it again.
const TERM: Duration = Duration::from_secs(60);

/// A connection, since when it is away from the pool, and since when nobody uses it.
#[derive(Debug)]
struct Kept {
    connection: PoolConnection<Postgres>,
    since: Instant,
    left: Instant,
}

/// The connections of one process that wait for the next read.
#[derive(Debug)]
pub(super) struct Parked {
    pool: PgPool,
    kept: Mutex<Vec<Kept>>,
}

impl Parked {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pool, kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many wait.
    pub(super) fn count(&self) -> usize {
        self.kept().len()
    }

    /// Whether the pool has no more to give.
    fn is_short(&self) -> bool {
        self.pool.size() >= POSTGRES_POOL && self.pool.num_idle() == 0
    }

    /// Gives one back when the pool has no more, for who is about to take one from there.
    pub(super) fn make_room(&self) {
        if self.is_short() {
            let given = self.kept().pop();
            drop(given);
        }
    }

    /// Gives back those that nobody has used for long.
    pub(super) fn settle(&self) {
        let mut kept = self.kept();
        let (stay, given): (Vec<_>, Vec<_>) = kept.drain(..).partition(|one| one.left.elapsed() < TERM);
        *kept = stay;
        drop(kept);
        drop(given);
    }

    /// Gives all of them back.
    pub(super) fn give_back(&self) {
        let given = std::mem::take(&mut *self.kept());
        drop(given);
    }

    async fn take(&self) -> Result<Kept, DbErr> {
        loop {
            let last = self.kept().pop();
            let Some(mut last) = last else { break };
            if last.left.elapsed() < FRESH || is_good(&mut last.connection).await {
                return Ok(last);
            }
        }
        let connection = self.pool.acquire().await.map_err(|error| match error {
            sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
            sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
            error => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
        })?;
        let now = Instant::now();
        Ok(Kept { connection, since: now, left: now })
    }

    fn leave(&self, mut one: Kept) {
        one.left = Instant::now();
        let stays = !self.is_short() && one.left - one.since < TERM && !self.pool.is_closed();
        let mut kept = self.kept();
        if stays && kept.len() < MOST {
            kept.push(one);
        }
    }

    /// The rows of a statement.
    pub(super) async fn all(&self, statement: &Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut one = self.take().await?;
        // One that fails, or for whose rows nobody waits any more, goes back to the pool.
        let rows = query(statement).fetch_all(&mut *one.connection).await.map_err(asked)?;
        self.leave(one);
        Ok(rows.into_iter().map(QueryResult::from).collect())
    }

    /// The first row of a statement.
    pub(super) async fn one(&self, statement: &Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut one = self.take().await?;
        let row = query(statement).fetch_optional(&mut *one.connection).await.map_err(asked)?;
        self.leave(one);
        Ok(row.map(QueryResult::from))
    }

    /// What a statement did.
    pub(super) async fn execute(&self, statement: &Statement) -> Result<ExecResult, DbErr> {
        let mut one = self.take().await?;
        let done = query(statement).execute(&mut *one.connection).await;
        let done = done.map_err(|error| DbErr::Exec(RuntimeErr::SqlxError(error.into())))?;
        self.leave(one);
        Ok(done.into())
    }

    /// The same of several statements without values.
    pub(super) async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut one = self.take().await?;
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *one.connection).await;
        let done = done.map_err(|error| DbErr::Exec(RuntimeErr::SqlxError(error.into())))?;
        self.leave(one);
        Ok(done.into())
    }
}

fn asked(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

fn query(statement: &Statement) -> Query<'_, Postgres, SqlxValues> {
    let values = statement.values.clone().unwrap_or(Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
}
