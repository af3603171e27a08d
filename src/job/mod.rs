//! How jobs present themselves.

pub mod admin;
pub mod subs;
pub mod types;
