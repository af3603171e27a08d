//! The one append-only log: what happened, in which order, to what.
//!
//! An event is written in the transaction of the change. Its `sequence` is
//! dense per aggregate, taken under the aggregate's lock; its `position` is
//! dense over all and is stamped after commit by the one relay
//! ([`crate::relay`]), so that reading `position > last` never skips a
//! transaction that committed late.

use chrono::{DateTime, Utc};
use entity::event;
use sea_orm::sea_query::{Expr, IntoIden, Query, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Value};
use uuid::Uuid;

use crate::db::{self, Conn};
use crate::error::Result;
use crate::op::Tx;

/// Whose history an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Aggregate {
    /// The noun.
    pub kind: &'static str,
    /// Which one.
    pub id: Uuid,
}

impl Aggregate {
    /// The settings of the shop, of which there is one.
    pub const SETTINGS: Self = Self { kind: "settings", id: Uuid::nil() };

    /// One aggregate of this noun.
    pub fn new(kind: &'static str, id: impl Into<Uuid>) -> Self {
        Self { kind, id: id.into() }
    }
}

/// An event that is about to be written.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Whose history it belongs to.
    pub aggregate: Aggregate,
    /// `noun.past`.
    pub kind: &'static str,
    /// Ids and amounts only.
    pub payload: serde_json::Value,
}

/// Writes the events of a transaction in one statement.
pub async fn append(tx: &Tx, events: &[NewEvent]) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let mut insert = Query::insert();
    insert.into_table(event::Entity).columns(
        [
            event::Column::Id,
            event::Column::AggregateType,
            event::Column::AggregateId,
            event::Column::Sequence,
            event::Column::Kind,
            event::Column::Version,
            event::Column::Payload,
            event::Column::Actor,
            event::Column::At,
        ]
        .map(IntoIden::into_iden),
    );
    for (place, new) in events.iter().enumerate() {
        // Every row of the statement sees the log as it was before it.
        let earlier = events[..place].iter().filter(|other| other.aggregate == new.aggregate).count() as i64;
        let sequence = db::expression(
            &tx.conn,
            "(select coalesce(max(sequence), 0) from event where aggregate_type = ? and aggregate_id = ?) + ?",
            [new.aggregate.kind.into(), new.aggregate.id.into(), (earlier + 1).into()],
        );
        let value = |value: Value| SimpleExpr::from(Expr::val(value));
        insert.values_panic([
            value(tx.id::<Uuid>().into()),
            value(new.aggregate.kind.into()),
            value(new.aggregate.id.into()),
            sequence,
            value(new.kind.into()),
            value(1.into()),
            value(new.payload.clone().into()),
            value(tx.actor().to_string().into()),
            value(tx.now().into()),
        ]);
    }
    tx.conn.execute(&insert).await?;
    Ok(())
}

/// The events of an aggregate after `sequence`, oldest first.
pub async fn after(conn: &Conn, aggregate: Aggregate, sequence: i64, limit: u64) -> Result<Vec<event::Model>> {
    Ok(event::Entity::find()
        .filter(event::Column::AggregateType.eq(aggregate.kind))
        .filter(event::Column::AggregateId.eq(aggregate.id))
        .filter(event::Column::Sequence.gt(sequence))
        .order_by_asc(event::Column::Sequence)
        .limit(limit)
        .all(conn)
        .await?)
}

/// The last events of an aggregate, oldest first.
pub async fn latest(conn: &Conn, aggregate: Aggregate, limit: u64) -> Result<Vec<event::Model>> {
    let mut events = event::Entity::find()
        .filter(event::Column::AggregateType.eq(aggregate.kind))
        .filter(event::Column::AggregateId.eq(aggregate.id))
        .order_by_desc(event::Column::Sequence)
        .limit(limit)
        .all(conn)
        .await?;
    events.reverse();
    Ok(events)
}

/// The last sequence of an aggregate, 0 when nothing happened to it.
pub async fn last_sequence(conn: &Conn, aggregate: Aggregate) -> Result<i64> {
    let sql = "select coalesce(max(sequence), 0) from event where aggregate_type = ? and aggregate_id = ?";
    let statement = db::statement(conn, sql, [aggregate.kind.into(), aggregate.id.into()]);
    let row = conn.query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0))
}

/// The stamped events after `position`, oldest first.
pub async fn stamped_after(conn: &Conn, position: i64, limit: u64) -> Result<Vec<event::Model>> {
    Ok(event::Entity::find()
        .filter(event::Column::Position.gt(position))
        .order_by_asc(event::Column::Position)
        .limit(limit)
        .all(conn)
        .await?)
}

/// How many events have no position yet, and since when the oldest of them waits.
pub async fn unstamped(conn: &Conn) -> Result<(i64, Option<DateTime<Utc>>)> {
    let find = event::Entity::find().select_only().column_as(event::Column::Id.count(), "count");
    let find = find.column_as(event::Column::At.min(), "oldest").filter(event::Column::Position.is_null());
    Ok(find.into_tuple().one(conn).await?.unwrap_or((0, None)))
}

/// The last stamped position, 0 when there is none.
pub async fn last_position(conn: &Conn) -> Result<i64> {
    let row = conn.query_one_raw(db::statement(conn, "select coalesce(max(position), 0) from event", [])).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0))
}
