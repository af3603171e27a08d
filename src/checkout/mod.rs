//! How the gateway presents checkout; what it is is said in `engine::checkout`.

pub mod store;
