//! The codes of promotions, on the admin surface.

pub mod admin;
pub mod types;
