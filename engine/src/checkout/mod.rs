//! Checkout: one attempt to turn a cart into an order (DESIGN section 4).
//!
//! ```text
//!             ┌─ declined, canceled, deadline ──▶ Abandon
//!   Begin ──▶ Provider ──▶ Place
//!             └─ requires action: parked; the same call resumes it
//! ```
//!
//! Begin and Place are one transaction each; the provider is called between
//! them with no transaction open, with the checkout's id as the key that makes
//! the call safe to repeat. The run's state is a row ([`crate::flow`]): after a
//! crash the same call, or the sweeper, goes on where it stands.
//!
//! | to change | edit |
//! |---|---|
//! | what must be there before Begin | `domain::checkout` |
//! | what is frozen | [`frozen`] |
//! | the transactions | [`begin`], [`place`] |
//! | the order of the steps | [`crate::payment::wanted`] |
//! | what a checkout does at each of them | [`flow`] |

pub mod begin;
pub mod flow;
pub mod frozen;
pub mod place;
pub mod repo;
