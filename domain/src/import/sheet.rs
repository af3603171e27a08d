//! Cells by the name of their column.

use std::collections::HashMap;

use super::{Record, RowRefusal};

/// A column's name as it is compared: without blanks around it, and without
/// the byte order mark that spreadsheets put before the first one.
pub fn plain(name: &str) -> &str {
    name.trim_start_matches('\u{feff}').trim()
}

/// The header of a file.
#[derive(Debug)]
pub struct Header {
    /// Where each column stands, by its own name or the dialect's name for it, in lower case.
    places: HashMap<String, usize>,
    /// The names as the file has them.
    names: Vec<String>,
}

impl Header {
    /// Reads the names; a column that stands there twice is refused.
    pub fn new(header: &[String]) -> (Self, Vec<RowRefusal>) {
        let mut refusals = Vec::new();
        let mut read = Self { places: HashMap::new(), names: Vec::with_capacity(header.len()) };
        for (place, name) in header.iter().enumerate() {
            let name = plain(name);
            read.names.push(name.to_owned());
            if !name.is_empty() && read.places.insert(name.to_lowercase(), place).is_some() {
                refusals.push(RowRefusal::new(1, name, name, "This column stands in the file twice."));
            }
        }
        (read, refusals)
    }

    /// Lets a column be found by another name, unless one of that name is there.
    pub fn alias(&mut self, own: &str, other: &str) -> Option<usize> {
        let place = *self.places.get(&own.to_lowercase())?;
        let other = other.to_lowercase();
        if self.places.contains_key(&other) {
            return None;
        }
        self.places.insert(other, place);
        Some(place)
    }

    /// Where a column stands.
    pub fn place(&self, column: &str) -> Option<usize> {
        // Most names are asked for as they stand in the dialect's list.
        self.places.get(column).or_else(|| self.places.get(&column.to_lowercase())).copied()
    }

    /// How a column is called in the file; as the dialect calls it when it isn't there.
    pub fn name<'n>(&'n self, column: &'n str) -> &'n str {
        self.place(column).and_then(|place| self.names.get(place)).map_or(column, String::as_str)
    }

    /// The names as the file has them.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// A record with the header that names its cells.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    header: &'a Header,
    record: &'a Record,
}

impl<'a> Row<'a> {
    /// A record under its header.
    pub fn new(header: &'a Header, record: &'a Record) -> Self {
        Self { header, record }
    }

    /// Whether both are the same record of the file.
    pub fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.record, other.record)
    }

    /// The line on which it starts.
    pub fn number(&self) -> usize {
        self.record.row
    }

    /// The trimmed cell; empty when the file has no such column.
    pub fn cell(&self, column: &str) -> &'a str {
        self.header.place(column).map_or("", |place| self.at(place))
    }

    /// The trimmed cell at a place.
    pub fn at(&self, place: usize) -> &'a str {
        self.record.cells.get(place).map_or("", |cell| cell.trim())
    }

    /// The text in a column, or `None` for an empty cell.
    pub fn text(&self, column: &str) -> Option<String> {
        Some(self.cell(column)).filter(|cell| !cell.is_empty()).map(str::to_owned)
    }

    /// Whether nothing stands in it.
    pub fn is_blank(&self) -> bool {
        self.record.cells.iter().all(|cell| cell.trim().is_empty())
    }

    /// The refusal of a record whose cells are not as many as the columns.
    pub fn ragged(&self, column: &str) -> Option<RowRefusal> {
        let (cells, width) = (self.record.cells.len(), self.header.names.len());
        let reason = format!("The record has {cells} cells where the header has {width}.");
        (cells != width).then(|| self.refuse(column, reason))
    }

    /// A refusal of the cell in this column.
    pub fn refuse(&self, column: &str, reason: impl Into<String>) -> RowRefusal {
        RowRefusal::new(self.number(), self.header.name(column), self.cell(column), reason)
    }

    /// A refusal of the cell at a place.
    pub fn refuse_at(&self, place: usize, reason: impl Into<String>) -> RowRefusal {
        let name = self.header.names.get(place).map_or("", String::as_str);
        RowRefusal::new(self.number(), name, self.at(place), reason)
    }
}

/// `TRUE` or `FALSE` in any capitals; anything else is refused.
pub fn flag(row: &Row<'_>, column: &str, default: bool, refusals: &mut Vec<RowRefusal>) -> bool {
    match row.cell(column).to_lowercase().as_str() {
        "" => default,
        "true" => true,
        "false" => false,
        _ => {
            refusals.push(row.refuse(column, "This is neither TRUE nor FALSE."));
            default
        }
    }
}

/// A whole number from decimal text, halves up; `unit` says of what.
pub fn whole(row: &Row<'_>, column: &str, unit: &str, refusals: &mut Vec<RowRefusal>) -> Option<i32> {
    let text = row.text(column)?;
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        refusals.push(row.refuse(column, format!("This is not a number of {unit} such as 250 or 250.5.")));
        return None;
    }
    let up = i32::from(fraction.as_bytes()[0] >= b'5');
    let rounded = whole.parse::<i32>().ok().and_then(|whole| whole.checked_add(up));
    if rounded.is_none() {
        refusals.push(row.refuse(column, "This number is too large."));
    }
    rounded
}
