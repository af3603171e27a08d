//! Policies: the merchant's legal texts, for the whole shop and, in its place,
//! for a channel.
//!
//! What they are called lies in the settings' snapshot, so that a storefront's
//! footer costs no statement; the texts themselves are read when asked for.
//! Those that were taken away stay in the table, out of force.
//!
//! | to change | edit |
//! |---|---|
//! | which kinds there are, which text counts in a channel | `domain::policy` |
//! | what staff can change | [`ops`], `src/policy/admin.rs` |
//! | what shoppers see | `src/policy/types.rs` |

pub mod ops;
pub mod repo;
