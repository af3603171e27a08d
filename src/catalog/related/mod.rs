//! Products that stand beside a product.

pub mod admin;
pub mod load;
pub mod store;
