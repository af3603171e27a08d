//! Emporion: the whole back end of an online shop behind GraphQL.
//!
//! This is the gateway: how the shop presents itself. What the shop does is in
//! the crate `engine`, what is true without any of it in `domain`. In a noun's
//! folder the file name is the layer: `types`, `store`, `admin` and `subs`
//! present, `load` batches reads.
//!
//! | | |
//! |---|---|
//! | [`api`] | the schemas, connections, payloads, scalars, guards |
//! | [`http`], [`cli`] | the ways in |
//!
//! Start with `channel`, the smallest noun that goes through everything, then
//! read `docs/ARCHITECTURE.md`.

// The executor of GraphQL nests a future per level of the query.
#![recursion_limit = "256"]

pub mod api;
pub mod cli;
pub mod http;

pub mod address;
pub mod audit;
pub mod auth;
pub mod cart;
pub mod catalog;
pub mod category;
pub mod channel;
pub mod checkout;
pub mod collection;
pub mod customer;
pub mod flow;
pub mod fulfillment;
pub mod inventory;
pub mod job;
pub mod ledger;
pub mod location;
pub mod media;
pub mod metafield;
pub mod notification;
pub mod order;
pub mod payment;
pub mod policy;
pub mod pricing;
pub mod promotion;
pub mod quote;
pub mod region;
pub mod search;
pub mod shipping;
pub mod staff;
pub mod tax;
pub mod translation;
