//! What tests speak: a [`Shop`] and its answers.

pub mod buying;
pub mod client;
pub mod clock;
pub mod customers;
pub mod database;
pub mod events;
pub mod invariants;
pub mod node;
pub mod pictures;
pub mod provider;
pub mod redis;
pub mod shop;
pub mod socket;
pub mod walker;
pub mod wire;

pub use client::Answer;
pub use shop::Shop;
