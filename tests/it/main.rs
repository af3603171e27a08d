//! The shop as its users meet it: every test runs the real server on a copy of
//! a migrated database, SQLite or PostgreSQL by `EMPORION_TEST_DATABASE`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets the unexpected shall fail where it stands"
)]

mod access;
mod address;
mod authority;
mod bound;
mod budget;
mod bug_class;
mod cached;
mod cart;
mod catalog;
mod category;
mod channel;
mod check;
mod checkout;
mod cli;
mod clients;
mod collection;
mod crash;
mod customer;
mod customer_admin;
mod customer_cart;
mod customer_token;
mod doctor;
mod document;
mod export;
mod frame;
mod graphiql;
mod http;
mod hub;
mod import;
mod import_dialect;
mod import_numbers;
mod injection;
mod inventory;
mod job;
mod listing;
mod live;
mod live_cart;
mod live_shared;
mod log;
mod media;
mod metafield;
mod metrics;
mod notification;
mod notification_staff;
mod notification_text;
mod order;
mod outage;
mod payment;
mod payment_contract;
mod payment_crash;
mod payment_due;
mod payment_foreign;
mod payment_hook;
mod payment_staff;
mod policy;
mod price_import;
mod pricing;
mod product;
mod quote;
mod race;
mod rate;
mod rate_guess;
mod rate_provider;
mod ready;
mod region;
mod schema;
mod scope;
mod search;
mod search_language;
mod seed;
mod shipping;
mod shutdown;
mod smtp;
mod socket;
mod sse;
mod staff;
mod staff_factor;
mod staff_invitation;
mod staff_oidc;
mod stock;
mod storm;
mod support;
mod tax;
mod tidy;
mod translation;
mod trusted;
mod upload;
mod walk;
mod worker;
