//! Rows of those who want to know when a variant can be bought again.

use domain::id::{BackInStockRequestId, InventoryItemId, ProductId, VariantId};
use domain::text::Email;
use entity::back_in_stock_request::{Column, Entity, Model};
use entity::{variant, variant_item};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait,
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

/// The requests for variants that take from these items or are of these products, locked, the oldest first.
pub async fn lock_of(tx: &Tx, items: &[InventoryItemId], products: &[ProductId]) -> Result<Vec<Model>> {
    let takers = variant_item::Entity::find().select_only().column(variant_item::Column::VariantId).filter(any(
        &tx.conn,
        variant_item::Column::ItemId,
        items.iter().copied(),
    ));
    let own = variant::Entity::find().select_only().column(variant::Column::Id).filter(any(
        &tx.conn,
        variant::Column::ProductId,
        products.iter().copied(),
    ));
    let among = Condition::any()
        .add(Column::VariantId.in_subquery(takers.into_query()))
        .add(Column::VariantId.in_subquery(own.into_query()));
    Ok(Entity::find().filter(among).order_by_asc(Column::Id).lock_exclusive().all(&tx.conn).await?)
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
