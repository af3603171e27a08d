//! Where something is sent or billed to.

use serde::{Deserialize, Serialize};

use crate::refusal::{ErrorCode, Refusal};
use crate::text::CountryCode;

/// The longest line of an address, in characters.
pub const MAX_LINE: usize = 255;

/// A postal address. Orders keep the one they were placed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "orm", derive(sea_orm::FromJsonQueryResult))]
pub struct Address {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: String,
    /// Company.
    pub company: Option<String>,
    /// Street and number.
    pub address1: String,
    /// Flat, floor, building.
    pub address2: Option<String>,
    /// City.
    pub city: String,
    /// State, province or county.
    pub province: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Country.
    pub country: CountryCode,
    /// Telephone number.
    pub phone: Option<String>,
}

impl Address {
    /// Trims every line, drops the empty ones, and names each that is missing,
    /// too long or holds control characters. Paths begin with `path`.
    pub fn check(self, path: &[&str]) -> Result<Self, Vec<Refusal>> {
        let mut refusals = Vec::new();
        let mut line = |field: &str, text: String, needed: bool| -> String {
            let text = text.trim().to_owned();
            let at = path.iter().copied().chain([field]);
            if text.is_empty() && needed {
                refusals.push(Refusal::new(ErrorCode::Required, "This line of the address is needed.").at(at));
            } else if text.chars().count() > MAX_LINE {
                let message = format!("This is longer than {MAX_LINE} characters.");
                refusals.push(Refusal::new(ErrorCode::Invalid, message).limit(MAX_LINE as i64).at(at));
            } else if text.chars().any(char::is_control) {
                refusals.push(Refusal::new(ErrorCode::Invalid, "This can't hold control characters.").at(at));
            }
            text
        };
        let mut optional = |field: &str, text: Option<String>| -> Option<String> {
            Some(line(field, text.unwrap_or_default(), false)).filter(|text| !text.is_empty())
        };
        let first_name = optional("firstName", self.first_name);
        let company = optional("company", self.company);
        let address2 = optional("address2", self.address2);
        let province = optional("province", self.province);
        let postal_code = optional("postalCode", self.postal_code);
        let phone = optional("phone", self.phone);
        let address = Self {
            first_name,
            company,
            address2,
            province,
            postal_code,
            phone,
            last_name: line("lastName", self.last_name, true),
            address1: line("address1", self.address1, true),
            city: line("city", self.city, true),
            country: self.country,
        };
        if refusals.is_empty() { Ok(address) } else { Err(refusals) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_line_is_named() {
        let address = Address {
            first_name: Some("  ".into()),
            last_name: " ".into(),
            company: None,
            address1: "Elm Street 1".into(),
            address2: None,
            city: String::new(),
            province: None,
            postal_code: None,
            country: "DE".parse().unwrap(),
            phone: None,
        };
        let paths: Vec<_> = address.clone().check(&["shipping"]).unwrap_err().into_iter().map(|r| r.path).collect();
        assert_eq!(paths, [["shipping", "lastName"], ["shipping", "city"]]);
        let whole = Address { last_name: "Lovelace ".into(), city: "Berlin".into(), ..address };
        let checked = whole.check(&[]).unwrap();
        assert_eq!((checked.last_name.as_str(), checked.first_name), ("Lovelace", None));
    }
}
