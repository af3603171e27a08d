//! Where something is sent or billed to, and what the post of each country
//! wants of it.
//!
//! What is typed is checked ([`Address::check`]); what is stored already is
//! not, so that an order or an address book of earlier times stays as it is.

pub mod area;
mod pattern;
pub mod postal;
pub mod province;
mod rules;

use serde::{Deserialize, Serialize};

use crate::refusal::{ErrorCode, Refusal};
use crate::text::CountryCode;

pub use pattern::PostalPattern;
pub use rules::{AddressField, AddressRules, PostalCodeLabel};

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
    /// State, province or county: the code of one that is listed ([`province::Provinces`]), else as it was typed.
    pub province: Option<String>,
    /// Postal code, in the form of the country.
    pub postal_code: Option<String>,
    /// Country.
    pub country: CountryCode,
    /// Telephone number.
    pub phone: Option<String>,
}

impl Address {
    /// Trims every line, drops the empty ones, brings province and postal code
    /// into the form of the country, and names each that is missing, too long,
    /// holds control characters or can't be in that country. Paths begin with
    /// `path`.
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
        let mut province = optional("province", self.province);
        let mut postal_code = optional("postalCode", self.postal_code);
        let phone = optional("phone", self.phone);
        let last_name = line("lastName", self.last_name, true);
        let address1 = line("address1", self.address1, true);
        let city = line("city", self.city, true);
        let rules = AddressRules::of(&self.country);
        for (read, text, field) in [
            (rules.province(province.as_deref()), &mut province, "province"),
            (rules.postal_code(postal_code.as_deref()), &mut postal_code, "postalCode"),
        ] {
            match read {
                Ok(read) => *text = read,
                Err(refusal) => refusals.push(refusal.at(path.iter().copied().chain([field]))),
            }
        }
        let country = self.country;
        let address =
            Self { first_name, last_name, company, address1, address2, city, province, postal_code, country, phone };
        if refusals.is_empty() { Ok(address) } else { Err(refusals) }
    }

    /// The name of the province; what was typed when it is none of the listed ones.
    pub fn province_name(&self) -> Option<&str> {
        let text = self.province.as_deref()?;
        let provinces = province::Provinces::of(&self.country);
        let found = provinces.and_then(|provinces| provinces.find(&self.country, text));
        Some(found.map_or(text, |province| province.name.as_ref()))
    }

    /// The province as it is written on a parcel: by code or by name, as is usual in the country.
    pub fn province_line(&self) -> Option<&str> {
        match province::Provinces::of(&self.country) {
            Some(provinces) if provinces.by_code => self.province.as_deref(),
            _ => self.province_name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(country: &str, province: Option<&str>, postal_code: Option<&str>) -> Address {
        Address {
            first_name: None,
            last_name: "Lovelace ".into(),
            company: None,
            address1: "Elm Street 1".into(),
            address2: Some(" ".into()),
            city: "Town".into(),
            province: province.map(str::to_owned),
            postal_code: postal_code.map(str::to_owned),
            country: country.parse().unwrap(),
            phone: None,
        }
    }

    fn told(address: Address) -> Vec<(ErrorCode, String)> {
        let refused = address.check(&["shipping"]).err().unwrap_or_default();
        refused.into_iter().map(|refusal| (refusal.code, refusal.path.join("."))).collect()
    }

    #[test]
    fn every_missing_line_is_named() {
        let whole = address("DE", None, Some("10115"));
        let bare = Address {
            first_name: Some("  ".into()),
            last_name: " ".into(),
            city: String::new(),
            postal_code: None,
            ..whole.clone()
        };
        let missing = ["shipping.lastName", "shipping.city", "shipping.postalCode"];
        assert_eq!(told(bare), missing.map(|path| (ErrorCode::Required, path.to_owned())));
        let checked = whole.check(&[]).unwrap();
        assert_eq!((checked.last_name.as_str(), checked.first_name, checked.address2), ("Lovelace", None, None));
    }

    #[test]
    fn province_and_postal_code_take_the_form_of_the_country() {
        for (country, province, postal_code, becomes, written) in [
            ("US", Some("california"), Some("90210 1234"), (Some("CA"), Some("90210-1234")), Some("CA")),
            ("MX", Some("ciudad de mexico"), Some("06000"), (Some("CMX"), Some("06000")), Some("Ciudad de México")),
            ("JP", Some("Tokyo"), Some("1000001"), (Some("13"), Some("100-0001")), Some("Tokyo")),
            ("JP", Some("東京都"), Some("100-0001"), (Some("東京都"), Some("100-0001")), Some("東京都")),
            ("IE", Some("Co. Cork"), None, (Some("Co. Cork"), None), Some("Co. Cork")),
            ("IE", None, Some("d02af30"), (None, Some("D02 AF30")), None),
            ("DE", Some("Bayern"), Some("DE-80331"), (Some("Bayern"), Some("80331")), Some("Bayern")),
            ("HK", Some("kowloon"), Some("whatever"), (Some("KL"), Some("whatever")), Some("Kowloon")),
        ] {
            let checked = address(country, province, postal_code).check(&[]).unwrap();
            assert_eq!((checked.province.as_deref(), checked.postal_code.as_deref()), becomes, "{country}");
            assert_eq!(checked.province_line(), written, "{country}");
        }
    }

    #[test]
    fn what_can_t_be_in_the_country_is_refused_with_an_example() {
        use ErrorCode::{Invalid, Required};
        for (country, province, postal_code, refused) in [
            ("US", None, Some("90210"), vec![(Required, "shipping.province")]),
            (
                "US",
                Some("Bavaria"),
                Some("1010"),
                vec![(Invalid, "shipping.province"), (Invalid, "shipping.postalCode")],
            ),
            ("AU", Some("Tyrol"), None, vec![(Invalid, "shipping.province"), (Required, "shipping.postalCode")]),
            ("KR", None, Some("04524"), vec![(Required, "shipping.province")]),
            ("GB", None, Some("10115"), vec![(Invalid, "shipping.postalCode")]),
            ("AE", Some("Dubai"), None, vec![]),
            ("TR", Some("Ýzmir"), Some("35000"), vec![]),
        ] {
            let refused: Vec<_> = refused.into_iter().map(|(code, path)| (code, path.to_owned())).collect();
            assert_eq!(told(address(country, province, postal_code)), refused, "{country}");
        }
        let refused = address("GB", None, Some("10115")).check(&[]).unwrap_err();
        assert_eq!(refused[0].message, "\"10115\" is no postal code of GB; one of them is SW1A 1AA.");
    }

    proptest! {
        #[test]
        fn what_was_checked_stays_as_it_is_when_it_is_checked_again(
            country in prop::sample::select(vec!["US", "JP", "DE", "GB", "BR", "HK", "IE", "LT", "PE", "AE"]),
            province in proptest::option::of("[A-Za-z0-9 -]{0,8}|California|CA|SP|13|KL|Dubai|Cork"),
            postal_code in proptest::option::of("[A-Za-z0-9 -]{0,10}|[0-9]{5}|[0-9]{7}"),
        ) {
            if let Ok(checked) = address(country, province.as_deref(), postal_code.as_deref()).check(&[]) {
                prop_assert_eq!(checked.clone().check(&[]), Ok(checked));
            }
        }

        #[test]
        fn no_text_panics(province: String, postal_code: String) {
            for country in ["US", "JP", "DE", "AE"] {
                let _ = address(country, Some(&province), Some(&postal_code)).check(&[]);
            }
        }
    }
}
