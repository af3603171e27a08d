//! How the gateway presents searching; what it is is said in `engine::search`.

pub mod store;
pub mod types;
