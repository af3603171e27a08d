//! How the gateway presents tax regions and rates; what they are is said in `engine::tax`.

pub mod admin;
pub mod load;
pub mod store;
pub mod types;
