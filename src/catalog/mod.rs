//! How the gateway presents the catalog; what it is is said in `engine::catalog`.

pub mod admin;
pub mod load;
pub mod store;
pub mod types;
