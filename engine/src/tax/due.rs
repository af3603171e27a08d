//! What a buyer owes where a cart goes.

use chrono::{DateTime, Utc};
use domain::address::Address;
use domain::address::area::Place;
use domain::id::CustomerGroupId;
use domain::money::{Currency, Money};
use domain::provider::Destination;
use domain::refusal::{ErrorCode, Refusal};
use domain::tax::asked::{AnsweredRates, AskedDelivery, AskedLine, TaxAnswer, TaxQuestion, answered};
use domain::tax::{
    Buyer, PassedOver, TaxChoice, TaxExemption, TaxFallback, TaxPassedOver, TaxRegion, Taxed, choose, exemption,
};
use domain::text::CountryCode;
use domain::totals::{LineInput, RowTotals, TaxRounding, TotalsInput, compute};
use entity::cart;

use super::repo;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::provider::ask::{Question, answers};
use crate::settings::{Region, Settings};

/// The rates that may be due on a cart, and whether none is.
#[derive(Debug, Clone)]
pub struct Due<'s> {
    regions: Vec<&'s TaxRegion>,
    /// Why no tax is due though rates would apply.
    pub exemption: Option<TaxExemption>,
    destination: Option<Destination>,
    origins: Vec<CountryCode>,
    tax_number: Option<String>,
}

/// Goods or a delivery, as taxes see it.
#[derive(Debug, Clone)]
pub struct TaxedRow {
    /// Where it stands among its like.
    pub position: i32,
    /// What it is; a delivery that is not chosen yet is unknown.
    pub taxed: Taxed,
    /// The SKU of goods.
    pub sku: Option<String>,
    /// How many pieces.
    pub quantity: i32,
    /// What all of them come to after discounts, in minor units.
    pub amount_minor: i64,
    /// Whether that includes tax.
    pub includes_tax: bool,
}

/// The rates of every row of a cart.
#[derive(Debug, Clone, Default)]
pub struct Levied {
    /// Those of the lines.
    pub lines: Vec<TaxChoice>,
    /// Those of the deliveries.
    pub deliveries: Vec<TaxChoice>,
    /// Why no order may be placed with them, when they only stand in for those of a provider.
    pub refused: Option<Refusal>,
}

impl Due<'_> {
    /// The rates of lines and deliveries: the shop's own, or those that the tax provider of the country names. One
    /// statement when there is one.
    ///
    /// # Errors
    /// When the provider has to be asked first.
    pub async fn levy(
        &self,
        conn: &Conn,
        now: DateTime<Utc>,
        currency: Currency,
        (lines, deliveries): (Vec<TaxedRow>, Vec<TaxedRow>),
    ) -> Result<Levied> {
        let country = self.regions.last().and_then(|country| Some((country.place(), country.provider.as_ref()?)));
        let question = self.question(currency, &lines, &deliveries);
        let (Some((place, (provider, fallback))), Some(question)) = (country, question) else {
            return Ok(self.own(&lines, &deliveries));
        };
        let asked = [Question::Tax(provider.clone(), question)];
        if let Some(answer) = answers::<TaxAnswer>(conn, now, &asked).await?.pop().flatten() {
            let named = |told: &[AnsweredRates], rows: &[TaxedRow]| {
                rows.iter().map(|row| answered(told, row.position, &place)).collect()
            };
            let (lines, deliveries) = (named(&answer.lines, &lines), named(&answer.deliveries, &deliveries));
            return Ok(Levied { lines, deliveries, refused: None });
        }
        let mut levied = self.own(&lines, &deliveries);
        let silent = PassedOver { place, code: None, reason: TaxPassedOver::ProviderUnavailable };
        for choice in levied.lines.iter_mut().chain(&mut levied.deliveries) {
            choice.passed_over.insert(0, silent.clone());
        }
        let message = "The taxes can't be worked out at the moment: try again in a minute.";
        let refused = || Refusal::new(ErrorCode::TaxUnavailable, message);
        levied.refused = (*fallback == TaxFallback::Refuse).then(refused);
        Ok(levied)
    }

    /// The rates of the shop itself.
    fn own(&self, lines: &[TaxedRow], deliveries: &[TaxedRow]) -> Levied {
        let chosen = |rows: &[TaxedRow]| rows.iter().map(|row| choose(&self.regions, row.taxed)).collect();
        Levied { lines: chosen(lines), deliveries: chosen(deliveries), refused: None }
    }

    /// What a provider is asked; nothing when nobody knows where, or of an empty cart.
    fn question(&self, currency: Currency, lines: &[TaxedRow], deliveries: &[TaxedRow]) -> Option<TaxQuestion> {
        let amount = |row: &TaxedRow| Money::new(row.amount_minor, currency).decimal();
        let line = |row: &TaxedRow| {
            let (product_id, product_type_id) = match row.taxed {
                Taxed::Product { id, kind } => (Some(id), kind),
                _ => (None, None),
            };
            AskedLine {
                position: row.position,
                product_id,
                product_type_id,
                sku: row.sku.clone(),
                quantity: row.quantity,
                amount: amount(row),
                includes_tax: row.includes_tax,
            }
        };
        let delivery = |row: &TaxedRow| {
            let Taxed::ShippingOption(shipping_option_id) = row.taxed else { return None };
            let (amount, includes_tax) = (amount(row), row.includes_tax);
            Some(AskedDelivery { position: row.position, shipping_option_id, amount, includes_tax })
        };
        let question = TaxQuestion {
            currency_code: currency,
            destination: self.destination.clone()?,
            origin_country_codes: self.origins.clone(),
            tax_number: self.tax_number.clone(),
            lines: lines.iter().map(line).collect(),
            deliveries: deliveries.iter().filter_map(delivery).collect(),
        };
        (!question.is_empty()).then_some(question)
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
    let address = taxed_at(cart, picked_up);
    let place = address.map(Place::from).or_else(|| only_country(region));
    let destination = address.map(Destination::from);
    let destination = destination.or_else(|| Some(Destination::of_country(place.as_ref()?.country())));
    let regions = settings.taxes.regions_of(place.as_ref());
    let (exempt, own) = match cart.customer_id {
        Some(customer) => repo::exempt(conn, customer).await?,
        None => (false, false),
    };
    let in_exempt_group = match groups {
        Some(groups) => repo::exempts(conn, groups).await?,
        None => own,
    };
    let origins = settings.origins_of(cart.channel_id);
    let buyer = Buyer { exempt, in_exempt_group, tax_number: cart.tax_number.as_ref() };
    let exemption = exemption(buyer, &regions, &origins);
    let tax_number = cart.tax_number.as_ref().map(ToString::to_string);
    Ok(Due { regions, exemption, destination, origins, tax_number })
}

/// Where tax is due: where everything is picked up, else at the shipping address, else at the billing address; before
/// there is any, in the region's country when it has only one.
fn taxed_at<'a>(cart: &'a cart::Model, picked_up: Option<&'a Address>) -> Option<&'a Address> {
    picked_up.or(cart.shipping_address.as_ref()).or(cart.billing_address.as_ref())
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
    let input = TotalsInput { currency, rounding, lines: vec![line], shipping: Vec::new() };
    let mut totals = compute(&input).map_err(|_| {
        Refusal::new(ErrorCode::AmountTooLarge, "With its tax the price is larger than an amount can be.")
    })?;
    totals.lines.pop().ok_or_else(|| Error::internal("the calculator lost a price"))
}
