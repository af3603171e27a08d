//! How the gateway presents log-ins at identity providers; what they are is said in `engine::auth::oidc`.

pub mod admin;
