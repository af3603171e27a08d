//! The catalog on the store surface.

use async_graphql::{Context, Enum as GraphqlEnum, ID, InputObject, Object, OneofObject};

use super::load::ListingOf;
use super::types::{Product, ProductConnection};
use crate::api::call::{Call, call};
use crate::api::page::{ADMIN_MAX, Page, PageArgs, STORE_MAX, SortDirection, one_sort};
use crate::api::payload::{find as found, top_level};
use crate::api::scalar::{MoneyInput, parse_id};
use crate::category::store::CategoryBy;
use crate::collection::store::CollectionBy;
use crate::metafield::store::MetafieldFilter;
use crate::translation::load::{feed, feed_one};
use domain::metafield::MetafieldOwnerType;
use domain::refusal::{ErrorCode, Refusal};
use engine::catalog::listing::{Filter, SortKey, check};
use engine::catalog::repo::listing::{Listing, View, Which, find, page};
use engine::error::{Error, Result};
use engine::page::Rows;
use entity::product;

/// Which product you mean: exactly one of these.
#[derive(Debug, OneofObject)]
pub enum ProductBy {
    /// By id.
    Id(ID),
    /// By its part of the web address.
    Handle(String),
    /// By its number in another system.
    ExternalReference(String),
}

impl ProductBy {
    /// For the repo.
    pub fn which(&self) -> Result<Which> {
        Ok(match self {
            Self::Id(id) => Which::Id(parse_id(id, &["by", "id"]).map_err(|_| Error::not_found("product"))?),
            Self::Handle(handle) => Which::Handle(handle.clone()),
            Self::ExternalReference(text) => Which::ExternalReference(text.clone()),
        })
    }
}

/// What a list of products is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, GraphqlEnum)]
pub enum ProductSortField {
    /// When it was published in this channel.
    Newest,
    /// The title in the shop's own language, whatever its capitals.
    Title,
    /// The lowest price in this request's region; products without one count as the dearest.
    Price,
}

impl ProductSortField {
    /// For the repo.
    pub fn key(self) -> SortKey {
        match self {
            Self::Newest => SortKey::Newest,
            Self::Title => SortKey::Title,
            Self::Price => SortKey::Price,
        }
    }
}

/// How a list of products is sorted.
#[derive(Debug, Clone, InputObject)]
pub struct ProductSort {
    /// By what.
    pub field: ProductSortField,
    /// Which way.
    #[graphql(default_with = "SortDirection::Asc")]
    pub direction: SortDirection,
}

/// A text that is one of those that you name.
#[derive(Debug, Clone, InputObject)]
pub struct TextFilter {
    /// It is this.
    pub eq: Option<String>,
    /// It is one of these, at most 250.
    #[graphql(name = "in")]
    pub any: Option<Vec<String>>,
}

impl TextFilter {
    fn parts(&self, filter: impl Fn(Vec<String>) -> Filter) -> Vec<Filter> {
        let eq = self.eq.clone().map(|value| vec![value]);
        [eq, self.any.clone()].into_iter().flatten().map(filter).collect()
    }
}

/// An amount of money between two bounds, both inclusive, in the currency of this request's region.
#[derive(Debug, Clone, InputObject)]
pub struct MoneyRangeFilter {
    /// At least this.
    pub gte: Option<MoneyInput>,
    /// At most this.
    pub lte: Option<MoneyInput>,
}

/// A value of an option.
#[derive(Debug, Clone, InputObject)]
pub struct OptionValueFilter {
    /// The name of the option, such as `Color`.
    pub name: String,
    /// It has one of these values, by name; at most 250.
    pub values: Vec<String>,
}

/// What products must be to be in the list. What you leave out is not asked;
/// what you name must hold all at once.
#[derive(Debug, Clone, InputObject)]
pub struct ProductFilter {
    /// All of these. At most 4 deep in each other, as with `or` and `not`.
    pub and: Option<Vec<ProductFilter>>,
    /// At least one of these. A filter has at most 100 conditions, those within it too.
    pub or: Option<Vec<ProductFilter>>,
    /// Not this.
    pub not: Option<Box<ProductFilter>>,
    /// It has every word of this, as with `search` and in the language of the request: the last word may be the front
    /// of a longer one, slips are forgiven where a word is on no product, capitals and accents don't matter. At most
    /// 10 words in 200 characters.
    pub text: Option<String>,
    /// The lowest price is in this range.
    pub price: Option<MoneyRangeFilter>,
    /// It has this tag, whatever its capitals.
    pub tag: Option<TextFilter>,
    /// It is of this type, whatever its capitals.
    pub product_type: Option<TextFilter>,
    /// It comes from this vendor.
    pub vendor: Option<TextFilter>,
    /// It has a variant with a value of an option, both by their names in the shop's own language.
    pub option_value: Option<OptionValueFilter>,
    /// It has a variant that can be bought now; or with `false`, it has none.
    pub available: Option<bool>,
    /// It has this handle.
    pub handle: Option<TextFilter>,
    /// It is in this collection. One filter names at most 20.
    pub collection: Option<CollectionBy>,
    /// It is in this category or below it.
    pub category: Option<CategoryBy>,
    /// It has all these metafields, at most 20: those that shoppers may read and filter by.
    pub metafields: Option<Vec<MetafieldFilter>>,
}

impl ProductFilter {
    /// For the repo. Prices are compared in the region's currency.
    pub fn read(&self, call: &Call) -> Result<Filter, Refusal> {
        self.read_as(call, false)
    }

    /// The same; staff may ask for every metafield.
    pub fn read_as(&self, call: &Call, staff: bool) -> Result<Filter, Refusal> {
        let mut parts = Vec::new();
        let each =
            |inner: &Vec<Self>| inner.iter().map(|filter| filter.read_as(call, staff)).collect::<Result<Vec<_>, _>>();
        if let Some(inner) = &self.and {
            parts.push(Filter::All(vec![Filter::Any(vec![Filter::All(each(inner)?)])]));
        }
        if let Some(inner) = &self.or {
            parts.push(Filter::Any(each(inner)?));
        }
        if let Some(inner) = &self.not {
            parts.push(Filter::Not(Box::new(inner.read_as(call, staff)?)));
        }
        parts.extend(self.text.clone().map(Filter::Text));
        if let Some(range) = &self.price {
            parts.extend(bound(call, range.gte.as_ref(), "gte")?.map(Filter::PriceAtLeast));
            parts.extend(bound(call, range.lte.as_ref(), "lte")?.map(Filter::PriceAtMost));
        }
        parts.extend(self.tag.iter().flat_map(|filter| filter.parts(Filter::Tag)));
        parts.extend(self.product_type.iter().flat_map(|filter| filter.parts(Filter::ProductType)));
        parts.extend(self.vendor.iter().flat_map(|filter| filter.parts(Filter::Vendor)));
        parts.extend(self.handle.iter().flat_map(|filter| filter.parts(Filter::Handle)));
        let option = self.option_value.clone().map(|option| Filter::OptionValue(option.name, option.values));
        parts.extend(option);
        parts.extend(self.available.map(Filter::Available));
        if let Some(by) = &self.collection {
            parts.push(Filter::Collection(by.named(&["filter", "collection", "id"])?));
        }
        if let Some(by) = &self.category {
            parts.push(Filter::Category(by.named(&["filter", "category", "id"])?));
        }
        if let Some(filters) = &self.metafields {
            let asked = MetafieldFilter::read_all(filters, call, MetafieldOwnerType::Product, staff)?;
            parts.extend(asked.into_iter().map(Filter::Metafield));
        }
        Ok(Filter::All(parts))
    }
}

fn bound(call: &Call, amount: Option<&MoneyInput>, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(amount) = amount else { return Ok(None) };
    let money = amount.check(&["filter", "price", name])?;
    match &call.region {
        Some(region) if region.row.currency == money.currency => Ok(Some(money.minor)),
        _ => Err(Refusal::new(ErrorCode::Invalid, "Compare prices in the currency of this request's region.").at([
            "filter",
            "price",
            name,
            "currencyCode",
        ])),
    }
}

/// From where this request sees products.
pub fn view(call: &Call, staff: bool) -> View {
    View {
        channel: (!staff).then_some(call.channel.id),
        price_channel: call.channel.id,
        region: call.region.as_ref().map(|region| region.row.id),
        locations: call.settings.locations_of(call.channel.id).iter().map(|location| location.id).collect(),
        now: call.app.clock.now(),
        languages: if staff { Vec::new() } else { call.chain.clone() },
    }
}

/// The products within something, such as a collection.
#[derive(Debug)]
pub struct Within {
    /// What it is, so that cursors of other lists are told apart.
    pub list: (&'static str, uuid::Uuid),
    /// What makes a product belong to it.
    pub members: Filter,
    /// What it is sorted by, and whether downwards.
    pub sort: (SortKey, bool),
    /// Whether staff ask.
    pub staff: bool,
}

impl Within {
    /// A page of them, read together with the pages of its neighbours.
    pub async fn page(
        self,
        ctx: &Context<'_>,
        args: PageArgs,
        filter: Option<ProductFilter>,
    ) -> async_graphql::Result<Rows<product::Model>> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let read = || {
            let filter = filter.map(|filter| filter.read(call)).transpose()?;
            filter.iter().try_for_each(|filter| check(filter, 0))?;
            let view = view(call, self.staff);
            let list = (self.list, self.sort, &filter, view.price_channel, view.region);
            let max = if self.staff { ADMIN_MAX } else { STORE_MAX };
            let page = Page::read(args, max, self.sort.1, &list)?;
            let filter = Filter::All([self.members].into_iter().chain(filter).collect());
            Ok(Listing { view, filter: Some(filter), sort: self.sort.0, page, count })
        };
        let listing = read().map_err(|refusal: Refusal| top_level(refusal.into()))?;
        let rows = call.load(ListingOf::new(listing)).await?;
        rows.ok_or_else(|| top_level(Error::internal("a list was lost")))
    }
}

impl From<ProductSort> for (SortKey, bool) {
    fn from(sort: ProductSort) -> Self {
        (sort.field.key(), sort.direction == SortDirection::Desc)
    }
}

/// Queries about the catalog.
#[derive(Debug, Default)]
pub struct CatalogStoreQuery;

#[Object]
impl CatalogStoreQuery {
    /// The products of this request's channel.
    #[allow(clippy::too_many_arguments)]
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "What the products must be.")] filter: Option<ProductFilter>,
        #[graphql(desc = "How they are sorted, by one field; the newest first when absent.")] sort: Option<
            Vec<ProductSort>,
        >,
    ) -> async_graphql::Result<ProductConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let descriptions = [&["nodes"][..], &["edges", "node"]].into_iter().any(|path| {
            let node = path.iter().fold(ctx.look_ahead(), |seen, name| seen.field(name));
            node.field("descriptionHtml").exists()
        });
        let outcome = async {
            let newest = ProductSort { field: ProductSortField::Newest, direction: SortDirection::Desc };
            let sort = one_sort(sort, newest)?;
            let filter = filter.map(|filter| filter.read(call)).transpose()?;
            filter.iter().try_for_each(|filter| check(filter, 0))?;
            let (direction, key) = (sort.direction, sort.field.key());
            let args = PageArgs { first, after, last, before, offset: None };
            let view = view(call, false);
            let list = ("products", key, direction, &filter, view.price_channel, view.region);
            let asked = Page::read(args, STORE_MAX, direction == SortDirection::Desc, &list)?;
            let rows = page(&call.conn(), &view, filter.as_ref(), key, asked, count).await?;
            let shown: Vec<_> = rows.rows.iter().map(|(row, _)| row.id).collect();
            feed(call, &shown, descriptions).await?;
            Ok(rows)
        };
        outcome.await.map(ProductConnection::from).map_err(top_level)
    }

    /// One product of this request's channel; null when there is none to be seen.
    async fn product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which product.")] by: ProductBy,
    ) -> async_graphql::Result<Option<Product>> {
        let call = call(ctx)?;
        let outcome = async {
            let seen_in = Some((call.channel.id, call.app.clock.now()));
            let row = find(&call.conn(), &by.which()?, seen_in).await?;
            feed_one(call, row.as_ref().map(|row| row.id)).await?;
            Ok(row)
        };
        Ok(found(outcome.await)?.flatten().map(Product::from))
    }
}
