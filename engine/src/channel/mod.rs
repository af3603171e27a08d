//! Sales channels and the publishable keys that name them.
//!
//! A channel decides which products a shopper sees, in which region a cart
//! begins, which locations serve it. A request names its channel with a
//! publishable key; without one it is in the oldest active channel.
//!
//! | to change | edit |
//! |---|---|
//! | what a channel may be called | `domain::channel` |
//! | what staff can change | [`ops`], `src/channel/admin.rs` |
//! | what a shopper is told | `src/channel/store.rs` |

pub mod ops;
pub mod repo;

/// What begins a publishable key.
pub const KEY_PREFIX: &str = "pk_";
