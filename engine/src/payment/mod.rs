//! Payments of placed orders: a ledger whose sums say what is paid.
//!
//! Taking and giving back money is a run of three steps: a transaction that
//! writes a pending entry, which holds its share of what can be taken; the
//! provider, with the entry's id as the key that makes the call safe to
//! repeat; a transaction that settles the entry. After a crash the same call,
//! or the sweeper, goes on where it stands.
//!
//! | to change | edit |
//! |---|---|
//! | how much can be captured or refunded | `domain::payment` |
//! | how a provider is asked for money, and for what it holds | [`charge`] |
//! | the steps of what a checkout or an order wants | [`wanted`] |
//! | how an order's rest is paid | [`due`] |
//! | the transactions | [`ops`] |
//! | the order of the steps | [`flow`] |
//! | what providers tell by themselves | [`incoming`] |
//! | what customers saved | [`method`] |
//! | what gift cards and store credit paid | [`here`] |

pub mod charge;
pub mod due;
pub mod flow;
mod here;
pub mod incoming;
pub mod method;
pub mod ops;
mod reconcile;
pub mod repo;
pub mod wanted;

use domain::payment::EntryKind;

/// The event that says that an entry succeeded.
pub fn event_kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Authorize => "payment.authorized",
        EntryKind::Capture => "payment.captured",
        EntryKind::Void => "payment.voided",
        EntryKind::Refund => "payment.refunded",
        EntryKind::Reversal => "payment.refund_failed",
    }
}
