//! Texts in other languages.
//!
//! An entity's own columns hold the language of the shop, which is the default
//! of its oldest channel; every other language is a row of a text. A request
//! asks for a chain of languages ([`crate::settings::Settings::text_chain`])
//! and takes the first that there is; in the shop's own language it spends no
//! statement.
//!
//! | to change | edit |
//! |---|---|
//! | which texts are translated | `domain::translation`, [`repo::sources`] |
//! | which language a request gets | `domain::locale` |
//! | what staff can change | [`ops`], `src/translation/admin.rs` |
//! | how shoppers' texts are read | `src/translation/load.rs` |

pub mod ops;
pub mod repo;

use std::collections::HashMap;

use domain::translation::TranslatableField;
use entity::translation;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What tells whether a text changed since it was translated.
pub fn digest(text: &str) -> Vec<u8> {
    Sha256::digest(text).to_vec()
}

/// Translated texts that were read, by entity.
#[derive(Debug, Default, Clone)]
pub struct Texts(HashMap<(Uuid, TranslatableField), Vec<(String, String)>>);

impl Texts {
    /// Takes rows in.
    pub fn extend(&mut self, rows: impl IntoIterator<Item = translation::Model>) {
        for row in rows {
            self.0.entry((row.entity_id, row.field)).or_default().push((row.locale, row.value));
        }
    }

    /// The text in the first language of the chain that it has.
    pub fn find(&self, chain: &[String], entity: Uuid, field: TranslatableField) -> Option<&str> {
        let known = self.0.get(&(entity, field))?;
        let text = chain.iter().find_map(|locale| known.iter().find(|(tag, _)| tag == locale))?;
        Some(&text.1)
    }
}
