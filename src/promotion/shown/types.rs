//! How what promotions give looks on carts, quotes and orders, and how it explains itself.

use async_graphql::{Enum as GraphqlEnum, ID, SimpleObject};
use chrono::{DateTime, Utc};
use domain::id::PromotionId;
use domain::money::Currency;
use domain::promotion::PromotionClass;
use domain::promotion::outcome::{
    AdjustedRow, Adjustment as Taken, Arithmetic, CodeAnswer, CodeVerdict, Gap, PromotionObstacle,
};
use entity::{cart_code, line_adjustment};

use crate::api::call::Call;
use crate::api::scalar::{Decimal, Int64, Money, id, ppm_to_percent};
use crate::api::word::Enum;
use engine::cart::means::PaidByCard;
use engine::cart::quote::Quote;
use engine::settings::Settings;

/// How the amount of an adjustment was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, GraphqlEnum)]
pub enum AdjustmentKind {
    /// A part of what the units came to, rounded.
    Percentage,
    /// So much off each unit, at most what was left of it.
    EachUnit,
    /// So much off the line or charge, at most what was left of it.
    EachLine,
    /// A share of a discount over several rows, by what was left of each.
    Shared,
    /// A share of the most that may come off, by what would have come off each row.
    Capped,
    /// Each unit costs so much.
    FixedPrice,
    /// For nothing.
    Free,
}

/// How the amount of an adjustment was found. What does not belong to its kind is null.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdjustmentExplanation {
    /// The way.
    pub kind: AdjustmentKind,
    /// The part, in percent.
    pub percent: Option<Decimal>,
    /// What came off each unit, line or charge, or what each unit costs.
    pub each: Option<Money>,
    /// The whole discount of which this is a share.
    pub whole: Option<Money>,
    /// What was left of all the rows that share it, or what would have come off them.
    pub over: Option<Money>,
    /// The same as one English sentence.
    pub message: String,
}

impl AdjustmentExplanation {
    fn new(taken: &Taken, currency: Currency) -> Self {
        let money = |minor| Some(Money::new(minor, currency));
        let message = taken.message(currency);
        let bare = |kind| Self { kind, percent: None, each: None, whole: None, over: None, message: message.clone() };
        match taken.how {
            Arithmetic::Percentage { rate_ppm } => {
                Self { percent: Some(ppm_to_percent(rate_ppm)), ..bare(AdjustmentKind::Percentage) }
            }
            Arithmetic::EachUnit { each_minor } => Self { each: money(each_minor), ..bare(AdjustmentKind::EachUnit) },
            Arithmetic::EachLine { each_minor } => Self { each: money(each_minor), ..bare(AdjustmentKind::EachLine) },
            Arithmetic::FixedPrice { each_minor } => {
                Self { each: money(each_minor), ..bare(AdjustmentKind::FixedPrice) }
            }
            Arithmetic::Shared { whole_minor, over_minor } => {
                Self { whole: money(whole_minor), over: money(over_minor), ..bare(AdjustmentKind::Shared) }
            }
            Arithmetic::Capped { whole_minor, instead_of_minor } => {
                Self { whole: money(whole_minor), over: money(instead_of_minor), ..bare(AdjustmentKind::Capped) }
            }
            Arithmetic::Free => bare(AdjustmentKind::Free),
        }
    }
}

/// What a promotion takes off a line or a shipping charge, in the basis of its price.
#[derive(Debug, Clone, SimpleObject)]
pub struct Adjustment {
    /// The promotion.
    pub promotion_id: ID,
    /// What shoppers read of it; on an order as it was then.
    pub title: String,
    /// The code by which it came; null when it came by itself.
    pub code: Option<String>,
    /// Off how many units.
    pub units: Int64,
    /// What these came to before.
    pub of: Money,
    /// What comes off.
    pub amount: Money,
    /// How that was found.
    pub explanation: AdjustmentExplanation,
}

fn title(settings: &Settings, promotion: PromotionId) -> String {
    settings.promotions.find(promotion).map(|row| row.title.clone()).unwrap_or_default()
}

impl Adjustment {
    fn new(taken: &Taken, title: String, currency: Currency) -> Self {
        Self {
            promotion_id: id(taken.promotion),
            title,
            code: taken.code.clone(),
            units: Int64(taken.units),
            of: Money::new(taken.of_minor, currency),
            amount: Money::new(taken.amount_minor, currency),
            explanation: AdjustmentExplanation::new(taken, currency),
        }
    }

    /// What comes off one row of a cart or quote.
    pub fn of_row(call: &Call, quote: &Quote, row: AdjustedRow) -> Vec<Self> {
        Self::of_row_in(&call.settings, quote, row)
    }

    /// The same where other promotions run than those of the request.
    pub fn of_row_in(settings: &Settings, quote: &Quote, row: AdjustedRow) -> Vec<Self> {
        let currency = quote.rows.cart.currency;
        let taken = quote.outcome.adjustments.iter().filter(|taken| taken.row == row);
        taken.map(|taken| Self::new(taken, title(settings, taken.promotion), currency)).collect()
    }

    /// What came off a row of an order.
    pub fn kept(row: &line_adjustment::Model, currency: Currency) -> Self {
        let taken = Taken {
            promotion: row.promotion_id,
            code: row.code.clone(),
            row: AdjustedRow::Line(row.position),
            units: row.units,
            of_minor: row.of_minor,
            amount_minor: row.amount_minor,
            how: row.explanation,
        };
        Self::new(&taken, row.title.clone(), currency)
    }
}

/// A promotion that gives a cart something.
#[derive(Debug, Clone, SimpleObject)]
pub struct AppliedPromotion {
    /// Its id.
    pub promotion_id: ID,
    /// What shoppers read.
    pub title: String,
    /// The code by which it came; null when it came by itself.
    pub code: Option<String>,
    /// What it takes its money off.
    pub class: Enum<PromotionClass>,
    /// What comes off in all.
    pub amount: Money,
}

impl AppliedPromotion {
    /// Those of a cart or quote.
    pub fn of(call: &Call, quote: &Quote) -> Vec<Self> {
        Self::of_in(&call.settings, quote)
    }

    /// The same where other promotions run than those of the request.
    pub fn of_in(settings: &Settings, quote: &Quote) -> Vec<Self> {
        let applied = quote.outcome.applied.iter().filter(|applied| applied.amount_minor > 0);
        let shown = applied.map(|applied| Self {
            promotion_id: id(applied.promotion),
            title: title(settings, applied.promotion),
            code: applied.code.clone(),
            class: Enum(applied.class),
            amount: Money::new(applied.amount_minor, quote.rows.cart.currency),
        });
        shown.collect()
    }
}

/// A code that was entered, and what became of it.
#[derive(Debug, Clone, SimpleObject)]
pub struct CartCode {
    /// The code, in capitals and without blanks around it; of a gift card only its end, behind `****`. Sent back so
    /// with `cartCodesUpdate`, it stays.
    pub code: String,
    /// What became of it.
    pub verdict: Enum<CodeVerdict>,
    /// What shoppers read of its promotion; null when the shop does not know the code at this moment, and of a gift
    /// card.
    pub title: Option<String>,
    /// What comes off by it; what it pays when it is of a gift card.
    pub amount: Money,
    /// Why its promotion gives nothing; null when it gives something, is not known, or is of a gift card.
    pub reason: Option<Enum<PromotionObstacle>>,
    /// The same as one English sentence.
    pub message: Option<String>,
    /// Where the condition lies that is not met, outermost first; empty when that is not the reason. At most 40 steps.
    pub condition: Vec<String>,
    /// The kind of test that is not met, such as `spend`.
    pub test: Option<String>,
    /// What shoppers read of the promotion that stands in its way.
    pub not_combinable_with: Option<String>,
    /// How much more must be spent until it gives something, when nothing else is in the way.
    pub missing: Option<Money>,
    /// How many more units are needed, when nothing else is in the way.
    pub missing_units: Option<Int64>,
    /// The gift card that the code is of; null for one of a promotion.
    pub gift_card: Option<CartGiftCard>,
}

/// A gift card that pays for a cart.
#[derive(Debug, Clone, SimpleObject)]
pub struct CartGiftCard {
    /// How its code ends.
    pub last_characters: String,
    /// What is on it before it pays; null once it has paid, or somebody has claimed it.
    pub balance: Option<Money>,
    /// Until when it can be spent, exclusive; for ever when null.
    pub expires_at: Option<DateTime<Utc>>,
}

impl CartCode {
    /// Those of a cart or quote, in their order.
    pub fn of(call: &Call, quote: &Quote) -> Vec<Self> {
        Self::of_in(&call.settings, quote)
    }

    /// The same where other promotions run than those of the request.
    pub fn of_in(settings: &Settings, quote: &Quote) -> Vec<Self> {
        let currency = quote.rows.cart.currency;
        let codes = &quote.rows.codes;
        let shown = codes.iter().filter_map(|code| {
            let answer = quote.outcome.codes.iter().find(|answer| answer.position == code.position);
            let of_promotion = || answer.map(|answer| Self::of_promotion(settings, answer, currency));
            let paid = quote.means.of_code(codes, code).map(|paid| Self::of_card(code, &paid, currency));
            paid.or_else(of_promotion)
        });
        shown.collect()
    }

    fn of_card(code: &cart_code::Model, paid: &PaidByCard<'_>, currency: Currency) -> Self {
        Self {
            code: code.code.clone(),
            verdict: Enum(paid.obstacle.map_or(CodeVerdict::Applied, CodeVerdict::from)),
            title: None,
            amount: Money::new(paid.amount_minor, currency),
            reason: None,
            message: None,
            condition: Vec::new(),
            test: None,
            not_combinable_with: None,
            missing: None,
            missing_units: None,
            gift_card: Some(CartGiftCard {
                last_characters: paid.card.last_characters.clone().unwrap_or_default(),
                balance: paid.balance_minor.map(|minor| Money::new(minor, paid.card.currency)),
                expires_at: paid.card.expires_at,
            }),
        }
    }

    fn of_promotion(settings: &Settings, answer: &CodeAnswer, currency: Currency) -> Self {
        // Whoever tries codes learns nothing of those that are not let go.
        let why = answer.why.as_ref().filter(|_| answer.verdict != CodeVerdict::Unknown);
        let gap = why.and_then(|why| why.gap);
        Self {
            code: answer.code.clone(),
            verdict: Enum(answer.verdict),
            title: answer.promotion.map(|promotion| title(settings, promotion)),
            amount: Money::new(answer.amount_minor, currency),
            reason: why.map(|why| Enum(why.obstacle)),
            message: why.map(|why| why.message(currency)),
            condition: why.map(|why| why.condition.clone()).unwrap_or_default(),
            test: why.and_then(|why| why.test.map(str::to_owned)),
            not_combinable_with: why.and_then(|why| why.with).map(|other| title(settings, other)),
            missing: gap.and_then(|gap| match gap {
                Gap::Spend(minor) => Some(Money::new(minor, currency)),
                Gap::Units(_) => None,
            }),
            missing_units: gap.and_then(|gap| match gap {
                Gap::Units(units) => Some(Int64(units)),
                Gap::Spend(_) => None,
            }),
            gift_card: None,
        }
    }
}
