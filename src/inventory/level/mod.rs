//! What staff decide about items and levels.

pub mod admin;
