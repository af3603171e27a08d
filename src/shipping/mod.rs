//! How the gateway presents shipping options, their zones and profiles; what they are is said in `engine::shipping`.

pub mod admin;
pub mod profile;
pub mod types;
pub mod zone;
