//! Rows of locations.

use domain::fulfillment::FulfillmentState;
use domain::id::LocationId;
use domain::text::Handle;
use entity::{channel_location, fulfillment, location, reservation, stock_level};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

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

/// The location, locked until the transaction ends.
pub async fn lock(tx: &Tx, id: LocationId) -> Result<Option<location::Model>> {
    let find = location::Entity::find_by_id(id).filter(location::Column::DeletedAt.is_null());
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// Keeps a location from being deleted until the transaction ends; answers with whether it is there.
pub async fn hold(tx: &Tx, id: LocationId) -> Result<bool> {
    let find = location::Entity::find_by_id(id).filter(location::Column::DeletedAt.is_null());
    Ok(find.lock_shared().one(&tx.conn).await?.is_some())
}

/// What keeps a location from being deleted.
#[derive(Debug, Clone, Copy)]
pub struct Use {
    /// Items of which something lies there, or is on its way there.
    pub stocked: u64,
    /// Promises of what lies there.
    pub promised: u64,
    /// Fulfillments that were packed there and have not arrived.
    pub open: u64,
}

/// What a location is used for.
pub async fn used(tx: &Tx, id: LocationId) -> Result<Use> {
    use stock_level::Column::{Incoming, LocationId as At, Stocked};
    let anything = Condition::any().add(Stocked.ne(0)).add(Incoming.ne(0));
    let under_way = fulfillment::Column::State.is_in([FulfillmentState::Packed, FulfillmentState::Shipped]);
    let open = fulfillment::Entity::find().filter(fulfillment::Column::LocationId.eq(id)).filter(under_way);
    let promised = reservation::Entity::find().filter(reservation::Column::LocationId.eq(id));
    Ok(Use {
        stocked: stock_level::Entity::find().filter(At.eq(id)).filter(anything).count(&tx.conn).await?,
        promised: promised.count(&tx.conn).await?,
        open: open.count(&tx.conn).await?,
    })
}

/// Lets a location serve no channel any more.
pub async fn release_channels(tx: &mut Tx, id: LocationId) -> Result<()> {
    channel_location::Entity::delete_many().filter(channel_location::Column::LocationId.eq(id)).exec(&tx.conn).await?;
    Ok(())
}
