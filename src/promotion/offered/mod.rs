//! What is on offer for a product, as shoppers read it; `domain::promotion::compiled` decides it.

pub mod types;
