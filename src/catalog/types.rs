//! How products look: what shoppers and staff both see is written once and
//! merged into the type of each surface.

use std::sync::Arc;

use async_graphql::{Context, ID, MergedObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::catalog::ProductStatus;
use domain::id::{OptionId, ProductId};
use domain::metafield::MetafieldOwnerType;
use domain::translation::TranslatableField;
use entity::{product, variant};

use super::load::{ChannelsOf, Grid, GridOf, MediaOf, TagsOf, TypeBy, VariantsOf};
use super::option::types::{ProductOption, ProductOptionValue, option_names};
use super::related::load::{RelatedOf, ShownBeside};
use super::related::store::bounded;
use super::variant::types::{AdminVariant, Variant};
use crate::api::call::call;
use crate::api::page::connection;
use crate::api::payload::top_level;
use crate::api::ready::Ready;
use crate::api::scalar::{Json, id};
use crate::api::word::Enum;
use crate::category::load::CategoriesOf;
use crate::category::types::{AdminCategory, Category};
use crate::channel::types::AdminChannel;
use crate::collection::load::CollectionsOf;
use crate::collection::types::{AdminCollection, Collection};
use crate::media::types::Media;
use crate::metafield::types::Metafields;
use crate::promotion::offered::types::{ProductPromotion, on_offer};
use crate::shipping::types::AdminShippingProfile;
use crate::translation::load::{Reader, TextAt};

/// A product as shoppers see it.
#[derive(MergedObject, Debug, Clone)]
#[graphql(crate = "crate::api::eager")]
pub struct Product(ProductCore, ProductShopper, Metafields);

/// A product as staff see it.
#[derive(MergedObject, Debug, Clone)]
#[graphql(crate = "crate::api::eager")]
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
        Self::from(Arc::new(row))
    }
}

impl From<Arc<product::Model>> for AdminProduct {
    fn from(row: Arc<product::Model>) -> Self {
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

    /// The name of its product type; filters take it in the shop's own language.
    async fn product_type(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In this language, a BCP 47 tag, instead of the request's.")] locale: Option<String>,
    ) -> async_graphql::Result<Option<String>> {
        let Some(type_id) = self.0.type_id else { return Ok(None) };
        let call = call(ctx)?;
        let Some(row) = call.load(TypeBy(type_id)).await? else { return Ok(None) };
        let at = TextAt::of(self.0.id, type_id, TranslatableField::Name);
        Ok(Some(at.read(call, self.1, locale.as_deref()).await?.unwrap_or_else(|| row.value.clone())))
    }

    /// The words that group it, at most 100; filters take them in the shop's own language.
    async fn tags(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In this language, a BCP 47 tag, instead of the request's.")] locale: Option<String>,
    ) -> async_graphql::Result<Ready<Vec<String>>> {
        let call = call(ctx)?;
        let tags = call.load(TagsOf(self.0.id)).await?;
        let named = tags.iter().map(async |tag| {
            let at = TextAt::of(self.0.id, tag.id, TranslatableField::Name);
            let name = at.read(call, self.1, locale.as_deref()).await?;
            Ok::<_, async_graphql::Error>(name.unwrap_or_else(|| tag.value.clone()))
        });
        futures_util::future::try_join_all(named).await.map(Ready)
    }

    /// Whether buying it issues a gift card.
    async fn gift_card(&self) -> bool {
        self.0.gift_card
    }

    /// Its options with the values that its variants have, at most 5.
    async fn options(&self, ctx: &Context<'_>) -> async_graphql::Result<Ready<Vec<ProductOption>>> {
        let call = call(ctx)?;
        let rows = call.load(GridOf { product: self.0.id, each: false }).await?;
        let names = rows.iter().map(|(_, row)| option_names(call, row, self.1));
        let names = futures_util::future::try_join_all(names).await?;
        let mut options: Vec<(OptionId, ProductOption)> = Vec::new();
        for ((_, row), (name, value)) in rows.iter().zip(names) {
            match options.iter_mut().find(|(option, _)| *option == row.option) {
                Some((_, option)) => {
                    option.option_values.push(ProductOptionValue::named(row, value.clone()));
                    option.values.push(value);
                }
                None => {
                    let option_values = vec![ProductOptionValue::named(row, value.clone())];
                    let told = ProductOption { id: id(row.option), name, values: vec![value], option_values };
                    options.push((row.option, told));
                }
            }
        }
        Ok(Ready(options.into_iter().map(|(_, told)| told).collect()))
    }

    /// Its pictures, films and files in order, at most 100.
    async fn media(&self, ctx: &Context<'_>) -> async_graphql::Result<Ready<Vec<Media>>> {
        let media = call(ctx)?.load(MediaOf(self.0.id)).await?;
        Ok(Ready(media.iter().cloned().map(Media::from).collect()))
    }

    /// Its first picture, film or file.
    async fn featured_media(&self, ctx: &Context<'_>) -> async_graphql::Result<Ready<Option<Media>>> {
        let media = call(ctx)?.load(MediaOf(self.0.id)).await?;
        Ok(Ready(media.first().cloned().map(Media::from)))
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

/// The variants of a product, and when they are selected the options of each.
async fn variants_of(
    ctx: &Context<'_>,
    product: ProductId,
) -> async_graphql::Result<(Arc<Vec<Arc<variant::Model>>>, Option<Grid>)> {
    let call = call(ctx)?;
    let variants = call.load(VariantsOf(product));
    if ctx.look_ahead().field("selectedOptions").exists() {
        let (variants, grid) = futures_util::try_join!(variants, call.load(GridOf { product, each: true }))?;
        return Ok((variants, Some(grid)));
    }
    Ok((variants.await?, None))
}

/// What only shoppers are shown of a product.
#[derive(Debug, Clone)]
pub struct ProductShopper(Arc<product::Model>);

#[Object]
impl ProductShopper {
    /// Its variants in order, at most 250.
    async fn variants(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Variant>> {
        let (variants, grid) = variants_of(ctx, self.0.id).await?;
        Ok(variants.iter().map(|row| Variant::beside(row.clone(), grid.clone())).collect())
    }

    /// The collections of this channel that it is in, by hand or by rule, by title; at most 250.
    async fn collections(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Collection>> {
        let call = call(ctx)?;
        let rows = call.load(CollectionsOf::new(self.0.id, call, false)).await?;
        Ok(rows.iter().cloned().map(Collection::from).collect())
    }

    /// The categories that it is in, the main one first; at most 50.
    async fn categories(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Category>> {
        let rows = call(ctx)?.load(CategoriesOf { product: self.0.id, shown: true }).await?;
        Ok(rows.iter().cloned().map(Category::from).collect())
    }

    /// The promotions that count by themselves, in this request's channel and for you, and may lower its price, by rank:
    /// also those that want more in the cart, or that it goes somewhere, of which nothing is known here. What comes
    /// off, and whether a promotion was used as often as it may be, the cart tells. At most 500.
    async fn promotions(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<ProductPromotion>> {
        on_offer(call(ctx)?, &self.0).await
    }

    /// The products that the merchant shows beside it, in order: those that this request may see.
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

    /// Its shipping profile: what a cart holds of one profile ships together.
    async fn shipping_profile(&self, ctx: &Context<'_>) -> async_graphql::Result<AdminShippingProfile> {
        AdminShippingProfile::of(call(ctx)?, self.0.shipping_profile_id)
    }

    /// Free data, such as the columns of an import that have no place of their own.
    async fn metadata(&self) -> Json {
        Json(self.0.metadata.clone())
    }

    /// The channels in which it is for sale, of those that your roles reach; at most 100.
    async fn publications(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminPublication>> {
        let call = call(ctx)?;
        let rows = call.load(ChannelsOf(self.0.id)).await?;
        let reach = engine::scope::channels(&call.caller.actor, Permission::CatalogRead);
        let publication = |row: &Arc<entity::product_channel::Model>| {
            let channel = call.settings.channels.iter().find(|channel| channel.id == row.channel_id)?;
            let channel = Some(channel).filter(|channel| reach.holds(channel.id))?;
            Some(AdminPublication { channel: AdminChannel(channel.clone()), published_at: row.published_at })
        };
        Ok(rows.iter().filter_map(publication).collect())
    }

    /// Its variants in order, at most 250.
    async fn variants(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminVariant>> {
        let (variants, grid) = variants_of(ctx, self.0.id).await?;
        Ok(variants.iter().map(|row| AdminVariant::beside(row.clone(), grid.clone())).collect())
    }

    /// The collections that it is in, by hand or by rule, by title; at most
    /// 250. Prices and stock as in the channel and region of this request.
    async fn collections(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminCollection>> {
        let call = call(ctx)?;
        let rows = call.load(CollectionsOf::new(self.0.id, call, true)).await?;
        Ok(rows.iter().cloned().map(AdminCollection::from).collect())
    }

    /// The categories that it is in, the main one first; at most 50.
    async fn categories(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminCategory>> {
        let rows = call(ctx)?.load(CategoriesOf { product: self.0.id, shown: false }).await?;
        Ok(rows.iter().cloned().map(AdminCategory::from).collect())
    }

    /// The products that stand beside it, in order, at most 20.
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
