//! How collections look: what shoppers and staff both see is written once and
//! merged into the type of each surface.

use std::sync::Arc;

use async_graphql::{Context, Enum as GraphqlEnum, ID, InputObject, MergedObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::collection::{CollectionKind, Condition, PriceRange, Rule, RuleMatch};
use entity::collection;

use super::load::{ChannelsOf, MediumBy};
use crate::api::call::call;
use crate::api::page::{PageArgs, SortDirection, connection, one_sort};
use crate::api::payload::top_level;
use crate::api::ready::Ready;
use crate::api::scalar::{Money, id};
use crate::api::word::Enum;
use crate::catalog::store::{ProductFilter, Within};
use crate::catalog::types::{AdminProductConnection, AdminPublication, ProductConnection};
use crate::channel::types::AdminChannel;
use crate::media::types::Media;
use domain::refusal::Refusal;
use engine::catalog::listing::SortKey;
use engine::collection::members;

/// A collection as shoppers see it: products that are shown together.
#[derive(MergedObject, Debug, Clone)]
#[graphql(crate = "crate::api::eager")]
pub struct Collection(CollectionCore, CollectionShopper);

/// A collection as staff see it: products that are shown together.
#[derive(MergedObject, Debug, Clone)]
#[graphql(crate = "crate::api::eager")]
pub struct AdminCollection(CollectionCore, CollectionStaff);

impl From<collection::Model> for Collection {
    fn from(row: collection::Model) -> Self {
        Self::from(Arc::new(row))
    }
}

impl From<Arc<collection::Model>> for Collection {
    fn from(row: Arc<collection::Model>) -> Self {
        Self(CollectionCore(row.clone()), CollectionShopper(row))
    }
}

impl Collection {
    /// The id, for `Node`.
    pub async fn id(&self, _: &Context<'_>) -> async_graphql::Result<ID> {
        Ok(id(self.0.0.id))
    }
}

impl From<collection::Model> for AdminCollection {
    fn from(row: collection::Model) -> Self {
        Self::from(Arc::new(row))
    }
}

impl From<Arc<collection::Model>> for AdminCollection {
    fn from(row: Arc<collection::Model>) -> Self {
        Self(CollectionCore(row.clone()), CollectionStaff(row))
    }
}

impl AdminCollection {
    /// The id, for `AdminNode`.
    pub async fn id(&self, _: &Context<'_>) -> async_graphql::Result<ID> {
        Ok(id(self.0.0.id))
    }
}

connection! {
    /// A page of collections.
    CollectionConnection, CollectionEdge, Collection, collection::Model
}

connection! {
    /// A page of collections as staff see them.
    AdminCollectionConnection, AdminCollectionEdge, AdminCollection, collection::Model
}

/// What the products of a collection are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, GraphqlEnum)]
pub enum CollectionProductSortField {
    /// The order that staff gave them; where a rule chooses them, the newest first.
    Manual,
    /// When it was published in this channel.
    Newest,
    /// The title, whatever its capitals.
    Title,
    /// The lowest price in this request's region; products without one count as the dearest.
    Price,
}

/// How the products of a collection are sorted.
#[derive(Debug, Clone, InputObject)]
pub struct CollectionProductSort {
    /// By what.
    pub field: CollectionProductSortField,
    /// Which way.
    #[graphql(default_with = "SortDirection::Asc")]
    pub direction: SortDirection,
}

fn within(
    row: &collection::Model,
    now: DateTime<Utc>,
    sort: Option<Vec<CollectionProductSort>>,
    staff: bool,
) -> Result<Within, Refusal> {
    let manual = CollectionProductSort { field: CollectionProductSortField::Manual, direction: SortDirection::Asc };
    let sort = one_sort(sort, manual)?;
    let descending = sort.direction == SortDirection::Desc;
    let sort = match (sort.field, row.kind) {
        (CollectionProductSortField::Manual, CollectionKind::Manual) => (SortKey::Manual(row.id), descending),
        (CollectionProductSortField::Manual, CollectionKind::Rules) => (SortKey::Newest, !descending),
        (CollectionProductSortField::Newest, _) => (SortKey::Newest, descending),
        (CollectionProductSortField::Title, _) => (SortKey::Title, descending),
        (CollectionProductSortField::Price, _) => (SortKey::Price, descending),
    };
    Ok(Within { list: ("collection", row.id.into()), members: members(row, now), sort, staff })
}

/// What both surfaces show of a collection.
#[derive(Debug, Clone)]
pub struct CollectionCore(Arc<collection::Model>);

#[Object]
impl CollectionCore {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Its part of the web address.
    async fn handle(&self) -> &str {
        self.0.handle.as_str()
    }

    /// Its title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// Its description as HTML that was made safe when it was written.
    async fn description_html(&self) -> &str {
        &self.0.description_html
    }

    /// Its picture.
    async fn picture(&self, ctx: &Context<'_>) -> async_graphql::Result<Ready<Option<Media>>> {
        let Some(media) = self.0.media_id else { return Ok(Ready(None)) };
        Ok(Ready(call(ctx)?.load(MediumBy(media)).await?.map(|row| Media::from((*row).clone()))))
    }

    /// The title for search engines, when it has one of its own.
    async fn seo_title(&self) -> Option<&str> {
        self.0.seo_title.as_deref()
    }

    /// The description for search engines.
    async fn seo_description(&self) -> Option<&str> {
        self.0.seo_description.as_deref()
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was changed last.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// What only shoppers are shown of a collection.
#[derive(Debug, Clone)]
pub struct CollectionShopper(Arc<collection::Model>);

#[Object]
impl CollectionShopper {
    /// Its products in this request's channel.
    #[allow(clippy::too_many_arguments)]
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "What the products must be besides.")] filter: Option<ProductFilter>,
        #[graphql(desc = "How they are sorted, by one field; as staff ordered them when absent.")] sort: Option<
            Vec<CollectionProductSort>,
        >,
    ) -> async_graphql::Result<ProductConnection> {
        let now = call(ctx)?.app.clock.now();
        let within = within(&self.0, now, sort, false).map_err(|refusal| top_level(refusal.into()))?;
        let args = PageArgs { first, after, last, before, offset: None };
        Ok(within.page(ctx, args, filter).await?.into())
    }
}

/// What only staff see of a collection.
#[derive(Debug, Clone)]
pub struct CollectionStaff(Arc<collection::Model>);

#[Object]
impl CollectionStaff {
    /// Rises with every change; send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// How it comes by its products.
    async fn kind(&self) -> Enum<CollectionKind> {
        Enum(self.0.kind)
    }

    /// The rule that chooses its products; null when staff list them.
    async fn rule(&self) -> Option<AdminCollectionRule> {
        engine::collection::rule(&self.0).map(AdminCollectionRule::from)
    }

    /// The channels in which it is shown, of those that your roles reach; at most 100.
    async fn publications(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminPublication>> {
        let call = call(ctx)?;
        let rows = call.load(ChannelsOf(self.0.id)).await?;
        let reach = engine::scope::channels(&call.caller.actor, Permission::CatalogRead);
        let publication = |row: &entity::collection_channel::Model| {
            let channel = call.settings.channels.iter().find(|channel| channel.id == row.channel_id)?;
            let channel = Some(channel).filter(|channel| reach.holds(channel.id))?;
            Some(AdminPublication { channel: AdminChannel(channel.clone()), published_at: row.published_at })
        };
        Ok(rows.iter().filter_map(publication).collect())
    }

    /// Its products, also those that shoppers don't see; prices and stock as in
    /// the channel and region of this request.
    #[allow(clippy::too_many_arguments)]
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the products must be besides.")] filter: Option<ProductFilter>,
        #[graphql(desc = "How they are sorted, by one field; as staff ordered them when absent.")] sort: Option<
            Vec<CollectionProductSort>,
        >,
    ) -> async_graphql::Result<AdminProductConnection> {
        let now = call(ctx)?.app.clock.now();
        let within = within(&self.0, now, sort, true).map_err(|refusal| top_level(refusal.into()))?;
        let args = PageArgs { first, after, last, before, offset };
        Ok(within.page(ctx, args, filter).await?.into())
    }
}

/// What a product must be to be in a collection.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminCollectionRule {
    /// How many of the conditions it must meet.
    #[graphql(name = "match")]
    pub matching: Enum<RuleMatch>,
    /// The conditions, at most 20.
    pub conditions: Vec<AdminCollectionCondition>,
}

/// One condition of a rule: exactly one of its fields is not null.
#[derive(Debug, Clone, Default, SimpleObject)]
pub struct AdminCollectionCondition {
    /// It has one of these tags, whatever their capitals.
    pub tag: Option<Vec<String>>,
    /// It is of one of these types, whatever their capitals.
    pub product_type: Option<Vec<String>>,
    /// It comes from one of these vendors.
    pub vendor: Option<Vec<String>>,
    /// Its title contains this, whatever its capitals.
    pub title_contains: Option<String>,
    /// Its lowest price is in the range of the region's currency; in other currencies it is not met.
    pub price: Option<Vec<AdminPriceRange>>,
    /// It has a variant with a value of an option.
    pub option_value: Option<AdminOptionValues>,
    /// It has a variant that can be bought now; or with `false`, it has none.
    pub available: Option<bool>,
    /// It is in this category or below it, also while those are not active.
    pub category_id: Option<ID>,
    /// It was made at this moment or later.
    pub created_since: Option<DateTime<Utc>>,
    /// It was made within so many days.
    pub created_within_days: Option<i32>,
}

/// Amounts of one currency between two bounds, both inclusive.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminPriceRange {
    /// At least this.
    pub gte: Option<Money>,
    /// At most this.
    pub lte: Option<Money>,
}

/// Values of an option.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminOptionValues {
    /// The name of the option.
    pub name: String,
    /// The names of the values.
    pub values: Vec<String>,
}

impl From<Rule> for AdminCollectionRule {
    fn from(rule: Rule) -> Self {
        let conditions = rule.conditions.into_iter().map(AdminCollectionCondition::from).collect();
        Self { matching: Enum(rule.matching), conditions }
    }
}

impl From<PriceRange> for AdminPriceRange {
    fn from(range: PriceRange) -> Self {
        let money = |minor: i64| Money::new(minor, range.currency);
        Self { gte: range.at_least.map(money), lte: range.at_most.map(money) }
    }
}

impl From<Condition> for AdminCollectionCondition {
    fn from(condition: Condition) -> Self {
        let none = Self::default();
        match condition {
            Condition::Tag(values) => Self { tag: Some(values), ..none },
            Condition::ProductType(values) => Self { product_type: Some(values), ..none },
            Condition::Vendor(values) => Self { vendor: Some(values), ..none },
            Condition::TitleContains(text) => Self { title_contains: Some(text), ..none },
            Condition::Price(ranges) => {
                Self { price: Some(ranges.into_iter().map(AdminPriceRange::from).collect()), ..none }
            }
            Condition::OptionValue { name, values } => {
                Self { option_value: Some(AdminOptionValues { name, values }), ..none }
            }
            Condition::Available(available) => Self { available: Some(available), ..none },
            Condition::Category(category) => Self { category_id: Some(id(category)), ..none },
            Condition::CreatedSince(micros) => Self { created_since: DateTime::from_timestamp_micros(micros), ..none },
            Condition::CreatedWithinDays(days) => Self { created_within_days: Some(days), ..none },
        }
    }
}
