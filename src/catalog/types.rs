//! How products look: what shoppers and staff both see is written once and
//! merged into the type of each surface.

use std::sync::Arc;

use async_graphql::{Context, ID, MergedObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::catalog::{BackorderPolicy, MediaKind, ProductStatus};
use domain::inventory::{Availability, availability};
use domain::pricing::{choose, compare_at};
use entity::{media, price, product, variant};

use super::load::{ChannelsOf, MediaOf, OptionsOf, ProductBy, SelectedOf, TagsOf, TypeBy, VariantMediaOf, VariantsOf};
use super::option::types::{ProductOption, ProductOptionValue};
use super::related::load::{RelatedOf, ShownBeside};
use super::related::store::bounded;
use crate::api::call::call;
use crate::api::page::connection;
use crate::api::payload::top_level;
use crate::api::scalar::{Country, Json, Money, id};
use crate::api::word::Enum;
use crate::channel::types::AdminChannel;
use crate::inventory::admin::AdminStockLevel;
use crate::inventory::load::{StockOf, available};
use crate::pricing::load::{AllPricesOf, PricesOf};
use engine::pricing::repo::candidate;

/// A product as shoppers see it.
#[derive(MergedObject, Debug, Clone)]
pub struct Product(ProductCore, ProductShopper);

/// A product as staff see it.
#[derive(MergedObject, Debug, Clone)]
pub struct AdminProduct(ProductCore, ProductStaff);

impl From<product::Model> for Product {
    fn from(row: product::Model) -> Self {
        Self::from(Arc::new(row))
    }
}

impl From<Arc<product::Model>> for Product {
    fn from(row: Arc<product::Model>) -> Self {
        Self(ProductCore(row.clone()), ProductShopper(row))
    }
}

impl Product {
    /// The id, for `Node`.
    pub async fn id(&self, _: &Context<'_>) -> async_graphql::Result<ID> {
        Ok(id(self.0.0.id))
    }
}

impl From<product::Model> for AdminProduct {
    fn from(row: product::Model) -> Self {
        Self::from(Arc::new(row))
    }
}

impl From<Arc<product::Model>> for AdminProduct {
    fn from(row: Arc<product::Model>) -> Self {
        Self(ProductCore(row.clone()), ProductStaff(row))
    }
}

impl AdminProduct {
    /// The id, for `AdminNode`.
    pub async fn id(&self, _: &Context<'_>) -> async_graphql::Result<ID> {
        Ok(id(self.0.0.id))
    }
}

connection! {
    /// A page of products.
    ProductConnection, ProductEdge, Product, product::Model
}

connection! {
    /// A page of products as staff see them.
    AdminProductConnection, AdminProductEdge, AdminProduct, product::Model
}

/// What both surfaces show of a product.
#[derive(Debug, Clone)]
pub struct ProductCore(Arc<product::Model>);

#[Object]
impl ProductCore {
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

    /// A line below the title.
    async fn subtitle(&self) -> Option<&str> {
        self.0.subtitle.as_deref()
    }

    /// Its description as HTML that was made safe when it was written.
    async fn description_html(&self) -> &str {
        &self.0.description_html
    }

    /// Who made it.
    async fn vendor(&self) -> Option<&str> {
        self.0.vendor.as_deref()
    }

    /// The name of its product type.
    async fn product_type(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<String>> {
        let Some(type_id) = self.0.type_id else { return Ok(None) };
        Ok(call(ctx)?.load(TypeBy(type_id)).await?.map(|row| row.value.clone()))
    }

    /// The words that group it, at most 100.
    async fn tags(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<String>> {
        let tags = call(ctx)?.load(TagsOf(self.0.id)).await?;
        Ok(tags.iter().map(|tag| tag.value.clone()).collect())
    }

    /// Whether buying it issues a gift card.
    async fn gift_card(&self) -> bool {
        self.0.gift_card
    }

    /// Its options with the values that its variants have, at most 5.
    #[graphql(complexity = "3 * child_complexity")]
    async fn options(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<ProductOption>> {
        let rows = call(ctx)?.load(OptionsOf(self.0.id)).await?;
        let mut options: Vec<ProductOption> = Vec::new();
        for row in rows.iter() {
            match options.iter_mut().find(|option| option.id == id(row.option)) {
                Some(option) => {
                    option.values.push(row.value_name.clone());
                    option.option_values.push(ProductOptionValue::from(row));
                }
                None => options.push(ProductOption {
                    id: id(row.option),
                    name: row.name.clone(),
                    values: vec![row.value_name.clone()],
                    option_values: vec![ProductOptionValue::from(row)],
                }),
            }
        }
        Ok(options)
    }

    /// Its pictures, films and files in order, at most 100.
    #[graphql(complexity = "5 * child_complexity")]
    async fn media(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Media>> {
        let media = call(ctx)?.load(MediaOf(self.0.id)).await?;
        Ok(media.iter().cloned().map(Media::from).collect())
    }

    /// Its first picture, film or file.
    async fn featured_media(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Media>> {
        let media = call(ctx)?.load(MediaOf(self.0.id)).await?;
        Ok(media.first().cloned().map(Media::from))
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

/// What only shoppers are shown of a product.
#[derive(Debug, Clone)]
pub struct ProductShopper(Arc<product::Model>);

#[Object]
impl ProductShopper {
    /// Its variants in order, at most 250.
    #[graphql(complexity = "5 * child_complexity")]
    async fn variants(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Variant>> {
        let variants = call(ctx)?.load(VariantsOf(self.0.id)).await?;
        Ok(variants.iter().cloned().map(Variant::from).collect())
    }

    /// The products that the merchant shows beside it, in order: those that this request may see.
    #[graphql(complexity = "3 + first.unwrap_or(20).max(0) as usize * child_complexity")]
    async fn related(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many: 20 when absent, at most 20.")] first: Option<i32>,
    ) -> async_graphql::Result<Vec<Product>> {
        let first = bounded(first).map_err(|refusal| top_level(refusal.into()))?;
        let call = call(ctx)?;
        let now = call.app.clock.now();
        let rows = call.load(ShownBeside(self.0.id, call.channel.id)).await?;
        let shown = rows.iter().filter(|(_, from)| *from <= now).take(first);
        Ok(shown.map(|(row, _)| Product::from(row.clone())).collect())
    }
}

/// What only staff see of a product.
#[derive(Debug, Clone)]
pub struct ProductStaff(Arc<product::Model>);

#[Object]
impl ProductStaff {
    /// Rises with every change; send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Whether shoppers see it.
    async fn status(&self) -> Enum<ProductStatus> {
        Enum(self.0.status)
    }

    /// Its number in another system.
    async fn external_reference(&self) -> Option<&str> {
        self.0.external_reference.as_deref()
    }

    /// Whether promotions touch it.
    async fn discountable(&self) -> bool {
        self.0.discountable
    }

    /// Free data, such as the columns of an import that have no place of their own.
    async fn metadata(&self) -> Json {
        Json(self.0.metadata.clone())
    }

    /// The channels in which it is for sale, at most 100.
    #[graphql(complexity = "3 * child_complexity")]
    async fn publications(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminPublication>> {
        let call = call(ctx)?;
        let rows = call.load(ChannelsOf(self.0.id)).await?;
        let publication = |row: &entity::product_channel::Model| {
            let channel = call.settings.channels.iter().find(|channel| channel.id == row.channel_id)?;
            Some(AdminPublication { channel: AdminChannel(channel.clone()), published_at: row.published_at })
        };
        Ok(rows.iter().filter_map(publication).collect())
    }

    /// Its variants in order, at most 250.
    #[graphql(complexity = "5 * child_complexity")]
    async fn variants(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminVariant>> {
        let variants = call(ctx)?.load(VariantsOf(self.0.id)).await?;
        Ok(variants.iter().cloned().map(AdminVariant::from).collect())
    }

    /// The products that stand beside it, in order, at most 20.
    #[graphql(complexity = "20 * child_complexity")]
    async fn related(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminProduct>> {
        let rows = call(ctx)?.load(RelatedOf(self.0.id)).await?;
        Ok(rows.iter().cloned().map(AdminProduct::from).collect())
    }
}

/// A channel in which a product is for sale.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminPublication {
    /// The channel.
    pub channel: AdminChannel,
    /// From when on.
    pub published_at: DateTime<Utc>,
}

/// A picture, film or file.
#[derive(Debug, Clone, SimpleObject)]
pub struct Media {
    /// Its id.
    pub id: ID,
    /// What it is.
    pub kind: Enum<MediaKind>,
    /// Its address: absolute, or a path on this server.
    pub url: String,
    /// What is shown or read aloud in its place.
    pub alt: Option<String>,
}

impl From<media::Model> for Media {
    fn from(row: media::Model) -> Self {
        Self { id: id(row.id), kind: Enum(row.kind), url: row.url, alt: row.alt }
    }
}

/// A variant as shoppers see it: what can be bought.
#[derive(MergedObject, Debug, Clone)]
pub struct Variant(VariantCore, VariantShopper);

/// A variant as staff see it: what can be bought.
#[derive(MergedObject, Debug, Clone)]
pub struct AdminVariant(VariantCore, VariantStaff);

impl From<variant::Model> for Variant {
    fn from(row: variant::Model) -> Self {
        Self::from(Arc::new(row))
    }
}

impl From<Arc<variant::Model>> for Variant {
    fn from(row: Arc<variant::Model>) -> Self {
        Self(VariantCore(row.clone()), VariantShopper(row))
    }
}

impl Variant {
    /// The id, for `Node`.
    pub async fn id(&self, _: &Context<'_>) -> async_graphql::Result<ID> {
        Ok(id(self.0.0.id))
    }
}

impl From<variant::Model> for AdminVariant {
    fn from(row: variant::Model) -> Self {
        let row = Arc::new(row);
        Self(VariantCore(row.clone()), VariantStaff(row))
    }
}

impl AdminVariant {
    /// The id, for `AdminNode`.
    pub async fn id(&self, _: &Context<'_>) -> async_graphql::Result<ID> {
        Ok(id(self.0.0.id))
    }
}

connection! {
    /// A page of variants as staff see them.
    AdminVariantConnection, AdminVariantEdge, AdminVariant, variant::Model
}

/// What both surfaces show of a variant.
#[derive(Debug, Clone)]
pub struct VariantCore(Arc<variant::Model>);

#[Object]
impl VariantCore {
    /// Its id: what carts take.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Its title, such as `Green / M`.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The merchant's number for it.
    async fn sku(&self) -> Option<&str> {
        self.0.sku.as_deref()
    }

    /// EAN, UPC, ISBN or the like.
    async fn barcode(&self) -> Option<&str> {
        self.0.barcode.as_deref()
    }

    /// Its value of each option of the product, at most 5.
    async fn selected_options(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<SelectedOption>> {
        let rows = call(ctx)?.load(SelectedOf(self.0.id)).await?;
        let option = |row: &engine::catalog::repo::OptionRow| SelectedOption {
            name: row.name.clone(),
            value: row.value_name.clone(),
        };
        Ok(rows.iter().map(option).collect())
    }

    /// The picture, film or file of this very variant.
    async fn media(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Media>> {
        let media = call(ctx)?.load(VariantMediaOf(self.0.id)).await?;
        Ok(media.first().cloned().map(Media::from))
    }

    /// Grams of one piece, packed.
    async fn weight_grams(&self) -> Option<i32> {
        self.0.weight_grams
    }

    /// Millimeters of its longest side, packed.
    async fn length_mm(&self) -> Option<i32> {
        self.0.length_mm
    }

    /// Millimeters across, packed.
    async fn width_mm(&self) -> Option<i32> {
        self.0.width_mm
    }

    /// Millimeters upwards, packed.
    async fn height_mm(&self) -> Option<i32> {
        self.0.height_mm
    }

    /// Whether it is sent to an address.
    async fn requires_shipping(&self) -> bool {
        self.0.requires_shipping
    }

    /// Whether it can be bought now in this request's channel.
    async fn availability(&self, ctx: &Context<'_>) -> async_graphql::Result<Enum<Availability>> {
        let call = call(ctx)?;
        let stock = call.load(StockOf(self.0.id)).await?;
        let locations: Vec<_> =
            call.settings.locations_of(call.channel.id).iter().map(|location| location.id).collect();
        let may_backorder = self.0.backorder == BackorderPolicy::Allow;
        Ok(Enum(availability(self.0.manage_inventory, may_backorder, available(&stock, &locations))))
    }
}

/// What only shoppers are shown of a variant.
#[derive(Debug, Clone)]
pub struct VariantShopper(Arc<variant::Model>);

#[Object]
impl VariantShopper {
    /// What one piece costs in this request's region; null when it has no price there.
    async fn price(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Price>> {
        let call = call(ctx)?;
        let Some(region) = &call.region else { return Ok(None) };
        let prices = call.load(PricesOf(self.0.id, region.row.currency)).await?;
        let candidates: Vec<_> = prices.iter().map(candidate).collect();
        Ok(choose(&candidates, region.row.currency, 1).map(|chosen| Price {
            amount: Money::new(chosen.amount_minor, chosen.currency),
            compare_at: compare_at(chosen).map(|minor| Money::new(minor, chosen.currency)),
            includes_tax: chosen.includes_tax,
        }))
    }

    /// The product that it belongs to.
    async fn product(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Product>> {
        Ok(call(ctx)?.load(ProductBy(self.0.product_id)).await?.map(Product::from))
    }
}

/// What only staff see of a variant.
#[derive(Debug, Clone)]
pub struct VariantStaff(Arc<variant::Model>);

#[Object]
impl VariantStaff {
    /// Rises with every change.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Its number in another system.
    async fn external_reference(&self) -> Option<&str> {
        self.0.external_reference.as_deref()
    }

    /// Its number for customs.
    async fn hs_code(&self) -> Option<&str> {
        self.0.hs_code.as_deref()
    }

    /// Where it was made.
    async fn origin_country(&self) -> Option<Country> {
        self.0.origin_country.clone().map(Country)
    }

    /// When it was changed last.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// The product that it belongs to.
    async fn product(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AdminProduct>> {
        Ok(call(ctx)?.load(ProductBy(self.0.product_id)).await?.map(AdminProduct::from))
    }

    /// Whether its stock is counted.
    async fn manage_inventory(&self) -> bool {
        self.0.manage_inventory
    }

    /// What happens when its stock is used up.
    async fn backorder(&self) -> Enum<BackorderPolicy> {
        Enum(self.0.backorder)
    }

    /// Its prices in every currency, at most 100.
    async fn prices(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminPrice>> {
        let prices = call(ctx)?.load(AllPricesOf(self.0.id)).await?;
        Ok(prices.iter().map(AdminPrice::from).collect())
    }

    /// What lies of it at each location; kits show their first item.
    async fn stock_levels(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminStockLevel>> {
        let stock = call(ctx)?.load(StockOf(self.0.id)).await?;
        let first = stock.first().map(|row| row.item);
        Ok(stock.iter().filter(|row| Some(row.item) == first).map(AdminStockLevel::from).collect())
    }

    /// Free data, such as the columns of an import that have no place of their own.
    async fn metadata(&self) -> Json {
        Json(self.0.metadata.clone())
    }
}

/// A value of an option that a variant has.
#[derive(Debug, Clone, SimpleObject)]
pub struct SelectedOption {
    /// The name of the option.
    pub name: String,
    /// The name of the value.
    pub value: String,
}

/// What something costs to this shopper.
#[derive(Debug, Clone, SimpleObject)]
pub struct Price {
    /// What it costs.
    pub amount: Money,
    /// What it cost before; null unless that was more.
    pub compare_at: Option<Money>,
    /// Whether both include tax.
    pub includes_tax: bool,
}

/// A price as staff entered it.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminPrice {
    /// Its id.
    pub id: ID,
    /// What it costs.
    pub amount: Money,
    /// What it cost before.
    pub compare_at: Option<Money>,
    /// Whether both include tax.
    pub includes_tax: bool,
}

impl From<&price::Model> for AdminPrice {
    fn from(row: &price::Model) -> Self {
        Self {
            id: id(row.id),
            amount: Money::new(row.amount_minor, row.currency),
            compare_at: row.compare_at_minor.map(|minor| Money::new(minor, row.currency)),
            includes_tax: row.includes_tax,
        }
    }
}
