//! Variants that are written together: what goes, what moves, what is new, in
//! the one order in which no unique number stands in another's way. So many
//! statements whatever the number of variants, but for their chunks.

use chrono::DateTime;
use domain::auth::Permission;
use domain::catalog::{CheckedVariant, PriceDraft, made_title};
use domain::id::{LocationId, MediaId, OptionId, OptionValueId, PriceId, ProductId, VariantId};
use domain::money::Currency;
use entity::{price, variant, variant_media, variant_option_value};
use serde_json::json;

use super::repo::write;
use crate::db::insert_all;
use crate::error::{Error, Result};
use crate::op::Tx;
use crate::scope;
use crate::settings::Settings;

/// The values that a variant has, one of each option.
pub type Values = Vec<(OptionId, OptionValueId)>;

/// Rows of variants that wait to be written together.
#[derive(Debug, Default)]
pub struct VariantRows {
    gone: Vec<VariantId>,
    moving: Vec<VariantId>,
    put: Vec<variant::Model>,
    rechosen: Vec<VariantId>,
    values: Vec<variant_option_value::Model>,
    reshown: Vec<VariantId>,
    media: Vec<variant_media::Model>,
    prices_gone: Vec<PriceId>,
    prices: Vec<price::Model>,
    stock: Vec<(VariantId, Option<String>, i32)>,
    spread: Vec<crate::inventory::repo::Opened>,
}

impl VariantRows {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        let lists = [self.gone.is_empty(), self.put.is_empty(), self.reshown.is_empty(), self.media.is_empty()];
        lists.iter().all(|empty| *empty) && self.prices_gone.is_empty() && self.prices.is_empty()
    }

    /// A variant goes.
    pub fn remove(&mut self, variant: VariantId) {
        self.gone.push(variant);
    }

    /// A new variant with its stock at the default place.
    pub fn add(&mut self, row: variant::Model, values: Values, stock: i32) {
        self.choose(row.id, values);
        self.stock.push((row.id, row.sku.clone(), stock));
        self.put.push(row);
    }

    /// A new variant with its stock at these places.
    pub fn add_at(&mut self, row: variant::Model, values: Values, stock: Vec<(LocationId, i32)>) {
        self.choose(row.id, values);
        self.spread.push((row.id, row.sku.clone(), stock));
        self.put.push(row);
    }

    /// A known variant as it shall be; answers whether that changes anything.
    pub fn change(&mut self, tx: &Tx, before: &variant::Model, after: variant::Model, values: Values) -> bool {
        if &after == before {
            return false;
        }
        let numbers = |row: &variant::Model| (row.sku.clone(), row.external_reference.clone(), row.combination.clone());
        if numbers(before) != numbers(&after) {
            self.moving.push(before.id);
        }
        if before.combination != after.combination {
            self.rechosen.push(before.id);
            self.choose(before.id, values);
        }
        self.put.push(variant::Model { version: before.version + 1, updated_at: tx.now(), ..after });
        true
    }

    fn choose(&mut self, variant_id: VariantId, values: Values) {
        let link =
            |(option_id, option_value_id)| variant_option_value::Model { variant_id, option_id, option_value_id };
        self.values.extend(values.into_iter().map(link));
    }

    /// The one medium that shows a variant, in place of those that did.
    pub fn show(&mut self, variant_id: VariantId, medium: Option<MediaId>, new: bool) {
        if !new {
            self.reshown.push(variant_id);
        }
        self.media.extend(medium.map(|media_id| variant_media::Model { variant_id, media_id, rank: 0 }));
    }

    /// The wished prices of a variant, in place of those in their currencies,
    /// or with `whole` of all; answers whether that changes anything. Prices
    /// with conditions are no base prices: they stay.
    pub fn price(
        &mut self,
        tx: &Tx,
        settings: &Settings,
        variant: VariantId,
        wished: (&[PriceDraft], bool),
        held: &[price::Model],
    ) -> bool {
        let (wished, whole) = wished;
        let base = |price: &&price::Model| price.variant_id == Some(variant) && is_base(price);
        let mut changed = false;
        for wish in wished {
            let includes_tax = includes_tax(settings, wish.currency);
            let mut held = held.iter().filter(base).filter(|price| price.currency == wish.currency);
            let as_wished = |price: &price::Model| {
                (price.amount_minor, price.compare_at_minor, price.includes_tax)
                    == (wish.amount_minor, wish.compare_at_minor, includes_tax)
            };
            if held.clone().count() == 1 && held.clone().all(as_wished) {
                continue;
            }
            changed = true;
            self.prices_gone.extend(held.by_ref().map(|price| price.id));
            self.prices.push(price_row(tx, variant, wish, includes_tax));
        }
        if whole {
            let unwished = |price: &&price::Model| wished.iter().all(|wish| wish.currency != price.currency);
            let gone: Vec<PriceId> = held.iter().filter(base).filter(unwished).map(|price| price.id).collect();
            changed |= !gone.is_empty();
            self.prices_gone.extend(gone);
        }
        changed
    }

    /// Rows of prices as they stand.
    pub fn add_prices(&mut self, rows: impl IntoIterator<Item = price::Model>) {
        self.prices.extend(rows);
    }

    /// Writes everything.
    pub async fn write(self, tx: &mut Tx, settings: &Settings) -> Result<()> {
        write::delete_variants(tx, &self.gone).await?;
        write::free_numbers(tx, &self.moving).await?;
        write::put_variants(tx, self.put).await?;
        crate::inventory::repo::rename_items(tx, &self.moving).await?;
        write::forget_values(tx, &self.rechosen).await?;
        insert_all::<variant_option_value::Entity>(&tx.conn, self.values).await?;
        write::forget_media(tx, &self.reshown).await?;
        insert_all::<variant_media::Entity>(&tx.conn, self.media).await?;
        crate::pricing::repo::delete(tx, &self.prices_gone).await?;
        crate::pricing::repo::insert(tx, self.prices).await?;
        crate::inventory::repo::open_at(tx, self.spread).await?;
        if self.stock.is_empty() {
            return Ok(());
        }
        let location = default_location(tx, settings)?;
        crate::inventory::repo::open(tx, location, self.stock).await
    }
}

/// Where the stock of new variants lies: the location that is taken from
/// first, of those that the caller reaches.
pub fn default_location(tx: &Tx, settings: &Settings) -> Result<LocationId> {
    if settings.locations.is_empty() {
        return Err(Error::internal("the shop has no location"));
    }
    let reach = scope::locations(tx.actor(), Permission::CatalogWrite);
    let first = settings.locations.iter().map(|location| location.id).find(|id| reach.holds(*id));
    Ok(first.ok_or_else(|| scope::out_of_scope("the stock of a location"))?)
}

/// Whether everybody gets this price for any quantity.
pub fn is_base(price: &price::Model) -> bool {
    price.price_list_id.is_none()
        && price.rule_count == 0
        && price.min_quantity.is_none()
        && price.max_quantity.is_none()
}

fn price_row(tx: &Tx, variant: VariantId, wish: &PriceDraft, includes_tax: bool) -> price::Model {
    price::Model {
        id: tx.id(),
        created_at: tx.now(),
        updated_at: tx.now(),
        variant_id: Some(variant),
        shipping_option_id: None,
        currency: wish.currency,
        amount_minor: wish.amount_minor,
        compare_at_minor: wish.compare_at_minor,
        includes_tax,
        min_quantity: None,
        max_quantity: None,
        rule_count: 0,
        price_list_id: None,
        rules: None,
    }
}

/// Whether prices in a currency include tax: as the oldest region of that
/// currency says.
pub fn includes_tax(settings: &Settings, currency: Currency) -> bool {
    let region = settings.regions.iter().find(|region| region.row.currency == currency);
    region.is_some_and(|region| region.row.prices_include_tax)
}

/// What tells the choice of a variant from those of its siblings.
pub fn combination(values: &Values) -> String {
    values.iter().map(|(_, value)| value.0.simple().to_string()).collect::<Vec<_>>().join("-")
}

/// A new variant as it is wished.
pub fn new_row(tx: &Tx, wished: &CheckedVariant, product: ProductId, rank: i32, combination: String) -> variant::Model {
    variant::Model {
        id: tx.id(),
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        deleted_at: None,
        product_id: product,
        title: wished.title.clone(),
        sku: wished.sku.clone(),
        sku_fold: wished.sku.as_deref().unwrap_or_default().to_lowercase(),
        barcode: wished.barcode.clone(),
        rank,
        combination,
        external_reference: wished.external_reference.clone(),
        weight_grams: wished.weight_grams,
        length_mm: wished.length_mm,
        width_mm: wished.width_mm,
        height_mm: wished.height_mm,
        hs_code: wished.hs_code.clone(),
        origin_country: wished.origin_country.clone(),
        backorder: wished.backorder,
        manage_inventory: wished.manage_inventory,
        release_at: wished.release_at.and_then(DateTime::from_timestamp_micros),
        requires_shipping: wished.requires_shipping,
        metadata: json!(wished.metadata),
    }
}

/// A known variant as it is wished, its version not yet raised.
pub fn wished_row(
    tx: &Tx,
    wished: &CheckedVariant,
    before: &variant::Model,
    rank: i32,
    combination: String,
) -> variant::Model {
    variant::Model {
        id: before.id,
        version: before.version,
        created_at: before.created_at,
        updated_at: before.updated_at,
        ..new_row(tx, wished, before.product_id, rank, combination)
    }
}

/// A known variant with what is not said of it as it is. `called` is what its product was called before.
pub fn keep_unsaid(
    before: &variant::Model,
    mut after: variant::Model,
    called: &str,
    wished: &CheckedVariant,
) -> variant::Model {
    // A title of its own stays; one that was made follows its product.
    if before.title != made_title(called, wished.options.iter().map(|(_, value)| value.as_str())) {
        after.title.clone_from(&before.title);
    }
    after.external_reference = after.external_reference.or_else(|| before.external_reference.clone());
    after.length_mm = after.length_mm.or(before.length_mm);
    after.width_mm = after.width_mm.or(before.width_mm);
    after.height_mm = after.height_mm.or(before.height_mm);
    after.hs_code = after.hs_code.or_else(|| before.hs_code.clone());
    after.origin_country = after.origin_country.or_else(|| before.origin_country.clone());
    after.release_at = after.release_at.or(before.release_at);
    if let (Some(after), Some(before)) = (after.metadata.as_object_mut(), before.metadata.as_object()) {
        for (key, value) in before {
            after.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    after
}
