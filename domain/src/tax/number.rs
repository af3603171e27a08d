//! VAT numbers: how those of each country look.
//!
//! Only the shape is checked. Whether a number was given out, and to whom,
//! only the tax offices know; who sells without tax is liable for asking them.

use std::fmt;
use std::str::FromStr;

use crate::address::postal::{compact, fits};
use crate::refusal::{ErrorCode, Refusal};
use crate::word::serde_as_text;

/// A VAT number with the letters of its country in front, in capitals and without blanks, dots and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "orm", derive(sea_orm::DeriveValueType), sea_orm(value_type = "String"))]
pub struct TaxNumber(String);

/// What a number begins with, the country that gives it out, an example, and the forms of the rest: `#` is a digit,
/// `@` a letter, `?` either. By beginning.
#[rustfmt::skip]
const FORMS: &[(&str, &str, &str, &[&str])] = &[
    ("AT", "AT", "ATU12345678", &["U########"]),
    ("BE", "BE", "BE0123456789", &["0#########", "1#########"]),
    ("BG", "BG", "BG123456789", &["#########", "##########"]),
    ("CHE", "CH", "CHE123456789MWST", &["#########", "#########MWST", "#########TVA", "#########IVA"]),
    ("CY", "CY", "CY12345678X", &["########@"]),
    ("CZ", "CZ", "CZ12345678", &["########", "#########", "##########"]),
    ("DE", "DE", "DE123456789", &["#########"]),
    ("DK", "DK", "DK12345678", &["########"]),
    ("EE", "EE", "EE123456789", &["#########"]),
    ("EL", "GR", "EL123456789", &["#########"]),
    ("ES", "ES", "ESX1234567X", &["@#######@", "########@", "@########"]),
    ("FI", "FI", "FI12345678", &["########"]),
    ("FR", "FR", "FR12345678901", &["??#########"]),
    ("GB", "GB", "GB123456789", &["#########", "############", "GD###", "HA###"]),
    ("HR", "HR", "HR12345678901", &["###########"]),
    ("HU", "HU", "HU12345678", &["########"]),
    ("IE", "IE", "IE1234567WA", &["#######@", "#######@@", "#@#####@"]),
    ("IT", "IT", "IT12345678901", &["###########"]),
    ("LT", "LT", "LT123456789", &["#########", "############"]),
    ("LU", "LU", "LU12345678", &["########"]),
    ("LV", "LV", "LV12345678901", &["###########"]),
    ("MT", "MT", "MT12345678", &["########"]),
    ("NL", "NL", "NL123456789B01", &["#########B##"]),
    ("NO", "NO", "NO123456789MVA", &["#########", "#########MVA"]),
    ("PL", "PL", "PL1234567890", &["##########"]),
    ("PT", "PT", "PT123456789", &["#########"]),
    ("RO", "RO", "RO1234567890", &["##", "###", "####", "#####", "######", "#######", "########", "#########", "##########"]),
    ("SE", "SE", "SE123456789001", &["##########01"]),
    ("SI", "SI", "SI12345678", &["########"]),
    ("SK", "SK", "SK1234567890", &["##########"]),
    // Northern Ireland, for goods.
    ("XI", "GB", "XI123456789", &["#########", "############", "GD###", "HA###"]),
];

fn fills(form: &str, rest: &str) -> bool {
    form.len() == rest.chars().count() && form.chars().zip(rest.chars()).all(|(place, c)| fits(place, c))
}

impl TaxNumber {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The country that gave it out, by its ISO 3166-1 code: Greece writes EL, Northern Ireland XI.
    pub fn country(&self) -> &'static str {
        let entry = FORMS.iter().find(|(begins, ..)| self.0.starts_with(begins));
        entry.map_or("", |(_, country, ..)| country)
    }
}

impl fmt::Display for TaxNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TaxNumber {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        // Long before anything is worked out of it.
        if text.len() > 64 {
            return Err(Refusal::new(ErrorCode::Invalid, "A VAT number is not that long.").limit(64));
        }
        let mut plain: String = compact(text).chars().filter(|c| !matches!(c, '.' | '/')).collect();
        if plain.starts_with("GR") {
            plain.replace_range(..2, "EL");
        }
        let Some((begins, _, example, forms)) = FORMS.iter().find(|(begins, ..)| plain.starts_with(begins)) else {
            let message = "A VAT number begins with the letters of its country, such as DE123456789; those of the \
                           European Union, GB, CHE and NO are known.";
            return Err(Refusal::new(ErrorCode::Invalid, message));
        };
        if forms.iter().any(|form| fills(form, &plain[begins.len()..])) {
            Ok(Self(plain))
        } else {
            let message = format!("This is no VAT number of {begins}; one of them looks like {example}.");
            Err(Refusal::new(ErrorCode::Invalid, message))
        }
    }
}

serde_as_text!(TaxNumber);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_example_is_a_number_of_its_country() {
        for (begins, country, example, _) in FORMS {
            let number: TaxNumber = example.parse().unwrap();
            assert_eq!((number.as_str(), number.country()), (*example, *country), "{begins}");
        }
        let known: Vec<_> = FORMS.iter().map(|(_, country, ..)| *country).collect();
        for country in [
            "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU",
            "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "GB", "CH", "NO",
        ] {
            assert!(known.contains(&country), "{country}");
        }
    }

    #[test]
    fn numbers_are_understood_as_people_write_them() {
        for (text, number) in [
            (" de 123 456 789 ", "DE123456789"),
            ("CHE-123.456.789 MWST", "CHE123456789MWST"),
            ("NO 123 456 789 MVA", "NO123456789MVA"),
            ("GR123456789", "EL123456789"),
            ("nl123456789b01", "NL123456789B01"),
            ("FR XX 123456789", "FRXX123456789"),
            ("ES-B12345678", "ESB12345678"),
            ("RO12", "RO12"),
            ("BE 0123.456.789", "BE0123456789"),
        ] {
            assert_eq!(text.parse::<TaxNumber>().unwrap().as_str(), number);
        }
        for text in [
            "",
            "DE",
            "DE12345678",
            "DE1234567890",
            "123456789",
            "US123456789",
            "NL123456789A01",
            "BE2123456789",
            "SE123456789002",
            "ATU1234567",
            "ES123456789",
            "DE12345678A",
            "DE１２３４５６７８",
            "CH123456789",
        ] {
            assert!(text.parse::<TaxNumber>().is_err(), "{text}");
        }
        let refused = "DE12".parse::<TaxNumber>().unwrap_err();
        assert_eq!(refused.message, "This is no VAT number of DE; one of them looks like DE123456789.");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn no_text_panics_and_what_is_read_is_read_again(text in "\\PC{0,20}|[A-Z]{2}[0-9A-Z. -]{0,14}") {
            if let Ok(number) = text.parse::<TaxNumber>() {
                prop_assert_eq!(number.as_str().parse::<TaxNumber>().unwrap(), number);
            }
        }
    }
}
