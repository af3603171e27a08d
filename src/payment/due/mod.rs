//! How the gateway presents paying what an order owes; what it is is said in `engine::payment::due`.

pub mod admin;
pub mod store;
