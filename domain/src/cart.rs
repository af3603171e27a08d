//! What a cart may hold.

use crate::id::VariantId;
use crate::refusal::{ErrorCode, Refusal};
use crate::word::words;

words! {
    /// Where a cart is on its way.
    pub enum CartState {
        /// Can be changed.
        Open = "OPEN",
        /// A checkout is under way; changes are refused.
        Completing = "COMPLETING",
        /// Has become an order.
        Completed = "COMPLETED",
        /// Its time is over.
        Abandoned = "ABANDONED",
    }
}

words! {
    /// What has changed about a cart since its follower was told last.
    pub enum CartChange {
        /// Its lines, its buyer or its addresses.
        Content = "CONTENT",
        /// What its lines cost, or the taxes on them.
        Price = "PRICE",
        /// What can be had of its lines.
        Stock = "STOCK",
        /// The ways of delivery that it is offered, their cost, or the choice.
        Delivery = "DELIVERY",
        /// The payment that was chosen.
        Payment = "PAYMENT",
        /// Where it is on its way: a checkout has begun, failed or ended.
        State = "STATE",
    }
}

/// After how many minutes without a change a cart is told to be abandoned, when nobody says.
pub const PAUSE_MINUTES: i32 = 60;
/// The fewest minutes for that.
pub const LEAST_PAUSE_MINUTES: i32 = 5;
/// The most minutes for that: a cart ends by itself after 30 days.
pub const MOST_PAUSE_MINUTES: i32 = 7 * 24 * 60;

/// The most pieces of one variant that a line may hold.
pub const MAX_QUANTITY: i32 = 9_999;
/// The most lines of a cart.
pub const MAX_LINES: usize = 100;

/// Refuses to change a cart that is not open.
pub fn must_be_open(state: CartState) -> Result<(), Refusal> {
    match state {
        CartState::Open => Ok(()),
        CartState::Completing => Err(Refusal::new(
            ErrorCode::CartCompleting,
            "A checkout of this cart is under way: let it end, or cancel it with checkoutCancel.",
        )),
        CartState::Completed => Err(Refusal::new(ErrorCode::CartCompleted, "This cart has become an order.")),
        CartState::Abandoned => Err(Refusal::new(ErrorCode::NotFound, "There is no such cart.")),
    }
}

/// A quantity between 1 and [`MAX_QUANTITY`].
pub fn quantity(quantity: i64) -> Result<i32, Refusal> {
    match i32::try_from(quantity) {
        Ok(quantity) if (1..=MAX_QUANTITY).contains(&quantity) => Ok(quantity),
        _ => Err(Refusal::new(
            ErrorCode::QuantityOutOfRange,
            format!("The quantity must be between 1 and {MAX_QUANTITY}."),
        )
        .limit(MAX_QUANTITY.into())),
    }
}

/// Puts `added` onto the lines: a variant that the cart already holds grows,
/// the others follow in the order in which they came. Answers with the whole
/// list of variants and quantities; paths of refusals begin with `lines` and
/// the place in `added`.
pub fn add(held: &[(VariantId, i32)], added: &[(VariantId, i64)]) -> Result<Vec<(VariantId, i32)>, Vec<Refusal>> {
    let mut lines = held.to_vec();
    let mut refusals = Vec::new();
    for (place, (variant, more)) in added.iter().enumerate() {
        let at = ["lines".to_owned(), place.to_string(), "quantity".to_owned()];
        let known = lines.iter_mut().find(|(held, _)| held == variant);
        let before = known.as_ref().map_or(0, |(_, quantity)| *quantity);
        let sum = quantity(*more).and_then(|more| quantity(i64::from(before) + i64::from(more)));
        match (sum, known) {
            (Ok(sum), Some((_, held))) => *held = sum,
            (Ok(sum), None) => lines.push((*variant, sum)),
            (Err(refusal), _) => refusals.push(refusal.at(at)),
        }
    }
    if lines.len() > MAX_LINES {
        let message = format!("A cart has at most {MAX_LINES} lines.");
        refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_LINES as i64).at(["lines"]));
    }
    if refusals.is_empty() { Ok(lines) } else { Err(refusals) }
}

/// What could not be carried over when one cart was merged into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftBehind {
    /// Of which variant.
    pub variant: VariantId,
    /// How many pieces.
    pub quantity: i32,
    /// Whether the cart has no room for another line; otherwise the line is as
    /// long as it may be.
    pub no_line: bool,
}

/// Merges the lines of a guest's cart into those of his account: quantities
/// are added up to [`MAX_QUANTITY`], lines up to [`MAX_LINES`]. What goes
/// beyond is named, so that nothing is dropped in silence.
pub fn merge(held: &[(VariantId, i32)], guest: &[(VariantId, i32)]) -> (Vec<(VariantId, i32)>, Vec<LeftBehind>) {
    let mut lines = held.to_vec();
    let mut left = Vec::new();
    for &(variant, more) in guest {
        let full = lines.len() >= MAX_LINES;
        match lines.iter_mut().find(|(known, _)| *known == variant) {
            Some((_, quantity)) => {
                let room = (MAX_QUANTITY - *quantity).clamp(0, more);
                *quantity += room;
                if room < more {
                    left.push(LeftBehind { variant, quantity: more - room, no_line: false });
                }
            }
            None if full => left.push(LeftBehind { variant, quantity: more, no_line: true }),
            None => lines.push((variant, more)),
        }
    }
    (lines, left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn variant(number: u128) -> VariantId {
        VariantId(Uuid::from_u128(number))
    }

    #[test]
    fn a_held_variant_grows_and_keeps_its_place() {
        let lines = add(&[(variant(1), 2), (variant(2), 1)], &[(variant(3), 1), (variant(1), 3), (variant(3), 1)]);
        assert_eq!(lines.unwrap(), [(variant(1), 5), (variant(2), 1), (variant(3), 2)]);
    }

    #[test]
    fn zero_negative_and_huge_are_refused_each_in_its_place() {
        let refusals = add(&[], &[(variant(1), 0), (variant(2), -1), (variant(3), i64::MAX), (variant(4), 1)]);
        let refused: Vec<_> = refusals.unwrap_err().into_iter().map(|r| (r.code, r.path[1].clone())).collect();
        assert_eq!(refused, ["0", "1", "2"].map(|place| (ErrorCode::QuantityOutOfRange, place.to_owned())));
    }

    #[test]
    fn growing_beyond_the_bound_is_refused() {
        assert!(add(&[(variant(1), MAX_QUANTITY)], &[(variant(1), 1)]).is_err());
    }

    #[test]
    fn a_merge_adds_up_to_the_bounds_and_names_the_rest() {
        let (lines, left) = merge(&[(variant(1), 9_990), (variant(2), 1)], &[(variant(1), 20), (variant(3), 4)]);
        assert_eq!(lines, [(variant(1), MAX_QUANTITY), (variant(2), 1), (variant(3), 4)]);
        assert_eq!(left, [LeftBehind { variant: variant(1), quantity: 11, no_line: false }]);
        let full: Vec<_> = (0..MAX_LINES as u128).map(|number| (variant(number), 1)).collect();
        let (lines, left) = merge(&full, &[(variant(5), 2), (variant(1_000), 3)]);
        assert_eq!((lines.len(), lines[5].1), (MAX_LINES, 3));
        assert_eq!(left, [LeftBehind { variant: variant(1_000), quantity: 3, no_line: true }]);
    }

    proptest! {
        #[test]
        fn a_merge_loses_no_piece_in_silence(
            held in prop::collection::btree_map(0u128..150, 1i32..=MAX_QUANTITY, 0..=MAX_LINES),
            guest in prop::collection::btree_map(0u128..150, 1i32..=MAX_QUANTITY, 0..=MAX_LINES),
        ) {
            let read = |lines: std::collections::BTreeMap<u128, i32>| -> Vec<_> {
                lines.into_iter().map(|(number, quantity)| (variant(number), quantity)).collect()
            };
            let (held, guest) = (read(held), read(guest));
            let sum = |lines: &[(VariantId, i32)]| lines.iter().map(|(_, quantity)| i64::from(*quantity)).sum::<i64>();
            let (lines, left) = merge(&held, &guest);
            let behind: i64 = left.iter().map(|left| i64::from(left.quantity)).sum();
            prop_assert_eq!(sum(&lines) + behind, sum(&held) + sum(&guest));
            prop_assert!(lines.len() <= MAX_LINES);
            prop_assert!(lines.iter().all(|(_, quantity)| (1..=MAX_QUANTITY).contains(quantity)));
        }

        #[test]
        fn an_accepted_cart_is_within_bounds(added in prop::collection::vec((0u128..20, -5i64..5000), 0..40)) {
            let added: Vec<_> = added.into_iter().map(|(v, q)| (variant(v), q)).collect();
            if let Ok(lines) = add(&[], &added) {
                prop_assert!(lines.iter().all(|(_, quantity)| (1..=MAX_QUANTITY).contains(quantity)));
            }
        }
    }
}
