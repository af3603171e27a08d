//! How the gateway presents stock; what it is is said in `engine::inventory`.

pub mod admin;
pub mod level;
pub mod load;
pub mod reservation;
pub mod store;
pub mod subs;
pub mod types;
