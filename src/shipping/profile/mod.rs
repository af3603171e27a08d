//! How the gateway presents shipping profiles.

pub mod admin;
