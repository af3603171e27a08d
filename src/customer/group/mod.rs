//! Groups of customers, on the admin surface.

pub mod admin;
