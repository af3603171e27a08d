//! Taxes: which rates are due on what, and where (DESIGN section 6, "tax rate choice"). The arithmetic is
//! [`crate::totals`].
//!
//! Tax regions are a tree: a country, in it provinces, in them counties, cities or postal codes. From the country
//! down, the deeper region that holds the place counts. What no region taxes is not taxed.

pub mod asked;
mod number;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::address::area::{Area, Place};
use crate::id::{ProductId, ProductTypeId, ShippingOptionId, TaxRateId, TaxRegionId};
use crate::text::CountryCode;
use crate::totals::{Rate, TaxAmount};
use crate::word::words;

pub use asked::TaxFallback;
pub use number::TaxNumber;

/// The deepest that tax regions stand in one another: country, province, county, city, postal codes and one more.
pub const MAX_LEVELS: usize = 6;
/// The most that a rate may be, in parts per million.
pub const MAX_RATE_PPM: i32 = 10_000_000;

words! {
    /// What a tax rate may be an override for.
    pub enum TaxTargetKind {
        /// A product.
        Product = "PRODUCT",
        /// The products of a type.
        ProductType = "PRODUCT_TYPE",
        /// A shipping option.
        ShippingOption = "SHIPPING_OPTION",
    }
}

/// What a rate is an override for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TaxTarget {
    /// A product.
    Product(ProductId),
    /// The products of a type.
    ProductType(ProductTypeId),
    /// A shipping option.
    ShippingOption(ShippingOptionId),
}

impl TaxTarget {
    /// The kind and the id, as a row holds them.
    pub fn parts(self) -> (TaxTargetKind, Uuid) {
        match self {
            Self::Product(id) => (TaxTargetKind::Product, id.into()),
            Self::ProductType(id) => (TaxTargetKind::ProductType, id.into()),
            Self::ShippingOption(id) => (TaxTargetKind::ShippingOption, id.into()),
        }
    }

    /// What a row holds.
    pub fn of(kind: TaxTargetKind, id: Uuid) -> Self {
        match kind {
            TaxTargetKind::Product => Self::Product(id.into()),
            TaxTargetKind::ProductType => Self::ProductType(id.into()),
            TaxTargetKind::ShippingOption => Self::ShippingOption(id.into()),
        }
    }
}

/// A rate of a tax region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxRate {
    /// Its id.
    pub id: TaxRateId,
    /// What the calculator needs of it.
    pub rate: Rate,
    /// Whether it counts where no other of the region does.
    pub is_default: bool,
    /// Whether the rate of the region around is due as well.
    pub combinable: bool,
    /// What it is an override for.
    pub targets: Vec<TaxTarget>,
}

/// An area with tax rates of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxRegion {
    /// Its id.
    pub id: TaxRegionId,
    /// The region around; none for a country.
    pub parent: Option<TaxRegionId>,
    /// The places in it.
    pub area: Area,
    /// Whether buyers elsewhere who have a VAT number of this country owe its tax themselves.
    pub reverse_charge: bool,
    /// Its rates.
    pub rates: Vec<TaxRate>,
    /// Who is asked for the rates of the country, and what counts when there is no answer; none within a country.
    pub provider: Option<(String, TaxFallback)>,
}

impl TaxRegion {
    /// How it is told to people.
    pub fn place(&self) -> TaxPlace {
        let Area { country, province, county, city, .. } = self.area.clone();
        TaxPlace { id: self.id, country, province, county, city }
    }
}

/// What is taxed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taxed {
    /// Goods.
    Product {
        /// The product.
        id: ProductId,
        /// Its type.
        kind: Option<ProductTypeId>,
    },
    /// A delivery.
    ShippingOption(ShippingOptionId),
    /// Goods or a delivery of which nothing is known any more: the default counts.
    Unknown,
}

words! {
    /// Why a tax rate applies.
    pub enum TaxBasis {
        /// It is an override for the product.
        Product = "PRODUCT",
        /// It is an override for the type of the product.
        ProductType = "PRODUCT_TYPE",
        /// It is an override for the shipping option.
        ShippingOption = "SHIPPING_OPTION",
        /// It is the default of its tax region.
        Default = "DEFAULT",
        /// The tax provider of the country named it.
        Provider = "PROVIDER",
    }
}

words! {
    /// Why a tax rate or the rates of a tax region don't apply.
    pub enum TaxPassedOver {
        /// Another rate of the same tax region was made for this product, type or shipping option.
        Overridden = "OVERRIDDEN",
        /// The rate of a deeper tax region stands alone.
        NotCombined = "NOT_COMBINED",
        /// The tax region has no rate for this: the region around decides.
        NoRate = "NO_RATE",
        /// The tax provider of the country gave no answer: the rates of the shop itself stand in.
        ProviderUnavailable = "PROVIDER_UNAVAILABLE",
    }
}

words! {
    /// Why no tax is due though rates would apply.
    pub enum TaxExemption {
        /// The customer is exempt.
        Customer = "CUSTOMER",
        /// A group of the customer is exempt.
        CustomerGroup = "CUSTOMER_GROUP",
        /// Reverse charge: the buyer owes the tax where the VAT number is from.
        ReverseCharge = "REVERSE_CHARGE",
    }
}

/// A tax region as it is told to people, also when it is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxPlace {
    /// Which region.
    pub id: TaxRegionId,
    /// Its country.
    pub country: CountryCode,
    /// Its province, by code.
    pub province: Option<String>,
    /// Its county.
    pub county: Option<String>,
    /// Its city.
    pub city: Option<String>,
}

/// Why a rate applies. Orders keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxReason {
    /// Why.
    pub basis: TaxBasis,
    /// Which rate of the shop; none when a provider named it.
    pub rate: Option<TaxRateId>,
    /// Of which tax region; the country when a provider named it.
    pub place: TaxPlace,
    /// Whose tax it is, as far as a provider says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jurisdiction: Option<String>,
}

/// A rate that applies, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedRate {
    /// What the calculator needs of it.
    pub rate: Rate,
    /// Why.
    pub reason: TaxReason,
}

/// A rate, or a whole tax region, that does not apply though the place is in the region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// Which tax region.
    pub place: TaxPlace,
    /// Which of its rates; none when it has none for this.
    pub code: Option<String>,
    /// Why not.
    pub reason: TaxPassedOver,
}

/// The rates that are due on something, and why these.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxChoice {
    /// The rates, the deepest region's first.
    pub applied: Vec<AppliedRate>,
    /// What was passed over, the deepest region's first.
    pub passed_over: Vec<PassedOver>,
}

impl TaxChoice {
    /// The rates for the calculator.
    pub fn rates(&self) -> Vec<Rate> {
        self.applied.iter().map(|applied| applied.rate.clone()).collect()
    }
}

/// Why the rate of a tax applies.
pub fn reason<'r>(applied: &'r [AppliedRate], tax: &TaxAmount) -> Option<&'r TaxReason> {
    let same = |applied: &&AppliedRate| (&applied.rate.code, applied.rate.rate_ppm) == (&tax.code, tax.rate_ppm);
    applied.iter().find(same).map(|applied| &applied.reason)
}

/// Every tax region of the shop.
#[derive(Debug, Clone, Default)]
pub struct TaxMap {
    /// By id.
    regions: Vec<TaxRegion>,
    /// The countries, and the regions within each region, as places in `regions`: the deepest area first.
    countries: HashMap<CountryCode, Vec<usize>>,
    children: HashMap<TaxRegionId, Vec<usize>>,
}

impl TaxMap {
    /// The order of regions, rates and targets doesn't matter.
    pub fn new(mut regions: Vec<TaxRegion>) -> Self {
        regions.sort_by_key(|region| region.id);
        regions.iter_mut().for_each(|region| region.rates.sort_by_key(|rate| rate.id));
        let mut deepest_first: Vec<usize> = (0..regions.len()).collect();
        deepest_first.sort_by_key(|at| std::cmp::Reverse(regions[*at].area.depth()));
        let mut map = Self::default();
        for at in deepest_first {
            match regions[at].parent {
                None => map.countries.entry(regions[at].area.country.clone()).or_default().push(at),
                Some(parent) => map.children.entry(parent).or_default().push(at),
            }
        }
        Self { regions, ..map }
    }

    /// Every region, by id.
    pub fn regions(&self) -> &[TaxRegion] {
        &self.regions
    }

    /// A region.
    pub fn region(&self, id: TaxRegionId) -> Option<&TaxRegion> {
        let at = self.regions.binary_search_by_key(&id, |region| region.id).ok()?;
        Some(&self.regions[at])
    }

    /// The regions right within one; the countries when none is named.
    pub fn within(&self, parent: Option<TaxRegionId>) -> impl Iterator<Item = &TaxRegion> {
        self.regions.iter().filter(move |region| region.parent == parent)
    }

    /// A region and those around it, up to the country.
    pub fn around(&self, id: TaxRegionId) -> Vec<&TaxRegion> {
        let mut chain = Vec::new();
        let mut next = self.region(id);
        // A bound, so that rows in a ring end here and not never.
        while let Some(region) = next.filter(|_| chain.len() < MAX_LEVELS) {
            chain.push(region);
            next = region.parent.and_then(|parent| self.region(parent));
        }
        chain
    }

    /// The regions that hold a place, each within the next one: the deepest first, the country last.
    pub fn regions_of(&self, place: &Place) -> Vec<&TaxRegion> {
        let mut chain: Vec<&TaxRegion> = Vec::new();
        let mut inside = self.countries.get(place.country());
        while let Some(regions) = inside.filter(|_| chain.len() < MAX_LEVELS) {
            let found = regions.iter().map(|at| &self.regions[*at]).find(|region| region.area.holds(place));
            let Some(region) = found else { break };
            chain.insert(0, region);
            inside = self.children.get(&region.id);
        }
        chain
    }
}

/// The rates that are due on something in a place, given the regions that hold it ([`TaxMap::regions_of`]).
///
/// In the deepest region with a rate for it: product before type before default, the lower id among equals. A
/// combinable rate adds that of the region around it, and so on up to the country.
pub fn choose(regions: &[&TaxRegion], taxed: Taxed) -> TaxChoice {
    let mut choice = TaxChoice::default();
    let mut combines = true;
    for region in regions {
        let best = region.rates.iter().filter_map(|rate| Some((rank(rate, taxed)?, rate)));
        let best = best.min_by_key(|(basis, rate)| (*basis, rate.id));
        let passed = |code: Option<&String>, reason| PassedOver { place: region.place(), code: code.cloned(), reason };
        let Some((basis, chosen)) = best else {
            choice.passed_over.push(passed(None, TaxPassedOver::NoRate));
            continue;
        };
        if combines {
            let reason = TaxReason { basis, rate: Some(chosen.id), place: region.place(), jurisdiction: None };
            choice.applied.push(AppliedRate { rate: chosen.rate.clone(), reason });
            combines = chosen.combinable;
        } else {
            choice.passed_over.push(passed(Some(&chosen.rate.code), TaxPassedOver::NotCombined));
        }
        let others = region.rates.iter().filter(|rate| rate.id != chosen.id && rank(rate, taxed).is_some());
        choice.passed_over.extend(others.map(|rate| passed(Some(&rate.rate.code), TaxPassedOver::Overridden)));
    }
    choice
}

/// Why a rate may apply to this; the lower counts first.
fn rank(rate: &TaxRate, taxed: Taxed) -> Option<TaxBasis> {
    let made_for = |target| rate.targets.contains(&target);
    match taxed {
        Taxed::Product { id, .. } if made_for(TaxTarget::Product(id)) => Some(TaxBasis::Product),
        Taxed::Product { kind: Some(kind), .. } if made_for(TaxTarget::ProductType(kind)) => {
            Some(TaxBasis::ProductType)
        }
        Taxed::ShippingOption(id) if made_for(TaxTarget::ShippingOption(id)) => Some(TaxBasis::ShippingOption),
        _ if rate.is_default => Some(TaxBasis::Default),
        _ => None,
    }
}

/// What is known of a buyer that may free him of tax.
#[derive(Debug, Clone, Copy, Default)]
pub struct Buyer<'b> {
    /// Whether the customer is exempt.
    pub exempt: bool,
    /// Whether a group of the customer is.
    pub in_exempt_group: bool,
    /// The VAT number.
    pub tax_number: Option<&'b TaxNumber>,
}

/// Why a buyer owes no tax to the shop, if so. `regions` are those of the place, the country last; `origins` are the
/// countries that the goods may come from.
///
/// Reverse charge needs a country that says so, a VAT number of it, and goods that come from another country: a sale
/// within one country is never reverse-charged, and where nothing says from where goods come, none is.
pub fn exemption(buyer: Buyer<'_>, regions: &[&TaxRegion], origins: &[CountryCode]) -> Option<TaxExemption> {
    if buyer.exempt {
        return Some(TaxExemption::Customer);
    }
    if buyer.in_exempt_group {
        return Some(TaxExemption::CustomerGroup);
    }
    let country = regions.last().filter(|country| country.reverse_charge)?;
    let number = buyer.tax_number?;
    let abroad = !origins.is_empty() && !origins.contains(&country.area.country);
    (abroad && number.country() == country.area.country.as_str()).then_some(TaxExemption::ReverseCharge)
}

// The worked examples stand in `tests/tax.rs`.
