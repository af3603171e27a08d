//! How much of a variant can be sold, and what the shopper is told of it.

use std::collections::BTreeMap;

use super::Availability;
use crate::catalog::BackorderPolicy;
use crate::id::InventoryItemId;

/// One item that a variant takes from, at one location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// What is taken.
    pub item: InventoryItemId,
    /// How many of it for one piece.
    pub required: i32,
    /// Free there; below zero when more is promised than can be.
    pub free: i64,
    /// On its way there.
    pub incoming: i32,
    /// From how many free units on staff call it low there.
    pub low: i32,
}

/// How many pieces of a variant can be sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sellable {
    /// From what is free now.
    pub now: i64,
    /// With what is on its way.
    pub with_incoming: i64,
    /// Whether the scarcest item is low.
    pub is_low: bool,
}

impl Sellable {
    /// Out of the rows of a variant's items. The scarcest item decides; what is promised beyond the stock of one
    /// location takes nothing from another. A variant without items has none.
    pub fn of(rows: impl IntoIterator<Item = Counted>) -> Self {
        #[derive(Default)]
        struct Sums {
            required: i64,
            free: i64,
            coming: i64,
            low: i32,
        }
        let mut items: BTreeMap<InventoryItemId, Sums> = BTreeMap::new();
        for row in rows {
            let sums = items.entry(row.item).or_default();
            sums.required = row.required.max(1).into();
            sums.free += row.free.max(0);
            sums.coming += (row.free + i64::from(row.incoming)).max(row.free).max(0);
            sums.low = sums.low.max(row.low);
        }
        let least = |pieces: fn(&Sums) -> i64| items.values().map(pieces).min().unwrap_or(0);
        Self {
            now: least(|sums| sums.free / sums.required),
            with_incoming: least(|sums| sums.coming / sums.required),
            is_low: items.values().any(|sums| sums.free / sums.required <= i64::from(sums.low)),
        }
    }
}

/// What the shopper is told about a variant. `counted` is what there is of it, nothing when its stock is not counted;
/// `is_out` says whether the day of its release has come.
pub fn availability(counted: Option<Sellable>, backorder: BackorderPolicy, is_out: bool) -> Availability {
    let state = match counted {
        None => Availability::InStock,
        Some(stock) if stock.now > 0 && stock.is_low => Availability::LowStock,
        Some(stock) if stock.now > 0 => Availability::InStock,
        Some(stock) => match backorder {
            BackorderPolicy::Allow => Availability::Backorder,
            BackorderPolicy::Incoming if stock.with_incoming > 0 => Availability::Backorder,
            BackorderPolicy::Incoming | BackorderPolicy::Deny => Availability::OutOfStock,
        },
    };
    if is_out || state == Availability::OutOfStock { state } else { Availability::Preorder }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn row(item: u128, required: i32, free: i64, incoming: i32) -> Counted {
        Counted { item: InventoryItemId(Uuid::from_u128(item)), required, free, incoming, low: 3 }
    }

    fn pieces(rows: &[Counted]) -> (i64, i64) {
        let sellable = Sellable::of(rows.iter().copied());
        (sellable.now, sellable.with_incoming)
    }

    #[test]
    fn the_scarcest_item_says_how_many_kits_there_are() {
        assert_eq!(pieces(&[row(1, 2, 5, 0), row(2, 1, 1, 0), row(2, 1, 2, 0)]), (2, 2));
        assert_eq!(pieces(&[row(1, 2, 5, 0), row(2, 1, 0, 0)]), (0, 0));
        assert_eq!(pieces(&[row(1, 1, -4, 0), row(1, 1, 3, 0)]), (3, 3));
        assert_eq!(pieces(&[]), (0, 0));
    }

    #[test]
    fn what_is_promised_is_taken_off_what_comes() {
        assert_eq!(pieces(&[row(1, 1, -4, 6)]), (0, 2));
        assert_eq!(pieces(&[row(1, 2, 1, 6), row(2, 1, 0, 9)]), (0, 3));
        assert_eq!(pieces(&[row(1, 1, -4, 3), row(1, 1, 1, 0)]), (1, 1));
    }

    #[test]
    fn the_shopper_is_told_a_state() {
        let told = |now: i64, with_incoming: i64, policy, is_out| {
            let stock = Sellable { now, with_incoming, is_low: now <= 3 };
            availability(Some(stock), policy, is_out)
        };
        use BackorderPolicy::{Allow, Deny, Incoming};
        assert_eq!(
            [0, 1, 3, 4].map(|now| told(now, now, Deny, true)),
            [Availability::OutOfStock, Availability::LowStock, Availability::LowStock, Availability::InStock]
        );
        assert_eq!(told(0, 0, Allow, true), Availability::Backorder);
        assert_eq!(told(0, 0, Incoming, true), Availability::OutOfStock);
        assert_eq!(told(0, 2, Incoming, true), Availability::Backorder);
        assert_eq!(told(0, 2, Deny, true), Availability::OutOfStock);
        assert_eq!(told(9, 9, Deny, false), Availability::Preorder);
        assert_eq!(told(0, 2, Incoming, false), Availability::Preorder);
        assert_eq!(told(0, 9, Deny, false), Availability::OutOfStock);
        assert_eq!(availability(None, Deny, true), Availability::InStock);
        assert_eq!(availability(None, Deny, false), Availability::Preorder);
    }
}
