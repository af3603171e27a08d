//! How the gateway presents channels; what they are is said in `engine::channel`.

pub mod admin;
pub mod store;
pub mod types;
