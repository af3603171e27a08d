//! What tests speak: a [`Shop`] and its answers.

pub mod buying;
pub mod client;
pub mod clock;
pub mod customers;
pub mod database;
pub mod events;
pub mod files;
pub mod giving;
pub mod invariants;
pub mod limits;
pub mod log;
pub mod mailbox;
pub mod node;
pub mod outside;
pub mod people;
pub mod pictures;
pub mod post;
pub mod postgres;
pub mod promoting;
pub mod provider;
pub mod proxy;
pub mod redis;
pub mod rows;
pub mod shop;
pub mod socket;
pub mod stripe;
pub mod walker;
pub mod wire;

pub use client::Answer;
pub use shop::Shop;
