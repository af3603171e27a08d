//! What a value of an option looks like.

use super::check::address;
use crate::refusal::{ErrorCode, Refusal};

/// What a value of an option looks like: a color or a picture, not both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swatch {
    /// `#rrggbb` in lower case.
    Color(String),
    /// The address of a picture.
    Image(String),
}

impl Swatch {
    /// A color such as `#2E8B57`.
    pub fn color(text: &str) -> Result<Self, Refusal> {
        let text = text.trim().to_lowercase();
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        match digits {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(Self::Color(text)),
            _ => Err(Refusal::new(ErrorCode::Invalid, "A color is written as #rrggbb.")),
        }
    }

    /// A picture by its address.
    pub fn image(text: &str) -> Result<Self, Refusal> {
        address(text).map(Self::Image)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_six_digits_in_lower_case() {
        assert_eq!(Swatch::color(" #2E8B57 "), Ok(Swatch::Color("#2e8b57".to_owned())));
        for text in ["", "2e8b57", "#fff", "#2e8b5g", "#2e8b577", "red", "#ééé"] {
            assert!(Swatch::color(text).is_err(), "{text}");
        }
    }

    #[test]
    fn pictures_have_an_address_that_a_browser_shows() {
        assert_eq!(Swatch::image("/media/oak.png"), Ok(Swatch::Image("/media/oak.png".to_owned())));
        assert!(Swatch::image("javascript:alert(1)").is_err());
    }
}
