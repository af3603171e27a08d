//! What the statements of the rules find.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::flow::FlowState;
use domain::id::OrderId;
use entity::{flow, order};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Value};
use uuid::Uuid;

use super::rules::Rule;
use super::{Broken, MOST};
use crate::db::{Conn, statement};
use crate::error::Result;

/// How long after its moment something may still be waiting for its turn.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);

/// The rows that break a rule, at most [`MOST`].
pub async fn broken(conn: &Conn, rule: &Rule, now: DateTime<Utc>) -> Result<Vec<Broken>> {
    let due = now - PATIENCE;
    let values = vec![Value::from(due); rule.sql.matches("{due}").count()];
    let own = rule.sql.replace("{due}", "?");
    let sql = format!(
        "select id, other, cast(found as bigint) as found, cast(expected as bigint) as expected
            from ({own}) as broken limit {MOST}"
    );
    let rows = conn.query_all_raw(statement(conn, &sql, values)).await?;
    let mut broken = Vec::with_capacity(rows.len());
    for row in rows {
        let (id, other): (Uuid, Uuid) = (row.try_get("", "id")?, row.try_get("", "other")?);
        let (found, expected): (i64, i64) = (row.try_get("", "found")?, row.try_get("", "expected")?);
        broken.push(Broken {
            rule: rule.says,
            row: (rule.name)(id, other),
            found: format!("{found} instead of {expected}"),
        });
    }
    Ok(broken)
}

/// Orders behind this one, so many, in the order of their ids.
pub async fn orders_after(conn: &Conn, last: Option<OrderId>, limit: u64) -> Result<Vec<order::Model>> {
    let find = order::Entity::find().order_by_asc(order::Column::Id).limit(limit);
    let behind = last.map(|last| order::Column::Id.gt(last));
    Ok(find.filter(Condition::all().add_option(behind)).all(conn).await?)
}

/// The keys of runs that go on, or that staff must look at.
pub async fn running(conn: &Conn) -> Result<BTreeSet<String>> {
    let find = flow::Entity::find().filter(flow::Column::State.is_in([
        FlowState::Running,
        FlowState::Parked,
        FlowState::Stuck,
    ]));
    Ok(find.all(conn).await?.into_iter().map(|row| row.key).collect())
}
