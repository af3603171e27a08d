//! What is true in the shop, apart from how it is stored or shown.
//!
//! House rules: no async, no SQL, no GraphQL, no clock, no randomness and no
//! IO. Time, ids and random values come in as arguments; a function takes the
//! few fields it needs and answers with a decision or with every reason
//! ([`refusal::Refusal`]) why there is none.
//!
//! Start with [`money`] (integers in minor units, one rounding function),
//! then [`totals`] (the one calculator of the shop), then the noun you came for.

pub mod address;
pub mod auth;
pub mod cart;
pub mod catalog;
pub mod category;
pub mod channel;
pub mod checkout;
pub mod collection;
pub mod customer;
pub mod document;
pub mod flow;
pub mod fulfillment;
pub mod id;
pub mod import;
pub mod inventory;
pub mod job;
pub mod ledger;
pub mod locale;
pub mod media;
pub mod metafield;
pub mod money;
pub mod notification;
pub mod order;
pub mod payment;
pub mod policy;
pub mod pricing;
pub mod promotion;
pub mod provider;
pub mod reach;
pub mod refusal;
pub mod rule;
pub mod search;
pub mod shipping;
pub mod shopify;
pub mod tax;
pub mod text;
pub mod throttle;
pub mod totals;
pub mod totp;
pub mod translation;
pub mod word;
