//! Taxes: the rates of each country. The arithmetic is `domain::totals`.
//!
//! Thin for now: one default rate per country. Provinces, overrides and
//! exemptions come with their own tables' columns.

pub mod ops;
pub mod repo;
