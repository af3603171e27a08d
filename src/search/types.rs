//! What a search answers with.

use async_graphql::SimpleObject;
use domain::money::Currency;
use engine::search::facet::{Count, Facets};

use crate::api::page::PageInfo;
use crate::api::scalar::Money;
use crate::catalog::types::{Product, ProductEdge};

/// What was found, and how it can be narrowed down.
#[derive(SimpleObject)]
pub struct Search {
    /// The hits with their cursors.
    pub edges: Vec<ProductEdge>,
    /// The hits without their cursors.
    pub nodes: Vec<Product>,
    /// Where this page lies among the hits.
    pub page_info: PageInfo,
    /// The number of all hits; counted only when you select it.
    pub total_count: Option<i32>,
    /// What was searched for instead, in lower case and without accents, when a word of your query is on no product
    /// that can be seen: show it as "results for". Null when nothing was corrected.
    pub corrected_query: Option<String>,
    /// How the hits can be narrowed down, counted over all of them and not just this page.
    pub facets: SearchFacets,
}

/// How hits can be narrowed down. Each list is counted as if the filter didn't ask for anything of its own kind, so
/// that the numbers say what choosing one more value would bring; everything else in the filter holds. Only what
/// stands in `and` from the root of the filter counts as chosen.
#[derive(Debug, SimpleObject)]
pub struct SearchFacets {
    /// The tags of most hits, at most 100, for `filter.tag`.
    pub tags: Vec<SearchFacetValue>,
    /// The product types of most hits, at most 100, for `filter.productType`.
    pub product_types: Vec<SearchFacetValue>,
    /// The vendors of most hits, at most 100, for `filter.vendor`.
    pub vendors: Vec<SearchFacetValue>,
    /// The options that hits have, with at most 500 values together, for `filter.optionValue`.
    pub options: Vec<SearchOptionFacet>,
    /// Up to five ranges between the lowest and the highest price in this request's region, from low to high, for
    /// `filter.price`. Products without a price are in none; empty without a region.
    pub prices: Vec<SearchPriceRange>,
    /// Whether something can be bought now, for `filter.available`.
    pub availability: Vec<SearchAvailability>,
}

/// A value that hits have.
#[derive(Debug, SimpleObject)]
pub struct SearchFacetValue {
    /// The value, as it is shown and as the filter takes it.
    pub value: String,
    /// How many hits have it.
    pub count: i32,
    /// Whether the filter asks for it.
    pub selected: bool,
}

/// An option and the values that hits have of it.
#[derive(Debug, SimpleObject)]
pub struct SearchOptionFacet {
    /// The name of the option.
    pub name: String,
    /// Its values, those of most hits first.
    pub values: Vec<SearchFacetValue>,
}

/// A range of prices.
#[derive(Debug, SimpleObject)]
pub struct SearchPriceRange {
    /// The lowest price in it, for `filter.price.gte`.
    pub from: Money,
    /// The highest price in it, for `filter.price.lte`.
    pub to: Money,
    /// How many hits have their lowest price in it.
    pub count: i32,
    /// Whether the filter asks for all of it.
    pub selected: bool,
}

/// What can be bought now, or can't.
#[derive(Debug, SimpleObject)]
pub struct SearchAvailability {
    /// Whether it can be bought now.
    pub available: bool,
    /// How many hits there are of it.
    pub count: i32,
    /// Whether the filter asks for it.
    pub selected: bool,
}

/// What somebody who is still typing may mean.
#[derive(SimpleObject)]
pub struct SearchSuggestions {
    /// Queries that complete what was typed, taken from the titles of products, best first, at most 10.
    pub queries: Vec<String>,
    /// The products that match best so far.
    pub products: Vec<Product>,
}

fn number(hits: i64) -> i32 {
    i32::try_from(hits).unwrap_or(i32::MAX)
}

fn values(counts: Vec<Count>) -> Vec<SearchFacetValue> {
    let value =
        |count: Count| SearchFacetValue { value: count.label, count: number(count.hits), selected: count.selected };
    counts.into_iter().map(value).collect()
}

impl SearchFacets {
    /// As clients read them; prices are in the region's currency.
    pub fn new(facets: Facets, currency: Option<Currency>) -> Self {
        let options = facets.options.into_iter();
        let prices = facets.prices.into_iter().zip(std::iter::repeat(currency));
        Self {
            tags: values(facets.tags),
            product_types: values(facets.product_types),
            vendors: values(facets.vendors),
            options: options
                .map(|option| SearchOptionFacet { name: option.name, values: values(option.values) })
                .collect(),
            prices: prices
                .filter_map(|(range, currency)| {
                    Some(SearchPriceRange {
                        from: Money::new(range.from, currency?),
                        to: Money::new(range.to, currency?),
                        count: number(range.hits),
                        selected: range.selected,
                    })
                })
                .collect(),
            availability: facets
                .availability
                .into_iter()
                .map(|count| SearchAvailability {
                    available: count.value == "true",
                    count: number(count.hits),
                    selected: count.selected,
                })
                .collect(),
        }
    }
}
