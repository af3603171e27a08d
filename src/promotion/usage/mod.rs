//! What promotions and codes gave and brought, as staff are told; it is counted by `engine::promotion::repo::usage`.

pub mod types;
