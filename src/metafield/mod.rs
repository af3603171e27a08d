//! How the gateway presents metafields; what they are is said in `engine::metafield`.

pub mod admin;
pub mod load;
pub mod store;
pub mod types;
