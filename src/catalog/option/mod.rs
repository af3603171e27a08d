//! Options that products share.

pub mod admin;
pub mod load;
pub mod types;
