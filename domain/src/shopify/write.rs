//! The same file the other way round: a product of the shop as records that
//! [`super::read`] takes for the same product.

use std::collections::BTreeMap;

use crate::catalog::{BackorderPolicy, ProductStatus};
use crate::money::{Currency, Money};
use crate::text::Handle;

/// The columns that are written, in their order; columns of free data follow them.
pub const COLUMNS: [&str; 30] = [
    "Handle",
    "Title",
    "Body (HTML)",
    "Vendor",
    "Type",
    "Tags",
    "Published",
    "Option1 Name",
    "Option1 Value",
    "Option2 Name",
    "Option2 Value",
    "Option3 Name",
    "Option3 Value",
    "Variant SKU",
    "Variant Grams",
    "Variant Inventory Tracker",
    "Variant Inventory Qty",
    "Variant Inventory Policy",
    "Variant Price",
    "Variant Compare At Price",
    "Variant Requires Shipping",
    "Variant Barcode",
    "Image Src",
    "Image Position",
    "Image Alt Text",
    "Gift Card",
    "SEO Title",
    "SEO Description",
    "Variant Image",
    "Status",
];

/// The most options that a record has columns for.
pub const MAX_WRITTEN_OPTIONS: usize = 3;

/// The free data of a variant in which an import keeps who else counts its stock.
const TRACKER: &str = "Variant Inventory Tracker";

/// A product as it is written.
#[derive(Clone, Debug)]
pub struct WrittenProduct {
    /// Its handle.
    pub handle: Handle,
    /// Its title.
    pub title: String,
    /// Its description.
    pub description_html: String,
    /// Who made it.
    pub vendor: Option<String>,
    /// The name of its type.
    pub product_type: Option<String>,
    /// Its tags in order.
    pub tags: Vec<String>,
    /// Whether shoppers see it.
    pub status: ProductStatus,
    /// Whether it is a gift card.
    pub gift_card: bool,
    /// The title for search engines.
    pub seo_title: Option<String>,
    /// The description for search engines.
    pub seo_description: Option<String>,
    /// The names of its options in order.
    pub options: Vec<String>,
    /// Its variants in order, at least one.
    pub variants: Vec<WrittenVariant>,
    /// Addresses of its pictures in order, with the texts in their place.
    pub pictures: Vec<(String, Option<String>)>,
    /// Free data.
    pub metadata: BTreeMap<String, String>,
}

/// A variant as it is written.
#[derive(Clone, Debug)]
pub struct WrittenVariant {
    /// One value of each option.
    pub values: Vec<String>,
    /// The merchant's number for it.
    pub sku: Option<String>,
    /// Grams of one piece.
    pub weight_grams: Option<i32>,
    /// Whether its stock is counted.
    pub manage_inventory: bool,
    /// How many can be promised.
    pub available: i32,
    /// What happens when the stock is used up.
    pub backorder: BackorderPolicy,
    /// What one piece costs, and what is shown struck through, in minor units; a record needs a price to be read again.
    pub price: Option<(i64, Option<i64>)>,
    /// Whether it is sent by post.
    pub requires_shipping: bool,
    /// EAN, UPC, ISBN or the like.
    pub barcode: Option<String>,
    /// The address of the picture that shows it.
    pub picture: Option<String>,
    /// Free data.
    pub metadata: BTreeMap<String, String>,
}

/// Whether free data can be a column that is read back to where it was: of a
/// variant when the column's name speaks of one, else of the product.
pub fn is_column(key: &str, of_variant: bool) -> bool {
    let lower = key.to_lowercase();
    let placed = COLUMNS.iter().any(|column| column.eq_ignore_ascii_case(key));
    let about_variant = lower.starts_with("variant ") || lower.starts_with("cost per item");
    !placed && !key.trim().is_empty() && about_variant == of_variant
}

/// The records of a product whose prices are in `currency`, with `free` columns
/// behind the others. `None` when it has more options than there are columns.
pub fn records(product: &WrittenProduct, currency: Currency, free: &[String]) -> Option<Vec<Vec<String>>> {
    if product.options.len() > MAX_WRITTEN_OPTIONS {
        return None;
    }
    let count = product.variants.len().max(product.pictures.len());
    let mut records = Vec::with_capacity(count);
    for place in 0..count {
        let mut record = Cells::new(free);
        record.put("Handle", product.handle.as_str());
        if place == 0 {
            write_product(&mut record, product);
        }
        if let Some(variant) = product.variants.get(place) {
            write_variant(&mut record, product, variant, currency);
        }
        if let Some((address, alt)) = product.pictures.get(place) {
            record.put("Image Src", address);
            record.put("Image Position", &(place + 1).to_string());
            record.put("Image Alt Text", alt.as_deref().unwrap_or_default());
        }
        records.push(record.cells);
    }
    Some(records)
}

/// A record that is being written.
struct Cells<'c> {
    free: &'c [String],
    cells: Vec<String>,
}

impl<'c> Cells<'c> {
    fn new(free: &'c [String]) -> Self {
        Self { free, cells: vec![String::new(); COLUMNS.len() + free.len()] }
    }

    fn put(&mut self, column: &str, value: &str) {
        let mut columns = COLUMNS.iter().copied().chain(self.free.iter().map(String::as_str));
        if let Some(place) = columns.position(|known| known == column) {
            value.clone_into(&mut self.cells[place]);
        }
    }
}

fn flag(yes: bool) -> &'static str {
    if yes { "TRUE" } else { "FALSE" }
}

fn write_product(record: &mut Cells<'_>, product: &WrittenProduct) {
    record.put("Title", &product.title);
    record.put("Body (HTML)", &product.description_html);
    record.put("Vendor", product.vendor.as_deref().unwrap_or_default());
    record.put("Type", product.product_type.as_deref().unwrap_or_default());
    record.put("Tags", &product.tags.join(", "));
    record.put("Published", flag(product.status == ProductStatus::Published));
    for (option, column) in product.options.iter().zip(["Option1 Name", "Option2 Name", "Option3 Name"]) {
        record.put(column, option);
    }
    if product.options.is_empty() {
        record.put("Option1 Name", "Title");
    }
    record.put("Gift Card", flag(product.gift_card));
    record.put("SEO Title", product.seo_title.as_deref().unwrap_or_default());
    record.put("SEO Description", product.seo_description.as_deref().unwrap_or_default());
    record.put(
        "Status",
        match product.status {
            ProductStatus::Published => "active",
            ProductStatus::Draft => "draft",
            ProductStatus::Archived => "archived",
        },
    );
    for (key, value) in &product.metadata {
        record.put(key, value);
    }
}

fn write_variant(record: &mut Cells<'_>, product: &WrittenProduct, variant: &WrittenVariant, currency: Currency) {
    for (value, column) in variant.values.iter().zip(["Option1 Value", "Option2 Value", "Option3 Value"]) {
        record.put(column, value);
    }
    if product.options.is_empty() {
        record.put("Option1 Value", "Default Title");
    }
    record.put("Variant SKU", variant.sku.as_deref().unwrap_or_default());
    record.put("Variant Grams", &variant.weight_grams.map(|grams| grams.to_string()).unwrap_or_default());
    if variant.manage_inventory {
        record.put(TRACKER, variant.metadata.get(TRACKER).map_or("shopify", String::as_str));
        record.put("Variant Inventory Qty", &variant.available.max(0).to_string());
    }
    let policy = if variant.backorder == BackorderPolicy::Allow { "continue" } else { "deny" };
    record.put("Variant Inventory Policy", policy);
    if let Some((amount, compare_at)) = variant.price {
        record.put("Variant Price", &Money::new(amount, currency).decimal());
        let compare_at = compare_at.map(|minor| Money::new(minor, currency).decimal());
        record.put("Variant Compare At Price", &compare_at.unwrap_or_default());
    }
    record.put("Variant Requires Shipping", flag(variant.requires_shipping));
    // An import takes one apostrophe off.
    let barcode = variant.barcode.as_deref().unwrap_or_default();
    let guard = if barcode.starts_with('\'') { "'" } else { "" };
    record.put("Variant Barcode", &format!("{guard}{barcode}"));
    record.put("Variant Image", variant.picture.as_deref().unwrap_or_default());
    for (key, value) in variant.metadata.iter().filter(|(key, _)| *key != TRACKER) {
        record.put(key, value);
    }
}
