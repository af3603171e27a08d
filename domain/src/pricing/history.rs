//! The lowest price before a reduction, which European shops must name beside
//! it (Directive 98/6/EC, article 6a).

use std::collections::BTreeSet;

use super::{Candidate, PriceList, Situation, choose_of};
use crate::id::PriceListId;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;
/// How long before the reduction the lowest price is looked for, in days.
pub const DAYS: i64 = 30;

/// A price as it stood for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastPrice {
    /// The price.
    pub price: Candidate,
    /// From when on, inclusive.
    pub from: i64,
    /// Until when, exclusive; it still stands when absent.
    pub until: Option<i64>,
}

impl PastPrice {
    fn stood(&self, moment: i64) -> bool {
        self.from <= moment && self.until.is_none_or(|until| moment < until)
    }
}

/// The lowest amount, in minor units and the basis of the price of now, that
/// applied within [`DAYS`] days before that price came to apply. `None` when
/// nothing applied before: then there was no reduction.
///
/// `situation.now` is the moment of looking. What applied at a moment is what
/// [`super::choose`] answers for the prices and lists of that moment.
pub fn lowest_before(past: &[PastPrice], situation: &Situation<'_>) -> Option<i64> {
    let mut moments: Vec<i64> = past.iter().flat_map(|one| [Some(one.from), one.until]).flatten().collect();
    let named: BTreeSet<PriceListId> = past.iter().filter_map(|one| one.price.list).collect();
    let lists: Vec<PriceList> = situation.lists.iter().filter(|list| named.contains(&list.id)).cloned().collect();
    moments.extend(lists.iter().flat_map(|list| [list.starts_at, list.ends_at]).flatten());
    moments.retain(|moment| *moment <= situation.now);
    moments.sort_unstable();
    moments.dedup();

    let at = |moment: i64| {
        let then = Situation { now: moment, lists: &lists, ..*situation };
        let standing = past.iter().filter(|one| one.stood(moment)).map(|one| &one.price);
        choose_of(standing, &then).map(|choice| (choice.price.amount_minor, choice.price.includes_tax))
    };
    let (amount, includes_tax) = at(situation.now)?;
    // Since when the price of now has applied without a break.
    let mut since = situation.now;
    let mut before = moments.len();
    while before > 0 && at(moments[before - 1]) == Some((amount, includes_tax)) {
        before -= 1;
        since = moments[before];
    }
    let window = since - DAYS * DAY;
    let within = moments[..before].iter().copied().filter(|moment| *moment > window);
    let amounts = within.chain([window]).filter_map(at);
    amounts.map(|(minor, held)| situation.in_basis(minor, held, includes_tax)).min()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::id::PriceId;
    use crate::pricing::{PriceListKind, PriceListStatus};
    use crate::rule::{Attributes, Rules};

    fn stood(id: u128, amount_minor: i64, from: i64, until: Option<i64>, list: Option<u128>) -> PastPrice {
        let price = Candidate {
            id: PriceId(Uuid::from_u128(id)),
            currency: "EUR".parse().unwrap(),
            amount_minor,
            includes_tax: true,
            compare_at_minor: None,
            min_quantity: None,
            max_quantity: None,
            list: list.map(|id| PriceListId(Uuid::from_u128(id))),
            rules: Rules::default(),
        };
        PastPrice { price, from: from * DAY, until: until.map(|day| day * DAY) }
    }

    fn sale(id: u128, starts: i64, ends: i64) -> PriceList {
        PriceList {
            id: PriceListId(Uuid::from_u128(id)),
            kind: PriceListKind::Sale,
            status: PriceListStatus::Active,
            starts_at: Some(starts * DAY),
            ends_at: Some(ends * DAY),
            priority: 0,
            rules: Rules::default(),
        }
    }

    fn lowest(past: &[PastPrice], lists: &[PriceList], day: i64) -> Option<i64> {
        let attributes = Attributes::default();
        let situation = Situation {
            currency: "EUR".parse().unwrap(),
            quantity: 1,
            attributes: &attributes,
            lists,
            now: day * DAY,
            default_rate_ppm: 0,
        };
        lowest_before(past, &situation)
    }

    #[test]
    fn the_lowest_of_thirty_days_before_the_reduction_counts() {
        let past = [
            stood(1, 700, 0, Some(50), None),
            stood(2, 900, 50, Some(90), None),
            stood(3, 1000, 90, None, None),
            stood(4, 800, 0, None, Some(9)),
        ];
        let lists = [sale(9, 100, 110)];
        assert_eq!(lowest(&past, &lists, 105), Some(900));
        // The reduction's own days don't count, however long it runs.
        assert_eq!(lowest(&past, &[sale(9, 100, 400)], 390), Some(900));
        // After the sale its price is the lowest that came before.
        assert_eq!(lowest(&past, &lists, 115), Some(800));
    }

    #[test]
    fn an_older_low_is_forgotten_and_a_first_price_has_none_before_it() {
        let past =
            [stood(1, 700, 0, Some(50), None), stood(2, 1000, 50, Some(90), None), stood(3, 950, 90, None, None)];
        assert_eq!(lowest(&past, &[], 91), Some(1000));
        assert_eq!(lowest(&past[2..], &[], 91), None);
        assert_eq!(lowest(&[], &[], 91), None);
    }

    #[test]
    fn what_stood_when_the_window_opens_counts() {
        let past =
            [stood(1, 700, 0, Some(75), None), stood(2, 1000, 75, Some(100), None), stood(3, 950, 100, None, None)];
        assert_eq!(lowest(&past, &[], 101), Some(700));
        let earlier =
            [stood(1, 700, 0, Some(70), None), stood(2, 1000, 70, Some(100), None), stood(3, 950, 100, None, None)];
        assert_eq!(lowest(&earlier, &[], 101), Some(1000));
    }
}
