//! How the gateway presents payments; what they are is said in `engine::payment`.

pub mod admin;
pub mod due;
pub mod http;
pub mod load;
pub mod store;
pub mod types;
