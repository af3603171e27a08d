//! Which language a shopper is answered in: `Accept-Language` held against
//! what a channel speaks, and where a text is looked for, one after the other.

use crate::channel::locale;
use crate::refusal::{ErrorCode, Refusal, Refusals};

/// The most languages of a channel besides its default.
pub const MAX_LOCALES: usize = 50;
/// The most entries of a header that are looked at.
const MAX_RANGES: usize = 32;

/// The languages that a channel speaks besides its default, in the merchant's order.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "orm", derive(sea_orm::FromJsonQueryResult))]
pub struct Locales(pub Vec<String>);

impl Locales {
    /// Checks what staff wish; the default, should it stand there too, is left out.
    pub fn check(wished: &[String], default: &str) -> Result<Self, Vec<Refusal>> {
        let mut refusals = Refusals::default();
        if wished.len() > MAX_LOCALES {
            let message = format!("A channel has at most {MAX_LOCALES} further languages.");
            return Err(vec![Refusal::new(ErrorCode::TooMany, message).limit(MAX_LOCALES as i64).at(["locales"])]);
        }
        let mut kept: Vec<String> = Vec::with_capacity(wished.len());
        for (place, text) in wished.iter().enumerate() {
            let at = ["locales".to_owned(), place.to_string()];
            let Some(tag) = refusals.keep(locale(text).map_err(|refusal| refusal.at(at.clone()))) else { continue };
            if kept.iter().any(|known| known.eq_ignore_ascii_case(&tag)) {
                refusals.push(Refusal::new(ErrorCode::Duplicate, "This language stands here twice.").at(at));
            } else if !tag.eq_ignore_ascii_case(default) {
                kept.push(tag);
            }
        }
        refusals.into_result()?;
        Ok(Self(kept))
    }
}

/// Thousandths of a quality value (RFC 9110, 12.4.2); `None` when it is malformed.
fn quality(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u32 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1_000),
        _ => None,
    }
}

/// The ranges of a header with their quality, as they stand; malformed entries are passed over.
fn ranges(header: &str) -> Vec<(&str, u32)> {
    header.split(',').take(MAX_RANGES).filter_map(range).collect()
}

fn range(entry: &str) -> Option<(&str, u32)> {
    let (range, parameters) = entry.split_once(';').unwrap_or((entry, ""));
    let (range, parameters) = (range.trim(), parameters.trim());
    let well_formed =
        range == "*" || (!range.is_empty() && range.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    let weight = match parameters.split_once('=') {
        None if parameters.is_empty() => 1_000,
        Some((name, value)) if name.trim().eq_ignore_ascii_case("q") => quality(value.trim())?,
        _ => return None,
    };
    well_formed.then_some((range, weight))
}

/// A tag and what is left of it when its subtags are taken off one after the other: `pt-BR`, `pt`.
pub(crate) fn parents(tag: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(tag), |tag| tag.rsplit_once('-').map(|(shorter, _)| shorter))
}

/// The one of the channel's languages, its default in front, in which a header
/// is answered: by falling quality the range itself, then the range without
/// its last subtags (RFC 4647, look-up), then a closer description of it. A
/// range with quality 0 takes its languages out. Nothing fits: the default.
pub fn negotiate<'o>(header: &str, offered: &[&'o str]) -> Option<&'o str> {
    let mut wished = ranges(header);
    let refused: Vec<&str> = wished.iter().filter(|(_, weight)| *weight == 0).map(|(range, _)| *range).collect();
    wished.retain(|(_, weight)| *weight > 0);
    wished.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    let within = |tag: &str, range: &str| {
        let start = tag.get(..range.len()).is_some_and(|start| start.eq_ignore_ascii_case(range));
        start && (tag.len() == range.len() || tag.as_bytes()[range.len()] == b'-')
    };
    let named = |tag: &str| wished.iter().any(|(range, _)| range.eq_ignore_ascii_case(tag));
    let open = |tag: &&&str| named(tag) || !refused.iter().any(|range| within(tag, range));
    for (range, _) in &wished {
        if *range == "*" {
            if let Some(tag) = offered.iter().find(open) {
                return Some(tag);
            }
            continue;
        }
        let exact = |wanted: &str| offered.iter().filter(open).find(|tag| tag.eq_ignore_ascii_case(wanted)).copied();
        let closer = || offered.iter().filter(open).find(|tag| within(tag, range)).copied();
        if let Some(tag) = parents(range).find_map(exact).or_else(closer) {
            return Some(tag);
        }
    }
    offered.first().copied()
}

/// Where a text is looked for, one after the other: the language itself, the
/// same without its last subtags, the channel's default likewise. It ends
/// before `source`, the language of the entities' own texts.
pub fn chain(wanted: &str, default: &str, source: &str) -> Vec<String> {
    let mut chain: Vec<String> = Vec::new();
    for tag in parents(wanted).chain(parents(default)) {
        if tag.eq_ignore_ascii_case(source) {
            break;
        }
        if !chain.iter().any(|known| known == tag) {
            chain.push(tag.to_owned());
        }
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OFFERED: &[&str] = &["en", "de", "pt", "fr-CA"];

    #[test]
    fn the_best_language_that_is_spoken_is_taken() {
        let cases = [
            ("de", "de"),
            ("DE", "de"),
            ("pt-BR", "pt"),
            ("pt-Latn-BR, de;q=0.9", "pt"),
            ("fr", "fr-CA"),
            ("fr-FR", "en"),
            ("es, de;q=0.5, pt;q=0.7", "pt"),
            ("de;q=0.5, en;q=0.5", "de"),
            ("es", "en"),
            ("", "en"),
            ("*", "en"),
            ("es, *;q=0.1", "en"),
            ("en;q=0, *", "de"),
            ("de;q=0", "en"),
            ("de;q=0, de-AT", "en"),
            ("de;q=1.000, pt;q=0.999", "de"),
            ("de;q=1.5, pt;q=0.1", "pt"),
            ("de;q=x, , ;q=1, pt", "pt"),
            ("de ; q = 0.2 , pt", "pt"),
            ("de;level=1, pt;q=0.1", "pt"),
            ("d\u{e9}, pt", "pt"),
        ];
        for (header, expected) in cases {
            assert_eq!(negotiate(header, OFFERED), Some(expected), "{header:?}");
        }
        assert_eq!(negotiate("de", &[]), None);
        let many = format!("{}de", "es,".repeat(MAX_RANGES));
        assert_eq!(negotiate(&many, OFFERED), Some("en"), "only so many entries are looked at");
    }

    #[test]
    fn a_text_falls_back_to_the_language_the_default_and_its_own() {
        assert_eq!(chain("pt-BR", "en", "en"), ["pt-BR", "pt"]);
        assert_eq!(chain("pt-BR", "de", "en"), ["pt-BR", "pt", "de"]);
        assert_eq!(chain("de", "de", "en"), ["de"]);
        assert!(chain("en", "de", "en").is_empty(), "the entities' own texts are the best there are");
        assert_eq!(chain("en-GB", "en", "en"), ["en-GB"]);
        assert_eq!(chain("zh-Hant-TW", "en", "en"), ["zh-Hant-TW", "zh-Hant", "zh"]);
    }

    #[test]
    fn further_languages_of_a_channel() {
        let check = |tags: &[&str]| Locales::check(&tags.iter().map(|tag| tag.to_string()).collect::<Vec<_>>(), "en");
        assert_eq!(check(&["de", "en", "pt-BR"]).unwrap().0, ["de", "pt-BR"]);
        let refused = check(&["de", "english", "de"]).unwrap_err();
        let faults: Vec<_> = refused.iter().map(|r| (r.code, r.path.join("."))).collect();
        assert_eq!(faults, [(ErrorCode::Invalid, "locales.1".into()), (ErrorCode::Duplicate, "locales.2".into())]);
        let many = vec!["de"; MAX_LOCALES + 1];
        assert_eq!(check(&many).unwrap_err()[0].code, ErrorCode::TooMany);
    }

    proptest! {
        #[test]
        fn no_header_panics_and_the_answer_is_spoken(header: String) {
            prop_assert!(negotiate(&header, OFFERED).is_some_and(|tag| OFFERED.contains(&tag)));
        }

        #[test]
        fn headers_of_tags_are_answered(header in "[a-zA-Z*;q=0-9., -]{0,60}") {
            prop_assert!(negotiate(&header, OFFERED).is_some());
        }
    }
}
