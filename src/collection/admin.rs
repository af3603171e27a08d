//! Collections on the admin surface.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, OneofObject};
use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::collection::{CollectionKind, Condition, PriceRange, Rule, RuleMatch};
use domain::id::{ChannelId, ProductId};
use domain::refusal::{ErrorCode, Refusal, Refusals};

use super::store::{CollectionBy, CollectionSort};
use super::types::{AdminCollection, AdminCollectionConnection};
use crate::api::call::call;
use crate::api::guard::{catalog_read, catalog_write};
use crate::api::input::change;
use crate::api::page::{ADMIN_MAX, Page, PageArgs};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{MoneyInput, id, parse_id};
use crate::api::word::Enum;
use crate::catalog::store::OptionValueFilter;
use engine::actor::Actor;
use engine::catalog::texts::TextChange;
use engine::collection::list::{AddProducts, RemoveProducts, ReorderProducts};
use engine::collection::ops::{DeleteCollection, Picture, SetCollection};
use engine::collection::repo::{Wanted, find, page};
use engine::error::{Error, Result};

/// What collections must be to be in the list.
#[derive(Debug, Clone, InputObject)]
pub struct AdminCollectionFilter {
    /// Title or handle contain every word of this, whatever their capitals; at most 20 words.
    pub text: Option<String>,
    /// How they come by their products.
    pub kind: Option<Enum<CollectionKind>>,
    /// They are given to this channel, perhaps from some later moment on.
    pub channel_id: Option<ID>,
}

/// The most words of a text filter.
const MAX_WORDS: usize = 20;

/// A text to search for, unless it has too many words.
pub fn searched(text: Option<String>) -> Result<Option<String>, Refusal> {
    match &text {
        Some(words) if words.split_whitespace().count() > MAX_WORDS => {
            let message = format!("A text to search for has at most {MAX_WORDS} words.");
            Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_WORDS as i64).at(["filter", "text"]))
        }
        _ => Ok(text),
    }
}

impl AdminCollectionFilter {
    fn read(self, actor: &Actor) -> Result<Wanted, Refusal> {
        let channel = self.channel_id.as_ref().map(|id| parse_id(id, &["filter", "channelId"])).transpose()?;
        let reach = engine::scope::channels(actor, Permission::CatalogRead);
        // Nothing is given to a channel that isn't there, nor to one out of reach.
        let channel = channel.map(|id| if reach.holds(id) { id } else { ChannelId(uuid::Uuid::nil()) });
        Ok(Wanted { text: searched(self.text)?, kind: self.kind.map(|kind| kind.0), channel })
    }
}

/// Queries about collections.
#[derive(Debug, Default)]
pub struct CollectionAdminQuery;

#[Object]
impl CollectionAdminQuery {
    /// All collections that are not deleted.
    #[graphql(guard = "catalog_read()")]
    #[allow(clippy::too_many_arguments)]
    async fn collections(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the collections must be.")] filter: Option<AdminCollectionFilter>,
        #[graphql(desc = "How they are sorted, by one field; by title when absent.")] sort: Option<Vec<CollectionSort>>,
    ) -> async_graphql::Result<AdminCollectionConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let (key, descending) = CollectionSort::one(sort)?;
            let wanted = filter.map(|filter| filter.read(&call.caller.actor)).transpose()?.unwrap_or_default();
            let args = PageArgs { first, after, last, before, offset };
            let list = ("admin collections", key, descending, &wanted);
            let asked = Page::read(args, ADMIN_MAX, descending, &list)?;
            page(&call.conn(), None, &wanted, key, asked, count).await
        };
        outcome.await.map(AdminCollectionConnection::from).map_err(top_level)
    }

    /// One collection; null when there is none.
    #[graphql(guard = "catalog_read()")]
    async fn collection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which collection.")] by: CollectionBy,
    ) -> async_graphql::Result<Option<AdminCollection>> {
        let Ok(named) = by.named(&[]) else { return Ok(None) };
        let found = find(&call(ctx)?.conn(), &named, None).await.map_err(top_level)?;
        Ok(found.map(AdminCollection::from))
    }
}

/// A picture by its address.
#[derive(Debug, InputObject)]
pub struct AdminPictureInput {
    /// Its address, `https://…`, or a path on this server. It is not fetched.
    pub url: String,
    /// What is shown or read aloud in its place.
    pub alt: Option<String>,
}

/// Amounts of one currency between two bounds, both inclusive; at least one bound.
#[derive(Debug, Clone, InputObject)]
pub struct AdminPriceRangeInput {
    /// At least this.
    pub gte: Option<MoneyInput>,
    /// At most this, in the same currency.
    pub lte: Option<MoneyInput>,
}

/// One condition of a rule.
#[derive(Debug, OneofObject)]
pub enum AdminCollectionConditionInput {
    /// It has one of these tags, whatever their capitals.
    Tag(Vec<String>),
    /// It is of one of these types, whatever their capitals.
    ProductType(Vec<String>),
    /// It comes from one of these vendors.
    Vendor(Vec<String>),
    /// Its title contains this, whatever its capitals.
    TitleContains(String),
    /// Its lowest price is in the range of the region's currency; give one range per currency.
    Price(Vec<AdminPriceRangeInput>),
    /// It has a variant with a value of an option.
    OptionValue(OptionValueFilter),
    /// It has a variant that can be bought now; or with `false`, it has none. Once in a rule.
    Available(bool),
    /// It is in this category or below it, also while those are not active.
    CategoryId(ID),
    /// It was made at this moment or later.
    CreatedSince(DateTime<Utc>),
    /// It was made within so many days, 1 to 3650.
    CreatedWithinDays(i32),
}

/// What a product must be to be in a collection.
#[derive(Debug, InputObject)]
pub struct AdminCollectionRuleInput {
    /// How many of the conditions it must meet; all when absent.
    #[graphql(name = "match")]
    pub matching: Option<Enum<RuleMatch>>,
    /// The conditions, 1 to 20, with at most 100 values in all.
    pub conditions: Vec<AdminCollectionConditionInput>,
}

fn range(input: &AdminPriceRangeInput, path: &[&str]) -> Result<PriceRange, Refusal> {
    let at = |name| path.iter().copied().chain([name]).collect::<Vec<_>>();
    let low = input.gte.as_ref().map(|money| money.check(&at("gte"))).transpose()?;
    let high = input.lte.as_ref().map(|money| money.check(&at("lte"))).transpose()?;
    let currency = match (&low, &high) {
        (Some(low), Some(high)) if low.currency != high.currency => {
            return Err(Refusal::new(ErrorCode::Invalid, "Both bounds are in one currency.").at(at("lte")));
        }
        (Some(money), _) | (None, Some(money)) => money.currency,
        (None, None) => {
            let refusal = Refusal::new(ErrorCode::Required, "A range has at least one bound.");
            return Err(refusal.at(path.iter().copied()));
        }
    };
    Ok(PriceRange { currency, at_least: low.map(|money| money.minor), at_most: high.map(|money| money.minor) })
}

impl AdminCollectionConditionInput {
    fn read(self, place: usize, refusals: &mut Refusals) -> Option<Condition> {
        let place = place.to_string();
        let at = |name| ["rule", "conditions", place.as_str(), name];
        Some(match self {
            Self::Tag(values) => Condition::Tag(values),
            Self::ProductType(values) => Condition::ProductType(values),
            Self::Vendor(values) => Condition::Vendor(values),
            Self::TitleContains(text) => Condition::TitleContains(text),
            Self::Price(ranges) => {
                let each = |(number, input): (usize, &AdminPriceRangeInput)| {
                    let number = number.to_string();
                    let path: Vec<&str> = at("price").into_iter().chain([number.as_str()]).collect();
                    refusals.keep(range(input, &path))
                };
                Condition::Price(ranges.iter().enumerate().filter_map(each).collect())
            }
            Self::OptionValue(option) => Condition::OptionValue { name: option.name, values: option.values },
            Self::Available(available) => Condition::Available(available),
            Self::CategoryId(id) => Condition::Category(refusals.keep(parse_id(&id, &at("categoryId")))?),
            Self::CreatedSince(moment) => Condition::CreatedSince(moment.timestamp_micros()),
            Self::CreatedWithinDays(days) => Condition::CreatedWithinDays(days),
        })
    }
}

/// A collection as you want it; of one that there is, what you leave out stays.
#[derive(Debug, InputObject)]
pub struct AdminCollectionSetInput {
    /// Which collection; without it the handle says which.
    pub id: Option<ID>,
    /// Its handle: without an id, a known one changes that collection and a new one makes one. Made from
    /// the title when neither is given.
    pub handle: Option<String>,
    /// The version that you read, 0 for one that is new; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Its title, 1 to 255 characters; a new collection needs one.
    pub title: Option<String>,
    /// Its description as HTML; what is not safe is taken out.
    pub description_html: Option<String>,
    /// Its picture; null takes it away.
    pub picture: MaybeUndefined<AdminPictureInput>,
    /// The title for search engines; null clears it.
    pub seo_title: MaybeUndefined<String>,
    /// The description for search engines; null clears it.
    pub seo_description: MaybeUndefined<String>,
    /// The rule that chooses its products. It takes the place of a list. A shop has at most 100 rules.
    pub rule: Option<AdminCollectionRuleInput>,
    /// All its products in order, at most 250; `collectionProductsAdd` brings more. It takes the place of a rule.
    pub product_ids: Option<Vec<ID>>,
    /// In these channels and in no other; a new collection without any is in every open one.
    pub channel_ids: Option<Vec<ID>>,
    /// From when on it is shown there; when absent, now, and where it is shown already, since when it was.
    pub publish_at: Option<DateTime<Utc>>,
}

/// Typed ids out of a list of the input; `field` is its place there.
pub fn parse_ids<T: std::str::FromStr>(ids: &[ID], field: &str, refusals: &mut Refusals) -> Vec<T> {
    let read = |(place, id): (usize, &ID)| refusals.keep(parse_id(id, &[field, &place.to_string()]));
    ids.iter().enumerate().filter_map(read).collect()
}

impl AdminCollectionSetInput {
    fn op(self) -> Result<SetCollection> {
        let mut refusals = Refusals::default();
        let id = refusals.keep(self.id.as_ref().map(|id| parse_id(id, &["id"])).transpose()).flatten();
        let rule = self.rule.map(|rule| {
            let each = rule.conditions.into_iter().enumerate();
            let conditions = each.filter_map(|(place, condition)| condition.read(place, &mut refusals)).collect();
            Rule { matching: rule.matching.map_or(RuleMatch::All, |matching| matching.0), conditions }
        });
        let products = self.product_ids.map(|ids| parse_ids(&ids, "productIds", &mut refusals));
        let channels = self.channel_ids.map(|ids| parse_ids(&ids, "channelIds", &mut refusals));
        refusals.into_result()?;
        let picture = |input: AdminPictureInput| Ok::<_, Error>(Picture { url: input.url, alt: input.alt });
        Ok(SetCollection {
            id,
            handle: self.handle,
            expected_version: self.expected_version,
            texts: TextChange {
                title: self.title,
                description_html: self.description_html,
                seo_title: change(self.seo_title),
                seo_description: change(self.seo_description),
            },
            picture: change(self.picture).try_map(picture)?,
            rule,
            products,
            channels,
            publish_at: self.publish_at,
        })
    }
}

/// Products that come into a collection.
#[derive(Debug, InputObject)]
pub struct AdminCollectionProductsAddInput {
    /// Which collection.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// These, at the end and in this order, at most 250; those that it lists already stay where they are.
    pub product_ids: Vec<ID>,
}

/// Products that leave a collection.
#[derive(Debug, InputObject)]
pub struct AdminCollectionProductsRemoveInput {
    /// Which collection.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// These, at most 250; what it doesn't list is no fault.
    pub product_ids: Vec<ID>,
}

/// Where a product shall stand.
#[derive(Debug, InputObject)]
pub struct AdminCollectionMoveInput {
    /// Which product.
    pub product_id: ID,
    /// Its place in the order, from 0; a place behind the end is the end.
    pub position: i32,
}

/// Products that move within a collection.
#[derive(Debug, InputObject)]
pub struct AdminCollectionProductsReorderInput {
    /// Which collection.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// What goes where, at most 250, one move after the other.
    pub moves: Vec<AdminCollectionMoveInput>,
}

/// Which collection goes.
#[derive(Debug, InputObject)]
pub struct AdminCollectionDeleteInput {
    /// Which collection.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

payload! {
    /// What `collectionSet` did.
    AdminCollectionSetPayload {
        /// The collection as it is now.
        collection: AdminCollection
    }
}

payload! {
    /// What `collectionProductsAdd` did.
    AdminCollectionProductsAddPayload {
        /// The collection as it is now.
        collection: AdminCollection
    }
}

payload! {
    /// What `collectionProductsRemove` did.
    AdminCollectionProductsRemovePayload {
        /// The collection as it is now.
        collection: AdminCollection
    }
}

payload! {
    /// What `collectionProductsReorder` did.
    AdminCollectionProductsReorderPayload {
        /// The collection as it is now.
        collection: AdminCollection
    }
}

payload! {
    /// What `collectionDelete` did.
    AdminCollectionDeletePayload {
        /// The id of the collection that is gone.
        deleted_collection_id: ID
    }
}

/// Mutations of collections.
#[derive(Debug, Default)]
pub struct CollectionAdminMutation;

#[Object]
impl CollectionAdminMutation {
    /// Makes or changes a collection with its products or its rule, all or nothing.
    #[graphql(guard = "catalog_write()")]
    async fn collection_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The collection.")] input: AdminCollectionSetInput,
    ) -> async_graphql::Result<AdminCollectionSetPayload> {
        let call = call(ctx)?;
        let outcome = async { call.app.run(&call.caller, &input.op()?).await.map(AdminCollection::from) };
        AdminCollectionSetPayload::answer(outcome.await)
    }

    /// Puts products at the end of a collection that lists them by hand.
    #[graphql(guard = "catalog_write()")]
    async fn collection_products_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The products.")] input: AdminCollectionProductsAddInput,
    ) -> async_graphql::Result<AdminCollectionProductsAddPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let products = parse_ids(&input.product_ids, "productIds", &mut refusals);
            let id = refusals.keep(parse_id(&input.id, &["id"]));
            refusals.into_result()?;
            let id = id.ok_or_else(|| Error::internal("a refusal was lost"))?;
            let op = AddProducts { id, expected_version: input.expected_version, products };
            call.app.run(&call.caller, &op).await.map(AdminCollection::from)
        };
        AdminCollectionProductsAddPayload::answer(outcome.await)
    }

    /// Takes products out of a collection that lists them by hand.
    #[graphql(guard = "catalog_write()")]
    async fn collection_products_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The products.")] input: AdminCollectionProductsRemoveInput,
    ) -> async_graphql::Result<AdminCollectionProductsRemovePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let products = parse_ids(&input.product_ids, "productIds", &mut refusals);
            let id = refusals.keep(parse_id(&input.id, &["id"]));
            refusals.into_result()?;
            let id = id.ok_or_else(|| Error::internal("a refusal was lost"))?;
            let op = RemoveProducts { id, expected_version: input.expected_version, products };
            call.app.run(&call.caller, &op).await.map(AdminCollection::from)
        };
        AdminCollectionProductsRemovePayload::answer(outcome.await)
    }

    /// Moves products within a collection that lists them by hand.
    #[graphql(guard = "catalog_write()")]
    async fn collection_products_reorder(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What goes where.")] input: AdminCollectionProductsReorderInput,
    ) -> async_graphql::Result<AdminCollectionProductsReorderPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let id = refusals.keep(parse_id(&input.id, &["id"]));
            let mut moves: Vec<(ProductId, usize)> = Vec::new();
            for (place, step) in input.moves.iter().enumerate() {
                let number = place.to_string();
                let product = refusals.keep(parse_id(&step.product_id, &["moves", &number, "productId"]));
                let position = refusals.keep(usize::try_from(step.position).map_err(|_| {
                    let refusal = Refusal::new(ErrorCode::Invalid, "Places count from 0.");
                    refusal.at(["moves", &number, "position"])
                }));
                moves.extend(product.zip(position));
            }
            refusals.into_result()?;
            let id = id.ok_or_else(|| Error::internal("a refusal was lost"))?;
            let op = ReorderProducts { id, expected_version: input.expected_version, moves };
            call.app.run(&call.caller, &op).await.map(AdminCollection::from)
        };
        AdminCollectionProductsReorderPayload::answer(outcome.await)
    }

    /// Takes a collection out of the shop; its products stay.
    #[graphql(guard = "catalog_write()")]
    async fn collection_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The collection.")] input: AdminCollectionDeleteInput,
    ) -> async_graphql::Result<AdminCollectionDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = DeleteCollection { id: parse_id(&input.id, &["id"])?, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminCollectionDeletePayload::answer(outcome.await)
    }
}
