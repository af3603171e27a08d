//! Which of a variant's base prices applies (DESIGN section 6, "price choice").

use std::cmp::Reverse;

use crate::id::PriceId;
use crate::money::Currency;

const MILLION: i128 = 1_000_000;

/// A price whose rules, if any, match the shopper; currency and tier are still open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Breaks the last tie.
    pub id: PriceId,
    /// What the amount is in.
    pub currency: Currency,
    /// The price of one unit, in minor units.
    pub amount_minor: i64,
    /// Whether the amount holds its tax.
    pub includes_tax: bool,
    /// The price to strike through, in minor units and the same basis.
    pub compare_at_minor: Option<i64>,
    /// The first quantity of the tier, inclusive; none is 1.
    pub min_quantity: Option<i32>,
    /// The last quantity of the tier, inclusive; none is no end.
    pub max_quantity: Option<i32>,
    /// How many rules the price has: the more, the more it was meant for this shopper.
    pub rule_count: i32,
}

impl Candidate {
    fn first_quantity(&self) -> i32 {
        self.min_quantity.unwrap_or(1)
    }

    fn serves(&self, currency: Currency, quantity: i32) -> bool {
        self.currency == currency
            && self.first_quantity() <= quantity
            && self.max_quantity.is_none_or(|max| quantity <= max)
    }
}

/// The price that applies to `quantity` units in `currency`, or `None` when
/// there is none: most rules, then the highest minimum quantity, then the
/// lowest amount, then the lowest id, so that the answer never depends on order.
///
/// Amounts are compared as they stand. Where some hold tax and some don't, call
/// [`choose_by_net`].
pub fn choose(candidates: &[Candidate], currency: Currency, quantity: i32) -> Option<&Candidate> {
    choose_by_net(candidates, currency, quantity, 0)
}

/// As [`choose`], comparing net amounts where inclusive flags differ: an
/// inclusive amount holds the region's default rate, in parts per million.
pub fn choose_by_net(
    candidates: &[Candidate],
    currency: Currency,
    quantity: i32,
    default_rate_ppm: i32,
) -> Option<&Candidate> {
    // Both sides times (1 + rate): the comparison needs no division and no rounding.
    let weight = |candidate: &Candidate| {
        let rate = if candidate.includes_tax { 0 } else { i128::from(default_rate_ppm) };
        i128::from(candidate.amount_minor) * (MILLION + rate)
    };
    candidates.iter().filter(|candidate| candidate.serves(currency, quantity)).min_by_key(|candidate| {
        (Reverse(candidate.rule_count), Reverse(candidate.first_quantity()), weight(candidate), candidate.id)
    })
}

/// The price to strike through: shown only when it is higher than the price itself.
pub fn compare_at(candidate: &Candidate) -> Option<i64> {
    candidate.compare_at_minor.filter(|minor| *minor > candidate.amount_minor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn price(id: u128, amount_minor: i64) -> Candidate {
        Candidate {
            id: PriceId(Uuid::from_u128(id)),
            currency: "EUR".parse().unwrap(),
            amount_minor,
            includes_tax: false,
            compare_at_minor: None,
            min_quantity: None,
            max_quantity: None,
            rule_count: 0,
        }
    }

    fn chosen(candidates: &[Candidate], quantity: i32) -> Option<u128> {
        choose(candidates, "EUR".parse().unwrap(), quantity).map(|candidate| candidate.id.0.as_u128())
    }

    #[test]
    fn tiers_include_both_ends() {
        let tier = Candidate { min_quantity: Some(5), max_quantity: Some(9), ..price(1, 100) };
        assert_eq!(
            [4, 5, 9, 10].map(|quantity| chosen(std::slice::from_ref(&tier), quantity)),
            [None, Some(1), Some(1), None]
        );
    }

    #[test]
    fn rules_beat_tiers_beat_amounts_beat_ids() {
        let mut prices = vec![price(2, 100), price(1, 100), price(3, 101)];
        assert_eq!(chosen(&prices, 10), Some(1));
        prices.push(Candidate { min_quantity: Some(5), ..price(4, 200) });
        assert_eq!(chosen(&prices, 10), Some(4));
        prices.push(Candidate { rule_count: 1, ..price(5, 300) });
        assert_eq!(chosen(&prices, 10), Some(5));
        assert_eq!(choose(&prices, "USD".parse().unwrap(), 10), None);
    }

    #[test]
    fn unlike_bases_are_compared_net() {
        let prices = [Candidate { includes_tax: true, ..price(1, 1180) }, price(2, 1000)];
        let euro = "EUR".parse().unwrap();
        assert_eq!(choose_by_net(&prices, euro, 1, 190_000), Some(&prices[0]));
        assert_eq!(choose_by_net(&prices, euro, 1, 170_000), Some(&prices[1]));
    }

    #[test]
    fn a_lower_price_is_not_struck_through() {
        let struck = |compare_at_minor| compare_at(&Candidate { compare_at_minor, ..price(1, 100) });
        assert_eq!([None, Some(99), Some(100), Some(101)].map(struck), [None, None, None, Some(101)]);
    }

    proptest! {
        #[test]
        fn order_does_not_matter(
            figures in prop::collection::vec((0..3_i64, 0..3_i32, prop::option::of(1..4_i32)), 0..8),
            turn in 0..8_usize,
        ) {
            let make = |((amount, rule_count, min_quantity), id)| Candidate { rule_count, min_quantity, ..price(id, amount) };
            let mut prices: Vec<_> = figures.into_iter().zip(1..).map(make).collect();
            let before = chosen(&prices, 2);
            let length = prices.len().max(1);
            prices.rotate_left(turn % length);
            prop_assert_eq!(chosen(&prices, 2), before);
            prices.reverse();
            prop_assert_eq!(chosen(&prices, 2), before);
        }
    }
}
