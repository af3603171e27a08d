//! What a buyer owes where a cart goes.

use domain::address::Address;
use domain::address::area::Place;
use domain::id::CustomerGroupId;
use domain::money::Currency;
use domain::refusal::{ErrorCode, Refusal};
use domain::tax::{Buyer, TaxChoice, TaxExemption, TaxRegion, Taxed, choose, exemption};
use domain::text::CountryCode;
use domain::totals::{LineInput, RowTotals, TaxRounding, TotalsInput, compute};
use entity::cart;

use super::repo;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::settings::{Region, Settings};

/// The rates that may be due on a cart, and whether none is.
#[derive(Debug, Clone)]
pub struct Due<'s> {
    regions: Vec<&'s TaxRegion>,
    /// Why no tax is due though rates would apply.
    pub exemption: Option<TaxExemption>,
}

impl Due<'_> {
    /// The rates of something, and why these.
    pub fn on(&self, taxed: Taxed) -> TaxChoice {
        choose(&self.regions, taxed)
    }
}

/// What is due on a cart: no statement for a guest, one for a customer. Of what is all picked up, the place where.
/// `groups` count in place of those that the customer is in.
pub async fn due<'s>(
    conn: &Conn,
    settings: &'s Settings,
    cart: &cart::Model,
    region: &Region,
    (picked_up, groups): (Option<&Address>, Option<&[CustomerGroupId]>),
) -> Result<Due<'s>> {
    let regions = settings.taxes.regions_of(taxed_in(cart, region, picked_up).as_ref());
    let (exempt, own) = match cart.customer_id {
        Some(customer) => repo::exempt(conn, customer).await?,
        None => (false, false),
    };
    let in_exempt_group = match groups {
        Some(groups) => repo::exempts(conn, groups).await?,
        None => own,
    };
    let locations = settings.locations_of(cart.channel_id);
    let origins: Vec<CountryCode> = locations.iter().filter_map(|location| location.country.clone()).collect();
    let buyer = Buyer { exempt, in_exempt_group, tax_number: cart.tax_number.as_ref() };
    let exemption = exemption(buyer, &regions, &origins);
    Ok(Due { regions, exemption })
}

/// Where tax is due: where everything is picked up, else at the shipping address, else at the billing address; before
/// there is any, in the region's country when it has only one.
fn taxed_in(cart: &cart::Model, region: &Region, picked_up: Option<&Address>) -> Option<Place> {
    let address = picked_up.or(cart.shipping_address.as_ref()).or(cart.billing_address.as_ref());
    address.map(Place::from).or_else(|| only_country(region))
}

/// The country of a region that sells to no other.
pub fn only_country(region: &Region) -> Option<Place> {
    match region.countries.as_slice() {
        [only] => Some(Place::of_country(only)),
        _ => None,
    }
}

/// What one piece comes to with and without the tax that is due on it, for display: a cart rounds on its lines.
pub fn on_price(
    choice: &TaxChoice,
    currency: Currency,
    unit_price_minor: i64,
    includes_tax: bool,
) -> Result<RowTotals> {
    let rates = choice.rates();
    let line =
        LineInput { position: 0, quantity: 1, unit_price_minor, includes_tax, discount_minor: 0, rates, exempt: false };
    let rounding = TaxRounding::Line;
    let input = TotalsInput { currency, rounding, lines: vec![line], shipping: Vec::new(), means_minor: 0 };
    let mut totals = compute(&input).map_err(|_| {
        Refusal::new(ErrorCode::AmountTooLarge, "With its tax the price is larger than an amount can be.")
    })?;
    totals.lines.pop().ok_or_else(|| Error::internal("the calculator lost a price"))
}
