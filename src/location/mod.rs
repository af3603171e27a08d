//! Locations: the places that hold stock.
//!
//! | to change | edit |
//! |---|---|
//! | what staff can change | [`ops`], [`admin`] |
//! | which one is taken from first | `domain::inventory` |

pub mod admin;
pub mod ops;
pub mod repo;
