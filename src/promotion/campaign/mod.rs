//! Campaigns, on the admin surface.

pub mod admin;
