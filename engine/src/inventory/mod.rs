//! Stock: what is counted where, what is promised, and every movement.
//!
//! Nothing changes a level but the functions of [`repo`] that also write a
//! movement or a reservation. A sale is one conditional update per item and
//! location, in the order of their ids, so that two orders never wait for
//! each other in a circle and nothing is promised twice.
//!
//! | to change | edit |
//! |---|---|
//! | which location is taken from, what is available | `domain::inventory` |
//! | what who follows variants is told | [`live`] |
//! | what staff change | [`ops`], `src/inventory/admin.rs` |

pub mod live;
pub mod ops;
pub mod repo;

use domain::id::LocationId;
use domain::inventory::kits;

use repo::StockRow;

/// How many units of a variant these locations can still promise, of the rows of its items.
pub fn available<'r>(rows: impl IntoIterator<Item = &'r StockRow>, locations: &[LocationId]) -> i64 {
    let free = |row: &StockRow| if locations.contains(&row.location) { row.stocked - row.reserved } else { 0 };
    kits(rows.into_iter().map(|row| (row.item, row.required, free(row))))
}
