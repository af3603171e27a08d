//! What others implement: payment now; fulfillment, tax, notification, search
//! and files when their time comes. Each trait has the providers that are
//! shipped with the shop beside it.

pub mod payment;
