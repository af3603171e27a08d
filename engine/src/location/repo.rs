//! Rows of locations.

use domain::text::Handle;
use entity::location;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use crate::db::Conn;
use crate::error::Result;
use crate::op::Tx;

/// Every location, the one that is taken from first in front.
pub async fn all(conn: &Conn) -> Result<Vec<location::Model>> {
    Ok(location::Entity::find()
        .filter(location::Column::DeletedAt.is_null())
        .order_by_asc(location::Column::Priority)
        .order_by_asc(location::Column::Id)
        .all(conn)
        .await?)
}

/// The location with this handle, locked until the transaction ends.
pub async fn lock_handle(tx: &Tx, handle: &Handle) -> Result<Option<location::Model>> {
    let find = location::Entity::find().filter(location::Column::DeletedAt.is_null());
    Ok(find.filter(location::Column::Handle.eq(handle.clone())).lock_exclusive().one(&tx.conn).await?)
}

/// Writes a location, new or known.
pub async fn save(tx: &mut Tx, row: location::Model, new: bool) -> Result<location::Model> {
    let active = row.into_active_model().reset_all();
    Ok(if new { active.insert(&tx.conn).await? } else { active.update(&tx.conn).await? })
}
