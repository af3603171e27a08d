//! Products as they are, in the words in which they are wished: what a change
//! names is written over it, and the whole is checked and stored again.

use std::collections::{BTreeMap, HashMap};

use domain::catalog::{MediaDraft, OptionDraft, ProductDraft, VariantDraft, made_title, option_handle};
use domain::id::{ProductId, VariantId};
use domain::text::Handle;
use entity::{media, option, product, variant};

use super::repo::{self, write};
use crate::db::Conn;
use crate::error::Result;

/// A product with all that belongs to it but prices and stock.
#[derive(Debug, Clone)]
pub struct Held {
    /// The product.
    pub product: product::Model,
    /// Its tags in order.
    pub tags: Vec<String>,
    /// The name of its type.
    pub product_type: Option<String>,
    /// Its options in order.
    pub options: Vec<option::Model>,
    /// Its variants in order.
    pub variants: Vec<variant::Model>,
    /// Pairs of an option's name and its value of each variant.
    pub chosen: HashMap<VariantId, Vec<(String, String)>>,
    /// Its media in order.
    pub media: Vec<media::Model>,
    /// The addresses of the media that show its variants.
    pub shown: HashMap<VariantId, String>,
}

/// Products with all that belongs to them, in the order given; as many
/// statements for one as for all.
pub async fn load(conn: &Conn, products: Vec<product::Model>) -> Result<Vec<Held>> {
    let ids: Vec<ProductId> = products.iter().map(|row| row.id).collect();
    let types: Vec<_> = products.iter().filter_map(|row| row.type_id).collect();
    let types = if types.is_empty() { Vec::new() } else { repo::types_by_ids(conn, &types).await? };
    let mut tags = grouped(repo::tags_of(conn, &ids).await?);
    let mut options = grouped(write::options_of_products(conn, &ids).await?);
    let mut media = grouped(repo::media_of(conn, &ids).await?);
    let variants = repo::variants_of(conn, &ids).await?;
    let of: Vec<VariantId> = variants.iter().map(|row| row.id).collect();
    let mut chosen: HashMap<VariantId, Vec<(String, String)>> = HashMap::new();
    for (variant, row) in repo::selected_of(conn, &of).await? {
        chosen.entry(variant).or_default().push((row.name, row.value_name));
    }
    let mut shown = HashMap::new();
    for (variant, medium) in repo::variant_media_of(conn, &of).await? {
        shown.entry(variant).or_insert(medium.url);
    }
    let mut variants = grouped(variants.into_iter().map(|row| (row.product_id, row)));
    let held = products.into_iter().map(|product| {
        let variants = variants.remove(&product.id).unwrap_or_default();
        let own = |row: &variant::Model| Some((row.id, chosen.remove(&row.id)?));
        let chosen = variants.iter().filter_map(own).collect();
        let shown = variants.iter().filter_map(|row| Some((row.id, shown.get(&row.id)?.clone()))).collect();
        Held {
            tags: tags.remove(&product.id).unwrap_or_default().into_iter().map(|tag| tag.value).collect(),
            product_type: types.iter().find(|row| Some(row.id) == product.type_id).map(|row| row.value.clone()),
            options: options.remove(&product.id).unwrap_or_default(),
            media: media.remove(&product.id).unwrap_or_default(),
            variants,
            chosen,
            shown,
            product,
        }
    });
    Ok(held.collect())
}

fn grouped<T>(rows: impl IntoIterator<Item = (ProductId, T)>) -> HashMap<ProductId, Vec<T>> {
    let mut groups: HashMap<ProductId, Vec<T>> = HashMap::new();
    for (product, row) in rows {
        groups.entry(product).or_default().push(row);
    }
    groups
}

fn texts(json: &serde_json::Value) -> BTreeMap<String, String> {
    serde_json::from_value(json.clone()).unwrap_or_default()
}

impl Held {
    /// The product as a wish that changes nothing. Its options are open for new values.
    pub fn draft(&self) -> ProductDraft {
        let row = &self.product;
        let medium = |row: &media::Model| MediaDraft { url: row.url.clone(), alt: row.alt.clone(), kind: row.kind };
        let option = |row: &option::Model| OptionDraft { name: row.name.clone(), values: Vec::new() };
        ProductDraft {
            handle: Some(row.handle.clone()),
            title: row.title.clone(),
            subtitle: row.subtitle.clone(),
            description_html: row.description_html.clone(),
            vendor: row.vendor.clone(),
            product_type: self.product_type.clone(),
            tags: self.tags.clone(),
            status: row.status,
            gift_card: row.gift_card,
            discountable: row.discountable,
            shipping_profile: row.shipping_profile_id,
            external_reference: row.external_reference.clone(),
            seo_title: row.seo_title.clone(),
            seo_description: row.seo_description.clone(),
            options: self.options.iter().map(option).collect(),
            variants: self.variants.iter().map(|row| self.variant(row)).collect(),
            media: self.media.iter().map(medium).collect(),
            metadata: texts(&row.metadata),
            // Whoever saves it doesn't look at them: they stay.
            categories: Vec::new(),
        }
    }

    /// A variant as a wish that changes nothing: prices that aren't named stay.
    pub fn variant(&self, row: &variant::Model) -> VariantDraft {
        let chosen = self.chosen.get(&row.id).cloned().unwrap_or_default();
        // A title that was made is made again when values change; one of its own stays.
        let made = made_title(&self.product.title, chosen.iter().map(|(_, value)| value.as_str()));
        VariantDraft {
            title: Some(row.title.clone()).filter(|title| *title != made),
            sku: row.sku.clone(),
            barcode: row.barcode.clone(),
            options: chosen,
            external_reference: row.external_reference.clone(),
            weight_grams: row.weight_grams,
            length_mm: row.length_mm,
            width_mm: row.width_mm,
            height_mm: row.height_mm,
            hs_code: row.hs_code.clone(),
            origin_country: row.origin_country.clone(),
            requires_shipping: row.requires_shipping,
            manage_inventory: row.manage_inventory,
            backorder: row.backorder,
            release_at: row.release_at.map(|moment| moment.timestamp_micros()),
            prices: Vec::new(),
            prices_whole: false,
            stock: None,
            media_url: self.shown.get(&row.id).cloned(),
            metadata: texts(&row.metadata),
        }
    }

    /// The variant that has exactly these values, however they are spelled and ordered.
    pub fn with_values(&self, options: &[(String, String)]) -> Option<&variant::Model> {
        let wished = spelled(options);
        self.variants.iter().find(|row| {
            self.chosen.get(&row.id).map_or(&[][..], Vec::as_slice).len() == wished.len()
                && self.chosen.get(&row.id).is_none_or(|chosen| spelled(chosen) == wished)
        })
    }
}

fn spelled(options: &[(String, String)]) -> Vec<(Option<Handle>, Option<Handle>)> {
    let mut pairs: Vec<_> = options.iter().map(|(name, value)| (option_handle(name), option_handle(value))).collect();
    pairs.sort();
    pairs
}
