//! Shipping options: what the merchant offers to bring an order to the
//! shopper, where, and for how much.
//!
//! Thin for now: a flat price per currency, a zone of countries.

pub mod ops;
pub mod repo;
