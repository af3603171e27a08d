//! What hits can be narrowed down by. A facet is counted as if its own part of
//! the filter were not there, so that a shopper sees what a second value would
//! add; every other part holds.

use domain::id::CategoryId;
use uuid::Uuid;

use crate::catalog::listing::{Filter, Named};

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Tags.
    Tag,
    /// Product types.
    ProductType,
    /// Vendors.
    Vendor,
    /// The values of one option, by the option's handle.
    Option(String),
    /// Prices.
    Price,
    /// Whether something can be bought now.
    Available,
    /// Categories.
    Category,
}

/// Which facets are asked for: what nobody reads is not counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Tags.
    pub tags: bool,
    /// Product types.
    pub product_types: bool,
    /// Vendors.
    pub vendors: bool,
    /// The values of options.
    pub options: bool,
    /// Price ranges.
    pub prices: bool,
    /// What can be bought now.
    pub availability: bool,
    /// Categories.
    pub categories: bool,
}

impl Wanted {
    /// Whether anything is.
    pub fn any(self) -> bool {
        let words = self.tags || self.product_types || self.vendors || self.options;
        words || self.prices || self.availability || self.categories
    }
}

/// A value and how many hits have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The value as filters compare it.
    pub value: String,
    /// The value as it is shown.
    pub label: String,
    /// How many hits have it.
    pub hits: i64,
    /// Whether the filter asks for it.
    pub selected: bool,
    /// What has the value as its name, when that is translated.
    pub entity: Option<Uuid>,
}

/// The values of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionCounts {
    /// The option's handle.
    pub handle: String,
    /// The option's name.
    pub name: String,
    /// The option itself.
    pub entity: Option<Uuid>,
    /// Its values.
    pub values: Vec<Count>,
}

/// A category and how many hits are in it or below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryCount {
    /// The category.
    pub id: CategoryId,
    /// Its part of the web address.
    pub handle: String,
    /// How many hits there are.
    pub hits: i64,
}

/// A range of prices in minor units, both ends inclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRange {
    /// The lowest price.
    pub from: i64,
    /// The highest price.
    pub to: i64,
    /// How many hits have their lowest price in it.
    pub hits: i64,
    /// Whether the filter asks for it.
    pub selected: bool,
}

/// What was counted; empty where nothing was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// Tags.
    pub tags: Vec<Count>,
    /// Product types.
    pub product_types: Vec<Count>,
    /// Vendors.
    pub vendors: Vec<Count>,
    /// Options.
    pub options: Vec<OptionCounts>,
    /// Price ranges from low to high.
    pub prices: Vec<PriceRange>,
    /// Whether something can be bought now: `true` and `false`.
    pub availability: Vec<Count>,
    /// Categories.
    pub categories: Vec<CategoryCount>,
}

/// The parts of a filter that all must hold, sorted by the facet that they narrow.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// The parts that belong to no facet.
    pub rest: Vec<Filter>,
    /// The parts of each facet.
    pub own: Vec<(Kind, Vec<Filter>)>,
}

impl Parts {
    /// Takes a filter apart.
    pub fn of(filter: Option<&Filter>) -> Self {
        let mut parts = Self::default();
        if let Some(filter) = filter {
            parts.add(filter);
        }
        parts
    }

    fn add(&mut self, filter: &Filter) {
        let kind = match filter {
            Filter::All(inner) => return inner.iter().for_each(|part| self.add(part)),
            Filter::Any(inner) if inner.len() == 1 => return inner.iter().for_each(|part| self.add(part)),
            Filter::Tag(_) => Kind::Tag,
            Filter::ProductType(_) => Kind::ProductType,
            Filter::Vendor(_) => Kind::Vendor,
            Filter::OptionValue(name, _) => Kind::Option(crate::catalog::listing::spelling(name)),
            Filter::PriceAtLeast(_) | Filter::PriceAtMost(_) => Kind::Price,
            Filter::Available(_) => Kind::Available,
            Filter::Category(_) => Kind::Category,
            _ => return self.rest.push(filter.clone()),
        };
        match self.own.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, parts)) => parts.push(filter.clone()),
            None => self.own.push((kind, vec![filter.clone()])),
        }
    }

    /// The place of a facet's own parts.
    pub fn place(&self, kind: &Kind) -> Option<usize> {
        self.own.iter().position(|(known, _)| known == kind)
    }

    /// The values that the filter asks for, as filters compare them and as they
    /// were written.
    pub fn selected(&self, kind: &Kind) -> Vec<(String, String)> {
        let own = self.own.iter().filter(|(known, _)| known == kind).flat_map(|(_, parts)| parts);
        let mut selected: Vec<(String, String)> = Vec::new();
        for part in own {
            let (values, folded): (&[String], fn(&str) -> String) = match part {
                Filter::Tag(values) | Filter::ProductType(values) => (values, |value| value.to_lowercase()),
                Filter::Vendor(values) => (values, str::to_owned),
                Filter::OptionValue(_, values) => (values, crate::catalog::listing::spelling),
                _ => continue,
            };
            for value in values {
                let folded = folded(value);
                if !selected.iter().any(|(known, _)| *known == folded) {
                    selected.push((folded, value.clone()));
                }
            }
        }
        selected
    }

    /// The categories that the filter asks for.
    pub fn categories(&self) -> Vec<&Named<CategoryId>> {
        let own = self.own.iter().flat_map(|(_, parts)| parts);
        let named = own.filter_map(|part| match part {
            Filter::Category(named) => Some(named),
            _ => None,
        });
        named.collect()
    }

    /// The prices between which the filter asks for hits, when it names any.
    pub fn price_bounds(&self) -> Option<(i64, i64)> {
        let (_, parts) = self.own.iter().find(|(kind, _)| *kind == Kind::Price)?;
        Some(parts.iter().fold((i64::MIN, i64::MAX), |(low, high), part| match part {
            Filter::PriceAtLeast(minor) => (low.max(*minor), high),
            Filter::PriceAtMost(minor) => (low, high.min(*minor)),
            _ => (low, high),
        }))
    }

    /// Whether the filter asks for what can be bought now, or for what can't.
    pub fn asks_available(&self, available: bool) -> bool {
        let mut own = self.own.iter().flat_map(|(_, parts)| parts);
        own.any(|part| *part == Filter::Available(available))
    }
}
