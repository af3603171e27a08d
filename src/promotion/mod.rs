//! How the gateway presents promotions; what they are is said in `engine::promotion`.

pub mod admin;
pub mod campaign;
pub mod code;
pub mod load;
pub mod rule;
pub mod shown;
pub mod types;
