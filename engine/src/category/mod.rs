//! Categories: the tree in which shoppers find products.
//!
//! A category knows its parent, its place among its siblings, and its path:
//! the ids of all above it. What stands below a category begins with its path,
//! so a whole branch is one comparison.
//!
//! | to change | edit |
//! |---|---|
//! | how deep and how wide the tree may be | `domain::category` |
//! | what staff can change | [`ops`], `src/category/admin.rs` |
//! | which categories shoppers see | [`repo::SHOWN`] |
//! | how products are asked by category | `engine::catalog::repo::listing` |

pub mod ops;
pub mod repo;
