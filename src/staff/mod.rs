//! How the gateway presents staff and roles; what they are is said in `engine::staff`.

pub mod admin;
pub mod invitation;
pub mod load;
pub mod types;
