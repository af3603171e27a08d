//! What the rows say about the health of the shop.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Value};

use crate::db::{Conn, database_now, statement};
use crate::error::{Error, Result};

/// How many handles are named as examples.
const EXAMPLES: u64 = 3;

async fn number(conn: &Conn, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<i64> {
    let row = conn.query_one_raw(statement(conn, sql, values)).await?;
    Ok(row.ok_or_else(|| Error::internal("a count gave no row"))?.try_get_by_index(0)?)
}

/// What time it is for the database.
pub async fn database_time(conn: &Conn) -> Result<DateTime<Utc>> {
    Ok(database_now(conn).await?)
}

/// Whether an owner can log in.
pub async fn has_active_owner(conn: &Conn) -> Result<bool> {
    let sql = "select count(*) from staff join staff_role on staff_role.staff_id = staff.id
        join role on role.id = staff_role.role_id
        where role.name = ? and staff.active and staff.deleted_at is null";
    Ok(number(conn, sql, [domain::auth::OWNER.into()]).await? > 0)
}

/// How many keys sign or verify tokens.
pub async fn count_signing_keys(conn: &Conn) -> Result<i64> {
    number(conn, "select count(*) from signing_key where retired_at is null", []).await
}

/// How many published products have a variant without a price in a currency,
/// and the handles of some.
pub async fn unpriced(conn: &Conn, currency: &str) -> Result<(i64, Vec<String>)> {
    let which = "from product where product.deleted_at is null and product.status = 'PUBLISHED'
        and exists (select 1 from product_channel where product_channel.product_id = product.id)
        and exists (select 1 from variant where variant.product_id = product.id and variant.deleted_at is null
            and not exists (select 1 from price where price.variant_id = variant.id and price.currency = ?))";
    let count = number(conn, &format!("select count(*) {which}"), [currency.into()]).await?;
    let sql = format!("select product.handle {which} order by product.handle limit {EXAMPLES}");
    let rows = conn.query_all_raw(statement(conn, &sql, [currency.into()])).await?;
    let handles: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
    Ok((count, handles?))
}

/// How many events from before a moment have no position yet.
pub async fn unstamped_since(conn: &Conn, before: DateTime<Utc>) -> Result<i64> {
    number(conn, "select count(*) from event where position is null and at < ?", [before.into()]).await
}

/// How many runs should have ended before a moment and have not.
pub async fn overdue_flows(conn: &Conn, before: DateTime<Utc>) -> Result<i64> {
    let sql = "select count(*) from flow where state in ('RUNNING', 'PARKED') and deadline < ?";
    number(conn, sql, [before.into()]).await
}

/// How many runs failed for good, so that somebody must look.
pub async fn failed_flows(conn: &Conn) -> Result<i64> {
    number(conn, "select count(*) from flow where state = 'FAILED'", []).await
}
