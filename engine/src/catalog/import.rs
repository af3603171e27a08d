//! Products out of a Shopify file: each is stored or refused as a whole, in a
//! transaction of its own, so that a long file never holds up the shop and one
//! bad record costs one product.

use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;

use domain::money::Currency;
use domain::refusal::{ErrorCode, Refusal};
use domain::shopify::{self, Imported, Record, RefusedProduct, RowRefusal};

use super::ops::ImportProduct;
use super::save::Saved;
use crate::actor::Caller;
use crate::app::App;
use crate::db::unique_violation;
use crate::error::{Error, Result};

/// What became of the products of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// How many are new.
    pub created: usize,
    /// How many were known and something of them was changed.
    pub updated: usize,
    /// How many were as the file says.
    pub unchanged: usize,
    /// Those of which nothing was written, in the order of the file.
    pub refused: Vec<RefusedProduct>,
}

impl Report {
    fn count(&mut self, saved: Saved) {
        match saved {
            Saved::Created => self.created += 1,
            Saved::Updated => self.updated += 1,
            Saved::Unchanged => self.unchanged += 1,
        }
    }
}

/// Imports a Shopify product file whose prices are in `currency`. A rehearsal
/// (`dry_run`) goes through everything and keeps nothing.
///
/// `Err` is for what stands against the import as a whole: no region sells in
/// this currency, the file can't be read, the database fails. Products that
/// were stored before the database failed stay stored.
pub async fn import_shopify(app: &Arc<App>, reader: impl Read, currency: Currency, dry_run: bool) -> Result<Report> {
    import_shopify_watched(app, reader, currency, dry_run, |_, _| {}).await
}

/// [`import_shopify`], calling `progress` with the number of products that are
/// done and of all that the file holds.
pub async fn import_shopify_watched(
    app: &Arc<App>,
    reader: impl Read,
    currency: Currency,
    dry_run: bool,
    mut progress: impl FnMut(usize, usize),
) -> Result<Report> {
    check_currency(app, currency)?;
    let (header, records) = read_records(reader)?;
    let reading = match shopify::read(&header, &records, currency) {
        Ok(reading) => reading,
        // A file without the needed columns: no product can be told from another.
        Err(refusals) => {
            let file = RefusedProduct { handle: String::new(), row: 1, refusals };
            return Ok(Report { refused: vec![file], ..Report::default() });
        }
    };
    let mut report = Report { refused: reading.refused, ..Report::default() };
    let total = reading.products.len();
    // A rehearsal undoes each product, so the next one can't meet it in the database.
    let mut rehearsed = HashSet::new();
    for (place, imported) in reading.products.into_iter().enumerate() {
        progress(place, total);
        let outcome = match taken_skus(&imported, &rehearsed) {
            refusals if refusals.is_empty() => store(app, &imported, dry_run).await?,
            refusals => Err(refusals),
        };
        match outcome {
            Ok(saved) => {
                report.count(saved);
                if dry_run {
                    rehearsed.extend(imported.product.variants.into_iter().filter_map(|variant| variant.sku));
                }
            }
            Err(refusals) => {
                let refusals = refusals.into_iter().map(|refusal| in_cell(&imported, refusal)).collect();
                let handle = imported.product.handle.to_string();
                report.refused.push(RefusedProduct { handle, row: imported.row, refusals });
            }
        }
    }
    progress(total, total);
    report.refused.sort_by_key(|product| product.row);
    Ok(report)
}

/// Prices that no region sells in would be seen by nobody.
fn check_currency(app: &App, currency: Currency) -> Result<()> {
    if app.settings().regions.iter().any(|region| region.row.currency == currency) {
        return Ok(());
    }
    // Most currencies begin with the code of their country.
    let country = match currency.code() {
        "EUR" => "DE",
        code => code.get(..2).unwrap_or("DE"),
    };
    let message = format!(
        "No region of the shop sells in {currency}: nobody would see these prices. Make one on /admin/graphql first, \
         such as\n  mutation {{ regionSet(input: {{ name: \"{currency}\", currencyCode: \"{currency}\", countries: \
         [\"{country}\"], pricesIncludeTax: true }}) {{ region {{ id }} userErrors {{ message }} }} }}\n\
         or run `emporion seed demo`, which makes one for EUR and one for USD."
    );
    Err(Refusal::new(ErrorCode::RegionMissing, message).into())
}

/// Splits the file into its header and its records, each with the line on
/// which it starts.
fn read_records(mut reader: impl Read) -> Result<(Vec<String>, Vec<Record>)> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).map_err(|error| unreadable(format!("The file can't be read: {error}.")))?;
    let line_of = |place: usize| bytes[..place].iter().filter(|byte| **byte == b'\n').count() + 1;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = line_of(error.valid_up_to());
        unreadable(format!("Line {line} of the file is not UTF-8: save it as CSV in UTF-8."))
    })?;
    if let Some(place) = text.find('\0') {
        let line = line_of(place);
        return Err(unreadable(format!("Line {line} of the file holds a zero byte: this is no text file.")));
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut header = None;
    let mut records = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(format!("The file can't be read: {error}.")))?;
        let cells: Vec<String> = record.iter().map(str::to_owned).collect();
        match &header {
            None => header = Some(cells),
            Some(_) => records.push(Record { row: line(&record, text), cells }),
        }
    }
    Ok((header.unwrap_or_default(), records))
}

/// The line on which a record starts. The reader says where the one before
/// ended: the rest of that line's end, and empty lines, are still to come.
fn line(record: &csv::StringRecord, text: &str) -> usize {
    let Some(position) = record.position() else { return 0 };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n');
    usize::try_from(position.line()).unwrap_or(usize::MAX).saturating_add(ends.count())
}

fn unreadable(message: String) -> Error {
    Refusal::new(ErrorCode::Invalid, message).into()
}

/// Stores one product, or says why not; `Err` without refusals in it ends the import.
async fn store(app: &Arc<App>, imported: &Imported, dry_run: bool) -> Result<Result<Saved, Vec<Refusal>>> {
    let op = ImportProduct { product: imported.product.clone(), dry_run };
    match app.run(&Caller::system(), &op).await {
        Ok((_, saved)) => Ok(Ok(saved)),
        Err(Error::Refused(refusals)) => Ok(Err(refusals)),
        // Somebody else took it between the check and the write, or two of the
        // product's own variants change places.
        Err(Error::Database(error)) if unique_violation(&error).is_some() => {
            let message = "A handle or SKU of this product was taken at this moment; import it again.";
            Ok(Err(vec![Refusal::new(ErrorCode::Taken, message)]))
        }
        Err(error) => Err(error),
    }
}

fn taken_skus(imported: &Imported, rehearsed: &HashSet<String>) -> Vec<Refusal> {
    let variants = imported.product.variants.iter().enumerate();
    let taken = variants.filter(|(_, variant)| variant.sku.as_ref().is_some_and(|sku| rehearsed.contains(sku)));
    let refusal = |(place, _): (usize, _)| {
        let at = ["variants".to_owned(), place.to_string(), "sku".to_owned()];
        Refusal::new(ErrorCode::Taken, "A variant of another product in this file has this SKU.").at(at)
    };
    taken.map(refusal).collect()
}

/// The refusal of a part of a product as one of a cell of its first record.
fn in_cell(imported: &Imported, refusal: Refusal) -> RowRefusal {
    let product = &imported.product;
    let path: Vec<&str> = refusal.path.iter().map(String::as_str).collect();
    let variant = |place: &str| place.parse::<usize>().ok().and_then(|place| product.variants.get(place));
    let (column, value) = match path.as_slice() {
        ["variants", place, "sku"] => {
            ("Variant SKU".to_owned(), variant(place).and_then(|variant| variant.sku.clone()).unwrap_or_default())
        }
        [] | ["handle"] => ("Handle".to_owned(), product.handle.to_string()),
        ["options", ..] => {
            let first = product.options.first().map(|option| option.name.clone());
            ("Option1 Name".to_owned(), first.unwrap_or_default())
        }
        path => (path.join("."), String::new()),
    };
    RowRefusal { row: imported.row, column, value, reason: refusal.message }
}
