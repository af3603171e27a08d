//! Products as a file that Shopify and this shop's own import read. It is
//! written product by product, so that it takes no more memory for a large shop.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;

use domain::catalog::MediaKind;
use domain::id::{ProductId, ProductTypeId, VariantId};
use domain::inventory::{Counted, Sellable};
use domain::money::Currency;
use domain::shopify::write::{COLUMNS, WrittenProduct, WrittenVariant, is_column, records};
use entity::{price, product, variant};

use super::repo::{self, OptionRow, export as pages};
use super::rows::is_base;
use crate::app::App;
use crate::db::Conn;
use crate::error::{Error, Result};

pub use super::repo::export::ExportFilter;

/// Products that are read at once.
const BATCH: u64 = 100;
/// The most columns of free data; a spreadsheet takes no more either.
const MAX_FREE: usize = 1_000;

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exported {
    /// Products in the file.
    pub written: usize,
    /// Products that the file has no columns for: they have more than three options.
    pub left_out: usize,
    /// Variants in the file without a price in its currency: an import refuses their products.
    pub unpriced: usize,
}

/// Writes products with prices in `currency`, telling `progress` how many of how many are done.
pub async fn export_shopify(
    app: &App,
    currency: Currency,
    filter: &ExportFilter,
    out: impl Write,
    mut progress: impl FnMut(usize, usize),
) -> Result<Exported> {
    let conn = app.read();
    let total = pages::count(&conn, filter).await?;
    let free = free_columns(&conn, filter).await?;
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    let header: Vec<&str> = COLUMNS.iter().copied().chain(free.iter().map(String::as_str)).collect();
    csv.write_record(&header).map_err(unwritten)?;
    let mut exported = Exported::default();
    let (mut done, mut behind) = (0, None);
    loop {
        progress(done, total.max(done));
        let rows = pages::page(&conn, filter, behind, BATCH).await?;
        let Some(last) = rows.last() else { break };
        behind = Some(last.id);
        done += rows.len();
        for product in written(&conn, rows, currency).await? {
            match records(&product, currency, &free) {
                Some(records) => {
                    exported.written += 1;
                    exported.unpriced += product.variants.iter().filter(|variant| variant.price.is_none()).count();
                    for record in records {
                        csv.write_record(&record).map_err(unwritten)?;
                    }
                }
                None => exported.left_out += 1,
            }
        }
    }
    csv.flush().map_err(unwritten)?;
    Ok(exported)
}

/// Says that a file can't be written on.
pub(crate) fn unwritten(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("the file can't be written: {error}"))
}

/// The free data that the products and their variants have, as columns.
async fn free_columns(conn: &Conn, filter: &ExportFilter) -> Result<Vec<String>> {
    let mut columns = BTreeSet::new();
    let mut keep = |metadata: &serde_json::Value, of_variant: bool| {
        for (key, value) in metadata.as_object().into_iter().flatten() {
            if value.is_string() && is_column(key, of_variant) && columns.len() < MAX_FREE {
                columns.insert(key.clone());
            }
        }
    };
    let mut behind = None;
    loop {
        let rows = pages::page(conn, filter, behind, BATCH).await?;
        let Some(last) = rows.last() else { break };
        behind = Some(last.id);
        let ids: Vec<ProductId> = rows.iter().map(|row| row.id).collect();
        rows.iter().for_each(|row| keep(&row.metadata, false));
        repo::variants_of(conn, &ids).await?.iter().for_each(|row| keep(&row.metadata, true));
    }
    Ok(columns.into_iter().collect())
}

/// Everything that hangs on some products.
struct Parts {
    types: HashMap<ProductTypeId, String>,
    tags: HashMap<ProductId, Vec<String>>,
    pictures: HashMap<ProductId, Vec<(String, Option<String>)>>,
    options: HashMap<ProductId, Vec<String>>,
    values: HashMap<VariantId, Vec<OptionRow>>,
    shown: HashMap<VariantId, String>,
    prices: HashMap<VariantId, price::Model>,
    available: HashMap<VariantId, i32>,
}

async fn written(conn: &Conn, rows: Vec<product::Model>, currency: Currency) -> Result<Vec<WrittenProduct>> {
    let ids: Vec<ProductId> = rows.iter().map(|row| row.id).collect();
    let mut variants: HashMap<ProductId, Vec<variant::Model>> = HashMap::new();
    let found = repo::variants_of(conn, &ids).await?;
    let variant_ids: Vec<VariantId> = found.iter().map(|row| row.id).collect();
    for row in found {
        variants.entry(row.product_id).or_default().push(row);
    }
    let mut parts = parts(conn, &rows, &ids, &variant_ids, currency).await?;
    let product = |row: product::Model| {
        let own = variants.remove(&row.id).unwrap_or_default();
        WrittenProduct {
            product_type: row.type_id.and_then(|id| parts.types.get(&id).cloned()),
            tags: parts.tags.remove(&row.id).unwrap_or_default(),
            options: parts.options.remove(&row.id).unwrap_or_default(),
            pictures: parts.pictures.remove(&row.id).unwrap_or_default(),
            variants: own.into_iter().map(|row| written_variant(&mut parts, row)).collect(),
            handle: row.handle,
            title: row.title,
            description_html: row.description_html,
            vendor: row.vendor,
            status: row.status,
            gift_card: row.gift_card,
            seo_title: row.seo_title,
            seo_description: row.seo_description,
            metadata: free(&row.metadata),
        }
    };
    Ok(rows.into_iter().map(product).collect())
}

async fn parts(
    conn: &Conn,
    rows: &[product::Model],
    ids: &[ProductId],
    variants: &[VariantId],
    currency: Currency,
) -> Result<Parts> {
    let types: Vec<ProductTypeId> = rows.iter().filter_map(|row| row.type_id).collect();
    let types = repo::types_by_ids(conn, &types).await?.into_iter().map(|row| (row.id, row.value)).collect();
    let mut tags: HashMap<ProductId, Vec<String>> = HashMap::new();
    for (product, tag) in repo::tags_of(conn, ids).await? {
        tags.entry(product).or_default().push(tag.value);
    }
    let mut pictures: HashMap<ProductId, Vec<(String, Option<String>)>> = HashMap::new();
    for (product, media) in repo::media_of(conn, ids).await? {
        if media.kind == MediaKind::Image {
            pictures.entry(product).or_default().push((media.url, media.alt));
        }
    }
    let mut options: HashMap<ProductId, Vec<String>> = HashMap::new();
    for (product, option) in repo::write::options_of_products(conn, ids).await? {
        options.entry(product).or_default().push(option.name);
    }
    let mut values: HashMap<VariantId, Vec<OptionRow>> = HashMap::new();
    for (variant, row) in repo::selected_of(conn, variants).await? {
        values.entry(variant).or_default().push(row);
    }
    let mut shown = HashMap::new();
    for (variant, media) in repo::variant_media_of(conn, variants).await? {
        shown.entry(variant).or_insert(media.url);
    }
    let mut prices = HashMap::new();
    for row in crate::pricing::repo::of_variants(conn, variants, currency).await?.into_iter().filter(is_base) {
        prices.extend(row.variant_id.map(|variant| (variant, row)));
    }
    let mut stock: HashMap<VariantId, Vec<Counted>> = HashMap::new();
    for row in crate::inventory::repo::of_variants(conn, variants).await? {
        stock.entry(row.variant).or_default().push(row.counted());
    }
    let pieces = |rows| i32::try_from(Sellable::of(rows).now).unwrap_or(i32::MAX);
    let available = stock.into_iter().map(|(variant, rows)| (variant, pieces(rows))).collect();
    Ok(Parts { types, tags, pictures, options, values, shown, prices, available })
}

fn written_variant(parts: &mut Parts, row: variant::Model) -> WrittenVariant {
    let price = parts.prices.get(&row.id);
    WrittenVariant {
        values: parts.values.remove(&row.id).unwrap_or_default().into_iter().map(|row| row.value_name).collect(),
        sku: row.sku,
        weight_grams: row.weight_grams,
        manage_inventory: row.manage_inventory,
        available: parts.available.get(&row.id).copied().unwrap_or(0),
        backorder: row.backorder,
        price: price.map(|price| (price.amount_minor, price.compare_at_minor)),
        requires_shipping: row.requires_shipping,
        barcode: row.barcode,
        picture: parts.shown.remove(&row.id),
        metadata: free(&row.metadata),
    }
}

fn free(metadata: &serde_json::Value) -> BTreeMap<String, String> {
    let texts = metadata.as_object().into_iter().flatten();
    texts.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}
