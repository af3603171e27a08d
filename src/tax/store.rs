//! What catalog prices come to with and without tax where a visitor is.

use async_graphql::{InputObject, SimpleObject};
use domain::address::area::Place;
use domain::id::ProductId;
use domain::money;
use domain::tax::{TaxRegion, TaxTarget, Taxed, choose, reason};
use engine::settings::Region;
use engine::tax::due::{on_price, only_country};

use crate::api::call::Call;
use crate::api::payload::top_level;
use crate::api::scalar::{Country, Money};
use crate::cart::types::Tax;
use crate::catalog::load::ProductBy;

/// Where a visitor is, as far as he says.
#[derive(Debug, Clone, InputObject)]
pub struct TaxPlaceInput {
    /// The country.
    pub country_code: Country,
    /// The province, by code or name.
    pub province_code: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
}

impl From<TaxPlaceInput> for Place {
    fn from(input: TaxPlaceInput) -> Self {
        let TaxPlaceInput { country_code, province_code, city, postal_code } = input;
        Self::new(&country_code.0, province_code.as_deref(), city.as_deref(), postal_code.as_deref())
    }
}

/// What one piece costs with and without tax.
#[derive(Debug, Clone, SimpleObject)]
pub struct TaxedPrice {
    /// With the taxes.
    pub with_tax: Money,
    /// Without any tax.
    pub without_tax: Money,
    /// The taxes, at most 6.
    pub taxes: Vec<Tax>,
}

/// A price of a product, in minor units of a currency, with and without tax: where the visitor says that he is, else
/// in the region's country when it has only one; nothing when nobody knows where.
pub async fn taxed(
    call: &Call,
    region: &Region,
    product: ProductId,
    (minor, currency, includes_tax): (i64, money::Currency, bool),
    place: Option<TaxPlaceInput>,
) -> async_graphql::Result<Option<TaxedPrice>> {
    let Some(place) = place.map(Place::from).or_else(|| only_country(region)) else { return Ok(None) };
    let regions = call.settings.taxes.regions_of(Some(&place));
    // Only where types have rates of their own the type is looked up.
    let kind = match regions.iter().any(|region| asks_type(region)) {
        true => call.load(ProductBy(product)).await?.and_then(|row| row.type_id),
        false => None,
    };
    let choice = choose(&regions, Taxed::Product { id: product, kind });
    let row = on_price(&choice, currency, minor, includes_tax).map_err(top_level)?;
    let taxes = row.taxes.iter().map(|tax| Tax::new(tax, currency, reason(&choice.applied, tax)));
    Ok(Some(TaxedPrice {
        with_tax: Money::new(row.total_minor, currency),
        without_tax: Money::new(row.net_minor, currency),
        taxes: taxes.collect(),
    }))
}

fn asks_type(region: &TaxRegion) -> bool {
    region.rates.iter().flat_map(|rate| &rate.targets).any(|target| matches!(target, TaxTarget::ProductType(_)))
}
