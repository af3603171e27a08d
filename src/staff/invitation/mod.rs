//! How the gateway presents invitations and recovery; what they are is said in `engine::staff::invite`.

pub mod admin;
