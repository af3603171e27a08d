//! Mail that the shop sends by itself: confirmations, shipments, refunds,
//! proofs of mailboxes, invitations.
//!
//! A consumer of the event log ([`collect`]) makes one row of each event that
//! asks for mail, in one transaction with its place in the log. Whoever works
//! on rows ([`worker`]) takes one with a conditional update, so that two
//! processes never work on the same, and says that it is being sent before it
//! is: a process that is lost in between leaves a row that nobody repeats by
//! himself. The token of a mail is issued then and kept nowhere.
//!
//! | to change | edit |
//! |---|---|
//! | which event makes which mail | [`collect`] |
//! | what a mail may speak of | [`context`] |
//! | which link and token are in a mail | [`compose`] |
//! | what the shop writes by itself | `templates/`, [`built_in`] |
//! | what a template may do | `domain::notification::dialect`, [`render`] |
//! | what staff do | [`ops`] |
//! | how mail leaves the shop | [`crate::provider::notification`] |

pub mod built_in;
pub mod collect;
pub mod compose;
pub mod context;
pub mod ops;
pub mod render;
pub mod repo;
pub mod worker;

pub use worker::run;

use chrono::TimeDelta;

/// How long a process may take for one mail before it counts as lost.
pub const LEASE: TimeDelta = TimeDelta::minutes(5);
