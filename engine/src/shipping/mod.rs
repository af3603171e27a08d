//! Shipping: profiles of products, zones of areas, and the options that bring an order to the shopper.
//!
//! A product is of one profile; what a cart holds of one profile ships together, as a delivery group, and is offered
//! the options of that profile (`domain::shipping`).
//!
//! | to change | edit |
//! |---|---|
//! | what staff can change | [`ops`], [`zone`], [`profile`], `src/shipping` |
//! | what a cart is offered | [`offers`], `domain::shipping` |

pub mod offers;
pub mod ops;
pub mod profile;
pub mod repo;
pub mod zone;
