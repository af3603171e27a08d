//! Conditions and offers as staff send them.

use async_graphql::{ID, InputObject, InputType, OneofObject};
use domain::promotion::condition::{Conditions, Weekday};
use domain::promotion::offer::{FixedAllocation, Offer};
use domain::refusal::Refusals;
use domain::rule::RuleOperator;
use entity::metafield_definition;
use serde::de::DeserializeOwned;

use super::spelled::stored;
use crate::api::scalar::{CurrencyCode, Decimal, MoneyInput};
use crate::api::word::Enum;
use crate::collection::admin::AdminPriceRangeInput;
use crate::pricing::types::AdminPriceRuleInput;
use crate::shipping::types::AdminServiceAreaInput;

/// When a promotion counts: a test, or several bound by "and", "or" and "not". At most 5 deep, and at most 50 tests in
/// one promotion with those of its items.
#[derive(Debug, Clone, OneofObject)]
pub enum AdminPromotionConditionsInput {
    /// This is so.
    Is(AdminPromotionTestInput),
    /// Every one of these; an empty list is always so.
    All(Vec<AdminPromotionConditionsInput>),
    /// At least one of these.
    Any(Vec<AdminPromotionConditionsInput>),
    /// Not this.
    Not(Box<AdminPromotionConditionsInput>),
}

/// A test of a cart and of who buys it.
#[derive(Debug, Clone, OneofObject)]
pub enum AdminPromotionTestInput {
    /// A rule about the buyer.
    Buyer(AdminPriceRuleInput),
    /// He pays in one of these currencies.
    Currency(Vec<CurrencyCode>),
    /// It is sent to one of these areas.
    Address(Vec<AdminServiceAreaInput>),
    /// Whether he is signed in.
    SignedIn(bool),
    /// Whether it is his first order. Of who is not known yet neither is so.
    FirstOrder(bool),
    /// It is one of these days, in UTC.
    Weekday(Vec<Enum<Weekday>>),
    /// It is between two times of the day.
    TimeOfDay(AdminTimeOfDayInput),
    /// The lines that are so have so many units together.
    Quantity(AdminPromotionQuantityInput),
    /// There are so many lines that are so.
    Lines(AdminPromotionQuantityInput),
    /// The lines that are so come to so much, after the discounts before.
    Spend(AdminPromotionSpendInput),
}

/// Between two times of the day, in UTC; past midnight when the first one is the later.
#[derive(Debug, Clone, InputObject)]
pub struct AdminTimeOfDayInput {
    /// Minutes since midnight, inclusive: 0 to 1440.
    pub from: i32,
    /// Minutes since midnight, exclusive: 0 to 1440.
    pub until: i32,
}

/// So many of some lines; at least one bound.
#[derive(Debug, Clone, InputObject)]
pub struct AdminPromotionQuantityInput {
    /// Which lines; all when absent.
    pub of: Option<AdminPromotionItemsInput>,
    /// At least so many.
    pub at_least: Option<i32>,
    /// At most so many.
    pub at_most: Option<i32>,
}

/// What some lines come to.
#[derive(Debug, Clone, InputObject)]
pub struct AdminPromotionSpendInput {
    /// Which lines; all when absent.
    pub of: Option<AdminPromotionItemsInput>,
    /// One range for each currency; of another currency it is not so.
    pub ranges: Vec<AdminPriceRangeInput>,
}

/// Which items are meant: a test of a line, or several bound by "and", "or" and "not". At most 5 deep.
#[derive(Debug, Clone, OneofObject)]
pub enum AdminPromotionItemsInput {
    /// This is so.
    Is(AdminPromotionItemTestInput),
    /// Every one of these; an empty list means every item.
    All(Vec<AdminPromotionItemsInput>),
    /// At least one of these.
    Any(Vec<AdminPromotionItemsInput>),
    /// Not this.
    Not(Box<AdminPromotionItemsInput>),
}

/// A test of a line. Lists have 1 to 250 values.
#[derive(Debug, Clone, OneofObject)]
pub enum AdminPromotionItemTestInput {
    /// It is one of these products.
    Product(Vec<ID>),
    /// It is one of these variants.
    Variant(Vec<ID>),
    /// Its product is in one of these collections.
    Collection(Vec<ID>),
    /// Its product is in one of these categories or below.
    Category(Vec<ID>),
    /// Its product has one of these tags.
    Tag(Vec<ID>),
    /// Its product is of one of these types.
    ProductType(Vec<ID>),
    /// A metafield of its product or variant is so.
    Metafield(AdminPromotionMetafieldInput),
    /// Whether its price is lowered already: there is one to strike through.
    OnSale(bool),
    /// One unit of it costs so much, before any promotion.
    UnitPrice(Vec<AdminPriceRangeInput>),
    /// It has so many units.
    Quantity(AdminPromotionUnitsInput),
}

/// So many units; at least one bound.
#[derive(Debug, Clone, InputObject)]
pub struct AdminPromotionUnitsInput {
    /// At least so many.
    pub at_least: Option<i32>,
    /// At most so many.
    pub at_most: Option<i32>,
}

/// A comparison of a metafield.
#[derive(Debug, Clone, InputObject)]
pub struct AdminPromotionMetafieldInput {
    /// The id of its definition.
    pub definition: ID,
    /// How it compares; `EQ` when absent.
    pub operator: Option<Enum<RuleOperator>>,
    /// What with, as text: one value, several with `IN`.
    pub values: Vec<String>,
}

/// What a promotion gives.
#[derive(Debug, Clone, OneofObject)]
pub enum AdminPromotionOfferInput {
    /// Money off. Free shipping is `free` off `shipping`.
    Reduce(AdminPromotionReduceInput),
    /// The more, the more comes off.
    Tiers(AdminPromotionTiersInput),
    /// Buy so many of these, get so many of those for less.
    BuyGet(AdminPromotionBuyGetInput),
    /// Variants that come for nothing, 1 to 10.
    Gifts(Vec<AdminPromotionGiftInput>),
}

/// Money off.
#[derive(Debug, Clone, InputObject)]
pub struct AdminPromotionReduceInput {
    /// What it comes off.
    pub target: AdminPromotionTargetInput,
    /// How much.
    pub reduction: AdminPromotionReductionInput,
}

/// What money comes off.
#[derive(Debug, Clone, OneofObject)]
pub enum AdminPromotionTargetInput {
    /// The lines that are so.
    Items(AdminPromotionItemsInput),
    /// All lines together: send `true`.
    Order(bool),
    /// The charges of these shipping options, by id; of every one when the list is empty.
    Shipping(Vec<ID>),
}

/// How much comes off.
#[derive(Debug, Clone, OneofObject)]
pub enum AdminPromotionReductionInput {
    /// A part.
    Percentage(AdminPromotionPercentageInput),
    /// An amount.
    Fixed(AdminPromotionFixedInput),
    /// Each unit costs so much; what costs less already is left alone.
    FixedPrice(AdminPromotionFixedPriceInput),
    /// All of it: send `true`.
    Free(bool),
}

/// A part of what something costs.
#[derive(Debug, Clone, InputObject)]
pub struct AdminPromotionPercentageInput {
    /// Above 0, at most 100, with up to four decimals.
    pub percent: Decimal,
    /// At most so much in all, one amount for each currency; a currency that is not named has no bound.
    #[graphql(default)]
    pub at_most: Vec<MoneyInput>,
}

/// An amount off.
#[derive(Debug, Clone, InputObject)]
pub struct AdminPromotionFixedInput {
    /// One amount for each currency, for nothing is converted; it gives nothing in a currency that is not named.
    pub amounts: Vec<MoneyInput>,
    /// How often it comes off.
    pub allocation: Enum<FixedAllocation>,
}

/// A price in place of another.
#[derive(Debug, Clone, InputObject)]
pub struct AdminPromotionFixedPriceInput {
    /// One amount for each currency; it gives nothing in a currency that is not named.
    pub amounts: Vec<MoneyInput>,
}

/// The more, the more comes off.
#[derive(Debug, Clone, InputObject)]
pub struct AdminPromotionTiersInput {
    /// What it comes off.
    pub target: AdminPromotionTargetInput,
    /// The tiers, the lowest first, 1 to 20; of those that are reached the last one counts.
    pub tiers: Vec<AdminPromotionTierInput>,
}

/// One tier.
#[derive(Debug, Clone, InputObject)]
pub struct AdminPromotionTierInput {
    /// From where on it counts.
    pub from: AdminPromotionTierStartInput,
    /// What it gives.
    pub reduction: AdminPromotionReductionInput,
}

/// From where on a tier counts; all tiers by the same.
#[derive(Debug, Clone, OneofObject)]
pub enum AdminPromotionTierStartInput {
    /// What the target's lines come to, one amount for each currency; of order and shipping, all lines.
    Spend(Vec<MoneyInput>),
    /// How many units the target's lines have; of order and shipping, all lines.
    Quantity(i32),
}

/// Buy so many of these, get so many of those for less. No unit counts twice.
#[derive(Debug, Clone, InputObject)]
pub struct AdminPromotionBuyGetInput {
    /// What must be bought.
    pub buy: AdminPromotionItemsInput,
    /// How many of it, each time.
    pub buy_quantity: i32,
    /// What is given.
    pub get: AdminPromotionItemsInput,
    /// How many of it at most, each time.
    pub get_quantity: i32,
    /// What comes off each given unit.
    pub reduction: AdminPromotionReductionInput,
    /// How often in one cart; as often as it is bought when absent.
    pub at_most_times: Option<i32>,
    /// The dearest units qualify and the cheapest are given; with `true` the dearest are given.
    #[graphql(default)]
    pub gives_dearest: bool,
}

/// A variant that comes with the cart for nothing.
#[derive(Debug, Clone, InputObject)]
pub struct AdminPromotionGiftInput {
    /// The id of the variant.
    pub variant: ID,
    /// How many, at least 1.
    pub quantity: i32,
}

/// Reads an input in the form in which the rules know it; what can't be is refused at `place`.
fn read<T: DeserializeOwned>(
    input: &impl InputType,
    place: &str,
    known: &[metafield_definition::Model],
    refusals: &mut Refusals,
) -> Option<T> {
    let sent = input.to_value().into_json().unwrap_or_default();
    stored(sent, place, known, refusals)
}

impl AdminPromotionConditionsInput {
    /// The conditions, as far as they can be read.
    pub fn read(&self, known: &[metafield_definition::Model], refusals: &mut Refusals) -> Option<Conditions> {
        read(self, "conditions", known, refusals)
    }
}

impl AdminPromotionOfferInput {
    /// The offer, as far as it can be read.
    pub fn read(&self, known: &[metafield_definition::Model], refusals: &mut Refusals) -> Option<Offer> {
        read(self, "offer", known, refusals)
    }
}
