//! The one writer of products. A product that is found again by its handle is
//! brought up to date; what already is as wished is not touched, so that a
//! second run of the same import changes nothing.

use std::collections::HashMap;

use domain::catalog::{CheckedProduct, CheckedVariant, MediaKind, option_handle};
use domain::id::{MediaId, OptionId, OptionValueId, ProductId, VariantId};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::Handle;
use entity::{media, product, product_channel, product_media};
use serde_json::json;

use super::publish::{reach, refuse_out_of_scope};
use super::repo;
use super::rows::{self, Values, VariantRows, combination};
use crate::db::insert_all;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::Tx;
use crate::settings::Settings;
use crate::shipping::profile::must_be_known;

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

/// How far a wish reaches beyond adding to what is there.
#[derive(Debug, Clone, Default)]
pub struct Extent {
    /// Which known variant each wished one is; when absent, the one that has its values.
    pub matched: Option<Vec<Option<VariantId>>>,
    /// Variants that are not wished go, and the others get the wished order.
    pub variants: bool,
    /// Media that are not wished go, and the others get the wished order.
    pub media: bool,
}

/// The wished product with ids for what is shared.
struct Wish<'w> {
    product: &'w CheckedProduct,
    extent: &'w Extent,
    /// What the product was called before, when only what is said of it changes.
    called: Option<&'w str>,
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
    extent: &Extent,
) -> Result<(product::Model, Saved)> {
    let settings = tx.settings().await?;
    // A file has no word for everything: what it can't say stays.
    let said = known.as_ref().filter(|_| extent.matched.is_none()).map(|known| keep_unsaid(wished, known));
    let wished = said.as_ref().unwrap_or(wished);
    if let Some(refusal) = must_be_known(&settings.shipping_profiles, wished.shipping_profile) {
        return Err(refusal.into());
    }
    check_unique(tx, wished, known.as_ref()).await?;
    let title = known.as_ref().map(|row| row.title.clone());
    let called = title.as_deref().filter(|_| extent.matched.is_none());
    let options = name_options(tx, wished).await?;
    let wish = Wish { product: wished, extent, called, options, settings: &settings };
    let type_id = match &wished.product_type {
        Some(name) => Some(repo::type_named(tx, name).await?),
        None => None,
    };
    let row = wished_row(tx, wished, known.as_ref(), type_id);
    let new = known.is_none();
    if known.as_ref().is_some_and(|before| before.status != row.status) {
        refuse_out_of_scope(tx, row.id).await?;
    }
    let mut changed = match &known {
        None => {
            insert_all::<product::Entity>(&tx.conn, vec![row.clone()]).await?;
            true
        }
        Some(before) => before != &row,
    };
    let options: Vec<OptionId> = wish.options.iter().map(|(id, _)| *id).collect();
    if new {
        repo::write::replace_options(tx, row.id, &options).await?;
    } else if repo::option_ids(&tx.conn, row.id).await? != options {
        if extent.matched.is_none() {
            let message = "The product has other options; its variants can't be told apart by these.";
            return Err(Refusal::new(ErrorCode::Invalid, message).at(["options"]).into());
        }
        repo::write::replace_options(tx, row.id, &options).await?;
        changed = true;
    }
    changed |= save_tags(tx, row.id, &wished.tags, new).await?;
    let media = save_media(tx, row.id, &wish, new, &mut changed).await?;
    changed |= save_variants(tx, &wish, &row, &media, new).await?;
    if let Some(channels) = channels {
        changed |= save_channels(tx, row.id, channels).await?;
    }
    if !changed {
        return Ok((row, Saved::Unchanged));
    }
    finish(tx, row, known).await
}

/// The wished product with what it leaves open as it is.
fn keep_unsaid(wished: &CheckedProduct, known: &product::Model) -> CheckedProduct {
    let mut wished = wished.clone();
    wished.subtitle = wished.subtitle.or_else(|| known.subtitle.clone());
    wished.external_reference = wished.external_reference.or_else(|| known.external_reference.clone());
    wished.discountable = known.discountable;
    wished.shipping_profile = known.shipping_profile_id;
    for (key, value) in known.metadata.as_object().into_iter().flatten() {
        if let (false, Some(value)) = (wished.metadata.contains_key(key), value.as_str()) {
            wished.metadata.insert(key.clone(), value.to_owned());
        }
    }
    wished
}

async fn save_channels(tx: &mut Tx, product: ProductId, channels: Vec<product_channel::Model>) -> Result<bool> {
    let row = |channel| product_channel::Model { product_id: product, ..channel };
    let mut channels: Vec<_> = channels.into_iter().map(row).collect();
    let ids = |rows: &[product_channel::Model]| {
        let mut ids: Vec<_> = rows.iter().map(|row| row.channel_id).collect();
        ids.sort();
        ids
    };
    let held = repo::channels_of(&tx.conn, &[product]).await?;
    // Out of reach it stays for sale as it is.
    let reach = reach(tx);
    channels.extend(held.iter().filter(|row| !reach.holds(row.channel_id)).cloned());
    if ids(&held) == ids(&channels) {
        return Ok(false);
    }
    // Where it was for sale before, it has been since then.
    let since = |row: product_channel::Model| match held.iter().find(|held| held.channel_id == row.channel_id) {
        Some(held) => held.clone(),
        None => row,
    };
    repo::replace_channels(tx, product, channels.into_iter().map(since).collect()).await?;
    Ok(true)
}

async fn finish(
    tx: &mut Tx,
    mut row: product::Model,
    known: Option<product::Model>,
) -> Result<(product::Model, Saved)> {
    let new = known.is_none();
    if !new {
        row.version += 1;
        row.updated_at = tx.now();
        row = repo::update(tx, row).await?;
    }
    crate::pricing::listing::refresh_product(tx, row.id).await?;
    let kind = if new { "product.created" } else { "product.updated" };
    tx.emit(Aggregate::new("product", row.id), kind, json!({ "version": row.version }));
    let summary = |row: &product::Model| json!({ "handle": row.handle, "title": row.title, "status": row.status });
    tx.audit(row.id, known.as_ref().map(summary), Some(summary(&row)));
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
    let references = wished.variants.iter().filter_map(|variant| variant.external_reference.clone());
    let references: Vec<String> = references.collect();
    if !references.is_empty() {
        let taken = repo::references_taken(&tx.conn, &references, known.map(|row| row.id)).await?;
        for (place, variant) in wished.variants.iter().enumerate() {
            if variant.external_reference.as_ref().is_some_and(|reference| taken.contains(reference)) {
                let message = "A variant of another product has this external reference.";
                let at = ["variants".to_owned(), place.to_string(), "externalReference".to_owned()];
                refusals.push(Refusal::new(ErrorCode::Taken, message).at(at));
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
    let mut values = Vec::new();
    for option in &wished.options {
        let id = repo::option_named(tx, &spell(&option.name)?, &option.name).await?;
        for value in &option.values {
            values.push((id, spell(value)?, value.clone()));
        }
        options.push((id, HashMap::new()));
    }
    if !values.is_empty() {
        for ((option, handle), value) in repo::write::values_of_options(tx, &values).await? {
            let of = options.iter_mut().filter(|(id, _)| *id == option);
            of.for_each(|(_, values)| {
                values.insert(handle.clone(), value);
            });
        }
    }
    Ok(options)
}

/// The handle of an option or of a value.
pub(super) fn spell(name: &str) -> Result<Handle> {
    option_handle(name).ok_or_else(|| Error::internal("an option without a name was let through"))
}

/// The row of a product as it is wished, its version not yet raised.
pub(super) fn wished_row(
    tx: &Tx,
    wished: &CheckedProduct,
    known: Option<&product::Model>,
    type_id: Option<domain::id::ProductTypeId>,
) -> product::Model {
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
        shipping_profile_id: wished.shipping_profile,
        seo_title: wished.seo_title.clone(),
        seo_description: wished.seo_description.clone(),
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

/// Adds the media that the product does not have yet, or makes them all as
/// wished; answers with all by address.
async fn save_media(
    tx: &mut Tx,
    product: ProductId,
    wish: &Wish<'_>,
    new: bool,
    changed: &mut bool,
) -> Result<HashMap<String, MediaId>> {
    let held = if new { Vec::new() } else { repo::media_of(&tx.conn, &[product]).await? };
    let mut ids: HashMap<String, MediaId> = held.iter().map(|(_, media)| (media.url.clone(), media.id)).collect();
    let mut rows = Vec::new();
    for wished in wish.product.media.iter().filter(|wished| !ids.contains_key(&wished.url)) {
        let (url, alt, kind): (_, _, MediaKind) = (wished.url.clone(), wished.alt.clone(), wished.kind);
        rows.push(crate::media::external(tx.id(), tx.now(), kind, url, alt));
    }
    let added: Vec<MediaId> = rows.iter().map(|row| row.id).collect();
    ids.extend(rows.iter().map(|row| (row.url.clone(), row.id)));
    *changed |= !rows.is_empty();
    insert_all::<media::Entity>(&tx.conn, rows).await?;
    let link =
        |(rank, media_id): (usize, MediaId)| product_media::Model { product_id: product, media_id, rank: rank as i32 };
    if !wish.extent.media || new {
        let links = added.into_iter().enumerate().map(|(place, id)| link((held.len() + place, id)));
        insert_all::<product_media::Entity>(&tx.conn, links.collect()).await?;
        return Ok(ids);
    }
    for wished in &wish.product.media {
        let known = held.iter().map(|(_, media)| media).find(|media| media.url == wished.url);
        if let Some(known) = known.filter(|known| (&known.alt, known.kind) != (&wished.alt, wished.kind)) {
            let row = media::Model { alt: wished.alt.clone(), kind: wished.kind, ..known.clone() };
            repo::write::update_media(tx, row).await?;
            *changed = true;
        }
    }
    let order: Vec<MediaId> = wish.product.media.iter().filter_map(|wished| ids.get(&wished.url).copied()).collect();
    if !held.iter().map(|(_, media)| media.id).eq(order.iter().copied()) {
        repo::write::replace_media(tx, product, order.into_iter().enumerate().map(link).collect()).await?;
        *changed = true;
    }
    Ok(ids)
}

fn pair(wish: &Wish<'_>, wished: &CheckedVariant) -> Result<Values> {
    let pairs = wish.options.iter().zip(&wished.options);
    pairs
        .map(|((option, values), (_, value))| {
            let id = values.get(&spell(value)?);
            Ok((*option, *id.ok_or_else(|| Error::internal("an option value vanished"))?))
        })
        .collect()
}

async fn save_variants(
    tx: &mut Tx,
    wish: &Wish<'_>,
    row: &product::Model,
    media: &HashMap<String, MediaId>,
    new: bool,
) -> Result<bool> {
    let held = if new { Vec::new() } else { repo::variants_of(&tx.conn, &[row.id]).await? };
    let ids: Vec<VariantId> = held.iter().map(|variant| variant.id).collect();
    let prices = if new { Vec::new() } else { crate::pricing::repo::all_of_variants(&tx.conn, &ids).await? };
    let shown = match &wish.extent.matched {
        Some(_) if !new => repo::variant_media_of(&tx.conn, &ids).await?,
        _ => Vec::new(),
    };
    let mut rows = VariantRows::default();
    let mut kept = Vec::new();
    for (place, wished) in wish.product.variants.iter().enumerate() {
        let values = pair(wish, wished)?;
        let combination = combination(&values);
        let before = match &wish.extent.matched {
            Some(matched) => matched.get(place).copied().flatten().and_then(|id| held.iter().find(|row| row.id == id)),
            None => held.iter().find(|row| row.combination == combination),
        };
        let medium = wished.media_url.as_ref().and_then(|url| media.get(url)).copied();
        let id = match before {
            Some(before) => {
                kept.push(before.id);
                let rank = if wish.extent.variants { place as i32 } else { before.rank };
                let mut after = rows::wished_row(tx, wished, before, rank, combination);
                if let Some(called) = wish.called {
                    after = rows::keep_unsaid(before, after, called, wished);
                }
                rows.change(tx, before, after, values);
                let shows = shown.iter().find(|(variant, _)| *variant == before.id).map(|(_, media)| media.id);
                if wish.extent.matched.is_some() && shows != medium {
                    rows.show(before.id, medium, false);
                }
                before.id
            }
            None => {
                let rank = if wish.extent.variants { place } else { held.len() + place };
                let new = rows::new_row(tx, wished, row.id, rank as i32, combination);
                let id = new.id;
                rows.add(new, values, wished.stock.unwrap_or(0));
                rows.show(id, medium, true);
                id
            }
        };
        rows.price(tx, wish.settings, id, (&wished.prices, wished.prices_whole), &prices);
    }
    if wish.extent.variants {
        held.iter().filter(|row| !kept.contains(&row.id)).for_each(|row| rows.remove(row.id));
    }
    if rows.is_empty() {
        return Ok(false);
    }
    rows.write(tx, wish.settings).await?;
    Ok(true)
}
