//! The one writer of products. A product that is found again by its handle is
//! brought up to date; what already is as wished is not touched, so that a
//! second run of the same import changes nothing.

use std::collections::HashMap;

use domain::catalog::{CheckedProduct, CheckedVariant, MediaKind, option_handle};
use domain::id::{LocationId, MediaId, OptionId, OptionValueId, ProductId, VariantId};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::Handle;
use entity::{
    media, price, product, product_channel, product_media, product_option, variant, variant_media, variant_option_value,
};
use serde_json::json;

use super::repo;
use crate::db::insert_all;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::Tx;
use crate::settings::Settings;

/// What saving did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// There was none of this handle.
    Created,
    /// Something of it was changed.
    Updated,
    /// It was as wished.
    Unchanged,
}

/// The wished product with ids for what is shared.
struct Wish<'w> {
    product: &'w CheckedProduct,
    /// Ids of the options in order, with the ids of their values.
    options: Vec<(OptionId, HashMap<Handle, OptionValueId>)>,
    settings: &'w Settings,
}

/// Writes a product as a whole.
pub async fn save(
    tx: &mut Tx,
    wished: &CheckedProduct,
    known: Option<product::Model>,
    channels: Option<Vec<product_channel::Model>>,
) -> Result<(product::Model, Saved)> {
    let settings = tx.settings().await?;
    check_unique(tx, wished, known.as_ref()).await?;
    let wish = Wish { product: wished, options: name_options(tx, wished).await?, settings: &settings };
    let type_id = match &wished.product_type {
        Some(name) => Some(repo::type_named(tx, name).await?),
        None => None,
    };
    let row = wished_row(tx, wished, known.as_ref(), type_id);
    let new = known.is_none();
    let mut changed = match &known {
        None => {
            insert_all::<product::Entity>(&tx.conn, vec![row.clone()]).await?;
            true
        }
        Some(before) => before != &row,
    };
    if new {
        let ranked = wish.options.iter().enumerate();
        let rows = ranked.map(|(rank, (option_id, _))| product_option::Model {
            product_id: row.id,
            option_id: *option_id,
            rank: rank as i32,
        });
        insert_all::<product_option::Entity>(&tx.conn, rows.collect()).await?;
    } else {
        let held = repo::option_ids(&tx.conn, row.id).await?;
        if held != wish.options.iter().map(|(id, _)| *id).collect::<Vec<_>>() {
            let message = "The product has other options; its variants can't be told apart by these.";
            return Err(Refusal::new(ErrorCode::Invalid, message).at(["options"]).into());
        }
    }
    changed |= save_tags(tx, row.id, &wished.tags, new).await?;
    let media = save_media(tx, row.id, wished, new, &mut changed).await?;
    changed |= save_variants(tx, &wish, &row, &media, new).await?;
    if let Some(channels) = channels {
        let channels: Vec<_> =
            channels.into_iter().map(|channel| product_channel::Model { product_id: row.id, ..channel }).collect();
        let held = repo::channels_of(&tx.conn, &[row.id]).await?;
        let ids = |rows: &[product_channel::Model]| {
            let mut ids: Vec<_> = rows.iter().map(|row| row.channel_id).collect();
            ids.sort();
            ids
        };
        if ids(&held) != ids(&channels) {
            repo::replace_channels(tx, row.id, channels).await?;
            changed = true;
        }
    }
    if !changed {
        return Ok((row, Saved::Unchanged));
    }
    finish(tx, row, new).await
}

async fn finish(tx: &mut Tx, mut row: product::Model, new: bool) -> Result<(product::Model, Saved)> {
    if !new {
        row.version += 1;
        row.updated_at = tx.now();
        row = repo::update(tx, row).await?;
    }
    crate::pricing::repo::refresh_product(tx, row.id).await?;
    let kind = if new { "product.created" } else { "product.updated" };
    tx.emit(Aggregate::new("product", row.id), kind, json!({ "version": row.version }));
    tx.audit(row.id, None, Some(json!({ "handle": row.handle, "title": row.title, "status": row.status })));
    Ok((row, if new { Saved::Created } else { Saved::Updated }))
}

async fn check_unique(tx: &Tx, wished: &CheckedProduct, known: Option<&product::Model>) -> Result<()> {
    let mut refusals = Refusals::default();
    let skus: Vec<String> = wished.variants.iter().filter_map(|variant| variant.sku.clone()).collect();
    if !skus.is_empty() {
        let taken = repo::skus_taken(&tx.conn, &skus, known.map(|row| row.id)).await?;
        for (place, variant) in wished.variants.iter().enumerate() {
            if variant.sku.as_ref().is_some_and(|sku| taken.contains(sku)) {
                refusals.push(Refusal::new(ErrorCode::Taken, "A variant of another product has this SKU.").at([
                    "variants".to_owned(),
                    place.to_string(),
                    "sku".to_owned(),
                ]));
            }
        }
    }
    if let Some(reference) = &wished.external_reference {
        let other = repo::find_external(&tx.conn, reference).await?;
        if other.is_some_and(|other| known.is_none_or(|row| row.id != other.id)) {
            let message = "Another product has this external reference.";
            refusals.push(Refusal::new(ErrorCode::Taken, message).at(["externalReference"]));
        }
    }
    Ok(refusals.into_result()?)
}

async fn name_options(tx: &mut Tx, wished: &CheckedProduct) -> Result<Vec<(OptionId, HashMap<Handle, OptionValueId>)>> {
    let mut options = Vec::with_capacity(wished.options.len());
    for option in &wished.options {
        let id = repo::option_named(tx, &spell(&option.name)?, &option.name).await?;
        let values = option.values.iter().map(|value| Ok((spell(value)?, value.clone())));
        let values = repo::values_named(tx, id, &values.collect::<Result<Vec<_>>>()?).await?;
        options.push((id, values));
    }
    Ok(options)
}

fn spell(name: &str) -> Result<Handle> {
    option_handle(name).ok_or_else(|| Error::internal("an option without a name was let through"))
}

fn wished_row(
    tx: &Tx,
    wished: &CheckedProduct,
    known: Option<&product::Model>,
    type_id: Option<domain::id::ProductTypeId>,
) -> product::Model {
    let words = [Some(&wished.title), wished.subtitle.as_ref(), wished.vendor.as_ref(), wished.product_type.as_ref()];
    let words: Vec<&str> =
        words.into_iter().flatten().chain(&wished.tags).map(String::as_str).chain([wished.handle.as_str()]).collect();
    product::Model {
        id: known.map_or_else(|| tx.id(), |row| row.id),
        version: known.map_or(1, |row| row.version),
        created_at: known.map_or(tx.now(), |row| row.created_at),
        updated_at: known.map_or(tx.now(), |row| row.updated_at),
        deleted_at: None,
        handle: wished.handle.clone(),
        status: wished.status,
        title: wished.title.clone(),
        title_fold: wished.title.to_lowercase(),
        subtitle: wished.subtitle.clone(),
        description_html: ammonia::clean(&wished.description_html),
        vendor: wished.vendor.clone(),
        type_id,
        external_reference: wished.external_reference.clone(),
        discountable: wished.discountable,
        gift_card: wished.gift_card,
        seo_title: wished.seo_title.clone(),
        seo_description: wished.seo_description.clone(),
        search_text: words.join(" ").to_lowercase(),
        metadata: json!(wished.metadata),
    }
}

async fn save_tags(tx: &mut Tx, product: ProductId, tags: &[String], new: bool) -> Result<bool> {
    let ids = repo::tags_named(tx, tags).await?;
    if !new {
        let held = repo::tags_of(&tx.conn, &[product]).await?;
        if held.iter().map(|(_, tag)| tag.id).eq(ids.iter().copied()) {
            return Ok(false);
        }
    }
    repo::replace_tags(tx, product, &ids).await?;
    Ok(true)
}

/// Adds the media that the product does not have yet; answers with all by address.
async fn save_media(
    tx: &mut Tx,
    product: ProductId,
    wished: &CheckedProduct,
    new: bool,
    changed: &mut bool,
) -> Result<HashMap<String, MediaId>> {
    let held = if new { Vec::new() } else { repo::media_of(&tx.conn, &[product]).await? };
    let mut ids: HashMap<String, MediaId> = held.iter().map(|(_, media)| (media.url.clone(), media.id)).collect();
    let mut rows = Vec::new();
    let mut links = Vec::new();
    for wish in wished.media.iter().filter(|wish| !ids.contains_key(&wish.url)) {
        let rank = (held.len() + rows.len()) as i32;
        let (url, alt, kind): (_, _, MediaKind) = (wish.url.clone(), wish.alt.clone(), wish.kind);
        let row = crate::media::external(tx.id(), tx.now(), kind, url, alt);
        links.push(product_media::Model { product_id: product, media_id: row.id, rank });
        rows.push(row);
    }
    ids.extend(rows.iter().map(|row| (row.url.clone(), row.id)));
    *changed |= !rows.is_empty();
    insert_all::<media::Entity>(&tx.conn, rows).await?;
    insert_all::<product_media::Entity>(&tx.conn, links).await?;
    Ok(ids)
}

/// Rows that new variants bring with them, written together at the end.
#[derive(Default)]
struct NewRows {
    variants: Vec<variant::Model>,
    values: Vec<variant_option_value::Model>,
    media: Vec<variant_media::Model>,
    prices: Vec<price::Model>,
    stock: Vec<(VariantId, Option<String>, i32)>,
}

async fn save_variants(
    tx: &mut Tx,
    wish: &Wish<'_>,
    row: &product::Model,
    media: &HashMap<String, MediaId>,
    new: bool,
) -> Result<bool> {
    let held = if new { Vec::new() } else { repo::variants_of(&tx.conn, &[row.id]).await? };
    let held_ids: Vec<VariantId> = held.iter().map(|variant| variant.id).collect();
    let prices = if new { Vec::new() } else { crate::pricing::repo::all_of_variants(&tx.conn, &held_ids).await? };
    let known: HashMap<&str, &variant::Model> = held.iter().map(|row| (row.combination.as_str(), row)).collect();
    let mut rows = NewRows::default();
    let mut changed = false;
    for (place, wished) in wish.product.variants.iter().enumerate() {
        let values = values_of(wish, wished)?;
        let combination = values.iter().map(|(_, value)| value.0.simple().to_string()).collect::<Vec<_>>().join("-");
        match known.get(combination.as_str()) {
            Some(before) => changed |= update_variant(tx, wish, wished, before, &prices).await?,
            None => {
                let rank = (held.len() + place) as i32;
                let variant = variant_row(tx, wished, row.id, rank, combination);
                let link = |(option_id, option_value_id)| variant_option_value::Model {
                    variant_id: variant.id,
                    option_id,
                    option_value_id,
                };
                rows.values.extend(values.into_iter().map(link));
                let medium = wished.media_url.as_ref().and_then(|url| media.get(url));
                rows.media.extend(medium.map(|id| variant_media::Model {
                    variant_id: variant.id,
                    media_id: *id,
                    rank: 0,
                }));
                rows.prices.extend(price_rows(tx, wish.settings, variant.id, &wished.prices));
                rows.stock.push((variant.id, wished.sku.clone(), wished.stock.unwrap_or(0)));
                rows.variants.push(variant);
            }
        }
    }
    changed |= !rows.variants.is_empty();
    insert_all::<variant::Entity>(&tx.conn, rows.variants).await?;
    insert_all::<variant_option_value::Entity>(&tx.conn, rows.values).await?;
    insert_all::<variant_media::Entity>(&tx.conn, rows.media).await?;
    crate::pricing::repo::insert(tx, rows.prices).await?;
    let location = default_location(wish.settings)?;
    crate::inventory::repo::open(tx, location, rows.stock).await?;
    Ok(changed)
}

fn default_location(settings: &Settings) -> Result<LocationId> {
    let first = settings.locations.first();
    first.map(|location| location.id).ok_or_else(|| Error::internal("the shop has no location"))
}

fn values_of(wish: &Wish<'_>, wished: &CheckedVariant) -> Result<Vec<(OptionId, OptionValueId)>> {
    let pairs = wish.options.iter().zip(&wished.options);
    pairs
        .map(|((option, values), (_, value))| {
            let id = values.get(&spell(value)?);
            Ok((*option, *id.ok_or_else(|| Error::internal("an option value vanished"))?))
        })
        .collect()
}

fn variant_row(tx: &Tx, wished: &CheckedVariant, product: ProductId, rank: i32, combination: String) -> variant::Model {
    variant::Model {
        id: tx.id(),
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        deleted_at: None,
        product_id: product,
        title: wished.title.clone(),
        sku: wished.sku.clone(),
        barcode: wished.barcode.clone(),
        rank,
        combination,
        weight_grams: wished.weight_grams,
        backorder: wished.backorder,
        manage_inventory: wished.manage_inventory,
        requires_shipping: wished.requires_shipping,
        metadata: json!(wished.metadata),
    }
}

/// Brings a known variant up to date; its stock is its own affair.
async fn update_variant(
    tx: &mut Tx,
    wish: &Wish<'_>,
    wished: &CheckedVariant,
    before: &variant::Model,
    prices: &[price::Model],
) -> Result<bool> {
    let fresh = variant_row(tx, wished, before.product_id, before.rank, before.combination.clone());
    let after = variant::Model {
        id: before.id,
        version: before.version,
        created_at: before.created_at,
        updated_at: before.updated_at,
        ..fresh
    };
    let mut changed = &after != before;
    if changed {
        let after = variant::Model { version: after.version + 1, updated_at: tx.now(), ..after };
        repo::update_variant(tx, after).await?;
    }
    changed |= save_prices(tx, wish.settings, before.id, &wished.prices, prices).await?;
    Ok(changed)
}

/// Replaces a variant's prices in the currencies that are wished, if they
/// differ; prices in other currencies stay.
pub async fn save_prices(
    tx: &mut Tx,
    settings: &Settings,
    variant: VariantId,
    wished: &[domain::catalog::PriceDraft],
    held: &[price::Model],
) -> Result<bool> {
    let mut changed = false;
    for wish in wished {
        let includes_tax = includes_tax(settings, wish.currency);
        let mut of_currency =
            held.iter().filter(|price| price.variant_id == Some(variant) && price.currency == wish.currency);
        let as_wished = |price: &price::Model| {
            (price.amount_minor, price.compare_at_minor, price.includes_tax)
                == (wish.amount_minor, wish.compare_at_minor, includes_tax)
        };
        if of_currency.clone().count() == 1 && of_currency.all(as_wished) {
            continue;
        }
        changed = true;
        crate::pricing::repo::delete_in_currency(tx, variant, wish.currency).await?;
        let rows = price_rows(tx, settings, variant, std::slice::from_ref(wish));
        crate::pricing::repo::insert(tx, rows).await?;
    }
    Ok(changed)
}

fn price_rows(
    tx: &Tx,
    settings: &Settings,
    variant: VariantId,
    wished: &[domain::catalog::PriceDraft],
) -> Vec<price::Model> {
    let row = |wish: &domain::catalog::PriceDraft| price::Model {
        id: tx.id(),
        created_at: tx.now(),
        updated_at: tx.now(),
        variant_id: Some(variant),
        shipping_option_id: None,
        currency: wish.currency,
        amount_minor: wish.amount_minor,
        compare_at_minor: wish.compare_at_minor,
        includes_tax: includes_tax(settings, wish.currency),
        min_quantity: None,
        max_quantity: None,
        rule_count: 0,
    };
    wished.iter().map(row).collect()
}

/// Whether prices in a currency include tax: as the oldest region of that
/// currency says.
fn includes_tax(settings: &Settings, currency: domain::money::Currency) -> bool {
    let region = settings.regions.iter().find(|region| region.row.currency == currency);
    region.is_some_and(|region| region.row.prices_include_tax)
}
