//! The one place where levels change: each change also writes a movement or a reservation, and tells when stock has
//! become low or is back.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::id::{InventoryItemId, LocationId};
use domain::inventory::{LOW_STOCK, MovementReason, StockCount, Take, became_low, came_back, free as free_units};
use domain::refusal::{ErrorCode, Refusal};
use entity::{reservation, stock_level, stock_movement};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QuerySelect};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use crate::db::{insert_all, statement};
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::Tx;

/// The event that says that few free units are left of an item at a location.
pub const LOW: &str = "inventory.low_stock";
/// The event that says that there are free units of an item at a location where there were none.
pub const BACK: &str = "inventory.back_in_stock";

/// The event that says that more units are free, or expected, of an item that somebody waits for.
pub const WAITED_FOR: &str = "inventory.more_for_waiting";

/// Which stock: of what, and where.
pub type Place = (InventoryItemId, LocationId);

/// The history of a level.
fn aggregate((item, location): Place) -> Aggregate {
    let mut hash = Sha256::new();
    hash.update(Uuid::from(item).as_bytes());
    hash.update(Uuid::from(location).as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    Aggregate::new("stock_level", Builder::from_random_bytes(bytes).into_uuid())
}

/// A level of which `stocked` lie there and nothing more is known.
pub fn level((item_id, location_id): Place, stocked: i32, at: DateTime<Utc>) -> stock_level::Model {
    stock_level::Model {
        item_id,
        location_id,
        stocked,
        reserved: 0,
        safety: 0,
        incoming: 0,
        incoming_at: None,
        low_stock: LOW_STOCK,
        updated_at: at,
        closed: false,
    }
}

/// What changes about a level, and what must hold of it before.
#[derive(Debug, Clone, Copy, Default)]
struct Change {
    stocked: i32,
    reserved: i32,
    incoming: i32,
    /// So many must lie there.
    least_stocked: i32,
    /// So many must be free.
    least_free: Option<i32>,
    /// So many must be free or on their way.
    least_covered: Option<i32>,
}

/// Whether the level was there, at a location that is there, and met what must hold of it.
async fn change(tx: &mut Tx, place: Place, change: Change) -> Result<bool> {
    tx.wake(place.0);
    let sql = "update stock_level set stocked = stocked + ?, reserved = reserved + ?, incoming = incoming + ?,
            incoming_at = case when incoming + ? > 0 then incoming_at else null end, updated_at = ?
        where item_id = ? and location_id = ? and not closed and stocked >= ?
            and cast(stocked as bigint) - reserved - safety >= ?
            and cast(stocked as bigint) + incoming - reserved - safety >= ?
        returning stocked, reserved, safety, low_stock";
    let least = |bound: Option<i32>| bound.map_or(i64::MIN, i64::from);
    let values = [
        change.stocked.into(),
        change.reserved.into(),
        change.incoming.into(),
        change.incoming.into(),
        tx.now().into(),
        Uuid::from(place.0).into(),
        Uuid::from(place.1).into(),
        change.least_stocked.into(),
        least(change.least_free).into(),
        least(change.least_covered).into(),
    ];
    let Some(row) = tx.conn.query_one_raw(statement(&tx.conn, sql, values)).await? else { return Ok(false) };
    let [stocked, reserved, safety, low] = {
        let number = |index| row.try_get_by_index::<i32>(index);
        [number(0)?, number(1)?, number(2)?, number(3)?]
    };
    let after = free_units(stocked, reserved, safety);
    let before = after - i64::from(change.stocked) + i64::from(change.reserved);
    tell(tx, place, (before, after), low);
    if (after > before || change.incoming > 0) && !came_back(before, after) {
        tell_waiting(tx, place).await?;
    }
    Ok(true)
}

/// A unit more may be what somebody waits for, though there were some before: a kit needs several.
async fn tell_waiting(tx: &mut Tx, place: Place) -> Result<()> {
    if super::waiting::any_for(&tx.conn, place.0).await? {
        tx.emit(aggregate(place), WAITED_FOR, json!({ "item": place.0, "location": place.1 }));
    }
    Ok(())
}

/// Says what of the change is news to somebody.
pub(super) fn tell(tx: &mut Tx, place: Place, (before, after): (i64, i64), low: i32) {
    let payload = json!({ "item": place.0, "location": place.1, "available": after.max(0) });
    if became_low(before, after, low) {
        tx.emit(aggregate(place), LOW, payload);
    } else if came_back(before, after) {
        tx.emit(aggregate(place), BACK, payload);
    }
}

/// Writes the level if there is none yet, as long as its transaction lasts nobody else does.
pub async fn open_level(tx: &mut Tx, place: Place) -> Result<()> {
    let row = level(place, 0, tx.now()).into_active_model().reset_all();
    let both = [stock_level::Column::ItemId, stock_level::Column::LocationId];
    let nothing = OnConflict::columns(both).do_nothing().to_owned();
    stock_level::Entity::insert(row).on_conflict(nothing).exec_without_returning(&tx.conn).await?;
    Ok(())
}

/// Closes the levels of a location that goes. Whoever is changing one is waited for, and whoever comes later changes none.
pub async fn close(tx: &mut Tx, location: LocationId) -> Result<()> {
    let sql = "update stock_level set closed = true, updated_at = ? where location_id = ?";
    let values = [tx.now().into(), Uuid::from(location).into()];
    tx.conn.execute_raw(statement(&tx.conn, sql, values)).await?;
    Ok(())
}

/// A level, locked until the transaction ends.
pub async fn lock_level(tx: &Tx, (item, location): Place) -> Result<Option<stock_level::Model>> {
    Ok(stock_level::Entity::find_by_id((item, location)).lock_exclusive().one(&tx.conn).await?)
}

/// Writes what staff decide about a level: what is kept back, what is low, and when goods are expected. The counts of
/// the row are not written.
pub async fn set_level(tx: &mut Tx, before: &stock_level::Model, after: &stock_level::Model) -> Result<()> {
    let place = (after.item_id, after.location_id);
    tx.wake(place.0);
    let sql = "update stock_level set safety = ?, low_stock = ?, incoming_at = ?, updated_at = ?
        where item_id = ? and location_id = ?";
    let values = [
        after.safety.into(),
        after.low_stock.into(),
        after.incoming_at.into(),
        tx.now().into(),
        Uuid::from(place.0).into(),
        Uuid::from(place.1).into(),
    ];
    tx.conn.execute_raw(statement(&tx.conn, sql, values)).await?;
    let free = |row: &stock_level::Model| free_units(row.stocked, row.reserved, row.safety);
    tell(tx, place, (free(before), free(after)), after.low_stock);
    Ok(())
}

/// What moved, and why.
#[derive(Debug, Clone)]
pub struct Moved {
    /// How many more, or fewer.
    pub delta: i32,
    /// Why.
    pub reason: MovementReason,
    /// The text id of what caused it, or staff's own words.
    pub cause: Option<String>,
}

/// A movement as it is kept.
pub fn movement(tx: &Tx, place: Place, counted: StockCount, moved: Moved) -> stock_movement::Model {
    stock_movement::Model {
        id: tx.id(),
        at: tx.now(),
        item_id: place.0,
        location_id: place.1,
        counted,
        delta: moved.delta,
        reason: moved.reason,
        cause: moved.cause,
        actor: tx.actor().to_string(),
    }
}

async fn keep(tx: &mut Tx, place: Place, counted: StockCount, moved: Moved) -> Result<()> {
    let row = movement(tx, place, counted, moved);
    Ok(insert_all::<stock_movement::Entity>(&tx.conn, vec![row]).await?)
}

/// Changes what lies at a location, with the movement that says why.
pub async fn change_stocked(tx: &mut Tx, place: Place, moved: Moved) -> Result<()> {
    move_by(tx, place, StockCount::Stocked, moved).await
}

/// Changes what is on its way to a location, with the movement that says why.
pub async fn change_incoming(tx: &mut Tx, place: Place, moved: Moved) -> Result<()> {
    move_by(tx, place, StockCount::Incoming, moved).await
}

async fn move_by(tx: &mut Tx, place: Place, counted: StockCount, moved: Moved) -> Result<()> {
    let wanted = match counted {
        StockCount::Stocked => Change { stocked: moved.delta, ..Change::default() },
        StockCount::Incoming => Change { incoming: moved.delta, ..Change::default() },
    };
    if !change(tx, place, wanted).await? {
        open_level(tx, place).await?;
        if !change(tx, place, wanted).await? {
            return Err(Error::internal("a stock level vanished"));
        }
    }
    keep(tx, place, counted, moved).await
}

/// Promises stock in the place of what the same buyer holds already, level by level in the order of item and location,
/// which is the lock order. Answers with the first place at which that can't be done: somebody was faster.
pub async fn reserve(tx: &mut Tx, takes: &[Take], held: BTreeMap<Place, i32>) -> Result<Option<Place>> {
    let mut wanted: BTreeMap<Place, Change> =
        held.iter().map(|(place, held)| (*place, Change { reserved: -held, ..Change::default() })).collect();
    for take in takes {
        let place = (take.item, take.location);
        let own = held.get(&place).copied().unwrap_or(0);
        let wanted = wanted.entry(place).or_default();
        wanted.reserved += take.quantity;
        wanted.least_free = Some(take.firm - own).filter(|_| take.firm > 0);
        wanted.least_covered = Some(take.covered - own).filter(|_| take.covered > take.firm);
    }
    for (place, wanted) in wanted {
        if wanted.reserved != 0 && !change(tx, place, wanted).await? {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

/// A promise of so many units to nobody yet.
pub fn promise(tx: &Tx, (item_id, location_id): Place, quantity: i32) -> reservation::Model {
    reservation::Model {
        id: tx.id(),
        created_at: tx.now(),
        item_id,
        location_id,
        quantity,
        checkout_id: None,
        position: None,
        order_line_id: None,
        cart_id: None,
        expires_at: None,
        note: None,
        may_wait: false,
    }
}

/// Takes back `quantity` of a promise: the stock is free again.
pub async fn release(tx: &mut Tx, row: &reservation::Model, quantity: i32) -> Result<()> {
    shrink(tx, row, quantity).await?;
    lower(tx, row, (quantity, 0), 0).await
}

/// Consumes `quantity` of a promise: the goods leave the location.
pub async fn consume(tx: &mut Tx, row: &reservation::Model, quantity: i32, cause: String) -> Result<()> {
    shrink(tx, row, quantity).await?;
    let others = if row.may_wait { firm_at(tx, (row.item_id, row.location_id)).await? } else { 0 };
    lower(tx, row, (quantity, quantity), others).await?;
    let moved = Moved { delta: -quantity, reason: MovementReason::Sold, cause: Some(cause) };
    keep(tx, (row.item_id, row.location_id), StockCount::Stocked, moved).await
}

/// Frees so many promised units; the promise itself is the caller's to change.
pub async fn free(tx: &mut Tx, place: Place, quantity: i32) -> Result<()> {
    match change(tx, place, Change { reserved: -quantity, ..Change::default() }).await? {
        true => Ok(()),
        false => Err(Error::internal("a stock level vanished")),
    }
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

/// How many units at a level are promised to those who may not wait: whoever may is not served from theirs.
async fn firm_at(tx: &Tx, place: Place) -> Result<i32> {
    lock_level(tx, place).await?;
    let sql = "select cast(coalesce(sum(quantity), 0) as bigint) from reservation
        where item_id = ? and location_id = ? and not may_wait";
    let values = [Uuid::from(place.0).into(), Uuid::from(place.1).into()];
    let row = tx.conn.query_one_raw(statement(&tx.conn, sql, values)).await?;
    let sum: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0);
    Ok(i32::try_from(sum).unwrap_or(i32::MAX))
}

async fn lower(tx: &mut Tx, row: &reservation::Model, (reserved, stocked): (i32, i32), to_stay: i32) -> Result<()> {
    let least_stocked = stocked.saturating_add(to_stay);
    let wanted = Change { stocked: -stocked, reserved: -reserved, least_stocked, ..Change::default() };
    if change(tx, (row.item_id, row.location_id), wanted).await? {
        return Ok(());
    }
    // What was sold before it was there can be packed when it has come.
    let message = "The goods of a line have not come yet: what is promised is more than what lies there.";
    Err(Refusal::new(ErrorCode::InsufficientStock, message).at(["lines"]).into())
}

/// Promises goods again that a canceled fulfillment gave back.
pub async fn restore(tx: &mut Tx, row: reservation::Model, cause: String) -> Result<()> {
    let place = (row.item_id, row.location_id);
    let moved = Moved { delta: row.quantity, reason: MovementReason::Restocked, cause: Some(cause) };
    // Both at once: what was promised all the while never looks free.
    let wanted = Change { stocked: row.quantity, reserved: row.quantity, ..Change::default() };
    if !change(tx, place, wanted).await? {
        return Err(Error::internal("a stock level vanished"));
    }
    keep(tx, place, StockCount::Stocked, moved).await?;
    super::insert_reservations(tx, vec![row]).await
}
