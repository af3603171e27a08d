//! How the gateway presents categories; what they are is said in `engine::category`.

pub mod admin;
pub mod load;
pub mod store;
pub mod types;
