//! Codes as a table: one row for each.

use crate::import::sheet::{Header, Row};
use crate::import::{Record, RowRefusal};
use crate::refusal::{ErrorCode, Refusal};

/// The columns, in the order in which they are written; of a file that is brought in, only the code counts.
pub const COLUMNS: [&str; 4] = ["code", "batch", "endsAt", "uses"];

/// The header of such a table.
#[derive(Debug)]
pub struct CodeSheet {
    header: Header,
}

impl CodeSheet {
    /// Reads the header; a file without the column `code`, or with a column that is unknown or there twice, is refused.
    pub fn new(names: &[String]) -> Result<Self, Vec<RowRefusal>> {
        let (header, mut refusals) = Header::new(names);
        for name in header.names() {
            if !COLUMNS.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                let message = format!("There is no such column: the columns of codes are {}.", COLUMNS.join(", "));
                refusals.push(RowRefusal::new(1, name, name, message));
            }
        }
        if header.place("code").is_none() {
            refusals.push(RowRefusal::new(1, "code", "", "This column is missing.").with(ErrorCode::Required));
        }
        if refusals.is_empty() { Ok(Self { header }) } else { Err(refusals) }
    }

    /// The code of a record, as it stands there.
    pub fn code<'r>(&self, cells: &'r [String]) -> &'r str {
        self.header.place("code").and_then(|place| cells.get(place)).map_or("", |cell| cell.trim())
    }

    /// A refusal of a record's code.
    pub fn in_cell(&self, record: &Record, refusal: &Refusal) -> RowRefusal {
        let row = Row::new(&self.header, record);
        row.refuse("code", refusal.message.clone()).with(refusal.code).of(row.cell("code"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &[&str]) -> Result<CodeSheet, Vec<RowRefusal>> {
        CodeSheet::new(&names.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn a_file_of_codes_has_a_column_of_them() {
        let sheet = header(&["Batch", "CODE"]).unwrap();
        assert_eq!(sheet.code(&["b".to_owned(), " abc ".to_owned()]), "abc");
        assert_eq!(sheet.code(&["b".to_owned()]), "");
        assert_eq!(header(&["batch"]).unwrap_err().len(), 1);
        assert_eq!(header(&["code", "price"]).unwrap_err().len(), 1);
    }
}
