//! Writing invented products, many in one transaction.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::catalog::{BackorderPolicy, MediaKind, ProductStatus, option_handle};
use domain::id::{
    CategoryId, ChannelId, InventoryItemId, LocationId, OptionId, OptionValueId, ProductId, ProductTypeId, TagId,
};
use domain::inventory::{MovementReason, StockCount};
use domain::money::Currency;
use domain::text::Handle;
use entity::{
    event, inventory_item, media, price, product, product_category, product_channel, product_media, product_option,
    product_tag, stock_level, stock_movement, variant, variant_item, variant_option_value,
};
use serde_json::json;
use uuid::Uuid;

use super::fill::{Mark, move_on};
use super::goods::{Good, GoodVariant};
use super::plan::Plan;
use super::{currency, repo, shelf};
use crate::actor::Need;
use crate::catalog::repo as catalog;
use crate::catalog::rows::{combination, default_location, includes_tax};
use crate::error::{Error, Result};
use crate::inventory::repo::level;
use crate::op::{Op, Tx};

/// Writes the products from one place to another.
#[derive(Debug)]
pub(super) struct PutGoods<'p> {
    pub plan: &'p Plan,
    pub mark: &'p Mark,
    pub to: usize,
}

/// What products share, by name.
struct Shared {
    location: LocationId,
    channels: Vec<ChannelId>,
    types: HashMap<String, ProductTypeId>,
    tags: HashMap<String, TagId>,
    options: HashMap<String, OptionId>,
    values: HashMap<(OptionId, Handle), OptionValueId>,
    categories: HashMap<&'static str, CategoryId>,
    currencies: [(Currency, bool); 2],
}

/// Rows that wait to be written.
#[derive(Default)]
struct Rows {
    products: Vec<product::Model>,
    channels: Vec<product_channel::Model>,
    tags: Vec<product_tag::Model>,
    options: Vec<product_option::Model>,
    categories: Vec<product_category::Model>,
    media: Vec<media::Model>,
    shown: Vec<product_media::Model>,
    variants: Vec<variant::Model>,
    values: Vec<variant_option_value::Model>,
    prices: Vec<price::Model>,
    items: Vec<inventory_item::Model>,
    links: Vec<variant_item::Model>,
    levels: Vec<stock_level::Model>,
    movements: Vec<stock_movement::Model>,
    events: Vec<event::Model>,
}

impl Op for PutGoods<'_> {
    const NAME: &'static str = "seed.put_goods";
    const NEEDS: Need = Need::System;
    type Out = Mark;

    async fn run(&self, tx: &mut Tx) -> Result<Mark> {
        let next = Mark { products: self.to, ..self.mark.clone() };
        move_on(tx, self.mark, &next).await?;
        let goods = (self.mark.products..self.to).map(|place| self.plan.good(place)).collect::<Result<Vec<_>>>()?;
        let shared = share(tx, &goods).await?;
        let mut rows = Rows::default();
        for (at, good) in goods.iter().enumerate() {
            rows.add(tx, self.plan, &shared, self.mark.products + at, good)?;
        }
        let ids: Vec<ProductId> = rows.products.iter().map(|row| row.id).collect();
        rows.write(tx).await?;
        crate::pricing::listing::refresh_products(tx, &ids).await?;
        tx.find_anew(ids);
        Ok(next)
    }
}

/// Finds what the products share, and makes what is missing of it.
async fn share(tx: &mut Tx, goods: &[Good]) -> Result<Shared> {
    let settings = tx.settings().await?;
    let sorted = |mut names: Vec<String>| {
        names.sort_unstable();
        names.dedup();
        names
    };
    let mut types = HashMap::new();
    let mut categories = HashMap::new();
    for name in sorted(goods.iter().map(|good| good.product_type.to_owned()).collect()) {
        types.insert(name.clone(), catalog::type_named(tx, &name).await?);
        if let Some(handle) = shelf::branch_of(&name) {
            // Staff may have taken the tree apart.
            let found = crate::category::repo::find_handle(&tx.conn, &handle.parse()?).await?;
            categories.extend(found.map(|row| (handle, row.id)));
        }
    }
    let names = sorted(goods.iter().flat_map(|good| good.tags.clone()).collect());
    let tags = catalog::tags_named(tx, &names).await?;
    let mut options = HashMap::new();
    for name in sorted(goods.iter().flat_map(|good| good.options.clone()).collect()) {
        options.insert(name.clone(), catalog::option_named(tx, &spelled(&name)?, &name).await?);
    }
    let mut wished = Vec::new();
    for good in goods {
        for variant in &good.variants {
            for (name, value) in good.options.iter().zip(&variant.values) {
                wished.push((options[name], spelled(value)?, value.clone()));
            }
        }
    }
    let values = match wished.is_empty() {
        true => HashMap::new(),
        false => catalog::write::values_of_options(tx, &wished).await?,
    };
    let (eur, usd) = (currency("EUR")?, currency("USD")?);
    Ok(Shared {
        location: default_location(tx, &settings)?,
        channels: settings.channels.iter().filter(|channel| channel.active).map(|channel| channel.id).collect(),
        types,
        tags: names.into_iter().zip(tags).collect(),
        options,
        values,
        categories,
        currencies: [(eur, includes_tax(&settings, eur)), (usd, includes_tax(&settings, usd))],
    })
}

fn spelled(name: &str) -> Result<Handle> {
    option_handle(name).ok_or_else(|| Error::internal(format!("{name:?} is no name of an option")))
}

impl Rows {
    fn add(&mut self, tx: &Tx, plan: &Plan, shared: &Shared, place: usize, good: &Good) -> Result<()> {
        let row = product_row(tx, shared, good)?;
        let (product_id, at) = (row.id, good.launched);
        if good.status == ProductStatus::Published {
            let channel = |channel_id: &ChannelId| product_channel::Model {
                product_id,
                channel_id: *channel_id,
                published_at: at,
            };
            self.channels.extend(shared.channels.iter().map(channel));
        }
        let tags = good.tags.iter().filter_map(|tag| shared.tags.get(tag));
        self.tags.extend(tags.zip(0..).map(|(tag_id, rank)| product_tag::Model { product_id, tag_id: *tag_id, rank }));
        let options = good.options.iter().map(|name| shared.options[name]);
        self.options.extend(options.zip(0..).map(|(option_id, rank)| product_option::Model {
            product_id,
            option_id,
            rank,
        }));
        let category = shelf::branch_of(good.product_type).and_then(|handle| shared.categories.get(handle));
        self.categories.extend(category.map(|id| product_category::Model { product_id, category_id: *id, rank: 0 }));
        let medium =
            crate::media::external(tx.id(), at, MediaKind::Image, good.picture_url(), Some(good.title.clone()));
        self.shown.push(product_media::Model { product_id, media_id: medium.id, rank: 0 });
        self.media.push(medium);
        self.events.push(created(tx, "product", product_id.into(), at));
        self.products.push(row);
        for (rank, wished) in good.variants.iter().enumerate() {
            let stock = wished.stock + plan.demand(place, rank);
            self.add_variant(tx, shared, (good, product_id), (rank as i32, wished), stock)?;
        }
        Ok(())
    }

    fn add_variant(
        &mut self,
        tx: &Tx,
        shared: &Shared,
        (good, product_id): (&Good, ProductId),
        (rank, wished): (i32, &GoodVariant),
        stock: i32,
    ) -> Result<()> {
        let at = good.launched;
        let mut values = Vec::with_capacity(wished.values.len());
        for (name, value) in good.options.iter().zip(&wished.values) {
            let option = shared.options[name];
            let id = shared.values.get(&(option, spelled(value)?));
            values.push((option, *id.ok_or_else(|| Error::internal("an option value vanished"))?));
        }
        let row = variant_row(tx, product_id, good, (rank, wished), combination(&values));
        let variant_id = row.id;
        self.variants.push(row);
        let chosen =
            |(option_id, option_value_id)| variant_option_value::Model { variant_id, option_id, option_value_id };
        self.values.extend(values.into_iter().map(chosen));
        let amounts = [(wished.eur, wished.compare_at), (wished.usd, None)];
        for ((currency, includes_tax), (amount_minor, compare_at_minor)) in shared.currencies.into_iter().zip(amounts) {
            self.prices.push(price::Model {
                id: tx.id(),
                created_at: at,
                updated_at: at,
                variant_id: Some(variant_id),
                shipping_option_id: None,
                currency,
                amount_minor,
                compare_at_minor,
                includes_tax,
                min_quantity: None,
                max_quantity: None,
                rule_count: 0,
                price_list_id: None,
                rules: None,
            });
        }
        let item_id: InventoryItemId = tx.id();
        let location_id = shared.location;
        self.items.push(inventory_item::Model {
            id: item_id,
            created_at: at,
            sku: Some(wished.sku.clone()),
            title: None,
        });
        self.links.push(variant_item::Model { variant_id, item_id, required_quantity: 1 });
        self.levels.push(level((item_id, location_id), stock, at));
        if stock != 0 {
            self.movements.push(stock_movement::Model {
                id: tx.id(),
                at,
                item_id,
                location_id,
                counted: StockCount::Stocked,
                delta: stock,
                reason: MovementReason::Initial,
                cause: None,
                actor: tx.actor().to_string(),
            });
        }
        Ok(())
    }

    async fn write(self, tx: &Tx) -> Result<()> {
        repo::insert::<product::Entity>(tx, self.products).await?;
        repo::insert::<product_channel::Entity>(tx, self.channels).await?;
        repo::insert::<product_tag::Entity>(tx, self.tags).await?;
        repo::insert::<product_option::Entity>(tx, self.options).await?;
        repo::insert::<product_category::Entity>(tx, self.categories).await?;
        repo::insert::<media::Entity>(tx, self.media).await?;
        repo::insert::<product_media::Entity>(tx, self.shown).await?;
        repo::insert::<variant::Entity>(tx, self.variants).await?;
        repo::insert::<variant_option_value::Entity>(tx, self.values).await?;
        repo::insert::<price::Entity>(tx, self.prices).await?;
        repo::insert::<inventory_item::Entity>(tx, self.items).await?;
        repo::insert::<variant_item::Entity>(tx, self.links).await?;
        repo::insert::<stock_level::Entity>(tx, self.levels).await?;
        repo::insert::<stock_movement::Entity>(tx, self.movements).await?;
        repo::insert::<event::Entity>(tx, self.events).await
    }
}

/// The first event of something that was made in the past.
pub(super) fn created(tx: &Tx, noun: &str, id: Uuid, at: DateTime<Utc>) -> event::Model {
    let payload = if noun == "product" { json!({ "version": 1 }) } else { json!({}) };
    event::Model {
        id: tx.id(),
        aggregate_type: noun.to_owned(),
        aggregate_id: id,
        sequence: 1,
        kind: format!("{noun}.created"),
        version: 1,
        payload,
        actor: tx.actor().to_string(),
        at,
        position: None,
    }
}

fn product_row(tx: &Tx, shared: &Shared, good: &Good) -> Result<product::Model> {
    let handle: Handle = good.handle.parse()?;
    Ok(product::Model {
        id: tx.id(),
        version: 1,
        created_at: good.launched,
        updated_at: good.launched,
        deleted_at: None,
        handle,
        status: good.status,
        title: good.title.clone(),
        title_fold: good.title.to_lowercase(),
        subtitle: good.subtitle.clone(),
        description_html: good.description_html.clone(),
        vendor: Some(good.vendor.clone()),
        type_id: shared.types.get(good.product_type).copied(),
        external_reference: None,
        discountable: true,
        gift_card: false,
        shipping_profile_id: None,
        seo_title: None,
        seo_description: None,
        metadata: json!({}),
    })
}

fn variant_row(
    tx: &Tx,
    product_id: ProductId,
    good: &Good,
    (rank, wished): (i32, &GoodVariant),
    combination: String,
) -> variant::Model {
    variant::Model {
        id: tx.id(),
        version: 1,
        created_at: good.launched,
        updated_at: good.launched,
        deleted_at: None,
        product_id,
        title: good.variant_title(wished),
        sku: Some(wished.sku.clone()),
        sku_fold: wished.sku.to_lowercase(),
        barcode: None,
        rank,
        combination,
        external_reference: None,
        weight_grams: Some(wished.grams),
        length_mm: None,
        width_mm: None,
        height_mm: None,
        hs_code: None,
        origin_country: None,
        backorder: BackorderPolicy::Deny,
        manage_inventory: true,
        release_at: None,
        requires_shipping: true,
        metadata: json!({}),
    }
}
