//! Delivery groups: which lines of a cart ship together.

use crate::id::ShippingProfileId;

/// A line of a cart, as far as its delivery goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShippedLine {
    /// The profile of its product; none when nothing of it is sent.
    pub profile: Option<ShippingProfileId>,
    /// How many pieces.
    pub quantity: i32,
    /// Grams of one piece; what nobody weighed weighs nothing.
    pub weight_grams: Option<i32>,
    /// What it comes to after its discounts, in minor units and the price's own basis.
    pub subtotal_minor: i64,
}

/// Lines that ship together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The profile that they share.
    pub profile: ShippingProfileId,
    /// Their places in the cart.
    pub lines: Vec<usize>,
    /// What they come to after their discounts, in minor units.
    pub subtotal_minor: i64,
    /// What they weigh together, in grams.
    pub weight_grams: i64,
    /// How many pieces they are.
    pub quantity: i64,
}

/// The lines by profile, in the order in which the first of each came. Lines of which nothing is sent are in none.
pub fn groups(lines: &[ShippedLine]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        let Some(profile) = line.profile else { continue };
        let known = groups.iter().position(|group| group.profile == profile);
        let known = known.unwrap_or_else(|| {
            groups.push(Group { profile, lines: Vec::new(), subtotal_minor: 0, weight_grams: 0, quantity: 0 });
            groups.len() - 1
        });
        let group = &mut groups[known];
        group.lines.push(place);
        group.subtotal_minor = group.subtotal_minor.saturating_add(line.subtotal_minor);
        group.weight_grams += i64::from(line.weight_grams.unwrap_or(0)) * i64::from(line.quantity);
        group.quantity += i64::from(line.quantity);
    }
    groups
}

/// A group that a cart has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldGroup {
    /// Its place among the groups.
    pub position: i32,
    /// Its profile; none before its cart held anything.
    pub profile: Option<ShippingProfileId>,
}

/// A group that a cart is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Which of the held groups it is; none for a new one.
    pub held: Option<usize>,
    /// Its profile.
    pub profile: ShippingProfileId,
    /// Its place among the groups.
    pub position: i32,
}

/// Which groups stay, and which come: a held group of a needed profile keeps its place, one without a profile takes the
/// first that has no group, and new ones come behind all. Held groups that nobody names here go. In order of place.
pub fn regroup(held: &[HeldGroup], needed: &[ShippingProfileId]) -> Vec<Slot> {
    let mut blank: Vec<usize> = (0..held.len()).filter(|place| held[*place].profile.is_none()).rev().collect();
    let mut next = held.iter().map(|group| group.position.saturating_add(1)).max().unwrap_or(0);
    let mut slots: Vec<Slot> = Vec::with_capacity(needed.len());
    for &profile in needed {
        let known = held.iter().position(|group| group.profile == Some(profile)).or_else(|| blank.pop());
        let position = known.map_or(next, |place| held[place].position);
        next += i32::from(known.is_none());
        slots.push(Slot { held: known, profile, position });
    }
    slots.sort_by_key(|slot| slot.position);
    slots
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn profile(number: u128) -> ShippingProfileId {
        ShippingProfileId(Uuid::from_u128(number))
    }

    fn line(number: u128, quantity: i32, weight_grams: Option<i32>, subtotal_minor: i64) -> ShippedLine {
        ShippedLine { profile: (number > 0).then(|| profile(number)), quantity, weight_grams, subtotal_minor }
    }

    #[test]
    fn lines_ship_with_those_of_their_profile_and_digital_ones_with_none() {
        let told = groups(&[
            line(2, 3, Some(200), 900),
            line(0, 1, Some(5), 100),
            line(1, 1, None, 50),
            line(2, 1, Some(1_000), 10),
        ]);
        let figures = |group: &Group| (group.profile, group.lines.clone(), group.weight_grams, group.subtotal_minor);
        assert_eq!(
            told.iter().map(figures).collect::<Vec<_>>(),
            [(profile(2), vec![0, 3], 1_600, 910), (profile(1), vec![2], 0, 50)]
        );
        assert_eq!(told[0].quantity, 4);
    }

    #[test]
    fn groups_keep_their_places_while_their_profile_is_needed() {
        let held = |position, number: u128| HeldGroup { position, profile: (number > 0).then(|| profile(number)) };
        let slot = |held, number, position| Slot { held, profile: profile(number), position };
        // The one that a cart begins with takes whatever comes first.
        assert_eq!(regroup(&[held(0, 0)], &[profile(7), profile(8)]), [slot(Some(0), 7, 0), slot(None, 8, 1)]);
        assert_eq!(
            regroup(&[held(0, 7), held(1, 8)], &[profile(8), profile(7)]),
            [slot(Some(0), 7, 0), slot(Some(1), 8, 1)]
        );
        assert_eq!(
            regroup(&[held(0, 7), held(1, 8)], &[profile(9), profile(8)]),
            [slot(Some(1), 8, 1), slot(None, 9, 2)]
        );
        assert_eq!(regroup(&[held(3, 7)], &[]), []);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn every_needed_profile_has_one_group_and_no_place_is_taken_twice(
            held in prop::collection::btree_set(1..9_u128, 0..5),
            needed in prop::collection::btree_set(1..9_u128, 0..6),
            blanks in 0..3_i32,
        ) {
            let mut groups: Vec<HeldGroup> =
                (0..).zip(&held).map(|(position, of)| HeldGroup { position, profile: Some(profile(*of)) }).collect();
            let first = groups.len() as i32;
            groups.extend((0..blanks).map(|more| HeldGroup { position: first + more, profile: None }));
            let wanted: Vec<_> = needed.iter().map(|number| profile(*number)).collect();
            let slots = regroup(&groups, &wanted);
            prop_assert_eq!(slots.iter().map(|slot| slot.profile).collect::<BTreeSet<_>>(), wanted.iter().copied().collect());
            prop_assert_eq!(slots.iter().map(|slot| slot.position).collect::<BTreeSet<_>>().len(), slots.len());
            // Doing it again changes nothing.
            let now: Vec<_> =
                slots.iter().map(|slot| HeldGroup { position: slot.position, profile: Some(slot.profile) }).collect();
            let again = regroup(&now, &wanted);
            prop_assert!(again.iter().zip(&slots).all(|(after, before)| after.held.is_some() && after.profile == before.profile));
        }

        #[test]
        fn groups_hold_every_line_that_ships_once(lines in prop::collection::vec((0..4_u128, 1..9_i32, 0..900_i64), 0..12)) {
            let lines: Vec<_> = lines.into_iter().map(|(of, quantity, sum)| line(of, quantity, Some(10), sum)).collect();
            let told = groups(&lines);
            let mut places: Vec<usize> = told.iter().flat_map(|group| group.lines.clone()).collect();
            places.sort_unstable();
            let shipped: Vec<usize> = (0..lines.len()).filter(|place| lines[*place].profile.is_some()).collect();
            prop_assert_eq!(&places, &shipped);
            let sum: i64 = shipped.iter().map(|place| lines[*place].subtotal_minor).sum();
            prop_assert_eq!(told.iter().map(|group| group.subtotal_minor).sum::<i64>(), sum);
        }
    }
}
