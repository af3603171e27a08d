//! What is forgotten after a while and belongs to no one noun.

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;

use super::MOST;
use crate::db::{Conn, statement};
use crate::error::Result;
use crate::op::Tx;

/// Whether an event of a payment provider was done with before a moment.
pub async fn any_old_event(conn: &Conn, before: DateTime<Utc>) -> Result<bool> {
    let sql = "select 1 from provider_event where processed_at is not null and processed_at < ? limit 1";
    Ok(conn.query_one_raw(statement(conn, sql, [before.into()])).await?.is_some())
}

/// Forgets up to [`MOST`] of those; answers with how many.
pub async fn forget_old_events(tx: &mut Tx, before: DateTime<Utc>) -> Result<u64> {
    let sql = format!(
        "delete from provider_event where id in (select old.id from provider_event as old
            where old.processed_at is not null and old.processed_at < ? order by old.processed_at limit {MOST})"
    );
    Ok(tx.conn.execute_raw(statement(&tx.conn, &sql, [before.into()])).await?.rows_affected())
}
