//! The database: how it is opened, read and written, and every point at which
//! SQLite and PostgreSQL differ.
//!
//! On SQLite one writer is taken first-in first-out and a pool of readers
//! serves the rest; on PostgreSQL both are one pool. A write begins only in
//! [`crate::op`].
//!
//! Lock order, held by every op: customer → cart → checkout → order → payment →
//! stock levels by (item, location) → promotions → codes → campaigns → gift cards →
//! store credit → notification. Attaching a cart reads its customer only. Whoever needs two of them takes the earlier first.

pub mod hold;
mod open;
mod paged;
mod parked;
mod pulse;
pub mod search;
mod snapshot;
mod sql;

use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use tokio::sync::watch;

use self::parked::Parked;
use self::pulse::unless_away;

pub use open::{DatabaseUrl, connect_postgres, create_postgres_copy, drop_postgres_copy};
pub use paged::page_of;
pub use snapshot::{Stands, said_of_copy, stand_alone};
pub use sql::{
    any, any_sql, any_text, database_now, expression, hold_settings, insert_all, is_retryable, is_unavailable,
    lower_contains, number_order, statement, text_contains, unique_violation, without_values,
};

/// Counts the statements of one request, everything but `BEGIN` and `COMMIT`.
#[derive(Debug, Clone, Default)]
pub struct StatementCount(Arc<AtomicU64>);

impl StatementCount {
    /// Statements so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The connections of one pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Which pool.
    pub name: &'static str,
    /// Connections that something is done with.
    pub used: u32,
    /// Connections that wait for something to do.
    pub idle: u32,
}

/// The open database.
#[derive(Debug, Clone)]
pub struct Db {
    reads: DatabaseConnection,
    /// What reads go on with on PostgreSQL.
    parked: Option<Arc<Parked>>,
    writes: DatabaseConnection,
    url: DatabaseUrl,
    /// Whether the server is known to be away.
    away: watch::Sender<bool>,
    /// Keeps others from putting another file into the place of the embedded one, until it is closed.
    lock: Arc<Mutex<Option<File>>>,
}

impl Db {
    /// Which of the two databases it is.
    pub fn backend(&self) -> DbBackend {
        self.reads.get_database_backend()
    }

    /// Where it is.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// A connection for reads, whose statements are added to `count`.
    pub fn read(&self, count: &StatementCount) -> Conn {
        let inner = match &self.parked {
            Some(parked) => Inner::Parked(parked.clone()),
            None => Inner::Pool(self.reads.clone()),
        };
        Conn { inner, count: count.clone(), away: self.away.clone() }
    }

    /// The connection that migrations run on.
    pub fn admin(&self) -> &DatabaseConnection {
        &self.writes
    }

    /// Begins a write: `BEGIN IMMEDIATE` on SQLite, where a transaction that
    /// reads first and writes later would fail at once instead of waiting.
    pub async fn begin(&self, count: &StatementCount) -> Result<Conn, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: (self.backend() == DbBackend::Sqlite).then_some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        if let Some(parked) = &self.parked {
            parked.make_room();
        }
        let transaction = unless_away(&self.away, self.writes.begin_with_options(options)).await?;
        Ok(Conn { inner: Inner::Transaction(transaction), count: count.clone(), away: self.away.clone() })
    }

    /// How many connections there are.
    pub fn pools(&self) -> Vec<Connections> {
        let of = |name, open: u32, idle: usize| {
            let idle = u32::try_from(idle).unwrap_or(open).min(open);
            Connections { name, used: open - idle, idle }
        };
        let sqlite = |name, pool: &DatabaseConnection| {
            let pool = pool.get_sqlite_connection_pool();
            of(name, pool.size(), pool.num_idle())
        };
        match self.backend() {
            DbBackend::Sqlite => vec![sqlite("read", &self.reads), sqlite("write", &self.writes)],
            _ => {
                let pool = self.reads.get_postgres_connection_pool();
                let parked = self.parked.as_ref().map_or(0, |parked| parked.count());
                vec![of("all", pool.size(), pool.num_idle() + parked)]
            }
        }
    }

    /// Closes every connection.
    pub async fn close(&self) {
        if let Some(parked) = &self.parked {
            parked.give_back();
        }
        // Closing twice or after a lost connection is no concern of the caller.
        let _ = self.reads.close_by_ref().await;
        let _ = self.writes.close_by_ref().await;
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

#[derive(Debug)]
enum Inner {
    Pool(DatabaseConnection),
    Parked(Arc<Parked>),
    Transaction(DatabaseTransaction),
}

/// A pool or a transaction: one concrete type, so that loaders and ops share
/// the functions of `repo` without compiling them twice.
#[derive(Debug)]
pub struct Conn {
    inner: Inner,
    count: StatementCount,
    away: watch::Sender<bool>,
}

impl Conn {
    /// Commits, when it is a transaction.
    pub async fn commit(self) -> Result<(), DbErr> {
        match self.inner {
            Inner::Pool(_) | Inner::Parked(_) => Ok(()),
            Inner::Transaction(transaction) => unless_away(&self.away, transaction.commit()).await,
        }
    }

    /// Undoes, when it is a transaction. Dropping does the same, later.
    pub async fn rollback(self) -> Result<(), DbErr> {
        match self.inner {
            Inner::Pool(_) | Inner::Parked(_) => Ok(()),
            Inner::Transaction(transaction) => transaction.rollback().await,
        }
    }

    /// Which of the two databases it is.
    pub fn backend(&self) -> DbBackend {
        self.get_database_backend()
    }
}

#[async_trait]
impl ConnectionTrait for Conn {
    fn get_database_backend(&self) -> DbBackend {
        match &self.inner {
            Inner::Pool(pool) => pool.get_database_backend(),
            Inner::Parked(_) => DbBackend::Postgres,
            Inner::Transaction(transaction) => transaction.get_database_backend(),
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.count.add();
        match &self.inner {
            Inner::Pool(pool) => unless_away(&self.away, pool.execute_raw(statement)).await,
            Inner::Parked(parked) => unless_away(&self.away, parked.execute(&statement)).await,
            Inner::Transaction(transaction) => unless_away(&self.away, transaction.execute_raw(statement)).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.count.add();
        match &self.inner {
            Inner::Pool(pool) => unless_away(&self.away, pool.execute_unprepared(sql)).await,
            Inner::Parked(parked) => unless_away(&self.away, parked.execute_unprepared(sql)).await,
            Inner::Transaction(transaction) => unless_away(&self.away, transaction.execute_unprepared(sql)).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.count.add();
        match &self.inner {
            Inner::Pool(pool) => unless_away(&self.away, pool.query_one_raw(statement)).await,
            Inner::Parked(parked) => unless_away(&self.away, parked.one(&statement)).await,
            Inner::Transaction(transaction) => unless_away(&self.away, transaction.query_one_raw(statement)).await,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.count.add();
        match &self.inner {
            Inner::Pool(pool) => unless_away(&self.away, pool.query_all_raw(statement)).await,
            Inner::Parked(parked) => unless_away(&self.away, parked.all(&statement)).await,
            Inner::Transaction(transaction) => unless_away(&self.away, transaction.query_all_raw(statement)).await,
        }
    }
}
