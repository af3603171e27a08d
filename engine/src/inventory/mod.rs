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
//! | who is told that stock is back | [`back`] |
//! | what ends by itself | [`expire`] |
//! | what staff put aside, and decide about items and levels | [`promise`], [`set`] |
//! | what staff change | [`ops`], `src/inventory/admin.rs` |

pub mod back;
pub mod expire;
pub mod live;
pub mod ops;
pub mod promise;
pub mod repo;
pub mod set;

use chrono::{DateTime, Utc};
use domain::id::LocationId;
use domain::inventory::{Availability, Counted, Sellable, availability};
use entity::variant;

use repo::StockRow;

/// How many pieces of a variant these locations can still sell, of the rows of its items.
pub fn sellable<'r>(rows: impl IntoIterator<Item = &'r StockRow>, locations: &[LocationId]) -> Sellable {
    let counted = |row: &StockRow| match &row.level {
        Some(level) if locations.contains(&level.location_id) => row.counted(),
        // It is kept elsewhere, or nowhere: the item counts, and there is nothing of it.
        _ => Counted { free: 0, incoming: 0, low: 0, ..row.counted() },
    };
    Sellable::of(rows.into_iter().map(counted))
}

/// What the shopper is told of a variant.
pub fn told(row: &variant::Model, sellable: Sellable, now: DateTime<Utc>) -> Availability {
    let is_out = row.release_at.is_none_or(|release| release <= now);
    availability(Some(sellable).filter(|_| row.manage_inventory), row.backorder, is_out)
}
