//! Variants of all products in one list, and many written at once.

pub mod admin;
pub mod types;
