//! Stock per inventory item and location: what can be promised, and where it
//! comes from (DESIGN section 6, "stock"). Quantities are whole units.
//!
//! ```text
//! stocked = free + promised + safety        what lies there
//! free    = stocked - reserved - safety     what can be promised now
//! to come = incoming, less what is promised beyond what is free
//! ```

pub mod allot;
pub mod near;
pub mod sellable;

pub use allot::{Demand, Level, Short, Take, reserve};
pub use sellable::{Counted, Sellable, availability};

use crate::refusal::{ErrorCode, Refusal};
use crate::word::words;

/// From this many free units down to 1, the stock of an item at a location is called low, unless staff say otherwise.
pub const LOW_STOCK: i32 = 3;
/// The longest for which stock is held for a cart: a day.
pub const MAX_HOLD_MINUTES: i32 = 1_440;
/// The most requests that wait for one mailbox.
pub const MAX_BACK_IN_STOCK_REQUESTS: u64 = 100;
/// The most items that a variant takes from.
pub const MAX_KIT_ITEMS: usize = 50;
/// The most variants that take from one item.
pub const MAX_TAKERS: i64 = 250;
/// The most units of one item in one piece of a variant.
pub const MAX_KIT_QUANTITY: i32 = 1_000;
/// The most units that one change names.
pub const MAX_STOCK_CHANGE: i32 = 1_000_000_000;

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
        /// They went from one location to another.
        Transferred = "TRANSFERRED",
        /// They are expected, or no longer.
        Expected = "EXPECTED",
    }
}

words! {
    /// Which count of a level a movement changed.
    pub enum StockCount {
        /// What lies there.
        Stocked = "STOCKED",
        /// What is on its way.
        Incoming = "INCOMING",
    }
}

words! {
    /// For whom stock is promised.
    pub enum ReservationKind {
        /// It is held for a cart for a while.
        Cart = "CART",
        /// A checkout is under way, or it is sold and not sent yet.
        Sale = "SALE",
        /// Staff put it aside.
        Manual = "MANUAL",
    }
}

words! {
    /// Which location an order is taken from when several could give.
    pub enum AllocationPolicy {
        /// By the numbers of the locations, the lowest first; the first that has all of an item before several share it.
        Priority = "PRIORITY",
        /// The one that is nearest to the shipping address before the others; the first that has all of an item before
        /// several share it.
        Nearest = "NEAREST",
        /// As few locations for the whole order as can be, and then by their numbers.
        FewestParcels = "FEWEST_PARCELS",
    }
}

words! {
    /// What the shopper is told about stock.
    pub enum Availability {
        /// It can be bought; more are there than staff call low, or nobody counts them.
        InStock = "IN_STOCK",
        /// Few are left: as many as staff call low, 3 unless they say otherwise.
        LowStock = "LOW_STOCK",
        /// None are left and none can be ordered.
        OutOfStock = "OUT_OF_STOCK",
        /// None are left; an order waits for new stock.
        Backorder = "BACKORDER",
        /// It is not out yet: an order waits for the day of its release.
        Preorder = "PREORDER",
    }
}

/// The stocked quantity after a change by `delta`.
///
/// `INSUFFICIENT_STOCK` with what can be taken when a decrease would reach into
/// promised units or below zero; `INVALID` beyond what the counter holds. What is
/// kept back for safety may be taken: it is staff who decide about it. An
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

/// Units of a level that are neither promised nor kept back; below zero when more is promised than can be.
pub fn free(stocked: i32, reserved: i32, safety: i32) -> i64 {
    i64::from(stocked) - i64::from(reserved) - i64::from(safety)
}

/// Whether free units fell to what is called low, or below it, by this change.
pub fn became_low(before: i64, after: i64, low: i32) -> bool {
    before > i64::from(low) && after <= i64::from(low)
}

/// Whether there are free units again where there were none.
pub fn came_back(before: i64, after: i64) -> bool {
    before <= 0 && after > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn promised_units_stay() {
        assert_eq!(adjust(5, 3, -2), Ok(3));
        assert_eq!(adjust(5, 3, -3).unwrap_err().quantity_available, Some(2));
        assert_eq!(adjust(0, 0, -1).unwrap_err().code, ErrorCode::InsufficientStock);
        assert_eq!(adjust(0, 10, 4), Ok(4));
        assert_eq!(adjust(i32::MAX, 0, 1).unwrap_err().code, ErrorCode::Invalid);
    }

    #[test]
    fn news_is_told_once() {
        assert!(became_low(4, 3, 3) && !became_low(3, 2, 3) && !became_low(3, 4, 3) && became_low(9, -2, 0));
        assert!(came_back(0, 1) && came_back(-5, 2) && !came_back(-5, 0) && !came_back(1, 2));
    }

    proptest! {
        #[test]
        fn an_adjusted_level_never_breaks_a_promise(stocked in 0..i32::MAX, reserved in 0..i32::MAX, delta: i32) {
            if let Ok(after) = adjust(stocked, reserved, delta) {
                prop_assert!(after >= 0 && (after >= reserved || delta >= 0));
            }
        }
    }
}
