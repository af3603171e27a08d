//! Whole products on the admin surface: set, copied, archived, taken off sale.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::catalog::{
    BackorderPolicy, MediaDraft, MediaKind, OptionDraft, ProductStatus, VariantChange, WriteOutcome,
};
use domain::id::ChannelId;
use domain::refusal::{Refusal, Refusals};
use domain::text::Handle;

use crate::api::call::call;
use crate::api::guard::catalog_write;
use crate::api::input::change;
use crate::api::payload::{UserError, part, payload};
use crate::api::scalar::{Country, parse_id};
use crate::api::word::Enum;
use crate::catalog::admin::{
    AdminMediaInput, AdminPriceInput, AdminProductOptionInput, AdminSelectedOptionInput, price_drafts, shipping_profile,
};
use crate::catalog::store::ProductBy;
use crate::catalog::types::AdminProduct;
use engine::catalog::duplicate::DuplicateProduct;
use engine::catalog::publish::{ArchiveProduct, UnpublishProduct};
use engine::catalog::save::Saved;
use engine::catalog::set::{SetProduct, WishedVariant};
use engine::error::{Error, Result};

/// A variant that may be there already. What you leave out stays as it is, null empties it.
#[derive(Debug, InputObject)]
pub struct AdminVariantSetInput {
    /// Which variant; when absent it is found by `externalReference`, else by `sku`, else within its product by its
    /// values.
    pub id: Option<ID>,
    /// Your other system's number for it, unique among all variants.
    pub external_reference: MaybeUndefined<String>,
    /// Its title; made from its option values when null.
    pub title: MaybeUndefined<String>,
    /// Your number for it, unique among all variants.
    pub sku: MaybeUndefined<String>,
    /// EAN, UPC, ISBN or the like.
    pub barcode: MaybeUndefined<String>,
    /// One value for each option of the product, at most 5.
    pub options: Option<Vec<AdminSelectedOptionInput>>,
    /// All its prices, one per currency, at most 100; prices with conditions stay.
    pub prices: Option<Vec<AdminPriceInput>>,
    /// Grams of one piece, packed.
    pub weight_grams: MaybeUndefined<i32>,
    /// Millimeters of its longest side, packed; 1 to 100000.
    pub length_mm: MaybeUndefined<i32>,
    /// Millimeters across; 1 to 100000.
    pub width_mm: MaybeUndefined<i32>,
    /// Millimeters upwards; 1 to 100000.
    pub height_mm: MaybeUndefined<i32>,
    /// Its number for customs, 6 to 13 digits; dots and blanks are taken out.
    pub hs_code: MaybeUndefined<String>,
    /// Where it was made.
    pub origin_country: MaybeUndefined<Country>,
    /// Whether it is sent to an address; a new one is, when absent.
    pub requires_shipping: Option<bool>,
    /// Whether its stock is counted; that of a new one is, when absent.
    pub manage_inventory: Option<bool>,
    /// What happens when its stock is used up; a new one can't be bought then, when absent.
    pub backorder: Option<Enum<BackorderPolicy>>,
    /// When it is out; before that it is sold ahead and its availability reads `PREORDER`. Null: it is out.
    pub release_at: MaybeUndefined<DateTime<Utc>>,
    /// How many of a new one lie at the location that is taken from first. The stock of a known one stays: use
    /// `inventoryAdjust`.
    pub stock: Option<i32>,
    /// The address of the medium that shows it.
    pub media_url: MaybeUndefined<String>,
}

fn given<T>(value: MaybeUndefined<T>) -> Option<Option<T>> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

impl AdminVariantSetInput {
    /// For the engine; `path` leads to this input.
    pub fn wish(self, path: &[&str], refusals: &mut Refusals) -> WishedVariant {
        let at = |name| path.iter().copied().chain([name]).collect::<Vec<_>>();
        let id = self.id.as_ref().map(|id| parse_id(id, &at("id"))).transpose();
        let id = refusals.keep(id).flatten();
        let pair = |option: AdminSelectedOptionInput| (option.name, option.value);
        let change = VariantChange {
            title: given(self.title),
            sku: given(self.sku),
            barcode: given(self.barcode),
            external_reference: given(self.external_reference),
            options: self.options.map(|options| options.into_iter().map(pair).collect()),
            weight_grams: given(self.weight_grams),
            length_mm: given(self.length_mm),
            width_mm: given(self.width_mm),
            height_mm: given(self.height_mm),
            hs_code: given(self.hs_code),
            origin_country: given(self.origin_country).map(|country| country.map(|country| country.0)),
            requires_shipping: self.requires_shipping,
            manage_inventory: self.manage_inventory,
            backorder: self.backorder.map(|policy| policy.0),
            release_at: given(self.release_at).map(|moment| moment.map(|moment| moment.timestamp_micros())),
            prices: self.prices.map(|prices| price_drafts(&prices, path, refusals)),
            stock: self.stock,
            media_url: given(self.media_url),
        };
        WishedVariant { id, change }
    }
}

/// A product as another system has it. What you leave out stays as it is; a list that you give is the whole list:
/// what it doesn't name goes.
#[derive(Debug, InputObject)]
pub struct AdminProductSetInput {
    /// Which product. One that isn't there is made, unless you name it by id.
    pub by: ProductBy,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Its part of the web address; made from the title of a new one when absent.
    pub handle: Option<String>,
    /// Its number in another system, unique.
    pub external_reference: MaybeUndefined<String>,
    /// Its title, 1 to 255 characters; needed for a new one.
    pub title: Option<String>,
    /// A line below the title.
    pub subtitle: MaybeUndefined<String>,
    /// Its description as HTML; what is not safe is taken out.
    pub description_html: Option<String>,
    /// Who made it.
    pub vendor: MaybeUndefined<String>,
    /// The name of its product type.
    pub product_type: MaybeUndefined<String>,
    /// Whether shoppers see it; a new one is a draft when absent.
    pub status: Option<Enum<ProductStatus>>,
    /// Whether promotions touch it.
    pub discountable: Option<bool>,
    /// Whether it sells gift cards: each piece becomes one over what a piece costs, once the order is paid. Promotions
    /// don't touch it, and no tax is due on it.
    pub gift_card: Option<bool>,
    /// Its shipping profile; null gives it the default one, which a new one has when absent.
    pub shipping_profile_id: MaybeUndefined<ID>,
    /// The title for search engines.
    pub seo_title: MaybeUndefined<String>,
    /// The description for search engines.
    pub seo_description: MaybeUndefined<String>,
    /// All its tags, at most 100.
    pub tags: Option<Vec<String>>,
    /// All its options in order, at most 5; when absent, those that it has, or that all its variants name.
    pub options: Option<Vec<AdminProductOptionInput>>,
    /// All its variants in order, at most 250.
    pub variants: Option<Vec<AdminVariantSetInput>>,
    /// All its pictures, films and files in order, at most 100.
    pub media: Option<Vec<AdminMediaInput>>,
    /// All channels in which it is for sale; for a new published one every open channel when absent.
    pub channel_ids: Option<Vec<ID>>,
}

fn channels(ids: &[ID], refusals: &mut Refusals) -> Vec<ChannelId> {
    let read = |(place, id): (usize, &ID)| parse_id(id, &["channelIds", &place.to_string()]);
    ids.iter().enumerate().filter_map(|each| refusals.keep(read(each))).collect()
}

impl AdminProductSetInput {
    fn op(self) -> Result<SetProduct> {
        let mut refusals = Refusals::default();
        let which = self.by.which()?;
        let handle = self.handle.as_deref().map(str::parse::<Handle>).transpose();
        let handle = refusals.keep(handle.map_err(|refusal: Refusal| refusal.at(["handle"]))).flatten();
        let channels = self.channel_ids.map(|ids| channels(&ids, &mut refusals));
        let mut variant = |(place, variant): (usize, AdminVariantSetInput)| {
            variant.wish(&["variants", &place.to_string()], &mut refusals)
        };
        let variants = self.variants.map(|variants| variants.into_iter().enumerate().map(&mut variant).collect());
        let profile = shipping_profile(self.shipping_profile_id, &mut refusals);
        refusals.into_result()?;
        let medium = |media: AdminMediaInput| MediaDraft {
            url: media.url,
            alt: media.alt,
            kind: media.kind.map_or(MediaKind::Image, |kind| kind.0),
        };
        let option = |option: AdminProductOptionInput| OptionDraft { name: option.name, values: option.values };
        Ok(SetProduct {
            which,
            expected_version: self.expected_version,
            handle,
            external_reference: change(self.external_reference),
            title: self.title,
            subtitle: change(self.subtitle),
            description_html: self.description_html,
            vendor: change(self.vendor),
            product_type: change(self.product_type),
            status: self.status.map(|status| status.0),
            discountable: self.discountable,
            gift_card: self.gift_card,
            shipping_profile: profile,
            seo_title: change(self.seo_title),
            seo_description: change(self.seo_description),
            tags: self.tags,
            options: self.options.map(|options| options.into_iter().map(option).collect()),
            variants,
            media: self.media.map(|media| media.into_iter().map(medium).collect()),
            channels,
        })
    }
}

/// What `productSet` did.
#[derive(SimpleObject)]
pub struct AdminProductSetPayload {
    /// The product as it is now.
    pub product: Option<AdminProduct>,
    /// Whether it was made, changed or as wished already; `REFUSED` when nothing was done.
    pub outcome: Enum<WriteOutcome>,
    /// Every reason why nothing was done; empty on success.
    pub user_errors: Vec<UserError>,
}

/// A copy of a product.
#[derive(Debug, InputObject)]
pub struct AdminProductDuplicateInput {
    /// Which product.
    pub id: ID,
    /// The title of the copy, 1 to 255 characters.
    pub title: String,
    /// The handle of the copy; made from the title when absent.
    pub handle: Option<String>,
    /// What is put behind each SKU, such as `-B`; without it the copies have no SKU.
    pub sku_suffix: Option<String>,
}

/// Where a product is no longer for sale.
#[derive(Debug, InputObject)]
pub struct AdminProductUnpublishInput {
    /// Which product.
    pub id: ID,
    /// In these channels; in all when absent.
    pub channel_ids: Option<Vec<ID>>,
}

/// Which product is archived.
#[derive(Debug, InputObject)]
pub struct AdminProductArchiveInput {
    /// Which product.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

/// Which product comes back.
#[derive(Debug, InputObject)]
pub struct AdminProductUnarchiveInput {
    /// Which product.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

payload! {
    /// What `productDuplicate` did.
    AdminProductDuplicatePayload {
        /// The copy.
        product: AdminProduct
    }
}

payload! {
    /// What `productUnpublish` did.
    AdminProductUnpublishPayload {
        /// The product as it is now.
        product: AdminProduct
    }
}

payload! {
    /// What `productArchive` did.
    AdminProductArchivePayload {
        /// The product as it is now.
        product: AdminProduct
    }
}

payload! {
    /// What `productUnarchive` did.
    AdminProductUnarchivePayload {
        /// The product as it is now.
        product: AdminProduct
    }
}

/// Mutations of whole products.
#[derive(Debug, Default)]
pub struct ProductAdminMutation;

#[Object]
impl ProductAdminMutation {
    /// Makes a product or brings it to what you wish, with options, variants, prices and media, all or nothing. The
    /// same call again changes nothing: no version rises, nothing is announced.
    #[graphql(guard = "catalog_write()")]
    async fn product_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product as it shall be.")] input: AdminProductSetInput,
    ) -> async_graphql::Result<AdminProductSetPayload> {
        let call = call(ctx)?;
        let outcome = async { call.app.run(&call.caller, &input.op()?).await };
        let (done, user_errors) = part(outcome.await)?;
        let outcome = done.as_ref().map_or(WriteOutcome::Refused, |(_, saved)| match saved {
            Saved::Created => WriteOutcome::Created,
            Saved::Updated => WriteOutcome::Updated,
            Saved::Unchanged => WriteOutcome::Unchanged,
        });
        let product = done.map(|(row, _)| AdminProduct::from(row));
        Ok(AdminProductSetPayload { product, outcome: Enum(outcome), user_errors })
    }

    /// Copies a product with everything but its stock and its channels. The copy is a draft.
    #[graphql(guard = "catalog_write()")]
    async fn product_duplicate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product, and what the copy is called.")] input: AdminProductDuplicateInput,
    ) -> async_graphql::Result<AdminProductDuplicatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let id = refusals.keep(parse_id(&input.id, &["id"]));
            let handle = input.handle.as_deref().map(str::parse::<Handle>).transpose();
            let handle = refusals.keep(handle.map_err(|refusal: Refusal| refusal.at(["handle"]))).flatten();
            refusals.into_result()?;
            let id = id.ok_or_else(|| Error::internal("a refusal was lost"))?;
            let op = DuplicateProduct { id, title: input.title, handle, sku_suffix: input.sku_suffix };
            call.app.run(&call.caller, &op).await.map(AdminProduct::from)
        };
        AdminProductDuplicatePayload::answer(outcome.await)
    }

    /// Takes a product off sale. In its last channel it becomes a draft.
    #[graphql(guard = "catalog_write()")]
    async fn product_unpublish(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product and the channels.")] input: AdminProductUnpublishInput,
    ) -> async_graphql::Result<AdminProductUnpublishPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let id = refusals.keep(parse_id(&input.id, &["id"]));
            let channels = input.channel_ids.map(|ids| channels(&ids, &mut refusals));
            refusals.into_result()?;
            let id = id.ok_or_else(|| Error::internal("a refusal was lost"))?;
            let op = UnpublishProduct { id, channels };
            call.app.run(&call.caller, &op).await.map(AdminProduct::from)
        };
        AdminProductUnpublishPayload::answer(outcome.await)
    }

    /// Takes a product out of the shop and keeps it for its orders. Archiving it again changes nothing.
    #[graphql(guard = "catalog_write()")]
    async fn product_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product.")] input: AdminProductArchiveInput,
    ) -> async_graphql::Result<AdminProductArchivePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let (id, expected_version) = (parse_id(&input.id, &["id"])?, input.expected_version);
            let op = ArchiveProduct { id, archived: true, expected_version };
            call.app.run(&call.caller, &op).await.map(AdminProduct::from)
        };
        AdminProductArchivePayload::answer(outcome.await)
    }

    /// Brings an archived product back as a draft; `productPublish` puts it on sale again.
    #[graphql(guard = "catalog_write()")]
    async fn product_unarchive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product.")] input: AdminProductUnarchiveInput,
    ) -> async_graphql::Result<AdminProductUnarchivePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let (id, expected_version) = (parse_id(&input.id, &["id"])?, input.expected_version);
            let op = ArchiveProduct { id, archived: false, expected_version };
            call.app.run(&call.caller, &op).await.map(AdminProduct::from)
        };
        AdminProductUnarchivePayload::answer(outcome.await)
    }
}
