//! What a promotion gives.

use serde::{Deserialize, Serialize};

use super::PromotionClass;
use super::condition::Items;
use crate::id::{ShippingOptionId, VariantId};
use crate::money::Currency;
use crate::word::words;

words! {
    /// How often a fixed amount comes off.
    pub enum FixedAllocation {
        /// Once for each unit.
        EachUnit = "EACH_UNIT",
        /// Once for each line, or each shipping charge.
        EachLine = "EACH_LINE",
        /// Once, shared by what is left of each line.
        Once = "ONCE",
    }
}

/// An amount of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Amount {
    /// The currency.
    pub currency: Currency,
    /// Minor units.
    pub amount_minor: i64,
}

/// An amount in each of several currencies, for nothing is converted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amounts(pub Vec<Amount>);

impl Amounts {
    /// The amount in a currency, in minor units.
    pub fn in_currency(&self, currency: Currency) -> Option<i64> {
        self.0.iter().find(|amount| amount.currency == currency).map(|amount| amount.amount_minor)
    }
}

/// How much comes off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Reduction {
    /// A part: off each line, rounded there; of an order off the whole, then shared.
    Percentage {
        /// Parts per million: 100000 is 10 %.
        rate_ppm: i32,
        /// At most so much in all; a currency that is not named has no bound.
        #[serde(default)]
        at_most: Amounts,
    },
    /// An amount, in the basis of the price that it comes off.
    Fixed {
        /// How much; it gives nothing in a currency that is not named.
        amounts: Amounts,
        /// How often.
        allocation: FixedAllocation,
    },
    /// Each unit costs so much, in the basis of its own price; what costs less already is left alone.
    FixedPrice {
        /// The price; it gives nothing in a currency that is not named.
        amounts: Amounts,
    },
    /// All of it.
    Free,
}

/// What the money comes off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// The lines that are so.
    Items(Items),
    /// All lines together.
    Order,
    /// The charges of these shipping options; of every one when none is named.
    Shipping(Vec<ShippingOptionId>),
}

/// From where on a tier counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TierStart {
    /// What the target's lines come to, after the discounts before; of order and shipping, all lines.
    Spend(Amounts),
    /// How many units the target's lines have; of order and shipping, all lines.
    Quantity(i32),
}

/// One tier. Of those that are reached the last one counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tier {
    /// From where on it counts.
    pub from: TierStart,
    /// What it gives.
    pub reduction: Reduction,
}

/// Buy so many of these, get so many of those for less. No unit counts twice:
/// one that was bought for it is never given, neither here nor by another promotion of this kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BuyGet {
    /// What must be bought.
    pub buy: Items,
    /// How many of it, each time.
    pub buy_quantity: i32,
    /// What is given.
    pub get: Items,
    /// How many of it at most, each time.
    pub get_quantity: i32,
    /// What comes off each given unit.
    pub reduction: Reduction,
    /// How often in one cart; as often as it is bought when absent.
    #[serde(default)]
    pub at_most_times: Option<i32>,
    /// The dearest units qualify and the cheapest are given; reversed, the dearest are given.
    #[serde(default)]
    pub gives_dearest: bool,
}

/// A variant that comes with the cart for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gift {
    /// Which one.
    pub variant: VariantId,
    /// How many.
    pub quantity: i32,
}

/// What a promotion gives, as a column holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "orm", derive(sea_orm::FromJsonQueryResult))]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Offer {
    /// Money off. Free shipping is [`Reduction::Free`] off [`Target::Shipping`].
    Reduce {
        /// What it comes off.
        target: Target,
        /// How much.
        reduction: Reduction,
    },
    /// The more, the more comes off.
    Tiers {
        /// What it comes off.
        target: Target,
        /// The tiers, the lowest first.
        tiers: Vec<Tier>,
    },
    /// Units for less beside others.
    BuyGet(BuyGet),
    /// Variants for nothing.
    Gifts(Vec<Gift>),
}

impl Target {
    fn class(&self) -> PromotionClass {
        match self {
            Self::Items(_) => PromotionClass::Item,
            Self::Order => PromotionClass::Order,
            Self::Shipping(_) => PromotionClass::Shipping,
        }
    }
}

impl Offer {
    /// What it takes its money off.
    pub fn class(&self) -> PromotionClass {
        match self {
            Self::Reduce { target, .. } | Self::Tiers { target, .. } => target.class(),
            Self::BuyGet(_) | Self::Gifts(_) => PromotionClass::Item,
        }
    }

    /// Every reduction that it may come to.
    pub(super) fn reductions(&self) -> impl Iterator<Item = &Reduction> {
        let (one, tiers): (Option<&Reduction>, &[Tier]) = match self {
            Self::Reduce { reduction, .. } => (Some(reduction), &[]),
            Self::BuyGet(offer) => (Some(&offer.reduction), &[]),
            Self::Tiers { tiers, .. } => (None, tiers),
            Self::Gifts(_) => (None, &[]),
        };
        one.into_iter().chain(tiers.iter().map(|tier| &tier.reduction))
    }

    /// The items that it asks for, each with its place.
    pub(super) fn items(&self) -> Vec<(&'static str, &Items)> {
        match self {
            Self::Reduce { target: Target::Items(items), .. } | Self::Tiers { target: Target::Items(items), .. } => {
                vec![("target", items)]
            }
            Self::BuyGet(offer) => vec![("buy", &offer.buy), ("get", &offer.get)],
            _ => Vec::new(),
        }
    }
}

impl Reduction {
    /// Whether nothing is left of what it comes off.
    pub(super) fn takes_all(&self) -> bool {
        match self {
            Self::Free => true,
            Self::Percentage { rate_ppm, at_most } => *rate_ppm == super::check::WHOLE && at_most.0.is_empty(),
            Self::Fixed { .. } | Self::FixedPrice { .. } => false,
        }
    }

    /// The amounts without which it gives nothing in a currency.
    pub(super) fn needed(&self) -> Option<&Amounts> {
        match self {
            Self::Fixed { amounts, .. } | Self::FixedPrice { amounts } => Some(amounts),
            Self::Percentage { .. } | Self::Free => None,
        }
    }
}
