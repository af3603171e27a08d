//! Stock per inventory item and location: what can be promised, and where it
//! comes from (DESIGN section 6, "stock"). Quantities are whole units.

use std::collections::BTreeMap;

use crate::id::{InventoryItemId, LocationId};
use crate::refusal::{ErrorCode, Refusal};
use crate::word::words;

/// From this many units down to 1, stock is called low.
const LOW_STOCK: i64 = 3;

words! {
    /// Why the stocked quantity changed.
    pub enum MovementReason {
        /// The first count of the item at the location.
        Initial = "INITIAL",
        /// Goods came in.
        Received = "RECEIVED",
        /// A count found another quantity than the books.
        Correction = "CORRECTION",
        /// Goods can't be sold any more.
        Damaged = "DAMAGED",
        /// A fulfillment took them.
        Sold = "SOLD",
        /// A return or a canceled fulfillment brought them back.
        Restocked = "RESTOCKED",
    }
}

words! {
    /// What the shopper is told about stock.
    pub enum Availability {
        /// It can be bought; more are there than low stock, or nobody counts them.
        InStock = "IN_STOCK",
        /// 1 to 3 are left.
        LowStock = "LOW_STOCK",
        /// None are left and none can be ordered.
        OutOfStock = "OUT_OF_STOCK",
        /// None are left; an order waits for new stock.
        Backorder = "BACKORDER",
    }
}

/// How many units of a variant its items allow. Each row is one item at one
/// location: how many pieces a unit needs, and how many are free there; what is
/// promised beyond the stock of one location takes nothing from another. A
/// variant without items has none.
pub fn kits(rows: impl IntoIterator<Item = (InventoryItemId, i32, i32)>) -> i64 {
    let mut items: BTreeMap<InventoryItemId, (i32, i64)> = BTreeMap::new();
    for (item, required, free) in rows {
        items.entry(item).or_insert((required, 0)).1 += i64::from(free.max(0));
    }
    items.values().map(|(required, free)| free / i64::from(*required)).min().unwrap_or(0)
}

/// The stock of one item at one location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// What is counted.
    pub item: InventoryItemId,
    /// Where it lies; one level per item and location.
    pub location: LocationId,
    /// Units that are there.
    pub stocked: i32,
    /// Units of those that are promised; more than are there under backorder.
    pub reserved: i32,
    /// The location to take from first has the lowest number.
    pub priority: i32,
}

impl Level {
    /// Units that can still be promised, never negative.
    pub fn available(&self) -> i32 {
        self.stocked.saturating_sub(self.reserved).max(0)
    }

    /// Units that the reserved counter can still hold.
    fn headroom(&self) -> i64 {
        i64::from(i32::MAX) - i64::from(self.reserved.max(0))
    }
}

/// A wish for units of one item. An item may be wished for several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// What is wanted.
    pub item: InventoryItemId,
    /// How many; below 1 asks for nothing.
    pub quantity: i32,
    /// Backorder: what is not in stock may be promised too.
    pub may_exceed: bool,
}

/// Units to reserve at one location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Take {
    /// What is reserved.
    pub item: InventoryItemId,
    /// Where.
    pub location: LocationId,
    /// How many, at least 1.
    pub quantity: i32,
}

/// An item of which there is too little.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Short {
    /// What is missing.
    pub item: InventoryItemId,
    /// The whole demand on it.
    pub asked: i32,
    /// What all locations together could give.
    pub available: i32,
}

/// The demand on one item.
#[derive(Default)]
struct Wanted {
    /// Must be in stock.
    firm: i64,
    /// May be promised beyond it.
    elastic: i64,
}

/// Finds stock for the whole demand, or names every item that is short.
///
/// Demand on one item is summed first; the part that may not exceed must be in
/// stock as a whole. One location that can serve all of an item is preferred:
/// the lowest priority number, then the lowest id. Else locations give what
/// they have in that order, and what is promised beyond stock goes to the first.
/// Takes come sorted by item and location, which is the order to lock in.
pub fn reserve(demand: &[Demand], levels: &[Level]) -> Result<Vec<Take>, Vec<Short>> {
    let mut wanted: BTreeMap<InventoryItemId, Wanted> = BTreeMap::new();
    for wish in demand.iter().filter(|wish| wish.quantity > 0) {
        let sum = wanted.entry(wish.item).or_default();
        *(if wish.may_exceed { &mut sum.elastic } else { &mut sum.firm }) += i64::from(wish.quantity);
    }
    let mut by_item: BTreeMap<InventoryItemId, Vec<&Level>> = BTreeMap::new();
    for level in levels {
        by_item.entry(level.item).or_default().push(level);
    }
    let mut takes = Vec::new();
    let mut shorts = Vec::new();
    for (item, wanted) in wanted {
        let at = by_item.entry(item).or_default();
        at.sort_by_key(|level| (level.priority, level.location));
        match split(&wanted, at) {
            Some(parts) => takes.extend(parts.into_iter().map(|(level, quantity)| Take {
                item,
                location: level.location,
                quantity,
            })),
            None => shorts.push(Short {
                item,
                asked: narrowed(wanted.firm + wanted.elastic),
                available: narrowed(in_stock(at)),
            }),
        }
    }
    if !shorts.is_empty() {
        return Err(shorts);
    }
    takes.sort_by_key(|take| (take.item, take.location));
    Ok(takes)
}

/// Where the units of one item come from, given its levels by preference;
/// `None` when there is too little.
fn split<'a>(wanted: &Wanted, levels: &[&'a Level]) -> Option<Vec<(&'a Level, i32)>> {
    let total = wanted.firm + wanted.elastic;
    if wanted.firm > in_stock(levels) {
        return None;
    }
    if let Some(level) = levels.iter().find(|level| i64::from(level.available()) >= total) {
        return Some(vec![(level, narrowed(total))]);
    }
    let mut left = total;
    let mut parts: Vec<(&Level, i64)> = Vec::with_capacity(levels.len());
    for level in levels {
        let quantity = left.min(level.available().into());
        parts.push((level, quantity));
        left -= quantity;
    }
    let first = parts.first_mut()?;
    first.1 += left;
    if first.1 > first.0.headroom() {
        return None;
    }
    Some(parts.into_iter().filter(|part| part.1 > 0).map(|(level, quantity)| (level, narrowed(quantity))).collect())
}

fn in_stock(levels: &[&Level]) -> i64 {
    levels.iter().map(|level| i64::from(level.available())).sum()
}

/// A quantity as the counters hold it; what they can't hold reads as their end.
fn narrowed(quantity: i64) -> i32 {
    i32::try_from(quantity).unwrap_or(i32::MAX)
}

/// The stocked quantity after a change by `delta`.
///
/// `INSUFFICIENT_STOCK` with what can be taken when a decrease would reach into
/// promised units or below zero; `INVALID` beyond what the counter holds. An
/// increase is taken even while more is promised than will be there: that is how
/// a backorder is filled.
pub fn adjust(level_stocked: i32, reserved: i32, delta: i32) -> Result<i32, Refusal> {
    let Some(stocked) = level_stocked.checked_add(delta) else {
        return Err(Refusal::new(ErrorCode::Invalid, "This is more than a location can hold.").limit(i32::MAX.into()));
    };
    if delta < 0 && stocked < reserved.max(0) {
        let free = level_stocked.saturating_sub(reserved.max(0)).max(0);
        return Err(
            Refusal::new(ErrorCode::InsufficientStock, "Fewer units than this are free of promises.").available(free)
        );
    }
    Ok(stocked)
}

/// What the shopper is told about a variant of which `available` can still be promised.
pub fn availability(manages: bool, allows_backorder: bool, available: i64) -> Availability {
    match available {
        _ if !manages => Availability::InStock,
        ..=0 if allows_backorder => Availability::Backorder,
        ..=0 => Availability::OutOfStock,
        1..=LOW_STOCK => Availability::LowStock,
        _ => Availability::InStock,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn item(id: u128) -> InventoryItemId {
        InventoryItemId(Uuid::from_u128(id))
    }

    fn place(id: u128) -> LocationId {
        LocationId(Uuid::from_u128(id))
    }

    fn level(of: u128, at: u128, stocked: i32, reserved: i32, priority: i32) -> Level {
        Level { item: item(of), location: place(at), stocked, reserved, priority }
    }

    fn want(of: u128, quantity: i32, may_exceed: bool) -> Demand {
        Demand { item: item(of), quantity, may_exceed }
    }

    fn take(of: u128, at: u128, quantity: i32) -> Take {
        Take { item: item(of), location: place(at), quantity }
    }

    #[test]
    fn the_scarcest_item_says_how_many_kits_there_are() {
        assert_eq!(kits([(item(1), 2, 5), (item(2), 1, 1), (item(2), 1, 2)]), 2);
        assert_eq!(kits([(item(1), 2, 5), (item(2), 1, 0)]), 0);
        assert_eq!(kits([(item(1), 1, -4), (item(1), 1, 3)]), 3);
        assert_eq!(kits([]), 0);
    }

    #[test]
    fn one_location_is_preferred_to_several() {
        let levels = [level(1, 1, 3, 0, 1), level(1, 2, 9, 4, 2), level(1, 3, 9, 0, 3)];
        assert_eq!(reserve(&[want(1, 3, false)], &levels), Ok(vec![take(1, 1, 3)]));
        assert_eq!(reserve(&[want(1, 3, false), want(1, 2, false)], &levels), Ok(vec![take(1, 2, 5)]));
        assert_eq!(reserve(&[want(1, 10, false)], &levels), Ok(vec![take(1, 1, 3), take(1, 2, 5), take(1, 3, 2)]));
    }

    #[test]
    fn every_short_item_is_named() {
        let levels = [level(1, 1, 3, 0, 1), level(2, 1, 1, 0, 1)];
        let demand = [want(3, 1, false), want(2, 1, false), want(1, 2, false), want(1, 2, false)];
        assert_eq!(
            reserve(&demand, &levels),
            Err(vec![Short { item: item(1), asked: 4, available: 3 }, Short { item: item(3), asked: 1, available: 0 }])
        );
    }

    #[test]
    fn a_backorder_leaves_the_rest_to_the_first_location() {
        let levels = [level(1, 2, 2, 0, 1), level(1, 1, 1, 0, 2)];
        assert_eq!(reserve(&[want(1, 5, true)], &levels), Ok(vec![take(1, 1, 1), take(1, 2, 4)]));
        // Somebody who can't wait is not served from the promise of somebody who can.
        assert_eq!(
            reserve(&[want(1, 4, false), want(1, 1, true)], &levels),
            Err(vec![Short { item: item(1), asked: 5, available: 3 }])
        );
        assert!(reserve(&[want(9, 1, true)], &levels).is_err());
        assert!(reserve(&[want(1, i32::MAX, true), want(1, 4, true)], &levels).is_err());
    }

    #[test]
    fn promised_units_stay() {
        assert_eq!(adjust(5, 3, -2), Ok(3));
        assert_eq!(adjust(5, 3, -3).unwrap_err().quantity_available, Some(2));
        assert_eq!(adjust(0, 0, -1).unwrap_err().code, ErrorCode::InsufficientStock);
        assert_eq!(adjust(0, 10, 4), Ok(4));
        assert_eq!(adjust(i32::MAX, 0, 1).unwrap_err().code, ErrorCode::Invalid);
    }

    #[test]
    fn few_are_low() {
        let told = |available| availability(true, false, available);
        assert_eq!(
            [-1, 0, 1, 3, 4].map(told),
            [
                Availability::OutOfStock,
                Availability::OutOfStock,
                Availability::LowStock,
                Availability::LowStock,
                Availability::InStock
            ]
        );
        assert_eq!(availability(true, true, 0), Availability::Backorder);
        assert_eq!(availability(false, false, 0), Availability::InStock);
    }

    fn levels() -> impl Strategy<Value = Vec<Level>> {
        prop::collection::btree_map((0..4_u128, 0..4_u128), (0..20_i32, 0..20_i32, 0..3_i32), 0..12).prop_map(
            |levels| {
                let make = |((of, at), (stocked, reserved, priority))| level(of, at, stocked, reserved, priority);
                levels.into_iter().map(make).collect()
            },
        )
    }

    fn demands() -> impl Strategy<Value = Vec<Demand>> {
        prop::collection::vec((0..4_u128, 1..15_i32, any::<bool>()).prop_map(|(of, n, more)| want(of, n, more)), 0..8)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn takes_meet_the_demand_and_the_stock(demand in demands(), levels in levels()) {
            let asked = |of, more| -> i32 {
                demand.iter().filter(|d| d.item == of && d.may_exceed == more).map(|d| d.quantity).sum()
            };
            let stock = |of| -> i32 { levels.iter().filter(|l| l.item == of).map(Level::available).sum() };
            match reserve(&demand, &levels) {
                Ok(takes) => {
                    prop_assert!(takes.is_sorted_by_key(|t| (t.item, t.location)));
                    for of in (0..4).map(item) {
                        let total = asked(of, false) + asked(of, true);
                        let of_item: Vec<_> = takes.iter().filter(|t| t.item == of).collect();
                        prop_assert_eq!(of_item.iter().map(|t| t.quantity).sum::<i32>(), total);
                        let over = of_item.iter().map(|t| {
                            let level = levels.iter().find(|l| l.item == of && l.location == t.location).unwrap();
                            (t.quantity - level.available()).max(0)
                        });
                        let over: i32 = over.sum();
                        prop_assert_eq!(over, (total - stock(of)).max(0));
                        prop_assert!(over <= asked(of, true));
                    }
                }
                Err(shorts) => {
                    prop_assert!(!shorts.is_empty());
                    for short in shorts {
                        prop_assert_eq!(short.available, stock(short.item));
                        let nowhere = !levels.iter().any(|l| l.item == short.item);
                        prop_assert!(asked(short.item, false) > stock(short.item) || nowhere);
                    }
                }
            }
        }

        #[test]
        fn order_does_not_matter(demand in demands(), levels in levels()) {
            let (mut backwards, mut turned) = (demand.clone(), levels.clone());
            backwards.reverse();
            turned.reverse();
            prop_assert_eq!(reserve(&backwards, &turned), reserve(&demand, &levels));
        }

        #[test]
        fn an_adjusted_level_never_breaks_a_promise(stocked in 0..i32::MAX, reserved in 0..i32::MAX, delta: i32) {
            if let Ok(after) = adjust(stocked, reserved, delta) {
                prop_assert!(after >= 0 && (after >= reserved || delta >= 0));
            }
        }
    }
}
