//! How the gateway presents translations; what they are is said in `engine::translation`.

pub mod admin;
pub mod load;
