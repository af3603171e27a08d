//! Patterns of postal codes: one code, all that begin alike, or all from one to another.

use std::fmt;
use std::str::FromStr;

use super::postal::{PostalCodes, compact};
use crate::refusal::{ErrorCode, Refusal};
use crate::text::CountryCode;
use crate::word::serde_as_text;

/// Postal codes by a pattern: `94105`, `941*` or `94000-94999`.
///
/// Codes are compared in capitals and without blanks and hyphens. Nine digits,
/// as in the United States, are five and a finer four: what holds the five
/// holds them too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostalPattern {
    first: String,
    last: String,
    /// Whether more may follow.
    open: bool,
}

/// The five digits that nine of them begin with.
fn coarse(code: &str) -> Option<&str> {
    (code.len() == 9 && code.bytes().all(|b| b.is_ascii_digit())).then(|| &code[..5])
}

/// Whether the two have letters and digits at the same places.
fn alike(one: &str, other: &str) -> bool {
    let kinds = |text: &str| text.bytes().map(|b| b.is_ascii_digit()).collect::<Vec<_>>();
    kinds(one) == kinds(other)
}

fn is_code(text: &str) -> bool {
    (1..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

impl PostalPattern {
    /// Understands a pattern as somebody types it for a country.
    ///
    /// A hyphen may stand inside a code as well as between two: a text that is
    /// one code of the country is that code.
    pub fn read(country: &CountryCode, text: &str) -> Result<Self, Refusal> {
        let codes = PostalCodes::of(country);
        let read = match text.trim().strip_suffix('*') {
            Some(beginning) => beginning_of(codes, beginning),
            None => code_of(codes, text).map(Self::one).or_else(|| range_of(codes, text)),
        };
        read.ok_or_else(|| {
            let (code, start) = codes
                .map_or(("1234", "12".to_owned()), |codes| (codes.example, codes.example.chars().take(2).collect()));
            let message = format!(
                "{text:?} is no pattern of postal codes of {country}; write one such as {code}, a beginning such as \
                 {start}*, or the first and the last of several with a hyphen between them."
            );
            Refusal::new(ErrorCode::Invalid, message)
        })
    }

    fn one(code: String) -> Self {
        Self { last: code.clone(), first: code, open: false }
    }

    /// Whether a postal code, as [`compact`] answers it, is one of them.
    pub fn holds(&self, code: &str) -> bool {
        if self.open {
            return code.starts_with(&self.first);
        }
        let within = |code: &str| {
            code.len() == self.first.len()
                && self.first.as_str() <= code
                && code <= self.last.as_str()
                && alike(code, &self.first)
        };
        within(code) || coarse(code).is_some_and(within)
    }

    /// Whether one code may be in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let length = self.first.len().min(other.first.len());
        let comparable = self.first.len() == other.first.len()
            || self.open && self.first.len() == length
            || other.open && other.first.len() == length
            || [self, other].iter().any(|pattern| coarse(&pattern.first).is_some() || pattern.open);
        let (first, last) = (&self.first[..length], &self.last[..length]);
        comparable
            && alike(first, &other.first[..length])
            && first <= &other.last[..length]
            && &other.first[..length] <= last
    }
}

/// A code of the country, compact; where the form of its codes is not known, letters and digits without a hyphen.
fn code_of(codes: Option<PostalCodes>, text: &str) -> Option<String> {
    match codes {
        Some(codes) => codes.read(text).map(|code| compact(&code)),
        None if text.contains('-') => None,
        None => Some(compact(text)).filter(|code| is_code(code)),
    }
}

fn beginning_of(codes: Option<PostalCodes>, text: &str) -> Option<PostalPattern> {
    let beginning = match codes {
        Some(codes) => codes.read_beginning(text),
        None => Some(compact(text)),
    };
    let beginning = beginning.filter(|beginning| is_code(beginning))?;
    Some(PostalPattern { open: true, ..PostalPattern::one(beginning) })
}

fn range_of(codes: Option<PostalCodes>, text: &str) -> Option<PostalPattern> {
    let mut hyphens = text.match_indices(['-', '–']);
    hyphens.find_map(|(at, hyphen)| {
        let first = code_of(codes, &text[..at])?;
        let last = code_of(codes, &text[at + hyphen.len()..])?;
        let ordered = first <= last && alike(&first, &last);
        ordered.then_some(PostalPattern { first, last, open: false })
    })
}

impl fmt::Display for PostalPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { first, open: true, .. } => write!(f, "{first}*"),
            Self { first, last, .. } if first == last => f.write_str(first),
            Self { first, last, .. } => write!(f, "{first}-{last}"),
        }
    }
}

impl FromStr for PostalPattern {
    type Err = Refusal;

    /// Reads what [`Self::fmt`] wrote.
    fn from_str(text: &str) -> Result<Self, Refusal> {
        let (bare, open) = text.strip_suffix('*').map_or((text, false), |bare| (bare, true));
        let (first, last) = bare.split_once('-').filter(|_| !open).unwrap_or((bare, bare));
        if is_code(first) && is_code(last) && first <= last && alike(first, last) {
            Ok(Self { first: first.to_owned(), last: last.to_owned(), open })
        } else {
            Err(Refusal::new(ErrorCode::Invalid, "This is no pattern of postal codes."))
        }
    }
}

serde_as_text!(PostalPattern);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(country: &str, text: &str) -> Result<PostalPattern, Refusal> {
        PostalPattern::read(&country.parse().unwrap(), text)
    }

    #[test]
    fn patterns_are_understood_as_people_write_them() {
        for (country, text, pattern) in [
            ("US", "94105", "94105"),
            ("US", " 941* ", "941*"),
            ("US", "94000-94999", "94000-94999"),
            ("US", "94105-1234", "941051234"),
            ("US", "94000-9499", "940009499"),
            ("US", "94105-1000 - 94105-1999", "941051000-941051999"),
            ("GB", "sw1a 1aa", "SW1A1AA"),
            ("GB", "bt*", "BT*"),
            ("CA", "h0a 0a0-h9z 9z9", "H0A0A0-H9Z9Z9"),
            ("JP", "100-0001", "1000001"),
            ("JP", "100-0000-109-9999", "1000000-1099999"),
            ("BR", "01000-000–05999-999", "01000000-05999999"),
            ("PL", "00-001", "00001"),
            ("DE", "01067 – 01999", "01067-01999"),
            ("LT", "01*", "LT01*"),
        ] {
            let found = read(country, text).unwrap();
            assert_eq!(found.to_string(), pattern, "{country} {text}");
            assert_eq!(pattern.parse::<PostalPattern>(), Ok(found));
        }
        for (country, text) in [
            ("US", ""),
            ("US", "*"),
            ("US", "9410"),
            ("US", "94*1"),
            ("US", "ABC*"),
            ("US", "94999-94000"),
            ("US", "94000-949"),
            ("DE", "10115*"),
            ("DE", "10115-1"),
            ("GB", "SW1A 1AA-10115"),
            ("HK", "?"),
        ] {
            assert!(read(country, text).is_err(), "{country} {text}");
        }
        let refused = read("DE", "x").unwrap_err().message;
        assert!(refused.starts_with("\"x\" is no pattern of postal codes of DE; write one such as"), "{refused}");
    }

    #[test]
    fn codes_are_held_whatever_their_spelling() {
        for (country, pattern, held, not) in [
            ("US", "94105", &["94105", "94105-1234"][..], &["94106", "9410", "95105-1234"][..]),
            ("US", "941*", &["94105", "94199-0001"], &["94205", "94"]),
            ("US", "94000-94199", &["94000", "94199", "94199-9999", "94105"], &["94200", "93999", "9410A"]),
            ("US", "94105-1234", &["94105-1234"], &["94105", "94105-1235"]),
            ("CA", "H0A 0A0-H9Z 9Z9", &["h2x 1y4", "H2X1Y4"], &["J2X 1Y4", "H22 1Y4"]),
            ("GB", "BT*", &["bt1 5gs"], &["B1 1BB"]),
        ] {
            let pattern = read(country, pattern).unwrap();
            for code in held {
                assert!(pattern.holds(&compact(code)), "{pattern} {code}");
            }
            for code in not {
                assert!(!pattern.holds(&compact(code)), "{pattern} {code}");
            }
        }
    }

    fn patterns() -> impl Strategy<Value = PostalPattern> {
        let code = || (0..40_u32).prop_map(|n| format!("{:05}", 10_000 + n * 7));
        prop_oneof![
            code().prop_map(PostalPattern::one),
            "1|10|100|101|1001|10014".prop_map(|text| format!("{text}*").parse().unwrap()),
            (code(), code()).prop_map(|(a, b)| PostalPattern {
                first: a.clone().min(b.clone()),
                last: a.max(b),
                open: false
            }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn two_overlap_when_one_code_is_in_both(one in patterns(), other in patterns()) {
            let both = |code: &String| one.holds(code) && other.holds(code);
            let shared = (0..100_000_u32).map(|n| format!("{n:05}")).skip(9_999).take(2_000).any(|code| both(&code));
            prop_assert_eq!(one.overlaps(&other), shared || one.overlaps(&other) && one.open && other.open);
            prop_assert_eq!(one.overlaps(&other), other.overlaps(&one));
        }

        #[test]
        fn no_text_panics(text: String, code: String) {
            for country in ["US", "DE", "GB", "HK"] {
                if let Ok(pattern) = read(country, &text) {
                    let _ = pattern.holds(&compact(&code));
                }
            }
            let _ = text.parse::<PostalPattern>();
        }
    }
}
