//! What staff change about what lies where: adjusted, counted, received, sent from one location to another.

use std::collections::BTreeMap;

use domain::auth::Permission;
use domain::id::{InventoryItemId, LocationId, VariantId};
use domain::inventory::{MAX_STOCK_CHANGE, MovementReason, adjust};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use entity::stock_level;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::repo::{self, Moved, Place};
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::op::{Op, Repeatable, Tx};

pub(super) const WRITE: Need = Need::Permission(Permission::InventoryWrite);

/// A level as it is now.
pub type Level = stock_level::Model;

/// What is counted: an item, or the only one of a variant.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum Which {
    /// The item itself.
    Item(InventoryItemId),
    /// A variant, which must take from one item alone: kits have several.
    Variant(VariantId),
}

impl Which {
    async fn item(self, tx: &Tx) -> Result<InventoryItemId> {
        match self {
            Self::Item(id) => {
                let known = repo::items::find(&tx.conn, id).await?;
                let missing = || Refusal::new(ErrorCode::NotFound, "There is no such item.").at(["inventoryItemId"]);
                Ok(known.ok_or_else(missing)?.id)
            }
            Self::Variant(id) => match repo::items_of(&tx.conn, &[id]).await?.as_slice() {
                [item] => Ok(*item),
                [] => Err(Refusal::new(ErrorCode::NotFound, "There is no such variant.").at(["variantId"]).into()),
                _ => {
                    let message = "This takes from several items: name the item, as inventoryItemId.";
                    Err(Refusal::new(ErrorCode::Invalid, message).at(["variantId"]).into())
                }
            },
        }
    }
}

/// A location that the caller may change stock at; the one that is taken from first when none is named.
pub(super) async fn location_within(tx: &mut Tx, named: Option<LocationId>, field: &str) -> Result<LocationId> {
    let settings = tx.settings().await?;
    let reach = crate::scope::locations(tx.actor(), Permission::InventoryWrite);
    let mut known = settings.locations.iter().map(|location| location.id).filter(|id| reach.holds(*id));
    let location = match named {
        Some(named) => known.find(|id| *id == named),
        None => known.next(),
    };
    let location =
        location.ok_or_else(|| Refusal::new(ErrorCode::NotFound, "There is no such location.").at([field]))?;
    // Whoever deletes it waits for this, or this for him.
    match crate::location::repo::hold(tx, location).await? {
        true => Ok(location),
        false => Err(Error::Raced),
    }
}

/// The levels as they are now, in the order of the places.
async fn levels(tx: &Tx, places: impl IntoIterator<Item = Place>) -> Result<Vec<Level>> {
    let mut levels = Vec::new();
    for place in places {
        levels.push(repo::lock_level(tx, place).await?.ok_or_else(|| Error::internal("a stock level vanished"))?);
    }
    Ok(levels)
}

/// Changes what lies at a location.
#[derive(Debug, Clone, Serialize)]
pub struct AdjustInventory {
    /// Of what.
    pub which: Which,
    /// Where; the location that is taken from first when absent.
    pub location: Option<LocationId>,
    /// How many more, or fewer.
    pub delta: i32,
    /// Why.
    pub reason: MovementReason,
    /// Why, in staff's own words.
    pub note: Option<String>,
}

impl Op for AdjustInventory {
    const NAME: &'static str = "inventory.adjust";
    const NEEDS: Need = WRITE;
    type Out = Level;

    async fn run(&self, tx: &mut Tx) -> Result<Level> {
        if self.delta == 0 {
            return Err(Refusal::new(ErrorCode::Invalid, "An adjustment of nothing changes nothing.")
                .at(["delta"])
                .into());
        }
        let place = (self.which.item(tx).await?, location_within(tx, self.location, "locationId").await?);
        let before = repo::lock_level(tx, place).await?;
        let (stocked, reserved) = before.map_or((0, 0), |level| (level.stocked, level.reserved));
        adjust(stocked, reserved, self.delta).map_err(|refusal| refusal.at(["delta"]))?;
        let moved = Moved { delta: self.delta, reason: self.reason, cause: self.note.clone() };
        change_audited(tx, place, stocked, moved).await?;
        levels(tx, [place]).await?.pop().ok_or_else(|| Error::internal("a level was lost"))
    }
}

impl Repeatable for AdjustInventory {
    fn entity(out: &Level) -> Uuid {
        out.item_id.into()
    }

    async fn replay(&self, tx: &mut Tx, item: Uuid) -> Result<Level> {
        let place = (item.into(), location_within(tx, self.location, "locationId").await?);
        levels(tx, [place]).await?.pop().ok_or_else(|| Error::internal("a level was lost"))
    }
}

async fn change_audited(tx: &mut Tx, place: Place, before: i32, moved: Moved) -> Result<()> {
    let change = |stocked: i32| json!({ "location": place.1, "stocked": stocked });
    tx.audit(place.0, Some(change(before)), Some(change(before.saturating_add(moved.delta))));
    repo::change_stocked(tx, place, moved).await
}

/// So many pieces of an item.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Pieces {
    /// Of what.
    pub item: InventoryItemId,
    /// How many.
    pub quantity: i32,
}

/// Pieces by item, each named once and known, in lock order; every fault is named at its place in the list.
async fn checked(tx: &Tx, pieces: &[Pieces], least: i32) -> Result<BTreeMap<InventoryItemId, (usize, i32)>> {
    let mut refusals = Refusals::default();
    if pieces.is_empty() {
        refusals.push(Refusal::new(ErrorCode::Required, "Name at least one item.").at(["items"]));
    }
    let known = repo::items::known(&tx.conn, pieces.iter().map(|pieces| pieces.item)).await?;
    let mut by_item = BTreeMap::new();
    for (at, Pieces { item, quantity }) in pieces.iter().enumerate() {
        let path = |field: &str| ["items".to_owned(), at.to_string(), field.to_owned()];
        if !known.contains(item) {
            refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such item.").at(path("inventoryItemId")));
        } else if !(least..=MAX_STOCK_CHANGE).contains(quantity) {
            let message = format!("This lies between {least} and {MAX_STOCK_CHANGE}.");
            let refusal = Refusal::new(ErrorCode::QuantityOutOfRange, message).limit(MAX_STOCK_CHANGE.into());
            refusals.push(refusal.at(path("quantity")));
        } else if by_item.insert(*item, (at, *quantity)).is_some() {
            refusals.push(Refusal::new(ErrorCode::Duplicate, "This item is named twice.").at(path("inventoryItemId")));
        }
    }
    refusals.into_result()?;
    Ok(by_item)
}

/// Writes what a count of the shelves found.
#[derive(Debug, Clone, Serialize)]
pub struct CountInventory {
    /// Where it was counted.
    pub location: LocationId,
    /// What lies there of each item.
    pub items: Vec<Pieces>,
    /// In staff's own words.
    pub note: Option<String>,
}

impl Op for CountInventory {
    const NAME: &'static str = "inventory.count";
    const NEEDS: Need = WRITE;
    type Out = Vec<Level>;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<Level>> {
        let location = location_within(tx, Some(self.location), "locationId").await?;
        let counted = checked(tx, &self.items, 0).await?;
        let mut refusals = Refusals::default();
        let mut moves = Vec::new();
        for (item, (at, quantity)) in counted {
            let place = (item, location);
            if repo::lock_level(tx, place).await?.is_none() {
                // So that whoever counts it at the same time waits, and does not count it once more.
                repo::open_level(tx, place).await?;
            }
            let before = repo::lock_level(tx, place).await?;
            let (stocked, reserved) = before.map_or((0, 0), |level| (level.stocked, level.reserved));
            let delta = quantity - stocked;
            let path = ["items".to_owned(), at.to_string(), "quantity".to_owned()];
            if refusals.keep(adjust(stocked, reserved, delta).map_err(|refusal| refusal.at(path))).is_some() {
                moves.push((place, stocked, delta));
            }
        }
        refusals.into_result()?;
        for (place, stocked, delta) in moves.iter().filter(|(_, _, delta)| *delta != 0) {
            let moved = Moved { delta: *delta, reason: MovementReason::Correction, cause: self.note.clone() };
            change_audited(tx, *place, *stocked, moved).await?;
        }
        levels(tx, moves.into_iter().map(|(place, ..)| place)).await
    }
}

/// Goods came in: they lie there now, and are no longer on their way.
#[derive(Debug, Clone, Serialize)]
pub struct ReceiveInventory {
    /// Where they came in.
    pub location: LocationId,
    /// What.
    pub items: Vec<Pieces>,
    /// In staff's own words.
    pub note: Option<String>,
}

impl Op for ReceiveInventory {
    const NAME: &'static str = "inventory.receive";
    const NEEDS: Need = WRITE;
    type Out = Vec<Level>;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<Level>> {
        let location = location_within(tx, Some(self.location), "locationId").await?;
        let came = checked(tx, &self.items, 1).await?;
        for (item, (at, quantity)) in &came {
            let place = (*item, location);
            let before = repo::lock_level(tx, place).await?;
            let (stocked, incoming) = before.map_or((0, 0), |level| (level.stocked, level.incoming));
            let path = ["items".to_owned(), at.to_string(), "quantity".to_owned()];
            adjust(stocked, 0, *quantity).map_err(|refusal| refusal.at(path))?;
            let moved = |delta| Moved { delta, reason: MovementReason::Received, cause: self.note.clone() };
            let expected = incoming.min(*quantity);
            if expected > 0 {
                repo::change_incoming(tx, place, moved(-expected)).await?;
            }
            change_audited(tx, place, stocked, moved(*quantity)).await?;
        }
        levels(tx, came.into_keys().map(|item| (item, location))).await
    }
}

/// Sends goods from one location to another: they are there at once, or on their way until they are received.
#[derive(Debug, Clone, Serialize)]
pub struct TransferInventory {
    /// From where.
    pub from: LocationId,
    /// To where.
    pub to: LocationId,
    /// What.
    pub items: Vec<Pieces>,
    /// Whether they are on their way for a while.
    pub in_transit: bool,
    /// In staff's own words.
    pub note: Option<String>,
}

impl TransferInventory {
    fn moved(&self, delta: i32, way: &str, other: LocationId) -> Moved {
        let note = self.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        Moved { delta, reason: MovementReason::Transferred, cause: Some(format!("{way} {other}{note}")) }
    }

    fn places(&self, item: InventoryItemId) -> [Place; 2] {
        let mut places = [(item, self.from), (item, self.to)];
        places.sort();
        places
    }
}

impl Op for TransferInventory {
    const NAME: &'static str = "inventory.transfer";
    const NEEDS: Need = WRITE;
    type Out = Vec<Level>;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<Level>> {
        location_within(tx, Some(self.from), "fromLocationId").await?;
        location_within(tx, Some(self.to), "toLocationId").await?;
        if self.from == self.to {
            let message = "Goods go from one location to another one.";
            return Err(Refusal::new(ErrorCode::Invalid, message).at(["toLocationId"]).into());
        }
        let sent = checked(tx, &self.items, 1).await?;
        let mut refusals = Refusals::default();
        for (item, (at, quantity)) in &sent {
            let path = || ["items".to_owned(), at.to_string(), "quantity".to_owned()];
            for place in self.places(*item) {
                let level = repo::lock_level(tx, place).await?;
                let (stocked, reserved, incoming) =
                    level.map_or((0, 0, 0), |level| (level.stocked, level.reserved, level.incoming));
                let fits = match (place.1 == self.from, self.in_transit) {
                    (true, _) => adjust(stocked, reserved, -quantity),
                    (false, true) => adjust(incoming, 0, *quantity),
                    (false, false) => adjust(stocked, 0, *quantity),
                };
                refusals.keep(fits.map_err(|refusal| refusal.at(path())));
            }
        }
        refusals.into_result()?;
        for (item, (_, quantity)) in &sent {
            for place in self.places(*item) {
                let here = place.1 == self.from;
                let moved = match here {
                    true => self.moved(-quantity, "to", self.to),
                    false => self.moved(*quantity, "from", self.from),
                };
                match !here && self.in_transit {
                    true => repo::change_incoming(tx, place, moved).await?,
                    false => repo::change_stocked(tx, place, moved).await?,
                }
            }
            tx.audit(*item, None, Some(json!({ "from": self.from, "to": self.to, "quantity": quantity })));
        }
        levels(tx, sent.into_keys().flat_map(|item| self.places(item))).await
    }
}

/// A change of several levels, once per key; done again, it tells them as they are now.
macro_rules! repeatable {
    ($($op:ident => |$this:ident, $item:ident| $places:expr;)*) => {$(
        impl Repeatable for $op {
            fn entity(out: &Vec<Level>) -> Uuid {
                out.first().map_or(Uuid::nil(), |level| level.location_id.into())
            }

            async fn replay(&self, tx: &mut Tx, _: Uuid) -> Result<Vec<Level>> {
                let $this = self;
                let mut items: Vec<InventoryItemId> = self.items.iter().map(|pieces| pieces.item).collect();
                items.sort();
                levels(tx, items.into_iter().flat_map(|$item| $places)).await
            }
        }
    )*};
}

repeatable! {
    CountInventory => |this, item| [(item, this.location)];
    ReceiveInventory => |this, item| [(item, this.location)];
    TransferInventory => |this, item| this.places(item);
}
