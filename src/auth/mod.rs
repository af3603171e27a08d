//! How the gateway presents log-ins, staff and keys; what they are is said in `engine::auth`.

pub mod admin;
pub mod factor;
pub mod oidc;
pub mod types;
