//! How the gateway presents regions; what they are is said in `engine::region`.

pub mod admin;
pub mod types;
