//! How the gateway presents collections; what they are is said in `engine::collection`.

pub mod admin;
pub mod load;
pub mod store;
pub mod types;
