//! The shop without its API: what is written, read, remembered and told, on
//! both databases. It names no GraphQL, so that a change of a resolver doesn't
//! compile it again, and it is compiled while GraphQL's libraries still are.
//!
//! A frame that knows no noun, and one folder per noun, where the file name is
//! the layer: `ops` are the writes, `repo` is the SQL. The same word names the
//! folder that presents the noun in the gateway, its rules in `domain` and its
//! tests.
//!
//! | the frame | |
//! |---|---|
//! | [`app`] | one open shop, and how it is put together |
//! | [`op`] | a write as a value, and the one runner |
//! | [`db`] | both databases, and all that differs between them |
//! | [`event`], [`relay`], [`bus`] | the log, its positions, and who is woken |
//! | [`epoch`] | how often what shoppers are shown has changed |
//! | [`background`], [`panic`] | what runs by itself, and in which process; what a panic ends |
//! | [`page`], [`version`] | what lists and changes have in common |
//! | [`backup`] | the shop as one file, and back
//! | [`vitals`] | how the shop stands, for those who look after it |
//! | [`scope`] | how far the caller gets: channels and locations |
//! | [`throttle`] | who may ask how much |
//! | [`provider`] | what others implement |

#![recursion_limit = "256"]

pub mod actor;
pub mod app;
pub mod audit;
pub mod background;
pub mod backup;
pub mod bus;
pub mod clock;
pub mod db;
pub mod doctor;
pub mod epoch;
pub mod error;
pub mod event;
pub mod failpoint;
pub mod flow;
pub mod hub;
pub mod op;
pub mod page;
pub mod panic;
pub mod provider;
pub mod relay;
pub mod scope;
pub mod seed;
pub mod settings;
pub mod sweeper;
pub mod throttle;
pub mod version;
pub mod vitals;

pub mod auth;
pub mod cart;
pub mod catalog;
pub mod category;
pub mod channel;
pub mod check;
pub mod checkout;
pub mod collection;
pub mod customer;
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
pub mod region;
pub mod search;
pub mod shipping;
pub mod staff;
pub mod tax;
pub mod translation;
