//! Prices: what a variant costs to whom. The choice is `domain::pricing`.
//!
//! `listing_price` is what sorts and filters a listing by price; it is renewed
//! in the transaction that changes a price, a publication or a region. Every
//! product has a row for each region of each channel that it is in, also where
//! it has no price.

pub mod repo;
