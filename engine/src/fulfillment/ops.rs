//! What staff do with the goods of an order.

use std::collections::BTreeMap;

use domain::auth::Permission;
use domain::fulfillment::{FulfillmentState, check_lines, may_cancel, may_deliver, may_ship};
use domain::id::{FulfillmentId, InventoryItemId, LocationId, OrderId, OrderLineId};
use domain::order::OrderStatus;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::title;
use entity::{fulfillment, fulfillment_item, fulfillment_line, order, order_line, reservation, tracking};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::repo;
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::op::{Op, Repeatable, Tx};
use crate::order::aggregate;
use crate::scope;

const WRITE: Need = Need::Permission(Permission::OrdersWrite);

/// The most parcels of a fulfillment.
const MAX_TRACKINGS: usize = 100;

/// Packs lines of an order at one location.
#[derive(Debug, Clone, Serialize)]
pub struct CreateFulfillment {
    /// Which order.
    pub order: OrderId,
    /// Which lines and how many of each; everything that is open when absent.
    pub lines: Option<Vec<(OrderLineId, i32)>>,
    /// Where; when absent, the one location that holds all of it.
    pub location: Option<LocationId>,
}

impl Op for CreateFulfillment {
    const NAME: &'static str = "fulfillment.create";
    const NEEDS: Need = WRITE;
    type Out = FulfillmentId;

    async fn run(&self, tx: &mut Tx) -> Result<FulfillmentId> {
        let (order, mut lines) = lock_open(tx, self.order).await?;
        let open: Vec<_> = lines
            .iter()
            .map(|line| (line.id, line.ordered - line.canceled - line.fulfilled))
            .filter(|(_, left)| *left > 0)
            .collect();
        let asked = self.lines.clone().unwrap_or_else(|| open.clone());
        if open.is_empty() {
            return Err(Refusal::new(ErrorCode::StateInvalid, "Everything of this order is packed.").into());
        }
        check_lines(&asked, &open)?;
        let ids: Vec<OrderLineId> = asked.iter().map(|(line, _)| *line).collect();
        let promised = crate::inventory::repo::reservations_of_lines(&tx.conn, &ids).await?;
        let location = self.place(tx, &order, &promised).await?;
        if !crate::location::repo::hold(tx, location).await? {
            // It went at this moment: what was read of it is read anew.
            return Err(Error::Raced);
        }
        let row = fulfillment::Model {
            id: tx.id(),
            version: 1,
            created_at: tx.now(),
            updated_at: tx.now(),
            order_id: order.id,
            location_id: location,
            state: FulfillmentState::Packed,
            shipped_at: None,
            delivered_at: None,
            canceled_at: None,
        };
        let id = row.id;
        let consumed = consume(tx, id, &lines, &asked, &promised, location).await?;
        let line_row = |(order_line_id, quantity): &(OrderLineId, i32)| fulfillment_line::Model {
            id: tx.id(),
            fulfillment_id: id,
            order_line_id: *order_line_id,
            quantity: *quantity,
        };
        let packed: Vec<_> = asked.iter().map(line_row).collect();
        repo::insert(tx, row, packed, consumed).await?;
        count(tx, &mut lines, &asked, |line, quantity| line.fulfilled += quantity).await?;
        changed(tx, order, &lines, "fulfillment.created", id).await?;
        Ok(id)
    }
}

impl CreateFulfillment {
    /// The location that was named, or the only one that holds what was promised.
    async fn place(&self, tx: &mut Tx, order: &order::Model, promised: &[reservation::Model]) -> Result<LocationId> {
        let settings = tx.settings().await?;
        let reach = scope::locations(tx.actor(), Permission::OrdersWrite);
        if let Some(id) = self.location {
            let known = reach.holds(id) && settings.locations.iter().any(|location| location.id == id);
            let missing = Refusal::new(ErrorCode::NotFound, "There is no such location.").at(["locationId"]);
            return if known { Ok(id) } else { Err(missing.into()) };
        }
        let mut places: Vec<LocationId> = promised.iter().map(|row| row.location_id).collect();
        places.sort();
        places.dedup();
        match places.as_slice() {
            [only] if reach.holds(*only) => Ok(*only),
            [_] => Err(scope::out_of_scope("the stock of a location").into()),
            [] => {
                let serving = settings.locations_of(order.channel_id);
                let first = serving.iter().map(|location| location.id).find(|id| reach.holds(*id));
                match first {
                    Some(first) => Ok(first),
                    None if serving.is_empty() => Err(Error::internal("the shop has no location")),
                    None => Err(scope::out_of_scope("the goods of a location").into()),
                }
            }
            _ => Err(Refusal::new(
                ErrorCode::Required,
                "The goods are promised at several locations: name one, and the lines that it sends.",
            )
            .at(["locationId"])
            .into()),
        }
    }
}

/// Uses the promises of the lines at this location. A line of which more is
/// packed than is promised there is refused: packing never takes other stock.
async fn consume(
    tx: &mut Tx,
    fulfillment: FulfillmentId,
    lines: &[order_line::Model],
    asked: &[(OrderLineId, i32)],
    promised: &[reservation::Model],
    location: LocationId,
) -> Result<Vec<fulfillment_item::Model>> {
    let mut refusals = Refusals::default();
    let mut uses: Vec<(&reservation::Model, i32)> = Vec::new();
    for (place, (line_id, quantity)) in asked.iter().enumerate() {
        let Some(line) = lines.iter().find(|line| line.id == *line_id) else { continue };
        // For one piece, an item is needed as often as it was promised for all that is open.
        let open = line.ordered - line.canceled - line.fulfilled;
        let mut needed: BTreeMap<InventoryItemId, i32> = BTreeMap::new();
        for row in promised.iter().filter(|row| row.order_line_id == Some(*line_id)) {
            *needed.entry(row.item_id).or_default() += row.quantity;
        }
        for (item, total) in needed {
            let mut left = total / open * quantity;
            let here = promised.iter().filter(|row| {
                row.order_line_id == Some(*line_id) && row.item_id == item && row.location_id == location
            });
            for row in here {
                let used = left.min(row.quantity);
                if used > 0 {
                    uses.push((row, used));
                    left -= used;
                }
            }
            if left > 0 {
                let at = ["lines".to_owned(), place.to_string(), "quantity".to_owned()];
                let message = "Less than that is promised to this line at this location.";
                refusals.push(Refusal::new(ErrorCode::InsufficientStock, message).about(line_id).at(at));
            }
        }
    }
    refusals.into_result()?;
    // Levels change in the order of item and location, as everywhere.
    uses.sort_by_key(|(row, _)| (row.item_id, row.location_id));
    let mut items: BTreeMap<(OrderLineId, InventoryItemId), i32> = BTreeMap::new();
    for (row, used) in uses {
        crate::inventory::repo::consume(tx, row, used, fulfillment.to_string()).await?;
        if let Some(line) = row.order_line_id {
            *items.entry((line, row.item_id)).or_default() += used;
        }
    }
    let row = |((order_line_id, item_id), quantity)| fulfillment_item::Model {
        fulfillment_id: fulfillment,
        order_line_id,
        item_id,
        quantity,
    };
    Ok(items.into_iter().map(row).collect())
}

impl Repeatable for CreateFulfillment {
    fn entity(out: &FulfillmentId) -> Uuid {
        (*out).into()
    }

    async fn replay(&self, _: &mut Tx, entity: Uuid) -> Result<FulfillmentId> {
        Ok(entity.into())
    }
}

/// An order that is not canceled, locked, with its lines.
async fn lock_open(tx: &mut Tx, id: OrderId) -> Result<(order::Model, Vec<order_line::Model>)> {
    let missing = || Refusal::new(ErrorCode::NotFound, "There is no such order.").at(["orderId"]);
    let order = crate::order::access::lock(tx, Permission::OrdersWrite, id).await?.ok_or_else(missing)?;
    if !matches!(order.status, OrderStatus::Open | OrderStatus::Completed) {
        return Err(Refusal::new(ErrorCode::StateInvalid, "The order is not open.").about(order.id).into());
    }
    let lines = crate::order::repo::lines_of(&tx.conn, &[id]).await?;
    Ok((order, lines))
}

async fn count(
    tx: &mut Tx,
    lines: &mut [order_line::Model],
    changes: &[(OrderLineId, i32)],
    change: impl Fn(&mut order_line::Model, i32),
) -> Result<()> {
    for (id, quantity) in changes {
        let line = lines.iter_mut().find(|line| line.id == *id);
        let line = line.ok_or_else(|| Error::internal("a fulfillment holds another order's line"))?;
        change(line, *quantity);
        crate::order::repo::update_line(tx, line.clone()).await?;
    }
    Ok(())
}

async fn changed(
    tx: &mut Tx,
    order: order::Model,
    lines: &[order_line::Model],
    kind: &'static str,
    id: FulfillmentId,
) -> Result<order::Model> {
    let paid = crate::payment::repo::paid_of(&tx.conn, order.id).await?;
    let before = json!({ "fulfillmentStatus": order.fulfillment_status });
    let order = crate::order::repo::save_statuses(tx, order, &paid, lines).await?;
    tx.emit(aggregate(order.id), kind, json!({ "fulfillment": id }));
    tx.audit(id, Some(before), Some(json!({ "fulfillmentStatus": order.fulfillment_status })));
    Ok(order)
}

/// A fulfillment under its order's lock.
struct Held {
    row: fulfillment::Model,
    order: order::Model,
    lines: Vec<order_line::Model>,
    packed: Vec<(OrderLineId, i32)>,
}

async fn hold(tx: &mut Tx, id: FulfillmentId) -> Result<Held> {
    let missing = || Refusal::new(ErrorCode::NotFound, "There is no such fulfillment.").at(["id"]);
    let reach = scope::locations(tx.actor(), Permission::OrdersWrite);
    let found = repo::find(&tx.conn, id).await?.filter(|row| reach.holds(row.location_id)).ok_or_else(missing)?;
    let (order, lines) = lock_open(tx, found.order_id).await?;
    // Read again: it may have changed while the lock was waited for.
    let row = repo::find(&tx.conn, id).await?.ok_or_else(missing)?;
    let packed = repo::lines_of(&tx.conn, &[id]).await?;
    let packed = packed.into_iter().map(|line| (line.order_line_id, line.quantity)).collect();
    Ok(Held { row, order, lines, packed })
}

/// A parcel's number at its carrier.
#[derive(Debug, Clone)]
pub struct NewTracking {
    /// The number.
    pub number: String,
    /// The carrier's name.
    pub carrier: Option<String>,
    /// Where the parcel can be followed.
    pub url: Option<String>,
}

/// Says that a fulfillment is on its way.
#[derive(Debug, Clone)]
pub struct ShipFulfillment {
    /// Which one.
    pub id: FulfillmentId,
    /// The numbers of its parcels.
    pub trackings: Vec<NewTracking>,
}

impl ShipFulfillment {
    fn check(&self) -> Result<(), Vec<Refusal>> {
        let mut refusals = Refusals::default();
        if self.trackings.len() > MAX_TRACKINGS {
            let message = format!("A fulfillment has at most {MAX_TRACKINGS} parcels.");
            let refusal = Refusal::new(ErrorCode::TooMany, message).limit(MAX_TRACKINGS as i64);
            refusals.push(refusal.at(["trackings"]));
        }
        for (place, parcel) in self.trackings.iter().enumerate() {
            let at = |name: &str| ["trackings".to_owned(), place.to_string(), name.to_owned()];
            refusals.keep(title(&parcel.number).map_err(|refusal| refusal.at(at("number"))));
            if let Some(carrier) = &parcel.carrier {
                refusals.keep(title(carrier).map_err(|refusal| refusal.at(at("carrier"))));
            }
            let web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
            if parcel.url.as_ref().is_some_and(|url| !web(url) || url.len() > 2048) {
                let refusal = Refusal::new(ErrorCode::Invalid, "This is not a web address.");
                refusals.push(refusal.at(at("url")));
            }
        }
        refusals.into_result()
    }
}

impl Op for ShipFulfillment {
    const NAME: &'static str = "fulfillment.ship";
    const NEEDS: Need = WRITE;
    type Out = FulfillmentId;

    async fn run(&self, tx: &mut Tx) -> Result<FulfillmentId> {
        self.check()?;
        let mut held = hold(tx, self.id).await?;
        may_ship(held.row.state)?;
        let parcel = |parcel: &NewTracking| tracking::Model {
            id: tx.id(),
            fulfillment_id: self.id,
            number: parcel.number.trim().to_owned(),
            carrier: parcel.carrier.clone(),
            url: parcel.url.clone(),
        };
        let parcels = self.trackings.iter().map(parcel).collect();
        repo::insert_trackings(tx, parcels).await?;
        advance(tx, &mut held, FulfillmentState::Shipped).await?;
        changed(tx, held.order, &held.lines, "fulfillment.shipped", self.id).await?;
        Ok(self.id)
    }
}

/// Moves a fulfillment on, and its lines' counters with it.
async fn advance(tx: &mut Tx, held: &mut Held, to: FulfillmentState) -> Result<()> {
    let now = tx.now();
    let ships = held.row.shipped_at.is_none();
    let delivers = to == FulfillmentState::Delivered;
    held.row.state = to;
    held.row.version += 1;
    held.row.updated_at = now;
    held.row.shipped_at = held.row.shipped_at.or(Some(now));
    if delivers {
        held.row.delivered_at = Some(now);
    }
    repo::update(tx, held.row.clone()).await?;
    count(tx, &mut held.lines, &held.packed, |line, quantity| {
        if ships {
            line.shipped += quantity;
        }
        if delivers {
            line.delivered += quantity;
        }
    })
    .await
}

/// Says that a fulfillment has arrived.
#[derive(Debug, Clone)]
pub struct DeliverFulfillment(pub FulfillmentId);

impl Op for DeliverFulfillment {
    const NAME: &'static str = "fulfillment.deliver";
    const NEEDS: Need = WRITE;
    type Out = FulfillmentId;

    async fn run(&self, tx: &mut Tx) -> Result<FulfillmentId> {
        let mut held = hold(tx, self.0).await?;
        may_deliver(held.row.state)?;
        advance(tx, &mut held, FulfillmentState::Delivered).await?;
        changed(tx, held.order, &held.lines, "fulfillment.delivered", self.0).await?;
        Ok(self.0)
    }
}

/// Unpacks a fulfillment: the goods lie there again and stay promised.
#[derive(Debug, Clone, Serialize)]
pub struct CancelFulfillment(pub FulfillmentId);

impl Op for CancelFulfillment {
    const NAME: &'static str = "fulfillment.cancel";
    const NEEDS: Need = WRITE;
    type Out = FulfillmentId;

    async fn run(&self, tx: &mut Tx) -> Result<FulfillmentId> {
        let mut held = hold(tx, self.0).await?;
        may_cancel(held.row.state)?;
        unpack(tx, &mut held).await?;
        changed(tx, held.order, &held.lines, "fulfillment.canceled", self.0).await?;
        Ok(self.0)
    }
}

impl Repeatable for CancelFulfillment {
    fn entity(out: &FulfillmentId) -> Uuid {
        (*out).into()
    }

    async fn replay(&self, _: &mut Tx, entity: Uuid) -> Result<FulfillmentId> {
        Ok(entity.into())
    }
}

async fn unpack(tx: &mut Tx, held: &mut Held) -> Result<()> {
    for item in repo::items_of(&tx.conn, held.row.id).await? {
        let position = held.lines.iter().find(|line| line.id == item.order_line_id).map_or(0, |line| line.position);
        let row = reservation::Model {
            checkout_id: Some(held.order.checkout_id),
            position: Some(position),
            order_line_id: Some(item.order_line_id),
            // Nobody knows any more under which policy it was sold: it waits rather than take what others were promised.
            may_wait: true,
            ..crate::inventory::repo::promise(tx, (item.item_id, held.row.location_id), item.quantity)
        };
        crate::inventory::repo::restore(tx, row, held.row.id.to_string()).await?;
    }
    held.row.state = FulfillmentState::Canceled;
    held.row.canceled_at = Some(tx.now());
    held.row.version += 1;
    held.row.updated_at = tx.now();
    repo::update(tx, held.row.clone()).await?;
    count(tx, &mut held.lines, &held.packed, |line, quantity| line.fulfilled -= quantity).await
}

/// Unpacks every fulfillment of an order that is canceled. The order is locked
/// by the caller, who writes its statuses.
pub async fn unpack_all(tx: &mut Tx, order: &order::Model, lines: &mut Vec<order_line::Model>) -> Result<()> {
    let reach = scope::locations(tx.actor(), Permission::OrdersWrite);
    for row in repo::of_orders(&tx.conn, &[order.id]).await? {
        if row.state != FulfillmentState::Packed {
            continue;
        }
        if !reach.holds(row.location_id) {
            return Err(scope::out_of_scope("what was packed at a location").about(row.id).into());
        }
        let packed = repo::lines_of(&tx.conn, &[row.id]).await?;
        let packed = packed.into_iter().map(|line| (line.order_line_id, line.quantity)).collect();
        let mut held = Held { row, order: order.clone(), lines: std::mem::take(lines), packed };
        unpack(tx, &mut held).await?;
        *lines = held.lines;
        tx.emit(aggregate(order.id), "fulfillment.canceled", json!({ "fulfillment": held.row.id }));
    }
    Ok(())
}
