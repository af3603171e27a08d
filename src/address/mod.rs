//! How the gateway presents addresses; what they are is said in `domain::address`.

pub mod types;
