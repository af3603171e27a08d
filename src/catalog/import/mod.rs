//! Products out of files.

pub mod admin;
