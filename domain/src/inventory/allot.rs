//! Which location gives what an order takes.

use std::collections::{BTreeMap, BTreeSet};

use super::AllocationPolicy;
use crate::catalog::BackorderPolicy;
use crate::id::{InventoryItemId, LocationId};

/// Up to so many locations that could give, every choice of them is looked at for the fewest parcels; among more,
/// one after the other that gives most is added.
const ALL_CHOICES: usize = 12;

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
    /// Units that are kept back.
    pub safety: i32,
    /// Units that are on their way.
    pub incoming: i32,
    /// The location to take from first has the lowest.
    pub rank: i32,
}

impl Level {
    /// Units that are not promised and not kept back; below zero when more is promised than can be.
    pub fn free(&self) -> i64 {
        super::free(self.stocked, self.reserved, self.safety)
    }

    /// Units that can be promised now, never negative.
    fn available(&self) -> i64 {
        self.free().max(0)
    }

    /// Units that can be promised of what is on its way.
    fn to_come(&self) -> i64 {
        (self.free() + i64::from(self.incoming)).max(0) - self.available()
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
    /// Whether what is not there may be promised too.
    pub backorder: BackorderPolicy,
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
    /// How many of them must be free there.
    pub firm: i32,
    /// How many of them, those among them, must be free there or on their way.
    pub covered: i32,
}

/// An item of which there is too little.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Short {
    /// What is missing.
    pub item: InventoryItemId,
    /// The whole demand on it.
    pub asked: i32,
    /// What all locations together could give to those who don't wait; with what is on its way when somebody does.
    pub available: i32,
}

/// The demand on one item.
#[derive(Default)]
struct Wanted {
    /// Must be free.
    firm: i64,
    /// Must be free or on its way.
    covered: i64,
    /// May be promised beyond both.
    elastic: i64,
}

impl Wanted {
    fn total(&self) -> i64 {
        self.firm + self.covered + self.elastic
    }

    /// Whether these levels can give it.
    fn is_served_by<'l>(&self, levels: impl Iterator<Item = &'l Level> + Clone) -> bool {
        let free: i64 = levels.clone().map(Level::available).sum();
        let to_come: i64 = levels.clone().map(Level::to_come).sum();
        let somewhere = levels.clone().next().is_some();
        somewhere && self.firm <= free && self.firm + self.covered <= free + to_come
    }
}

/// Finds stock for the whole demand, or names every item that is short.
///
/// Demand on one item is summed first. What must be free is served first, then what may wait for what is on its way,
/// then what may wait for ever. A location that has all of an item is preferred to several, the lowest rank first,
/// then the lowest id; else locations give what they have in that order, and what is promised beyond all of it goes to
/// the first. Takes come sorted by item and location, which is the order to lock in.
pub fn reserve(demand: &[Demand], levels: &[Level], policy: AllocationPolicy) -> Result<Vec<Take>, Vec<Short>> {
    let mut wanted: BTreeMap<InventoryItemId, Wanted> = BTreeMap::new();
    for wish in demand.iter().filter(|wish| wish.quantity > 0) {
        let sum = wanted.entry(wish.item).or_default();
        let part = match wish.backorder {
            BackorderPolicy::Deny => &mut sum.firm,
            BackorderPolicy::Incoming => &mut sum.covered,
            BackorderPolicy::Allow => &mut sum.elastic,
        };
        *part += i64::from(wish.quantity);
    }
    let mut by_item: BTreeMap<InventoryItemId, Vec<&Level>> = BTreeMap::new();
    for level in levels.iter().filter(|level| wanted.contains_key(&level.item)) {
        by_item.entry(level.item).or_default().push(level);
    }
    let shorts: Vec<Short> =
        wanted.iter().filter_map(|(item, wanted)| short(*item, wanted, by_item.get(item))).collect();
    if !shorts.is_empty() {
        return Err(shorts);
    }
    if policy == AllocationPolicy::FewestParcels
        && let Some(few) = fewest(&wanted, &by_item)
    {
        by_item.values_mut().for_each(|at| at.retain(|level| few.contains(&level.location)));
    }
    let mut takes = Vec::new();
    let mut shorts = Vec::new();
    for (item, wanted) in wanted {
        let at = by_item.entry(item).or_default();
        at.sort_by_key(|level| (level.rank, level.location));
        match split(&wanted, at) {
            Some(parts) => takes.extend(parts),
            None => shorts.push(Short { item, asked: narrowed(wanted.total()), available: narrowed(free(at)) }),
        }
    }
    if !shorts.is_empty() {
        return Err(shorts);
    }
    takes.sort_by_key(|take| (take.item, take.location));
    Ok(takes)
}

fn short(item: InventoryItemId, wanted: &Wanted, levels: Option<&Vec<&Level>>) -> Option<Short> {
    let levels = levels.map(Vec::as_slice).unwrap_or_default();
    if wanted.is_served_by(levels.iter().copied()) {
        return None;
    }
    let to_come: i64 = levels.iter().map(|level| level.to_come()).sum();
    let waits = wanted.covered > 0 && wanted.firm <= free(levels);
    let available = free(levels) + if waits { to_come } else { 0 };
    Some(Short { item, asked: narrowed(wanted.total()), available: narrowed(available) })
}

/// Where the units of one item come from, given its levels by preference; `None` when one location could not count
/// what is promised beyond its stock.
fn split(wanted: &Wanted, levels: &[&Level]) -> Option<Vec<Take>> {
    let total = wanted.total();
    let take = |level: &Level, firm: i64, covered: i64, quantity: i64| Take {
        item: level.item,
        location: level.location,
        quantity: narrowed(quantity),
        firm: narrowed(firm),
        covered: narrowed(covered),
    };
    if let Some(level) = levels.iter().find(|level| level.available() >= total) {
        return Some(vec![take(level, wanted.firm, wanted.firm + wanted.covered, total)]);
    }
    let mut free: Vec<i64> = levels.iter().map(|level| level.available()).collect();
    let mut to_come: Vec<i64> = levels.iter().map(|level| level.to_come()).collect();
    let (firm, _) = draw(wanted.firm, &mut free);
    let (covered_now, waiting) = draw(wanted.covered, &mut free);
    let (covered_later, _) = draw(waiting, &mut to_come);
    let (mut elastic, beyond) = draw(wanted.elastic, &mut free);
    *elastic.first_mut()? += beyond;
    let mut takes = Vec::new();
    for (place, level) in levels.iter().enumerate() {
        let covered = firm[place] + covered_now[place] + covered_later[place];
        let quantity = covered + elastic[place];
        if quantity > level.headroom() {
            return None;
        }
        if quantity > 0 {
            takes.push(take(level, firm[place], covered, quantity));
        }
    }
    Some(takes)
}

/// How much of a wish each pool gives, one after the other, and how much of it is left.
fn draw(wish: i64, pools: &mut [i64]) -> (Vec<i64>, i64) {
    let mut left = wish;
    let from_each = pools.iter_mut().map(|pool| {
        let given = left.min(*pool);
        *pool -= given;
        left -= given;
        given
    });
    let given = from_each.collect();
    (given, left)
}

/// The fewest locations that serve the whole demand without promising more beyond stock than all of them would; among
/// equally many, those that come first by rank. Nothing when that can't be less than all.
fn fewest(
    wanted: &BTreeMap<InventoryItemId, Wanted>,
    by_item: &BTreeMap<InventoryItemId, Vec<&Level>>,
) -> Option<BTreeSet<LocationId>> {
    let mut places: Vec<(i32, LocationId)> =
        by_item.values().flatten().map(|level| (level.rank, level.location)).collect();
    places.sort();
    places.dedup_by_key(|(_, location)| *location);
    let places: Vec<LocationId> = places.into_iter().map(|(_, location)| location).collect();
    let missing = |few: &BTreeSet<LocationId>| -> i64 {
        let missing = |(item, wanted): (&InventoryItemId, &Wanted)| {
            let all = by_item.get(item).map(Vec::as_slice).unwrap_or_default();
            let some = all.iter().filter(|level| few.contains(&level.location));
            let here: i64 = some.clone().map(|level| level.available()).sum();
            let in_stock = wanted.total().min(free(all)) - here;
            let served = wanted.is_served_by(some.copied());
            in_stock.max(0) + i64::from(!served && in_stock <= 0)
        };
        wanted.iter().map(missing).sum()
    };
    for size in 1..places.len() {
        if places.len() > ALL_CHOICES && size > 2 {
            return grown(&places, missing);
        }
        let found = choices(places.len(), size).into_iter().find_map(|choice| {
            let few: BTreeSet<LocationId> = choice.iter().map(|place| places[*place]).collect();
            (missing(&few) == 0).then_some(few)
        });
        if found.is_some() {
            return found;
        }
    }
    None
}

/// One location after the other that leaves least missing, until nothing is.
fn grown(places: &[LocationId], missing: impl Fn(&BTreeSet<LocationId>) -> i64) -> Option<BTreeSet<LocationId>> {
    let mut few = BTreeSet::new();
    while few.len() < places.len() {
        let with = |place: &LocationId| few.iter().copied().chain([*place]).collect::<BTreeSet<_>>();
        let next = places.iter().filter(|place| !few.contains(*place)).map(with).min_by_key(|few| missing(few))?;
        few = next;
        if missing(&few) == 0 {
            return Some(few);
        }
    }
    None
}

/// Every choice of `size` out of `of` places, those in front first.
fn choices(of: usize, size: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..size {
        all = all
            .into_iter()
            .flat_map(|choice| {
                let next = choice.last().map_or(0, |last| last + 1);
                (next..of).map(move |place| choice.iter().copied().chain([place]).collect())
            })
            .collect();
    }
    all
}

fn free(levels: &[&Level]) -> i64 {
    levels.iter().map(|level| level.available()).sum()
}

/// A quantity as the counters hold it; what they can't hold reads as their end.
fn narrowed(quantity: i64) -> i32 {
    i32::try_from(quantity).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::BackorderPolicy::{Allow, Deny, Incoming};
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn item(id: u128) -> InventoryItemId {
        InventoryItemId(Uuid::from_u128(id))
    }

    fn place(id: u128) -> LocationId {
        LocationId(Uuid::from_u128(id))
    }

    fn level(of: u128, at: u128, stocked: i32, reserved: i32, rank: i32) -> Level {
        Level { item: item(of), location: place(at), stocked, reserved, safety: 0, incoming: 0, rank }
    }

    fn want(of: u128, quantity: i32, backorder: BackorderPolicy) -> Demand {
        Demand { item: item(of), quantity, backorder }
    }

    fn firm(of: u128, at: u128, quantity: i32) -> Take {
        Take { item: item(of), location: place(at), quantity, firm: quantity, covered: quantity }
    }

    fn by_priority(demand: &[Demand], levels: &[Level]) -> Result<Vec<Take>, Vec<Short>> {
        reserve(demand, levels, AllocationPolicy::Priority)
    }

    #[test]
    fn one_location_is_preferred_to_several() {
        let levels = [level(1, 1, 3, 0, 1), level(1, 2, 9, 4, 2), level(1, 3, 9, 0, 3)];
        assert_eq!(by_priority(&[want(1, 3, Deny)], &levels), Ok(vec![firm(1, 1, 3)]));
        assert_eq!(by_priority(&[want(1, 3, Deny), want(1, 2, Deny)], &levels), Ok(vec![firm(1, 2, 5)]));
        assert_eq!(by_priority(&[want(1, 10, Deny)], &levels), Ok(vec![firm(1, 1, 3), firm(1, 2, 5), firm(1, 3, 2)]));
    }

    #[test]
    fn every_short_item_is_named() {
        let levels = [level(1, 1, 3, 0, 1), level(2, 1, 1, 0, 1)];
        let demand = [want(3, 1, Deny), want(2, 1, Deny), want(1, 2, Deny), want(1, 2, Deny)];
        assert_eq!(
            by_priority(&demand, &levels),
            Err(vec![Short { item: item(1), asked: 4, available: 3 }, Short { item: item(3), asked: 1, available: 0 }])
        );
    }

    #[test]
    fn a_backorder_leaves_the_rest_to_the_first_location() {
        let levels = [level(1, 2, 2, 0, 1), level(1, 1, 1, 0, 2)];
        let elastic = |at, quantity| Take { firm: 0, covered: 0, ..firm(1, at, quantity) };
        assert_eq!(by_priority(&[want(1, 5, Allow)], &levels), Ok(vec![elastic(1, 1), elastic(2, 4)]));
        // Somebody who can't wait is not served from the promise of somebody who can.
        assert_eq!(
            by_priority(&[want(1, 4, Deny), want(1, 1, Allow)], &levels),
            Err(vec![Short { item: item(1), asked: 5, available: 3 }])
        );
        assert!(by_priority(&[want(9, 1, Allow)], &levels).is_err());
        assert!(by_priority(&[want(1, i32::MAX, Allow), want(1, 4, Allow)], &levels).is_err());
    }

    #[test]
    fn what_comes_can_be_promised_once() {
        let levels = [Level { incoming: 4, ..level(1, 1, 2, 0, 1) }, Level { incoming: 9, ..level(1, 2, 0, 6, 2) }];
        let of = |at, quantity| Take { firm: 0, ..firm(1, at, quantity) };
        assert_eq!(by_priority(&[want(1, 7, Incoming)], &levels), Ok(vec![of(1, 6), of(2, 1)]));
        assert_eq!(by_priority(&[want(1, 9, Incoming)], &levels), Ok(vec![of(1, 6), of(2, 3)]));
        assert_eq!(
            by_priority(&[want(1, 10, Incoming)], &levels),
            Err(vec![Short { item: item(1), asked: 10, available: 9 }])
        );
        // Who can't wait gets what lies there; who waits gets what comes.
        assert_eq!(
            by_priority(&[want(1, 4, Incoming), want(1, 2, Deny)], &levels),
            Ok(vec![Take { firm: 2, ..firm(1, 1, 6) }])
        );
    }

    #[test]
    fn what_is_kept_back_is_not_promised() {
        let levels = [Level { safety: 2, ..level(1, 1, 5, 1, 1) }];
        assert_eq!(by_priority(&[want(1, 2, Deny)], &levels), Ok(vec![firm(1, 1, 2)]));
        assert_eq!(
            by_priority(&[want(1, 3, Deny)], &levels),
            Err(vec![Short { item: item(1), asked: 3, available: 2 }])
        );
    }

    #[test]
    fn the_fewest_parcels_may_pass_by_the_first_location() {
        let levels = [level(1, 1, 5, 0, 1), level(2, 2, 5, 0, 2), level(1, 3, 5, 0, 3), level(2, 3, 5, 0, 3)];
        let demand = [want(1, 1, Deny), want(2, 1, Deny)];
        assert_eq!(by_priority(&demand, &levels), Ok(vec![firm(1, 1, 1), firm(2, 2, 1)]));
        let few = reserve(&demand, &levels, AllocationPolicy::FewestParcels);
        assert_eq!(few, Ok(vec![firm(1, 3, 1), firm(2, 3, 1)]));
    }

    fn levels() -> impl Strategy<Value = Vec<Level>> {
        let level = (0..20_i32, 0..20_i32, 0..4_i32, 0..6_i32);
        prop::collection::btree_map((0..4_u128, 0..4_u128), level, 0..12).prop_map(|levels| {
            let make = |((of, at), (stocked, reserved, safety, incoming))| Level {
                safety,
                incoming,
                ..level_of(of, at, stocked, reserved)
            };
            levels.into_iter().map(make).collect()
        })
    }

    /// Locations 0 and 3 share a rank.
    fn level_of(of: u128, at: u128, stocked: i32, reserved: i32) -> Level {
        level(of, at, stocked, reserved, [1, 2, 0, 1][at as usize])
    }

    fn demands() -> impl Strategy<Value = Vec<Demand>> {
        let policy = prop::sample::select(BackorderPolicy::ALL);
        prop::collection::vec((0..4_u128, 1..15_i32, policy).prop_map(|(of, n, policy)| want(of, n, policy)), 0..8)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn takes_meet_the_demand_and_the_stock(
            demand in demands(), levels in levels(), policy in prop::sample::select(AllocationPolicy::ALL),
        ) {
            let asked = |of, policies: &[BackorderPolicy]| -> i64 {
                let of_item = demand.iter().filter(|d| d.item == of && policies.contains(&d.backorder));
                of_item.map(|d| i64::from(d.quantity)).sum()
            };
            let sum = |of, count: fn(&Level) -> i64| -> i64 { levels.iter().filter(|l| l.item == of).map(count).sum() };
            match reserve(&demand, &levels, policy) {
                Ok(takes) => {
                    prop_assert!(takes.is_sorted_by_key(|t| (t.item, t.location)));
                    for take in &takes {
                        let level = levels.iter().find(|l| l.item == take.item && l.location == take.location).unwrap();
                        prop_assert!(i64::from(take.firm) <= level.available());
                        prop_assert!(i64::from(take.covered) <= level.available() + level.to_come());
                        prop_assert!(take.firm <= take.covered && take.covered <= take.quantity && take.quantity > 0);
                    }
                    for of in (0..4).map(item) {
                        let of_item: Vec<_> = takes.iter().filter(|t| t.item == of).collect();
                        let taken = |part: fn(&Take) -> i32| of_item.iter().map(|t| i64::from(part(t))).sum::<i64>();
                        let total = asked(of, &[Deny, Incoming, Allow]);
                        prop_assert_eq!(taken(|t| t.quantity), total);
                        prop_assert_eq!(taken(|t| t.firm), asked(of, &[Deny]));
                        prop_assert_eq!(taken(|t| t.covered), asked(of, &[Deny, Incoming]));
                        let over = of_item.iter().map(|t| {
                            let level = levels.iter().find(|l| l.item == of && l.location == t.location).unwrap();
                            (i64::from(t.quantity) - level.available()).max(0)
                        });
                        // No more waits than must, unless who waits for what comes may not wait longer.
                        let must = (total - sum(of, Level::available)).max(0);
                        prop_assert_eq!(over.sum::<i64>(), must);
                    }
                }
                Err(shorts) => {
                    prop_assert!(!shorts.is_empty());
                    for short in shorts {
                        let nowhere = !levels.iter().any(|l| l.item == short.item);
                        let free = sum(short.item, Level::available);
                        let with_incoming = free + sum(short.item, Level::to_come);
                        let lacking = asked(short.item, &[Deny]) > free
                            || asked(short.item, &[Deny, Incoming]) > with_incoming;
                        prop_assert!(lacking || nowhere);
                    }
                }
            }
        }

        #[test]
        fn order_does_not_matter(
            demand in demands(), levels in levels(), policy in prop::sample::select(AllocationPolicy::ALL),
        ) {
            let (mut backwards, mut turned) = (demand.clone(), levels.clone());
            backwards.reverse();
            turned.reverse();
            prop_assert_eq!(reserve(&backwards, &turned, policy), reserve(&demand, &levels, policy));
        }

        #[test]
        fn no_choice_of_locations_makes_fewer_parcels(demand in demands(), levels in levels()) {
            let demand: Vec<_> = demand.into_iter().map(|wish| Demand { backorder: Deny, ..wish }).collect();
            let Ok(takes) = reserve(&demand, &levels, AllocationPolicy::FewestParcels) else { return Ok(()) };
            let used: BTreeSet<_> = takes.iter().map(|take| take.location).collect();
            for choice in 0_u32..16 {
                let chosen = |at: &Level| (0..4).any(|id| choice & (1 << id) != 0 && at.location == place(id));
                let some: Vec<_> = levels.iter().filter(|level| chosen(level)).cloned().collect();
                if by_priority(&demand, &some).is_ok() {
                    prop_assert!(used.len() <= choice.count_ones() as usize, "{used:?} instead of {choice:b}");
                }
            }
        }
    }
}
