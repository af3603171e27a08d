//! The prices of a list as a file that [`super::import`] reads. It is written
//! product by product, so that it takes no more memory for a long list.

use std::io::Write;

use domain::id::{PriceListId, ProductId};
use domain::pricing::sheet::{COLUMNS, written};

use super::bulk::wish_of;
use super::repo;
use crate::app::App;
use crate::catalog::export::unwritten;
use crate::db::Conn;
use crate::error::{Error, Result};

/// Products that are read at once, when they have few prices.
const PRODUCTS: usize = 20;
/// As many prices as one reading may bring for the next one to read twice as many products.
const FEW: usize = 100;
/// Rows of a part, but that one reading is never parted.
pub const ROWS: usize = 1_000;

/// Some rows of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The rows; the first part begins with the names of the columns.
    pub text: String,
    /// Prices in it.
    pub written: usize,
    /// Prices of variants without a SKU: no row can name them.
    pub left_out: usize,
    /// Behind which product the next part begins; none when this is the last one.
    pub last: Option<ProductId>,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// Prices in the file.
    pub written: usize,
    /// Prices of variants without a SKU: no row can name them.
    pub left_out: usize,
}

/// Reads the prices of a list behind a product, [`ROWS`] or some more.
pub async fn part(conn: &Conn, list: PriceListId, after: Option<ProductId>) -> Result<Part> {
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    if after.is_none() {
        csv.write_record(COLUMNS).map_err(unwritten)?;
    }
    let mut part = Part { last: after, ..Part::default() };
    let mut products = 1;
    while part.written + part.left_out < ROWS {
        let before = part.written + part.left_out;
        let some = repo::listing::products_of(conn, list, part.last, products).await?;
        for (sku, price) in repo::numbered_of_list(conn, list, &some).await? {
            match sku {
                Some(sku) => {
                    csv.write_record(written(&sku, &wish_of(&price))).map_err(unwritten)?;
                    part.written += 1;
                }
                None => part.left_out += 1,
            }
        }
        part.last = some.last().copied().filter(|_| some.len() == products);
        if part.last.is_none() {
            break;
        }
        let read = part.written + part.left_out - before;
        products = if read <= FEW { PRODUCTS.min(products * 2) } else { 1 };
    }
    let bytes = csv.into_inner().map_err(unwritten)?;
    part.text = String::from_utf8(bytes).map_err(Error::internal)?;
    Ok(part)
}

/// Writes the prices of a list, telling `progress` how many of how many are done.
pub async fn export_prices(
    app: &App,
    list: PriceListId,
    mut out: impl Write,
    mut progress: impl FnMut(usize, usize),
) -> Result<Exported> {
    let conn = app.read();
    let total = repo::counts(&conn, &[list]).await?.first().map_or(0, |(_, count)| *count);
    let total = usize::try_from(total).unwrap_or(usize::MAX);
    let mut exported = Exported::default();
    let mut after = None;
    loop {
        let done = exported.written + exported.left_out;
        progress(done, total.max(done));
        let part = part(&conn, list, after).await?;
        out.write_all(part.text.as_bytes()).map_err(unwritten)?;
        exported.written += part.written;
        exported.left_out += part.left_out;
        after = part.last;
        if after.is_none() {
            break;
        }
    }
    out.flush().map_err(unwritten)?;
    Ok(exported)
}
