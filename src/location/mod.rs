//! How the gateway presents locations; what they are is said in `engine::location`.

pub mod admin;
