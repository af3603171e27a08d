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
mod channel;
mod checkout;
mod cli;
mod crash;
mod frame;
mod import;
mod live;
mod order;
mod race;
mod schema;
mod search;
mod seed;
mod support;
mod tidy;
mod walk;
