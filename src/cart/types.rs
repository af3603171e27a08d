//! How a cart looks to its shopper.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::cart::CartState;
use domain::id::CartDeliveryId;
use domain::pricing::kept::KeptReason;
use domain::promotion::outcome::AdjustedRow;
use domain::refusal::ErrorCode;
use domain::tax::{TaxExemption, TaxReason, reason};
use domain::totals::TaxAmount;
use domain::translation::TranslatableField;
use entity::payment_session;

use super::delivery::types::{DeliveryOption, UnavailableDeliveryOption, named_option};
use crate::address::types::{Address, AddressInput};
use crate::api::call::{Call, call};
use crate::api::input::change;
use crate::api::ready::{Ready, at_once};
use crate::api::scalar::{CurrencyCode, Decimal, Json, Money, id, ppm_to_percent};
use crate::api::word::Enum;
use crate::catalog::variant::types::Variant;
use crate::pricing::types::PriceReason;
use crate::promotion::shown::types::{Adjustment, AppliedPromotion, CartCode};
use crate::region::types::Region;
use crate::tax::types::{PassedOverTax, TaxExplanation};
use crate::translation::load::TextAt;
use engine::cart::buyer::{Addresses, Buyer};
use engine::cart::kept::kept;
use engine::cart::quote::{Issue, Quote, QuotedLine, last_shown};
use engine::payment::method::name;
use engine::shipping::offers::QuotedGroup;

/// What a shopper is about to buy, with what it comes to at this moment.
#[derive(Debug, Clone)]
pub struct Cart(pub Arc<Quote>);

impl From<Quote> for Cart {
    fn from(quote: Quote) -> Self {
        Self(Arc::new(quote))
    }
}

impl Cart {
    fn money(&self, minor: i64) -> Ready<Money> {
        Ready(Money::new(minor, self.0.rows.cart.currency))
    }
}

/// What a shopper is about to buy, with what it comes to at this moment.
#[Object(crate = "crate::api::eager")]
impl Cart {
    /// Its id. It opens nothing by itself: guests send it with the cart's token.
    async fn id(&self) -> ID {
        id(self.0.rows.cart.id)
    }

    /// Where it is on its way.
    async fn state(&self) -> Enum<CartState> {
        Enum(self.0.rows.cart.state)
    }

    /// The region that it is in.
    async fn region(&self) -> Region {
        Region(self.0.region.clone())
    }

    /// The currency of all its amounts.
    async fn currency_code(&self) -> CurrencyCode {
        CurrencyCode(self.0.rows.cart.currency)
    }

    /// Where mail about the order goes.
    async fn email(&self) -> Option<String> {
        self.0.rows.cart.email.as_ref().map(ToString::to_string)
    }

    /// Its language: a BCP 47 tag.
    async fn locale(&self) -> &str {
        &self.0.rows.cart.locale
    }

    /// Where it is sent.
    async fn shipping_address(&self) -> Ready<Option<Address>> {
        Ready(self.0.rows.cart.shipping_address.clone().map(Address::from))
    }

    /// Where it is billed to, when that is another place.
    async fn billing_address(&self) -> Ready<Option<Address>> {
        Ready(self.0.rows.cart.billing_address.clone().map(Address::from))
    }

    /// Its lines in the order in which they came, at most 100.
    async fn lines(&self) -> Vec<CartLine> {
        (0..self.0.lines.len()).map(|place| CartLine(self.clone(), place)).collect()
    }

    /// How many pieces it holds.
    async fn total_quantity(&self) -> i32 {
        self.0.rows.lines.iter().fold(0, |sum: i32, line| sum.saturating_add(line.quantity))
    }

    /// The parts of it that ship together, each with its own choice of delivery: what is of one shipping profile. None
    /// when nothing is sent.
    async fn delivery_groups(&self) -> Vec<DeliveryGroup> {
        (0..self.0.groups.len()).map(|place| DeliveryGroup(self.clone(), place)).collect()
    }

    /// The payment that was chosen.
    async fn payment_session(&self) -> Ready<Option<PaymentSession>> {
        Ready(self.0.rows.session.as_ref().map(PaymentSession::from))
    }

    /// The sum of its lines before discounts, in the basis in which their prices are shown.
    async fn subtotal(&self) -> Ready<Money> {
        self.money(self.0.totals.subtotal_minor)
    }

    /// The sum of its discounts.
    async fn discount(&self) -> Ready<Money> {
        self.money(self.0.totals.discount_minor)
    }

    /// The sum of its shipping charges, in the basis in which they are shown.
    async fn shipping(&self) -> Ready<Money> {
        self.money(self.0.totals.shipping_minor)
    }

    /// The sum of its taxes.
    async fn tax(&self) -> Ready<Money> {
        self.money(self.0.totals.tax_minor)
    }

    /// Its taxes by rate.
    async fn taxes(&self) -> Ready<Vec<Tax>> {
        let of_lines = self.0.lines.iter().map(|line| &line.tax);
        let applied: Vec<_> = of_lines.chain(&self.0.delivery_taxes).flat_map(|tax| &tax.applied).cloned().collect();
        let currency = self.0.rows.cart.currency;
        Ready(self.0.totals.taxes.iter().map(|tax| Tax::new(tax, currency, reason(&applied, tax))).collect())
    }

    /// Why no tax is due though rates would apply; null when tax is due. Prices that include tax shed it.
    async fn tax_exemption(&self) -> Option<Enum<TaxExemption>> {
        self.0.tax_exemption.map(Enum)
    }

    /// The buyer's VAT number, in capitals and without blanks.
    async fn tax_number(&self) -> Option<String> {
        self.0.rows.cart.tax_number.as_ref().map(ToString::to_string)
    }

    /// What it comes to. Send it as `expectedTotal` with `cartComplete`.
    async fn total(&self) -> Ready<Money> {
        self.money(self.0.totals.total_minor)
    }

    /// What is left to pay after gift cards and store credit. Send it as `expectedAmountDue` with `cartComplete`.
    async fn amount_due(&self) -> Ready<Money> {
        self.money(self.0.totals.due_minor)
    }

    /// Whether its customer's store credit pays.
    async fn uses_store_credit(&self) -> bool {
        self.0.rows.cart.uses_store_credit
    }

    /// What store credit pays of it; what gift cards pay stands with their `codes`.
    async fn store_credit(&self) -> Ready<Money> {
        self.money(self.0.means.of_credit())
    }

    /// The codes that were entered, of promotions and gift cards, in their order, each with what became of it. Gift
    /// cards pay in this order. At most 20.
    async fn codes(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<CartCode>> {
        Ok(CartCode::of(call(ctx)?, &self.0))
    }

    /// The promotions that give it something, in the order in which they came. At most 500.
    async fn promotions(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AppliedPromotion>> {
        Ok(AppliedPromotion::of(call(ctx)?, &self.0))
    }

    /// How much more must be spent until its shipping is free; null when it is, or when nothing makes it so.
    async fn missing_to_free_shipping(&self) -> Ready<Option<Money>> {
        Ready(self.0.outcome.missing_to_free_shipping().map(|minor| self.money(minor).0))
    }

    /// Everything that stands between it and an order, and every change that the shopper should know.
    async fn issues(&self) -> Ready<Vec<CartIssue>> {
        Ready(self.0.issues.iter().map(CartIssue::from).collect())
    }

    /// Until when the stock of what lies in it is held for it; null when none is. A storefront counts it down.
    async fn hold_expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.holds.expires_at()
    }

    /// Until when it is kept.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.rows.cart.expires_at
    }

    /// When it was changed last.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.rows.cart.updated_at
    }
}

impl Cart {
    /// Where its texts are looked for: in its own language, which the order will keep.
    fn chain(&self, call: &Call) -> Vec<String> {
        let cart = &self.0.rows.cart;
        let channel = call.settings.channels.iter().find(|channel| channel.id == cart.channel_id);
        call.settings.text_chain(&cart.locale, channel.unwrap_or(&call.channel))
    }
}

/// A line of a cart.
#[derive(Debug, Clone)]
pub struct CartLine(Cart, usize);

impl CartLine {
    fn line(&self) -> &QuotedLine {
        &self.0.0.lines[self.1]
    }
}

/// A line of a cart.
#[Object(crate = "crate::api::eager")]
impl CartLine {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.line().row.id)
    }

    /// The id of the variant that it holds.
    async fn variant_id(&self) -> ID {
        id(self.line().row.variant_id)
    }

    /// The variant that it holds; null when it is not for sale any more.
    async fn variant(&self) -> Option<Variant> {
        self.line().offer.as_ref().map(|offer| Variant::from(offer.variant.clone()))
    }

    /// The title of its product in the cart's language, as the order will keep it.
    async fn title(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<String>> {
        let Some(offer) = &self.line().offer else { return Ok(None) };
        let call = call(ctx)?;
        let place = TextAt::of(offer.product.id, offer.product.id, TranslatableField::Title);
        let text = place.in_chain(call, &self.0.chain(call)).await?;
        Ok(Some(text.unwrap_or_else(|| offer.product.title.clone())))
    }

    /// How many pieces.
    async fn quantity(&self) -> i32 {
        self.line().row.quantity
    }

    /// What one piece costs at this moment.
    async fn unit_price(&self) -> Ready<Money> {
        let last = || last_shown(&self.line().row, &self.0.0.rows);
        self.0.money(self.line().price.map_or_else(last, |price| price.amount_minor))
    }

    /// What one piece cost before; null unless that was more.
    async fn compare_at(&self) -> Ready<Option<Money>> {
        let before = self.line().price.and_then(|price| price.compare_at_minor);
        Ready(before.map(|minor| self.0.money(minor).0))
    }

    /// Why its price is what it is: every price that is meant for the buyer or for everybody, with what became of it,
    /// the chosen one first. Empty when staff agreed on the price. At most 100 of each list.
    async fn explanation(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<PriceReason>> {
        let settings = &call(ctx)?.settings;
        let told = self.0.0.reasons(settings, self.line());
        let reasons = told.iter().map(|one| kept(settings, one));
        let shown = reasons.filter(KeptReason::is_told);
        Ok(shown.map(|one| PriceReason::new(&one, self.0.0.rows.cart.currency)).collect())
    }

    /// Whether staff agreed on the price of one piece with the shopper, so that no other price counts.
    async fn custom_price(&self) -> bool {
        self.line().price.is_some_and(|price| price.id.is_none())
    }

    /// Whether prices of this line include tax.
    async fn includes_tax(&self) -> bool {
        self.line().price.as_ref().map_or(self.line().row.includes_tax, |price| price.includes_tax)
    }

    /// Unit price times quantity.
    async fn subtotal(&self) -> Ready<Money> {
        self.0.money(self.line().totals.subtotal_minor)
    }

    /// What comes off.
    async fn discount(&self) -> Ready<Money> {
        self.0.money(self.line().totals.discount_minor)
    }

    /// What each promotion takes off, in the order in which they came. At most 500.
    async fn adjustments(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Adjustment>> {
        Ok(Adjustment::of_row(call(ctx)?, &self.0.0, AdjustedRow::Line(self.line().row.position)))
    }

    /// Whether it is the gift of a promotion: it comes and goes by itself.
    async fn is_gift(&self) -> bool {
        self.line().row.gift_of.is_some()
    }

    /// The tax on it.
    async fn tax(&self) -> Ready<Money> {
        self.0.money(self.line().totals.tax_minor)
    }

    /// The taxes on it by rate, at most 6; none when the cart is exempt.
    async fn taxes(&self) -> Vec<Tax> {
        let (line, currency) = (self.line(), self.0.0.rows.cart.currency);
        line.totals.taxes.iter().map(|tax| Tax::new(tax, currency, reason(&line.tax.applied, tax))).collect()
    }

    /// Tax rates that hold where it goes and don't apply to it, at most 250.
    async fn taxes_passed_over(&self) -> Vec<PassedOverTax> {
        self.line().tax.passed_over.iter().take(250).map(PassedOverTax::from).collect()
    }

    /// What it comes to with tax.
    async fn total(&self) -> Ready<Money> {
        self.0.money(self.line().totals.total_minor)
    }
}

/// Lines of a cart that ship together.
#[derive(Debug, Clone)]
pub struct DeliveryGroup(Cart, usize);

impl DeliveryGroup {
    fn group(&self) -> &QuotedGroup {
        &self.0.0.groups[self.1]
    }
}

/// Lines of a cart that ship together.
#[Object]
impl DeliveryGroup {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.group().row.id)
    }

    /// Its lines, at most 100.
    async fn lines(&self) -> Vec<CartLine> {
        self.group().lines.iter().map(|place| CartLine(self.0.clone(), *place)).collect()
    }

    /// The options that it is offered; before there is a shipping address, only those that are picked up. At most 250.
    async fn options(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<DeliveryOption>> {
        let call = call(ctx)?;
        let chain = self.0.chain(call);
        let named =
            self.group().offered.iter().map(|option| named_option(call, self.0.0.rows.cart.currency, option, &chain));
        futures_util::future::try_join_all(named).await
    }

    /// The shop's other options, each with the first reason why it is not offered; what is meant for other customers
    /// is not among them. At most 250.
    async fn unavailable_options(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<UnavailableDeliveryOption>> {
        let call = call(ctx)?;
        let chain = self.0.chain(call);
        let told = self.group().unavailable.iter().filter(|option| !option.why.personal);
        let named = told.map(async |option| {
            let name = TextAt::alone(option.id, TranslatableField::Name).in_chain(call, &chain).await?;
            let told = UnavailableDeliveryOption::from(option);
            Ok::<_, async_graphql::Error>(UnavailableDeliveryOption { name: name.unwrap_or(told.name), ..told })
        });
        futures_util::future::try_join_all(named).await
    }

    /// The option that was chosen and is still offered.
    async fn selected(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<DeliveryOption>> {
        let Some(chosen) = &self.group().chosen else { return Ok(None) };
        let call = call(ctx)?;
        named_option(call, self.0.0.rows.cart.currency, chosen, &self.0.chain(call)).await.map(Some)
    }

    /// What promotions take off the chosen option, in the order in which they came. At most 500.
    async fn adjustments(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Adjustment>> {
        Ok(Adjustment::of_row(call(ctx)?, &self.0.0, AdjustedRow::Charge(self.group().row.position)))
    }

    /// What the chosen option comes to with tax; null before one is chosen.
    async fn total(&self) -> Option<Money> {
        let row = self.0.0.delivery_totals(self.group())?;
        Some(self.0.money(row.total_minor).0)
    }

    /// The taxes on the chosen option by rate, at most 6; none before one is chosen.
    async fn taxes(&self) -> Vec<Tax> {
        delivery_taxes(&self.0.0, self.1)
    }
}

/// The taxes on what a delivery group chose.
pub fn delivery_taxes(quote: &Quote, place: usize) -> Vec<Tax> {
    let currency = quote.rows.cart.currency;
    let (Some(group), Some(choice)) = (quote.groups.get(place), quote.delivery_taxes.get(place)) else {
        return Vec::new();
    };
    let taxes = quote.delivery_totals(group).map(|row| row.taxes.as_slice()).unwrap_or_default();
    taxes.iter().map(|tax| Tax::new(tax, currency, reason(&choice.applied, tax))).collect()
}

/// How a cart will be paid. No money has moved.
#[derive(Debug, Clone, SimpleObject)]
pub struct PaymentSession {
    /// Its id.
    pub id: ID,
    /// The name of the provider.
    pub provider: String,
    /// What you gave the provider to know.
    pub data: Json,
    /// The saved payment method that pays (`Customer.paymentMethods`).
    pub payment_method_id: Option<ID>,
    /// Whether what pays is saved for the customer.
    pub saves_payment_method: bool,
}

at_once!(PaymentSession { id, provider, data, payment_method_id, saves_payment_method });

impl From<&payment_session::Model> for PaymentSession {
    fn from(row: &payment_session::Model) -> Self {
        let saved = row.saved_method.as_deref();
        Self {
            id: id(row.id),
            provider: row.provider.clone(),
            data: Json(row.data.clone()),
            payment_method_id: saved.map(|reference| name(&row.provider, reference).into()),
            saves_payment_method: row.saves_method,
        }
    }
}

/// A tax at one rate.
#[derive(Debug, Clone, SimpleObject)]
pub struct Tax {
    /// A short code for invoices.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The rate in percent.
    pub percent: Decimal,
    /// What it is levied on.
    pub base: Money,
    /// The tax.
    pub amount: Money,
    /// Why the rate applies; null for orders that were placed before it was kept.
    pub explanation: Option<TaxExplanation>,
}

at_once!(Tax { code, name, percent, base, amount });

impl Tax {
    /// A tax in this currency, with the reason for its rate.
    pub fn new(tax: &TaxAmount, currency: domain::money::Currency, reason: Option<&TaxReason>) -> Self {
        Self {
            code: tax.code.clone(),
            name: tax.name.clone(),
            percent: ppm_to_percent(tax.rate_ppm),
            base: Money::new(tax.base_minor, currency),
            amount: Money::new(tax.tax_minor, currency),
            explanation: reason.map(TaxExplanation::from),
        }
    }
}

/// Something that stands between a cart and an order, or that the shopper should know before.
#[derive(Debug, Clone, SimpleObject)]
pub struct CartIssue {
    /// What your program branches on.
    pub code: Enum<ErrorCode>,
    /// An English sentence for the developer.
    pub message: String,
    /// The line that it is about.
    pub line_id: Option<ID>,
    /// The delivery group that it is about.
    pub delivery_group_id: Option<ID>,
    /// How many can still be had, with `INSUFFICIENT_STOCK`.
    pub quantity_available: Option<i32>,
    /// Whether the cart can't become an order before it is settled.
    pub blocking: bool,
    /// What one piece cost when the shopper was shown it last, with `PRICE_CHANGED`.
    pub price_before: Option<Money>,
    /// What one piece costs now, with `PRICE_CHANGED`.
    pub price_now: Option<Money>,
}

at_once!(CartIssue { code, message, line_id, quantity_available, blocking });

impl From<&Issue> for CartIssue {
    fn from(issue: &Issue) -> Self {
        let about = issue.refusal.entity_id.as_deref();
        let group = about.and_then(|about| about.parse::<CartDeliveryId>().ok());
        Self {
            code: Enum(issue.refusal.code),
            message: issue.refusal.message.clone(),
            line_id: issue.line.map(id),
            delivery_group_id: group.map(id),
            quantity_available: issue.refusal.quantity_available,
            blocking: issue.blocking,
            price_before: issue.prices.map(|(before, _)| Money::new(before.minor, before.currency)),
            price_now: issue.prices.map(|(_, now)| Money::new(now.minor, now.currency)),
        }
    }
}

/// Who is buying. What you leave out stays.
#[derive(Debug, Clone, Default, InputObject)]
pub struct CartBuyerInput {
    /// Where mail about the order goes; null clears it.
    pub email: MaybeUndefined<String>,
    /// The region, by id or handle. Another region may have another currency and other prices.
    pub region: Option<String>,
    /// The language: a BCP 47 tag such as `en` or `pt-BR`.
    pub locale: Option<String>,
    /// The buyer's VAT number with the letters of its country, such as `DE123456789`; null clears it. Only its shape
    /// is checked. Where a country has it so, who has one owes the tax himself.
    pub tax_number: MaybeUndefined<String>,
    /// Whether your store credit pays, after the gift cards of the cart. Only for who is logged in.
    pub use_store_credit: Option<bool>,
}

impl From<CartBuyerInput> for Buyer {
    fn from(input: CartBuyerInput) -> Self {
        Self {
            email: change(input.email),
            region: input.region,
            locale: input.locale,
            tax_number: change(input.tax_number),
            uses_store_credit: input.use_store_credit,
        }
    }
}

/// Where an order is sent and billed to. What you leave out stays.
#[derive(Debug, Clone, Default, InputObject)]
pub struct CartAddressesInput {
    /// Where it is sent; null clears it.
    pub shipping: MaybeUndefined<AddressInput>,
    /// Where it is billed to, when that is another place; null clears it.
    pub billing: MaybeUndefined<AddressInput>,
}

impl From<CartAddressesInput> for Addresses {
    fn from(input: CartAddressesInput) -> Self {
        let read = |address: MaybeUndefined<AddressInput>| change(address.map_value(Into::into));
        Self { shipping: read(input.shipping), billing: read(input.billing) }
    }
}
