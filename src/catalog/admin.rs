//! The catalog on the admin surface.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object};
use chrono::{DateTime, Utc};
use domain::catalog::{
    BackorderPolicy, MediaDraft, MediaKind, OptionDraft, PriceDraft, ProductDraft, ProductStatus, VariantDraft,
};
use domain::id::ShippingProfileId;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::Handle;

use super::store::{ProductBy, ProductFilter, ProductSort, ProductSortField, view};
use super::types::{AdminProduct, AdminProductConnection};
use crate::api::call::call;
use crate::api::guard::{catalog_read, catalog_write};
use crate::api::input::change;
use crate::api::page::{ADMIN_MAX, Page, PageArgs, SortDirection, one_sort};
use crate::api::payload::{find as found, payload, top_level};
use crate::api::scalar::{Country, MoneyInput, id, parse_id};
use crate::api::word::Enum;
use crate::collection::admin::parse_ids;
use engine::catalog::listing::{Filter, check};
use engine::catalog::ops::{
    CreateProduct, DeleteProduct, PublishProduct, UpdateProduct, UpdateProductOp, VariantPrices,
};
use engine::catalog::publish::ScheduleProduct;
use engine::catalog::repo::listing::{find, page};
use engine::error::Result;
use engine::version::Change;

/// What products must be to be in the list, as staff ask.
#[derive(Debug, Clone, InputObject)]
pub struct AdminProductFilter {
    /// One of these states, at most 3.
    pub status: Option<Vec<Enum<ProductStatus>>>,
    /// Everything that shoppers can filter by; prices and stock as in the channel and region of this request.
    pub product: Option<ProductFilter>,
}

/// Queries about the catalog.
#[derive(Debug, Default)]
pub struct CatalogAdminQuery;

#[Object]
impl CatalogAdminQuery {
    /// All products that are not deleted.
    #[graphql(guard = "catalog_read()")]
    #[allow(clippy::too_many_arguments)]
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the products must be.")] filter: Option<AdminProductFilter>,
        #[graphql(desc = "How they are sorted, by one field; the newest first when absent.")] sort: Option<
            Vec<ProductSort>,
        >,
    ) -> async_graphql::Result<AdminProductConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let newest = ProductSort { field: ProductSortField::Newest, direction: SortDirection::Desc };
            let sort = one_sort(sort, newest)?;
            let mut parts = Vec::new();
            if let Some(filter) = filter {
                let words = filter.status.map(|words| words.into_iter().map(|word| word.0).collect());
                parts.extend(words.map(Filter::Status));
                parts.extend(filter.product.map(|filter| filter.read_as(call, true)).transpose()?);
            }
            let filter = Filter::All(parts);
            check(&filter, 0)?;
            let (direction, key) = (sort.direction, sort.field.key());
            let args = PageArgs { first, after, last, before, offset };
            let view = view(call, true);
            let list = ("admin products", key, direction, &filter, view.price_channel, view.region);
            let asked = Page::read(args, ADMIN_MAX, direction == SortDirection::Desc, &list)?;
            page(&call.conn(), &view, Some(&filter), key, asked, count).await
        };
        outcome.await.map(AdminProductConnection::from).map_err(top_level)
    }

    /// One product; null when there is none.
    #[graphql(guard = "catalog_read()")]
    async fn product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which product.")] by: ProductBy,
    ) -> async_graphql::Result<Option<AdminProduct>> {
        let call = call(ctx)?;
        let outcome = async { find(&call.conn(), &by.which()?, None).await };
        Ok(found(outcome.await)?.flatten().map(AdminProduct::from))
    }
}

/// An option that a new product has.
#[derive(Debug, InputObject)]
pub struct AdminProductOptionInput {
    /// Its name, such as `Color`. Products with options of one name share the option.
    pub name: String,
    /// The names of its values in order.
    pub values: Vec<String>,
}

/// A value of an option.
#[derive(Debug, InputObject)]
pub struct AdminSelectedOptionInput {
    /// The name of the option.
    pub name: String,
    /// The name of the value.
    pub value: String,
}

/// What something costs.
#[derive(Debug, InputObject)]
pub struct AdminPriceInput {
    /// What it costs. Whether that includes tax says the region of the currency.
    pub amount: MoneyInput,
    /// What it cost before, in the same currency.
    pub compare_at: Option<MoneyInput>,
}

/// A picture, film or file by its address.
#[derive(Debug, InputObject)]
pub struct AdminMediaInput {
    /// Its address, `https://…`, or a path on this server. It is not fetched.
    pub url: String,
    /// What is shown or read aloud in its place.
    pub alt: Option<String>,
    /// What it is; a picture when absent.
    pub kind: Option<Enum<MediaKind>>,
}

/// A variant of a new product.
#[derive(Debug, InputObject)]
pub struct AdminVariantCreateInput {
    /// Its title; made from its option values when absent.
    pub title: Option<String>,
    /// Your number for it, unique among all variants.
    pub sku: Option<String>,
    /// EAN, UPC, ISBN or the like.
    pub barcode: Option<String>,
    /// One value for each option of the product.
    pub options: Option<Vec<AdminSelectedOptionInput>>,
    /// Its prices, one per currency.
    pub prices: Option<Vec<AdminPriceInput>>,
    /// Its number in another system, unique among all variants.
    pub external_reference: Option<String>,
    /// Grams of one piece, packed.
    pub weight_grams: Option<i32>,
    /// Millimeters of its longest side, packed; 1 to 100000.
    pub length_mm: Option<i32>,
    /// Millimeters across; 1 to 100000.
    pub width_mm: Option<i32>,
    /// Millimeters upwards; 1 to 100000.
    pub height_mm: Option<i32>,
    /// Its number for customs, 6 to 13 digits; dots and blanks are taken out.
    pub hs_code: Option<String>,
    /// Where it was made.
    pub origin_country: Option<Country>,
    /// Whether it is sent to an address.
    #[graphql(default = true)]
    pub requires_shipping: bool,
    /// Whether its stock is counted.
    #[graphql(default = true)]
    pub manage_inventory: bool,
    /// What happens when its stock is used up; it can't be bought when absent.
    pub backorder: Option<Enum<BackorderPolicy>>,
    /// When it is out; before that it is sold ahead and its availability reads `PREORDER`.
    pub release_at: Option<DateTime<Utc>>,
    /// How many lie at the location that is taken from first.
    pub stock: Option<i32>,
    /// The address of the medium that shows this variant.
    pub media_url: Option<String>,
}

/// A new product with all that belongs to it.
#[derive(Debug, InputObject)]
pub struct AdminProductCreateInput {
    /// Its title, 1 to 255 characters.
    pub title: String,
    /// Its part of the web address; made from the title when absent.
    pub handle: Option<String>,
    /// A line below the title.
    pub subtitle: Option<String>,
    /// Its description as HTML; what is not safe is taken out.
    pub description_html: Option<String>,
    /// Who made it.
    pub vendor: Option<String>,
    /// The name of its product type.
    pub product_type: Option<String>,
    /// Words to find and group it by, at most 100.
    pub tags: Option<Vec<String>>,
    /// The categories that it is in, the main one first; at most 50.
    pub category_ids: Option<Vec<ID>>,
    /// Whether shoppers see it; a draft when absent.
    pub status: Option<Enum<ProductStatus>>,
    /// The channels in which it is for sale; every open one when absent and it is published.
    pub channel_ids: Option<Vec<ID>>,
    /// Whether promotions touch it.
    #[graphql(default = true)]
    pub discountable: bool,
    /// Whether it sells gift cards: each piece becomes one over what a piece costs, once the order is paid. Promotions
    /// don't touch it, and no tax is due on it.
    #[graphql(default)]
    pub gift_card: bool,
    /// Its shipping profile; the default one when absent.
    pub shipping_profile_id: Option<ID>,
    /// Its number in another system, unique.
    pub external_reference: Option<String>,
    /// The title for search engines.
    pub seo_title: Option<String>,
    /// The description for search engines.
    pub seo_description: Option<String>,
    /// Its options in order, at most 5; taken from the variants when absent.
    pub options: Option<Vec<AdminProductOptionInput>>,
    /// Its variants in order, at most 250; one when absent.
    pub variants: Option<Vec<AdminVariantCreateInput>>,
    /// Its pictures, films and files in order, at most 100.
    pub media: Option<Vec<AdminMediaInput>>,
}

fn price_draft(input: &AdminPriceInput, path: &[&str]) -> Result<PriceDraft, Refusal> {
    let at = |name| path.iter().copied().chain([name]).collect::<Vec<_>>();
    let amount = input.amount.check(&at("amount"))?;
    let before = input.compare_at.as_ref().map(|before| before.check(&at("compareAt"))).transpose()?;
    if before.is_some_and(|before| before.currency != amount.currency) {
        return Err(Refusal::new(ErrorCode::Invalid, "Both amounts are in one currency.").at(at("compareAt")));
    }
    Ok(PriceDraft {
        currency: amount.currency,
        amount_minor: amount.minor,
        compare_at_minor: before.map(|before| before.minor),
    })
}

/// Prices for the engine; `path` leads to the input that holds them.
pub fn price_drafts(inputs: &[AdminPriceInput], path: &[&str], refusals: &mut Refusals) -> Vec<PriceDraft> {
    let mut drafts = Vec::with_capacity(inputs.len());
    for (number, input) in inputs.iter().enumerate() {
        let number = number.to_string();
        let path: Vec<&str> = path.iter().copied().chain(["prices", number.as_str()]).collect();
        drafts.extend(refusals.keep(price_draft(input, &path)));
    }
    drafts
}

impl AdminVariantCreateInput {
    fn draft(self, place: usize, refusals: &mut Refusals) -> VariantDraft {
        let place = place.to_string();
        let prices = price_drafts(&self.prices.unwrap_or_default(), &["variants", &place], refusals);
        let options = self.options.unwrap_or_default();
        VariantDraft {
            title: self.title,
            sku: self.sku,
            barcode: self.barcode,
            options: options.into_iter().map(|option| (option.name, option.value)).collect(),
            external_reference: self.external_reference,
            weight_grams: self.weight_grams,
            length_mm: self.length_mm,
            width_mm: self.width_mm,
            height_mm: self.height_mm,
            hs_code: self.hs_code,
            origin_country: self.origin_country.map(|country| country.0),
            requires_shipping: self.requires_shipping,
            manage_inventory: self.manage_inventory,
            backorder: self.backorder.map_or(BackorderPolicy::Deny, |policy| policy.0),
            release_at: self.release_at.map(|moment| moment.timestamp_micros()),
            prices,
            stock: self.stock,
            media_url: self.media_url,
            ..VariantDraft::default()
        }
    }
}

impl AdminProductCreateInput {
    fn op(self) -> Result<CreateProduct> {
        let mut refusals = Refusals::default();
        let handle = self.handle.as_deref().map(str::parse::<Handle>).transpose();
        let handle = refusals.keep(handle.map_err(|refusal| refusal.at(["handle"]))).flatten();
        let channels = self.channel_ids.map(|ids| {
            let read = |(place, id): (usize, &ID)| parse_id(id, &["channelIds", &place.to_string()]);
            ids.iter().enumerate().filter_map(|each| refusals.keep(read(each))).collect()
        });
        let categories = parse_ids(&self.category_ids.unwrap_or_default(), "categoryIds", &mut refusals);
        let variants = self.variants.unwrap_or_default().into_iter().enumerate();
        let variants = variants.map(|(place, variant)| variant.draft(place, &mut refusals)).collect();
        let profile = self.shipping_profile_id.as_ref().map(|id| parse_id(id, &["shippingProfileId"])).transpose();
        let shipping_profile = refusals.keep(profile).flatten();
        refusals.into_result()?;
        let medium = |media: AdminMediaInput| MediaDraft {
            url: media.url,
            alt: media.alt,
            kind: media.kind.map_or(MediaKind::Image, |kind| kind.0),
        };
        let option = |option: AdminProductOptionInput| OptionDraft { name: option.name, values: option.values };
        let draft = ProductDraft {
            handle,
            title: self.title,
            subtitle: self.subtitle,
            description_html: self.description_html.unwrap_or_default(),
            vendor: self.vendor,
            product_type: self.product_type,
            tags: self.tags.unwrap_or_default(),
            categories,
            status: self.status.map_or(ProductStatus::Draft, |status| status.0),
            discountable: self.discountable,
            gift_card: self.gift_card,
            shipping_profile,
            external_reference: self.external_reference,
            seo_title: self.seo_title,
            seo_description: self.seo_description,
            options: self.options.unwrap_or_default().into_iter().map(option).collect(),
            variants,
            media: self.media.unwrap_or_default().into_iter().map(medium).collect(),
            ..ProductDraft::default()
        };
        Ok(CreateProduct { draft, channels })
    }
}

/// New prices of a variant.
#[derive(Debug, InputObject)]
pub struct AdminVariantUpdateInput {
    /// Which variant of the product.
    pub id: ID,
    /// One price per currency; prices in other currencies stay.
    pub prices: Vec<AdminPriceInput>,
}

/// The wished shipping profile of a product, for the engine.
pub fn shipping_profile(id: MaybeUndefined<ID>, refusals: &mut Refusals) -> Change<ShippingProfileId> {
    let read = change(id).try_map(|id| parse_id(&id, &["shippingProfileId"]));
    refusals.keep(read).unwrap_or_default()
}

/// What changes about a product; what you leave out stays, null clears.
#[derive(Debug, InputObject)]
pub struct AdminProductUpdateInput {
    /// Which product.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Its title, 1 to 255 characters.
    pub title: Option<String>,
    /// Its part of the web address.
    pub handle: Option<String>,
    /// A line below the title.
    pub subtitle: MaybeUndefined<String>,
    /// Its description as HTML; what is not safe is taken out.
    pub description_html: Option<String>,
    /// Who made it.
    pub vendor: MaybeUndefined<String>,
    /// The name of its product type.
    pub product_type: MaybeUndefined<String>,
    /// All its tags, at most 100.
    pub tags: Option<Vec<String>>,
    /// All categories that it is in, the main one first; at most 50.
    pub category_ids: Option<Vec<ID>>,
    /// Whether shoppers see it.
    pub status: Option<Enum<ProductStatus>>,
    /// Its number in another system, unique.
    pub external_reference: MaybeUndefined<String>,
    /// Whether promotions touch it.
    pub discountable: Option<bool>,
    /// Whether it sells gift cards, from now on.
    pub gift_card: Option<bool>,
    /// Its shipping profile; null gives it the default one.
    pub shipping_profile_id: MaybeUndefined<ID>,
    /// The title for search engines.
    pub seo_title: MaybeUndefined<String>,
    /// The description for search engines.
    pub seo_description: MaybeUndefined<String>,
    /// New prices of its variants, at most 250.
    pub variants: Option<Vec<AdminVariantUpdateInput>>,
}

impl AdminProductUpdateInput {
    fn op(self) -> Result<UpdateProductOp> {
        let mut refusals = Refusals::default();
        let product = refusals.keep(parse_id(&self.id, &["id"]));
        let categories = self.category_ids.map(|ids| parse_ids(&ids, "categoryIds", &mut refusals));
        let mut prices = Vec::new();
        for (place, variant) in self.variants.unwrap_or_default().into_iter().enumerate() {
            let place = place.to_string();
            let known = refusals.keep(parse_id(&variant.id, &["variants", &place, "id"]));
            let drafts = price_drafts(&variant.prices, &["variants", &place], &mut refusals);
            prices.extend(known.map(|variant| VariantPrices { variant, prices: drafts }));
        }
        let shipping_profile = shipping_profile(self.shipping_profile_id, &mut refusals);
        refusals.into_result()?;
        let id = product.ok_or_else(|| engine::error::Error::internal("a refusal was lost"))?;
        let change = UpdateProduct {
            expected_version: self.expected_version,
            title: self.title,
            handle: self.handle,
            subtitle: change(self.subtitle),
            description_html: self.description_html,
            vendor: change(self.vendor),
            product_type: change(self.product_type),
            tags: self.tags,
            categories,
            status: self.status.map(|status| status.0),
            external_reference: change(self.external_reference),
            discountable: self.discountable,
            gift_card: self.gift_card,
            shipping_profile,
            seo_title: change(self.seo_title),
            seo_description: change(self.seo_description),
            prices,
        };
        Ok(UpdateProductOp { id, change })
    }
}

/// A channel in which a product is for sale, and since when.
#[derive(Debug, InputObject)]
pub struct AdminPublicationInput {
    /// The channel.
    pub channel_id: ID,
    /// From when on; now when absent, or since it was for sale there already.
    pub publish_at: Option<DateTime<Utc>>,
}

/// Where a product is for sale: in the channels that you name, either way, and in no other; none takes it off sale.
#[derive(Debug, InputObject)]
pub struct AdminProductPublishInput {
    /// Which product.
    pub id: ID,
    /// In these channels, from one moment on.
    pub channel_ids: Option<Vec<ID>>,
    /// From when on in all of `channelIds`; now when absent, or since it was for sale there already.
    pub publish_at: Option<DateTime<Utc>>,
    /// In these channels, each from its own moment on, at most 100; instead of `channelIds`.
    pub channels: Option<Vec<AdminPublicationInput>>,
}

impl AdminProductPublishInput {
    fn op(self) -> Result<ScheduleOrPublish> {
        let mut refusals = Refusals::default();
        let product = refusals.keep(parse_id(&self.id, &["id"]));
        let lost = || engine::error::Error::internal("a refusal was lost");
        match (self.channel_ids, self.channels) {
            (Some(ids), None) => {
                let read = |(place, id): (usize, &ID)| parse_id(id, &["channelIds", &place.to_string()]);
                let channels = ids.iter().enumerate().filter_map(|each| refusals.keep(read(each))).collect();
                refusals.into_result()?;
                let id = product.ok_or_else(lost)?;
                Ok(ScheduleOrPublish::Publish(PublishProduct { id, channels, at: self.publish_at }))
            }
            (None, Some(channels)) if self.publish_at.is_none() => {
                let read = |(place, wish): (usize, &AdminPublicationInput)| {
                    let path = ["channels", &place.to_string(), "channelId"];
                    Ok((parse_id(&wish.channel_id, &path)?, wish.publish_at))
                };
                let channels = channels.iter().enumerate().filter_map(|each| refusals.keep(read(each))).collect();
                refusals.into_result()?;
                let id = product.ok_or_else(lost)?;
                Ok(ScheduleOrPublish::Schedule(ScheduleProduct { id, channels }))
            }
            (None, Some(_)) => {
                let message = "Each of channels has a moment of its own; publishAt goes with channelIds.";
                Err(Refusal::new(ErrorCode::Invalid, message).at(["publishAt"]).into())
            }
            _ => {
                let message = "Give channelIds or channels, and not both.";
                Err(Refusal::new(ErrorCode::Required, message).at(["channels"]).into())
            }
        }
    }
}

/// The two ways to say where a product is for sale.
enum ScheduleOrPublish {
    Publish(PublishProduct),
    Schedule(ScheduleProduct),
}

/// Which product goes.
#[derive(Debug, InputObject)]
pub struct AdminProductDeleteInput {
    /// Which product.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

payload! {
    /// What `productCreate` did.
    AdminProductCreatePayload {
        /// The new product.
        product: AdminProduct
    }
}

payload! {
    /// What `productUpdate` did.
    AdminProductUpdatePayload {
        /// The product as it is now.
        product: AdminProduct
    }
}

payload! {
    /// What `productPublish` did.
    AdminProductPublishPayload {
        /// The product as it is now.
        product: AdminProduct
    }
}

payload! {
    /// What `productDelete` did.
    AdminProductDeletePayload {
        /// The id of the product that is gone.
        deleted_product_id: ID
    }
}

/// Mutations of the catalog.
#[derive(Debug, Default)]
pub struct CatalogAdminMutation;

#[Object]
impl CatalogAdminMutation {
    /// Makes a product with its options, variants, prices, media and stock, all or nothing.
    #[graphql(guard = "catalog_write()")]
    async fn product_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new product.")] input: AdminProductCreateInput,
    ) -> async_graphql::Result<AdminProductCreatePayload> {
        let call = call(ctx)?;
        let outcome = async { call.app.run(&call.caller, &input.op()?).await.map(AdminProduct::from) };
        AdminProductCreatePayload::answer(outcome.await)
    }

    /// Changes a product.
    #[graphql(guard = "catalog_write()")]
    async fn product_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: AdminProductUpdateInput,
    ) -> async_graphql::Result<AdminProductUpdatePayload> {
        let call = call(ctx)?;
        let outcome = async { call.app.run(&call.caller, &input.op()?).await.map(AdminProduct::from) };
        AdminProductUpdatePayload::answer(outcome.await)
    }

    /// Says in which channels a product is for sale.
    #[graphql(guard = "catalog_write()")]
    async fn product_publish(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product and its channels.")] input: AdminProductPublishInput,
    ) -> async_graphql::Result<AdminProductPublishPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let row = match input.op()? {
                ScheduleOrPublish::Publish(op) => call.app.run(&call.caller, &op).await?,
                ScheduleOrPublish::Schedule(op) => call.app.run(&call.caller, &op).await?,
            };
            Ok(AdminProduct::from(row))
        };
        AdminProductPublishPayload::answer(outcome.await)
    }

    /// Takes a product out of the shop. Orders keep what they show of it.
    #[graphql(guard = "catalog_write()")]
    async fn product_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product.")] input: AdminProductDeleteInput,
    ) -> async_graphql::Result<AdminProductDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = DeleteProduct { id: parse_id(&input.id, &["id"])?, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminProductDeletePayload::answer(outcome.await)
    }
}
