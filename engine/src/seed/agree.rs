//! What a shopper of a filled shop agreed to: worked out by the shop's own calculator, frozen as a checkout freezes it.

use std::collections::HashMap;

use domain::address::area::Place;
use domain::id::{ChannelId, CustomerId, LocationId, OrderId};
use domain::money::Currency;
use domain::tax::{TaxChoice, Taxed, choose};
use domain::text::CountryCode;
use domain::totals::{LineInput, RowTotals, ShippingInput, Totals, TotalsInput, compute};
use entity::price;

use super::goods::Good;
use super::people::Person;
use super::repo::Stocked;
use crate::catalog::rows::includes_tax;
use crate::checkout::frozen::{Frozen, FrozenLine, FrozenShipping};
use crate::error::{Error, Result};
use crate::op::Tx;
use crate::settings::{Settings, ShippingOption};

/// How the invented people pay.
pub(super) const PROVIDER: &str = "manual";

/// The countries of the demo shop that something can be sent to.
pub(super) fn sold_to(settings: &Settings) -> Vec<CountryCode> {
    let known = super::word::COUNTRIES.iter().filter_map(|(code, ..)| code.parse::<CountryCode>().ok());
    let sent = |code: &CountryCode| {
        let Some(region) = settings.region_of(code) else { return false };
        let currency = region.row.currency;
        ["EUR", "USD"].contains(&currency.code())
            && region.providers.iter().any(|provider| provider == PROVIDER)
            && settings.shipping_options.iter().any(|option| {
                option.countries.contains(code) && option.prices.iter().any(|price| price.currency == currency)
            })
    };
    known.filter(sent).collect()
}

/// What the orders of a transaction have in common.
pub(super) struct Shared<'s> {
    pub settings: &'s Settings,
    pub channel: ChannelId,
    pub locale: String,
    pub location: LocationId,
    pub stock: HashMap<String, Stocked>,
    pub customers: HashMap<String, CustomerId>,
}

/// A line with what is known of its goods.
pub(super) struct Wanted {
    pub good: Good,
    pub variant: usize,
    pub quantity: i32,
    pub stocked: Stocked,
}

/// The rates at somebody's address; the demo shop taxes everything alike.
fn tax_at(settings: &Settings, person: &Person) -> TaxChoice {
    choose(&settings.taxes.regions_of(Some(&Place::from(&person.address))), Taxed::Unknown)
}

/// What is sent with: the last option of a country, or the first one.
fn delivery<'s>(
    settings: &'s Settings,
    country: &CountryCode,
    currency: Currency,
    express: bool,
) -> Result<(&'s ShippingOption, &'s price::Model)> {
    let going = settings.shipping_options.iter().filter(|option| option.countries.contains(country));
    let mut offered =
        going.filter_map(|option| Some((option, option.prices.iter().find(|price| price.currency == currency)?)));
    let chosen = if express { offered.next_back() } else { offered.next() };
    chosen.ok_or_else(|| Error::internal("nothing can be sent to a country"))
}

/// What the shopper agreed to, as a checkout freezes it.
pub(super) fn freeze(
    tx: &Tx,
    shared: &Shared<'_>,
    person: &Person,
    customer: Option<CustomerId>,
    express: bool,
    wanted: &[Wanted],
) -> Result<Frozen> {
    let country = &person.address.country;
    let region = shared.settings.region_of(country).ok_or_else(|| Error::internal("a country is in no region"))?;
    let currency = region.row.currency;
    let (option, charge) = delivery(shared.settings, country, currency, express)?;
    let inclusive = includes_tax(shared.settings, currency);
    let price = |wanted: &Wanted| match currency.code() {
        "EUR" => wanted.good.variants[wanted.variant].eur,
        _ => wanted.good.variants[wanted.variant].usd,
    };
    let tax = tax_at(shared.settings, person);
    let totals: Totals = compute(&TotalsInput {
        currency,
        rounding: region.row.tax_rounding,
        lines: (0..)
            .zip(wanted)
            .map(|(position, line)| LineInput {
                position,
                quantity: line.quantity,
                unit_price_minor: price(line),
                includes_tax: inclusive,
                discount_minor: 0,
                rates: tax.rates(),
                exempt: false,
            })
            .collect(),
        shipping: vec![ShippingInput {
            position: 0,
            amount_minor: charge.amount_minor,
            includes_tax: charge.includes_tax,
            discount_minor: 0,
            rates: tax.rates(),
            exempt: false,
        }],
    })
    .map_err(Error::internal)?;
    let line = |(line, totals): (&Wanted, &RowTotals)| {
        let variant = &line.good.variants[line.variant];
        FrozenLine {
            id: tx.id(),
            position: totals.position,
            variant: line.stocked.variant,
            product: line.stocked.product,
            title: line.good.title.clone(),
            variant_title: line.good.variant_title(variant),
            sku: Some(variant.sku.clone()),
            options: line.good.options.iter().cloned().zip(variant.values.iter().cloned()).collect(),
            thumbnail: Some(line.good.picture_url()),
            requires_shipping: true,
            quantity: line.quantity,
            unit_price_minor: price(line),
            includes_tax: inclusive,
            totals: totals.clone(),
            rates: tax.applied.clone(),
            price: None,
            gift_card: false,
        }
    };
    Ok(Frozen {
        promotions: Vec::new(),
        adjustments: Vec::new(),
        means: Vec::new(),
        order: tx.id::<OrderId>(),
        channel: shared.channel,
        region: region.row.id,
        currency,
        customer,
        email: person.email.clone(),
        locale: shared.locale.clone(),
        shipping_address: Some(person.address.clone()),
        billing_address: Some(person.address.clone()),
        lines: wanted.iter().zip(&totals.lines).map(line).collect(),
        shipping: totals
            .shipping
            .iter()
            .map(|totals| FrozenShipping {
                position: totals.position,
                option: option.row.id,
                name: option.row.name.clone(),
                includes_tax: charge.includes_tax,
                totals: totals.clone(),
                rates: tax.applied.clone(),
                reason: None,
            })
            .collect(),
        totals,
        tax_number: None,
        tax_exemption: None,
    })
}
