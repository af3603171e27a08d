//! Rows of what providers answered.

use chrono::{DateTime, Utc};
use entity::provider_answer::{Column, Entity, Model};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use crate::db::Conn;
use crate::error::Result;
use crate::op::Tx;

/// What is kept under these fingerprints and counts at this moment.
pub async fn fresh(conn: &Conn, fingerprints: &[Vec<u8>], now: DateTime<Utc>) -> Result<Vec<Model>> {
    let find = Entity::find().filter(Column::Fingerprint.is_in(fingerprints.iter().cloned()));
    Ok(find.filter(Column::FreshUntil.gt(now)).all(conn).await?)
}

/// Keeps what came of a question. Silence doesn't wipe out an answer: that counts on for a moment.
pub async fn keep(tx: &mut Tx, row: Model) -> Result<()> {
    let mut on_conflict = OnConflict::column(Column::Fingerprint);
    match row.answer.is_some() {
        true => on_conflict.update_columns([Column::Answer, Column::AskedAt, Column::FreshUntil]),
        false => on_conflict.update_column(Column::FreshUntil),
    };
    let row = row.into_active_model().reset_all();
    Entity::insert(row).on_conflict(on_conflict).exec_without_returning(&tx.conn).await?;
    Ok(())
}

/// Whether there is an answer of before this moment.
pub async fn has_stale(conn: &Conn, before: DateTime<Utc>) -> Result<bool> {
    Ok(Entity::find().filter(Column::AskedAt.lt(before)).one(conn).await?.is_some())
}

/// Deletes answers of before this moment.
pub async fn delete_stale(tx: &mut Tx, before: DateTime<Utc>) -> Result<()> {
    Entity::delete_many().filter(Column::AskedAt.lt(before)).exec(&tx.conn).await?;
    Ok(())
}
