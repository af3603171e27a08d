//! How the gateway presents the catalog; what it is is said in `engine::catalog`.

pub mod admin;
pub mod import;
pub mod load;
pub mod option;
pub mod product;
pub mod related;
pub mod store;
pub mod types;
pub mod variant;
