//! Shipping: which options a delivery group is offered, what each costs, and why the others are not offered.
//!
//! | to change | edit |
//! |---|---|
//! | who is offered what, and for how much | [`Terms::offer`] |
//! | what a table may look like | [`table`] |
//! | which lines ship together | [`group`] |
//! | what a provider is asked | [`asked`] |

pub mod asked;
pub mod group;
pub mod table;

use serde::{Deserialize, Serialize};

use crate::address::area::{Area, Place};
use crate::id::ShippingProfileId;
use crate::money::{Currency, format_decimal};
use crate::refusal::{ErrorCode, Refusal};
use crate::rule::{Attributes, Rule, RuleOperator, Rules};
use crate::word::words;

use asked::Calculated;
use group::Group;
use table::{FreeFrom, Tables};

/// Attributes of a delivery group, for the rules of shipping options.
pub mod attribute {
    /// What its lines come to after their discounts, as a decimal; the currency's code follows, such as
    /// `subtotal.EUR`, and a cart in another currency knows nothing of it.
    pub const SUBTOTAL: &str = "subtotal.";
    /// What it weighs, in grams.
    pub const WEIGHT: &str = "weight";
    /// How many pieces it holds.
    pub const QUANTITY: &str = "quantity";
}

words! {
    /// How the price of a shipping option is found.
    pub enum ShippingOptionKind {
        /// One price.
        Flat = "FLAT",
        /// From a table by weight in grams.
        ByWeight = "BY_WEIGHT",
        /// From a table by subtotal after discounts.
        BySubtotal = "BY_SUBTOTAL",
        /// From a table by number of pieces.
        ByQuantity = "BY_QUANTITY",
        /// By the provider that ships it, each time anew.
        Calculated = "CALCULATED",
    }
}

words! {
    /// Why a delivery group is not offered a shipping option.
    pub enum DeliveryUnavailableReason {
        /// The option is for products of another shipping profile.
        Profile = "PROFILE",
        /// The cart has no shipping address yet.
        AddressMissing = "ADDRESS_MISSING",
        /// It doesn't go to this country.
        Country = "COUNTRY",
        /// It goes to this country, but not to this province.
        Province = "PROVINCE",
        /// It doesn't go to this city.
        City = "CITY",
        /// It doesn't go to this postal code.
        PostalCode = "POSTAL_CODE",
        /// It has no price in the cart's currency.
        Currency = "CURRENCY",
        /// Its table has no price for this weight, subtotal or number of pieces.
        Table = "TABLE",
        /// One of its rules is not met.
        Rule = "RULE",
        /// Nothing can be picked up at its location, or not what is sold in this channel.
        PickupClosed = "PICKUP_CLOSED",
        /// There is too little of the group's goods at its location.
        PickupStock = "PICKUP_STOCK",
        /// The provider that calculates its price named none.
        Provider = "PROVIDER",
    }
}

impl ShippingOptionKind {
    /// Whether it takes its price from tables.
    pub fn has_tables(self) -> bool {
        matches!(self, Self::ByWeight | Self::BySubtotal | Self::ByQuantity)
    }
}

/// What an option costs a group, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShippingPrice {
    /// In minor units.
    pub amount_minor: i64,
    /// How that was found.
    pub reason: ShippingReason,
}

/// How the price of an option was found. Orders keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingReason {
    /// The way of the option.
    pub kind: ShippingOptionKind,
    /// Which band of its table counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<MeasuredBand>,
    /// Why it costs nothing, when it would have cost something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free: Option<FreeReason>,
    /// Whether the merchant's own price stands in for one of a provider who gave no answer.
    #[serde(default)]
    pub stands_in: bool,
}

/// A band of a table, and what lay in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredBand {
    /// What the group measured: grams, minor units or pieces.
    pub measured: i64,
    /// Where the band begins, itself in it.
    pub from: i64,
    /// Where it ends, itself not in it; nowhere when absent.
    pub below: Option<i64>,
}

/// From which subtotal on an option is free, and what it would have cost; both in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeReason {
    /// The subtotal.
    pub from_minor: i64,
    /// The price.
    pub before_minor: i64,
}

impl ShippingReason {
    /// The price that was named once for all.
    pub fn plain(kind: ShippingOptionKind) -> Self {
        Self { kind, band: None, free: None, stands_in: false }
    }
}

/// Why an option is not offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotOffered {
    /// What clients branch on.
    pub reason: DeliveryUnavailableReason,
    /// One English sentence for the developer.
    pub message: String,
    /// Whether the reason is who the buyer is; what is not meant for him, he isn't told of.
    pub personal: bool,
}

impl NotOffered {
    fn new(reason: DeliveryUnavailableReason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), personal: false }
    }
}

/// What is known of the location at which a group would be picked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pickup {
    /// It hands out nothing, or serves another channel.
    Closed,
    /// It has too little of the group's goods.
    OutOfStock,
    /// The group is there.
    Ready,
}

/// What a merchant wants of a shipping option.
#[derive(Debug, Clone)]
pub struct Terms<'o> {
    /// The products that it is for.
    pub profile: ShippingProfileId,
    /// Where it goes; where the buyers live, for one that is picked up.
    pub areas: &'o [Area],
    /// How its price is found.
    pub kind: ShippingOptionKind,
    /// Its one price, by currency, in minor units.
    pub prices: &'o [(Currency, i64)],
    /// Its tables.
    pub tables: &'o Tables,
    /// From when on it is free.
    pub free_from: &'o FreeFrom,
    /// All of them must be met.
    pub rules: &'o Rules,
}

/// In what situation a group asks for an option.
#[derive(Debug, Clone)]
pub struct Situation<'s> {
    /// The group.
    pub group: &'s Group,
    /// The cart's currency.
    pub currency: Currency,
    /// Where it goes, once that is known.
    pub place: Option<&'s Place>,
    /// Who buys and where, without what the group is.
    pub attributes: &'s Attributes,
    /// What is known of the place where it would be picked up; none for an option that is sent.
    pub pickup: Option<Pickup>,
    /// What the provider says; none before it was asked.
    pub calculated: Option<&'s Calculated>,
}

impl Terms<'_> {
    /// What the option costs, or the first reason why it is not offered.
    pub fn offer(&self, situation: &Situation<'_>) -> Result<ShippingPrice, NotOffered> {
        let barred = |rule: &Rule| is_personal(rule) && !rule.is_met(situation.attributes);
        // Whatever else stands against it: what is meant for others is not told of.
        let personal = self.rules.0.iter().any(barred);
        self.offer_to(situation).map_err(|why| NotOffered { personal: why.personal || personal, ..why })
    }

    fn offer_to(&self, situation: &Situation<'_>) -> Result<ShippingPrice, NotOffered> {
        use DeliveryUnavailableReason as Reason;
        let group = situation.group;
        if group.profile != self.profile {
            return Err(NotOffered::new(Reason::Profile, "This option is for products of another shipping profile."));
        }
        if situation.pickup == Some(Pickup::Closed) {
            let message = "Nothing can be picked up at this location at the moment.";
            return Err(NotOffered::new(Reason::PickupClosed, message));
        }
        match situation.place {
            Some(place) => reaches(self.areas, place)?,
            None if situation.pickup.is_some() => {}
            None => {
                let message = "The cart has no shipping address: set it with cartAddressesUpdate.";
                return Err(NotOffered::new(Reason::AddressMissing, message));
            }
        }
        let attributes = of_group(situation);
        if let Some(rule) = self.rules.first_unmet(&attributes) {
            return Err(unmet(rule, &attributes));
        }
        if situation.pickup == Some(Pickup::OutOfStock) {
            let message = "There is too little of these goods at this location.";
            return Err(NotOffered::new(Reason::PickupStock, message));
        }
        let price = self.price(situation)?;
        let free = self.free_from.in_currency(situation.currency).filter(|from| *from <= group.subtotal_minor);
        Ok(match free {
            Some(from_minor) => {
                let free = Some(FreeReason { from_minor, before_minor: price.amount_minor });
                ShippingPrice { amount_minor: 0, reason: ShippingReason { free, ..price.reason } }
            }
            None => price,
        })
    }

    /// What it costs before it is free.
    fn price(&self, situation: &Situation<'_>) -> Result<ShippingPrice, NotOffered> {
        use DeliveryUnavailableReason as Reason;
        let (group, currency) = (situation.group, situation.currency);
        let no_price = || NotOffered::new(Reason::Currency, format!("This option has no price in {currency}."));
        let measure = match self.kind {
            ShippingOptionKind::Flat => {
                return self.named(currency).ok_or_else(no_price);
            }
            ShippingOptionKind::Calculated => {
                let refused = |message: &str| Err(NotOffered::new(Reason::Provider, message));
                return match situation.calculated {
                    Some(Calculated::Amount(minor)) => {
                        Ok(ShippingPrice { amount_minor: *minor, reason: ShippingReason::plain(self.kind) })
                    }
                    Some(Calculated::Refused(Some(why))) => refused(why),
                    Some(Calculated::Refused(None)) => refused("The provider names no price for this group."),
                    Some(Calculated::Silent) => {
                        let own = self.named(currency).ok_or_else(|| {
                            NotOffered::new(Reason::Provider, "The provider does not answer at the moment.")
                        })?;
                        Ok(ShippingPrice { reason: ShippingReason { stands_in: true, ..own.reason }, ..own })
                    }
                    None => refused("The provider has not been asked yet."),
                };
            }
            ShippingOptionKind::ByWeight => group.weight_grams,
            ShippingOptionKind::BySubtotal => group.subtotal_minor,
            ShippingOptionKind::ByQuantity => group.quantity,
        };
        let table = self.tables.in_currency(currency).ok_or_else(no_price)?;
        if let Some(band) = table.band(measure) {
            let measured = Some(MeasuredBand { measured: measure, from: band.from, below: band.below });
            let reason = ShippingReason { band: measured, ..ShippingReason::plain(self.kind) };
            return Ok(ShippingPrice { amount_minor: band.amount_minor, reason });
        }
        let measured = match self.kind {
            ShippingOptionKind::ByWeight => format!("{} kg", format_decimal(measure, 3)),
            ShippingOptionKind::BySubtotal => format!("{} {currency}", format_decimal(measure, currency.exponent())),
            _ => format!("{measure} pieces"),
        };
        Err(NotOffered::new(Reason::Table, format!("The table of this option has no price for {measured}.")))
    }

    /// The price that the merchant named in a currency.
    fn named(&self, currency: Currency) -> Option<ShippingPrice> {
        let price = self.prices.iter().find(|(known, _)| *known == currency);
        price.map(|(_, minor)| ShippingPrice { amount_minor: *minor, reason: ShippingReason::plain(self.kind) })
    }
}

/// Whether one of the areas holds a place; else what the nearest of them differs in.
fn reaches(areas: &[Area], place: &Place) -> Result<(), NotOffered> {
    use DeliveryUnavailableReason as Reason;
    if areas.iter().any(|area| area.holds(place)) {
        return Ok(());
    }
    let differs = |area: &Area| {
        let province = Area { county: None, city: None, postal: Vec::new(), ..area.clone() };
        let city = Area { city: area.city.clone(), ..province.clone() };
        if area.country != *place.country() {
            Reason::Country
        } else if !province.holds(place) {
            Reason::Province
        } else if !city.holds(place) {
            Reason::City
        } else {
            Reason::PostalCode
        }
    };
    let reason = areas.iter().map(differs).max().unwrap_or(Reason::Country);
    let what = match reason {
        Reason::Country => "country",
        Reason::Province => "province",
        Reason::City => "city",
        _ => "postal code",
    };
    Err(NotOffered::new(reason, format!("This option doesn't go to the {what} of the shipping address.")))
}

/// Who buys and where, and what the group is.
fn of_group(situation: &Situation<'_>) -> Attributes {
    let group = situation.group;
    situation
        .attributes
        .clone()
        .with(
            &format!("{}{}", attribute::SUBTOTAL, situation.currency),
            format_decimal(group.subtotal_minor, situation.currency.exponent()),
        )
        .with(attribute::WEIGHT, group.weight_grams)
        .with(attribute::QUANTITY, group.quantity)
}

/// Whether a rule is about the buyer himself.
fn is_personal(rule: &Rule) -> bool {
    use crate::rule::attribute as of_buyer;
    [of_buyer::CUSTOMER_GROUP, of_buyer::CUSTOMER].contains(&rule.attribute.as_str())
}

fn unmet(rule: &Rule, attributes: &Attributes) -> NotOffered {
    let personal = is_personal(rule);
    let compared = match rule.operator {
        RuleOperator::Eq => "must be",
        RuleOperator::Ne => "must not be",
        RuleOperator::In => "must be one of",
        RuleOperator::Gt => "must be above",
        RuleOperator::Gte => "must be at least",
        RuleOperator::Lt => "must be below",
        RuleOperator::Lte => "must be at most",
    };
    let known = match attributes.values(&rule.attribute) {
        [] => "nothing".to_owned(),
        values => values.join(", "),
    };
    let message = format!("The {} {compared} {}; it is {known}.", rule.attribute, rule.values.join(", "));
    NotOffered { personal, ..NotOffered::new(DeliveryUnavailableReason::Rule, message) }
}

/// The attributes of the delivery group that the rules of a shipping option may name, beside its subtotal.
const OF_GROUP: &[&str] = &[attribute::WEIGHT, attribute::QUANTITY];

/// Checks the rules of an option: each must be about something that a cart knows. Paths begin with `rules`.
pub fn check_rules(rules: Rules) -> Result<Rules, Vec<Refusal>> {
    let rules = rules.check(&["rules"])?;
    let unknown = |(place, rule): (usize, &Rule)| {
        let name = rule.attribute.as_str();
        let message = match name.strip_prefix("subtotal") {
            Some(rest) if rest.strip_prefix('.').is_some_and(|code| code.parse::<Currency>().is_ok()) => return None,
            Some(_) => "A subtotal has a currency: name it, such as subtotal.EUR.".to_owned(),
            None if OF_GROUP.iter().chain(crate::rule::attribute::ALL).any(|known| *known == name) => return None,
            None => format!("No cart knows the attribute {name:?}; one of them is {}.", attribute::WEIGHT),
        };
        let at = ["rules".to_owned(), place.to_string(), "attribute".to_owned()];
        Some(Refusal::new(ErrorCode::Invalid, message).at(at))
    };
    let refusals: Vec<Refusal> = rules.0.iter().enumerate().filter_map(unknown).collect();
    if refusals.is_empty() { Ok(rules) } else { Err(refusals) }
}

#[cfg(test)]
mod tests;
