//! Which of a variant's prices applies (DESIGN section 6, "price choice"), and why.
//!
//! A price is a base price or stands in a [`PriceList`]. Listing, product, cart
//! and order choose by [`choose`]; what staff and shoppers read as the reason is
//! [`explain`], which asks the same questions. [`history`] answers what the
//! lowest price of the last days was, [`check`] what may be entered, [`sheet`] how it
//! stands in a file, [`kept`] what an order remembers of it.
//!
//! Moments are microseconds since 1970, UTC.

pub mod check;
pub mod history;
pub mod kept;
pub mod sheet;

use std::cmp::Reverse;

use crate::id::{PriceId, PriceListId};
use crate::money::{Currency, divide_rounded};
use crate::rule::{Attributes, Rule, Rules};
use crate::word::words;

const MILLION: i128 = 1_000_000;

words! {
    /// What a price list does to the prices beside it.
    pub enum PriceListKind {
        /// Its prices count only where they are lower.
        Sale = "SALE",
        /// Its prices stand in the place of the others, also where they are higher.
        Override = "OVERRIDE",
    }
}

words! {
    /// Whether staff have let a price list go.
    pub enum PriceListStatus {
        /// Its prices count nowhere.
        Draft = "DRAFT",
        /// Its prices count from its start to its end.
        Active = "ACTIVE",
    }
}

words! {
    /// Where a price list is at a moment.
    pub enum PriceListState {
        /// Its prices count nowhere.
        Draft = "DRAFT",
        /// It has not started yet.
        Scheduled = "SCHEDULED",
        /// Its prices count.
        Running = "RUNNING",
        /// It is over.
        Ended = "ENDED",
    }
}

/// Prices that belong together: a sale, or what some shoppers pay instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceList {
    /// Its id.
    pub id: PriceListId,
    /// What it does to other prices.
    pub kind: PriceListKind,
    /// Whether staff have let it go.
    pub status: PriceListStatus,
    /// When it starts, inclusive; always when absent.
    pub starts_at: Option<i64>,
    /// When it ends, exclusive; never when absent.
    pub ends_at: Option<i64>,
    /// Among lists of which several have a price the highest counts.
    pub priority: i32,
    /// For whom it is.
    pub rules: Rules,
}

impl PriceList {
    /// Where it is at a moment.
    pub fn state(&self, now: i64) -> PriceListState {
        match self.status {
            PriceListStatus::Draft => PriceListState::Draft,
            PriceListStatus::Active if self.ends_at.is_some_and(|end| end <= now) => PriceListState::Ended,
            PriceListStatus::Active if self.starts_at.is_some_and(|start| now < start) => PriceListState::Scheduled,
            PriceListStatus::Active => PriceListState::Running,
        }
    }

    /// Whether it runs at a moment and is for this buyer.
    pub fn serves(&self, now: i64, attributes: &Attributes) -> bool {
        self.state(now) == PriceListState::Running && self.rules.are_met(attributes)
    }
}

/// A price of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Breaks the last tie.
    pub id: PriceId,
    /// What the amount is in.
    pub currency: Currency,
    /// The price of one unit, in minor units.
    pub amount_minor: i64,
    /// Whether the amount holds its tax.
    pub includes_tax: bool,
    /// The price to strike through, in minor units and the same basis.
    pub compare_at_minor: Option<i64>,
    /// The first quantity of the tier, inclusive; none is 1.
    pub min_quantity: Option<i32>,
    /// The last quantity of the tier, inclusive; none is no end.
    pub max_quantity: Option<i32>,
    /// The list that it stands in; a base price when absent.
    pub list: Option<PriceListId>,
    /// For whom it is: the more rules, the more it was meant for this buyer.
    pub rules: Rules,
}

impl Candidate {
    fn first_quantity(&self) -> i32 {
        self.min_quantity.unwrap_or(1)
    }

    fn serves(&self, quantity: i32) -> bool {
        self.first_quantity() <= quantity && self.max_quantity.is_none_or(|max| quantity <= max)
    }
}

/// Who wants to know a price, how much of it, and when.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'s> {
    /// The currency to pay in.
    pub currency: Currency,
    /// How many pieces.
    pub quantity: i32,
    /// What is known of the buyer.
    pub attributes: &'s Attributes,
    /// Every list that might count, in any order and state.
    pub lists: &'s [PriceList],
    /// The moment.
    pub now: i64,
    /// The region's default rate in parts per million: an inclusive amount holds
    /// it where amounts of unlike basis are compared.
    pub default_rate_ppm: i32,
}

/// The price that applies, and what it stands in place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice<'c> {
    /// The price.
    pub price: &'c Candidate,
    /// The list that it stands in.
    pub list: Option<&'c PriceList>,
    /// What would apply without that list.
    pub instead_of: Option<&'c Candidate>,
}

words! {
    /// What became of a price when one was chosen.
    pub enum PriceVerdict {
        /// It applies.
        Chosen = "CHOSEN",
        /// It is in another currency.
        OtherCurrency = "OTHER_CURRENCY",
        /// It is for another quantity.
        OtherQuantity = "OTHER_QUANTITY",
        /// A rule of it is not met.
        RuleUnmet = "RULE_UNMET",
        /// Its list is a draft.
        ListDraft = "LIST_DRAFT",
        /// Its list has not started yet.
        ListScheduled = "LIST_SCHEDULED",
        /// Its list is over.
        ListEnded = "LIST_ENDED",
        /// A rule of its list is not met.
        ListRuleUnmet = "LIST_RULE_UNMET",
        /// It is a sale price and not lower than what applies without it.
        NotLower = "NOT_LOWER",
        /// It stands in place of this one: a list of higher priority, more rules, a higher tier or a lower amount.
        Outranked = "OUTRANKED",
    }
}

/// A price with what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weighed<'c> {
    /// The price.
    pub price: &'c Candidate,
    /// The list that it stands in.
    pub list: Option<&'c PriceList>,
    /// What became of it.
    pub verdict: PriceVerdict,
    /// The rule that is not met, when that is the reason.
    pub unmet: Option<&'c Rule>,
}

type Eligible<'c> = Result<Option<&'c PriceList>, (Option<&'c PriceList>, PriceVerdict, Option<&'c Rule>)>;

impl<'s> Situation<'s> {
    /// Whether a price counts here at all, and by which list.
    fn admits<'c>(&self, price: &'c Candidate) -> Eligible<'c>
    where
        's: 'c,
    {
        let list = match price.list {
            // A list that nobody knows any more has been deleted.
            Some(id) => match self.lists.iter().find(|list| list.id == id) {
                Some(list) => Some(list),
                None => return Err((None, PriceVerdict::ListDraft, None)),
            },
            None => None,
        };
        if price.currency != self.currency {
            return Err((list, PriceVerdict::OtherCurrency, None));
        }
        if let Some(list) = list {
            let verdict = match list.state(self.now) {
                PriceListState::Running => None,
                PriceListState::Draft => Some(PriceVerdict::ListDraft),
                PriceListState::Scheduled => Some(PriceVerdict::ListScheduled),
                PriceListState::Ended => Some(PriceVerdict::ListEnded),
            };
            if let Some(verdict) = verdict {
                return Err((Some(list), verdict, None));
            }
            if let Some(rule) = list.rules.first_unmet(self.attributes) {
                return Err((Some(list), PriceVerdict::ListRuleUnmet, Some(rule)));
            }
        }
        if let Some(rule) = price.rules.first_unmet(self.attributes) {
            return Err((list, PriceVerdict::RuleUnmet, Some(rule)));
        }
        if !price.serves(self.quantity) {
            return Err((list, PriceVerdict::OtherQuantity, None));
        }
        Ok(list)
    }

    /// Net amounts compare as amounts that hold no tax times (1 + rate): no division, no rounding.
    fn weight(&self, price: &Candidate) -> i128 {
        let rate = if price.includes_tax { 0 } else { i128::from(self.default_rate_ppm) };
        i128::from(price.amount_minor) * (MILLION + rate)
    }

    /// What comes first is chosen: the answer never depends on the order of the prices.
    fn rank(&self, price: &Candidate, list: Option<&PriceList>) -> impl Ord + use<> {
        (
            Reverse(list.map_or(0, |list| list.priority)),
            Reverse(price.rules.0.len()),
            Reverse(price.first_quantity()),
            self.weight(price),
            price.id,
        )
    }

    /// An amount of one price's basis in another's, so that both can stand side by side.
    fn in_basis(&self, minor: i64, includes_tax: bool, wanted: bool) -> i64 {
        let gross = MILLION + i128::from(self.default_rate_ppm);
        match (includes_tax, wanted) {
            (true, false) => divide_rounded(i128::from(minor) * MILLION, gross),
            (false, true) => divide_rounded(i128::from(minor) * gross, MILLION),
            _ => minor,
        }
    }
}

/// The price that applies, or `None` when there is none.
///
/// Base: most rules, then the highest minimum quantity, then the lowest amount,
/// then the lowest id. Lists: highest priority, then the same order; an
/// `OVERRIDE` stands in place of the base, a `SALE` wins only where it is lower
/// than what applies without it, and an override of higher priority is out of its
/// reach.
pub fn choose<'c>(prices: &'c [Candidate], situation: &Situation<'c>) -> Option<Choice<'c>> {
    choose_of(prices, situation)
}

/// The same of prices that don't stand together.
fn choose_of<'c>(prices: impl IntoIterator<Item = &'c Candidate>, situation: &Situation<'c>) -> Option<Choice<'c>> {
    let (mut base, mut over, mut sale) = (None, None, None);
    for price in prices {
        let Ok(list) = situation.admits(price) else { continue };
        let best = match list.map(|list| list.kind) {
            None => &mut base,
            Some(PriceListKind::Override) => &mut over,
            Some(PriceListKind::Sale) => &mut sale,
        };
        let ranks_first =
            |known: &(&Candidate, Option<&PriceList>)| situation.rank(price, list) < situation.rank(known.0, known.1);
        if best.as_ref().is_none_or(ranks_first) {
            *best = Some((price, list));
        }
    }
    let base_price = base.map(|(price, _)| price);
    let standing = over.or(base);
    let (price, list) = match (standing, sale) {
        (None, sale) => sale?,
        (Some(standing), None) => standing,
        (Some(standing), Some(sale)) => {
            let priority = |(_, list): (_, Option<&PriceList>)| list.map(|list| list.priority);
            let hidden = over.is_some_and(|over| priority(over) > priority(sale));
            let lower = situation.weight(sale.0) < situation.weight(standing.0);
            if !hidden && lower { sale } else { standing }
        }
    };
    let instead_of = match list.map(|list| list.kind) {
        None => None,
        Some(PriceListKind::Override) => base_price,
        Some(PriceListKind::Sale) => standing.map(|(price, _)| price),
    };
    Some(Choice { price, list, instead_of })
}

impl Choice<'_> {
    /// The price to strike through, in minor units and the basis of the price
    /// itself; shown only when it is higher. It is the compare-at price that
    /// was entered, else what a list's price stands in place of.
    pub fn compare_at(&self, situation: &Situation<'_>) -> Option<i64> {
        let price = self.price;
        let replaced = self.instead_of.map(|other| {
            let before = other.compare_at_minor.unwrap_or_default().max(other.amount_minor);
            situation.in_basis(before, other.includes_tax, price.includes_tax)
        });
        price.compare_at_minor.or(replaced).filter(|minor| *minor > price.amount_minor)
    }
}

/// Every price with what became of it, the chosen one first, in the order in
/// which they would have been chosen.
pub fn explain<'c>(prices: &'c [Candidate], situation: &Situation<'c>) -> Vec<Weighed<'c>> {
    let chosen = choose(prices, situation);
    let weigh = |price: &'c Candidate| match situation.admits(price) {
        Err((list, verdict, unmet)) => Weighed { price, list, verdict, unmet },
        Ok(list) => {
            let verdict = match chosen {
                Some(chosen) if chosen.price.id == price.id => PriceVerdict::Chosen,
                Some(chosen)
                    if list.is_some_and(|list| list.kind == PriceListKind::Sale)
                        && situation.weight(price) >= situation.weight(chosen.price) =>
                {
                    PriceVerdict::NotLower
                }
                _ => PriceVerdict::Outranked,
            };
            Weighed { price, list, verdict, unmet: None }
        }
    };
    let mut all: Vec<Weighed<'c>> = prices.iter().map(weigh).collect();
    all.sort_by_cached_key(|one| {
        let counts = matches!(one.verdict, PriceVerdict::NotLower | PriceVerdict::Outranked);
        let place = if one.verdict == PriceVerdict::Chosen { 0 } else { 2 - i32::from(counts) };
        (place, situation.rank(one.price, one.list))
    });
    all
}

#[cfg(test)]
mod tests;
