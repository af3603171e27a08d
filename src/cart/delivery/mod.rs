//! What a delivery group of a cart is offered.

pub mod types;
