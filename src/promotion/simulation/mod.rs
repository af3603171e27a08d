//! What a promotion would do, as staff are told before they let it go; it is worked out by
//! `engine::promotion::simulation`.

pub mod admin;
pub mod types;
