//! What promotions come to on a cart, and why: each amount, each code and each
//! promotion that gives nothing explains itself.

use serde::{Deserialize, Serialize};

use super::{PromotionClass, PromotionState};
use crate::id::{CampaignId, PromotionId, VariantId};
use crate::ledger::LedgerObstacle;
use crate::money::{Currency, Money, format_decimal};
use crate::totals::TotalsInput;
use crate::word::words;

/// What an amount came off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AdjustedRow {
    /// The line at this stored position.
    Line(i32),
    /// The shipping charge at this stored position.
    Charge(i32),
}

/// How an amount was found, as a column holds it. Orders keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "orm", derive(sea_orm::FromJsonQueryResult))]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Arithmetic {
    /// A part of what the units came to, rounded.
    Percentage {
        /// Parts per million.
        rate_ppm: i32,
    },
    /// So much off each unit, at most what was left of it.
    EachUnit {
        /// Minor units.
        each_minor: i64,
    },
    /// So much off the line or charge, at most what was left of it.
    EachLine {
        /// Minor units.
        each_minor: i64,
    },
    /// A share of a discount over several rows, by what was left of each.
    Shared {
        /// The whole discount.
        whole_minor: i64,
        /// What was left of all the rows.
        over_minor: i64,
    },
    /// A share of the most that may come off, by what would have come off each row.
    Capped {
        /// The most.
        whole_minor: i64,
        /// What would have come off all the rows.
        instead_of_minor: i64,
    },
    /// Each unit costs so much.
    FixedPrice {
        /// Minor units.
        each_minor: i64,
    },
    /// For nothing.
    Free,
}

/// What one promotion takes off one line or shipping charge, in the basis of its price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Adjustment {
    /// Which promotion.
    pub promotion: PromotionId,
    /// By which code.
    pub code: Option<String>,
    /// Off what.
    pub row: AdjustedRow,
    /// Off how many units of it.
    pub units: i64,
    /// What these came to before.
    pub of_minor: i64,
    /// What comes off, above zero and at most [`Adjustment::of_minor`].
    pub amount_minor: i64,
    /// How that was found.
    pub how: Arithmetic,
}

/// A promotion that gives something: one use of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Which promotion.
    pub promotion: PromotionId,
    /// By which code.
    pub code: Option<String>,
    /// What it takes its money off.
    pub class: PromotionClass,
    /// The campaign whose budget pays.
    pub campaign: Option<CampaignId>,
    /// What comes off lines and charges.
    pub amount_minor: i64,
    /// What the budget pays: the same, with gifts that are not in the cart yet.
    pub spent_minor: i64,
    /// The tier that counts, from 0.
    pub tier: Option<usize>,
    /// For buy X get Y, the units that qualify: stored position and number.
    pub bought: Vec<(i32, i64)>,
}

/// A gift that a cart should hold as a line of its own ([`super::facts::LineFacts::gift_of`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GivenGift {
    /// Whose gift it is.
    pub promotion: PromotionId,
    /// The variant.
    pub variant: VariantId,
    /// How many.
    pub quantity: i32,
}

/// How far a cart is from something that a promotion would give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// Which promotion.
    pub promotion: PromotionId,
    /// What it takes its money off.
    pub class: PromotionClass,
    /// Whether it would make shipping free.
    pub free_shipping: bool,
    /// The tier that would be reached, from 0.
    pub tier: Option<usize>,
    /// What is missing.
    pub gap: Gap,
}

/// What is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// So much more to spend, in minor units.
    Spend(i64),
    /// So many more units.
    Units(i64),
}

words! {
    /// Why a promotion gives a cart nothing.
    pub enum PromotionObstacle {
        /// Staff have not let it go yet.
        Draft = "DRAFT",
        /// It is held back.
        Paused = "PAUSED",
        /// It has not started yet.
        Scheduled = "SCHEDULED",
        /// It is over.
        Expired = "EXPIRED",
        /// It was used as often as it may be.
        LimitReached = "LIMIT_REACHED",
        /// This buyer used it as often as he may.
        CustomerLimitReached = "CUSTOMER_LIMIT_REACHED",
        /// The code was used as often as it may be.
        CodeLimitReached = "CODE_LIMIT_REACHED",
        /// The code is over, its promotion is not.
        CodeExpired = "CODE_EXPIRED",
        /// The budget of its campaign is spent, or less is left than it would give.
        BudgetSpent = "BUDGET_SPENT",
        /// Its campaign has no budget in this currency.
        BudgetCurrency = "BUDGET_CURRENCY",
        /// A condition is not met.
        ConditionUnmet = "CONDITION_UNMET",
        /// It names no amount in this currency.
        CurrencyMissing = "CURRENCY_MISSING",
        /// Nothing in the cart is what it is for.
        NoItem = "NO_ITEM",
        /// There is nothing that could come off.
        NothingLeft = "NOTHING_LEFT",
        /// Too little is bought of what must be.
        TooFewBought = "TOO_FEW_BOUGHT",
        /// Nothing is in the cart that could be given.
        NothingToGive = "NOTHING_TO_GIVE",
        /// Its lowest tier is not reached.
        TierNotReached = "TIER_NOT_REACHED",
        /// A gift can't be had.
        GiftUnavailable = "GIFT_UNAVAILABLE",
        /// Nothing is delivered.
        NothingShipped = "NOTHING_SHIPPED",
        /// No delivery is chosen yet: it counts as soon as one is.
        DeliveryMissing = "DELIVERY_MISSING",
        /// Another promotion stands, and the two don't combine.
        NotCombinable = "NOT_COMBINABLE",
    }
}

/// Why a promotion gives a cart nothing, with what is worth knowing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotApplied {
    /// What clients branch on.
    pub obstacle: PromotionObstacle,
    /// The condition that is not met: its place in the tree, outermost first, as it is spelled in JSON.
    pub condition: Vec<String>,
    /// The name of the test that failed, when it is one alone.
    pub test: Option<&'static str>,
    /// The promotion that stands in its way.
    pub with: Option<PromotionId>,
    /// What is missing, when nothing else is in the way.
    pub gap: Option<Gap>,
}

impl NotApplied {
    /// For a reason that needs no words.
    pub fn new(obstacle: PromotionObstacle) -> Self {
        Self { obstacle, condition: Vec::new(), test: None, with: None, gap: None }
    }

    pub(super) fn lacking(obstacle: PromotionObstacle, gap: Gap) -> Self {
        Self { gap: Some(gap), ..Self::new(obstacle) }
    }

    pub(super) fn beside(other: PromotionId) -> Self {
        Self { with: Some(other), ..Self::new(PromotionObstacle::NotCombinable) }
    }

    /// Why a promotion in this state gives nothing; `None` when it is active.
    pub(super) fn by_state(state: PromotionState) -> Option<Self> {
        let obstacle = match state {
            PromotionState::Active => return None,
            PromotionState::Draft => PromotionObstacle::Draft,
            PromotionState::Paused => PromotionObstacle::Paused,
            PromotionState::Scheduled => PromotionObstacle::Scheduled,
            PromotionState::Expired => PromotionObstacle::Expired,
        };
        Some(Self::new(obstacle))
    }

    /// One English sentence for the developer.
    pub fn message(&self, currency: Currency) -> String {
        use PromotionObstacle as O;
        let plain = match self.obstacle {
            O::Draft => "It is a draft.",
            O::Paused => "It is paused.",
            O::Scheduled => "It has not started yet.",
            O::Expired => "It is over.",
            O::LimitReached => "It was used as often as it may be.",
            O::CustomerLimitReached => "This buyer used it as often as he may.",
            O::CodeLimitReached => "The code was used as often as it may be.",
            O::CodeExpired => "The code is over.",
            O::BudgetSpent => "The budget of its campaign does not pay it any more.",
            O::BudgetCurrency => "Its campaign has no budget in this currency.",
            O::ConditionUnmet => "A condition is not met",
            O::CurrencyMissing => "It names no amount in this currency.",
            O::NoItem => "Nothing in the cart is what it is for.",
            O::NothingLeft => "There is nothing that could come off.",
            O::TooFewBought => "Too little is bought of what must be",
            O::NothingToGive => "Nothing is in the cart that could be given.",
            O::TierNotReached => "Its lowest tier is not reached",
            O::GiftUnavailable => "A gift can't be had.",
            O::NothingShipped => "Nothing is delivered.",
            O::DeliveryMissing => "It counts as soon as a delivery is chosen.",
            O::NotCombinable => "It does not combine with another promotion that stands.",
        };
        if plain.ends_with('.') {
            return plain.to_owned();
        }
        let test = self.test.map(|test| format!(": {test}")).unwrap_or_default();
        match self.gap {
            Some(Gap::Spend(minor)) => format!("{plain}{test}: {} more must be spent.", Money::new(minor, currency)),
            Some(Gap::Units(units)) => format!("{plain}{test}: {units} more are needed."),
            None => format!("{plain}{test}."),
        }
    }
}

words! {
    /// What became of a code.
    pub enum CodeVerdict {
        /// Its promotion gives something, or its gift card pays.
        Applied = "APPLIED",
        /// Its promotion will give something once a delivery is chosen.
        Waiting = "WAITING",
        /// There is no such code, or it is not valid yet or at this moment.
        Unknown = "UNKNOWN",
        /// Its time is over.
        Expired = "EXPIRED",
        /// It was used as often as it may be, by everybody or by this buyer, or its budget is spent.
        LimitReached = "LIMIT_REACHED",
        /// A condition is not met; the answer says which.
        ConditionUnmet = "CONDITION_UNMET",
        /// Nothing in this cart is what it is for, or nothing of it is left to take off.
        NothingToDiscount = "NOTHING_TO_DISCOUNT",
        /// It does not combine with another promotion that stands; the answer names it.
        NotCombinable = "NOT_COMBINABLE",
        /// Another code of the same promotion, or the same gift card, stands before it.
        AlreadyEntered = "ALREADY_ENTERED",
        /// The shop has frozen the gift card.
        Frozen = "FROZEN",
        /// The gift card is in another currency than the cart.
        OtherCurrency = "OTHER_CURRENCY",
        /// Nothing is left on the gift card.
        Empty = "EMPTY",
        /// What stands before the gift card pays everything already that cards may pay: they buy no other cards.
        NotNeeded = "NOT_NEEDED",
    }
}

impl From<PromotionObstacle> for CodeVerdict {
    fn from(obstacle: PromotionObstacle) -> Self {
        use PromotionObstacle as O;
        match obstacle {
            // Whoever tries codes does not learn what is being prepared.
            O::Draft | O::Paused | O::Scheduled => Self::Unknown,
            O::Expired | O::CodeExpired => Self::Expired,
            O::LimitReached | O::CustomerLimitReached | O::CodeLimitReached | O::BudgetSpent => Self::LimitReached,
            O::ConditionUnmet | O::TierNotReached | O::TooFewBought => Self::ConditionUnmet,
            O::BudgetCurrency | O::CurrencyMissing | O::NoItem | O::NothingLeft => Self::NothingToDiscount,
            O::NothingToGive | O::GiftUnavailable | O::NothingShipped => Self::NothingToDiscount,
            O::DeliveryMissing => Self::Waiting,
            O::NotCombinable => Self::NotCombinable,
        }
    }
}

impl From<LedgerObstacle> for CodeVerdict {
    fn from(obstacle: LedgerObstacle) -> Self {
        match obstacle {
            LedgerObstacle::Frozen => Self::Frozen,
            LedgerObstacle::Expired => Self::Expired,
            LedgerObstacle::OtherCurrency => Self::OtherCurrency,
            LedgerObstacle::Empty => Self::Empty,
            LedgerObstacle::NotNeeded => Self::NotNeeded,
            LedgerObstacle::Duplicate => Self::AlreadyEntered,
        }
    }
}

/// What became of a code that was entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeAnswer {
    /// Its stored position.
    pub position: i32,
    /// The code.
    pub code: String,
    /// What became of it.
    pub verdict: CodeVerdict,
    /// Its promotion; absent when the shopper is told of none.
    pub promotion: Option<PromotionId>,
    /// Why it gives nothing.
    pub why: Option<NotApplied>,
    /// What comes off by it.
    pub amount_minor: i64,
}

/// What promotions come to on a cart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The promotions that give something, in the order in which they came.
    pub applied: Vec<Applied>,
    /// What comes off, in the same order and then by position.
    pub adjustments: Vec<Adjustment>,
    /// The codes that were entered, by position.
    pub codes: Vec<CodeAnswer>,
    /// The automatic promotions, and those of codes, that give nothing, by rank.
    pub not_applied: Vec<(PromotionId, NotApplied)>,
    /// The gifts that the cart should hold. A line that is the gift of a promotion and not among these has to go.
    pub gifts: Vec<GivenGift>,
    /// What more would be given, the nearest first among those of one class.
    pub missing: Vec<Missing>,
}

impl Outcome {
    /// What comes off a line or charge, in the basis of its price.
    pub fn discount_of(&self, row: AdjustedRow) -> i64 {
        self.adjustments
            .iter()
            .filter(|adjustment| adjustment.row == row)
            .map(|adjustment| adjustment.amount_minor)
            .sum()
    }

    /// What comes off in all.
    pub fn discount(&self) -> i64 {
        self.adjustments.iter().map(|adjustment| adjustment.amount_minor).sum()
    }

    /// Puts the discounts into what the calculator is asked. Positions are those of the facts.
    pub fn enter(&self, totals: &mut TotalsInput) {
        for line in &mut totals.lines {
            line.discount_minor = self.discount_of(AdjustedRow::Line(line.position));
        }
        for charge in &mut totals.shipping {
            charge.discount_minor = self.discount_of(AdjustedRow::Charge(charge.position));
        }
    }

    /// Why a promotion gives nothing; `None` when it does or was not looked at.
    pub fn why_not(&self, promotion: PromotionId) -> Option<&NotApplied> {
        self.not_applied.iter().find(|(id, _)| *id == promotion).map(|(_, why)| why)
    }

    /// How much more must be spent until shipping is free: the least of all ways to it.
    pub fn missing_to_free_shipping(&self) -> Option<i64> {
        let spends =
            self.missing.iter().filter(|missing| missing.free_shipping).filter_map(|missing| match missing.gap {
                Gap::Spend(minor) => Some(minor),
                Gap::Units(_) => None,
            });
        spends.min()
    }
}

/// Parts per million as percent, without needless decimals.
fn percent(rate_ppm: i32) -> String {
    let text = format_decimal(rate_ppm.into(), 4);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Adjustment {
    /// How the amount was found, as one English sentence.
    pub fn message(&self, currency: Currency) -> String {
        let money = |minor| Money::new(minor, currency);
        let (of, amount) = (money(self.of_minor), money(self.amount_minor));
        let units = if self.units == 1 { "1 unit".to_owned() } else { format!("{} units", self.units) };
        match self.how {
            Arithmetic::Percentage { rate_ppm } => format!("{} % of {of} is {amount}.", percent(rate_ppm)),
            Arithmetic::EachUnit { each_minor } => {
                format!("{} off each of {units}, which came to {of}: {amount}.", money(each_minor))
            }
            Arithmetic::EachLine { each_minor } => format!("{} off {of}: {amount}.", money(each_minor)),
            Arithmetic::Shared { whole_minor, over_minor } => {
                let (whole, over) = (money(whole_minor), money(over_minor));
                format!("{amount} of {whole} off {over}, for the {of} that it holds of them.")
            }
            Arithmetic::Capped { whole_minor, instead_of_minor } => {
                let (whole, instead) = (money(whole_minor), money(instead_of_minor));
                format!("{amount} of the {whole} that come off at most, in place of {instead}.")
            }
            Arithmetic::FixedPrice { each_minor } => {
                format!("{units} at {} each in place of {of}: {amount} off.", money(each_minor))
            }
            Arithmetic::Free => format!("{of} for nothing."),
        }
    }
}
