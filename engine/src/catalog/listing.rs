//! What a list of products can be filtered and sorted by.

use domain::catalog::ProductStatus;
use domain::refusal::{ErrorCode, Refusal};

/// How deep filters may be nested in each other.
pub const MAX_FILTER_DEPTH: usize = 4;
/// The most values of one filter.
pub const MAX_FILTER_VALUES: usize = 250;

/// What a product must be to be in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// All of these.
    All(Vec<Filter>),
    /// Any of these.
    Any(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
    /// Title, vendor, type or tags contain every word of the text.
    Text(String),
    /// Its lowest price is at least this, in minor units of the region's currency.
    PriceAtLeast(i64),
    /// Its lowest price is at most this.
    PriceAtMost(i64),
    /// It has one of these tags.
    Tag(Vec<String>),
    /// It is of one of these types.
    ProductType(Vec<String>),
    /// It comes from one of these vendors.
    Vendor(Vec<String>),
    /// It has a variant with one of these values of an option, both by name.
    OptionValue(String, Vec<String>),
    /// It has a variant that can be bought now, or it has none.
    Available(bool),
    /// It has one of these handles.
    Handle(Vec<String>),
    /// It is in one of these states.
    Status(Vec<ProductStatus>),
    /// It has a metafield that is so.
    Metafield(crate::metafield::condition::Condition),
}

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// When it was published, or for staff, when it was made.
    Newest,
    /// Its title in lower case.
    Title,
    /// Its lowest price; products without one come last.
    Price,
}

/// Refuses filters that are nested too deeply or hold too many values.
pub fn check(filter: &Filter, depth: usize) -> Result<(), Refusal> {
    if depth > MAX_FILTER_DEPTH {
        let message = format!("Filters are nested at most {MAX_FILTER_DEPTH} deep.");
        return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_FILTER_DEPTH as i64).at(["filter"]));
    }
    let too_many = |count: usize| {
        (count > MAX_FILTER_VALUES).then(|| {
            let message = format!("A filter has at most {MAX_FILTER_VALUES} values.");
            Refusal::new(ErrorCode::TooMany, message).limit(MAX_FILTER_VALUES as i64).at(["filter"])
        })
    };
    let refusal = match filter {
        Filter::All(parts) => return parts.iter().try_for_each(|part| check(part, depth)),
        Filter::Any(parts) => return parts.iter().try_for_each(|part| check(part, depth + 1)),
        Filter::Not(part) => return check(part, depth + 1),
        Filter::Tag(values)
        | Filter::ProductType(values)
        | Filter::Vendor(values)
        | Filter::Handle(values)
        | Filter::OptionValue(_, values) => too_many(values.len()),
        Filter::Metafield(condition) => match &condition.asked {
            crate::metafield::condition::Asked::Any(keys) => too_many(keys.len()),
            _ => None,
        },
        Filter::Text(text) => too_many(text.split_whitespace().count()),
        _ => None,
    };
    refusal.map_or(Ok(()), Err)
}
