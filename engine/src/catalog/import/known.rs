//! What is known of the products of a file: which product and which variant is
//! meant, and what stands against the wish.

use std::collections::{HashMap, HashSet};

use domain::catalog::CheckedVariant;
use domain::id::{CollectionId, MediaId, ProductId, TagId, VariantId};
use domain::import::Imported;
use domain::refusal::{ErrorCode, Refusal};
use domain::text::Handle;
use entity::{media, option, price, product, product_category, product_channel, variant};

use super::super::repo::{self, import as many, write as few};
use super::super::rows::Values;
use super::super::save::spell;
use crate::error::Result;
use crate::op::Tx;

/// Products as they are, with what the wishes are held against.
#[derive(Default)]
pub(super) struct Held {
    pub(super) options: HashMap<ProductId, Vec<option::Model>>,
    pub(super) tags: HashMap<ProductId, Vec<TagId>>,
    pub(super) media: HashMap<ProductId, Vec<media::Model>>,
    pub(super) variants: HashMap<ProductId, Vec<variant::Model>>,
    pub(super) prices: HashMap<VariantId, Vec<price::Model>>,
    pub(super) shown: HashMap<VariantId, MediaId>,
    pub(super) channels: HashMap<ProductId, Vec<product_channel::Model>>,
    pub(super) categories: HashMap<ProductId, Vec<product_category::Model>>,
    pub(super) collections: HashSet<(CollectionId, ProductId)>,
}

fn grouped<K: std::hash::Hash + Eq, T>(rows: impl IntoIterator<Item = (K, T)>) -> HashMap<K, Vec<T>> {
    let mut groups: HashMap<K, Vec<T>> = HashMap::new();
    for (key, row) in rows {
        groups.entry(key).or_default().push(row);
    }
    groups
}

impl Held {
    pub(super) async fn load(tx: &Tx, known: &[ProductId]) -> Result<Self> {
        if known.is_empty() {
            return Ok(Self::default());
        }
        let conn = &tx.conn;
        let variants = repo::variants_of(conn, known).await?;
        let ids: Vec<VariantId> = variants.iter().map(|row| row.id).collect();
        let prices = crate::pricing::repo::all_of_variants(conn, &ids).await?;
        let shown = repo::variant_media_of(conn, &ids).await?;
        let mut first = HashMap::new();
        for (variant, medium) in shown {
            first.entry(variant).or_insert(medium.id);
        }
        Ok(Self {
            options: grouped(few::options_of_products(conn, known).await?),
            tags: grouped(repo::tags_of(conn, known).await?.into_iter().map(|(product, tag)| (product, tag.id))),
            media: grouped(repo::media_of(conn, known).await?),
            variants: grouped(variants.into_iter().map(|row| (row.product_id, row))),
            prices: grouped(prices.into_iter().filter_map(|row| Some((row.variant_id?, row)))),
            shown: first,
            channels: grouped(repo::channels_of(conn, known).await?.into_iter().map(|row| (row.product_id, row))),
            categories: grouped(many::category_links(conn, known).await?.into_iter().map(|row| (row.product_id, row))),
            collections: many::collection_links(conn, known)
                .await?
                .into_iter()
                .map(|row| (row.collection_id, row.product_id))
                .collect(),
        })
    }

    /// Those of one product.
    pub(super) fn of<T>(rows: &HashMap<ProductId, Vec<T>>, product: Option<ProductId>) -> &[T] {
        product.and_then(|id| rows.get(&id)).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Finds the known product of each wish; refuses what is meant by two.
pub(super) async fn meet(tx: &Tx, wishes: &[Imported]) -> Result<(Vec<Option<product::Model>>, Vec<Vec<Refusal>>)> {
    let handles: Vec<Handle> = wishes.iter().map(|wish| wish.product.handle.clone()).collect();
    let references: Vec<String> = wishes.iter().filter_map(|wish| wish.product.external_reference.clone()).collect();
    let ids: Vec<ProductId> = wishes.iter().filter_map(|wish| wish.id).collect();
    let rows = many::lock_known(tx, &handles, &references, &ids).await?;
    let by_id: HashMap<ProductId, &product::Model> = rows.iter().map(|row| (row.id, row)).collect();
    let by_handle: HashMap<&Handle, &product::Model> = rows.iter().map(|row| (&row.handle, row)).collect();
    let by_reference: HashMap<&String, &product::Model> =
        rows.iter().filter_map(|row| Some((row.external_reference.as_ref()?, row))).collect();
    let (mut known, mut refused, mut taken) = (Vec::new(), Vec::new(), HashSet::new());
    for wish in wishes {
        let mut refusals = Vec::new();
        let own = &wish.product;
        let found = match wish.id {
            Some(id) => by_id.get(&id).copied(),
            None => {
                let named = own.external_reference.as_ref().and_then(|reference| by_reference.get(reference));
                named.or_else(|| by_handle.get(&own.handle)).copied()
            }
        };
        if wish.id.is_some() && found.is_none() {
            let message = "There is no product with this id.";
            refusals.push(Refusal::new(ErrorCode::NotFound, message).at(["externalReference"]));
        }
        if by_handle.get(&own.handle).is_some_and(|row| found.is_none_or(|found| found.id != row.id)) {
            refusals.push(own.handle.taken());
        }
        if let Some(row) = own.external_reference.as_ref().and_then(|reference| by_reference.get(reference))
            && found.is_none_or(|found| found.id != row.id)
        {
            let message = "Another product has this external reference.";
            refusals.push(Refusal::new(ErrorCode::Taken, message).at(["externalReference"]));
        }
        if found.is_some_and(|row| !taken.insert(row.id)) {
            let message = "An earlier product of the file is this one already.";
            refusals.push(Refusal::new(ErrorCode::Duplicate, message).at(["handle"]));
        }
        known.push(found.cloned());
        refused.push(refusals);
    }
    Ok((known, refused))
}

/// Refuses numbers that variants of other products have, but for those that are
/// handed over: answers with their holders, each with the place of its taker.
pub(super) async fn check_numbers(
    tx: &Tx,
    wishes: &[Imported],
    known: &[Option<product::Model>],
    handed: &HashMap<String, VariantId>,
    refused: &mut [Vec<Refusal>],
) -> Result<Vec<(usize, VariantId)>> {
    let variants = || wishes.iter().flat_map(|wish| &wish.product.variants);
    let skus: Vec<String> = variants().filter_map(|variant| variant.sku.clone()).collect();
    let references: Vec<String> = variants().filter_map(|variant| variant.external_reference.clone()).collect();
    let by_sku = few::variants_by_skus(&tx.conn, skus).await?;
    let by_sku: HashMap<&str, &variant::Model> =
        by_sku.iter().filter_map(|row| Some((row.sku.as_deref()?, row))).collect();
    let by_reference = few::variants_by_references(&tx.conn, references).await?;
    let by_reference: HashMap<&str, ProductId> =
        by_reference.iter().filter_map(|row| Some((row.external_reference.as_deref()?, row.product_id))).collect();
    let mut taken = Vec::new();
    for (taker, ((wish, known), refusals)) in wishes.iter().zip(known).zip(refused).enumerate() {
        let others = |owner: Option<&ProductId>| owner.is_some_and(|id| known.as_ref().is_none_or(|row| row.id != *id));
        for (place, variant) in wish.product.variants.iter().enumerate() {
            let at = |field: &str| ["variants".to_owned(), place.to_string(), field.to_owned()];
            let holder = variant.sku.as_deref().and_then(|sku| by_sku.get(sku).copied());
            match holder.filter(|row| others(Some(&row.product_id))) {
                Some(row) if row.sku.as_ref().and_then(|sku| handed.get(sku)) == Some(&row.id) => {
                    taken.push((taker, row.id));
                }
                Some(_) => refusals.push(sku_taken(place)),
                None => {}
            }
            if variant.external_reference.as_deref().is_some_and(|text| others(by_reference.get(text))) {
                let message = "A variant of another product has this external reference.";
                refusals.push(Refusal::new(ErrorCode::Taken, message).at(at("externalReference")));
            }
        }
    }
    Ok(taken)
}

/// The refusal of a variant's number, because another product has it.
pub(super) fn sku_taken(place: usize) -> Refusal {
    let message = "A variant of another product has this SKU.";
    Refusal::new(ErrorCode::Taken, message).at(["variants".to_owned(), place.to_string(), "sku".to_owned()])
}

fn by_number<'h>(held: &'h [variant::Model], wished: &CheckedVariant) -> Option<&'h variant::Model> {
    let same = |one: &Option<String>, other: &Option<String>| one.is_some() && one == other;
    let reference = held.iter().find(|row| same(&row.external_reference, &wished.external_reference));
    reference.or_else(|| held.iter().find(|row| same(&row.sku, &wished.sku)))
}

/// Refuses other options where its variants could not be told apart by them.
pub(super) fn check_options(wish: &Imported, held: &Held, known: ProductId) -> Result<Option<Refusal>> {
    let wished = &wish.product.options;
    let options = Held::of(&held.options, Some(known));
    let mut same = wished.len() == options.len();
    for (wished, option) in wished.iter().zip(options) {
        same &= spell(&wished.name)? == option.handle;
    }
    let variants = Held::of(&held.variants, Some(known));
    let met = || {
        let found: HashSet<VariantId> =
            wish.product.variants.iter().filter_map(|wished| by_number(variants, wished)).map(|row| row.id).collect();
        found.len() == variants.len()
    };
    let message = "The product has other options; its variants can't be told apart by these.";
    Ok((!same && !met()).then(|| Refusal::new(ErrorCode::Invalid, message).at(["options"])))
}

/// Which known variant each wished one is: by its number in the other system,
/// else by its values, else by the merchant's number.
pub(super) fn pair<'h>(
    held: &'h [variant::Model],
    wishes: &[(&CheckedVariant, String, Values)],
) -> Vec<Option<&'h variant::Model>> {
    let mut taken: HashSet<VariantId> = HashSet::new();
    let mut found: Vec<Option<&variant::Model>> = vec![None; wishes.len()];
    type Rule = fn(&variant::Model, &CheckedVariant, &str) -> bool;
    let rules: [Rule; 3] = [
        |row, wished, _| row.external_reference.is_some() && row.external_reference == wished.external_reference,
        |row, _, combination| row.combination == combination,
        |row, wished, _| row.sku.is_some() && row.sku == wished.sku,
    ];
    for rule in rules {
        for (place, (wished, combination, _)) in wishes.iter().enumerate() {
            if found[place].is_some() {
                continue;
            }
            found[place] = held.iter().find(|row| !taken.contains(&row.id) && rule(row, wished, combination));
            taken.extend(found[place].map(|row| row.id));
        }
    }
    found
}
