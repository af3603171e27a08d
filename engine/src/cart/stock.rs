//! What a cart takes from stock: what its lines need, where that lies, and which location gives it.

use std::collections::{BTreeMap, HashMap};

use domain::catalog::BackorderPolicy;
use domain::id::{InventoryItemId, LocationId, VariantId};
use domain::inventory::near::distance;
use domain::inventory::{AllocationPolicy, Demand, Level, Take};
use domain::refusal::{ErrorCode, Refusal};
use entity::{cart, cart_line};

use super::hold::Holds;
use super::quote::{Issue, Offer, QuotedLine};
use crate::inventory::repo::StockRow;
use crate::settings::Settings;
use crate::shipping::offers::QuotedGroup;

/// What a line takes from stock.
pub(super) fn demand(
    line: &cart_line::Model,
    offer: Option<&Offer>,
    items: &[(VariantId, InventoryItemId, i32)],
) -> Vec<Demand> {
    let backorder = offer.map_or(BackorderPolicy::Deny, |offer| offer.variant.backorder);
    let own = items.iter().filter(|(variant, _, _)| offer.is_some() && *variant == line.variant_id);
    let taken = |(_, item, required): &(_, _, i32)| Demand {
        item: *item,
        quantity: line.quantity.saturating_mul(*required),
        backorder,
    };
    own.map(taken).collect()
}

/// The items of the lines whose stock is counted.
pub(super) fn counted_items(
    lines: &[cart_line::Model],
    offered: &HashMap<VariantId, Offer>,
    stock: &[StockRow],
) -> Vec<(VariantId, InventoryItemId, i32)> {
    let counted = |row: &&StockRow| {
        lines.iter().any(|line| line.variant_id == row.variant)
            && offered.get(&row.variant).is_some_and(|offer| offer.variant.manage_inventory)
    };
    let mut items: Vec<_> = stock.iter().filter(counted).map(|row| (row.variant, row.item, row.required)).collect();
    items.sort();
    items.dedup();
    items
}

/// The stock at the locations that serve the cart's channel, ranked as the channel wants them. What is held for the
/// cart itself is not promised to others.
pub(super) fn levels(settings: &Settings, cart: &cart::Model, stock: &[StockRow], holds: &Holds) -> Vec<Level> {
    let ranks = ranks(settings, cart);
    let mut levels: Vec<Level> = Vec::new();
    for row in stock.iter().filter_map(|row| row.level.as_ref()) {
        let Some(rank) = ranks.get(&row.location_id) else { continue };
        if !levels.iter().any(|level| level.item == row.item_id && level.location == row.location_id) {
            levels.push(Level {
                item: row.item_id,
                location: row.location_id,
                stocked: row.stocked,
                reserved: row.reserved - holds.of_place((row.item_id, row.location_id)),
                safety: row.safety,
                incoming: row.incoming,
                rank: *rank,
            });
        }
    }
    levels
}

/// Which location gives when several could.
pub(super) fn policy(settings: &Settings, cart: &cart::Model) -> AllocationPolicy {
    settings.channel(cart.channel_id).map_or(AllocationPolicy::Priority, |channel| channel.allocation)
}

/// Which location gives first: by their numbers, or by how near they are to where it goes.
fn ranks(settings: &Settings, cart: &cart::Model) -> HashMap<LocationId, i32> {
    let mut locations = settings.locations_of(cart.channel_id);
    if let (AllocationPolicy::Nearest, Some(to)) = (policy(settings, cart), &cart.shipping_address) {
        // Equally near ones stay in the order of their numbers.
        locations.sort_by_key(|location| distance(location.country.as_ref(), location.address.as_ref(), to));
        return locations.iter().zip(0..).map(|(location, rank)| (location.id, rank)).collect();
    }
    locations.iter().map(|location| (location.id, location.priority)).collect()
}

/// Where each line is picked up.
pub(super) fn pickups(groups: &[QuotedGroup], lines: usize) -> Vec<Option<LocationId>> {
    let mut pickups = vec![None; lines];
    for group in groups {
        let Some(location) = group.chosen.as_ref().and_then(|option| option.pickup) else { continue };
        for place in &group.lines {
            pickups[*place] = Some(location);
        }
    }
    pickups
}

/// The stock that the lines would take, or an issue for each that is short. What is picked up is taken where it is.
pub(super) fn reserve(
    lines: &[QuotedLine],
    items: &[(VariantId, InventoryItemId, i32)],
    (mut levels, policy): (Vec<Level>, AllocationPolicy),
    pickups: &[Option<LocationId>],
) -> (Vec<Take>, Vec<Issue>) {
    let mut places: Vec<Option<LocationId>> = pickups.to_vec();
    places.sort_by_key(|place| (place.is_none(), *place));
    places.dedup();
    let mut takes: BTreeMap<(InventoryItemId, LocationId), Take> = BTreeMap::new();
    let mut issues: Vec<Issue> =
        lines.iter().filter(|line| is_kept_nowhere(line, items)).map(|line| short(line, 0)).collect();
    for place in places {
        let here = || lines.iter().zip(pickups).filter(|(_, pickup)| **pickup == place).map(|(line, _)| line);
        let demand: Vec<Demand> = here().flat_map(|line| demand(&line.row, line.offer.as_ref(), items)).collect();
        let open: Vec<Level> =
            levels.iter().filter(|level| place.is_none_or(|place| level.location == place)).cloned().collect();
        match domain::inventory::reserve(&demand, &open, policy) {
            Ok(found) => {
                for take in found {
                    let none = Take { quantity: 0, firm: 0, covered: 0, ..take };
                    let sum = takes.entry((take.item, take.location)).or_insert(none);
                    sum.quantity = sum.quantity.saturating_add(take.quantity);
                    sum.firm = sum.firm.saturating_add(take.firm);
                    sum.covered = sum.covered.saturating_add(take.covered);
                    let same = |level: &&mut Level| level.item == take.item && level.location == take.location;
                    if let Some(level) = levels.iter_mut().find(same) {
                        level.reserved = level.reserved.saturating_add(take.quantity);
                    }
                }
            }
            Err(shorts) => {
                for line in here() {
                    let own = items.iter().filter(|(variant, _, _)| *variant == line.row.variant_id);
                    issues.extend(own.filter_map(|(_, item, required)| {
                        let missing = shorts.iter().find(|short| short.item == *item)?;
                        Some(short(line, missing.available / required))
                    }));
                }
            }
        }
    }
    if issues.is_empty() { (takes.into_values().collect(), issues) } else { (Vec::new(), issues) }
}

/// Whether the stock of a line is counted and there is nothing that could be.
fn is_kept_nowhere(line: &QuotedLine, items: &[(VariantId, InventoryItemId, i32)]) -> bool {
    let counted = line.offer.as_ref().is_some_and(|offer| offer.variant.manage_inventory);
    counted && !items.iter().any(|(variant, _, _)| *variant == line.row.variant_id)
}

fn short(line: &QuotedLine, available: i32) -> Issue {
    let message = format!("Only {available} of this can be had.");
    let refusal = Refusal::new(ErrorCode::InsufficientStock, message).available(available).about(line.row.variant_id);
    Issue::new(refusal, Some(line.row.id), true)
}
