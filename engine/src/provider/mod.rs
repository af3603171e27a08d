//! What others implement: payment and notification now; fulfillment, tax, search
//! and files when their time comes. Each trait has the providers that are
//! shipped with the shop beside it.

pub mod notification;
pub mod payment;
