//! How the gateway presents policies; what they are is said in `engine::policy`.

pub mod admin;
pub mod load;
pub mod types;
