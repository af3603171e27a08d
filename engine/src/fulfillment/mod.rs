//! Fulfillments: what was packed together, shipped and delivered.
//!
//! ```text
//!   PACKED ──ship──▶ SHIPPED ──deliver──▶ DELIVERED
//!      └──cancel──▶ CANCELED
//! ```
//!
//! Packing consumes the stock that was promised to the order's lines and never
//! other stock; canceling gives the goods back and promises them again.
//!
//! | to change | edit |
//! |---|---|
//! | the states, and what may be packed | `domain::fulfillment` |
//! | what staff can do | [`ops`], `src/fulfillment/admin.rs` |

pub mod ops;
pub mod repo;
