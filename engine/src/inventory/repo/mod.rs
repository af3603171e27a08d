//! Rows of stock.

pub mod items;
pub mod kept;
mod levels;
pub mod waiting;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::id::{CartId, ChannelId, CheckoutId, InventoryItemId, LocationId, OrderLineId, ReservationId, VariantId};
use domain::inventory::{Counted, MovementReason, StockCount};
use entity::{inventory_item, product, reservation, stock_level, stock_movement, variant, variant_item};
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, JoinType, QueryFilter,
    QueryOrder, QueryResult, QuerySelect, RelationDef,
};
use uuid::Uuid;

use crate::db::{Conn, any, any_sql, insert_all, statement};
use crate::error::{Error, Result};
use crate::op::Tx;

pub use levels::{
    BACK, LOW, Moved, Place, WAITED_FOR, change_incoming, change_stocked, close, consume, free, level, lock_level,
    movement, open_level, promise, release, reserve, restore, set_level,
};

/// What a variant takes from stock, and how much of it a location has.
#[derive(Debug, Clone)]
pub struct StockRow {
    /// Which variant.
    pub variant: VariantId,
    /// What it takes.
    pub item: InventoryItemId,
    /// How many of it for one piece.
    pub required: i32,
    /// What of it is where; nothing when it is kept nowhere.
    pub level: Option<stock_level::Model>,
}

impl StockRow {
    /// What can be sold of it, of what is there.
    pub fn counted(&self) -> Counted {
        let level = self.level.as_ref();
        Counted {
            item: self.item,
            required: self.required,
            free: level.map_or(0, |row| domain::inventory::free(row.stocked, row.reserved, row.safety)),
            incoming: level.map_or(0, |row| row.incoming),
            low: level.map_or(0, |row| row.low_stock),
        }
    }
}

/// The stock behind variants.
pub async fn of_variants(conn: &Conn, variants: &[VariantId]) -> Result<Vec<StockRow>> {
    let (list, value) = any_sql(conn, variants.iter().copied());
    let sql = format!(
        "select link.variant_id, link.item_id, link.required_quantity, level.location_id, level.stocked, level.reserved,
            level.safety, level.incoming, level.incoming_at, level.low_stock, level.updated_at, level.closed
        from variant_item link left join stock_level level on level.item_id = link.item_id
        where link.variant_id {list} order by link.item_id, level.location_id"
    );
    let read = |row: QueryResult| {
        let item_id = row.try_get_by_index(1)?;
        let level = |location_id| {
            Ok::<_, DbErr>(stock_level::Model {
                item_id,
                location_id,
                stocked: row.try_get_by_index(4)?,
                reserved: row.try_get_by_index(5)?,
                safety: row.try_get_by_index(6)?,
                incoming: row.try_get_by_index(7)?,
                incoming_at: row.try_get_by_index(8)?,
                low_stock: row.try_get_by_index(9)?,
                updated_at: row.try_get_by_index(10)?,
                closed: row.try_get_by_index(11)?,
            })
        };
        Ok(StockRow {
            variant: row.try_get_by_index(0)?,
            item: item_id,
            required: row.try_get_by_index(2)?,
            level: row.try_get_by_index::<Option<LocationId>>(3)?.map(level).transpose()?,
        })
    };
    conn.query_all_raw(statement(conn, &sql, [value])).await?.into_iter().map(read).collect()
}

/// The items that variants take from.
pub async fn items_of(conn: &Conn, variants: &[VariantId]) -> Result<Vec<InventoryItemId>> {
    let find = variant_item::Entity::find();
    let links = find.filter(any(conn, variant_item::Column::VariantId, variants.iter().copied())).all(conn).await?;
    Ok(links.into_iter().map(|link| link.item_id).collect())
}

/// The variants of these that are for sale in a channel.
pub async fn for_sale(
    conn: &Conn,
    variants: &[VariantId],
    channel: ChannelId,
    now: DateTime<Utc>,
) -> Result<Vec<variant::Model>> {
    let to_product: RelationDef =
        variant::Entity::belongs_to(product::Entity).from(variant::Column::ProductId).to(product::Column::Id).into();
    Ok(variant::Entity::find()
        .filter(any(conn, variant::Column::Id, variants.iter().copied()))
        .filter(variant::Column::DeletedAt.is_null())
        .filter(crate::catalog::repo::listing::published(conn, channel, now))
        .join(JoinType::InnerJoin, to_product)
        .all(conn)
        .await?)
}

/// A new variant with its number and what lies of it at which locations.
pub type Opened = (VariantId, Option<String>, Vec<(LocationId, i32)>);

/// Makes the items of new variants with what lies at a location.
pub async fn open(tx: &mut Tx, location: LocationId, variants: Vec<(VariantId, Option<String>, i32)>) -> Result<()> {
    let at = |(variant, sku, stocked)| (variant, sku, vec![(location, stocked)]);
    open_at(tx, variants.into_iter().map(at).collect()).await
}

/// Makes the items of new variants with what lies at each of several locations.
pub async fn open_at(tx: &mut Tx, variants: Vec<Opened>) -> Result<()> {
    let mut items = Vec::new();
    let mut links = Vec::new();
    let mut levels = Vec::new();
    let mut movements = Vec::new();
    for (variant_id, sku, stocks) in variants {
        let item = inventory_item::Model { id: tx.id(), created_at: tx.now(), sku, title: None };
        links.push(variant_item::Model { variant_id, item_id: item.id, required_quantity: 1 });
        for (location_id, stocked) in stocks {
            let place = (item.id, location_id);
            levels.push(level(place, stocked, tx.now()));
            if stocked != 0 {
                let moved = Moved { delta: stocked, reason: MovementReason::Initial, cause: None };
                movements.push(movement(tx, place, StockCount::Stocked, moved));
            }
        }
        items.push(item);
    }
    // Nothing lies at a location that goes at the same moment.
    for location in levels.iter().map(|level| level.location_id).collect::<BTreeSet<_>>() {
        if !crate::location::repo::hold(tx, location).await? {
            return Err(Error::Raced);
        }
    }
    insert_all::<inventory_item::Entity>(&tx.conn, items).await?;
    insert_all::<variant_item::Entity>(&tx.conn, links).await?;
    insert_all::<stock_level::Entity>(&tx.conn, levels).await?;
    Ok(insert_all::<stock_movement::Entity>(&tx.conn, movements).await?)
}

/// Gives the items of variants the numbers that the variants have now. What
/// several variants take from keeps its own number.
pub async fn rename_items(tx: &mut Tx, variants: &[VariantId]) -> Result<()> {
    if variants.is_empty() {
        return Ok(());
    }
    let (list, value) = any_sql(&tx.conn, variants.iter().copied());
    let sql = format!(
        "update inventory_item set sku = (select variant.sku from variant_item
            join variant on variant.id = variant_item.variant_id where variant_item.item_id = inventory_item.id)
        where id in (select item_id from variant_item where variant_id {list})
            and (select count(*) from variant_item where variant_item.item_id = inventory_item.id) = 1
            and (select count(*) from variant_item other where other.variant_id =
                (select variant_id from variant_item where variant_item.item_id = inventory_item.id)) = 1"
    );
    tx.conn.execute_raw(statement(&tx.conn, &sql, [value])).await?;
    Ok(())
}

/// Writes the promises of a checkout.
pub async fn insert_reservations(tx: &mut Tx, rows: Vec<reservation::Model>) -> Result<()> {
    Ok(insert_all::<reservation::Entity>(&tx.conn, rows).await?)
}

/// A promise by id.
pub async fn find_reservation(conn: &Conn, id: ReservationId) -> Result<Option<reservation::Model>> {
    Ok(reservation::Entity::find_by_id(id).one(conn).await?)
}

/// A promise, locked until the transaction ends.
pub async fn lock_reservation(tx: &Tx, id: ReservationId) -> Result<Option<reservation::Model>> {
    Ok(reservation::Entity::find_by_id(id).lock_exclusive().one(&tx.conn).await?)
}

/// Writes every column of a promise; the level is the caller's to change.
pub async fn update_reservation(tx: &mut Tx, row: reservation::Model) -> Result<()> {
    row.into_active_model().reset_all().update(&tx.conn).await?;
    Ok(())
}

/// What is held for a cart.
pub async fn holds_of(conn: &Conn, cart: CartId) -> Result<Vec<reservation::Model>> {
    Ok(in_lock_order(reservation::Entity::find().filter(reservation::Column::CartId.eq(cart)), conn).await?)
}

/// Deletes what is held for a cart; answers with how many rows that were. The levels are the caller's to change.
pub async fn delete_holds(tx: &mut Tx, cart: CartId) -> Result<u64> {
    let delete = reservation::Entity::delete_many().filter(reservation::Column::CartId.eq(cart));
    Ok(delete.exec(&tx.conn).await?.rows_affected)
}

/// Ends what is held for the carts of a channel: it is freed within moments, as what has expired is.
pub async fn end_holds_of(tx: &mut Tx, channel: ChannelId) -> Result<()> {
    let sql = "update reservation set expires_at = ? where cart_id in (select id from cart where channel_id = ?)";
    let values = [tx.now().into(), Uuid::from(channel).into()];
    tx.conn.execute_raw(statement(&tx.conn, sql, values)).await?;
    Ok(())
}

/// Some of what ended by itself at this moment or before.
pub async fn has_expired(conn: &Conn, now: DateTime<Utc>) -> Result<bool> {
    let find = reservation::Entity::find().filter(reservation::Column::ExpiresAt.lte(now));
    Ok(find.one(conn).await?.is_some())
}

/// So many of those, locked, in lock order.
pub async fn lock_expired(tx: &Tx, limit: u64) -> Result<Vec<reservation::Model>> {
    let find = reservation::Entity::find().filter(reservation::Column::ExpiresAt.lte(tx.now()));
    let find = find.limit(limit).lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    Ok(in_lock_order(find, &tx.conn).await?)
}

/// The promises of a checkout in lock order.
pub async fn reservations_of_checkout(conn: &Conn, checkout: CheckoutId) -> Result<Vec<reservation::Model>> {
    Ok(in_lock_order(reservation::Entity::find().filter(reservation::Column::CheckoutId.eq(checkout)), conn).await?)
}

/// The promises of order lines in lock order.
pub async fn reservations_of_lines(conn: &Conn, lines: &[OrderLineId]) -> Result<Vec<reservation::Model>> {
    let find = reservation::Entity::find().filter(any(conn, reservation::Column::OrderLineId, lines.iter().copied()));
    Ok(in_lock_order(find, conn).await?)
}

async fn in_lock_order(
    find: sea_orm::Select<reservation::Entity>,
    conn: &Conn,
) -> Result<Vec<reservation::Model>, sea_orm::DbErr> {
    let find = find.order_by_asc(reservation::Column::ItemId).order_by_asc(reservation::Column::LocationId);
    find.order_by_asc(reservation::Column::Id).all(conn).await
}
