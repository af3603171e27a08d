//! What a search answers with.

use async_graphql::SimpleObject;
use domain::translation::TranslatableField;
use engine::catalog::listing::Named;
use engine::error::Result;
use engine::search::facet::{Count, Facets, Parts, Wanted};
use engine::translation::{Texts, repo};
use entity::category;
use uuid::Uuid;

use crate::api::call::Call;
use crate::api::page::PageInfo;
use crate::api::scalar::Money;
use crate::catalog::types::{Product, ProductEdge};
use crate::category::types::Category;

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
#[derive(SimpleObject)]
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
    /// The categories of most hits, at most 100, for `filter.category`. A hit counts for its categories and for all
    /// above them.
    pub categories: Vec<SearchCategoryFacet>,
}

/// A category that hits are in.
#[derive(SimpleObject)]
pub struct SearchCategoryFacet {
    /// The category.
    pub category: Category,
    /// How many hits are in it or below it.
    pub count: i32,
    /// Whether the filter asks for it.
    pub selected: bool,
}

/// A value that hits have.
#[derive(Debug, SimpleObject)]
pub struct SearchFacetValue {
    /// The value as the filter takes it: in the shop's own language.
    pub value: String,
    /// The value as it is shown: in the language of the request.
    pub label: String,
    /// How many hits have it.
    pub count: i32,
    /// Whether the filter asks for it.
    pub selected: bool,
}

/// An option and the values that hits have of it.
#[derive(Debug, SimpleObject)]
pub struct SearchOptionFacet {
    /// The name of the option as the filter takes it: in the shop's own language.
    pub name: String,
    /// The name of the option as it is shown: in the language of the request.
    pub label: String,
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

/// What hits can be narrowed down by, with what is shown of it.
pub struct Counted {
    /// The numbers.
    pub facets: Facets,
    /// The names of what was counted in the language of the request.
    pub names: Texts,
    /// The categories that were counted or asked for.
    pub categories: Vec<category::Model>,
    /// What the filter asks for.
    pub parts: Parts,
}

impl Counted {
    /// Reads what is shown of the numbers: a statement for the categories, and
    /// one for names in another language than the shop's own.
    pub async fn read(call: &Call, facets: Facets, parts: Parts, wanted: Wanted, labels: bool) -> Result<Self> {
        let asked = parts.categories().into_iter().cloned();
        let counted = facets.categories.iter().map(|count| Named::Id(count.id));
        let wanted: Vec<_> = if wanted.categories { counted.chain(asked).collect() } else { Vec::new() };
        let categories = engine::category::repo::named(&call.conn(), &wanted, true).await?;
        let options = facets.options.iter().flat_map(|option| option.values.iter().map(|value| value.entity));
        let options = options.chain(facets.options.iter().map(|option| option.entity));
        let counts = facets.tags.iter().chain(&facets.product_types).map(|count| count.entity);
        let ids: Vec<Uuid> = counts.chain(options).flatten().collect();
        let mut names = Texts::default();
        if labels && !call.chain.is_empty() && !ids.is_empty() {
            names.extend(repo::of_entities(&call.conn(), &ids, &call.chain).await?);
        }
        Ok(Self { facets, names, categories, parts })
    }

    fn label(&self, call: &Call, entity: Option<Uuid>, own: &str) -> String {
        let found = entity.and_then(|id| self.names.find(&call.chain, id, TranslatableField::Name));
        found.unwrap_or(own).to_owned()
    }

    fn values(&self, call: &Call, counts: &[Count]) -> Vec<SearchFacetValue> {
        let value = |count: &Count| SearchFacetValue {
            value: count.label.clone(),
            label: self.label(call, count.entity, &count.label),
            count: number(count.hits),
            selected: count.selected,
        };
        counts.iter().map(value).collect()
    }

    /// Those of most hits first; what is asked for in vain comes last.
    fn categories(&self) -> Vec<SearchCategoryFacet> {
        let asked = self.parts.categories();
        let selected = |row: &category::Model| {
            asked.iter().any(|named| match named {
                Named::Id(id) => row.id == *id,
                Named::Handle(handle) => row.handle.as_str() == handle,
            })
        };
        let place = |row: &category::Model| self.facets.categories.iter().position(|count| count.id == row.id);
        let mut rows: Vec<&category::Model> = self.categories.iter().collect();
        rows.sort_by_key(|row| place(row).unwrap_or(usize::MAX));
        let shown = rows.into_iter().map(|row| SearchCategoryFacet {
            category: Category::from(row.clone()),
            count: place(row).map_or(0, |place| number(self.facets.categories[place].hits)),
            selected: selected(row),
        });
        shown.collect()
    }

    /// As clients read it; prices are in the region's currency.
    pub fn shown(&self, call: &Call) -> SearchFacets {
        let currency = call.region.as_ref().map(|region| region.row.currency);
        let option = |option: &engine::search::facet::OptionCounts| SearchOptionFacet {
            name: option.name.clone(),
            label: self.label(call, option.entity, &option.name),
            values: self.values(call, &option.values),
        };
        let prices = self.facets.prices.iter().filter_map(|range| {
            Some(SearchPriceRange {
                from: Money::new(range.from, currency?),
                to: Money::new(range.to, currency?),
                count: number(range.hits),
                selected: range.selected,
            })
        });
        let available = |count: &Count| SearchAvailability {
            available: count.value == "true",
            count: number(count.hits),
            selected: count.selected,
        };
        SearchFacets {
            tags: self.values(call, &self.facets.tags),
            product_types: self.values(call, &self.facets.product_types),
            vendors: self.values(call, &self.facets.vendors),
            options: self.facets.options.iter().map(option).collect(),
            prices: prices.collect(),
            availability: self.facets.availability.iter().map(available).collect(),
            categories: self.categories(),
        }
    }
}
