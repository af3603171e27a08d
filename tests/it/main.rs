//! The shop as its users meet it: every test runs the real server on a copy of
//! a migrated database, SQLite or PostgreSQL by `EMPORION_TEST_DATABASE`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets the unexpected shall fail where it stands"
)]

mod access;
mod budget;
mod cart;
mod catalog;
mod category;
mod channel;
mod checkout;
mod cli;
mod collection;
mod crash;
mod customer;
mod customer_admin;
mod customer_cart;
mod customer_token;
mod frame;
mod import;
mod live;
mod media;
mod metafield;
mod order;
mod product;
mod race;
mod schema;
mod search;
mod seed;
mod socket;
mod sse;
mod staff;
mod support;
mod tidy;
mod translation;
mod upload;
mod walk;
