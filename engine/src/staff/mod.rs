//! Staff and their roles.
//!
//! A role is a name for permissions; a member of staff holds what his roles
//! grant, a key what its role grants. Two roles are part of every shop: `owner`
//! grants everything that this version knows, `viewer` all that only reads.
//! Nobody grants, changes or takes away what he does not hold himself, and the
//! shop always has an owner who can log in.
//!
//! | to change | edit |
//! |---|---|
//! | what can be granted | `domain::auth` |
//! | how far a role reaches | `domain::reach`, [`roles`] |
//! | how roles are given and taken | [`ops`], `src/staff/admin.rs` |
//! | invitations and recovery | [`invite`], [`mail`] |
//! | logging in, sessions, keys | [`crate::auth`] |

pub mod invite;
pub mod mail;
pub mod ops;
pub mod repo;
pub mod roles;
