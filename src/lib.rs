//! Emporion: the whole back end of an online shop behind GraphQL.
//!
//! A frame that knows no noun, and one folder per noun. In a noun's folder the
//! file name is the layer: `types`, `store`, `admin` and `subs` present, `load`
//! batches reads, `ops` are the writes, `repo` is the SQL; what is true without
//! any of them is in the crate `domain`.
//!
//! | the frame | |
//! |---|---|
//! | [`app`] | one open shop, and how it is put together |
//! | [`op`] | a write as a value, and the one runner |
//! | [`db`] | both databases, and all that differs between them |
//! | [`event`], [`relay`], [`bus`] | the log, its positions, and who is woken |
//! | [`api`] | the schemas, connections, payloads, scalars, guards |
//! | [`http`], [`cli`] | the ways in |
//! | [`provider`] | what others implement |
//!
//! Start with `channel`, the smallest noun that goes through everything, then
//! read `docs/ARCHITECTURE.md`.

// The executor of GraphQL nests a future per level of the query.
#![recursion_limit = "256"]

pub mod actor;
pub mod api;
pub mod app;
pub mod audit;
pub mod bus;
pub mod cli;
pub mod clock;
pub mod db;
pub mod error;
pub mod event;
pub mod failpoint;
pub mod flow;
pub mod http;
pub mod op;
pub mod provider;
pub mod relay;
pub mod seed;
pub mod settings;
pub mod sweeper;

pub mod auth;
pub mod cart;
pub mod catalog;
pub mod channel;
pub mod checkout;
pub mod fulfillment;
pub mod inventory;
pub mod location;
pub mod order;
pub mod payment;
pub mod pricing;
pub mod region;
pub mod shipping;
pub mod tax;
