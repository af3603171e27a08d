//! Rows of fulfillments.

use domain::id::{FulfillmentId, OrderId};
use entity::{fulfillment, fulfillment_item, fulfillment_line, tracking};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use crate::db::{Conn, any, insert_all};
use crate::error::Result;
use crate::op::Tx;

/// A fulfillment by id.
pub async fn find(conn: &Conn, id: FulfillmentId) -> Result<Option<fulfillment::Model>> {
    Ok(fulfillment::Entity::find_by_id(id).one(conn).await?)
}

/// The fulfillments of orders, oldest first.
pub async fn of_orders(conn: &Conn, orders: &[OrderId]) -> Result<Vec<fulfillment::Model>> {
    Ok(fulfillment::Entity::find()
        .filter(any(conn, fulfillment::Column::OrderId, orders.iter().copied()))
        .order_by_asc(fulfillment::Column::Id)
        .all(conn)
        .await?)
}

/// What is in fulfillments.
pub async fn lines_of(conn: &Conn, ids: &[FulfillmentId]) -> Result<Vec<fulfillment_line::Model>> {
    Ok(fulfillment_line::Entity::find()
        .filter(any(conn, fulfillment_line::Column::FulfillmentId, ids.iter().copied()))
        .order_by_asc(fulfillment_line::Column::Id)
        .all(conn)
        .await?)
}

/// The parcels of fulfillments.
pub async fn trackings_of(conn: &Conn, ids: &[FulfillmentId]) -> Result<Vec<tracking::Model>> {
    Ok(tracking::Entity::find()
        .filter(any(conn, tracking::Column::FulfillmentId, ids.iter().copied()))
        .order_by_asc(tracking::Column::Id)
        .all(conn)
        .await?)
}

/// Which stock a fulfillment consumed.
pub async fn items_of(conn: &Conn, id: FulfillmentId) -> Result<Vec<fulfillment_item::Model>> {
    let find = fulfillment_item::Entity::find().filter(fulfillment_item::Column::FulfillmentId.eq(id));
    Ok(find.order_by_asc(fulfillment_item::Column::ItemId).all(conn).await?)
}

/// Writes a new fulfillment with what is in it and what it consumed.
pub async fn insert(
    tx: &mut Tx,
    row: fulfillment::Model,
    lines: Vec<fulfillment_line::Model>,
    items: Vec<fulfillment_item::Model>,
) -> Result<()> {
    insert_all::<fulfillment::Entity>(&tx.conn, vec![row]).await?;
    insert_all::<fulfillment_line::Entity>(&tx.conn, lines).await?;
    Ok(insert_all::<fulfillment_item::Entity>(&tx.conn, items).await?)
}

/// Writes every column of a fulfillment.
pub async fn update(tx: &mut Tx, row: fulfillment::Model) -> Result<fulfillment::Model> {
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// Writes the numbers of parcels.
pub async fn insert_trackings(tx: &mut Tx, rows: Vec<tracking::Model>) -> Result<()> {
    Ok(insert_all::<tracking::Entity>(&tx.conn, rows).await?)
}
