//! From the records of one handle to a product.

use std::collections::{BTreeMap, HashSet};

use super::sheet::Sheet;
use crate::catalog::{
    self, BackorderPolicy, MediaDraft, MediaKind, OptionDraft, PriceDraft, ProductDraft, ProductStatus, VariantDraft,
};
use crate::import::field::Fields;
use crate::import::sheet::{Row, flag, whole};
use crate::import::{Context, Imported, Named, Record, RefusedProduct, RowRefusal};
use crate::money::{Currency, Money};
use crate::refusal::{ErrorCode, Refusal};

/// The number of option columns that the format has.
const OPTIONS: usize = 3;
const NAMES: [&str; OPTIONS] = ["Option1 Name", "Option2 Name", "Option3 Name"];
const VALUES: [&str; OPTIONS] = ["Option1 Value", "Option2 Value", "Option3 Value"];

/// Reads the records of one handle, or says everything that stands against it.
pub fn read_product(sheet: &Sheet, records: &[Record], context: &Context) -> Result<Imported, RefusedProduct> {
    let rows: Vec<Row<'_>> = records.iter().map(|record| Row::new(&sheet.header, record)).collect();
    let first = rows.first().map_or(0, Row::number);
    let handle = records.first().map_or("", |record| sheet.key(&record.cells));
    read(sheet, handle, rows, context).map_err(|mut refusals| {
        refusals.sort_by_key(|refusal| refusal.row);
        RefusedProduct { handle: handle.to_owned(), row: first, refusals }
    })
}

fn read(sheet: &Sheet, handle: &str, rows: Vec<Row<'_>>, context: &Context) -> Result<Imported, Vec<RowRefusal>> {
    let ragged = |row: &Row<'_>| row.ragged("Handle");
    let mut refusals: Vec<RowRefusal> = rows.iter().filter_map(ragged).collect();
    let Some(first) = rows.first().copied().filter(|row| ragged(row).is_none()) else {
        // The first record says how to read the others.
        return Err(refusals);
    };
    // In a ragged record no cell can be trusted to stand below its column.
    let sound: Vec<Row<'_>> = rows.into_iter().filter(|row| ragged(row).is_none()).collect();
    let mut columns = Columns::new(sheet, first, &sound, &mut refusals);
    let draft = columns.draft(handle, &sound, context, &mut refusals);
    let mut fields = Fields::default();
    fields.read(context, &sheet.header, &sheet.fields, &sound, &columns.variants);
    refusals.append(&mut fields.refusals);
    let product = match catalog::check_product(draft) {
        Ok(product) if refusals.is_empty() => product,
        checked => {
            let found = checked.err().unwrap_or_default();
            refusals.extend(found.iter().filter_map(|refusal| Some(columns.place(refusal)?.with(refusal.code))));
            return Err(refusals);
        }
    };
    let lines = columns.variants.iter().map(Row::number).collect();
    Ok(Imported {
        fields: fields.fields,
        new_fields: fields.new,
        collections: collections(&sound),
        ..Imported::plain(first.number(), product, lines, sheet.columns.clone())
    })
}

/// The collections that the records name, which Shopify finds by their titles.
fn collections(rows: &[Row<'_>]) -> Vec<Named> {
    let mut found: Vec<Named> = Vec::new();
    for title in rows.iter().map(|row| row.cell("Collection")).filter(|title| !title.is_empty()) {
        let Some(handle) = crate::text::Handle::from_title(title) else { continue };
        let named = Named { handle: handle.to_string(), title: title.to_owned(), above: None };
        if found.iter().all(|known| known.handle != named.handle) {
            found.push(named);
        }
    }
    found
}

/// Which record each part of the draft came from, so that a refusal of the
/// draft can be told as one of a cell.
struct Columns<'a> {
    sheet: &'a Sheet,
    first: Row<'a>,
    /// The option columns in use, from 0.
    options: Vec<usize>,
    variants: Vec<Row<'a>>,
    /// In each variant the option columns that have a value.
    values: Vec<Vec<usize>>,
    media: Vec<Row<'a>>,
}

impl<'a> Columns<'a> {
    fn new(sheet: &'a Sheet, first: Row<'a>, rows: &[Row<'a>], refusals: &mut Vec<RowRefusal>) -> Self {
        let mut variants = vec![first];
        variants.extend(rows.iter().skip(1).filter(|row| is_variant(row)));
        for row in rows.iter().skip(1).filter(|row| !is_variant(row) && row.cell("Image Src").is_empty()) {
            refusals.push(row.refuse("Handle", "The record has neither a variant nor a picture."));
        }
        // Shopify's way to say that a product has no options.
        let plain = variants.len() == 1
            && first.cell(VALUES[0]).eq_ignore_ascii_case("Default Title")
            && ["", "title"].contains(&first.cell(NAMES[0]).to_lowercase().as_str());
        let read = if plain { 1..OPTIONS } else { 0..OPTIONS };
        let (options, nameless): (Vec<_>, Vec<_>) = read.partition(|option| !first.cell(NAMES[*option]).is_empty());
        for option in nameless {
            for row in variants.iter().filter(|row| !row.cell(VALUES[option]).is_empty()) {
                let reason = "The first record of the product has no name for this option.";
                refusals.push(row.refuse(VALUES[option], reason));
            }
        }
        for option in &options {
            let name = first.cell(NAMES[*option]);
            for row in rows.iter().skip(1) {
                let again = row.cell(NAMES[*option]);
                if !again.is_empty() && !again.eq_ignore_ascii_case(name) {
                    let reason = format!("The first record of the product names this option {name}.");
                    refusals.push(row.refuse(NAMES[*option], reason));
                }
            }
        }
        Self { sheet, first, options, variants, values: Vec::new(), media: Vec::new() }
    }

    fn draft(
        &mut self,
        handle: &str,
        rows: &[Row<'a>],
        context: &Context,
        refusals: &mut Vec<RowRefusal>,
    ) -> ProductDraft {
        let first = self.first;
        let parsed = match handle.parse() {
            Ok(handle) => Some(handle),
            Err(refusal) => {
                let refusal: Refusal = refusal;
                let reason = if handle.is_empty() { "The record names no product." } else { &refusal.message };
                refusals.push(first.refuse("Handle", reason));
                None
            }
        };
        let name = |option: &usize| OptionDraft { name: first.cell(NAMES[*option]).to_owned(), values: Vec::new() };
        let options = self.options.iter().map(name).collect();
        let mut variants = Vec::new();
        for row in self.variants.clone() {
            variants.push(self.variant(&row, context, refusals));
        }
        let mut draft = ProductDraft {
            handle: parsed,
            title: first.cell("Title").to_owned(),
            description_html: first.cell("Body (HTML)").to_owned(),
            vendor: first.text("Vendor"),
            product_type: first.text("Type"),
            tags: first.cell("Tags").split(',').map(|tag| tag.trim().to_owned()).collect(),
            status: status(&first, refusals),
            gift_card: flag(&first, "Gift Card", false, refusals),
            seo_title: first.text("SEO Title"),
            seo_description: first.text("SEO Description"),
            options,
            variants,
            media: self.media(rows, context, refusals),
            ..ProductDraft::default()
        };
        self.keep_unplaced(rows, &mut draft);
        draft
    }

    fn variant(&mut self, row: &Row<'a>, context: &Context, refusals: &mut Vec<RowRefusal>) -> VariantDraft {
        let mut options = Vec::new();
        let mut given = Vec::new();
        for option in &self.options {
            let (name, value) = (self.first.cell(NAMES[*option]), row.cell(VALUES[*option]));
            if value.is_empty() {
                refusals.push(row.refuse(VALUES[*option], format!("The variant has no value for the option {name}.")));
            } else {
                options.push((name.to_owned(), value.to_owned()));
                given.push(*option);
            }
        }
        self.values.push(given);
        let tracker = row.cell("Variant Inventory Tracker");
        let mut metadata = BTreeMap::new();
        if !["", "shopify"].contains(&tracker.to_lowercase().as_str()) {
            // Who else counts the stock has no place in the shop.
            metadata.insert("Variant Inventory Tracker".to_owned(), tracker.to_owned());
        }
        let barcode = row.cell("Variant Barcode");
        VariantDraft {
            title: None,
            sku: row.text("Variant SKU"),
            // Spreadsheets show long digits as they are only behind an apostrophe.
            barcode: Some(barcode.strip_prefix('\'').unwrap_or(barcode).to_owned()),
            options,
            weight_grams: whole(row, "Variant Grams", "grams", refusals),
            requires_shipping: flag(row, "Variant Requires Shipping", true, refusals),
            manage_inventory: !tracker.is_empty(),
            backorder: backorder(row, refusals),
            prices: price(row, context.currency, refusals).into_iter().collect(),
            stock: stock(row, tracker.is_empty(), refusals),
            media_url: row.text("Variant Image").map(|url| shown(context, &url)),
            metadata,
            ..VariantDraft::default()
        }
    }

    /// The pictures by position, those without a position behind them. Files
    /// made by hand repeat a picture in every record: it is taken once.
    fn media(&mut self, rows: &[Row<'a>], context: &Context, refusals: &mut Vec<RowRefusal>) -> Vec<MediaDraft> {
        let mut placed: Vec<(u32, Row<'a>)> = Vec::new();
        let mut seen = HashSet::new();
        for row in rows {
            let (src, position) = (row.cell("Image Src"), row.cell("Image Position"));
            if src.is_empty() || !seen.insert(src) {
                continue;
            }
            let position = if position.is_empty() { Ok(u32::MAX) } else { position.parse::<u32>() };
            match position {
                Ok(position) => placed.push((position, *row)),
                Err(_) => refusals.push(row.refuse("Image Position", "This is not a whole number such as 1.")),
            }
        }
        placed.sort_by_key(|(position, _)| *position);
        self.media = placed.into_iter().map(|(_, row)| row).collect();
        let medium = |row: &Row<'_>| MediaDraft {
            url: shown(context, row.cell("Image Src")),
            alt: row.text("Image Alt Text"),
            kind: MediaKind::Image,
        };
        self.media.iter().map(medium).collect()
    }

    /// Puts the cells without a place of their own into the metadata: of the
    /// variant for columns about variants, else of the product. Where later
    /// records say something else than the first, or a record without a
    /// variant speaks of one, the key names the row, so that nothing is lost.
    fn keep_unplaced(&self, rows: &[Row<'a>], draft: &mut ProductDraft) {
        // The variants stand in the order of their records.
        let mut variants = self.variants.iter().zip(&mut draft.variants).peekable();
        for row in rows {
            let mut variant = variants.next_if(|(known, _)| known.is(row)).map(|(_, variant)| variant);
            for (column, about_variant, value) in self.sheet.unplaced(*row) {
                let row_key = || format!("{column} (row {})", row.number());
                match &mut variant {
                    Some(variant) if about_variant => {
                        variant.metadata.insert(column.to_owned(), value.to_owned());
                    }
                    _ if about_variant => {
                        draft.metadata.insert(row_key(), value.to_owned());
                    }
                    _ => match draft.metadata.get(column) {
                        Some(known) if known == value => {}
                        Some(_) => {
                            draft.metadata.insert(row_key(), value.to_owned());
                        }
                        None => {
                            draft.metadata.insert(column.to_owned(), value.to_owned());
                        }
                    },
                }
            }
        }
    }

    /// The refusal of a part of the draft as one of a cell; `None` when it only
    /// repeats one that was found while reading.
    fn place(&self, refusal: &Refusal) -> Option<RowRefusal> {
        let path: Vec<&str> = refusal.path.iter().map(String::as_str).collect();
        let at = |rows: &[Row<'a>], place: &str| place.parse::<usize>().ok().and_then(|place| rows.get(place).copied());
        let (row, column) = match path.as_slice() {
            ["variants", place, rest @ ..] => {
                let row = at(&self.variants, place)?;
                match rest {
                    // A missing value was refused together with its column.
                    ["options"] if refusal.code == ErrorCode::Required => return None,
                    ["options", pair] => {
                        let variant: usize = place.parse().ok()?;
                        let option = self.values.get(variant)?.get(pair.parse::<usize>().ok()?)?;
                        (row, VALUES[*option])
                    }
                    ["options"] => (row, VALUES[self.options.first().copied().unwrap_or(0)]),
                    ["prices", _, "compareAt"] => (row, "Variant Compare At Price"),
                    ["prices", ..] => (row, "Variant Price"),
                    ["sku"] => (row, "Variant SKU"),
                    ["barcode"] => (row, "Variant Barcode"),
                    ["weightGrams"] => (row, "Variant Grams"),
                    ["stock"] => (row, "Variant Inventory Qty"),
                    ["mediaUrl"] => (row, "Variant Image"),
                    _ => (row, "Handle"),
                }
            }
            ["media", place, field] => {
                let column = if *field == "alt" { "Image Alt Text" } else { "Image Src" };
                (at(&self.media, place)?, column)
            }
            ["options", place, ..] => {
                let option = self.options.get(place.parse::<usize>().ok()?)?;
                (self.first, NAMES[*option])
            }
            ["title"] => (self.first, "Title"),
            ["descriptionHtml"] => (self.first, "Body (HTML)"),
            ["vendor"] => (self.first, "Vendor"),
            ["productType"] => (self.first, "Type"),
            ["tags", ..] => (self.first, "Tags"),
            ["seoTitle"] => (self.first, "SEO Title"),
            ["seoDescription"] => (self.first, "SEO Description"),
            ["media"] => (self.first, "Image Src"),
            // The file's handle was refused already, and one can't be made in its place.
            ["handle"] => return None,
            _ => (self.first, "Handle"),
        };
        Some(row.refuse(column, refusal.message.clone()))
    }
}

/// Whether a record after the first describes a variant. A SKU or barcode alone
/// is enough: such a record lost its price, and must not pass for a picture.
fn is_variant(row: &Row<'_>) -> bool {
    let telling = ["Variant Price", "Variant SKU", "Variant Barcode"];
    VALUES.iter().chain(&telling).any(|column| !row.cell(column).is_empty())
}

/// The address of a picture; a path alone is left as it is, and refused.
fn shown(context: &Context, text: &str) -> String {
    context.media_url(text).unwrap_or_else(|| text.to_owned())
}

/// What was archived stays so; anything else that isn't published is a draft.
fn status(row: &Row<'_>, refusals: &mut Vec<RowRefusal>) -> ProductStatus {
    let published = flag(row, "Published", true, refusals);
    match row.cell("Status").to_lowercase().as_str() {
        "archived" => ProductStatus::Archived,
        "active" | "" if published => ProductStatus::Published,
        // Shopify shows what is unlisted to those who know its address; here nobody would know it.
        "active" | "draft" | "unlisted" | "" => ProductStatus::Draft,
        _ => {
            refusals.push(row.refuse("Status", "This is none of active, draft, unlisted and archived."));
            ProductStatus::Draft
        }
    }
}

/// An empty cell denies, which is Shopify's own default.
fn backorder(row: &Row<'_>, refusals: &mut Vec<RowRefusal>) -> BackorderPolicy {
    let column = "Variant Inventory Policy";
    match row.cell(column).to_lowercase().as_str() {
        "" | "deny" | "false" => BackorderPolicy::Deny,
        "continue" | "true" => BackorderPolicy::Allow,
        _ => {
            refusals.push(row.refuse(column, "This is neither deny nor continue."));
            BackorderPolicy::Deny
        }
    }
}

fn price(row: &Row<'_>, currency: Currency, refusals: &mut Vec<RowRefusal>) -> Option<PriceDraft> {
    let mut amount = |column: &str| match Money::parse(row.cell(column), currency) {
        Ok(money) => Some(money.minor),
        Err(error) => {
            refusals.push(row.refuse(column, format!("This {error} ({currency}).")));
            None
        }
    };
    // Shopify writes 0 for a compare-at price that was taken away.
    let compare_at_minor = match row.cell("Variant Compare At Price") {
        "" => None,
        _ => amount("Variant Compare At Price").filter(|minor| *minor != 0),
    };
    if row.cell("Variant Price").is_empty() {
        refusals.push(row.refuse("Variant Price", "The price is missing."));
        return None;
    }
    let amount_minor = amount("Variant Price")?;
    Some(PriceDraft { currency, amount_minor, compare_at_minor })
}

/// Pieces in stock. Where nobody counts, Shopify lets the figure run below zero:
/// that says nothing and becomes zero; where somebody counts, it is refused.
fn stock(row: &Row<'_>, uncounted: bool, refusals: &mut Vec<RowRefusal>) -> Option<i32> {
    let column = "Variant Inventory Qty";
    let text = row.text(column)?;
    match text.parse::<i32>() {
        Ok(quantity) if uncounted => Some(quantity.max(0)),
        Ok(quantity) if quantity < 0 => {
            refusals.push(row.refuse(column, "A stock that is counted can't be below zero."));
            None
        }
        Ok(quantity) => Some(quantity),
        Err(_) => {
            refusals.push(row.refuse(column, "This is not a whole number of pieces."));
            None
        }
    }
}
