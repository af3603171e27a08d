//! Under which words a product is found in which language.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Document, Part};
use crate::locale::parents;
use crate::translation::TranslatableField;

/// What a translation translates: a text of an entity.
pub type Of = (Uuid, TranslatableField);

/// A text of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// In which part of the product it stands.
    pub part: Part,
    /// What it is, when it is translated at all.
    pub of: Option<Of>,
    /// The text in the shop's own language; empty when there is none.
    pub text: String,
}

/// A text of a product in another language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translated {
    /// Of what.
    pub of: Of,
    /// The language: a BCP 47 tag.
    pub locale: String,
    /// The translation.
    pub text: String,
}

/// The documents of a product by language; that of its own texts has the empty
/// name. Another language has one as soon as one of the texts is translated
/// into it: what is not translated into it, nor into what it falls back to
/// (`pt-BR` to `pt`), is found as it is. Without a title nothing is found.
pub fn documents(texts: &[Text], translated: &[Translated]) -> BTreeMap<String, Document> {
    if !texts.iter().any(|text| text.part == Part::Title) {
        return BTreeMap::new();
    }
    let found: BTreeSet<Of> = texts.iter().filter_map(|text| text.of).collect();
    let known: BTreeMap<(Of, &str), &str> =
        translated.iter().map(|text| ((text.of, text.locale.as_str()), text.text.as_str())).collect();
    let spoken = translated.iter().filter(|text| found.contains(&text.of)).map(|text| text.locale.as_str());
    let languages: BTreeSet<&str> = spoken.chain([""]).collect();
    let in_language = |language: &str| {
        Document::new(texts.iter().map(|text| {
            let other = text.of.and_then(|of| parents(language).find_map(|tag| known.get(&(of, tag)).copied()));
            (text.part, other.unwrap_or(&text.text))
        }))
    };
    languages.into_iter().map(|language| (language.to_owned(), in_language(language))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(part: Part, of: Option<Of>, text: &str) -> Text {
        Text { part, of, text: text.to_owned() }
    }

    fn other(of: Of, locale: &str, text: &str) -> Translated {
        Translated { of, locale: locale.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_language_finds_its_texts_and_those_that_nobody_translated() {
        let product = Uuid::from_u128(1);
        let (title, subtitle) = ((product, TranslatableField::Title), (product, TranslatableField::Subtitle));
        let strange = (Uuid::from_u128(2), TranslatableField::Title);
        let texts = [
            own(Part::Title, Some(title), "Shirt"),
            own(Part::Keyword, Some(subtitle), ""),
            own(Part::Code, None, "a1"),
        ];
        let translated = [
            other(title, "pt", "Camisa"),
            other(subtitle, "pt-BR", "Leve"),
            other(subtitle, "de", "Leicht"),
            other(strange, "fr", "Chemise"),
        ];
        let found = documents(&texts, &translated);
        let shown: Vec<_> =
            found.iter().map(|(tag, found)| (tag.as_str(), found.title.as_str(), found.keyword.as_str())).collect();
        let expected =
            [("", "shirt", ""), ("de", "shirt", "leicht"), ("pt", "camisa", ""), ("pt-BR", "camisa", "leve")];
        assert_eq!(shown, expected, "nothing that shoppers see is in French");
        assert!(found.values().all(|found| found.code == "a1"));
        assert!(documents(&texts[1..], &translated).is_empty(), "a product that is gone");
    }
}
