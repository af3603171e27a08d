//! How the gateway presents gift cards and store credit; what they are is said in `engine::ledger`.

pub mod admin;
pub mod load;
pub mod store;
pub mod types;
