//! The classic Shopify product CSV
//! (<https://help.shopify.com/en/manual/products/import-export/using-csv>): one
//! record for each variant or picture; the first record of a handle carries the
//! product's fields. The caller splits the file into cells.
//!
//! A product is accepted or refused as a whole, with every reason at once, and
//! nothing is dropped silently: what has no place of its own in the shop goes
//! to the metadata under its column's name.

mod product;
mod sheet;
pub mod write;

use std::collections::HashMap;

use crate::catalog::CheckedProduct;
use crate::money::Currency;
use sheet::{Row, Sheet};

/// The longest part of a cell that a refusal repeats, in characters.
const MAX_SHOWN: usize = 200;

/// One record of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The line on which it starts, counted from 1.
    pub row: usize,
    /// Its cells, one for each column of the header.
    pub cells: Vec<String>,
}

/// Why a cell can't be read.
#[derive(Clone, Debug, PartialEq)]
pub struct RowRefusal {
    /// The line of its record, as the caller gave it.
    pub row: usize,
    /// The column's name in the header.
    pub column: String,
    /// What stands there, cut to 200 characters.
    pub value: String,
    /// One English sentence.
    pub reason: String,
}

impl RowRefusal {
    fn new(row: usize, column: &str, value: &str, reason: impl Into<String>) -> Self {
        let value = value.chars().take(MAX_SHOWN).collect();
        Self { row, column: column.to_owned(), value, reason: reason.into() }
    }
}

/// A product that can be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The line of its first record.
    pub row: usize,
    /// The product, with the handle that it has in the file.
    pub product: CheckedProduct,
}

/// A product that can't be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedProduct {
    /// What the file calls it; empty for a record that names no product.
    pub handle: String,
    /// The line of its first record.
    pub row: usize,
    /// Every reason, in the order of the lines.
    pub refusals: Vec<RowRefusal>,
}

/// What a file holds, both lists in the order of the first records.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The products without a fault.
    pub products: Vec<Imported>,
    /// The others.
    pub refused: Vec<RefusedProduct>,
}

/// Reads a file whose prices are in `currency`.
///
/// Column names are matched without regard to capitals and outer blanks.
/// Records of one handle need not stand together; records with nothing in them
/// are skipped. `Err` is for a file that is of no use as a whole: `Handle` or
/// `Title` is missing among the columns, or a column stands there twice.
pub fn read(header: &[String], records: &[Record], currency: Currency) -> Result<Reading, Vec<RowRefusal>> {
    let sheet = Sheet::new(header)?;
    let mut groups: Vec<Vec<Row<'_>>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for record in records {
        let row = Row::new(&sheet, record);
        if row.is_blank() {
            continue;
        }
        let handle = row.cell("Handle");
        match places.get(handle) {
            Some(place) => groups[*place].push(row),
            None => {
                // Records without a handle belong to nobody, so not to one another either.
                if !handle.is_empty() {
                    places.insert(handle, groups.len());
                }
                groups.push(vec![row]);
            }
        }
    }
    let mut reading = Reading { products: Vec::new(), refused: Vec::new() };
    for rows in groups {
        let (handle, row) = (rows[0].cell("Handle"), rows[0].number());
        match product::read_product(handle, rows, currency) {
            Ok(product) => reading.products.push(Imported { row, product }),
            Err(refusals) => reading.refused.push(RefusedProduct { handle: handle.to_owned(), row, refusals }),
        }
    }
    Ok(reading)
}

#[cfg(test)]
mod tests;
