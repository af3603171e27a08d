//! Cells by the name of their column.

use std::collections::HashMap;

use super::{Record, RowRefusal};

/// The columns that have a place of their own in the shop, as Shopify writes
/// them. Every other column goes to the metadata.
const PLACED: &[&str] = &[
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

/// The header of a file.
pub(super) struct Sheet {
    /// Where each column stands, by its name in lower case.
    places: HashMap<String, usize>,
    width: usize,
    /// The columns without a place of their own, with their names for the metadata.
    unplaced: Vec<(usize, String)>,
}

impl Sheet {
    pub(super) fn new(header: &[String]) -> Result<Self, Vec<RowRefusal>> {
        let mut refusals = Vec::new();
        let mut sheet = Self { places: HashMap::new(), width: header.len(), unplaced: Vec::new() };
        for (place, name) in header.iter().enumerate() {
            // Spreadsheets put a byte order mark before the first name.
            let name = name.trim_start_matches('\u{feff}').trim();
            if name.is_empty() {
                // A nameless column is no fault as long as it is empty; what stands in it is kept.
                sheet.unplaced.push((place, format!("Column {}", place + 1)));
                continue;
            }
            if sheet.places.insert(name.to_lowercase(), place).is_some() {
                refusals.push(RowRefusal::new(1, name, name, "This column stands in the file twice."));
            }
            if !PLACED.iter().any(|placed| placed.eq_ignore_ascii_case(name)) {
                sheet.unplaced.push((place, name.to_owned()));
            }
        }
        for needed in ["Handle", "Title"] {
            if !sheet.places.contains_key(&needed.to_lowercase()) {
                refusals.push(RowRefusal::new(1, needed, "", "The file needs this column."));
            }
        }
        if refusals.is_empty() { Ok(sheet) } else { Err(refusals) }
    }
}

/// A record with the header that names its cells.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    sheet: &'a Sheet,
    record: &'a Record,
}

impl<'a> Row<'a> {
    pub(super) fn new(sheet: &'a Sheet, record: &'a Record) -> Self {
        Self { sheet, record }
    }

    /// Whether both are the same record of the file.
    pub(super) fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.record, other.record)
    }

    pub(super) fn number(&self) -> usize {
        self.record.row
    }

    /// The trimmed cell; empty when the file has no such column.
    pub(super) fn cell(&self, column: &str) -> &'a str {
        let place = self.sheet.places.get(&column.to_lowercase());
        place.and_then(|place| self.record.cells.get(*place)).map_or("", |cell| cell.trim())
    }

    /// The text at this place, or `None` for an empty cell.
    pub(super) fn text(&self, column: &str) -> Option<String> {
        Some(self.cell(column)).filter(|cell| !cell.is_empty()).map(str::to_owned)
    }

    pub(super) fn is_blank(&self) -> bool {
        self.record.cells.iter().all(|cell| cell.trim().is_empty())
    }

    /// The refusal of a record whose cells are not as many as the columns.
    pub(super) fn ragged(&self) -> Option<RowRefusal> {
        let (cells, width) = (self.record.cells.len(), self.sheet.width);
        let reason = format!("The record has {cells} cells where the header has {width}.");
        (cells != width).then(|| self.refuse("Handle", reason))
    }

    /// A refusal of the cell in this column.
    pub(super) fn refuse(&self, column: &str, reason: impl Into<String>) -> RowRefusal {
        RowRefusal::new(self.number(), column, self.cell(column), reason)
    }

    /// What stands in columns without a place of their own: the column's name and the cell.
    pub(super) fn unplaced(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let record = self.record;
        self.sheet.unplaced.iter().filter_map(move |(place, name)| {
            let cell = record.cells.get(*place)?.trim();
            (!cell.is_empty()).then_some((name.as_str(), cell))
        })
    }
}
