//! Rows of stock.

pub mod items;

use chrono::{DateTime, Utc};
use domain::id::{ChannelId, CheckoutId, InventoryItemId, LocationId, OrderLineId, VariantId};
use domain::inventory::{MovementReason, Take};
use domain::refusal::{ErrorCode, Refusal};
use entity::{inventory_item, product, reservation, stock_level, stock_movement, variant, variant_item};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationDef};
use uuid::Uuid;

use crate::db::{Conn, any, any_sql, insert_all, statement};
use crate::error::{Error, Result};
use crate::op::Tx;

/// What a variant takes from stock, and how much of it a location has.
#[derive(Debug, Clone)]
pub struct StockRow {
    /// Which variant.
    pub variant: VariantId,
    /// What it takes.
    pub item: InventoryItemId,
    /// How many of it for one piece.
    pub required: i32,
    /// Where.
    pub location: LocationId,
    /// How many lie there.
    pub stocked: i32,
    /// How many of them are promised.
    pub reserved: i32,
}

/// The stock behind variants.
pub async fn of_variants(conn: &Conn, variants: &[VariantId]) -> Result<Vec<StockRow>> {
    let relation: RelationDef = variant_item::Entity::belongs_to(stock_level::Entity)
        .from(variant_item::Column::ItemId)
        .to(stock_level::Column::ItemId)
        .into();
    let rows = variant_item::Entity::find()
        .select_only()
        .columns([
            variant_item::Column::VariantId,
            variant_item::Column::ItemId,
            variant_item::Column::RequiredQuantity,
        ])
        .columns([stock_level::Column::LocationId, stock_level::Column::Stocked, stock_level::Column::Reserved])
        .filter(any(conn, variant_item::Column::VariantId, variants.iter().copied()))
        .join(JoinType::InnerJoin, relation)
        .order_by_asc(stock_level::Column::LocationId)
        .into_tuple()
        .all(conn)
        .await?;
    let row = |(variant, item, required, location, stocked, reserved)| StockRow {
        variant,
        item,
        required,
        location,
        stocked,
        reserved,
    };
    Ok(rows.into_iter().map(row).collect())
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
        let item = inventory_item::Model { id: tx.id(), created_at: tx.now(), sku };
        links.push(variant_item::Model { variant_id, item_id: item.id, required_quantity: 1 });
        for (location_id, stocked) in stocks {
            levels.push(stock_level::Model {
                item_id: item.id,
                location_id,
                stocked,
                reserved: 0,
                updated_at: tx.now(),
            });
            if stocked != 0 {
                movements.push(movement(tx, item.id, location_id, stocked, MovementReason::Initial, None));
            }
        }
        items.push(item);
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

fn movement(
    tx: &Tx,
    item_id: InventoryItemId,
    location_id: LocationId,
    delta: i32,
    reason: MovementReason,
    cause: Option<String>,
) -> stock_movement::Model {
    let (id, at, actor) = (tx.id(), tx.now(), tx.actor().to_string());
    stock_movement::Model { id, at, item_id, location_id, delta, reason, cause, actor }
}

/// The one item of a variant; kits have several and are not adjusted by variant.
pub async fn single_item(conn: &Conn, variant: VariantId) -> Result<Option<InventoryItemId>> {
    let find = variant_item::Entity::find().filter(variant_item::Column::VariantId.eq(variant));
    let links = find.all(conn).await?;
    Ok(match links.as_slice() {
        [link] => Some(link.item_id),
        _ => None,
    })
}

/// A level, locked until the transaction ends.
pub async fn lock_level(tx: &Tx, item: InventoryItemId, location: LocationId) -> Result<Option<stock_level::Model>> {
    Ok(stock_level::Entity::find_by_id((item, location)).lock_exclusive().one(&tx.conn).await?)
}

/// Changes what lies at a location by `delta`, with the movement that says why.
pub async fn change_stocked(
    tx: &mut Tx,
    item: InventoryItemId,
    location: LocationId,
    delta: i32,
    reason: MovementReason,
    cause: Option<String>,
) -> Result<()> {
    tx.wake(item);
    let sql = "update stock_level set stocked = stocked + ?, updated_at = ? where item_id = ? and location_id = ?";
    let values = [delta.into(), tx.now().into(), Uuid::from(item).into(), Uuid::from(location).into()];
    if tx.conn.execute_raw(statement(&tx.conn, sql, values)).await?.rows_affected() == 0 {
        let level = stock_level::Model {
            item_id: item,
            location_id: location,
            stocked: delta,
            reserved: 0,
            updated_at: tx.now(),
        };
        insert_all::<stock_level::Entity>(&tx.conn, vec![level]).await?;
    }
    let row = movement(tx, item, location, delta, reason, cause);
    Ok(insert_all::<stock_movement::Entity>(&tx.conn, vec![row]).await?)
}

/// Promises stock, in the order given, which is the lock order. Answers with
/// the place of the first promise that no longer holds: somebody was faster.
pub async fn reserve(tx: &mut Tx, takes: &[(Take, bool)]) -> Result<Option<usize>> {
    for (place, (take, may_exceed)) in takes.iter().enumerate() {
        tx.wake(take.item);
        let bound = if *may_exceed { "" } else { " and stocked - reserved >= ?" };
        let sql = format!(
            "update stock_level set reserved = reserved + ?, updated_at = ? where item_id = ? and location_id = ?{bound}"
        );
        let mut values: Vec<sea_orm::Value> =
            vec![take.quantity.into(), tx.now().into(), Uuid::from(take.item).into(), Uuid::from(take.location).into()];
        if !may_exceed {
            values.push(take.quantity.into());
        }
        if tx.conn.execute_raw(statement(&tx.conn, &sql, values)).await?.rows_affected() != 1 {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

/// Writes the promises of a checkout.
pub async fn insert_reservations(tx: &mut Tx, rows: Vec<reservation::Model>) -> Result<()> {
    Ok(insert_all::<reservation::Entity>(&tx.conn, rows).await?)
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

/// Gives the promises of a checkout to the lines of its order, by position.
pub async fn move_to_lines(tx: &mut Tx, checkout: CheckoutId, order: domain::id::OrderId) -> Result<()> {
    let sql = "update reservation set order_line_id = (select order_line.id from order_line
        where order_line.order_id = ? and order_line.position = reservation.position) where checkout_id = ?";
    let values = [Uuid::from(order).into(), Uuid::from(checkout).into()];
    tx.conn.execute_raw(statement(&tx.conn, sql, values)).await?;
    Ok(())
}

/// Takes back `quantity` of a promise: the stock is free again.
pub async fn release(tx: &mut Tx, row: &reservation::Model, quantity: i32) -> Result<()> {
    shrink(tx, row, quantity).await?;
    lower(tx, row, quantity, 0).await
}

/// Consumes `quantity` of a promise: the goods leave the location.
pub async fn consume(tx: &mut Tx, row: &reservation::Model, quantity: i32, cause: String) -> Result<()> {
    shrink(tx, row, quantity).await?;
    lower(tx, row, quantity, quantity).await?;
    let row = movement(tx, row.item_id, row.location_id, -quantity, MovementReason::Sold, Some(cause));
    Ok(insert_all::<stock_movement::Entity>(&tx.conn, vec![row]).await?)
}

async fn shrink(tx: &mut Tx, row: &reservation::Model, quantity: i32) -> Result<()> {
    let id = Uuid::from(row.id);
    let (sql, values): (_, Vec<sea_orm::Value>) = if quantity == row.quantity {
        ("delete from reservation where id = ? and quantity = ?", vec![id.into(), quantity.into()])
    } else {
        let sql = "update reservation set quantity = quantity - ? where id = ? and quantity > ?";
        (sql, vec![quantity.into(), id.into(), quantity.into()])
    };
    match tx.conn.execute_raw(statement(&tx.conn, sql, values)).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(Error::internal("a reservation was used twice")),
    }
}

async fn lower(tx: &mut Tx, row: &reservation::Model, reserved: i32, stocked: i32) -> Result<()> {
    tx.wake(row.item_id);
    let sql = "update stock_level set reserved = reserved - ?, stocked = stocked - ?, updated_at = ?
        where item_id = ? and location_id = ? and stocked >= ?";
    let values = [reserved.into(), stocked.into(), tx.now().into(), Uuid::from(row.item_id).into()];
    let values = values.into_iter().chain([Uuid::from(row.location_id).into(), stocked.into()]);
    if tx.conn.execute_raw(statement(&tx.conn, sql, values)).await?.rows_affected() == 1 {
        return Ok(());
    }
    // What was sold before it was there can be packed when it has come.
    let message = "The goods of a line have not come yet: what is promised is more than what lies there.";
    Err(Refusal::new(ErrorCode::InsufficientStock, message).at(["lines"]).into())
}

/// Promises goods again that a canceled fulfillment gave back.
pub async fn restore(tx: &mut Tx, row: reservation::Model, cause: String) -> Result<()> {
    let (item, location, quantity) = (row.item_id, row.location_id, row.quantity);
    change_stocked(tx, item, location, quantity, MovementReason::Restocked, Some(cause)).await?;
    let take = Take { item, location, quantity };
    reserve(tx, &[(take, true)]).await?;
    insert_reservations(tx, vec![row]).await
}
