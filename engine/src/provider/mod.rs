//! What others implement: payment, notification, tax and the prices of shipping now; fulfillment, search and files when
//! their time comes. Each trait has the providers that are shipped with the shop beside it.
//!
//! | to change | edit |
//! |---|---|
//! | which tax rates and shipping prices are asked for outside | [`rate`] |
//! | when they are asked for, and how long an answer counts | [`ask`] |
//! | how a provider is called over HTTP, and where nobody calls | [`http`] |

pub mod ask;
pub mod http;
pub mod notification;
pub mod payment;
pub mod rate;
pub mod repo;

/// The provider gave no usable answer; the call may be repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the provider gave no answer: {0}")]
pub struct Silent(pub String);
