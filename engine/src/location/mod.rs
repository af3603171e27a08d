//! Locations: the places that hold stock.
//!
//! | to change | edit |
//! |---|---|
//! | what staff can change | [`ops`], `src/location/admin.rs` |
//! | which one is taken from first | `domain::inventory` |

pub mod ops;
pub mod repo;
