//! A fulfillment is what was packed together (`reference/medusa.md` S-4).

use std::collections::{BTreeMap, BTreeSet};

use crate::id::OrderLineId;
use crate::refusal::{ErrorCode, Refusal, Refusals};
use crate::word::words;

words! {
    /// Where a fulfillment stands.
    pub enum FulfillmentState {
        /// Made: stock is taken and the reservation consumed.
        Packed = "PACKED",
        /// Handed to a carrier.
        Shipped = "SHIPPED",
        /// Arrived, picked up or downloaded.
        Delivered = "DELIVERED",
        /// Unpacked: stock and reservation are put back.
        Canceled = "CANCELED",
    }
}

/// Only what is packed ships; else `STATE_INVALID`.
pub fn may_ship(state: FulfillmentState) -> Result<(), Refusal> {
    match state {
        FulfillmentState::Packed => Ok(()),
        FulfillmentState::Shipped => refused("The fulfillment is shipped already."),
        FulfillmentState::Delivered => refused("The fulfillment is delivered already."),
        FulfillmentState::Canceled => refused("The fulfillment is canceled."),
    }
}

/// What is packed or shipped may be delivered: goods that need no carrier are
/// handed over as packed. Else `STATE_INVALID`.
pub fn may_deliver(state: FulfillmentState) -> Result<(), Refusal> {
    match state {
        FulfillmentState::Packed | FulfillmentState::Shipped => Ok(()),
        FulfillmentState::Delivered => refused("The fulfillment is delivered already."),
        FulfillmentState::Canceled => refused("The fulfillment is canceled."),
    }
}

/// Only what has not left the house is canceled; else `STATE_INVALID`.
pub fn may_cancel(state: FulfillmentState) -> Result<(), Refusal> {
    match state {
        FulfillmentState::Packed => Ok(()),
        FulfillmentState::Shipped | FulfillmentState::Delivered => refused("The goods have left the house."),
        FulfillmentState::Canceled => refused("The fulfillment is canceled already."),
    }
}

fn refused(message: &str) -> Result<(), Refusal> {
    Err(Refusal::new(ErrorCode::StateInvalid, message))
}

/// Whether these units can be packed together: `asked` as (line, units), against
/// `open` as (line, units neither fulfilled nor canceled).
///
/// Every refusal is answered, at `["lines", index, field]`: `REQUIRED` (at
/// `["lines"]`) when nothing is asked, `NOT_FOUND` for a line that isn't in
/// `open`, `DUPLICATE` for one that stands twice, `QUANTITY_OUT_OF_RANGE` below
/// 1, `AMOUNT_TOO_LARGE` with the limit beyond what is open.
pub fn check_lines(asked: &[(OrderLineId, i32)], open: &[(OrderLineId, i32)]) -> Result<(), Vec<Refusal>> {
    let open: BTreeMap<OrderLineId, i32> = open.iter().copied().collect();
    let mut seen = BTreeSet::new();
    let mut refusals = Refusals::default();
    if asked.is_empty() {
        refusals.push(Refusal::new(ErrorCode::Required, "Nothing is to be packed.").at(["lines"]));
    }
    for (index, (line, quantity)) in asked.iter().enumerate() {
        let at = |field: &str| ["lines".to_owned(), index.to_string(), field.to_owned()];
        let mut refuse = |refusal: Refusal, field| refusals.push(refusal.at(at(field)).about(line));
        let left = open.get(line).copied();
        if left.is_none() {
            refuse(Refusal::new(ErrorCode::NotFound, "The order has no such line."), "orderLineId");
        }
        if !seen.insert(*line) {
            refuse(Refusal::new(ErrorCode::Duplicate, "The line stands here twice."), "orderLineId");
        }
        match left {
            _ if *quantity < 1 => {
                refuse(Refusal::new(ErrorCode::QuantityOutOfRange, "The quantity must be 1 or more."), "quantity");
            }
            Some(left) if *quantity > left => {
                let refusal = Refusal::new(ErrorCode::AmountTooLarge, "This is more than is left to fulfill.");
                refuse(refusal.limit(left.max(0).into()), "quantity");
            }
            _ => {}
        }
    }
    refusals.into_result()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn line(id: u128) -> OrderLineId {
        OrderLineId(Uuid::from_u128(id))
    }

    #[test]
    fn steps_go_forward_only() {
        let allowed = |may: fn(FulfillmentState) -> Result<(), Refusal>| {
            FulfillmentState::ALL.iter().copied().filter(|state| may(*state).is_ok()).collect::<Vec<_>>()
        };
        assert_eq!(allowed(may_ship), [FulfillmentState::Packed]);
        assert_eq!(allowed(may_deliver), [FulfillmentState::Packed, FulfillmentState::Shipped]);
        assert_eq!(allowed(may_cancel), [FulfillmentState::Packed]);
        assert_eq!(may_cancel(FulfillmentState::Shipped).unwrap_err().code, ErrorCode::StateInvalid);
    }

    #[test]
    fn every_fault_is_named_at_its_place() {
        let open = [(line(1), 2), (line(2), 1)];
        assert_eq!(check_lines(&[(line(2), 1), (line(1), 2)], &open), Ok(()));
        let refusals = check_lines(&[(line(9), 1), (line(1), 3), (line(2), 0), (line(2), 1)], &open).unwrap_err();
        let told: Vec<_> =
            refusals.iter().map(|refusal| (refusal.code, refusal.path.join("."), refusal.limit)).collect();
        assert_eq!(
            told,
            [
                (ErrorCode::NotFound, "lines.0.orderLineId".to_owned(), None),
                (ErrorCode::AmountTooLarge, "lines.1.quantity".to_owned(), Some(2)),
                (ErrorCode::QuantityOutOfRange, "lines.2.quantity".to_owned(), None),
                (ErrorCode::Duplicate, "lines.3.orderLineId".to_owned(), None),
            ]
        );
        assert_eq!(check_lines(&[], &open).unwrap_err()[0].code, ErrorCode::Required);
    }

    proptest! {
        #[test]
        fn what_passes_fits(
            asked in prop::collection::vec((0..4_u128, -1..4_i32), 0..5),
            open in prop::collection::btree_map(0..4_u128, 0..4_i32, 0..4),
        ) {
            let lines: Vec<_> = asked.iter().map(|(id, quantity)| (line(*id), *quantity)).collect();
            let left: Vec<_> = open.iter().map(|(id, quantity)| (line(*id), *quantity)).collect();
            let fits = !asked.is_empty() && asked.iter().enumerate().all(|(at, (id, quantity))| {
                *quantity >= 1
                    && open.get(id).is_some_and(|left| quantity <= left)
                    && asked[..at].iter().all(|(other, _)| other != id)
            });
            prop_assert_eq!(check_lines(&lines, &left).is_ok(), fits);
        }
    }
}
