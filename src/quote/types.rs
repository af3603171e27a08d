//! How a quote looks, to shoppers and to staff.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::promotion::outcome::AdjustedRow;
use domain::tax::{TaxExemption, reason};
use engine::cart::kept::kept;
use engine::cart::quote::{Quote as Worked, QuotedLine, last_shown};
use engine::settings::Settings;
use engine::shipping::offers::QuotedGroup;

use crate::api::call::call;
use crate::api::scalar::{CurrencyCode, Money, id};
use crate::api::word::Enum;
use crate::cart::delivery::types::{DeliveryOption, UnavailableDeliveryOption, named_option};
use crate::cart::types::{CartIssue, Tax, delivery_taxes};
use crate::pricing::types::PriceReason;
use crate::promotion::shown::types::{Adjustment, AppliedPromotion, CartCode};
use crate::region::types::Region;

/// What lines would cost together. Nothing of it is stored.
#[derive(Debug, Clone)]
pub struct Quote {
    worked: Arc<Worked>,
    /// Whether it tells what is meant for others too.
    tells_all: bool,
    /// In which settings it was worked out, when these are not the request's.
    settings: Option<Arc<Settings>>,
}

impl Quote {
    /// What was worked out, for shoppers or with `tells_all` for staff.
    pub fn new(worked: Worked, tells_all: bool) -> Self {
        Self { worked: Arc::new(worked), tells_all, settings: None }
    }

    /// What was worked out for staff in other settings than those of the shop.
    pub fn supposed(worked: Worked, settings: Arc<Settings>) -> Self {
        Self { settings: Some(settings), ..Self::new(worked, true) }
    }

    fn settings<'a>(&'a self, ctx: &Context<'a>) -> async_graphql::Result<&'a Settings> {
        match &self.settings {
            Some(settings) => Ok(settings),
            None => Ok(&call(ctx)?.settings),
        }
    }

    fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.worked.rows.cart.currency)
    }
}

/// What lines would cost together. Nothing of it is stored.
#[Object]
impl Quote {
    /// The region in which it was worked out.
    async fn region(&self) -> Region {
        Region(self.worked.region.clone())
    }

    /// The currency of all its amounts.
    async fn currency_code(&self) -> CurrencyCode {
        CurrencyCode(self.worked.rows.cart.currency)
    }

    /// The moment for which it was worked out.
    async fn at(&self) -> DateTime<Utc> {
        self.worked.at
    }

    /// Its lines in the order in which you named them, then the gifts that come with them; at most 100.
    async fn lines(&self) -> Vec<QuoteLine> {
        (0..self.worked.lines.len()).map(|place| QuoteLine(self.clone(), place)).collect()
    }

    /// The parts of it that ship together, at most 100; none when nothing is sent.
    async fn deliveries(&self) -> Vec<QuoteDelivery> {
        (0..self.worked.groups.len()).map(|place| QuoteDelivery(self.clone(), place)).collect()
    }

    /// The sum of its lines before discounts, in the basis in which their prices are shown.
    async fn subtotal(&self) -> Money {
        self.money(self.worked.totals.subtotal_minor)
    }

    /// The sum of its discounts.
    async fn discount(&self) -> Money {
        self.money(self.worked.totals.discount_minor)
    }

    /// The sum of its shipping charges, in the basis in which they are shown.
    async fn shipping(&self) -> Money {
        self.money(self.worked.totals.shipping_minor)
    }

    /// The sum of its taxes.
    async fn tax(&self) -> Money {
        self.money(self.worked.totals.tax_minor)
    }

    /// Its taxes by rate, each with the reason for it; at most 600.
    async fn taxes(&self) -> Vec<Tax> {
        let of_lines = self.worked.lines.iter().map(|line| &line.tax);
        let chosen = of_lines.chain(&self.worked.delivery_taxes);
        let applied: Vec<_> = chosen.flat_map(|tax| &tax.applied).cloned().collect();
        let currency = self.worked.rows.cart.currency;
        let taxes = &self.worked.totals.taxes;
        taxes.iter().map(|tax| Tax::new(tax, currency, reason(&applied, tax))).collect()
    }

    /// Why no tax is due though rates would apply; null when tax is due. Prices that include tax shed it.
    async fn tax_exemption(&self) -> Option<Enum<TaxExemption>> {
        self.worked.tax_exemption.map(Enum)
    }

    /// What it comes to.
    async fn total(&self) -> Money {
        self.money(self.worked.totals.total_minor)
    }

    /// The codes that you named, each with what becomes of it. At most 20.
    async fn codes(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<CartCode>> {
        Ok(CartCode::of_in(self.settings(ctx)?, &self.worked))
    }

    /// The promotions that give something, in the order in which they come. At most 500.
    async fn promotions(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AppliedPromotion>> {
        Ok(AppliedPromotion::of_in(self.settings(ctx)?, &self.worked))
    }

    /// How much more must be spent until shipping is free; null when it is, or when nothing makes it so.
    async fn missing_to_free_shipping(&self) -> Option<Money> {
        self.worked.outcome.missing_to_free_shipping().map(|minor| self.money(minor))
    }

    /// What would stand between it and an order, apart from who pays; at most 1000.
    async fn issues(&self) -> Vec<CartIssue> {
        self.worked.issues.iter().map(CartIssue::from).collect()
    }
}

/// A line of a quote.
#[derive(Debug, Clone)]
pub struct QuoteLine(Quote, usize);

impl QuoteLine {
    fn line(&self) -> &QuotedLine {
        &self.0.worked.lines[self.1]
    }
}

/// A line of a quote.
#[Object]
impl QuoteLine {
    /// The id of its variant.
    async fn variant_id(&self) -> ID {
        id(self.line().row.variant_id)
    }

    /// The number of its variant.
    async fn sku(&self) -> Option<&str> {
        self.line().offer.as_ref()?.variant.sku.as_deref()
    }

    /// The title of its product.
    async fn title(&self) -> Option<&str> {
        self.line().offer.as_ref().map(|offer| offer.product.title.as_str())
    }

    /// How many pieces.
    async fn quantity(&self) -> i32 {
        self.line().row.quantity
    }

    /// What one piece costs.
    async fn unit_price(&self) -> Money {
        let last = || last_shown(&self.line().row, &self.0.worked.rows);
        self.0.money(self.line().price.map_or_else(last, |price| price.amount_minor))
    }

    /// What one piece cost before; null unless that was more.
    async fn compare_at(&self) -> Option<Money> {
        self.line().price?.compare_at_minor.map(|minor| self.0.money(minor))
    }

    /// Whether prices of this line include tax.
    async fn includes_tax(&self) -> bool {
        self.line().price.map_or(self.line().row.includes_tax, |price| price.includes_tax)
    }

    /// Unit price times quantity.
    async fn subtotal(&self) -> Money {
        self.0.money(self.line().totals.subtotal_minor)
    }

    /// What comes off.
    async fn discount(&self) -> Money {
        self.0.money(self.line().totals.discount_minor)
    }

    /// What each promotion takes off, in the order in which they come. At most 500.
    async fn adjustments(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Adjustment>> {
        Ok(Adjustment::of_row_in(self.0.settings(ctx)?, &self.0.worked, AdjustedRow::Line(self.line().row.position)))
    }

    /// Whether it is the gift of a promotion.
    async fn is_gift(&self) -> bool {
        self.line().row.gift_of.is_some()
    }

    /// The tax on it.
    async fn tax(&self) -> Money {
        self.0.money(self.line().totals.tax_minor)
    }

    /// The taxes on it by rate, each with the reason for it; at most 6.
    async fn taxes(&self) -> Vec<Tax> {
        let currency = self.0.worked.rows.cart.currency;
        let told = |tax| Tax::new(tax, currency, reason(&self.line().tax.applied, tax));
        self.line().totals.taxes.iter().map(told).collect()
    }

    /// What it comes to with tax.
    async fn total(&self) -> Money {
        self.0.money(self.line().totals.total_minor)
    }

    /// Why its price is what it is: every price that was looked at with what became of it, the chosen one first. Staff
    /// see those that are meant for others too. Empty when staff agreed on the price. At most 100 of each list.
    async fn explanation(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<PriceReason>> {
        let settings = &call(ctx)?.settings;
        let told = self.0.worked.reasons(settings, self.line());
        let reasons = told.iter().map(|one| kept(settings, one));
        let shown = reasons.filter(|one| self.0.tells_all || one.is_told());
        Ok(shown.map(|one| PriceReason::new(&one, self.0.worked.rows.cart.currency)).collect())
    }
}

/// Lines of a quote that ship together.
#[derive(Debug, Clone)]
pub struct QuoteDelivery(Quote, usize);

impl QuoteDelivery {
    fn group(&self) -> &QuotedGroup {
        &self.0.worked.groups[self.1]
    }
}

/// Lines of a quote that ship together.
#[Object]
impl QuoteDelivery {
    /// The places of its lines among the lines of the quote, from 0 on. At most 100.
    async fn line_indexes(&self) -> Vec<i32> {
        self.group().lines.iter().filter_map(|place| i32::try_from(*place).ok()).collect()
    }

    /// The options that it is offered, at most 250.
    async fn options(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<DeliveryOption>> {
        let (call, currency) = (call(ctx)?, self.0.worked.rows.cart.currency);
        let named = self.group().offered.iter().map(|option| named_option(call, currency, option, &call.chain));
        futures_util::future::try_join_all(named).await
    }

    /// The shop's other options, each with the first reason why it is not offered; shoppers don't see what is meant for
    /// other customers. At most 250.
    async fn unavailable_options(&self) -> Vec<UnavailableDeliveryOption> {
        let shown = self.group().unavailable.iter().filter(|option| self.0.tells_all || !option.why.personal);
        shown.map(UnavailableDeliveryOption::from).collect()
    }

    /// The option that was named and is offered; null when none was.
    async fn selected(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<DeliveryOption>> {
        let Some(chosen) = &self.group().chosen else { return Ok(None) };
        let (call, currency) = (call(ctx)?, self.0.worked.rows.cart.currency);
        named_option(call, currency, chosen, &call.chain).await.map(Some)
    }

    /// What promotions take off the named option, in the order in which they come. At most 500.
    async fn adjustments(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Adjustment>> {
        Ok(Adjustment::of_row_in(self.0.settings(ctx)?, &self.0.worked, AdjustedRow::Charge(self.group().row.position)))
    }

    /// What the named option comes to with tax; null when none was named.
    async fn total(&self) -> Option<Money> {
        let row = self.0.worked.delivery_totals(self.group())?;
        Some(self.0.money(row.total_minor))
    }

    /// The taxes on the named option by rate, at most 6; none when none was named.
    async fn taxes(&self) -> Vec<Tax> {
        delivery_taxes(&self.0.worked, self.1)
    }
}

/// What lines would cost together, or every reason why that can't be said.
#[derive(Debug, SimpleObject)]
pub struct QuotePayload {
    /// What they would cost.
    pub quote: Option<Quote>,
    /// Every reason why nothing was worked out; empty on success.
    pub user_errors: Vec<crate::api::payload::UserError>,
}

impl QuotePayload {
    /// The payload for an outcome.
    pub fn answer(outcome: engine::error::Result<Worked>, tells_all: bool) -> async_graphql::Result<Self> {
        let (quote, user_errors) = crate::api::payload::part(outcome)?;
        Ok(Self { quote: quote.map(|worked| Quote::new(worked, tells_all)), user_errors })
    }
}
