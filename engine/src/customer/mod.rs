//! Customers: people who buy, with an account or without.
//!
//! Nobody learns from an answer, or from its time, whether an address has an
//! account: registering, asking for mail and logging in are answered alike.
//! An account can be used once its mailbox is proved, and what was bought as a
//! guest joins it only by a token that was mailed to that mailbox.
//!
//! No mail is sent here. An op that wants one emits `customer.mail_requested`
//! (or `order.mail_requested`, for an order of a guest) with the template and
//! ids; whoever sends it issues the token then ([`mail::IssueToken`]).
//!
//! | to change | edit |
//! |---|---|
//! | registering, verifying, passwords | [`account`] |
//! | what a customer changes about himself | [`profile`], [`email`] |
//! | how orders of guests are found again | [`claim`] |
//! | which data is personal | [`repo::erase`], [`export`] |
//! | what staff do | [`staff`], [`group`] |

pub mod account;
pub mod claim;
pub mod email;
pub mod erase;
pub mod export;
pub mod group;
pub mod mail;
pub mod profile;
pub mod repo;
pub mod staff;

use domain::id::CustomerId;
use entity::customer;

use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::Tx;

/// The history of a customer.
pub fn aggregate(id: CustomerId) -> Aggregate {
    Aggregate::new("customer", id)
}

/// The signed-in customer who is writing, held until the transaction ends.
async fn hold_own(tx: &mut Tx) -> Result<customer::Model> {
    let id = tx.actor().customer().ok_or(Error::Unauthenticated)?;
    repo::lock(tx, id).await?.ok_or(Error::Unauthenticated)
}

/// Writes a customer who was changed, with a new version and found by what he is called now.
async fn save(tx: &mut Tx, mut row: customer::Model) -> Result<customer::Model> {
    row.version += 1;
    row.updated_at = tx.now();
    row.search_text = searched(&row);
    repo::update(tx, row).await
}

/// What a customer is found by.
pub(crate) fn searched(row: &customer::Model) -> String {
    domain::customer::search_text([
        Some(row.email.as_str()),
        row.first_name.as_deref(),
        row.last_name.as_deref(),
        row.phone.as_deref(),
    ])
}
