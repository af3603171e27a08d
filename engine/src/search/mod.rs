//! Finding products by words.
//!
//! The index holds every product that is not deleted, once in the shop's own
//! language and once in each other into which something of it is translated, and is written in the
//! transaction of whatever changes one: [`crate::op`] brings the products of a
//! transaction's events up to date before it commits. What a shopper may see is
//! asked when he searches, so that a product shows when its time has come.
//!
//! | to change | edit |
//! |---|---|
//! | what a word is, which words are close, how much a query may hold | `domain::search` |
//! | which texts of a product are found | the texts in [`repo`] |
//! | in which language | `domain::search::documents` |
//! | how the two databases keep the index | [`crate::db::search`] |
//! | what comes first, how hits are listed | [`repo`], `crate::catalog::repo::listing` |
//! | what can be narrowed down, and how it is counted | [`facet`] |

pub mod facet;
pub mod ops;
pub mod repo;

use domain::search::Term;

/// A text that was read and looked up: what products must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching {
    /// All of these.
    pub terms: Vec<Term>,
    /// The words as they were corrected, when some were.
    pub corrected: Option<String>,
}

impl Matching {
    /// Whether it finds nothing whatever the shop has: signs without a word.
    pub fn is_void(&self) -> bool {
        self.terms.is_empty()
    }
}
