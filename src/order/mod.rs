//! How the gateway presents orders; what they are is said in `engine::order`.

pub mod admin;
pub mod load;
pub mod store;
pub mod subs;
pub mod types;
