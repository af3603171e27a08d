//! What the post of each country wants of an address: which lines there are,
//! in which order, and which are needed.

use super::postal::PostalCodes;
use super::province::{Demand, Provinces};
use crate::refusal::{ErrorCode, Refusal};
use crate::text::CountryCode;
use crate::word::words;

words! {
    /// A field of an address.
    pub enum AddressField {
        /// Given name.
        FirstName = "FIRST_NAME",
        /// Family name.
        LastName = "LAST_NAME",
        /// Company.
        Company = "COMPANY",
        /// Street and number.
        Address1 = "ADDRESS1",
        /// Flat, floor, building.
        Address2 = "ADDRESS2",
        /// City.
        City = "CITY",
        /// State, province or county.
        Province = "PROVINCE",
        /// Postal code.
        PostalCode = "POSTAL_CODE",
        /// Country.
        CountryCode = "COUNTRY_CODE",
        /// Telephone number.
        Phone = "PHONE",
    }
}

words! {
    /// What postal codes are called in a country.
    pub enum PostalCodeLabel {
        /// Postal code or postcode.
        PostalCode = "POSTAL_CODE",
        /// ZIP code, in the United States.
        ZipCode = "ZIP_CODE",
        /// PIN code, in India.
        PinCode = "PIN_CODE",
        /// Eircode, in Ireland.
        Eircode = "EIRCODE",
    }
}

/// What the post of a country wants of an address.
#[derive(Debug, Clone, Copy)]
pub struct AddressRules<'c> {
    country: &'c CountryCode,
    /// Its postal codes; none when it has none, or their form is not known.
    pub postal_codes: Option<PostalCodes>,
    /// Its provinces; none when they stand in no address.
    pub provinces: Option<&'static Provinces>,
}

/// Where the lines run from the small to the large: street, city, country.
const USUAL: &str = "N|O|A|B|ZC|S|K|T";
/// Where they run from the large to the small, and the family name comes first.
const LARGE_FIRST: &str = "K|Z|S|C|A|B|O|M|T";

/// The lines from top to bottom, divided by bars: N names, M the family name first, O company, A and B the street,
/// C city, S province, Z postal code, K country, T telephone.
fn layout(country: &str) -> &'static str {
    match country {
        "AS" | "AU" | "CA" | "FM" | "GU" | "MH" | "MP" | "PR" | "PW" | "US" | "VI" => "N|O|A|B|CSZ|K|T",
        "IT" | "MX" | "UY" => "N|O|A|B|ZCS|K|T",
        "BR" | "CO" | "CR" | "HN" => "N|O|A|B|CS|Z|K|T",
        "AE" | "EG" | "GB" | "GG" | "HK" | "IE" | "IM" | "JE" | "JM" | "PA" | "RU" | "UA" => "N|O|A|B|C|S|Z|K|T",
        "ID" | "TH" | "VN" => "N|O|A|B|C|SZ|K|T",
        "IN" | "NG" | "NZ" | "PE" | "SG" | "VE" | "ZA" => "N|O|A|B|CZ|S|K|T",
        "HU" => "M|O|C|A|B|Z|K|T",
        "CN" | "JP" | "KR" | "TW" => LARGE_FIRST,
        _ => USUAL,
    }
}

impl<'c> AddressRules<'c> {
    /// Those of a country.
    pub fn of(country: &'c CountryCode) -> Self {
        Self { country, postal_codes: PostalCodes::of(country), provinces: Provinces::of(country) }
    }

    /// The fields that a form shows, line by line from top to bottom.
    pub fn lines(&self) -> Vec<Vec<AddressField>> {
        use AddressField as F;
        let fields = |letter: char| match letter {
            'N' => vec![F::FirstName, F::LastName],
            'M' => vec![F::LastName, F::FirstName],
            'O' => vec![F::Company],
            'A' => vec![F::Address1],
            'B' => vec![F::Address2],
            'C' => vec![F::City],
            'S' if self.provinces.is_some() => vec![F::Province],
            'Z' if self.postal_codes.is_some() => vec![F::PostalCode],
            'K' => vec![F::CountryCode],
            'T' => vec![F::Phone],
            _ => vec![],
        };
        let lines = layout(self.country.as_str()).split('|').map(|line| line.chars().flat_map(fields).collect());
        lines.filter(|line: &Vec<_>| !line.is_empty()).collect()
    }

    /// The fields that can't be left out.
    pub fn required(&self) -> Vec<AddressField> {
        use AddressField as F;
        let province = self.provinces.is_some_and(|provinces| provinces.demand != Demand::Nothing);
        let postal_code = self.postal_codes.is_some_and(|codes| codes.needed);
        let mut fields = vec![F::LastName, F::Address1, F::City];
        fields.extend(province.then_some(F::Province));
        fields.extend(postal_code.then_some(F::PostalCode));
        fields.push(F::CountryCode);
        fields
    }

    /// What postal codes are called.
    pub fn postal_code_label(&self) -> PostalCodeLabel {
        match self.country.as_str() {
            "AS" | "FM" | "GU" | "MH" | "MP" | "PR" | "PW" | "UM" | "US" | "VI" => PostalCodeLabel::ZipCode,
            "IN" => PostalCodeLabel::PinCode,
            "IE" => PostalCodeLabel::Eircode,
            _ => PostalCodeLabel::PostalCode,
        }
    }

    /// A province as it is kept: the code of a listed one, else as it was typed where that is let in.
    pub(super) fn province(&self, text: Option<&str>) -> Result<Option<String>, Refusal> {
        let Some(provinces) = self.provinces else { return Ok(text.map(str::to_owned)) };
        let label = provinces.label.as_str().to_lowercase();
        let Some(text) = text else {
            let message = format!("An address in {} needs its {label}.", self.country);
            return match provinces.demand {
                Demand::Nothing => Ok(None),
                _ => Err(Refusal::new(ErrorCode::Required, message)),
            };
        };
        match provinces.find(self.country, text) {
            Some(found) => Ok(Some(found.code.to_owned())),
            None if provinces.demand != Demand::Listed => Ok(Some(text.to_owned())),
            None => {
                let like = provinces.list.first().map_or("", |province| province.code);
                let message = format!(
                    "This is no {label} of {}: send one of the codes of `countries {{ provinces {{ code }} }}`, such \
                     as {like}, or its name.",
                    self.country
                );
                Err(Refusal::new(ErrorCode::Invalid, message))
            }
        }
    }

    /// A postal code as it is kept: in the form of the country.
    pub(super) fn postal_code(&self, text: Option<&str>) -> Result<Option<String>, Refusal> {
        let Some(codes) = &self.postal_codes else { return Ok(text.map(str::to_owned)) };
        let Some(text) = text else {
            let message = format!("An address in {} needs its postal code, such as {}.", self.country, codes.example);
            return if codes.needed { Err(Refusal::new(ErrorCode::Required, message)) } else { Ok(None) };
        };
        match codes.read(text) {
            Some(code) => Ok(Some(code)),
            None => {
                let shown: String = text.chars().take(20).collect();
                let message =
                    format!("{shown:?} is no postal code of {}; one of them is {}.", self.country, codes.example);
                Err(Refusal::new(ErrorCode::Invalid, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn in_every_country_a_form_shows_each_field_once_and_all_that_are_needed() {
        for country in rust_iso3166::ALL {
            let code: CountryCode = country.alpha2.parse().unwrap();
            let rules = AddressRules::of(&code);
            let shown: Vec<_> = rules.lines().concat();
            let each: BTreeSet<_> = shown.iter().copied().collect();
            assert_eq!(each.len(), shown.len(), "{code}");
            assert!(rules.required().iter().all(|field| each.contains(field)), "{code}");
            assert_eq!(each.contains(&AddressField::PostalCode), rules.postal_codes.is_some(), "{code}");
            assert_eq!(each.contains(&AddressField::Province), rules.provinces.is_some(), "{code}");
            assert!(each.len() >= 8, "{code}");
        }
    }

    #[test]
    fn lines_run_as_the_country_writes_them() {
        use AddressField as F;
        let place = |country: &str| {
            let code: CountryCode = country.parse().unwrap();
            let lines = AddressRules::of(&code).lines();
            let in_town = |line: &Vec<F>| line.iter().any(|f| matches!(f, F::City | F::PostalCode | F::Province));
            lines.into_iter().filter(in_town).collect::<Vec<_>>()
        };
        assert_eq!(place("DE"), [[F::PostalCode, F::City]]);
        assert_eq!(place("US"), [[F::City, F::Province, F::PostalCode]]);
        assert_eq!(place("GB"), [[F::City], [F::PostalCode]]);
        assert_eq!(place("JP"), [[F::PostalCode], [F::Province], [F::City]]);
        assert_eq!(place("QA"), [[F::City]]);
    }
}
