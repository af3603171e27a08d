//! How the gateway presents fulfillments; what they are is said in `engine::fulfillment`.

pub mod admin;
pub mod load;
pub mod types;
