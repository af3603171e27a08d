//! Medusa's product templates, of its first and its second version: one record
//! for each variant, every one with the product's fields. Prices stand in a
//! column for each currency and for each region; pictures, tags, options,
//! categories and sales channels in numbered columns.
//!
//! A column that Medusa's templates don't have is refused, as Medusa does it:
//! it is a slip more often than not.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::sheet::{Header, Row, flag, whole};
use super::{Columns, Context, Imported, Listing, Named, Record, RefusedProduct, RowRefusal};
use crate::catalog::{
    self, BackorderPolicy, MediaDraft, MediaKind, PriceDraft, ProductDraft, ProductStatus, VariantDraft,
};
use crate::id::ProductId;
use crate::money::{Currency, Money};
use crate::refusal::Refusal;
use crate::text::{CountryCode, Handle};

/// Columns that have a place of their own.
const PLACED: &[&str] = &[
    "product id",
    "product handle",
    "product title",
    "product subtitle",
    "product description",
    "product status",
    "product external id",
    "product thumbnail",
    "product discountable",
    "product is giftcard",
    "product weight",
    "product length",
    "product width",
    "product height",
    "product hs code",
    "product origin country",
    "product collection title",
    "product collection handle",
    "product type",
    "product tags",
    "variant id",
    "variant title",
    "variant sku",
    "variant barcode",
    "variant ean",
    "variant upc",
    "variant inventory quantity",
    "variant allow backorder",
    "variant manage inventory",
    "variant weight",
    "variant length",
    "variant width",
    "variant height",
    "variant hs code",
    "variant origin country",
];

/// Columns of Medusa's whose cells go to the metadata under their names.
const KEPT: &[&str] = &[
    "product collection id",
    "product type id",
    "product profile name",
    "product profile type",
    "product shipping profile id",
    "product mid code",
    "product material",
    "product metadata",
    "variant mid code",
    "variant material",
    "variant metadata",
];

/// Columns that say nothing that another shop could use.
const PASSED_OVER: &[&str] = &[
    "product created at",
    "product updated at",
    "product deleted at",
    "variant product id",
    "variant variant rank",
    "variant created at",
    "variant updated at",
    "variant deleted at",
];

/// A column of prices.
#[derive(Debug)]
struct PriceColumn {
    place: usize,
    currency: Currency,
    /// Whether it is for one region; then it goes before the currency's column.
    region: bool,
    /// Whether that region is the only one of its currency.
    alone: bool,
}

/// The numbered columns: what stands at which place, in the order of the numbers.
#[derive(Debug, Default)]
struct Numbered {
    images: Vec<usize>,
    tags: Vec<usize>,
    /// Name and value.
    options: BTreeMap<u32, (Option<usize>, Option<usize>)>,
    /// Id or name, and handle.
    categories: BTreeMap<u32, (Option<usize>, Option<usize>)>,
    /// Id or name.
    channels: BTreeMap<u32, (Option<usize>, Option<usize>)>,
}

/// The header of a file.
#[derive(Debug)]
pub struct Template {
    header: Header,
    numbered: Numbered,
    prices: Vec<PriceColumn>,
    kept: Vec<(usize, String)>,
    columns: Arc<Columns>,
}

/// `start`, a number, and the rest: `option 2 name` is `(2, "name")`.
fn number<'n>(name: &'n str, start: &str) -> Option<(u32, &'n str)> {
    let rest = name.strip_prefix(start)?.trim_start();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = rest.split_at(digits);
    Some((number.parse().ok()?, rest.trim()))
}

impl Numbered {
    /// Whether the column is a numbered one.
    fn take(&mut self, name: &str, place: usize) -> bool {
        let pair = |found: &mut (Option<usize>, Option<usize>), second: bool| {
            let slot = if second { &mut found.1 } else { &mut found.0 };
            *slot = Some(place);
            true
        };
        for start in ["product image", "image"] {
            if let Some((_, "" | "url")) = number(name, start) {
                self.images.push(place);
                return true;
            }
        }
        if let Some((_, "")) = number(name, "product tag") {
            self.tags.push(place);
            return true;
        }
        for start in ["variant option", "option"] {
            match number(name, start) {
                Some((number, part @ ("name" | "value"))) => {
                    return pair(self.options.entry(number).or_default(), part == "value");
                }
                Some(_) => return false,
                None => {}
            }
        }
        if let Some((number, part @ ("" | "name" | "handle"))) = number(name, "product category") {
            return pair(self.categories.entry(number).or_default(), part == "handle");
        }
        for start in ["product sales channel", "sales channel"] {
            match number(name, start) {
                Some((number, part @ ("" | "name" | "id"))) => {
                    return pair(self.channels.entry(number).or_default(), part == "id");
                }
                // What a channel is described as doesn't change one that is there.
                Some((_, "description")) => return true,
                _ => {}
            }
        }
        matches!(number(name, "product category"), Some((_, "description")))
    }
}

impl Template {
    /// Reads the header. `Err` is for a file that is of no use as a whole:
    /// columns that nobody knows, prices of regions that the shop doesn't have.
    pub fn new(names: &[String], context: &Context) -> Result<Self, Vec<RowRefusal>> {
        let (header, mut refusals) = Header::new(names);
        let (mut numbered, mut prices, mut kept) = (Numbered::default(), Vec::new(), Vec::new());
        for (place, told) in header.names().iter().enumerate() {
            let name = told.to_lowercase();
            if let Some(rest) = ["variant price ", "price "].iter().find_map(|start| name.strip_prefix(start)) {
                match price_column(place, rest.trim(), context) {
                    Ok(column) => prices.push(column),
                    Err(reason) => refusals.push(RowRefusal::new(1, told, told, reason)),
                }
            } else if KEPT.contains(&name.as_str()) {
                kept.push((place, told.clone()));
            } else if !name.is_empty()
                && !PLACED.contains(&name.as_str())
                && !PASSED_OVER.contains(&name.as_str())
                && !numbered.take(&name, place)
            {
                refusals.push(RowRefusal::new(1, told, told, "Medusa's templates have no such column."));
            }
        }
        if header.place("product handle").or_else(|| header.place("product title")).is_none() {
            refusals.push(RowRefusal::new(1, "Product Handle", "", "The file needs this column or Product Title."));
        }
        if !refusals.is_empty() {
            return Err(refusals);
        }
        let told = |column: &str| header.name(column).to_owned();
        let option = numbered.options.values().find_map(|(name, _)| *name).and_then(|place| header.names().get(place));
        let columns = Columns {
            handle: told("product handle"),
            option: option.cloned().unwrap_or_default(),
            sku: told("variant sku"),
            reference: told(if header.place("product external id").is_some() {
                "product external id"
            } else {
                "product id"
            }),
            variant_reference: told("variant id"),
        };
        Ok(Self { header, numbered, prices, kept, columns: Arc::new(columns) })
    }

    /// The product's id, else its handle, else its title.
    pub fn key<'r>(&self, cells: &'r [String]) -> &'r str {
        let cell = |column: &str| {
            let cell = self.header.place(column).and_then(|place| cells.get(place))?.trim();
            (!cell.is_empty()).then_some(cell)
        };
        cell("product id").or_else(|| cell("product handle")).or_else(|| cell("product title")).unwrap_or_default()
    }

    /// Reads the records of one product, or says everything that stands against it.
    pub fn read(&self, records: &[Record], context: &Context) -> Result<Imported, RefusedProduct> {
        let rows: Vec<Row<'_>> = records.iter().map(|record| Row::new(&self.header, record)).collect();
        let (line, handle) = rows.first().map_or((0, ""), |row| (row.number(), row.cell("product handle")));
        self.read_rows(&rows, context).map_err(|mut refusals| {
            refusals.sort_by_key(|refusal| refusal.row);
            RefusedProduct { handle: handle.to_owned(), row: line, refusals }
        })
    }

    fn read_rows(&self, rows: &[Row<'_>], context: &Context) -> Result<Imported, Vec<RowRefusal>> {
        let mut refusals: Vec<RowRefusal> = rows.iter().filter_map(|row| row.ragged("product handle")).collect();
        let Some(first) = rows.first().filter(|_| refusals.is_empty()) else { return Err(refusals) };
        let mut draft = self.product(first, rows, context, &mut refusals);
        for row in rows {
            draft.variants.push(self.variant(row, first, &mut refusals));
        }
        let product = match catalog::check_product(draft) {
            Ok(product) if refusals.is_empty() => product,
            checked => {
                for refusal in checked.err().unwrap_or_default() {
                    refusals.push(self.place(&refusal, rows).with(refusal.code));
                }
                return Err(refusals);
            }
        };
        let lines = rows.iter().map(Row::number).collect();
        let id = first.cell("product id").parse::<ProductId>().ok();
        Ok(Imported {
            id,
            says_discountable: self.header.place("product discountable").is_some(),
            categories: self.categories(first),
            collections: collection(first),
            channels: self.channels(first),
            ..Imported::plain(first.number(), product, lines, self.columns.clone())
        })
    }

    fn product(
        &self,
        first: &Row<'_>,
        rows: &[Row<'_>],
        context: &Context,
        refusals: &mut Vec<RowRefusal>,
    ) -> ProductDraft {
        let handle = match first.cell("product handle") {
            "" => None,
            text => text
                .parse::<Handle>()
                .map_err(|refusal| refusals.push(first.refuse("product handle", refusal.message)))
                .ok(),
        };
        let status = match first.cell("product status").to_lowercase().as_str() {
            "" | "draft" | "proposed" => ProductStatus::Draft,
            "published" => ProductStatus::Published,
            "rejected" => ProductStatus::Archived,
            _ => {
                refusals
                    .push(first.refuse("product status", "This is none of draft, proposed, published and rejected."));
                ProductStatus::Draft
            }
        };
        let own = first.cell("product id").parse::<ProductId>().is_ok();
        let reference = first.text("product external id").or_else(|| first.text("product id").filter(|_| !own));
        let tags = first.cell("product tags").split(',').map(str::to_owned);
        let mut draft = ProductDraft {
            handle,
            title: first.cell("product title").to_owned(),
            subtitle: first.text("product subtitle"),
            description_html: first.cell("product description").to_owned(),
            product_type: first.text("product type"),
            tags: tags.chain(self.numbered.tags.iter().map(|place| first.at(*place).to_owned())).collect(),
            status,
            gift_card: flag(first, "product is giftcard", false, refusals),
            discountable: flag(first, "product discountable", true, refusals),
            external_reference: reference,
            ..ProductDraft::default()
        };
        for (place, name) in &self.kept {
            if name.to_lowercase().starts_with("product ") && !first.at(*place).is_empty() {
                draft.metadata.insert(name.clone(), first.at(*place).to_owned());
            }
        }
        let thumbnail = self.header.place("product thumbnail");
        for row in rows {
            for place in thumbnail.iter().chain(&self.numbered.images) {
                let text = row.at(*place);
                if text.is_empty() {
                    continue;
                }
                match context.media_url(text) {
                    Some(url) if draft.media.iter().all(|known| known.url != url) => {
                        draft.media.push(MediaDraft { url, alt: None, kind: MediaKind::Image });
                    }
                    Some(_) => {}
                    // Nobody said where pictures lie: the name alone is kept.
                    None => {
                        let name = self.header.names().get(*place).cloned().unwrap_or_default();
                        draft.metadata.insert(name, text.to_owned());
                    }
                }
            }
        }
        draft
    }

    fn variant(&self, row: &Row<'_>, first: &Row<'_>, refusals: &mut Vec<RowRefusal>) -> VariantDraft {
        let mut options = Vec::new();
        for (name, value) in self.numbered.options.values() {
            let (Some(name), Some(value)) = (name, value) else { continue };
            // Medusa writes the names into every record; files made by hand into the first.
            let label = if row.at(*name).is_empty() { first.at(*name) } else { row.at(*name) };
            match (label, row.at(*value)) {
                ("", "") => {}
                ("", _) => refusals.push(row.refuse_at(*name, "The option has a value and no name.")),
                (label, "") => {
                    refusals.push(row.refuse_at(*value, format!("The variant has no value for the option {label}.")));
                }
                (label, value) => options.push((label.to_owned(), value.to_owned())),
            }
        }
        let mut measure = |name: &str, unit: &str| {
            whole(row, &format!("variant {name}"), unit, refusals)
                .or_else(|| whole(first, &format!("product {name}"), unit, refusals))
        };
        let weight_grams = measure("weight", "grams");
        let (length_mm, width_mm, height_mm) =
            (measure("length", "millimeters"), measure("width", "millimeters"), measure("height", "millimeters"));
        let own = |name: &str| row.text(&format!("variant {name}")).or_else(|| first.text(&format!("product {name}")));
        let barcode = ["variant barcode", "variant ean", "variant upc"].iter().find_map(|column| row.text(column));
        let manage_inventory = flag(row, "variant manage inventory", true, refusals);
        let allow = flag(row, "variant allow backorder", false, refusals);
        let metadata = self.kept.iter().filter(|(_, name)| name.to_lowercase().starts_with("variant "));
        let mut metadata: BTreeMap<String, String> = metadata
            .filter(|(place, _)| !row.at(*place).is_empty())
            .map(|(place, name)| (name.clone(), row.at(*place).to_owned()))
            .collect();
        VariantDraft {
            title: row.text("variant title"),
            sku: row.text("variant sku"),
            barcode,
            options,
            external_reference: row.text("variant id"),
            weight_grams,
            length_mm,
            width_mm,
            height_mm,
            hs_code: own("hs code"),
            origin_country: self.country(row, first, refusals),
            manage_inventory,
            backorder: if allow { BackorderPolicy::Allow } else { BackorderPolicy::Deny },
            prices: self.variant_prices(row, &mut metadata, refusals),
            stock: self.stock(row, refusals),
            metadata,
            ..VariantDraft::default()
        }
    }

    fn country(&self, row: &Row<'_>, first: &Row<'_>, refusals: &mut Vec<RowRefusal>) -> Option<CountryCode> {
        let (row, column) = match row.cell("variant origin country") {
            "" => (first, "product origin country"),
            _ => (row, "variant origin country"),
        };
        let text = row.text(column)?;
        let read = text.to_uppercase().parse::<CountryCode>();
        read.map_err(|refusal: Refusal| refusals.push(row.refuse(column, refusal.message))).ok()
    }

    fn stock(&self, row: &Row<'_>, refusals: &mut Vec<RowRefusal>) -> Option<i32> {
        let text = row.text("variant inventory quantity")?;
        match text.parse::<i32>() {
            Ok(quantity) => Some(quantity),
            Err(_) => {
                refusals.push(row.refuse("variant inventory quantity", "This is not a whole number of pieces."));
                None
            }
        }
    }

    /// The prices of a record. One of a region is the currency's price when the
    /// region is the only one of its currency; otherwise it is kept as it is.
    fn variant_prices(
        &self,
        row: &Row<'_>,
        metadata: &mut BTreeMap<String, String>,
        refusals: &mut Vec<RowRefusal>,
    ) -> Vec<PriceDraft> {
        let mut prices: Vec<(bool, PriceDraft)> = Vec::new();
        for column in &self.prices {
            let text = row.at(column.place);
            if text.is_empty() {
                continue;
            }
            let amount = match Money::parse(text, column.currency) {
                Ok(money) => money.minor,
                Err(error) => {
                    refusals.push(row.refuse_at(column.place, format!("This {error} ({}).", column.currency)));
                    continue;
                }
            };
            if column.region && !column.alone {
                let name = self.header.names().get(column.place).cloned().unwrap_or_default();
                metadata.insert(name, text.to_owned());
                continue;
            }
            let price = PriceDraft { currency: column.currency, amount_minor: amount, compare_at_minor: None };
            match prices.iter_mut().find(|(_, known)| known.currency == price.currency) {
                // The shoppers of the only region pay what stands for the region.
                Some(known) if column.region && !known.0 => *known = (true, price),
                Some(known) if known.0 && !column.region => {}
                Some(_) => {
                    refusals.push(row.refuse_at(column.place, "The variant has a price in this currency already."))
                }
                None => prices.push((column.region, price)),
            }
        }
        prices.into_iter().map(|(_, price)| price).collect()
    }

    fn categories(&self, first: &Row<'_>) -> Vec<Named> {
        let cell = |place: &Option<usize>| place.map_or("", |place| first.at(place));
        let columns = self.numbered.categories.values();
        columns.filter_map(|(name, handle)| named(cell(name), cell(handle))).collect()
    }

    fn channels(&self, first: &Row<'_>) -> Option<Vec<Listing>> {
        let cell = |place: &Option<usize>| place.map_or("", |place| first.at(place));
        let columns = self.numbered.channels.values();
        let found: Vec<Listing> = columns
            .filter_map(|(name, _)| named(cell(name), ""))
            .map(|channel| Listing { channel, since: None })
            .collect();
        (!found.is_empty()).then_some(found)
    }

    fn place(&self, refusal: &Refusal, rows: &[Row<'_>]) -> RowRefusal {
        let path: Vec<&str> = refusal.path.iter().map(String::as_str).collect();
        let first = &rows[0];
        let told = |row: &Row<'_>, column: &str| row.refuse(column, refusal.message.clone());
        match path.as_slice() {
            ["variants", place, rest @ ..] => {
                let row = place.parse().ok().and_then(|place: usize| rows.get(place)).unwrap_or(first);
                match rest {
                    ["options", ..] => {
                        let value = self.numbered.options.values().find_map(|(_, value)| *value);
                        value.map_or_else(
                            || told(row, "variant title"),
                            |place| row.refuse_at(place, refusal.message.clone()),
                        )
                    }
                    ["prices", place, ..] => {
                        let place: usize = place.parse().unwrap_or(0);
                        let filled = self.prices.iter().filter(|column| !row.at(column.place).is_empty());
                        let column = filled.clone().nth(place).or_else(|| self.prices.first());
                        column.map_or_else(
                            || told(row, "variant sku"),
                            |column| row.refuse_at(column.place, refusal.message.clone()),
                        )
                    }
                    ["title"] => told(row, "variant title"),
                    ["barcode"] => told(row, "variant barcode"),
                    ["externalReference"] => told(row, "variant id"),
                    ["hsCode"] => told(row, "variant hs code"),
                    ["weightGrams"] => told(row, "variant weight"),
                    ["lengthMm"] => told(row, "variant length"),
                    ["widthMm"] => told(row, "variant width"),
                    ["heightMm"] => told(row, "variant height"),
                    ["stock"] => told(row, "variant inventory quantity"),
                    _ => told(row, "variant sku"),
                }
            }
            ["title"] => told(first, "product title"),
            ["subtitle"] => told(first, "product subtitle"),
            ["descriptionHtml"] => told(first, "product description"),
            ["productType"] => told(first, "product type"),
            ["externalReference"] => told(first, &self.columns.reference),
            ["media", ..] => self.numbered.images.first().map_or_else(
                || told(first, "product thumbnail"),
                |place| first.refuse_at(*place, refusal.message.clone()),
            ),
            ["tags", ..] => self
                .numbered
                .tags
                .first()
                .map_or_else(|| told(first, "product tags"), |place| first.refuse_at(*place, refusal.message.clone())),
            _ => told(first, "product handle"),
        }
    }
}

/// A category, collection or channel by its name and handle. Medusa's own ids
/// (`pcat_…`, `sc_…`) mean nothing in another shop.
fn named(name: &str, handle: &str) -> Option<Named> {
    let foreign = |text: &str| {
        let digits = text.split_once('_').map_or("", |(_, digits)| digits);
        digits.len() == 26 && digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if foreign(name) && handle.is_empty() {
        return None;
    }
    let handle = handle.parse().ok().or_else(|| Handle::from_title(if handle.is_empty() { name } else { handle }))?;
    let title = if name.is_empty() || foreign(name) { handle.as_str() } else { name };
    Some(Named { title: title.to_owned(), handle: handle.to_string(), above: None })
}

fn collection(first: &Row<'_>) -> Vec<Named> {
    let named = named(first.cell("product collection title"), first.cell("product collection handle"));
    named.into_iter().collect()
}

/// `usd` or `test region [usd]`.
fn price_column(place: usize, rest: &str, context: &Context) -> Result<PriceColumn, String> {
    let parse = |code: &str| {
        code.trim()
            .to_uppercase()
            .parse::<Currency>()
            .map_err(|_| format!("{:?} is no ISO 4217 currency code.", code.trim()))
    };
    let Some((region, code)) = rest.split_once('[') else {
        return Ok(PriceColumn { place, currency: parse(rest)?, region: false, alone: true });
    };
    let currency = parse(code.trim_end_matches(']'))?;
    let region = region.trim();
    let known = context
        .regions
        .iter()
        .find(|known| known.name.to_lowercase() == region || known.handle == region.replace(' ', "-"));
    match known {
        None => Err(format!("The shop has no region {region:?}.")),
        Some(known) if known.currency != currency => {
            Err(format!("The region {:?} sells in {}, not in {currency}.", known.name, known.currency))
        }
        Some(_) => {
            let alone = context.regions.iter().filter(|known| known.currency == currency).count() == 1;
            Ok(PriceColumn { place, currency, region: true, alone })
        }
    }
}

#[cfg(test)]
mod tests;
