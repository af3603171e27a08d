//! Systems outside the shop that are asked for figures: what they are told of a cart, which answers count, when they
//! are left alone for a while, and which addresses may be called at all.
//!
//! | to change | edit |
//! |---|---|
//! | what a tax provider is asked, and which answers count | [`crate::tax::asked`] |
//! | the same for prices of shipping | [`crate::shipping::asked`] |
//! | when a provider that fails is asked again | [`breaker`] |
//! | which networks may be called | [`network`] |
//! | how Stripe counts amounts | [`stripe`] |

pub mod breaker;
pub mod network;
pub mod stripe;

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::text::CountryCode;

/// Where something goes, as providers are told. They learn no names and no telephone number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Destination {
    /// The country.
    pub country_code: CountryCode,
    /// The province, by its code where provinces are listed.
    pub province_code: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// The postal code, in the form of the country.
    pub postal_code: Option<String>,
    /// Street and number.
    pub address1: Option<String>,
}

impl Destination {
    /// A country of which nothing else is known.
    pub fn of_country(country: &CountryCode) -> Self {
        let (province_code, city, postal_code, address1) = (None, None, None, None);
        Self { country_code: country.clone(), province_code, city, postal_code, address1 }
    }
}

impl From<&Address> for Destination {
    fn from(address: &Address) -> Self {
        Self {
            country_code: address.country.clone(),
            province_code: address.province.clone(),
            city: Some(address.city.clone()),
            postal_code: address.postal_code.clone(),
            address1: Some(address.address1.clone()),
        }
    }
}
