//! The columns of the format.

use std::sync::Arc;

use crate::import::field::{self, FieldColumn};
use crate::import::sheet::{Header, Row};
use crate::import::{Columns, RowRefusal};
use crate::shopify::write::COLUMNS;

/// A column that has a place in the shop and is never written: a product may be in many collections.
const COLLECTION: &str = "Collection";

/// What the present format calls columns that have classic names.
const PRESENT: &[(&str, &str)] = &[
    ("URL handle", "Handle"),
    ("Description", "Body (HTML)"),
    ("Published on online store", "Published"),
    ("SKU", "Variant SKU"),
    ("Barcode", "Variant Barcode"),
    ("Barcodes", "Variant Barcode"),
    ("Variant Barcodes", "Variant Barcode"),
    ("Price", "Variant Price"),
    ("Compare-at price", "Variant Compare At Price"),
    ("Inventory tracker", "Variant Inventory Tracker"),
    ("Inventory quantity", "Variant Inventory Qty"),
    ("Continue selling when out of stock", "Variant Inventory Policy"),
    ("Weight value (grams)", "Variant Grams"),
    ("Requires shipping", "Variant Requires Shipping"),
    ("Product image URL", "Image Src"),
    ("Variant image URL", "Variant Image"),
];

/// How columns begin that are about a variant and have no place of their own.
const ABOUT_VARIANTS: &[&str] = &[
    "variant ",
    "cost per item",
    "charge tax",
    "tax code",
    "unit price ",
    "weight unit for display",
    "fulfillment service",
];

/// The header of a file.
#[derive(Debug)]
pub struct Sheet {
    pub(super) header: Header,
    /// The columns without a place of their own, with their names for the
    /// metadata and whether they are about variants.
    unplaced: Vec<(usize, String, bool)>,
    pub(super) fields: Vec<FieldColumn>,
    pub(super) columns: Arc<Columns>,
}

impl Sheet {
    /// Reads the header. `Err` is for a file that is of no use as a whole:
    /// handle or title are missing among the columns, or one stands there twice.
    pub fn new(names: &[String]) -> Result<Self, Vec<RowRefusal>> {
        let (mut header, mut refusals) = Header::new(names);
        // What is written has a place of its own; every other column goes to the metadata.
        let known = COLUMNS.iter().chain([&COLLECTION]);
        let mut placed: Vec<usize> = known.filter_map(|column| header.place(column)).collect();
        placed.extend(PRESENT.iter().filter_map(|(present, classic)| header.alias(present, classic)));
        for needed in ["Handle", "Title"] {
            if header.place(needed).is_none() {
                refusals.push(RowRefusal::new(1, needed, "", "The file needs this column."));
            }
        }
        if !refusals.is_empty() {
            return Err(refusals);
        }
        let fields = field::columns(&header);
        placed.extend(fields.iter().map(|column| column.place));
        let mut unplaced = Vec::new();
        for (place, name) in header.names().iter().enumerate().filter(|(place, _)| !placed.contains(place)) {
            // A nameless column is no fault as long as it is empty; what stands in it is kept.
            let name = if name.is_empty() { format!("Column {}", place + 1) } else { name.clone() };
            let lower = name.to_lowercase();
            let about_variants = ABOUT_VARIANTS.iter().any(|start| lower.starts_with(start));
            unplaced.push((place, name, about_variants));
        }
        let told = |column: &str| header.name(column).to_owned();
        let columns = Columns {
            handle: told("Handle"),
            option: told("Option1 Name"),
            sku: told("Variant SKU"),
            ..Columns::default()
        };
        Ok(Self { unplaced, fields, columns: Arc::new(columns), header })
    }

    /// The handle of a record.
    pub fn key<'r>(&self, cells: &'r [String]) -> &'r str {
        self.header.place("Handle").and_then(|place| cells.get(place)).map_or("", |cell| cell.trim())
    }

    /// What stands in columns without a place of their own: the column's name,
    /// whether it is about variants, and the cell.
    pub(super) fn unplaced<'a>(&'a self, row: Row<'a>) -> impl Iterator<Item = (&'a str, bool, &'a str)> {
        self.unplaced.iter().filter_map(move |(place, name, about_variants)| {
            let cell = row.at(*place);
            (!cell.is_empty()).then_some((name.as_str(), *about_variants, cell))
        })
    }
}
