//! How the gateway answers what something would cost; it is worked out by
//! `engine::cart::rehearse`, which stores nothing.

pub mod admin;
pub mod store;
pub mod types;
