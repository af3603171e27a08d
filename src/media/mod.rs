//! Media, presented: in GraphQL and over plain HTTP.

pub mod admin;
pub mod http;
pub mod types;
