//! How the gateway presents the audit log; what it is is said in `engine::audit`.

pub mod admin;
