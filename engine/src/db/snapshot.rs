//! The embedded database as a file that is copied, looked over and exchanged.
//!
//! A copy is made by `VACUUM INTO`. It reads in one transaction, so the copy is what was committed at its first moment,
//! and in WAL mode readers and the writer don't wait for each other: only the write-ahead log grows meanwhile. SQLite's
//! online backup interface copies page by page instead and begins anew whenever another process commits, so beside a
//! busy shop it would never end, unless it took all pages in one step, which is the same long read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, SqlxSqliteConnector, Statement};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::watch;

use super::open::sqlx_error;
use super::sql::{code, plain};
use super::{DatabaseUrl, Db};

/// How long somebody may take who is just closing the database.
const LEAVING: Duration = Duration::from_secs(2);
/// How much of what is wrong with a database is named.
const NAMED: usize = 20;

impl Db {
    /// Copies all that is committed at this moment into an empty file, while others read and write.
    pub async fn copy_into(&self, file: &Path) -> Result<(), DbErr> {
        let name = file.to_str().ok_or_else(|| DbErr::Custom(format!("{} is no text", file.display())))?;
        // Not a pool of readers, which may write nowhere; of this database it only reads.
        let copy = Statement::from_sql_and_values(DbBackend::Sqlite, "vacuum into ?", [name.into()]);
        self.writes.execute_raw(copy).await.map(|_| ())
    }

    /// Opens a file that nobody changes, and changes nothing of it either, not even beside it.
    pub async fn open_still(file: &Path) -> Result<Self, DbErr> {
        let options = SqliteConnectOptions::new().filename(file).read_only(true).immutable(true);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options.disable_statement_logging());
        let connection = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.await.map_err(sqlx_error)?);
        Ok(Self {
            parked: None,
            reads: connection.clone(),
            writes: connection,
            url: DatabaseUrl::Sqlite(file.to_owned()),
            away: watch::Sender::new(false),
            lock: Arc::default(),
        })
    }

    /// What the embedded database finds wrong with its own pages, indexes and references.
    pub async fn damage(&self) -> Result<Vec<String>, DbErr> {
        let mut found = Vec::new();
        let ask = |sql: &str| Statement::from_string(DbBackend::Sqlite, sql);
        for row in self.reads.query_all_raw(ask(&format!("pragma integrity_check({NAMED})"))).await? {
            found.push(row.try_get_by_index::<String>(0)?);
        }
        found.retain(|line| line != "ok");
        for row in self.reads.query_all_raw(ask("pragma foreign_key_check")).await?.iter().take(NAMED) {
            let (table, parent): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(2)?);
            found.push(format!("a row of {table} names a row of {parent} that is not there"));
        }
        Ok(found)
    }
}

/// How a file of the embedded database stands, once nothing lies beside it that belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// It stands alone.
    Alone,
    /// Another process has it open.
    InUse,
    /// It is damaged, or no database.
    Damaged,
}

/// Makes a file of the embedded database stand alone, with nothing beside it that belongs to it.
///
/// # Errors
/// When it can't be looked at: that says nothing of the file.
pub async fn stand_alone(file: &Path) -> Result<Stands, DbErr> {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(LEAVING).disable_statement_logging();
    let asked = async {
        let mut connection = options.connect().await?;
        // Leaving the write-ahead log takes the whole database for oneself.
        let mode: String = sqlx::query_scalar("pragma journal_mode = delete").fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(mode)
    };
    match asked.await.map_err(sqlx_error) {
        Ok(mode) if mode == "delete" => Ok(Stands::Alone),
        Ok(_) => Ok(Stands::InUse),
        Err(error) if is_busy(&error) => Ok(Stands::InUse),
        Err(error) if is_damaged(&error) => Ok(Stands::Damaged),
        Err(error) => Err(error),
    }
}

/// What an error says of a copy of a shop that is looked over.
pub fn said_of_copy(error: &DbErr) -> String {
    match code(error).and_then(|code| plain(&code)) {
        // ERROR: the statement does not fit the tables that are there.
        Some(1) => "its database holds no shop".to_owned(),
        _ if is_damaged(error) => format!("its database is damaged: {error}"),
        // Such as a disk that is full or can't be read at the moment.
        _ => format!("its database can't be looked at: {error}"),
    }
}

/// CORRUPT or NOTADB: what the file holds is wrong. Anything else is no word about it.
fn is_damaged(error: &DbErr) -> bool {
    code(error).is_some_and(|code| matches!(plain(&code), Some(11 | 26)))
}

/// BUSY or LOCKED, whatever the reason.
fn is_busy(error: &DbErr) -> bool {
    code(error).is_some_and(|code| matches!(plain(&code), Some(5 | 6)))
}
