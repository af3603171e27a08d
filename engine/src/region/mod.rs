//! Regions: a currency, the countries that it sells to, how tax is shown.
//!
//! A cart is always in one region and prices come in its currency. A country
//! is in one region at most.
//!
//! | to change | edit |
//! |---|---|
//! | what staff can change | [`ops`], `src/region/admin.rs` |
//! | what a shopper is told | `src/region/types.rs` |

pub mod ops;
pub mod repo;
