//! Prices: what a variant costs to whom. The choice is `domain::pricing`.
//!
//! | to change | edit |
//! |---|---|
//! | what is known of a buyer | [`buyer`] |
//! | the prices that listings sort and filter by | [`listing`] |
//! | what staff change about price lists | [`ops`], [`bulk`] |
//! | the prices of a list in a file | [`import`], [`export`]; its columns: `domain::pricing::sheet` |
//! | the lowest price before a reduction | [`repo::past_of`] |

pub mod bulk;
pub mod buyer;
pub mod export;
pub mod import;
pub mod listing;
pub mod ops;
pub mod repo;
