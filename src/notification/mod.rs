//! How the gateway presents mail to staff; what it is is said in `engine::notification`.

pub mod admin;
pub mod types;
