//! Regions: a currency, the countries that it sells to, how tax is shown.
//!
//! A cart is always in one region and prices come in its currency. A country
//! is in one region at most.
//!
//! | to change | edit |
//! |---|---|
//! | what staff can change | [`ops`], [`admin`] |
//! | what a shopper is told | [`types`] |

pub mod admin;
pub mod ops;
pub mod repo;
pub mod types;
