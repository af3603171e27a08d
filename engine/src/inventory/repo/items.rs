//! Items of stock in a list, with what lies of them and what is promised.

use std::collections::{BTreeMap, BTreeSet};

use domain::id::{InventoryItemId, LocationId, VariantId};
use entity::{inventory_item, reservation, stock_level, variant, variant_item};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, JoinType,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, RelationDef,
};

use crate::db::{Conn, any, any_sql, expression, insert_all, statement};
use crate::error::Result;
use crate::op::Tx;
use crate::page::{Key, Page, Place, Rows};

/// How many promises of an item are shown.
pub const MAX_PROMISES: i64 = 50;

/// What items must be to be in the list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ItemFilter {
    /// One of these numbers of the merchant's.
    pub skus: Option<Vec<String>>,
    /// They are kept at one of these locations; any when absent.
    pub locations: Option<Vec<LocationId>>,
    /// Whether few free units are left of them at one of those.
    pub low: bool,
}

/// A page of items in the order in which they came, and their number when it is asked for.
pub async fn page(conn: &Conn, filter: &ItemFilter, page: Page, count: bool) -> Result<Rows<inventory_item::Model>> {
    let mut condition = Condition::all();
    if let Some(skus) = &filter.skus {
        condition = condition.add(inventory_item::Column::Sku.is_in(skus.iter().cloned()));
    }
    let few = match filter.low {
        true => "stock_level.stocked - stock_level.reserved - stock_level.safety <= stock_level.low_stock",
        false => "stock_level.item_id is not null",
    };
    if let Some(locations) = &filter.locations {
        let (list, value) = any_sql(conn, locations.iter().copied());
        let sql = format!(
            "exists (select 1 from stock_level where stock_level.item_id = inventory_item.id
                and stock_level.location_id {list} and {few})"
        );
        condition = condition.add(expression(conn, &sql, [value]));
    } else if filter.low {
        let sql = format!("exists (select 1 from stock_level where stock_level.item_id = inventory_item.id and {few})");
        condition = condition.add(expression(conn, &sql, []));
    }
    let find = inventory_item::Entity::find().filter(condition);
    let total = if count { Some(find.clone().count(conn).await? as i64) } else { None };
    let (key, id) = (inventory_item::Column::CreatedAt.as_column_ref(), inventory_item::Column::Id.as_column_ref());
    let place = page.condition(Expr::col(key), Expr::col(id));
    let rows = find
        .filter(place)
        .order_by(inventory_item::Column::CreatedAt, page.order())
        .order_by(inventory_item::Column::Id, page.order())
        .limit(page.limit())
        .offset(page.offset)
        .all(conn)
        .await?;
    let placed = |row: inventory_item::Model| {
        let place = Place { key: Key::Time(row.created_at), id: row.id.into() };
        (row, place)
    };
    Ok(page.rows(rows.into_iter().map(placed).collect(), total))
}

/// An item by id.
pub async fn find(conn: &Conn, id: InventoryItemId) -> Result<Option<inventory_item::Model>> {
    Ok(inventory_item::Entity::find_by_id(id).one(conn).await?)
}

/// The first item of this number of the merchant's.
pub async fn find_sku(conn: &Conn, sku: &str) -> Result<Option<inventory_item::Model>> {
    let find = inventory_item::Entity::find().filter(inventory_item::Column::Sku.eq(sku));
    Ok(find.order_by_asc(inventory_item::Column::Id).one(conn).await?)
}

/// Items by id.
pub async fn by_ids(conn: &Conn, ids: &[InventoryItemId]) -> Result<Vec<inventory_item::Model>> {
    let find = inventory_item::Entity::find();
    Ok(find.filter(any(conn, inventory_item::Column::Id, ids.iter().copied())).all(conn).await?)
}

/// Those of these items that there are.
pub async fn known(conn: &Conn, items: impl Iterator<Item = InventoryItemId>) -> Result<BTreeSet<InventoryItemId>> {
    let items: Vec<_> = items.collect();
    Ok(by_ids(conn, &items).await?.into_iter().map(|row| row.id).collect())
}

/// How many other variants take from each of these items, where any do.
pub async fn takers(
    conn: &Conn,
    beside: VariantId,
    items: impl Iterator<Item = InventoryItemId>,
) -> Result<BTreeMap<InventoryItemId, i64>> {
    use variant_item::Column;
    let find = variant_item::Entity::find().select_only().column(Column::ItemId);
    let find = find.column_as(Column::VariantId.count(), "count").filter(any(conn, Column::ItemId, items));
    let find = find.filter(Column::VariantId.ne(beside)).group_by(Column::ItemId);
    let counts: Vec<(InventoryItemId, i64)> = find.into_tuple().all(conn).await?;
    Ok(counts.into_iter().collect())
}

/// An item, locked until the transaction ends.
pub async fn lock(tx: &Tx, id: InventoryItemId) -> Result<Option<inventory_item::Model>> {
    Ok(inventory_item::Entity::find_by_id(id).lock_exclusive().one(&tx.conn).await?)
}

/// Writes an item, new or known.
pub async fn save(tx: &mut Tx, row: inventory_item::Model, new: bool) -> Result<inventory_item::Model> {
    let active = row.into_active_model().reset_all();
    Ok(if new { active.insert(&tx.conn).await? } else { active.update(&tx.conn).await? })
}

/// A variant, locked until the transaction ends.
pub async fn lock_variant(tx: &Tx, id: VariantId) -> Result<Option<variant::Model>> {
    let find = variant::Entity::find_by_id(id).filter(variant::Column::DeletedAt.is_null());
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// What a variant takes.
pub async fn of_variant(conn: &Conn, variant: VariantId) -> Result<Vec<variant_item::Model>> {
    let find = variant_item::Entity::find().filter(variant_item::Column::VariantId.eq(variant));
    Ok(find.order_by_asc(variant_item::Column::ItemId).all(conn).await?)
}

/// Writes all that a variant takes.
pub async fn replace(tx: &mut Tx, variant: VariantId, rows: Vec<variant_item::Model>) -> Result<()> {
    let held = variant_item::Entity::delete_many().filter(variant_item::Column::VariantId.eq(variant));
    held.exec(&tx.conn).await?;
    Ok(insert_all::<variant_item::Entity>(&tx.conn, rows).await?)
}

/// Writes that a variant changed.
pub async fn raise_version(tx: &mut Tx, mut row: variant::Model) -> Result<variant::Model> {
    row.version += 1;
    row.updated_at = tx.now();
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// What lies of items at each location.
pub async fn levels_of(conn: &Conn, items: &[InventoryItemId]) -> Result<Vec<stock_level::Model>> {
    let find = stock_level::Entity::find();
    let find = find.filter(any(conn, stock_level::Column::ItemId, items.iter().copied()));
    Ok(find.order_by_asc(stock_level::Column::LocationId).all(conn).await?)
}

/// The variants that take from items, and how many of it for one piece.
pub async fn variants_of(conn: &Conn, items: &[InventoryItemId]) -> Result<Vec<(variant_item::Model, variant::Model)>> {
    let relation: RelationDef = variant_item::Entity::belongs_to(variant::Entity)
        .from(variant_item::Column::VariantId)
        .to(variant::Column::Id)
        .into();
    let rows = variant_item::Entity::find()
        .filter(any(conn, variant_item::Column::ItemId, items.iter().copied()))
        .join(JoinType::InnerJoin, relation)
        .select_also(variant::Entity)
        .filter(variant::Column::DeletedAt.is_null())
        .order_by_asc(variant::Column::Id)
        .all(conn)
        .await?;
    Ok(rows.into_iter().filter_map(|(link, variant)| Some((link, variant?))).collect())
}

/// The latest promises of items, the latest first.
pub async fn promises_of(conn: &Conn, items: &[InventoryItemId]) -> Result<Vec<reservation::Model>> {
    let (list, value) = any_sql(conn, items.iter().copied());
    let sql = format!(
        "select * from (select reservation.*, row_number() over (
                partition by reservation.item_id order by reservation.created_at desc, reservation.id desc) as place
            from reservation where reservation.item_id {list}) as promised
        where promised.place <= {MAX_PROMISES} order by promised.created_at desc, promised.id desc"
    );
    let rows = conn.query_all_raw(statement(conn, &sql, [value])).await?;
    Ok(rows.iter().map(|row| reservation::Model::from_query_result(row, "")).collect::<Result<_, _>>()?)
}
