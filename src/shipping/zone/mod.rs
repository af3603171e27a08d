//! How the gateway presents zones that shipping options go to.

pub mod admin;
