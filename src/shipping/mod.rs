//! How the gateway presents shipping options; what they are is said in `engine::shipping`.

pub mod admin;
