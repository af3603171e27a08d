//! Campaigns: promotions with a time and a budget in common.
//!
//! A budget is refused, never stretched and never paid in part: a promotion
//! whose discount does not fit into what is left gives nothing and says so, for
//! a shopper gets what was promised or is told why not. What a checkout gets of
//! a budget is taken at its Begin and given back by Abandon and cancel.

use serde::{Deserialize, Serialize};

use super::check::{Places, check_amounts, check_window};
use super::offer::Amounts;
use crate::id::CampaignId;
use crate::money::Currency;
use crate::refusal::{ErrorCode, Refusal, Refusals};
use crate::text::title;

/// The most campaigns of a shop.
pub const MAX_CAMPAIGNS: usize = 1_000;

/// How much a campaign may give in all, as a column holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "orm", derive(sea_orm::FromJsonQueryResult))]
#[serde(rename_all = "camelCase")]
pub enum Budget {
    /// So much money, each currency for itself; in a currency that is not named its promotions give nothing.
    Spend(Amounts),
    /// So many uses of its promotions; two of them in one checkout are two.
    Uses(i64),
}

/// A campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// Its id.
    pub id: CampaignId,
    /// Its name for staff.
    pub title: String,
    /// When it starts, inclusive; always when absent.
    pub starts_at: Option<i64>,
    /// When it ends, exclusive; never when absent.
    pub ends_at: Option<i64>,
    /// How much it may give; no bound when absent.
    pub budget: Option<Budget>,
}

/// What has been given out of a budget, with what checkouts under way hold of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Uses of the campaign's promotions.
    pub uses: i64,
    /// Money in the cart's currency, in minor units.
    pub amount_minor: i64,
}

/// Why a budget gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetRefusal {
    /// So much is asked for, and only so much is left: minor units or uses.
    Spent {
        /// What is left, never negative.
        left: i64,
    },
    /// It has no money in this currency.
    OtherCurrency,
}

impl Budget {
    /// What is left: minor units of the currency, or uses. Never negative.
    pub fn left(&self, spent: Spent, currency: Currency) -> Option<i64> {
        let (whole, gone) = match self {
            Self::Spend(amounts) => (amounts.in_currency(currency)?, spent.amount_minor),
            Self::Uses(uses) => (*uses, spent.uses),
        };
        Some(whole.saturating_sub(gone).max(0))
    }

    /// Whether one more use that gives so much fits into it.
    ///
    /// # Errors
    /// Why it doesn't.
    pub fn admits(&self, spent: Spent, currency: Currency, amount_minor: i64) -> Result<(), BudgetRefusal> {
        let left = self.left(spent, currency).ok_or(BudgetRefusal::OtherCurrency)?;
        let asked = match self {
            Self::Spend(_) => amount_minor,
            Self::Uses(_) => 1,
        };
        // A budget of which nothing is left gives nothing, not even a gift that costs nothing.
        if asked > left || left < 1 { Err(BudgetRefusal::Spent { left }) } else { Ok(()) }
    }
}

impl Spent {
    /// With one more use.
    #[must_use]
    pub fn and(self, amount_minor: i64) -> Self {
        Self { uses: self.uses.saturating_add(1), amount_minor: self.amount_minor.saturating_add(amount_minor) }
    }
}

impl Campaign {
    /// Trims it and refuses what can't be, everything at once.
    pub fn check(mut self) -> Result<Self, Vec<Refusal>> {
        let mut refusals = Refusals::default();
        if let Some(title) = refusals.keep(title(&self.title).map_err(|refusal| refusal.at(["title"]))) {
            self.title = title;
        }
        check_window(self.starts_at, self.ends_at, &mut refusals);
        match &self.budget {
            Some(Budget::Uses(uses)) if *uses < 1 => {
                let message = "A budget has at least one use.";
                refusals.push(Refusal::new(ErrorCode::Invalid, message).at(["budget", "uses"]));
            }
            Some(Budget::Spend(amounts)) => {
                check_amounts(amounts, 1, &Places::of(&["budget", "spend"]), &mut refusals);
            }
            _ => {}
        }
        refusals.into_result().map(|()| self)
    }
}
