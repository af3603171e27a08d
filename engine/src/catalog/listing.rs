//! What a list of products can be filtered and sorted by.

use chrono::{DateTime, Utc};
use domain::catalog::ProductStatus;
use domain::collection::PriceRange;
use domain::id::{CategoryId, CollectionId};
use domain::refusal::{ErrorCode, Refusal};
use domain::search::Query;

use crate::search::Matching;

/// How deep filters may be nested in each other.
pub const MAX_FILTER_DEPTH: usize = 4;
/// The most values of one filter.
pub const MAX_FILTER_VALUES: usize = 250;

/// The most words of all texts of one filter.
const MAX_FILTER_WORDS: usize = 200;
/// The most conditions of one filter, those within it too: databases nest them in each other.
pub const MAX_FILTER_PARTS: usize = 100;
/// The most collections that a filter names.
pub const MAX_COLLECTIONS: usize = 20;

/// Which one is meant, by id or by handle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named<I> {
    /// By id.
    Id(I),
    /// By its part of the web address.
    Handle(String),
}

/// What a product must be to be in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// All of these.
    All(Vec<Filter>),
    /// Any of these.
    Any(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
    /// It has every word of the text, the last one perhaps as the front of a longer one.
    Text(String),
    /// The same, looked up: lists do that themselves before they ask for products.
    Matches(Matching),
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
    /// Its title contains this text.
    TitleContains(String),
    /// Its lowest price is in the range of the region's currency.
    PriceRanges(Vec<PriceRange>),
    /// It was made at this moment or later.
    CreatedSince(DateTime<Utc>),
    /// It is in this collection, as far as that is to be seen.
    Collection(Named<CollectionId>),
    /// It is what a collection holds. Of one piece: what a rule asks for was not chosen by
    /// whoever asks for the collection.
    Members(Box<Filter>),
    /// This collection lists it by hand.
    ListedIn(CollectionId),
    /// The same of a collection that lists many: each product is asked whether it is in.
    ListedAmongMany(CollectionId),
    /// An index finds it by this, which few products are: the list begins with those. What it
    /// finds may be more than the filter lets through, never less.
    Found(Box<Filter>),
    /// It is in this category or below it, as far as those are to be seen.
    Category(Named<CategoryId>),
    /// It is in this category or below it, whoever asks.
    CategoryTree(CategoryId),
    /// It has a metafield that is so.
    Metafield(crate::metafield::condition::Condition),
}

impl Filter {
    /// The collections that it names, which have to be looked up before it can be asked.
    pub fn collections(&self) -> Vec<&Named<CollectionId>> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::collections).collect(),
            Self::Not(part) => part.collections(),
            Self::Collection(named) => vec![named],
            _ => Vec::new(),
        }
    }

    /// The same with something in the place of each collection that it names.
    #[must_use]
    pub fn with_collections(self, found: &impl Fn(&Named<CollectionId>) -> Filter) -> Self {
        let each = |parts: Vec<Self>| parts.into_iter().map(|part| part.with_collections(found)).collect();
        match self {
            Self::All(parts) => Self::All(each(parts)),
            Self::Any(parts) => Self::Any(each(parts)),
            Self::Not(part) => Self::Not(Box::new(part.with_collections(found))),
            Self::Collection(named) => found(&named),
            same => same,
        }
    }

    /// Every text in it, however deep, in the order of [`Filter::with_matches`].
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::texts).collect(),
            Self::Not(part) => part.texts(),
            Self::Text(text) => vec![text],
            _ => Vec::new(),
        }
    }

    /// The same with what its texts were found to mean, in their order.
    #[must_use]
    pub fn with_matches(&self, found: &mut impl Iterator<Item = Filter>) -> Self {
        match self {
            Self::All(parts) => Self::All(parts.iter().map(|part| part.with_matches(found)).collect()),
            Self::Any(parts) => Self::Any(parts.iter().map(|part| part.with_matches(found)).collect()),
            Self::Not(part) => Self::Not(Box::new(part.with_matches(found))),
            Self::Text(_) => found.next().unwrap_or_else(|| self.clone()),
            other => other.clone(),
        }
    }
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
    /// Its place in a collection that lists it by hand.
    Manual(CollectionId),
}

/// How options and their values are told apart: by the handle of the name.
pub fn spelling(name: &str) -> String {
    domain::catalog::option_handle(name).map(|handle| handle.to_string()).unwrap_or_default()
}

/// How many conditions a filter has; one without any counts, too.
fn parts(filter: &Filter) -> usize {
    match filter {
        Filter::All(inner) | Filter::Any(inner) => inner.iter().map(parts).sum::<usize>().max(1),
        Filter::Not(inner) => parts(inner),
        _ => 1,
    }
}

/// Refuses filters that are nested too deeply, have too many conditions, hold too
/// many values or words, or name too many collections.
pub fn check(filter: &Filter, depth: usize) -> Result<(), Refusal> {
    if parts(filter) > MAX_FILTER_PARTS {
        let message = format!("A filter has at most {MAX_FILTER_PARTS} conditions.");
        return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_FILTER_PARTS as i64).at(["filter"]));
    }
    check_part(filter, depth)?;
    let words = filter.texts().into_iter().map(|text| Query::read(text).map_or(0, |query| query.words.len()));
    if words.sum::<usize>() > MAX_FILTER_WORDS {
        let message = format!("The texts of a filter have at most {MAX_FILTER_WORDS} words.");
        return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_FILTER_WORDS as i64).at(["filter"]));
    }
    Ok(())
}

fn check_part(filter: &Filter, depth: usize) -> Result<(), Refusal> {
    if depth > MAX_FILTER_DEPTH {
        let message = format!("Filters are nested at most {MAX_FILTER_DEPTH} deep.");
        return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_FILTER_DEPTH as i64).at(["filter"]));
    }
    if depth == 0 && filter.collections().len() > MAX_COLLECTIONS {
        let message = format!("A filter names at most {MAX_COLLECTIONS} collections.");
        return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_COLLECTIONS as i64).at(["filter"]));
    }
    let too_many = |count: usize| {
        (count > MAX_FILTER_VALUES).then(|| {
            let message = format!("A filter has at most {MAX_FILTER_VALUES} values.");
            Refusal::new(ErrorCode::TooMany, message).limit(MAX_FILTER_VALUES as i64).at(["filter"])
        })
    };
    let refusal = match filter {
        Filter::All(parts) => return parts.iter().try_for_each(|part| check_part(part, depth)),
        Filter::Any(parts) => return parts.iter().try_for_each(|part| check_part(part, depth + 1)),
        Filter::Not(part) => return check_part(part, depth + 1),
        Filter::Tag(values)
        | Filter::ProductType(values)
        | Filter::Vendor(values)
        | Filter::Handle(values)
        | Filter::OptionValue(_, values) => too_many(values.len()),
        Filter::Text(text) => Query::read(text).err().map(|refusal| refusal.at(["filter", "text"])),
        Filter::Metafield(condition) => match &condition.asked {
            crate::metafield::condition::Asked::Any(keys) => too_many(keys.len()),
            _ => None,
        },
        _ => None,
    };
    refusal.map_or(Ok(()), Err)
}
