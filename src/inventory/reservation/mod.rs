//! Promises and movements, and what staff put aside.

pub mod admin;
