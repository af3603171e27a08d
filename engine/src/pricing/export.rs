//! The prices of a list as a file that [`super::import`] reads. It is written
//! product by product, so that it takes no more memory for a long list.

use std::io::Write;

use domain::id::PriceListId;
use domain::pricing::sheet::{COLUMNS, written};

use super::bulk::wish_of;
use super::repo;
use crate::app::App;
use crate::catalog::export::unwritten;
use crate::error::Result;

/// Products that are read at once.
const PRODUCTS: usize = 20;

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// Prices in the file.
    pub written: usize,
    /// Prices of variants without a SKU: no row can name them.
    pub left_out: usize,
}

/// Writes the prices of a list, telling `progress` how many of how many are done.
pub async fn export_prices(
    app: &App,
    list: PriceListId,
    out: impl Write,
    mut progress: impl FnMut(usize, usize),
) -> Result<Exported> {
    let conn = app.read();
    let total = repo::counts(&conn, &[list]).await?.first().map_or(0, |(_, count)| *count);
    let total = usize::try_from(total).unwrap_or(usize::MAX);
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    csv.write_record(COLUMNS).map_err(unwritten)?;
    let mut exported = Exported::default();
    let mut after = None;
    loop {
        let done = exported.written + exported.left_out;
        progress(done, total.max(done));
        let some = repo::listing::products_of(&conn, list, after, PRODUCTS).await?;
        let Some(last) = some.last() else { break };
        after = Some(*last);
        for (sku, price) in repo::numbered_of_list(&conn, list, &some).await? {
            match sku {
                Some(sku) => {
                    csv.write_record(written(&sku, &wish_of(&price))).map_err(unwritten)?;
                    exported.written += 1;
                }
                None => exported.left_out += 1,
            }
        }
    }
    csv.flush().map_err(unwritten)?;
    Ok(exported)
}
