//! Carts: what a shopper is about to buy.
//!
//! ```text
//!   OPEN ──cartComplete──▶ COMPLETING ──placed──▶ COMPLETED
//!    ▲                         │
//!    └────────abandoned────────┘        OPEN ──expired──▶ ABANDONED ──▶ erased
//! ```
//!
//! An id alone opens nothing: a guest's cart needs its token, a customer's its
//! owner. What a cart costs is never stored but computed from its lines, the
//! prices and the settings of the moment ([`quote`]); a line remembers the
//! price that the shopper saw last, so that a change is told and never silent.
//!
//! | to change | edit |
//! |---|---|
//! | how many lines and pieces | `domain::cart` |
//! | what stands between cart and order | `domain::checkout`, [`quote`] |
//! | what who follows a cart is told | [`live`] |
//! | what it takes from stock, and what is held for it | [`stock`], [`hold`] |
//! | who buys, and where it goes | [`buyer`] |
//! | what taxes see of it | [`taxed`] |
//! | what promotions make of it, its codes and gifts | [`promote`], [`codes`], [`gifts`] |
//! | what gift cards and store credit pay of it | [`means`] |
//! | what becomes of those that nobody comes back to | [`left`] |
//! | what an order keeps of its prices | [`kept`] |
//! | what shoppers can change | [`ops`], `src/cart/store.rs` |

pub mod buyer;
pub mod codes;
mod gifts;
pub mod hold;
pub mod kept;
pub mod left;
pub mod live;
pub mod means;
pub mod merge;
pub mod ops;
mod promote;
pub mod quote;
pub mod rehearse;
pub mod repo;
mod stock;
mod taxed;
