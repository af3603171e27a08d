//! How the gateway presents promotions; what they are is said in `engine::promotion`.

pub mod admin;
pub mod campaign;
pub mod code;
pub mod hint;
pub mod load;
pub mod offered;
pub mod rule;
pub mod shown;
pub mod simulation;
pub mod types;
pub mod usage;
