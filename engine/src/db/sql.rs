//! SQL that the two databases spell differently, and what their errors mean.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use domain::id::OrderId;
use sea_orm::sea_query::{ArrayType, Expr, ExprTrait, Func, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, IntoActiveModel, RuntimeErr, SqlErr, Statement, Value,
};
use uuid::Uuid;

use super::Conn;

/// `sql`, whose values stand as `?`, in the database's own spelling.
pub fn statement(conn: &Conn, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(conn.backend(), placeholders(conn.backend(), sql), values)
}

/// `sql`, whose values stand as `?`, as a part of a larger statement.
pub fn expression(conn: &Conn, sql: &str, values: impl IntoIterator<Item = Value>) -> SimpleExpr {
    Expr::cust_with_values(placeholders(conn.backend(), sql), values)
}

fn placeholders(backend: DbBackend, sql: &str) -> String {
    if backend != DbBackend::Postgres {
        return sql.to_owned();
    }
    let mut own = String::with_capacity(sql.len() + 8);
    let mut number = 0;
    for c in sql.chars() {
        if c == '?' {
            number += 1;
            own.push_str(&format!("${number}"));
        } else {
            own.push(c);
        }
    }
    own
}

/// `column` is one of `ids`. The text of the statement is the same whatever
/// their number, so that its plan is prepared once.
pub fn any<C: ColumnTrait>(conn: &Conn, column: C, ids: impl IntoIterator<Item = impl Into<Uuid>>) -> SimpleExpr {
    let ids: Vec<Uuid> = ids.into_iter().map(Into::into).collect();
    let left = Expr::col(column.as_column_ref());
    match conn.backend() {
        DbBackend::Postgres => {
            let values = ids.into_iter().map(Value::from).collect();
            let list = Value::Array(ArrayType::Uuid, Some(Box::new(values)));
            Expr::cust_with_exprs("$1 = any($2)", [left, Expr::val(list)])
        }
        _ => {
            // Ids are blobs there, and JSON has none: they travel as hexadecimal text.
            let hex: Vec<String> = ids.iter().map(|id| id.simple().to_string()).collect();
            let list = serde_json::Value::from(hex).to_string();
            left.binary(
                sea_orm::sea_query::BinOper::In,
                Expr::cust_with_values("(select unhex(value) from json_each(?))", [Value::from(list)]),
            )
        }
    }
}

/// The same for a column of text.
pub fn any_text<C: ColumnTrait>(
    conn: &Conn,
    column: C,
    texts: impl IntoIterator<Item = impl Into<String>>,
) -> SimpleExpr {
    let texts: Vec<String> = texts.into_iter().map(Into::into).collect();
    let left = Expr::col(column.as_column_ref());
    match conn.backend() {
        DbBackend::Postgres => {
            let values = texts.into_iter().map(Value::from).collect();
            let list = Value::Array(ArrayType::String, Some(Box::new(values)));
            Expr::cust_with_exprs("$1 = any($2)", [left, Expr::val(list)])
        }
        _ => {
            let list = serde_json::Value::from(texts).to_string();
            left.binary(
                sea_orm::sea_query::BinOper::In,
                Expr::cust_with_values("(select value from json_each(?))", [Value::from(list)]),
            )
        }
    }
}

/// The same of ids as a part of plain SQL that stands behind a column, and the one value of its `?`.
pub fn any_sql(conn: &Conn, ids: impl IntoIterator<Item = impl Into<Uuid>>) -> (&'static str, Value) {
    let ids = ids.into_iter().map(Into::into);
    match conn.backend() {
        DbBackend::Postgres => {
            let values = ids.map(Value::from).collect();
            ("= any(?)", Value::Array(ArrayType::Uuid, Some(Box::new(values))))
        }
        _ => {
            let hex: Vec<String> = ids.map(|id: Uuid| id.simple().to_string()).collect();
            ("in (select unhex(value) from json_each(?))", Value::from(serde_json::Value::from(hex).to_string()))
        }
    }
}

/// `column`, which holds folded text, contains `word` as it stands; `word` is
/// no pattern.
pub fn text_contains<C: ColumnTrait>(column: C, word: &str) -> SimpleExpr {
    contains(Expr::col(column.as_column_ref()), word)
}

/// The same for any text, which is lower-cased first as far as the database can do that.
pub fn lower_contains<C: ColumnTrait>(column: C, word: &str) -> SimpleExpr {
    contains(Func::lower(Expr::col(column.as_column_ref())).into(), word)
}

fn contains(text: SimpleExpr, word: &str) -> SimpleExpr {
    let mut pattern = String::with_capacity(word.len() + 2);
    pattern.push('%');
    for c in word.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    text.like(sea_orm::sea_query::LikeExpr::new(pattern).escape('\\'))
}

/// Whether another try of the whole transaction may succeed: a deadlock, a
/// serialisation failure, or SQLite's busy.
pub fn is_retryable(error: &DbErr) -> bool {
    // PostgreSQL: serialization_failure, deadlock_detected. SQLite: BUSY, LOCKED.
    code(error).is_some_and(|code| matches!(code.as_ref(), "40001" | "40P01") || matches!(plain(&code), Some(5 | 6)))
}

/// Whether the database can't be reached or can't work at the moment: what was
/// asked of it is no cause.
pub fn is_unavailable(error: &DbErr) -> bool {
    use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Tls, WorkerCrashed};
    if let DbErr::ConnectionAcquire(_) = error {
        return true;
    }
    match (sqlx_error(error), code(error)) {
        (Some(Io(_) | PoolClosed | PoolTimedOut | Tls(_) | WorkerCrashed), _) => true,
        // PostgreSQL's classes: no connection, no room, shut down by its operator; a transaction that it gave up.
        (_, Some(code)) if code.len() == 5 => {
            ["08", "53", "57P"].iter().any(|class| code.starts_with(class)) || code == "25P03"
        }
        // SQLite: BUSY, LOCKED, IOERR, FULL.
        (_, Some(code)) => matches!(plain(&code), Some(5 | 6 | 10 | 13)),
        _ => false,
    }
}

/// SQLite's code without what extends it; nothing of PostgreSQL's, which have five characters.
pub(super) fn plain(code: &str) -> Option<i32> {
    let number = code.parse::<i32>().ok().filter(|_| code.len() < 5);
    number.map(|number| number & 0xff)
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error))
        | DbErr::Conn(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// The database's own code of an error: five characters on PostgreSQL, a number on SQLite.
pub(super) fn code(error: &DbErr) -> Option<Cow<'_, str>> {
    sqlx_error(error)?.as_database_error()?.code()
}

/// The text with which the database names the broken unique constraint: the
/// constraint on PostgreSQL, its columns on SQLite.
pub fn unique_violation(error: &DbErr) -> Option<String> {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(text)) => Some(text),
        _ => None,
    }
}

/// Gives an order the next number. On PostgreSQL that is one statement, the
/// last before commit, because it holds the counter's row until then.
pub async fn number_order(conn: &Conn, order: OrderId) -> Result<i64, DbErr> {
    let backend = conn.backend();
    if backend == DbBackend::Postgres {
        let sql = r#"with taken as (update counter set value = value + 1 where name = 'order_number' returning value)
            update "order" set number = taken.value from taken where id = $1 returning number"#;
        let row = conn.query_one_raw(Statement::from_sql_and_values(backend, sql, [Uuid::from(order).into()])).await?;
        return row.ok_or_else(|| DbErr::RecordNotFound("counter order_number".into()))?.try_get_by_index(0);
    }
    let sql = "update counter set value = value + 1 where name = 'order_number' returning value";
    let row = conn.query_one_raw(Statement::from_string(backend, sql)).await?;
    let number: i64 = row.ok_or_else(|| DbErr::RecordNotFound("counter order_number".into()))?.try_get_by_index(0)?;
    let sql = r#"update "order" set number = ? where id = ?"#;
    conn.execute_raw(Statement::from_sql_and_values(backend, sql, [number.into(), Uuid::from(order).into()])).await?;
    Ok(number)
}

/// Keeps the settings as they are until the transaction ends, together with
/// others who need that; answers with their version. The one writer of SQLite
/// has them for itself anyway.
pub async fn hold_settings(conn: &Conn) -> Result<Option<i64>, DbErr> {
    if conn.backend() != DbBackend::Postgres {
        return Ok(None);
    }
    let sql = "select value from counter where name = 'settings' for share";
    let row = conn.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}

/// What time it is for the database; an embedded one has this machine's clock.
pub async fn database_now(conn: &Conn) -> Result<DateTime<Utc>, DbErr> {
    let backend = conn.backend();
    if backend == DbBackend::Postgres {
        let row = conn.query_one_raw(Statement::from_string(backend, "select now()")).await?;
        return row.ok_or_else(|| DbErr::RecordNotFound("now()".into()))?.try_get_by_index(0);
    }
    Ok(Utc::now())
}

/// Rows that one statement inserts: well below the 32,766 values of SQLite.
const ROWS: usize = 500;

/// Inserts new rows of one table.
pub async fn insert_all<E>(conn: &Conn, rows: Vec<E::Model>) -> Result<(), DbErr>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: Send,
{
    let mut rows = rows.into_iter().map(IntoActiveModel::into_active_model).peekable();
    while rows.peek().is_some() {
        let some: Vec<E::ActiveModel> = rows.by_ref().take(ROWS).collect();
        E::insert_many(some).exec_without_returning(conn).await?;
    }
    Ok(())
}

/// What a database complains of, without the values that it repeats: what stands in quotes is left out, unless it
/// names a table, a column or a constraint.
pub fn without_values(error: &DbErr) -> String {
    let Some(sqlx::Error::Database(told)) = sqlx_error(error) else { return mask(&error.to_string(), &[]) };
    let names: Vec<&str> = [told.table(), told.constraint()].into_iter().flatten().collect();
    let code = told.code().map(|code| format!(" ({code})")).unwrap_or_default();
    mask(told.message(), &names) + &code
}

fn mask(text: &str, names: &[&str]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(['"', '\'', '`']) {
        let quote = &rest[begin..=begin];
        masked.push_str(&rest[..begin]);
        let inside = &rest[begin + 1..];
        // What is never closed may go on to the end.
        let end = inside.find(quote).unwrap_or(inside.len());
        let word = &inside[..end];
        masked.push_str(quote);
        masked.push_str(if names.contains(&word) { word } else { "…" });
        masked.push_str(quote);
        rest = inside.get(end + 1..).unwrap_or_default();
    }
    masked + rest
}
