//! Rows of those who want to know when a variant can be bought again.

use domain::id::{BackInStockRequestId, InventoryItemId, VariantId};
use domain::text::Email;
use entity::back_in_stock_request::{Column, Entity, Model};
use entity::{variant, variant_item};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::db::{Conn, any, statement};
use crate::error::Result;
use crate::op::Tx;

/// How many requests wait for a mailbox.
pub async fn count_of(conn: &Conn, email: &Email) -> Result<u64> {
    Ok(Entity::find().filter(Column::Email.eq(email.clone())).count(conn).await?)
}

/// Whether anybody waits for a variant that takes from this item.
pub async fn any_for(conn: &Conn, item: InventoryItemId) -> Result<bool> {
    let sql = "select 1 from variant_item join back_in_stock_request
            on back_in_stock_request.variant_id = variant_item.variant_id
        where variant_item.item_id = ? limit 1";
    Ok(conn.query_one_raw(statement(conn, sql, [Uuid::from(item).into()])).await?.is_some())
}

/// Writes a request, unless the same one waits already.
pub async fn insert_once(tx: &mut Tx, row: Model) -> Result<()> {
    let same = [Column::VariantId, Column::ChannelId, Column::Email];
    let nothing = OnConflict::columns(same).do_nothing().to_owned();
    let row = row.into_active_model().reset_all();
    Entity::insert(row).on_conflict(nothing).exec_without_returning(&tx.conn).await?;
    Ok(())
}

/// The requests for variants that take from these items, locked, the oldest first.
pub async fn lock_of_items(tx: &Tx, items: &[InventoryItemId]) -> Result<Vec<Model>> {
    let takers =
        variant_item::Entity::find().filter(any(&tx.conn, variant_item::Column::ItemId, items.iter().copied()));
    let takers: Vec<VariantId> = takers.all(&tx.conn).await?.into_iter().map(|link| link.variant_id).collect();
    let find = Entity::find().filter(any(&tx.conn, Column::VariantId, takers));
    Ok(find.order_by_asc(Column::Id).lock_exclusive().all(&tx.conn).await?)
}

/// Variants by id.
pub async fn variants(conn: &Conn, ids: &[VariantId]) -> Result<Vec<variant::Model>> {
    let find = variant::Entity::find().filter(any(conn, variant::Column::Id, ids.iter().copied()));
    Ok(find.filter(variant::Column::DeletedAt.is_null()).all(conn).await?)
}

/// Deletes requests.
pub async fn delete(tx: &mut Tx, ids: &[BackInStockRequestId]) -> Result<()> {
    Entity::delete_many().filter(any(&tx.conn, Column::Id, ids.iter().copied())).exec(&tx.conn).await?;
    Ok(())
}

/// How many wait for each of these variants, where anybody does.
pub async fn counts(conn: &Conn, variants: &[VariantId]) -> Result<Vec<(VariantId, i64)>> {
    let find = Entity::find().select_only().column(Column::VariantId).column_as(Column::Id.count(), "count");
    let find = find.filter(any(conn, Column::VariantId, variants.iter().copied())).group_by(Column::VariantId);
    Ok(find.into_tuple().all(conn).await?)
}
