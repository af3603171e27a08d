//! How the gateway presents customers; what they are is said in `engine::customer`.

pub mod account;
pub mod admin;
pub mod group;
pub mod load;
pub mod store;
pub mod types;
