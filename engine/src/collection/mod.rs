//! Collections: products that are shown together.
//!
//! Staff list the products of one by hand, or give it a rule, which is part of
//! the statement that reads the list: nothing is kept that could be out of date.
//!
//! | to change | edit |
//! |---|---|
//! | what a rule may ask | `domain::collection`, [`members`], `src/collection/types.rs` |
//! | what staff can change | [`ops`], [`list`], `src/collection/admin.rs` |
//! | who sees which collection | [`repo`] |
//! | how a list of products is asked | `engine::catalog::repo::listing` |

pub mod list;
pub mod ops;
pub mod repo;

use chrono::{DateTime, TimeDelta, Utc};
use domain::collection::{Condition, Rule, RuleMatch};
use entity::collection;

use crate::catalog::listing::Filter;

/// The rule of a collection, when it has one.
pub fn rule(row: &collection::Model) -> Option<Rule> {
    row.rule.clone().and_then(|rule| serde_json::from_value(rule).ok())
}

/// What a product must be to be in a collection.
pub fn members(row: &collection::Model, now: DateTime<Utc>) -> Filter {
    match (&row.rule, rule(row)) {
        (None, _) => Filter::ListedIn(row.id),
        (Some(_), Some(rule)) => asked(&rule, now),
        // A rule that this version can't read holds nothing rather than everything.
        (Some(_), None) => Filter::Any(Vec::new()),
    }
}

fn asked(rule: &Rule, now: DateTime<Utc>) -> Filter {
    let condition = |condition: &Condition| match condition.clone() {
        Condition::Tag(values) => Filter::Tag(values),
        Condition::ProductType(values) => Filter::ProductType(values),
        Condition::Vendor(values) => Filter::Vendor(values),
        Condition::TitleContains(text) => Filter::TitleContains(text),
        Condition::Price(ranges) => Filter::PriceRanges(ranges),
        Condition::OptionValue { name, values } => Filter::OptionValue(name, values),
        Condition::Available(available) => Filter::Available(available),
        Condition::Category(id) => Filter::CategoryTree(id),
        Condition::CreatedSince(micros) => {
            Filter::CreatedSince(DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC))
        }
        Condition::CreatedWithinDays(days) => Filter::CreatedSince(now - TimeDelta::days(days.into())),
    };
    let conditions = rule.conditions.iter().map(condition).collect();
    match rule.matching {
        RuleMatch::All => Filter::All(conditions),
        RuleMatch::Any => Filter::Any(conditions),
    }
}
