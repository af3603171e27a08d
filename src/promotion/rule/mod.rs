//! When a promotion counts and what it gives, as staff send it and read it back.

pub mod spelled;
pub mod types;
