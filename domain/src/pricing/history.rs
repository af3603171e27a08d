//! The lowest price before a reduction, which European shops must name beside
//! it (Directive 98/6/EC, article 6a).

use std::collections::BTreeSet;

use super::{Candidate, PriceList, PriceListState, Situation, choose_of};
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

/// What a variant cost, and which lists its prices stood in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// Its prices, those that still stand among them.
    pub prices: Vec<PastPrice>,
    /// The lists as they were before they were changed, each from when to when it counted.
    pub lists: Vec<PriceList>,
}

/// The lowest amount, in minor units and the basis of the price of now, that
/// applied within [`DAYS`] days before that price came to apply. `None` when
/// nothing applied before: then there was no reduction.
///
/// `situation.now` is the moment of looking. What applied at a moment is what
/// [`super::choose`] answers for the prices and lists of that moment.
pub fn lowest_before(past: &Past, situation: &Situation<'_>) -> Option<i64> {
    let prices = &past.prices;
    let mut moments: Vec<i64> = prices.iter().flat_map(|one| [Some(one.from), one.until]).flatten().collect();
    let named: BTreeSet<PriceListId> = prices.iter().filter_map(|one| one.price.list).collect();
    let known = past.lists.iter().chain(situation.lists);
    let lists: Vec<&PriceList> = known.filter(|list| named.contains(&list.id)).collect();
    moments.extend(lists.iter().flat_map(|list| [list.starts_at, list.ends_at]).flatten());
    moments.retain(|moment| *moment <= situation.now);
    moments.sort_unstable();
    moments.dedup();

    let at = |prices: &[&PastPrice], moment: i64| {
        // A list is one thing before it was changed and another one since.
        let running = lists.iter().filter(|list| list.state(moment) == PriceListState::Running);
        let running: Vec<PriceList> = running.copied().cloned().collect();
        let then = Situation { now: moment, lists: &running, ..*situation };
        let standing = prices.iter().copied().filter(|one| one.stood(moment)).map(|one| &one.price);
        choose_of(standing, &then).map(|choice| (choice.price.amount_minor, choice.price.includes_tax))
    };
    let all: Vec<&PastPrice> = prices.iter().collect();
    let (amount, includes_tax) = at(&all, situation.now)?;
    // Since when the price of now has applied without a break.
    let mut since = situation.now;
    let mut before = moments.len();
    while before > 0 && at(&all, moments[before - 1]) == Some((amount, includes_tax)) {
        before -= 1;
        since = moments[before];
    }
    let window = since - DAYS * DAY;
    let within = moments[..before].iter().copied().filter(|moment| *moment > window);
    // Who changes prices by the hour has thousands of them, of which few stood in these days.
    let late: Vec<&PastPrice> = all.into_iter().filter(|one| one.until.is_none_or(|until| until > window)).collect();
    let amounts = within.chain([window]).filter_map(|moment| at(&late, moment));
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
        lowest_of(Past { prices: past.to_vec(), lists: Vec::new() }, lists, day)
    }

    fn lowest_of(past: Past, lists: &[PriceList], day: i64) -> Option<i64> {
        let attributes = Attributes::default();
        let situation = Situation {
            currency: "EUR".parse().unwrap(),
            quantity: 1,
            attributes: &attributes,
            lists,
            now: day * DAY,
            default_rate_ppm: 0,
        };
        lowest_before(&past, &situation)
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
    fn a_list_that_was_changed_is_remembered_as_it_was() {
        let prices = vec![stood(1, 1000, 0, None, None), stood(2, 800, 0, None, Some(9))];
        let was = |from, until| Past { prices: prices.clone(), lists: vec![sale(9, from, until)] };
        let draft = PriceList { status: PriceListStatus::Draft, ..sale(9, 100, 400) };
        assert_eq!(lowest_of(was(100, 110), std::slice::from_ref(&draft), 115), Some(800));
        assert_eq!(lowest_of(Past { prices: prices.clone(), lists: Vec::new() }, &[draft], 115), None);
        // A sale that was let go on without a break is one reduction.
        assert_eq!(lowest_of(was(100, 110), &[sale(9, 110, 400)], 200), Some(1000));
        // One that was broken off in between is two.
        assert_eq!(lowest_of(was(100, 105), &[sale(9, 110, 400)], 112), Some(800));
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
