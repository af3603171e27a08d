//! Registering, logging in and proving mailboxes, on the store surface.

pub mod store;
