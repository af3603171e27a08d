//! Whole products: as another system has them, copied, archived, taken off sale.

pub mod admin;
