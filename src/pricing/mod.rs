//! How the gateway presents prices; what they are is said in `engine::pricing`.

pub mod load;
