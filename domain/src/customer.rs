//! What a customer's account may hold.

use crate::refusal::{ErrorCode, Refusal};
use crate::text::MAX_TITLE;

/// The most addresses of a customer's book.
pub const MAX_ADDRESSES: usize = 100;
/// The most groups of a shop.
pub const MAX_GROUPS: usize = 1_000;
/// The most members that are put into a group or taken out at once.
pub const MAX_MEMBERS_AT_ONCE: usize = 250;
/// The shortest password of a customer, in characters.
pub const MIN_PASSWORD: usize = 8;
/// The longest password of a customer, in characters.
pub const MAX_PASSWORD: usize = 128;
/// The most orders that are attached to an account at once.
pub const MAX_CLAIMED: usize = 1_000;

/// Refuses a password that is too short or too long.
pub fn password(secret: &str, path: &str) -> Result<(), Refusal> {
    let length = secret.chars().count();
    if (MIN_PASSWORD..=MAX_PASSWORD).contains(&length) {
        return Ok(());
    }
    let message = format!("A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.");
    let bound = if length < MIN_PASSWORD { MIN_PASSWORD } else { MAX_PASSWORD };
    Err(Refusal::new(ErrorCode::Invalid, message).limit(bound as i64).at([path]))
}

/// A name or a telephone number: one line, trimmed; nothing when it is empty.
pub fn line(text: &str) -> Result<Option<String>, Refusal> {
    let text = text.trim();
    if text.chars().count() > MAX_TITLE {
        let message = format!("This is longer than {MAX_TITLE} characters.");
        Err(Refusal::new(ErrorCode::Invalid, message).limit(MAX_TITLE as i64))
    } else if text.chars().any(char::is_control) {
        Err(Refusal::new(ErrorCode::Invalid, "This can't hold control characters."))
    } else {
        Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
    }
}

/// What staff find a customer by: his e-mail, names and telephone number, folded.
pub fn search_text<'t>(parts: impl IntoIterator<Item = Option<&'t str>>) -> String {
    let parts: Vec<_> = parts.into_iter().flatten().map(str::to_lowercase).collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_have_8_to_128_characters() {
        assert_eq!(password("1234567", "password").unwrap_err().limit, Some(8));
        assert!(password("12345678", "password").is_ok());
        assert!(password(&"ä".repeat(128), "password").is_ok());
        assert_eq!(password(&"ä".repeat(129), "password").unwrap_err().limit, Some(128));
    }

    #[test]
    fn a_line_is_trimmed_and_an_empty_one_is_none() {
        assert_eq!(line("  Ada ").unwrap().as_deref(), Some("Ada"));
        assert_eq!(line(" ").unwrap(), None);
        assert!(line("a\nb").is_err());
        assert!(line(&"a".repeat(256)).is_err());
    }

    #[test]
    fn customers_are_found_whatever_the_capitals() {
        assert_eq!(search_text([Some("ada@x.de"), None, Some("LoveLace")]), "ada@x.de lovelace");
    }
}
