//! How the gateway presents the second factor; what it is is said in `engine::auth::factor`.

pub mod admin;
