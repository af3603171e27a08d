//! Text that obeys a rule: once parsed it stays valid.

use std::fmt;
use std::str::FromStr;

use crate::refusal::{ErrorCode, Refusal};

/// The longest name or title, in characters.
pub const MAX_TITLE: usize = 255;

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "orm", derive(sea_orm::DeriveValueType), sea_orm(value_type = "String"))]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        crate::word::serde_as_text!($name);

        #[cfg(feature = "orm")]
        impl sea_orm::TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    };
}

text_type! {
    /// An e-mail address, trimmed and in lower case, so that one mailbox is one text.
    Email
}

text_type! {
    /// The part of a web address that names an entity: lower-case letters,
    /// digits and single hyphens, 1 to 255 characters.
    Handle
}

text_type! {
    /// An ISO 3166-1 alpha-2 country code in upper case.
    CountryCode
}

impl Email {
    /// What stands where an address was that has been erased; no mail reaches it.
    pub fn erased() -> Self {
        Self("erased@erased.invalid".to_owned())
    }
}

impl FromStr for Email {
    type Err = Refusal;

    /// Accepts what a mail server would: one `@`, something before it, a
    /// dotted or plain domain after it, no blanks, at most 254 characters
    /// (RFC 5321). Only an answered mail proves a mailbox.
    fn from_str(text: &str) -> Result<Self, Refusal> {
        let text = text.trim().to_lowercase();
        let well_formed = text.len() <= 254
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
            && match text.split_once('@') {
                Some((local, domain)) => {
                    !local.is_empty()
                        && local.len() <= 64
                        && !domain.is_empty()
                        && !domain.contains('@')
                        && !domain.starts_with('.')
                        && !domain.ends_with('.')
                        && !domain.contains("..")
                }
                None => false,
            };
        if well_formed {
            Ok(Self(text))
        } else {
            Err(Refusal::new(ErrorCode::Invalid, "This is not an e-mail address."))
        }
    }
}

impl Handle {
    /// The handle that was given, or one made from the name; refuses a malformed
    /// one, and a name without a letter or digit.
    pub fn given_or_made(given: Option<&str>, name: &str) -> Result<Self, Refusal> {
        match given {
            Some(text) => text.parse().map_err(|refusal: Refusal| refusal.at(["handle"])),
            None => Self::from_title(name).ok_or_else(|| {
                Refusal::new(ErrorCode::Required, "No handle can be made from this name; give one.").at(["handle"])
            }),
        }
    }

    /// The refusal of a handle that another entity of its kind has.
    pub fn taken(&self) -> Refusal {
        Refusal::new(ErrorCode::Taken, format!("The handle {:?} is taken.", self.as_str())).at(["handle"])
    }

    /// Makes a handle out of any title: letters of other alphabets are kept out
    /// except for those whose plain form is obvious; `None` when nothing is left.
    pub fn from_title(title: &str) -> Option<Self> {
        let mut handle = String::with_capacity(title.len());
        for c in title.chars() {
            match plain(c) {
                Some(text) => handle.push_str(text),
                None if c.is_ascii_alphanumeric() => handle.push(c.to_ascii_lowercase()),
                None if c == '\'' || c == '’' => {}
                None if !handle.is_empty() && !handle.ends_with('-') => handle.push('-'),
                None => {}
            }
        }
        let handle: String = handle.chars().take(MAX_TITLE).collect();
        handle.trim_end_matches('-').parse().ok()
    }
}

fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'À' | 'Á' | 'Â' | 'Ã' | 'Å' => "a",
        'ä' | 'æ' | 'Ä' | 'Æ' => "ae",
        'ç' | 'Ç' | 'č' | 'Č' | 'ć' | 'Ć' => "c",
        'è' | 'é' | 'ê' | 'ë' | 'È' | 'É' | 'Ê' | 'Ë' | 'ě' | 'ę' => "e",
        'ì' | 'í' | 'î' | 'ï' | 'Ì' | 'Í' | 'Î' | 'Ï' => "i",
        'ñ' | 'Ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' | 'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ø' => "o",
        'ö' | 'œ' | 'Ö' | 'Œ' => "oe",
        'ś' | 'š' | 'Š' | 'Ś' => "s",
        'ù' | 'ú' | 'û' | 'Ù' | 'Ú' | 'Û' => "u",
        'ü' | 'Ü' => "ue",
        'ý' | 'ÿ' | 'Ý' => "y",
        'ž' | 'ź' | 'ż' | 'Ž' => "z",
        'ß' => "ss",
        'ł' | 'Ł' => "l",
        _ => return None,
    })
}

impl FromStr for Handle {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let well_formed = !text.is_empty()
            && text.len() <= MAX_TITLE
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !text.contains("--");
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(Refusal::new(
                ErrorCode::Invalid,
                "A handle has lower-case letters, digits and single hyphens between them.",
            ))
        }
    }
}

impl FromStr for CountryCode {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        // The look-up folds case; the wire does not.
        match rust_iso3166::from_alpha2(text) {
            Some(country) if country.alpha2 == text => Ok(Self(text.to_owned())),
            _ => Err(Refusal::new(ErrorCode::Invalid, "This is not an ISO 3166-1 alpha-2 country code such as DE.")),
        }
    }
}

/// A title or name: trimmed, not empty, one line, at most [`MAX_TITLE`] characters.
pub fn title(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        Err(Refusal::new(ErrorCode::Required, "This can't be empty."))
    } else if text.chars().count() > MAX_TITLE {
        Err(Refusal::new(ErrorCode::Invalid, format!("This is longer than {MAX_TITLE} characters."))
            .limit(MAX_TITLE as i64))
    } else if text.chars().any(char::is_control) {
        Err(Refusal::new(ErrorCode::Invalid, "This can't hold control characters."))
    } else {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_mailbox_is_one_text() {
        assert_eq!(" Ada@Example.COM ".parse::<Email>().unwrap().as_str(), "ada@example.com");
        for text in ["", "ada", "@b", "a@", "a@b@c", "a b@c.de", "a@.de", "a@b..de", "a@b\n.de"] {
            assert!(text.parse::<Email>().is_err(), "{text}");
        }
    }

    #[test]
    fn titles_become_handles() {
        let made = |title| Handle::from_title(title).map(|handle| handle.to_string());
        assert_eq!(made("Crème Brûlée — Größe 2!").as_deref(), Some("creme-brulee-groesse-2"));
        assert_eq!(made("Gardener's Gloves").as_deref(), Some("gardeners-gloves"));
        assert_eq!(made("日本"), None);
    }

    #[test]
    fn countries_are_iso() {
        assert!("DE".parse::<CountryCode>().is_ok());
        for text in ["de", "XX", "DEU", ""] {
            assert!(text.parse::<CountryCode>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_made_handle_is_a_handle(title: String) {
            if let Some(handle) = Handle::from_title(&title) {
                prop_assert!(handle.as_str().parse::<Handle>().is_ok());
            }
        }
    }
}
