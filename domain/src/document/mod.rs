//! How large a GraphQL document may be, judged before anything runs it and
//! before any library reads it.
//!
//! Two steps, both linear: [`scan`] goes once over the bytes, before a parser
//! does; [`weigh`] goes once over the parsed document, judging each fragment
//! once however often it is spread. What a document unfolds to is computed,
//! never unfolded: thirty fragments that spread each other twice are a billion
//! fields, known after sixty steps.

mod scan;
mod weigh;

use std::fmt;

pub use scan::{BYTES_PER_TOKEN, LONGEST_NAME, LONGEST_NUMBER, NESTING, Scan, scan, without_comments};
pub use weigh::{Document, Field, Judged, Node, Operation, Weight, weigh};

use crate::word::words;

words! {
    /// What is measured about a document.
    pub enum Measure {
        /// The length of the document in bytes.
        Bytes = "bytes",
        /// Names, numbers, texts, punctuation and comments, each once, and once more for every eight bytes of a name,
        /// a number or a text. White space counts nothing.
        Tokens = "tokens",
        /// Brackets within brackets.
        Nesting = "nesting",
        /// The digits and signs of one number.
        NumberLength = "numberLength",
        /// The letters of one name.
        NameLength = "nameLength",
        /// The entries of one list, in the document or in its variables.
        ListSize = "listSize",
        /// Fields within fields; fragments don't count.
        Depth = "depth",
        /// Selections within selections, those of fragments counted too.
        Levels = "levels",
        /// Fields with another name than their own.
        Aliases = "aliases",
        /// Fields at the root of the operation, or of a namespace.
        RootFields = "rootFields",
        /// Directives such as `@include`.
        Directives = "directives",
        /// Selections once every fragment is put in where it is spread.
        Selections = "selections",
        /// What answering costs, lists multiplied by their size.
        Cost = "cost",
        /// Fields that check a password, a code or a mailed token.
        Authentications = "authentications",
    }
}

/// What a document may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Its length in bytes.
    pub bytes: u64,
    /// Its tokens.
    pub tokens: u64,
    /// The entries of one list.
    pub list_size: u64,
    /// Fields within fields. Fragments may add as many levels again.
    pub depth: u64,
    /// Aliases, once fragments are put in.
    pub aliases: u64,
    /// Root fields of the operation.
    pub root_fields: u64,
    /// Directives, once fragments are put in.
    pub directives: u64,
    /// Selections of all operations, once fragments are put in.
    pub selections: u64,
    /// The cost of the operation.
    pub cost: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 64 * 1024,
            tokens: 2_000,
            // The largest bulk input takes 10,000 rows; most inputs state less themselves.
            list_size: 10_000,
            // The introspection of code generators goes 15 deep.
            depth: 20,
            aliases: 100,
            root_fields: 20,
            directives: 50,
            selections: 5_000,
            cost: 20_000,
        }
    }
}

/// Why a document is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breach {
    /// It is more than it may be.
    Over {
        /// Of what.
        measure: Measure,
        /// How much it may be.
        limit: u64,
        /// How much it is, as far as was counted.
        found: u64,
    },
    /// It holds the character U+0000, which no database stores.
    Nul,
    /// A text has no end; the byte at which it begins.
    Endless(usize),
    /// A fragment spreads itself, through others perhaps.
    Cycle(String),
}

impl Breach {
    /// What clients branch on.
    pub fn code(&self) -> &'static str {
        use Measure::{Bytes, ListSize, NameLength, Nesting, NumberLength, Tokens};
        match self {
            Self::Over { measure: Bytes | Tokens | Nesting | NumberLength | NameLength | ListSize, .. } => {
                "DOCUMENT_TOO_LARGE"
            }
            Self::Over { .. } => "DOCUMENT_TOO_COSTLY",
            Self::Nul => "INVALID",
            Self::Endless(_) | Self::Cycle(_) => "DOCUMENT_INVALID",
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Over { measure: Measure::Authentications, limit, .. } => {
                write!(f, "An operation checks at most {limit} password, code or token: send one request for each.")
            }
            Self::Over { measure, limit, found } => {
                write!(f, "The document passes a limit: `{measure}` is {found}, and {limit} at most.")
            }
            Self::Nul => f.write_str("The character U+0000 can't be part of a request."),
            Self::Endless(at) => write!(f, "The text that begins at byte {at} of the document has no end."),
            Self::Cycle(name) => write!(f, "The fragment {name:?} spreads itself."),
        }
    }
}

impl std::error::Error for Breach {}

/// Nothing when `found` keeps to the limit.
///
/// # Errors
/// The breach.
pub fn within(measure: Measure, found: u64, limit: u64) -> Result<(), Breach> {
    match found <= limit {
        true => Ok(()),
        false => Err(Breach::Over { measure, limit, found }),
    }
}
