//! What staff may enter as prices.

use std::collections::BTreeMap;

use crate::money::{Currency, MAX_MINOR, Money};
use crate::refusal::{ErrorCode, Refusal, Refusals};
use crate::rule::Rules;

/// The most prices of one variant, in all currencies, tiers and lists' places together.
pub const MAX_PRICES: usize = 100;
/// The most price lists of a shop.
pub const MAX_PRICE_LISTS: usize = 500;
/// The most prices that one call sets.
pub const MAX_BULK: usize = 10_000;
/// The highest and, negated, the lowest priority.
pub const MAX_PRIORITY: i32 = 1_000_000;

/// A price as staff want it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceWish {
    /// The currency of both amounts.
    pub currency: Currency,
    /// The price of one piece, in minor units.
    pub amount_minor: i64,
    /// The price to strike through, in minor units.
    pub compare_at_minor: Option<i64>,
    /// Whether both hold their tax; as usual for the currency when absent.
    pub includes_tax: Option<bool>,
    /// The first quantity of the tier, inclusive.
    pub min_quantity: Option<i32>,
    /// The last quantity of the tier, inclusive.
    pub max_quantity: Option<i32>,
    /// For whom it is.
    pub rules: Rules,
}

impl PriceWish {
    fn is_tier(&self) -> bool {
        self.min_quantity.is_some() || self.max_quantity.is_some()
    }

    fn first(&self) -> i64 {
        self.min_quantity.unwrap_or(1).into()
    }
}

/// The prices of one variant as they may stand, base prices or those of one
/// list. Each may come with the path at which its refusals stand.
///
/// Prices of one currency and the same rules are one ladder: an amount without
/// a tier, and tiers that begin at different quantities. A tier without a last
/// quantity ends where the next one begins. A ladder of tiers alone may leave
/// no quantity out between two of them.
pub fn check_prices(wished: Vec<(PriceWish, Vec<String>)>) -> Result<Vec<PriceWish>, Vec<Refusal>> {
    let mut refusals = Refusals::default();
    if wished.len() > MAX_PRICES {
        let message = format!("A variant has at most {MAX_PRICES} prices here.");
        refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_PRICES as i64));
        return refusals.into_result().map(|()| Vec::new());
    }
    let mut ladders: BTreeMap<(&'static str, String), Vec<usize>> = BTreeMap::new();
    let mut checked = Vec::with_capacity(wished.len());
    let mut paths = Vec::with_capacity(wished.len());
    for (wish, path) in wished {
        check_one(&wish, &path, &mut refusals);
        let inner: Vec<&str> = path.iter().map(String::as_str).chain(["rules"]).collect();
        let rules = match wish.rules.check_buyer(&inner) {
            Ok(rules) => rules,
            Err(more) => {
                refusals.extend(more);
                Rules::default()
            }
        };
        let mut named: Vec<String> = rules.0.iter().map(|rule| format!("{rule:?}")).collect();
        named.sort();
        ladders.entry((wish.currency.code(), named.join("\n"))).or_default().push(checked.len());
        checked.push(PriceWish { rules, ..wish });
        paths.push(path);
    }
    for places in ladders.into_values() {
        check_ladder(&checked, &paths, places, &mut refusals);
    }
    refusals.into_result().map(|()| checked)
}

fn check_one(wish: &PriceWish, path: &[String], refusals: &mut Refusals) {
    let at = |field: &str| path.iter().cloned().chain([field.to_owned()]).collect::<Vec<_>>();
    let fits = |minor: i64| (0..=MAX_MINOR).contains(&minor);
    if !fits(wish.amount_minor) {
        refusals
            .push(Refusal::new(ErrorCode::Invalid, "A price can't be negative or beyond counting.").at(at("amount")));
    }
    if wish.compare_at_minor.is_some_and(|minor| !fits(minor)) {
        refusals.push(
            Refusal::new(ErrorCode::Invalid, "A price can't be negative or beyond counting.").at(at("compareAt")),
        );
    }
    if wish.min_quantity.is_some_and(|min| min < 1) {
        refusals
            .push(Refusal::new(ErrorCode::QuantityOutOfRange, "A tier begins at 1 or above.").at(at("minQuantity")));
    }
    if wish.max_quantity.is_some_and(|max| i64::from(max) < wish.first()) {
        let message = "A tier ends at the quantity at which it begins, or above.";
        refusals.push(Refusal::new(ErrorCode::QuantityOutOfRange, message).at(at("maxQuantity")));
    }
}

/// Refuses what overlaps, and what is left out between tiers.
fn check_ladder(wished: &[PriceWish], paths: &[Vec<String>], mut places: Vec<usize>, refusals: &mut Refusals) {
    places.sort_by_key(|place| (wished[*place].is_tier(), wished[*place].first()));
    let has_plain = places.first().is_some_and(|place| !wished[*place].is_tier());
    for pair in places.windows(2) {
        let (before, after) = (&wished[pair[0]], &wished[pair[1]]);
        let at = paths[pair[1]].iter().map(String::as_str).chain(["minQuantity"]);
        if !before.is_tier() {
            if !after.is_tier() {
                let message = "This currency has a price already.";
                refusals
                    .push(Refusal::new(ErrorCode::Duplicate, message).at(paths[pair[1]].iter().map(String::as_str)));
            }
            continue;
        }
        let reached = before.max_quantity.map_or(after.first() - 1, i64::from);
        if after.first() == before.first() || after.first() <= reached {
            let amount = Money::new(before.amount_minor, before.currency);
            let message =
                format!("This tier begins within the tier of {amount}, which counts from {} on.", before.first());
            refusals.push(Refusal::new(ErrorCode::Duplicate, message).at(at));
        } else if reached + 1 < after.first() && !has_plain {
            let message = format!("The quantities from {} to {} have no price.", reached + 1, after.first() - 1);
            refusals.push(Refusal::new(ErrorCode::Invalid, message).at(at));
        }
    }
}

/// Refuses a list that ends before it starts, and a priority out of bounds.
pub fn check_list(starts_at: Option<i64>, ends_at: Option<i64>, priority: i32) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if let (Some(start), Some(end)) = (starts_at, ends_at)
        && end <= start
    {
        refusals.push(Refusal::new(ErrorCode::Invalid, "The list would end before it starts.").at(["endsAt"]));
    }
    if !(-MAX_PRIORITY..=MAX_PRIORITY).contains(&priority) {
        let message = format!("A priority lies between -{MAX_PRIORITY} and {MAX_PRIORITY}.");
        refusals.push(Refusal::new(ErrorCode::Invalid, message).limit(MAX_PRIORITY.into()).at(["priority"]));
    }
    refusals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Rule, RuleOperator};

    fn wish(amount_minor: i64, min_quantity: Option<i32>, max_quantity: Option<i32>) -> PriceWish {
        PriceWish {
            currency: "EUR".parse().unwrap(),
            amount_minor,
            compare_at_minor: None,
            includes_tax: None,
            min_quantity,
            max_quantity,
            rules: Rules::default(),
        }
    }

    /// The code and the path of each refusal.
    fn refused(wished: Vec<PriceWish>) -> Vec<(ErrorCode, String)> {
        let with_paths = wished.into_iter().enumerate().map(|(place, wish)| (wish, vec![place.to_string()]));
        let refusals = check_prices(with_paths.collect()).err().unwrap_or_default();
        refusals.into_iter().map(|refusal| (refusal.code, refusal.path.join("."))).collect()
    }

    #[test]
    fn a_ladder_has_neither_gap_nor_overlap() {
        assert_eq!(refused(vec![wish(100, None, None), wish(90, Some(10), None), wish(80, Some(50), None)]), []);
        assert_eq!(refused(vec![wish(100, Some(1), Some(9)), wish(90, Some(10), None)]), []);
        // The amount without a tier serves what the tiers leave out.
        assert_eq!(refused(vec![wish(100, None, None), wish(90, Some(10), Some(19)), wish(80, Some(50), None)]), []);
        assert_eq!(
            refused(vec![wish(100, Some(1), Some(9)), wish(90, Some(11), None)]),
            [(ErrorCode::Invalid, "1.minQuantity".to_owned())]
        );
        assert_eq!(
            refused(vec![wish(90, Some(9), None), wish(100, Some(1), Some(9))]),
            [(ErrorCode::Duplicate, "0.minQuantity".to_owned())]
        );
        assert_eq!(
            refused(vec![wish(90, Some(9), None), wish(100, Some(9), Some(12))]),
            [(ErrorCode::Duplicate, "1.minQuantity".to_owned())]
        );
        assert_eq!(refused(vec![wish(1, None, None), wish(2, None, None)]), [(ErrorCode::Duplicate, "1".to_owned())]);
    }

    #[test]
    fn other_rules_and_currencies_are_other_ladders() {
        let rule = Rule { attribute: "region".into(), operator: RuleOperator::Eq, values: vec!["x".into()] };
        let ruled = PriceWish { rules: Rules(vec![rule]), ..wish(1, None, None) };
        let dollars = PriceWish { currency: "USD".parse().unwrap(), ..wish(1, None, None) };
        assert_eq!(refused(vec![wish(1, None, None), ruled, dollars]), []);
    }

    #[test]
    fn figures_have_bounds() {
        assert_eq!(
            refused(vec![wish(-1, Some(0), None)]),
            [(ErrorCode::Invalid, "0.amount".to_owned()), (ErrorCode::QuantityOutOfRange, "0.minQuantity".to_owned()),]
        );
        assert_eq!(
            refused(vec![wish(MAX_MINOR + 1, Some(5), Some(4))]),
            [(ErrorCode::Invalid, "0.amount".to_owned()), (ErrorCode::QuantityOutOfRange, "0.maxQuantity".to_owned())]
        );
        assert_eq!(check_list(Some(5), Some(5), 0).len() + check_list(None, Some(5), MAX_PRIORITY + 1).len(), 2);
    }
}
