//! How variants look: what both surfaces show is written once.

use std::sync::Arc;

use async_graphql::{Context, ID, MergedObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::catalog::BackorderPolicy;
use domain::id::InventoryItemId;
use domain::inventory::{Availability, Sellable};
use domain::metafield::MetafieldOwnerType;
use domain::translation::TranslatableField;
use entity::variant;

use crate::api::call::call;
use crate::api::page::connection;
use crate::api::ready::{Ready, at_once};
use crate::api::scalar::{Country, Json, id};
use crate::api::word::Enum;
use crate::catalog::load::{Grid, ProductBy, SelectedOf, VariantMediaOf};
use crate::catalog::option::types::option_names;
use crate::catalog::types::{AdminProduct, Product};
use crate::inventory::admin::AdminStockLevel;
use crate::inventory::load::{ItemBy, StockOf, WaitingFor};
use crate::inventory::types::AdminInventoryItem;
use crate::media::types::Media;
use crate::metafield::types::Metafields;
use crate::pricing::load::AllPricesOf;
use crate::pricing::types::{AdminPrice, Price, PriceContextInput, PriceTier, offered, tiers};
use crate::translation::load::{Reader, TextAt};
use engine::inventory::{sellable, told};

/// A variant as shoppers see it: what can be bought.
#[derive(MergedObject, Debug, Clone)]
#[graphql(crate = "crate::api::eager")]
pub struct Variant(VariantCore, VariantShopper, Metafields);

/// A variant as staff see it: what can be bought.
#[derive(MergedObject, Debug, Clone)]
#[graphql(crate = "crate::api::eager")]
pub struct AdminVariant(VariantCore, VariantStaff, Metafields);

impl From<variant::Model> for Variant {
    fn from(row: variant::Model) -> Self {
        Self::from(Arc::new(row))
    }
}

impl From<Arc<variant::Model>> for Variant {
    fn from(row: Arc<variant::Model>) -> Self {
        Self::beside(row, None)
    }
}

impl Variant {
    /// One of a product's variants, whose options may have been read already.
    pub fn beside(row: Arc<variant::Model>, grid: Option<Grid>) -> Self {
        let metafields = Metafields::store(MetafieldOwnerType::Variant, row.id);
        Self(VariantCore(row.clone(), Reader::Shopper, grid), VariantShopper(row), metafields)
    }

    /// The id, for `Node`.
    pub async fn id(&self, _: &Context<'_>) -> async_graphql::Result<ID> {
        Ok(id(self.0.0.id))
    }
}

impl From<variant::Model> for AdminVariant {
    fn from(row: variant::Model) -> Self {
        Self::beside(Arc::new(row), None)
    }
}

impl AdminVariant {
    /// One of a product's variants, whose options may have been read already.
    pub fn beside(row: Arc<variant::Model>, grid: Option<Grid>) -> Self {
        let metafields = Metafields::staff(MetafieldOwnerType::Variant, row.id);
        Self(VariantCore(row.clone(), Reader::Staff, grid), VariantStaff(row), metafields)
    }

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
pub struct VariantCore(Arc<variant::Model>, Reader, Option<Grid>);

impl VariantCore {
    /// What can be sold of it in this request's channel.
    async fn sellable(&self, ctx: &Context<'_>) -> async_graphql::Result<Sellable> {
        let call = call(ctx)?;
        let stock = call.load(StockOf(self.0.id)).await?;
        let locations: Vec<_> =
            call.settings.locations_of(call.channel.id).iter().map(|location| location.id).collect();
        Ok(sellable(&*stock, &locations))
    }
}

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
    async fn selected_options(&self, ctx: &Context<'_>) -> async_graphql::Result<Ready<Vec<SelectedOption>>> {
        let call = call(ctx)?;
        let read = match &self.2 {
            Some(_) => Arc::default(),
            None => call.load(SelectedOf(self.0.id)).await?,
        };
        let beside = self.2.iter().flat_map(|grid| grid.iter());
        let own = beside.filter(|(variant, _)| *variant == Some(self.0.id)).map(|(_, row)| row);
        let names = own.chain(read.iter().map(AsRef::as_ref)).map(|row| option_names(call, row, self.1));
        let names = futures_util::future::try_join_all(names).await?;
        Ok(Ready(names.into_iter().map(|(name, value)| SelectedOption { name, value }).collect()))
    }

    /// The first picture, film or file of this very variant.
    async fn media(&self, ctx: &Context<'_>) -> async_graphql::Result<Ready<Option<Media>>> {
        let media = call(ctx)?.load(VariantMediaOf(self.0.id)).await?;
        Ok(Ready(media.first().cloned().map(Media::from)))
    }

    /// All pictures, films and files of this very variant in order, at most 100.
    async fn gallery(&self, ctx: &Context<'_>) -> async_graphql::Result<Ready<Vec<Media>>> {
        let media = call(ctx)?.load(VariantMediaOf(self.0.id)).await?;
        Ok(Ready(media.iter().cloned().map(Media::from).collect()))
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
        Ok(Enum(told(&self.0, self.sellable(ctx).await?, call(ctx)?.app.clock.now())))
    }

    /// How many pieces can be sold now in this request's channel; null where the channel doesn't tell, and when they
    /// are not counted.
    async fn quantity_available(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<i32>> {
        if !call(ctx)?.channel.shows_quantity || !self.0.manage_inventory {
            return Ok(None);
        }
        Ok(Some(i32::try_from(self.sellable(ctx).await?.now).unwrap_or(i32::MAX)))
    }

    /// When it is out; before that it is sold ahead. Null: it is out.
    async fn release_at(&self) -> Option<DateTime<Utc>> {
        self.0.release_at
    }
}

/// What only shoppers are shown of a variant.
#[derive(Debug, Clone)]
pub struct VariantShopper(Arc<variant::Model>);

#[Object]
impl VariantShopper {
    /// What one piece costs to you in this request's region; null when it has no price there.
    async fn price(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In another region or for another quantity.")] context: Option<PriceContextInput>,
    ) -> async_graphql::Result<Ready<Option<Price>>> {
        offered(call(ctx)?, (self.0.product_id, self.0.id), context).await.map(Ready)
    }

    /// What one piece costs to you when you take more of it: each quantity from which on the price is another, the
    /// lowest first. At most 100.
    async fn price_tiers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In this region, by id or handle, instead of the request's.")] region: Option<String>,
    ) -> async_graphql::Result<Vec<PriceTier>> {
        tiers(call(ctx)?, (self.0.product_id, self.0.id), region).await
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

    /// Its prices in every currency, base prices and those of price lists, the oldest first. At most 100 of each list.
    async fn prices(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminPrice>> {
        let prices = call(ctx)?.load(AllPricesOf(self.0.id)).await?;
        Ok(prices.iter().map(AdminPrice::from).collect())
    }

    /// What lies of it at each location that your roles reach; kits show their first item.
    async fn stock_levels(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminStockLevel>> {
        let call = call(ctx)?;
        let stock = call.load(StockOf(self.0.id)).await?;
        let reach = engine::scope::locations(&call.caller.actor, Permission::CatalogRead);
        let first = stock.first().map(|row| row.item);
        let levels = stock.iter().filter(|row| Some(row.item) == first).filter_map(|row| row.level.as_ref());
        let shown = levels.filter(|level| reach.holds(level.location_id));
        Ok(shown.map(AdminStockLevel::from).collect())
    }

    /// How many shoppers wait to be told that it can be bought again.
    async fn back_in_stock_requests(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        call(ctx)?.load(WaitingFor(self.0.id)).await
    }

    /// What one piece takes from stock: one item, unless it is a kit. At most 50.
    async fn items(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminVariantItem>> {
        let stock = call(ctx)?.load(StockOf(self.0.id)).await?;
        let mut items: Vec<AdminVariantItem> = Vec::new();
        for row in stock.iter() {
            if items.last().is_none_or(|last| last.0 != row.item) {
                items.push(AdminVariantItem(row.item, row.required));
            }
        }
        Ok(items)
    }

    /// Free data, such as the columns of an import that have no place of their own.
    async fn metadata(&self) -> Json {
        Json(self.0.metadata.clone())
    }
}

/// What one piece of a variant takes of an item.
#[derive(Debug, Clone)]
pub struct AdminVariantItem(InventoryItemId, i32);

/// What one piece of a variant takes of an item.
#[Object]
impl AdminVariantItem {
    /// The item.
    async fn inventory_item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AdminInventoryItem>> {
        Ok(call(ctx)?.load(ItemBy(self.0)).await?.map(AdminInventoryItem::from))
    }

    /// How many of it.
    async fn quantity(&self) -> i32 {
        self.1
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

at_once!(SelectedOption { name, value });
