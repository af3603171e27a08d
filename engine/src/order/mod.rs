//! Placed orders: a snapshot of what was bought, and how far it has come.
//!
//! An order is written once, by Place ([`crate::checkout`]). All that happens
//! afterwards, to it, its payments and its fulfillments, is an event of the
//! aggregate `order`, written under the order's lock: the sequence is dense,
//! so a subscriber knows that it missed nothing.
//!
//! The three statuses are derived by `domain::order` from amounts and
//! quantities and stored in the same transaction ([`repo::save_statuses`]).
//!
//! | to change | edit |
//! |---|---|
//! | how statuses follow from amounts and quantities | `domain::order` |
//! | who may see an order | [`access`] |
//! | how those who follow an order share what is read | [`live`] |
//! | how staff follow all orders | [`feed`] |
//! | what is told as it happens | `src/order/subs.rs` |

pub mod access;
pub mod export;
pub mod feed;
pub mod live;
pub mod ops;
pub mod repo;

use domain::id::OrderId;

use crate::event::Aggregate;

/// The history of an order.
pub fn aggregate(id: OrderId) -> Aggregate {
    Aggregate::new("order", id)
}

/// A mail about an order is wanted.
pub const MAIL_REQUESTED: &str = "order.mail_requested";

/// Whether only staff may read what an event of this kind says; shoppers get its sequence alone.
pub fn is_for_staff(kind: &str) -> bool {
    use crate::payment::due::link::{LINK_CREATED, LINK_REVOKED};
    [MAIL_REQUESTED, LINK_CREATED, LINK_REVOKED].contains(&kind)
}
