//! What speaks against promotions, as staff are told; it is found by `domain::promotion::hint`.

pub mod types;
