//! Prices by which listings sort and filter: what pricing works out now is what is written. Not looked at while a price
//! list or the tax of a region has just changed: listings follow those within seconds.

use std::collections::BTreeMap;
use std::sync::Arc;

use entity::listing_price;

use super::{Broken, MOST};
use crate::app::App;
use crate::error::Result;
use crate::pricing::listing::{expected, is_behind};
use crate::pricing::repo::listing as rows;
use crate::settings::Settings;

/// How many products are read at once.
const BATCH: usize = 500;

/// What is broken, at most [`MOST`] rows.
pub async fn broken(app: &Arc<App>) -> Result<Vec<Broken>> {
    let conn = app.read();
    let now = app.clock.now();
    let settings = Settings::load(&conn, now).await?;
    let (mut broken, mut last) = (Vec::new(), None);
    if is_behind(&conn, &settings, now).await? {
        return Ok(broken);
    }
    loop {
        let products = rows::products(&conn, last, BATCH).await?;
        let Some(end) = products.last() else { return Ok(broken) };
        last = Some(*end);
        let written = by_key(rows::of_products(&conn, &products).await?);
        let should = by_key(expected(&conn, &settings, &products, now).await?);
        let missing = should.keys().filter(|key| !written.contains_key(*key));
        for key in written.keys().chain(missing) {
            let (found, wanted) = (written.get(key), should.get(key));
            if found != wanted {
                broken.push(Broken {
                    rule: "the prices of a listing are what pricing works out",
                    row: key.clone(),
                    found: format!("{} instead of {}", told(found), told(wanted)),
                });
            }
        }
        if broken.len() >= MOST {
            broken.truncate(MOST);
            return Ok(broken);
        }
    }
}

fn by_key(rows: Vec<listing_price::Model>) -> BTreeMap<String, listing_price::Model> {
    let named =
        |row: listing_price::Model| (format!("{} in {} and {}", row.product_id, row.channel_id, row.region_id), row);
    rows.into_iter().map(named).collect()
}

fn told(row: Option<&listing_price::Model>) -> String {
    let Some(row) = row else { return "no row".to_owned() };
    let amount = |minor: Option<i64>| minor.map_or("none".to_owned(), |minor| minor.to_string());
    let listed = if row.listed { "listed" } else { "not listed" };
    format!("{} to {} {}, {listed}", amount(row.min_minor), amount(row.max_minor), row.currency)
}
