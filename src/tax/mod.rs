//! How the gateway presents tax rates; what they are is said in `engine::tax`.

pub mod admin;
