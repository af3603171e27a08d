//! Products, their options and variants, media, tags and types.
//!
//! A product is stored as a whole, whichever way it comes in: the admin, a
//! file, the demo shop. `domain::catalog::check_product` is the one check,
//! [`save`] the one writer. Options and their values are shared by products.
//!
//! | to change | edit |
//! |---|---|
//! | what a product may hold | `domain::catalog` |
//! | how it is stored, and what a second import changes | [`save`] |
//! | how variants are written together | [`rows`] |
//! | a product or many variants as another system has them | [`set`], [`bulk`] |
//! | what can be filtered and sorted by, and along which index | [`listing`], [`repo::listing`], [`repo::narrow`] |
//! | what shoppers see | `src/catalog/types.rs`, `src/catalog/store.rs` |
//! | what staff see and change | `src/catalog/admin.rs`, [`ops`] |

pub mod bulk;
pub mod duplicate;
pub mod export;
pub mod held;
pub mod import;
pub mod listing;
pub mod ops;
pub mod options;
pub mod publish;
pub mod related;
pub mod repo;
pub mod rows;
pub mod save;
pub mod set;
pub mod texts;
