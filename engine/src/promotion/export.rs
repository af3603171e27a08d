//! The codes of a promotion as a file that [`super::import`] reads, part after part.

use domain::id::{PromotionCodeId, PromotionId};
use domain::promotion::sheet::COLUMNS;

use super::repo::codes;
use crate::catalog::export::unwritten;
use crate::db::Conn;
use crate::error::{Error, Result};

/// Rows of a part.
pub const ROWS: u64 = 5_000;

/// Some rows of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The rows; the first part begins with the names of the columns.
    pub text: String,
    /// Codes in it.
    pub written: usize,
    /// Behind which code the next part begins; none when this is the last one.
    pub last: Option<PromotionCodeId>,
}

/// Reads the codes of a promotion, of one batch or of all, behind one of them.
pub async fn part(conn: &Conn, of: (PromotionId, Option<&str>), after: Option<PromotionCodeId>) -> Result<Part> {
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    if after.is_none() {
        csv.write_record(COLUMNS).map_err(unwritten)?;
    }
    let rows = codes::behind(conn, of, after, ROWS).await?;
    for row in &rows {
        let ends_at = row.ends_at.map(|end| end.to_rfc3339()).unwrap_or_default();
        let cells = [row.code.clone(), row.batch.clone().unwrap_or_default(), ends_at, row.uses.to_string()];
        csv.write_record(cells).map_err(unwritten)?;
    }
    let text = String::from_utf8(csv.into_inner().map_err(unwritten)?).map_err(Error::internal)?;
    let last = rows.last().filter(|_| rows.len() as u64 == ROWS).map(|row| row.id);
    Ok(Part { text, written: rows.len(), last })
}
