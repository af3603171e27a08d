//! How the gateway presents carts; what they are is said in `engine::cart`.

pub mod admin;
pub mod delivery;
pub mod load;
pub mod store;
pub mod subs;
pub mod types;
