//! Rows of policies.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::id::{ChannelId, PolicyId};
use domain::policy::PolicyKind;
use entity::policy;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

use crate::db::{Conn, any};
use crate::error::Result;
use crate::op::Tx;

/// A policy without its text.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Heading {
    /// Which one.
    pub id: PolicyId,
    /// What it is about.
    pub kind: PolicyKind,
    /// Of this channel alone; of the whole shop when absent.
    pub channel_id: Option<ChannelId>,
    /// Its title in the shop's own language.
    pub title: String,
    /// When it was written.
    pub updated_at: DateTime<Utc>,
}

/// Every policy in force, without the texts.
pub async fn headings(conn: &Conn) -> Result<Vec<Heading>> {
    use policy::Column;
    Ok(policy::Entity::find()
        .select_only()
        .columns([Column::Id, Column::Kind, Column::ChannelId, Column::Title, Column::UpdatedAt])
        .filter(Column::DeletedAt.is_null())
        .into_model::<Heading>()
        .all(conn)
        .await?)
}

/// The texts of policies in the shop's own language, also of those that were just taken away.
pub async fn bodies(conn: &Conn, ids: &[PolicyId]) -> Result<HashMap<PolicyId, String>> {
    let rows: Vec<(PolicyId, String)> = policy::Entity::find()
        .select_only()
        .columns([policy::Column::Id, policy::Column::BodyHtml])
        .filter(any(conn, policy::Column::Id, ids.iter().copied()))
        .into_tuple()
        .all(conn)
        .await?;
    Ok(rows.into_iter().collect())
}

/// The policies of a channel alone, or of the whole shop, in the order of the kinds.
pub async fn of(conn: &Conn, channel: Option<ChannelId>) -> Result<Vec<policy::Model>> {
    let find = policy::Entity::find().filter(policy::Column::DeletedAt.is_null());
    let mut rows = find.filter(belongs(channel)).order_by_asc(policy::Column::Id).all(conn).await?;
    rows.sort_by_key(|row| row.kind);
    Ok(rows)
}

fn belongs(channel: Option<ChannelId>) -> sea_orm::sea_query::SimpleExpr {
    match channel {
        Some(channel) => policy::Column::ChannelId.eq(channel),
        None => policy::Column::ChannelId.is_null(),
    }
}

/// A policy in force.
pub async fn find(conn: &Conn, id: PolicyId) -> Result<Option<policy::Model>> {
    Ok(policy::Entity::find_by_id(id).filter(policy::Column::DeletedAt.is_null()).one(conn).await?)
}

/// The same, locked until the transaction ends.
pub async fn lock(tx: &Tx, id: PolicyId) -> Result<Option<policy::Model>> {
    let find = policy::Entity::find_by_id(id).filter(policy::Column::DeletedAt.is_null());
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// The policy of a kind, locked until the transaction ends.
pub async fn lock_kind(tx: &Tx, kind: PolicyKind, channel: Option<ChannelId>) -> Result<Option<policy::Model>> {
    let find = policy::Entity::find().filter(policy::Column::DeletedAt.is_null());
    let find = find.filter(policy::Column::Kind.eq(kind)).filter(belongs(channel));
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// Writes a policy, new or known.
pub async fn save(tx: &mut Tx, row: policy::Model, new: bool) -> Result<policy::Model> {
    let active = row.into_active_model().reset_all();
    Ok(if new { active.insert(&tx.conn).await? } else { active.update(&tx.conn).await? })
}
