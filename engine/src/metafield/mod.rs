//! Metafields: typed data of the merchant's own.
//!
//! Definitions are settings, so that a request knows them without a statement;
//! values are rows. A value stands once in its text form, and once for each of
//! its entries as a key by which it is looked up.
//!
//! | to change | edit |
//! |---|---|
//! | the types and their forms | `domain::metafield` |
//! | what staff can change | [`ops`], `src/metafield/admin.rs` |
//! | how products are found by them | [`condition`], [`repo::matches`] |
//! | what shoppers and staff see | `src/metafield/types.rs` |

pub mod condition;
pub mod ops;
pub mod repo;
