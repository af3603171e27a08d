//! How shipping options, their zones and profiles look to staff.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::address::area::{Area, NewArea};
use domain::id::ShippingProfileId;
use domain::money::Currency;
use domain::rule::{Rule, RuleOperator};
use domain::shipping::table::{Band, Table};
use domain::shipping::{ShippingOptionKind, ShippingReason};
use engine::settings::{ServiceZone, ShippingOption};
use entity::shipping_profile;

use crate::api::call::{Call, call};
use crate::api::payload::top_level;
use crate::api::scalar::{Country, CurrencyCode, Decimal, Int64, Money, id};
use crate::api::word::Enum;
use crate::location::admin::AdminLocation;

/// How what a shipping option costs was found.
#[derive(Debug, Clone, SimpleObject)]
pub struct ShippingExplanation {
    /// The way: one price, a table, or a provider.
    pub kind: Enum<ShippingOptionKind>,
    /// What the table was asked for: grams, minor units or pieces; null without a table.
    pub measured: Option<Int64>,
    /// Where the band of the table begins, in the same unit; null without a table.
    pub from: Option<Int64>,
    /// Where it ends, itself not in it; null without a table, and for one without end.
    pub below: Option<Int64>,
    /// From which subtotal on it is free; null unless it is free for that reason.
    pub free_from: Option<Money>,
    /// What it would have cost; null unless it is free.
    pub amount_before: Option<Money>,
    /// Whether the merchant's own price stands in for that of a provider that gave no answer.
    pub stands_in: bool,
}

impl ShippingExplanation {
    /// A reason in this currency.
    pub fn new(reason: &ShippingReason, currency: Currency) -> Self {
        let (band, free) = (reason.band, reason.free);
        let money = |minor| Money::new(minor, currency);
        Self {
            kind: Enum(reason.kind),
            measured: band.map(|band| Int64(band.measured)),
            from: band.map(|band| Int64(band.from)),
            below: band.and_then(|band| band.below).map(Int64),
            free_from: free.map(|free| money(free.from_minor)),
            amount_before: free.map(|free| money(free.before_minor)),
            stands_in: reason.stands_in,
        }
    }
}

/// Products that ship alike: what a cart holds of one profile ships together, and each shipping option is for one.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminShippingProfile {
    /// Its id.
    pub id: ID,
    /// Rises with every change; send it as `expectedVersion`.
    pub version: i32,
    /// Its handle.
    pub handle: String,
    /// Its name.
    pub name: String,
    /// Whether it is that of products and shipping options which name none.
    pub is_default: bool,
}

impl From<shipping_profile::Model> for AdminShippingProfile {
    fn from(row: shipping_profile::Model) -> Self {
        Self {
            id: id(row.id),
            version: row.version,
            handle: row.handle.to_string(),
            name: row.name,
            is_default: row.is_default,
        }
    }
}

impl AdminShippingProfile {
    /// The profile of this id, or the default one.
    pub fn of(call: &Call, wished: Option<ShippingProfileId>) -> async_graphql::Result<Self> {
        let known = call.settings.profile_or_default(wished).map_err(top_level)?;
        let row = call.settings.shipping_profiles.iter().find(|row| row.id == known);
        let lost = || top_level(engine::error::Error::internal("a shipping profile is gone"));
        row.cloned().map(Self::from).ok_or_else(lost)
    }
}

/// A country or a part of it. An address is in it when all that is named here is so.
#[derive(Debug, Clone)]
pub struct AdminServiceArea(pub Area);

/// A country or a part of it. An address is in it when all that is named here is so.
#[Object]
impl AdminServiceArea {
    /// The country.
    async fn country_code(&self) -> Country {
        Country(self.0.country.clone())
    }

    /// The province, by its code.
    async fn province_code(&self) -> Option<&str> {
        self.0.province.as_deref()
    }

    /// What the county is called, of which the postal patterns tell who is in it.
    async fn county(&self) -> Option<&str> {
        self.0.county.as_deref()
    }

    /// The city.
    async fn city(&self) -> Option<&str> {
        self.0.city.as_deref()
    }

    /// Patterns of postal codes, at most 250: one code, all that begin alike (`941*`), or all from one to another.
    async fn postal_patterns(&self) -> Vec<String> {
        self.0.postal.iter().map(ToString::to_string).collect()
    }
}

/// A country or a part of it. An address is in it when all that is named here is so.
#[derive(Debug, Clone, InputObject)]
pub struct AdminServiceAreaInput {
    /// The country.
    pub country_code: Country,
    /// The province, by code or name.
    pub province_code: Option<String>,
    /// What the county is called. Addresses name none, so it needs patterns of postal codes.
    pub county: Option<String>,
    /// The city, whatever its capitals and accents.
    pub city: Option<String>,
    /// Patterns of postal codes, at most 250, one of which must fit: one code, all that begin alike (`941*`), or all
    /// from one to another (`94000-94999`).
    #[graphql(default)]
    pub postal_patterns: Vec<String>,
}

impl From<AdminServiceAreaInput> for NewArea {
    fn from(input: AdminServiceAreaInput) -> Self {
        Self {
            country: input.country_code.0,
            province: input.province_code,
            county: input.county,
            city: input.city,
            postal_patterns: input.postal_patterns,
        }
    }
}

/// Where shipping options go: whatever is in one of its areas. Several options may share a zone.
#[derive(Debug, Clone)]
pub struct AdminServiceZone(pub ServiceZone);

/// Where shipping options go: whatever is in one of its areas. Several options may share a zone.
#[Object]
impl AdminServiceZone {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.row.id)
    }

    /// Rises with every change; send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.row.version
    }

    /// Its handle.
    async fn handle(&self) -> &str {
        self.0.row.handle.as_str()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.row.name
    }

    /// Its areas, at most 250.
    async fn areas(&self) -> Vec<AdminServiceArea> {
        self.0.areas.iter().cloned().map(AdminServiceArea).collect()
    }
}

/// A band of a table.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminShippingBand {
    /// Where it begins, inclusive: grams, minor units of the table's currency, or pieces.
    pub from: Int64,
    /// Where it ends, exclusive: the next band begins here; null where it has no end.
    pub below: Option<Int64>,
    /// What it costs.
    pub amount: Money,
}

/// What an option costs in one currency, band by band.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminShippingTable {
    /// The currency of its amounts, and of its bounds where it goes by subtotal.
    pub currency_code: CurrencyCode,
    /// Its bands, the lowest first, at most 100; below the first and beyond the last the option is not offered.
    pub bands: Vec<AdminShippingBand>,
}

impl From<&Table> for AdminShippingTable {
    fn from(table: &Table) -> Self {
        let band = |band: &Band| AdminShippingBand {
            from: Int64(band.from),
            below: band.below.map(Int64),
            amount: Money::new(band.amount_minor, table.currency),
        };
        Self { currency_code: CurrencyCode(table.currency), bands: table.bands.iter().map(band).collect() }
    }
}

/// Something that must be so of a buyer and what he buys.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminShippingRule {
    /// What is compared.
    pub attribute: String,
    /// How.
    pub operator: Enum<RuleOperator>,
    /// What with, at most 250.
    pub values: Vec<String>,
}

impl From<&Rule> for AdminShippingRule {
    fn from(rule: &Rule) -> Self {
        Self { attribute: rule.attribute.clone(), operator: Enum(rule.operator), values: rule.values.clone() }
    }
}

/// What the merchant offers to bring an order to the shopper.
#[derive(Debug, Clone)]
pub struct AdminShippingOption(pub ShippingOption);

/// What the merchant offers to bring an order to the shopper.
#[Object]
impl AdminShippingOption {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.row.id)
    }

    /// Rises with every change; send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.row.version
    }

    /// Its handle.
    async fn handle(&self) -> &str {
        self.0.row.handle.as_str()
    }

    /// Its name for shoppers.
    async fn name(&self) -> &str {
        &self.0.row.name
    }

    /// More about it for shoppers.
    async fn description(&self) -> Option<&str> {
        self.0.row.description.as_deref()
    }

    /// The products that it is for.
    async fn shipping_profile(&self, ctx: &Context<'_>) -> async_graphql::Result<AdminShippingProfile> {
        AdminShippingProfile::of(call(ctx)?, self.0.row.shipping_profile_id)
    }

    /// Where it goes; where the buyers are to whom it is offered, when it is picked up.
    async fn service_zone(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AdminServiceZone>> {
        Ok(call(ctx)?.settings.service_zone(self.0.row.service_zone_id).cloned().map(AdminServiceZone))
    }

    /// The countries to which it goes, or to parts of which. At most 249.
    async fn countries(&self) -> Vec<Country> {
        self.0.countries.iter().cloned().map(Country).collect()
    }

    /// How its price is found.
    async fn kind(&self) -> Enum<ShippingOptionKind> {
        Enum(self.0.row.kind)
    }

    /// What it costs when it is `FLAT`, one price per currency.
    async fn prices(&self) -> Vec<Money> {
        self.0.prices.iter().map(|price| Money::new(price.amount_minor, price.currency)).collect()
    }

    /// What it costs by weight, subtotal or pieces: one table per currency, at most 100.
    async fn tables(&self) -> Vec<AdminShippingTable> {
        self.0.row.tables.0.iter().map(AdminShippingTable::from).collect()
    }

    /// Whether what it costs includes tax.
    async fn prices_include_tax(&self) -> bool {
        self.0.row.includes_tax
    }

    /// From which subtotal of a delivery group on it is free: one amount per currency, at most 100.
    async fn free_from(&self) -> Vec<Money> {
        let money = |free: &domain::shipping::table::Threshold| Money::new(free.amount_minor, free.currency);
        self.0.row.free_from.0.iter().map(money).collect()
    }

    /// All of them must be met, at most 20.
    async fn rules(&self) -> Vec<AdminShippingRule> {
        self.0.row.rules.0.iter().map(AdminShippingRule::from).collect()
    }

    /// Where the shopper picks it up; null when it is sent.
    async fn pickup_location(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AdminLocation>> {
        let Some(wished) = self.0.row.pickup_location_id else { return Ok(None) };
        let known = call(ctx)?.settings.locations.iter().find(|location| location.id == wished);
        Ok(known.cloned().map(AdminLocation::from))
    }

    /// The name of the provider that ships it.
    async fn provider(&self) -> &str {
        &self.0.row.provider
    }
}

/// A band of a table.
#[derive(Debug, Clone, InputObject)]
pub struct AdminShippingBandInput {
    /// Where it begins, inclusive: grams, minor units of the table's currency, or pieces.
    pub from: Int64,
    /// Where it ends, exclusive: the next band begins here. Only the last band can be without an end.
    pub below: Option<Int64>,
    /// What it costs, in the table's currency.
    pub amount: Decimal,
}

/// What an option costs in one currency, band by band.
#[derive(Debug, Clone, InputObject)]
pub struct AdminShippingTableInput {
    /// The currency of its amounts, and of its bounds where it goes by subtotal.
    pub currency_code: CurrencyCode,
    /// Its bands, at most 100; none may cover what another does, and nothing may lie between two.
    pub bands: Vec<AdminShippingBandInput>,
}

impl AdminShippingTableInput {
    /// The currency of the table.
    pub fn currency(&self) -> Currency {
        self.currency_code.0
    }
}

/// Something that must be so of a buyer and what he buys.
#[derive(Debug, Clone, InputObject)]
pub struct AdminShippingRuleInput {
    /// What is compared: `subtotal.EUR` (in whatever currency; a cart in another one doesn't meet it), `weight` (grams)
    /// or `quantity` of the delivery group, `region`, `channel`, `customer` or `customerGroup` by id, or `country` by
    /// code.
    pub attribute: String,
    /// How.
    pub operator: Enum<RuleOperator>,
    /// What with: exactly one value, but for `IN`.
    pub values: Vec<String>,
}

impl From<AdminShippingRuleInput> for Rule {
    fn from(input: AdminShippingRuleInput) -> Self {
        Self { attribute: input.attribute, operator: input.operator.0, values: input.values }
    }
}
