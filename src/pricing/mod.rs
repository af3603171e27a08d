//! How the gateway presents prices; what they are is said in `engine::pricing`.

pub mod admin;
pub mod import;
pub mod load;
pub mod shopper;
pub mod types;
