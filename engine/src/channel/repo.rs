//! Rows of channels and publishable keys.

use std::collections::HashMap;

use domain::id::{ChannelId, PublishableKeyId};
use domain::text::Handle;
use entity::{channel, channel_location, publishable_key};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::db::Conn;
use crate::error::Result;
use crate::op::Tx;

/// What the settings hold of channels: the channels, the keys in force, and
/// which locations serve which channel.
pub async fn all(
    conn: &Conn,
) -> Result<(Vec<channel::Model>, HashMap<String, ChannelId>, Vec<channel_location::Model>)> {
    let channels = channel::Entity::find()
        .filter(channel::Column::DeletedAt.is_null())
        .order_by_asc(channel::Column::Id)
        .all(conn)
        .await?;
    let keys = publishable_key::Entity::find().filter(publishable_key::Column::RevokedAt.is_null()).all(conn).await?;
    let locations = channel_location::Entity::find().all(conn).await?;
    Ok((channels, keys.into_iter().map(|key| (key.token, key.channel_id)).collect(), locations))
}

/// A channel, locked until the transaction ends.
pub async fn lock(tx: &Tx, id: ChannelId) -> Result<Option<channel::Model>> {
    let find = channel::Entity::find_by_id(id).filter(channel::Column::DeletedAt.is_null());
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// A channel with this handle.
pub async fn find_handle(conn: &Conn, handle: &Handle) -> Result<Option<channel::Model>> {
    let find = channel::Entity::find().filter(channel::Column::DeletedAt.is_null());
    Ok(find.filter(channel::Column::Handle.eq(handle.clone())).one(conn).await?)
}

/// Writes a new channel.
pub async fn insert(tx: &mut Tx, row: channel::Model) -> Result<channel::Model> {
    Ok(row.into_active_model().reset_all().insert(&tx.conn).await?)
}

/// Writes every column of a channel.
pub async fn update(tx: &mut Tx, row: channel::Model) -> Result<channel::Model> {
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// The keys of channels that are in force, oldest first.
pub async fn keys_of(conn: &Conn, channels: &[ChannelId]) -> Result<Vec<publishable_key::Model>> {
    Ok(publishable_key::Entity::find()
        .filter(crate::db::any(conn, publishable_key::Column::ChannelId, channels.iter().copied()))
        .filter(publishable_key::Column::RevokedAt.is_null())
        .order_by_asc(publishable_key::Column::Id)
        .all(conn)
        .await?)
}

/// How many keys are in force.
pub async fn count_keys(conn: &Conn) -> Result<u64> {
    Ok(publishable_key::Entity::find().filter(publishable_key::Column::RevokedAt.is_null()).count(conn).await?)
}

/// Writes a new key.
pub async fn insert_key(tx: &mut Tx, row: publishable_key::Model) -> Result<publishable_key::Model> {
    Ok(row.into_active_model().reset_all().insert(&tx.conn).await?)
}

/// A key by id.
pub async fn find_key(conn: &Conn, id: PublishableKeyId) -> Result<Option<publishable_key::Model>> {
    Ok(publishable_key::Entity::find_by_id(id).one(conn).await?)
}
