//! Opening a database from its address.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlxPostgresConnector, SqlxSqliteConnector};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::watch;
use tokio::time::timeout;

use super::Db;
use super::hold::{lock_beside, together};
use super::parked::Parked;
use crate::error::{Error, Result};

/// Readers beside the one writer of SQLite.
const SQLITE_READERS: u32 = 4;
/// Connections of one process to PostgreSQL.
pub(super) const POSTGRES_POOL: u32 = 16;
/// How many prepared statements a connection keeps: more than the shop has.
const STATEMENTS: usize = 512;
/// How long a statement waits for a lock of another process on SQLite.
const SQLITE_BUSY: Duration = Duration::from_secs(10);
/// The advisory lock of whoever sets a shop up on PostgreSQL.
const SETUP_LOCK: i64 = 0x656d_706f_7365_7475;
/// How long a request waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(30);
/// How long making a connection to PostgreSQL may take, or asking whether one is still good.
const CONNECT: Duration = Duration::from_secs(5);
/// A connection to PostgreSQL that was used within this time is taken to be good.
pub(super) const FRESH: Duration = Duration::from_secs(1);
/// What every session on PostgreSQL begins with: a machine that has vanished holds its locks, those of its rows and the
/// relay's, for half a minute instead of hours.
///
/// The rest is about plans. Rows are found by keys, on disks that don't turn: as delivered, the planner reads whole
/// tables of some thousand rows instead. And what is asked is asked again with other keys: as delivered, a statement
/// that names few is planned anew each time, which takes ten times as long as running it. Nothing is worth compiling.
const SESSION: &str = "set idle_in_transaction_session_timeout = '60s'; set tcp_keepalives_idle = 10;
    set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3; set random_page_cost = 1.1;
    set plan_cache_mode = force_generic_plan; set jit = off";

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file of the embedded database.
    Sqlite(PathBuf),
    /// The address of a PostgreSQL database.
    Postgres(String),
}

impl FromStr for DatabaseUrl {
    type Err = String;

    /// `sqlite:PATH`, `postgres://…` or `postgresql://…`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")) {
            if path.is_empty() {
                return Err("a SQLite address needs a path, such as sqlite:shop.db".to_owned());
            }
            Ok(Self::Sqlite(path.into()))
        } else if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            PgConnectOptions::from_str(text).map_err(|error| format!("not a PostgreSQL address: {error}"))?;
            Ok(Self::Postgres(text.to_owned()))
        } else {
            Err("a database address begins with sqlite: or postgres://".to_owned())
        }
    }
}

impl fmt::Display for DatabaseUrl {
    /// The address without its password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(text) => match url::Url::parse(text) {
                Ok(url) => write!(
                    f,
                    "postgres://{}{}{}",
                    url.host_str().unwrap_or("localhost"),
                    url.port().map(|port| format!(":{port}")).unwrap_or_default(),
                    url.path()
                ),
                Err(_) => f.write_str("postgres://…"),
            },
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Db {
    /// Opens the database, making the SQLite file if there is none.
    ///
    /// # Errors
    /// When it can't be opened, or a backup is being put into its place.
    pub async fn open(url: &DatabaseUrl) -> Result<Self> {
        match url {
            DatabaseUrl::Sqlite(path) => Ok(open_sqlite(path, hold(path)?).await?),
            DatabaseUrl::Postgres(text) => Ok(open_postgres(text).await?),
        }
    }
}

fn hold(path: &Path) -> Result<File> {
    let cant = |error| Error::internal(format!("{} can't be opened: {error}", lock_beside(path).display()));
    let restored = || {
        let path = path.display();
        Error::internal(format!("a backup is being put into the place of {path}: try again when that has ended"))
    };
    together(path).map_err(cant)?.ok_or_else(restored)
}

async fn open_sqlite(path: &Path, lock: File) -> Result<Db, DbErr> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // An acknowledged order survives the loss of power.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(SQLITE_BUSY)
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging();
    let pool =
        |size| SqlitePoolOptions::new().max_connections(size).acquire_timeout(ACQUIRE).test_before_acquire(false);
    // The writer comes first: it makes the file and switches it to WAL.
    let writes = pool(1).after_release(|connection, _| Box::pin(async move { is_clear(connection).await }));
    let writes = writes.connect_with(options.clone()).await.map_err(sqlx_error)?;
    let reads = pool(SQLITE_READERS).connect_with(options.pragma("query_only", "on")).await.map_err(sqlx_error)?;
    Ok(Db {
        reads: SqlxSqliteConnector::from_sqlx_sqlite_pool(reads),
        parked: None,
        writes: SqlxSqliteConnector::from_sqlx_sqlite_pool(writes),
        url: DatabaseUrl::Sqlite(path.to_owned()),
        away: watch::Sender::new(false),
        lock: Arc::new(Mutex::new(Some(lock))),
    })
}

/// Whether a connection has no transaction any more; one that has is closed, and another one is opened. When the disk is
/// full or fails, SQLite undoes a transaction by itself. The driver still believes in it and takes all that follow for
/// parts of it: once one of them is undone, the others are never committed.
async fn is_clear(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    if connection.is_in_transaction() {
        // What the driver was told to undo, and has not yet, it does first.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

async fn open_postgres(text: &str) -> Result<Db, DbErr> {
    // The pool would try for as long as a request may wait; whoever starts the
    // shop wants to know at once.
    connect_postgres(text).await?;
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_POOL)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(async move { begin_session(connection).await }))
        // A server that was started anew has closed what lay here.
        .before_acquire(|connection, meta| {
            Box::pin(async move { Ok(meta.idle_for < FRESH || is_good(connection).await) })
        })
        .connect_with(
            PgConnectOptions::from_str(text)
                .map_err(sqlx_error)?
                .statement_cache_capacity(STATEMENTS)
                .disable_statement_logging(),
        )
        .await
        .map_err(sqlx_error)?;
    let parked = Some(Arc::new(Parked::new(pool.clone())));
    let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    Ok(Db {
        reads: connection.clone(),
        parked,
        writes: connection,
        url: DatabaseUrl::Postgres(text.to_owned()),
        away: watch::Sender::new(false),
        lock: Arc::default(),
    })
}

/// Whether the server at the other end is still there.
pub(super) async fn is_good(connection: &mut PgConnection) -> bool {
    matches!(timeout(CONNECT, connection.ping()).await, Ok(Ok(())))
}

async fn begin_session(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::raw_sql(SESSION).execute(connection).await.map(|_| ())
}

/// A connection beside the pool.
pub async fn connect_postgres(url: &str) -> Result<PgConnection, DbErr> {
    let options = PgConnectOptions::from_str(url).map_err(sqlx_error)?.disable_statement_logging();
    let connected = timeout(CONNECT, async {
        let mut connection = options.connect().await?;
        begin_session(&mut connection).await?;
        Ok(connection)
    });
    connected.await.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))?.map_err(sqlx_error)
}

/// Keeps other processes from setting the shop up at the same time, as long
/// as it is held. The embedded database has one server anyway.
#[derive(Debug)]
pub struct SetupLock(
    #[allow(dead_code, reason = "closing the connection is what releases the lock")] Option<PgConnection>,
);

impl Db {
    /// Waits until nobody else sets the shop up.
    pub async fn lock_setup(&self) -> Result<SetupLock, DbErr> {
        let DatabaseUrl::Postgres(text) = &self.url else { return Ok(SetupLock(None)) };
        let mut connection = connect_postgres(text).await?;
        sqlx::query("select pg_advisory_lock($1)")
            .bind(SETUP_LOCK)
            .execute(&mut connection)
            .await
            .map_err(sqlx_error)?;
        Ok(SetupLock(Some(connection)))
    }
}

pub(super) fn sqlx_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

/// Makes the PostgreSQL database `name` as a copy of the database `template`
/// (or an empty one) on the server of `url`; answers with its address.
pub async fn create_postgres_copy(url: &str, template: Option<&str>, name: &str) -> Result<String, DbErr> {
    let mut target = url::Url::parse(url).map_err(|error| DbErr::Custom(error.to_string()))?;
    let mut connection = connect_postgres(url).await?;
    let mut sql = format!("create database {}", quoted(name));
    if let Some(template) = template {
        sql.push_str(&format!(" template {} strategy file_copy", quoted(template)));
    }
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.map_err(sqlx_error)?;
    target.set_path(name);
    Ok(target.into())
}

/// Drops the PostgreSQL database `name` of the server of `url`, whoever is
/// still connected to it.
pub async fn drop_postgres_copy(url: &str, name: &str) -> Result<(), DbErr> {
    let mut connection = connect_postgres(url).await?;
    let sql = format!("drop database if exists {} with (force)", quoted(name));
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.map_err(sqlx_error)?;
    Ok(())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
