//! Prices: what a variant costs to whom. The choice is `domain::pricing`.
//!
//! `listing_price` is what sorts and filters a listing by price; it is renewed
//! in the transaction that changes a price, a publication or a region.

pub mod repo;
