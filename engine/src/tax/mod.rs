//! Taxes: areas with rates of their own, and what a cart owes. Which rates are due is `domain::tax`, the arithmetic
//! `domain::totals`.

pub mod due;
pub mod ops;
pub mod region;
pub mod repo;

use domain::address::area::Place;
use domain::refusal::{ErrorCode, Refusal};
use domain::tax::{TaxMap, TaxRegion, Taxed, choose};
use domain::text::CountryCode;
use domain::totals::Rate;

/// The tax regions of the shop as the snapshot of the settings holds them.
#[derive(Debug, Clone, Default)]
pub struct Taxes(pub TaxMap);

impl Taxes {
    /// The tax regions that hold a place, the deepest first.
    pub fn regions_of(&self, place: Option<&Place>) -> Vec<&TaxRegion> {
        place.map(|place| self.0.regions_of(place)).unwrap_or_default()
    }

    /// The default rates of a country as a whole, for the calculator.
    pub fn of_country(&self, country: &CountryCode) -> Vec<Rate> {
        choose(&self.0.regions_of(&Place::of_country(country)), Taxed::Unknown).rates()
    }

    /// Whether a country or a part of it has a rate.
    pub fn any_in(&self, country: &CountryCode) -> bool {
        self.0.regions().iter().any(|region| region.area.country == *country && !region.rates.is_empty())
    }

    /// Every country with tax regions, each once.
    pub fn countries(&self) -> impl Iterator<Item = &CountryCode> {
        self.0.within(None).map(|region| &region.area.country)
    }
}

/// The most tax regions of a shop.
pub const MAX_REGIONS: usize = 10_000;

fn no_region() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "There is no such tax region.")
}

fn no_rate() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "There is no such tax rate.")
}
