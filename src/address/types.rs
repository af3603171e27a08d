//! How an address looks, and what the post of a country wants of one.

use async_graphql::{InputObject, Object, SimpleObject};
use domain::address::province::{Demand, ProvinceLabel, Provinces};
use domain::address::{self, AddressField, PostalCodeLabel};
use domain::text::CountryCode;

use crate::api::ready::at_once;
use crate::api::scalar::Country;
use crate::api::word::Enum;

/// A postal address.
#[derive(Debug, Clone, SimpleObject)]
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
    /// State, province or county: its code when it is one of the `provinces` of the country, else what was typed.
    pub province: Option<String>,
    /// The name of the province; what was typed when it is none of the `provinces` of the country.
    pub province_name: Option<String>,
    /// Postal code, in the form of the country.
    pub postal_code: Option<String>,
    /// Country.
    pub country_code: Country,
    /// Telephone number.
    pub phone: Option<String>,
}

at_once!(Address {
    first_name,
    last_name,
    company,
    address1,
    address2,
    city,
    province,
    province_name,
    postal_code,
    country_code,
    phone,
});

impl From<address::Address> for Address {
    fn from(address: address::Address) -> Self {
        Self {
            province_name: address.province_name().map(str::to_owned),
            first_name: address.first_name,
            last_name: address.last_name,
            company: address.company,
            address1: address.address1,
            address2: address.address2,
            city: address.city,
            province: address.province,
            postal_code: address.postal_code,
            country_code: Country(address.country),
            phone: address.phone,
        }
    }
}

/// A postal address that you send. Each line has at most 255 characters. What the country wants of it is said in
/// `countries { addressRules }`.
#[derive(Debug, Clone, InputObject)]
pub struct AddressInput {
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
    /// State, province or county: the code of one of the `provinces` of the country, with or without the country in
    /// front (`CA`, `US-CA`), or its name.
    pub province: Option<String>,
    /// Postal code. Blanks, hyphens and capitals are put as the country writes them.
    pub postal_code: Option<String>,
    /// Country.
    pub country_code: Country,
    /// Telephone number.
    pub phone: Option<String>,
}

impl From<AddressInput> for address::Address {
    fn from(input: AddressInput) -> Self {
        Self {
            first_name: input.first_name,
            last_name: input.last_name,
            company: input.company,
            address1: input.address1,
            address2: input.address2,
            city: input.city,
            province: input.province,
            postal_code: input.postal_code,
            country: input.country_code.0,
            phone: input.phone,
        }
    }
}

/// A state, prefecture, department or the like.
#[derive(Debug, Clone, SimpleObject)]
pub struct Province {
    /// Its code by ISO 3166-2, without the country in front: `CA` of `US-CA`. Send it as `province` of an address.
    pub code: &'static str,
    /// Its name, for people.
    pub name: &'static str,
}

impl Province {
    /// Those of a country, by name; empty where they stand in no address.
    pub fn of(country: &CountryCode) -> Vec<Self> {
        let list = Provinces::of(country).map_or(&[][..], |provinces| &provinces.list);
        list.iter().map(|province| Self { code: province.code, name: &province.name }).collect()
    }
}

/// What the post of a country wants of an address. An address that you send is checked by it.
#[derive(Debug, Clone)]
pub struct AddressRules(pub CountryCode);

impl AddressRules {
    fn rules(&self) -> address::AddressRules<'_> {
        address::AddressRules::of(&self.0)
    }
}

/// What the post of a country wants of an address. An address that you send is checked by it.
#[Object]
impl AddressRules {
    /// The fields that a form shows, line by line from top to bottom and in each line in reading order. At most 10
    /// lines; other fields may be sent and are kept.
    async fn lines(&self) -> Vec<Vec<Enum<AddressField>>> {
        self.rules().lines().into_iter().map(|line| line.into_iter().map(Enum).collect()).collect()
    }

    /// The fields that can't be left out, at most 10.
    async fn required(&self) -> Vec<Enum<AddressField>> {
        self.rules().required().into_iter().map(Enum).collect()
    }

    /// What provinces are called; null where they stand in no address.
    async fn province_label(&self) -> Option<Enum<ProvinceLabel>> {
        self.rules().provinces.map(|provinces| Enum(provinces.label))
    }

    /// Whether only one of the country's `provinces` is taken. Otherwise other text is kept as it was typed.
    async fn province_must_be_listed(&self) -> bool {
        self.rules().provinces.is_some_and(|provinces| provinces.demand == Demand::Listed)
    }

    /// What postal codes are called; null where the shop knows of none, and takes any text.
    async fn postal_code_label(&self) -> Option<Enum<PostalCodeLabel>> {
        let rules = self.rules();
        rules.postal_codes.map(|_| Enum(rules.postal_code_label()))
    }

    /// A regular expression, in the syntax of ECMAScript, for the whole of a postal code. A little more is understood,
    /// such as the country's code in front.
    async fn postal_code_pattern(&self) -> Option<String> {
        self.rules().postal_codes.map(|codes| codes.pattern())
    }

    /// A postal code of the country.
    async fn postal_code_example(&self) -> Option<&str> {
        self.rules().postal_codes.map(|codes| codes.example)
    }
}
