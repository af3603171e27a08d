//! Collections: products that are shown together, listed by hand or chosen by
//! a rule.
//!
//! A rule is stored and asked whenever the collection is read, so that nothing
//! has to be kept up to date.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::id::{CategoryId, ProductId};
use crate::money::Currency;
use crate::refusal::{ErrorCode, Refusal, Refusals};
use crate::text;
use crate::word::words;

/// The most collections of a shop.
pub const MAX_COLLECTIONS: u64 = 2_000;
/// The most collections by rule: every one is asked about the products of a page.
pub const MAX_RULE_COLLECTIONS: u64 = 100;
/// The most products that a collection lists by hand.
pub const MAX_PRODUCTS: usize = 10_000;
/// The most products that are named at once.
pub const MAX_LIST: usize = 250;
/// The most conditions of a rule.
pub const MAX_CONDITIONS: usize = 20;
/// The most values that a rule names in all its conditions.
pub const MAX_RULE_VALUES: usize = 100;
/// The longest time for which a product counts as new, in days.
pub const MAX_DAYS: i32 = 3_650;

words! {
    /// How a collection comes by its products.
    pub enum CollectionKind {
        /// Staff list them, in their order.
        Manual = "MANUAL",
        /// A rule chooses them, at every reading.
        Rules = "RULES",
    }
}

words! {
    /// How many of a rule's conditions a product must meet.
    pub enum RuleMatch {
        /// All of them.
        All = "ALL",
        /// At least one of them.
        Any = "ANY",
    }
}

/// What a product must be to be in a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// How many of the conditions it must meet.
    pub matching: RuleMatch,
    /// The conditions.
    pub conditions: Vec<Condition>,
}

/// One condition of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Condition {
    /// It has one of these tags, whatever their capitals.
    Tag(Vec<String>),
    /// It is of one of these types, whatever their capitals.
    ProductType(Vec<String>),
    /// It comes from one of these vendors.
    Vendor(Vec<String>),
    /// Its title contains this, whatever its capitals.
    TitleContains(String),
    /// Its lowest price is in the range of the currency in which it is shown.
    Price(Vec<PriceRange>),
    /// It has a variant with one of these values of an option, both by name.
    OptionValue {
        /// The name of the option.
        name: String,
        /// The names of the values.
        values: Vec<String>,
    },
    /// It has a variant that can be bought now, or it has none.
    Available(bool),
    /// It is in this category or below it.
    Category(CategoryId),
    /// It was made at this moment or later: microseconds since 1970, UTC.
    CreatedSince(i64),
    /// It was made within so many days before it is looked at.
    CreatedWithinDays(i32),
}

/// Amounts of one currency between two bounds, both inclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceRange {
    /// The currency of both bounds.
    pub currency: Currency,
    /// At least so many minor units.
    pub at_least: Option<i64>,
    /// At most so many minor units.
    pub at_most: Option<i64>,
}

impl Condition {
    /// The name of the condition, as paths and clients spell it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Tag(_) => "tag",
            Self::ProductType(_) => "productType",
            Self::Vendor(_) => "vendor",
            Self::TitleContains(_) => "titleContains",
            Self::Price(_) => "price",
            Self::OptionValue { .. } => "optionValue",
            Self::Available(_) => "available",
            Self::Category(_) => "categoryId",
            Self::CreatedSince(_) => "createdSince",
            Self::CreatedWithinDays(_) => "createdWithinDays",
        }
    }

    fn values(&self) -> usize {
        match self {
            Self::Tag(values) | Self::ProductType(values) | Self::Vendor(values) => values.len(),
            Self::OptionValue { values, .. } => values.len(),
            Self::Price(ranges) => ranges.len(),
            _ => 1,
        }
    }

    /// Trims the condition and refuses what nothing could meet.
    fn check(self, at: &[&str], refusals: &mut Refusals) -> Self {
        let inner = |rest: &[&str]| at.iter().chain(rest).map(ToString::to_string).collect::<Vec<_>>();
        let mut named = |values: Vec<String>, rest: &[&str]| {
            if values.is_empty() {
                refusals.push(Refusal::new(ErrorCode::Required, "Name at least one value.").at(inner(rest)));
            }
            let each = |(place, value): (usize, String)| {
                let place = place.to_string();
                let rest: Vec<&str> = rest.iter().copied().chain([place.as_str()]).collect();
                refusals.keep(text::title(&value).map_err(|refusal| refusal.at(inner(&rest))))
            };
            values.into_iter().enumerate().filter_map(each).collect::<Vec<_>>()
        };
        match self {
            Self::Tag(values) => Self::Tag(named(values, &[])),
            Self::ProductType(values) => Self::ProductType(named(values, &[])),
            Self::Vendor(values) => Self::Vendor(named(values, &[])),
            Self::TitleContains(text) => {
                let kept = refusals.keep(text::title(&text).map_err(|refusal| refusal.at(inner(&[]))));
                Self::TitleContains(kept.unwrap_or_default())
            }
            Self::OptionValue { name, values } => {
                let values = named(values, &["values"]);
                let name = refusals.keep(text::title(&name).map_err(|refusal| refusal.at(inner(&["name"]))));
                Self::OptionValue { name: name.unwrap_or_default(), values }
            }
            Self::Price(ranges) => {
                check_ranges(&ranges, at, refusals);
                Self::Price(ranges)
            }
            Self::CreatedWithinDays(days) if !(1..=MAX_DAYS).contains(&days) => {
                let message = format!("The number of days is between 1 and {MAX_DAYS}.");
                refusals.push(Refusal::new(ErrorCode::Invalid, message).limit(MAX_DAYS.into()).at(inner(&[])));
                Self::CreatedWithinDays(days)
            }
            same => same,
        }
    }
}

/// Refuses ranges that hold nothing, and a second one of a currency. Paths begin with `at`.
pub(crate) fn check_ranges(ranges: &[PriceRange], at: &[&str], refusals: &mut Refusals) {
    let inner = |rest: &[&str]| at.iter().chain(rest).map(ToString::to_string).collect::<Vec<_>>();
    if ranges.is_empty() {
        refusals.push(Refusal::new(ErrorCode::Required, "Name at least one range.").at(inner(&[])));
    }
    for (number, range) in ranges.iter().enumerate() {
        let place = number.to_string();
        let path = || inner(&[place.as_str()]);
        if range.at_least.is_none() && range.at_most.is_none() {
            refusals.push(Refusal::new(ErrorCode::Required, "A range has at least one bound.").at(path()));
        }
        if range.at_least.is_some_and(|minor| minor < 0) || range.at_most.is_some_and(|minor| minor < 0) {
            refusals.push(Refusal::new(ErrorCode::Invalid, "A price can't be negative.").at(path()));
        }
        if let (Some(low), Some(high)) = (range.at_least, range.at_most)
            && low > high
        {
            refusals.push(Refusal::new(ErrorCode::Invalid, "The range ends before it begins.").at(path()));
        }
        if ranges[..number].iter().any(|other| other.currency == range.currency) {
            refusals.push(Refusal::new(ErrorCode::Duplicate, "This currency has a range already.").at(path()));
        }
    }
}

/// Checks a rule, trims it, and answers with it or with every reason against it.
pub fn check_rule(rule: Rule) -> Result<Rule, Vec<Refusal>> {
    let mut refusals = Refusals::default();
    let at = || ["rule", "conditions"];
    if rule.conditions.is_empty() {
        refusals.push(Refusal::new(ErrorCode::Required, "A rule has at least one condition.").at(at()));
    }
    if rule.conditions.len() > MAX_CONDITIONS {
        let message = format!("A rule has at most {MAX_CONDITIONS} conditions.");
        return Err(vec![Refusal::new(ErrorCode::TooMany, message).limit(MAX_CONDITIONS as i64).at(at())]);
    }
    if rule.conditions.iter().map(Condition::values).sum::<usize>() > MAX_RULE_VALUES {
        let message = format!("A rule names at most {MAX_RULE_VALUES} values in all its conditions.");
        return Err(vec![Refusal::new(ErrorCode::TooMany, message).limit(MAX_RULE_VALUES as i64).at(at())]);
    }
    let stock = rule.conditions.iter().filter(|condition| matches!(condition, Condition::Available(_)));
    if stock.count() > 1 {
        refusals.push(Refusal::new(ErrorCode::Duplicate, "A rule asks about stock once.").at(at()));
    }
    let mut conditions = Vec::with_capacity(rule.conditions.len());
    for (place, condition) in rule.conditions.into_iter().enumerate() {
        let (place, name) = (place.to_string(), condition.name());
        conditions.push(condition.check(&["rule", "conditions", &place, name], &mut refusals));
    }
    refusals.into_result()?;
    Ok(Rule { matching: rule.matching, conditions })
}

/// Refuses a list that is too long or names a product twice; `field` is its
/// place in the input.
pub fn check_list(products: &[ProductId], field: &str) -> Vec<Refusal> {
    if products.len() > MAX_LIST {
        let message = format!("At most {MAX_LIST} products at once.");
        return vec![Refusal::new(ErrorCode::TooMany, message).limit(MAX_LIST as i64).at([field])];
    }
    let mut seen = HashSet::new();
    let twice = products.iter().enumerate().filter(|(_, product)| !seen.insert(**product));
    let refusal = |(place, _): (usize, &ProductId)| {
        Refusal::new(ErrorCode::Duplicate, "This product stands here twice.").at([field.to_owned(), place.to_string()])
    };
    twice.map(refusal).collect()
}

/// The order after every move: one after the other, each product is taken out
/// and put where it shall stand, counted from 0; a place behind the end is the end.
pub fn reordered(order: &[ProductId], moves: &[(ProductId, usize)]) -> Result<Vec<ProductId>, Vec<Refusal>> {
    let mut refusals = Refusals::default();
    let mut order = order.to_vec();
    for (number, (product, place)) in moves.iter().enumerate() {
        match order.iter().position(|known| known == product) {
            Some(from) => {
                order.remove(from);
                order.insert((*place).min(order.len()), *product);
            }
            None => {
                let at = ["moves".to_owned(), number.to_string(), "productId".to_owned()];
                refusals.push(Refusal::new(ErrorCode::NotFound, "The collection has no such product.").at(at));
            }
        }
    }
    refusals.into_result()?;
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn product(number: u128) -> ProductId {
        ProductId(Uuid::from_u128(number))
    }

    fn faults(conditions: Vec<Condition>) -> Vec<String> {
        let refused = check_rule(Rule { matching: RuleMatch::All, conditions }).err().unwrap_or_default();
        refused.iter().map(|refusal| format!("{} {}", refusal.code, refusal.path.join("."))).collect()
    }

    fn range(code: &str, at_least: Option<i64>, at_most: Option<i64>) -> PriceRange {
        PriceRange { currency: code.parse().unwrap(), at_least, at_most }
    }

    #[test]
    fn every_fault_of_a_rule_is_named() {
        let refused = faults(vec![
            Condition::Tag(vec![]),
            Condition::Vendor(vec!["Edge".into(), " ".into()]),
            Condition::Price(vec![
                range("EUR", None, None),
                range("USD", Some(5), Some(4)),
                range("USD", Some(-1), None),
            ]),
            Condition::OptionValue { name: String::new(), values: vec![] },
            Condition::CreatedWithinDays(0),
            Condition::TitleContains("a\nb".into()),
        ]);
        let expected = [
            "REQUIRED rule.conditions.0.tag",
            "REQUIRED rule.conditions.1.vendor.1",
            "REQUIRED rule.conditions.2.price.0",
            "INVALID rule.conditions.2.price.1",
            "INVALID rule.conditions.2.price.2",
            "DUPLICATE rule.conditions.2.price.2",
            "REQUIRED rule.conditions.3.optionValue.values",
            "REQUIRED rule.conditions.3.optionValue.name",
            "INVALID rule.conditions.4.createdWithinDays",
            "INVALID rule.conditions.5.titleContains",
        ];
        assert_eq!(refused, expected);
    }

    #[test]
    fn rules_have_bounds() {
        assert_eq!(faults(vec![]), ["REQUIRED rule.conditions"]);
        assert_eq!(faults(vec![Condition::CreatedSince(0); MAX_CONDITIONS]), [""; 0]);
        assert_eq!(faults(vec![Condition::CreatedSince(0); MAX_CONDITIONS + 1]), ["TOO_MANY rule.conditions"]);
        assert_eq!(faults(vec![Condition::Tag(vec!["x".into(); MAX_RULE_VALUES])]), [""; 0]);
        assert_eq!(faults(vec![Condition::Tag(vec!["x".into(); MAX_RULE_VALUES + 1])]), ["TOO_MANY rule.conditions"]);
        let twice = vec![Condition::Available(true), Condition::Available(true)];
        assert_eq!(faults(twice), ["DUPLICATE rule.conditions"]);
    }

    #[test]
    fn a_good_rule_is_trimmed() {
        let conditions = vec![Condition::Tag(vec![" sale ".into()]), Condition::TitleContains(" Mug ".into())];
        let rule = check_rule(Rule { matching: RuleMatch::Any, conditions }).unwrap();
        let trimmed = vec![Condition::Tag(vec!["sale".into()]), Condition::TitleContains("Mug".into())];
        assert_eq!(rule, Rule { matching: RuleMatch::Any, conditions: trimmed });
    }

    #[test]
    fn moves_happen_one_after_the_other() {
        let order: Vec<_> = (0..4).map(product).collect();
        let moved = reordered(&order, &[(product(3), 0), (product(0), 99), (product(2), 1)]).unwrap();
        assert_eq!(moved, [3, 2, 1, 0].map(product));
        let refused = reordered(&order, &[(product(0), 1), (product(9), 0)]).unwrap_err();
        assert_eq!(refused[0].path, ["moves", "1", "productId"]);
    }

    #[test]
    fn a_list_names_each_product_once() {
        let refused = check_list(&[1, 2, 1].map(product), "productIds");
        assert_eq!(refused[0].path, ["productIds", "2"]);
        let many: Vec<_> = (0..=MAX_LIST as u128).map(product).collect();
        assert_eq!(check_list(&many, "productIds")[0].code, ErrorCode::TooMany);
        assert!(check_list(&many[1..], "productIds").is_empty());
    }

    proptest! {
        #[test]
        fn moving_loses_and_doubles_nothing(moves in prop::collection::vec((0..20_u128, 0..30_usize), 0..40)) {
            let order: Vec<_> = (0..20).map(product).collect();
            let moves: Vec<_> = moves.into_iter().map(|(number, place)| (product(number), place)).collect();
            let mut moved = reordered(&order, &moves).unwrap();
            if let Some((last, place)) = moves.last() {
                prop_assert_eq!(moved.iter().position(|known| known == last), Some((*place).min(19)));
            }
            moved.sort();
            prop_assert_eq!(moved, order);
        }
    }
}
