//! How the gateway presents runs; what they are is said in `engine::flow`.

pub mod admin;
