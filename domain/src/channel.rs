//! Sales channels: a storefront, an app, a till.

use crate::refusal::{ErrorCode, Refusal};

/// The most channels of a shop.
pub const MAX_CHANNELS: usize = 100;
/// The most publishable keys in force.
pub const MAX_KEYS: usize = 1_000;

/// A language tag of the plain form `de` or `pt-BR` (BCP 47: language, and
/// perhaps script and region).
pub fn locale(text: &str) -> Result<String, Refusal> {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    let well_formed = (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && parts.clone().count() <= 2
        && parts.all(|part| (2..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    if well_formed {
        Ok(text.to_owned())
    } else {
        Err(Refusal::new(ErrorCode::Invalid, "This is not a language tag such as en or pt-BR."))
    }
}

/// The address under which a storefront is reached: what links in mail begin
/// with, so it comes from staff and never from a request.
pub fn storefront_url(text: &str) -> Result<String, Refusal> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let well_formed = rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && !host.contains('@')
    }) && text.len() <= 2048
        && !text.contains(['?', '#', '\\'])
        && text.bytes().all(|b| b.is_ascii_graphic());
    if well_formed {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err(Refusal::new(ErrorCode::Invalid, "This is not a web address such as https://shop.example."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_tags() {
        for text in ["en", "pt-BR", "zh-Hant-TW", "gsw"] {
            assert!(locale(text).is_ok(), "{text}");
        }
        for text in ["", "e", "EN", "en_US", "en-", "english", "en-US-x-y"] {
            assert!(locale(text).is_err(), "{text}");
        }
    }

    #[test]
    fn storefront_addresses() {
        assert_eq!(storefront_url("https://shop.example/").unwrap(), "https://shop.example");
        for text in ["", "shop.example", "ftp://shop", "https://", "https://a@b", "https://a/?q", "javascript:alert(1)"]
        {
            assert!(storefront_url(text).is_err(), "{text}");
        }
    }
}
