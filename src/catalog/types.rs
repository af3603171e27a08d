//! How products look: what shoppers and staff both see is written once and
//! merged into the type of each surface.

use std::sync::Arc;

use async_graphql::{Context, ID, MergedObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::catalog::{BackorderPolicy, ProductStatus};
use domain::inventory::{Availability, availability};
use domain::metafield::MetafieldOwnerType;
use domain::pricing::{choose, compare_at};
use domain::translation::TranslatableField;
use entity::{price, product, variant};

use super::load::{ChannelsOf, MediaOf, OptionsOf, ProductBy, SelectedOf, TagsOf, TypeBy, VariantMediaOf, VariantsOf};
use crate::api::call::{Call, call};
use crate::api::page::connection;
use crate::api::scalar::{Json, Money, id};
use crate::api::word::Enum;
use crate::category::load::CategoriesOf;
use crate::category::types::{AdminCategory, Category};
use crate::channel::types::AdminChannel;
use crate::collection::load::CollectionsOf;
use crate::collection::types::{AdminCollection, Collection};
use crate::inventory::admin::AdminStockLevel;
use crate::inventory::load::{StockOf, available};
use crate::media::types::Media;
use crate::metafield::types::Metafields;
use crate::pricing::load::{AllPricesOf, PricesOf};
use crate::translation::load::{Reader, TextAt};
use engine::pricing::repo::candidate;

/// A product as shoppers see it.
#[derive(MergedObject, Debug, Clone)]
pub struct Product(ProductCore, ProductShopper, Metafields);

/// A product as staff see it.
#[derive(MergedObject, Debug, Clone)]
pub struct AdminProduct(ProductCore, ProductStaff, Metafields);

impl From<product::Model> for Product {
    fn from(row: product::Model) -> Self {
        Self::from(Arc::new(row))
    }
}

impl From<Arc<product::Model>> for Product {
    fn from(row: Arc<product::Model>) -> Self {
        let metafields = Metafields::store(MetafieldOwnerType::Product, row.id);
        Self(ProductCore(row.clone(), Reader::Shopper), ProductShopper(row), metafields)
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
        let row = Arc::new(row);
        let metafields = Metafields::staff(MetafieldOwnerType::Product, row.id);
        Self(ProductCore(row.clone(), Reader::Staff), ProductStaff(row), metafields)
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
pub struct ProductCore(Arc<product::Model>, Reader);

impl ProductCore {
    async fn text(
        &self,
        ctx: &Context<'_>,
        field: TranslatableField,
        locale: Option<String>,
    ) -> async_graphql::Result<Option<String>> {
        TextAt::of(self.0.id, self.0.id, field).read(call(ctx)?, self.1, locale.as_deref()).await
    }
}

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
    async fn title(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In this language, a BCP 47 tag, instead of the request's.")] locale: Option<String>,
    ) -> async_graphql::Result<String> {
        let text = self.text(ctx, TranslatableField::Title, locale).await?;
        Ok(text.unwrap_or_else(|| self.0.title.clone()))
    }

    /// A line below the title.
    async fn subtitle(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In this language, a BCP 47 tag, instead of the request's.")] locale: Option<String>,
    ) -> async_graphql::Result<Option<String>> {
        let text = self.text(ctx, TranslatableField::Subtitle, locale).await?;
        Ok(text.or_else(|| self.0.subtitle.clone()))
    }

    /// Its description as HTML that was made safe when it was written.
    async fn description_html(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In this language, a BCP 47 tag, instead of the request's.")] locale: Option<String>,
    ) -> async_graphql::Result<String> {
        let text = self.text(ctx, TranslatableField::DescriptionHtml, locale).await?;
        Ok(text.unwrap_or_else(|| self.0.description_html.clone()))
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
        let call = call(ctx)?;
        let rows = call.load(OptionsOf(self.0.id)).await?;
        let names = futures_util::future::try_join_all(rows.iter().map(|row| option_names(call, row, self.1))).await?;
        let mut options: Vec<ProductOption> = Vec::new();
        for (row, (name, value)) in rows.iter().zip(names) {
            match options.iter_mut().find(|option| option.id == id(row.option)) {
                Some(option) => option.values.push(value),
                None => options.push(ProductOption { id: id(row.option), name, values: vec![value] }),
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
    async fn seo_title(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In this language, a BCP 47 tag, instead of the request's.")] locale: Option<String>,
    ) -> async_graphql::Result<Option<String>> {
        let text = self.text(ctx, TranslatableField::SeoTitle, locale).await?;
        Ok(text.or_else(|| self.0.seo_title.clone()))
    }

    /// The description for search engines.
    async fn seo_description(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In this language, a BCP 47 tag, instead of the request's.")] locale: Option<String>,
    ) -> async_graphql::Result<Option<String>> {
        let text = self.text(ctx, TranslatableField::SeoDescription, locale).await?;
        Ok(text.or_else(|| self.0.seo_description.clone()))
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

/// The names of an option and of its value for a reader.
async fn option_names(
    call: &Call,
    row: &engine::catalog::repo::OptionRow,
    reader: Reader,
) -> async_graphql::Result<(String, String)> {
    let (name, value) = (
        TextAt::of(row.product, row.option, TranslatableField::Name),
        TextAt::of(row.product, row.value, TranslatableField::Name),
    );
    let (name, value) = futures_util::try_join!(name.read(call, reader, None), value.read(call, reader, None))?;
    Ok((name.unwrap_or_else(|| row.name.clone()), value.unwrap_or_else(|| row.value_name.clone())))
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

    /// The collections of this channel that it is in, by hand or by rule, by title; at most 250.
    #[graphql(complexity = "5 + 5 * child_complexity")]
    async fn collections(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Collection>> {
        let call = call(ctx)?;
        let rows = call.load(CollectionsOf::new(self.0.id, call, false)).await?;
        Ok(rows.iter().cloned().map(Collection::from).collect())
    }

    /// The categories that it is in, the main one first; at most 50.
    #[graphql(complexity = "5 + 3 * child_complexity")]
    async fn categories(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Category>> {
        let rows = call(ctx)?.load(CategoriesOf { product: self.0.id, shown: true }).await?;
        Ok(rows.iter().cloned().map(Category::from).collect())
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

    /// The collections that it is in, by hand or by rule, by title; at most
    /// 250. Prices and stock as in the channel and region of this request.
    #[graphql(complexity = "5 + 5 * child_complexity")]
    async fn collections(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminCollection>> {
        let call = call(ctx)?;
        let rows = call.load(CollectionsOf::new(self.0.id, call, true)).await?;
        Ok(rows.iter().cloned().map(AdminCollection::from).collect())
    }

    /// The categories that it is in, the main one first; at most 50.
    #[graphql(complexity = "5 + 3 * child_complexity")]
    async fn categories(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminCategory>> {
        let rows = call(ctx)?.load(CategoriesOf { product: self.0.id, shown: false }).await?;
        Ok(rows.iter().cloned().map(AdminCategory::from).collect())
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

/// An option of a product, such as Color.
#[derive(Debug, Clone, SimpleObject)]
pub struct ProductOption {
    /// Its id, the same for all products that have it.
    pub id: ID,
    /// Its name.
    pub name: String,
    /// The names of the values that the product's variants have, in their order; at most 250.
    pub values: Vec<String>,
}

/// A variant as shoppers see it: what can be bought.
#[derive(MergedObject, Debug, Clone)]
pub struct Variant(VariantCore, VariantShopper, Metafields);

/// A variant as staff see it: what can be bought.
#[derive(MergedObject, Debug, Clone)]
pub struct AdminVariant(VariantCore, VariantStaff, Metafields);

impl From<variant::Model> for Variant {
    fn from(row: variant::Model) -> Self {
        Self::from(Arc::new(row))
    }
}

impl From<Arc<variant::Model>> for Variant {
    fn from(row: Arc<variant::Model>) -> Self {
        let metafields = Metafields::store(MetafieldOwnerType::Variant, row.id);
        Self(VariantCore(row.clone(), Reader::Shopper), VariantShopper(row), metafields)
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
        let metafields = Metafields::staff(MetafieldOwnerType::Variant, row.id);
        Self(VariantCore(row.clone(), Reader::Staff), VariantStaff(row), metafields)
    }
}

/// What both surfaces show of a variant.
#[derive(Debug, Clone)]
pub struct VariantCore(Arc<variant::Model>, Reader);

#[Object]
impl VariantCore {
    /// Its id: what carts take.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Its title, such as `Green / M`.
    async fn title(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In this language, a BCP 47 tag, instead of the request's.")] locale: Option<String>,
    ) -> async_graphql::Result<String> {
        let place = TextAt::of(self.0.product_id, self.0.id, TranslatableField::Title);
        let text = place.read(call(ctx)?, self.1, locale.as_deref()).await?;
        Ok(text.unwrap_or_else(|| self.0.title.clone()))
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
        let call = call(ctx)?;
        let rows = call.load(SelectedOf(self.0.id)).await?;
        let names = futures_util::future::try_join_all(rows.iter().map(|row| option_names(call, row, self.1))).await?;
        Ok(names.into_iter().map(|(name, value)| SelectedOption { name, value }).collect())
    }

    /// The first picture, film or file of this very variant.
    async fn media(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Media>> {
        let media = call(ctx)?.load(VariantMediaOf(self.0.id)).await?;
        Ok(media.first().cloned().map(Media::from))
    }

    /// All pictures, films and files of this very variant in order, at most 100.
    #[graphql(complexity = "2 * child_complexity")]
    async fn gallery(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Media>> {
        let media = call(ctx)?.load(VariantMediaOf(self.0.id)).await?;
        Ok(media.iter().cloned().map(Media::from).collect())
    }

    /// Grams of one piece, packed.
    async fn weight_grams(&self) -> Option<i32> {
        self.0.weight_grams
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
