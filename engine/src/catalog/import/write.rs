//! The writer of many products at once: so many statements whatever their
//! number, but for chunks. What is known is found by its number in the other
//! system, else by its handle; what already is as wished is not touched, so that
//! a second run of the same file changes nothing. What a file can't say stays.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::catalog::{CheckedVariant, ProductStatus};
use domain::id::{MediaId, OptionId, ProductId, VariantId};
use domain::import::Imported;
use domain::refusal::Refusal;
use domain::text::Handle;
use entity::{
    collection_product, media, metafield, product, product_category, product_channel, product_media, product_option,
    product_tag,
};
use serde_json::json;

use super::super::repo::{self, import as many, write as few};
use super::super::rows::{self, Values, VariantRows, combination};
use super::super::save::{Saved, spell, wished_row};
use super::known::{Held, check_numbers, check_options, meet, pair};
use super::places::Places;
use crate::db::insert_all;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::Tx;
use crate::settings::Settings;

/// Owners whose metafields one statement writes.
const FIELDS: usize = 200;

/// What became of a product.
pub type Verdict = Result<Saved, Vec<Refusal>>;

/// Everything that is going to be written.
#[derive(Default)]
struct Batch {
    reoptioned: Vec<ProductId>,
    options: Vec<product_option::Model>,
    retagged: Vec<ProductId>,
    tags: Vec<product_tag::Model>,
    media: Vec<media::Model>,
    media_links: Vec<product_media::Model>,
    variants: VariantRows,
    rechanneled: Vec<ProductId>,
    channels: Vec<product_channel::Model>,
    categories: Vec<product_category::Model>,
    listed: Vec<(domain::id::CollectionId, ProductId)>,
    fields: Vec<(uuid::Uuid, domain::id::MetafieldDefinitionId, domain::metafield::Value, usize)>,
}

/// The names that products share, with their ids.
struct Names {
    types: HashMap<String, domain::id::ProductTypeId>,
    tags: HashMap<String, domain::id::TagId>,
    options: HashMap<Handle, OptionId>,
    values: many::ValueIds,
}

/// Stores products, or with `check` only says what stands against them.
/// Answers for each of them, in their order. `handed` are numbers that other
/// products of the file give up, with who has them.
pub async fn store(
    tx: &mut Tx,
    wishes: &[Imported],
    places: &Places,
    handed: &HashMap<String, VariantId>,
    check: bool,
) -> Result<Vec<Verdict>> {
    let (known, mut refused) = meet(tx, wishes).await?;
    let taken = check_numbers(tx, wishes, &known, handed, &mut refused).await?;
    let ids: Vec<ProductId> = known.iter().flatten().map(|row| row.id).collect();
    let held = Held::load(tx, &ids).await?;
    for ((wish, known), refusals) in wishes.iter().zip(&known).zip(&mut refused) {
        if let Some(known) = known {
            refusals.extend(check_options(wish, &held, known.id)?);
        }
    }
    if check {
        let verdict = |refusals: Vec<Refusal>| if refusals.is_empty() { Ok(Saved::Unchanged) } else { Err(refusals) };
        return Ok(refused.into_iter().map(verdict).collect());
    }
    let free: Vec<VariantId> =
        taken.into_iter().filter(|(taker, _)| refused[*taker].is_empty()).map(|(_, holder)| holder).collect();
    few::free_skus(tx, &free).await?;
    let settings = tx.settings().await?;
    let open: Vec<&Imported> =
        wishes.iter().zip(&refused).filter(|(_, refusals)| refusals.is_empty()).map(|(wish, _)| wish).collect();
    let names = name(tx, &open).await?;
    let mut writer = Writer { settings: &settings, places, held, names, batch: Batch::default() };
    let mut plans = Vec::with_capacity(wishes.len());
    for ((wish, known), refusals) in wishes.iter().zip(known).zip(refused) {
        plans.push(match refusals.is_empty() {
            true => Ok(writer.plan(tx, plans.len(), wish, known)?),
            false => Err(refusals),
        });
    }
    let changed_fields = changed_fields(tx, &mut writer.batch).await?;
    let mut verdicts = Vec::with_capacity(plans.len());
    let mut written = Vec::new();
    for (place, plan) in plans.into_iter().enumerate() {
        verdicts.push(match plan {
            Err(refusals) => Err(refusals),
            Ok(plan) => {
                let saved = match (&plan.known, plan.changed || changed_fields.contains(&place)) {
                    (None, _) => Saved::Created,
                    (Some(_), true) => Saved::Updated,
                    (Some(_), false) => Saved::Unchanged,
                };
                if saved != Saved::Unchanged {
                    written.push(plan);
                }
                Ok(saved)
            }
        });
    }
    writer.finish(tx, written).await?;
    Ok(verdicts)
}

impl Names {
    fn values(&self, wish: &Imported, wished: &CheckedVariant) -> Result<Values> {
        let mut values = Values::with_capacity(wished.options.len());
        for (option, (_, value)) in wish.product.options.iter().zip(&wished.options) {
            let option = self.options.get(&spell(&option.name)?);
            let option = *option.ok_or_else(|| Error::internal("an option vanished"))?;
            let id = self.values.get(&(option, spell(value)?));
            values.push((option, *id.ok_or_else(|| Error::internal("an option value vanished"))?));
        }
        Ok(values)
    }
}

async fn name(tx: &mut Tx, wishes: &[&Imported]) -> Result<Names> {
    let types: HashSet<&str> = wishes.iter().filter_map(|wish| wish.product.product_type.as_deref()).collect();
    let tags: HashSet<&str> = wishes.iter().flat_map(|wish| &wish.product.tags).map(String::as_str).collect();
    let types = many::types_named(tx, &types).await?;
    let tags = many::tags_named(tx, &tags).await?;
    let mut options: HashMap<Handle, OptionId> = HashMap::new();
    let mut values = Vec::new();
    let mut seen = HashSet::new();
    for option in wishes.iter().flat_map(|wish| &wish.product.options) {
        let handle = spell(&option.name)?;
        let id = match options.get(&handle) {
            Some(id) => *id,
            None => {
                let id = repo::option_named(tx, &handle, &option.name).await?;
                options.insert(handle, id);
                id
            }
        };
        for value in &option.values {
            let spelled = spell(value)?;
            if seen.insert((id, spelled.clone())) {
                values.push((id, spelled, value.clone()));
            }
        }
    }
    let values = many::values_named(tx, &values).await?;
    Ok(Names { types, tags, options, values })
}

/// Which numbers each product gives up, with the variants that have them; none
/// when it is new or refused.
pub(super) async fn given_up(tx: &mut Tx, wishes: &[Imported]) -> Result<Vec<Option<Vec<(String, VariantId)>>>> {
    let (known, refused) = meet(tx, wishes).await?;
    let ids: Vec<ProductId> = known.iter().flatten().map(|row| row.id).collect();
    let held = Held::load(tx, &ids).await?;
    let names = name(tx, &wishes.iter().collect::<Vec<_>>()).await?;
    let mut given = Vec::with_capacity(wishes.len());
    for ((wish, known), refusals) in wishes.iter().zip(&known).zip(&refused) {
        let Some(known) = known.as_ref().filter(|_| refusals.is_empty()) else {
            given.push(None);
            continue;
        };
        if check_options(wish, &held, known.id)?.is_some() {
            given.push(None);
            continue;
        }
        let mut wished = Vec::with_capacity(wish.product.variants.len());
        for variant in &wish.product.variants {
            let values = names.values(wish, variant)?;
            wished.push((variant, combination(&values), values));
        }
        let found = pair(Held::of(&held.variants, Some(known.id)), &wished);
        let freed = wished.iter().zip(found).filter_map(|((variant, ..), row)| {
            let row = row?;
            let sku = row.sku.clone()?;
            (variant.sku.as_ref() != Some(&sku)).then_some((sku, row.id))
        });
        given.push(Some(freed.collect()));
    }
    Ok(given)
}

/// A product that is going to be written.
struct Plan {
    row: product::Model,
    known: Option<product::Model>,
    changed: bool,
}

struct Writer<'w> {
    settings: &'w Settings,
    places: &'w Places,
    held: Held,
    names: Names,
    batch: Batch,
}

impl Writer<'_> {
    fn plan(&mut self, tx: &Tx, place: usize, wish: &Imported, known: Option<product::Model>) -> Result<Plan> {
        let wished = &wish.product;
        let type_id = wished.product_type.as_ref().and_then(|name| self.names.types.get(&name.to_lowercase())).copied();
        let mut row = wished_row(tx, wished, known.as_ref(), type_id);
        if let Some(known) = &known {
            keep_unsaid(&mut row, known, wish.says_discountable);
        }
        let new = known.is_none();
        let mut changed = known.as_ref() != Some(&row);
        changed |= self.options(&row, wished, new)?;
        changed |= self.tags(&row, wished, new);
        let (media, more) = self.media(tx, &row, wished, new);
        changed |= more;
        let called = known.as_ref().map(|known| known.title.as_str());
        let (variants, more) = self.variants(tx, &row, wish, &media, called)?;
        changed |= more;
        changed |= self.channels(tx, &row, known.as_ref(), wish);
        changed |= self.shelves(&row, wish);
        for field in &wish.fields {
            let owner = match field.variant {
                None => uuid::Uuid::from(row.id),
                Some(variant) => variants.get(variant).copied().map(uuid::Uuid::from).unwrap_or_default(),
            };
            let key = (field.owner(), field.namespace.clone(), field.key.clone());
            // A rehearsal knows no definition that is only going to be made.
            if let Some(definition) = self.places.fields.get(&key) {
                self.batch.fields.push((owner, *definition, field.value.clone(), place));
            }
        }
        Ok(Plan { row, known, changed })
    }

    fn options(&mut self, row: &product::Model, wished: &domain::catalog::CheckedProduct, new: bool) -> Result<bool> {
        let mut ids = Vec::with_capacity(wished.options.len());
        for option in &wished.options {
            let id = self.names.options.get(&spell(&option.name)?);
            ids.push(*id.ok_or_else(|| Error::internal("an option vanished"))?);
        }
        let held = Held::of(&self.held.options, Some(row.id));
        if !new && held.iter().map(|option| option.id).eq(ids.iter().copied()) {
            return Ok(false);
        }
        if !new {
            self.batch.reoptioned.push(row.id);
        }
        let link = |(rank, option_id): (usize, OptionId)| product_option::Model {
            product_id: row.id,
            option_id,
            rank: rank as i32,
        };
        self.batch.options.extend(ids.into_iter().enumerate().map(link));
        Ok(true)
    }

    fn tags(&mut self, row: &product::Model, wished: &domain::catalog::CheckedProduct, new: bool) -> bool {
        let ids = wished.tags.iter().filter_map(|name| self.names.tags.get(&name.to_lowercase()).copied());
        let ids: Vec<_> = ids.collect();
        if !new && Held::of(&self.held.tags, Some(row.id)) == ids {
            return false;
        }
        if !new {
            self.batch.retagged.push(row.id);
        }
        let link = |(rank, tag_id): (usize, _)| product_tag::Model { product_id: row.id, tag_id, rank: rank as i32 };
        self.batch.tags.extend(ids.into_iter().enumerate().map(link));
        true
    }

    /// Adds the media that the product does not have yet and gives the others
    /// the texts of the file; answers with all by address.
    fn media(
        &mut self,
        tx: &Tx,
        row: &product::Model,
        wished: &domain::catalog::CheckedProduct,
        new: bool,
    ) -> (HashMap<String, MediaId>, bool) {
        let held = if new { &[][..] } else { Held::of(&self.held.media, Some(row.id)) };
        let mut ids: HashMap<String, MediaId> = held.iter().map(|medium| (medium.url.clone(), medium.id)).collect();
        let mut rank = held.len();
        let mut changed = false;
        for medium in &wished.media {
            match held.iter().find(|known| known.url == medium.url) {
                Some(known) => {
                    // An empty cell takes no text away that staff may have written.
                    let alt = medium.alt.clone().or_else(|| known.alt.clone());
                    if (&known.alt, known.kind) != (&alt, medium.kind) && known.file_hash.is_none() {
                        let version = known.version + 1;
                        let (kind, updated_at) = (medium.kind, tx.now());
                        self.batch.media.push(media::Model { alt, kind, version, updated_at, ..known.clone() });
                        changed = true;
                    }
                }
                None => {
                    let made =
                        crate::media::external(tx.id(), tx.now(), medium.kind, medium.url.clone(), medium.alt.clone());
                    ids.insert(medium.url.clone(), made.id);
                    let link = product_media::Model { product_id: row.id, media_id: made.id, rank: rank as i32 };
                    self.batch.media_links.push(link);
                    self.batch.media.push(made);
                    rank += 1;
                    changed = true;
                }
            }
        }
        (ids, changed)
    }

    /// Plans the variants of a product, which was `called` so before; answers with their ids in the order of the file.
    fn variants(
        &mut self,
        tx: &Tx,
        row: &product::Model,
        wish: &Imported,
        media: &HashMap<String, MediaId>,
        called: Option<&str>,
    ) -> Result<(Vec<VariantId>, bool)> {
        let new = called.is_none();
        let mut wishes = Vec::with_capacity(wish.product.variants.len());
        for wished in &wish.product.variants {
            let values = self.names.values(wish, wished)?;
            wishes.push((wished, combination(&values), values));
        }
        let held = if new { &[][..] } else { Held::of(&self.held.variants, Some(row.id)) };
        let found = pair(held, &wishes);
        let rank = held.iter().map(|row| row.rank + 1).max().unwrap_or(0);
        let (mut ids, mut changed) = (Vec::with_capacity(wishes.len()), false);
        let batch = &mut self.batch.variants;
        for (place, ((wished, combination, values), before)) in wishes.into_iter().zip(found).enumerate() {
            let medium = wished.media_url.as_ref().and_then(|url| media.get(url)).copied();
            let (id, prices) = match before {
                Some(before) => {
                    let after = rows::wished_row(tx, wished, before, before.rank, combination);
                    let after = rows::keep_unsaid(before, after, called.unwrap_or_default(), wished);
                    changed |= batch.change(tx, before, after, values);
                    if medium.is_some() && self.held.shown.get(&before.id).copied() != medium {
                        batch.show(before.id, medium, false);
                        changed = true;
                    }
                    (before.id, self.held.prices.get(&before.id).map(Vec::as_slice).unwrap_or_default())
                }
                None => {
                    let made = rows::new_row(tx, wished, row.id, rank + place as i32, combination);
                    let id = made.id;
                    match wish.stocks.get(place) {
                        Some(stocks) => batch.add_at(made, values, located(self.places, self.settings, stocks)?),
                        None => batch.add(made, values, wished.stock.unwrap_or(0)),
                    }
                    batch.show(id, medium, true);
                    changed = true;
                    (id, &[][..])
                }
            };
            changed |= batch.price(tx, self.settings, id, (&wished.prices, wished.prices_whole), prices);
            ids.push(id);
        }
        Ok((ids, changed))
    }

    /// What staff decided about a known product's channels stays, unless it
    /// was never for sale anywhere.
    fn channels(&mut self, tx: &Tx, row: &product::Model, known: Option<&product::Model>, wish: &Imported) -> bool {
        let open = known.is_none_or(|known| {
            row.status == ProductStatus::Published
                && known.status != ProductStatus::Published
                && Held::of(&self.held.channels, Some(row.id)).is_empty()
        });
        if !open || row.status != ProductStatus::Published {
            return false;
        }
        let link = |channel_id, published_at| product_channel::Model { product_id: row.id, channel_id, published_at };
        let rows: Vec<_> = match &wish.channels {
            None => {
                let active = self.settings.channels.iter().filter(|channel| channel.active);
                active.map(|channel| link(channel.id, tx.now())).collect()
            }
            Some(listings) => {
                let found = listings.iter().filter_map(|listing| {
                    let id = *self.places.channels.get(&listing.channel.handle)?;
                    let since = listing.since.as_deref().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
                    Some(link(id, since.map_or(tx.now(), |since| since.with_timezone(&Utc))))
                });
                found.collect()
            }
        };
        if known.is_some() {
            self.batch.rechanneled.push(row.id);
        }
        self.batch.channels.extend(rows);
        true
    }

    /// Adds the product to the categories and collections that the file names.
    fn shelves(&mut self, row: &product::Model, wish: &Imported) -> bool {
        let held = Held::of(&self.held.categories, Some(row.id));
        let mut rank = held.iter().map(|link| link.rank + 1).max().unwrap_or(0);
        let mut added: Vec<domain::id::CategoryId> = Vec::new();
        for named in &wish.categories {
            let Some(id) = self.places.categories.get(&named.handle).copied() else { continue };
            if held.iter().any(|link| link.category_id == id) || added.contains(&id) {
                continue;
            }
            let link = product_category::Model { product_id: row.id, category_id: id, rank };
            self.batch.categories.push(link);
            added.push(id);
            rank += 1;
        }
        let mut changed = !added.is_empty();
        for named in &wish.collections {
            let Some(id) = self.places.collections.get(&named.handle).copied() else { continue };
            if self.held.collections.insert((id, row.id)) {
                self.batch.listed.push((id, row.id));
                changed = true;
            }
        }
        changed
    }

    async fn finish(self, tx: &mut Tx, written: Vec<Plan>) -> Result<()> {
        if written.is_empty() {
            return Ok(());
        }
        let batch = self.batch;
        let ids: Vec<ProductId> = written.iter().map(|plan| plan.row.id).collect();
        let mut products = Vec::with_capacity(written.len());
        for plan in &written {
            let mut row = plan.row.clone();
            if plan.known.is_some() {
                row.version += 1;
                row.updated_at = tx.now();
            }
            let kind = if plan.known.is_some() { "product.updated" } else { "product.created" };
            tx.emit(Aggregate::new("product", row.id), kind, json!({ "version": row.version }));
            let summary =
                |row: &product::Model| json!({ "handle": row.handle, "title": row.title, "status": row.status });
            tx.audit(row.id, plan.known.as_ref().map(summary), Some(summary(&row)));
            products.push(row);
        }
        many::put_products(tx, products).await?;
        many::replace_options(tx, &batch.reoptioned, batch.options).await?;
        many::replace_tags(tx, &batch.retagged, batch.tags).await?;
        many::put_media(tx, batch.media).await?;
        insert_all::<product_media::Entity>(&tx.conn, batch.media_links).await?;
        batch.variants.write(tx, self.settings).await?;
        many::replace_channels(tx, &batch.rechanneled, batch.channels).await?;
        many::add_categories(tx, batch.categories).await?;
        list(tx, batch.listed).await?;
        let mut fields = batch.fields.into_iter().peekable();
        while fields.peek().is_some() {
            let some = fields.by_ref().take(FIELDS).map(|(owner_id, definition_id, value, _)| {
                let row = metafield::Model {
                    id: tx.id(),
                    created_at: tx.now(),
                    updated_at: tx.now(),
                    definition_id,
                    owner_id,
                    value: value.to_string(),
                };
                (row, value.keys())
            });
            let some: Vec<_> = some.collect();
            crate::metafield::repo::save_values(tx, some).await?;
        }
        crate::pricing::listing::refresh_products(tx, &ids).await
    }
}

/// Leaves out the metafields that are as wished; answers with the places of the
/// products of which some are not.
async fn changed_fields(tx: &Tx, batch: &mut Batch) -> Result<HashSet<usize>> {
    if batch.fields.is_empty() {
        return Ok(HashSet::new());
    }
    let owners: Vec<uuid::Uuid> = batch.fields.iter().map(|(owner, ..)| *owner).collect();
    let mut definitions: Vec<_> = batch.fields.iter().map(|(_, definition, ..)| *definition).collect();
    definitions.sort_unstable();
    definitions.dedup();
    let held = crate::metafield::repo::values_of(&tx.conn, &owners, &definitions).await?;
    let held: HashMap<_, _> = held.into_iter().map(|row| ((row.owner_id, row.definition_id), row.value)).collect();
    let mut changed = HashSet::new();
    batch.fields.retain(|(owner, definition, value, place)| {
        let differs = held.get(&(*owner, *definition)) != Some(&value.to_string());
        if differs {
            changed.insert(*place);
        }
        differs
    });
    Ok(changed)
}

/// A file says only so much about a product: the rest stays as it is.
fn keep_unsaid(row: &mut product::Model, known: &product::Model, says_discountable: bool) {
    fn keep<T: Clone>(place: &mut Option<T>, known: &Option<T>) {
        if place.is_none() {
            place.clone_from(known);
        }
    }
    keep(&mut row.subtitle, &known.subtitle);
    keep(&mut row.external_reference, &known.external_reference);
    if !says_discountable {
        row.discountable = known.discountable;
    }
    row.shipping_profile_id = known.shipping_profile_id;
    row.metadata = merged(&known.metadata, &row.metadata);
}

/// Free data with what the file says in place of what was there under the same name.
fn merged(known: &serde_json::Value, said: &serde_json::Value) -> serde_json::Value {
    match (known.as_object(), said.as_object()) {
        (Some(known), Some(said)) => {
            let mut all = known.clone();
            all.extend(said.iter().map(|(key, value)| (key.clone(), value.clone())));
            all.into()
        }
        _ => said.clone(),
    }
}

/// Stock by location; what lies nowhere lies in none at the default place.
fn located(
    places: &Places,
    settings: &Settings,
    stocks: &[(domain::import::Named, i32)],
) -> Result<Vec<(domain::id::LocationId, i32)>> {
    let first = settings.locations.first().map(|location| location.id);
    let first = first.ok_or_else(|| Error::internal("the shop has no location"))?;
    let mut found: Vec<(domain::id::LocationId, i32)> = Vec::new();
    for (named, quantity) in stocks {
        let id = places.locations.get(&named.handle).copied().unwrap_or(first);
        match found.iter_mut().find(|(known, _)| *known == id) {
            Some((_, known)) => *known = known.saturating_add(*quantity),
            None => found.push((id, *quantity)),
        }
    }
    if found.is_empty() {
        found.push((first, 0));
    }
    Ok(found)
}

async fn list(tx: &mut Tx, listed: Vec<(domain::id::CollectionId, ProductId)>) -> Result<()> {
    if listed.is_empty() {
        return Ok(());
    }
    let mut collections: Vec<_> = listed.iter().map(|(collection, _)| *collection).collect();
    collections.sort_unstable();
    collections.dedup();
    let mut ranks = many::last_ranks(&tx.conn, &collections).await?;
    let rows = listed.into_iter().map(|(collection_id, product_id)| {
        let rank = ranks.entry(collection_id).or_insert(-1);
        *rank += 1;
        collection_product::Model { collection_id, product_id, rank: *rank }
    });
    let rows = rows.collect();
    many::add_to_collections(tx, rows).await
}
