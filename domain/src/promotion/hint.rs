//! Hints for staff: promotions that can never count, and automatic ones of which
//! always one keeps out the other. A hint forbids nothing; where nothing is found
//! nothing is proven.

use std::collections::HashMap;

use super::campaign::{Budget, Campaign};
use super::condition::{CartTest, ItemTest, Tree};
use super::offer::{Amounts, Offer, Reduction, Target};
use super::{Promotion, PromotionClass, PromotionMethod, PromotionState};
use crate::collection::PriceRange;
use crate::id::{CampaignId, PromotionId};
use crate::money::Currency;
use crate::rule::{Rule, RuleOperator, attribute};
use crate::word::words;

words! {
    /// Why a promotion can never count.
    pub enum NeverReason {
        /// No cart meets its conditions.
        Conditions = "CONDITIONS",
        /// No item is what it is for.
        Items = "ITEMS",
        /// It does not run while its campaign does.
        Window = "WINDOW",
        /// It names no amount in a currency in which its conditions are met and its budget pays.
        Currency = "CURRENCY",
        /// An automatic promotion of higher rank counts wherever it would, and the two don't combine.
        KeptOut = "KEPT_OUT",
    }
}

words! {
    /// What staff hardly want of a promotion.
    pub enum HintCode {
        /// It can never count: no cart meets its conditions.
        NeverConditions = "NEVER_CONDITIONS",
        /// It can never count: no item is what it is for.
        NeverItems = "NEVER_ITEMS",
        /// It can never count: it does not run while its campaign does.
        NeverWindow = "NEVER_WINDOW",
        /// It can never count: it names no amount in a currency in which its conditions are met and its budget pays.
        NeverCurrency = "NEVER_CURRENCY",
        /// It can never count: an automatic promotion of higher rank counts wherever it would, and the two don't combine.
        NeverKeptOut = "NEVER_KEPT_OUT",
        /// The other one can never count, because this one counts wherever it would.
        KeepsOut = "KEEPS_OUT",
        /// Both are automatic and don't combine: where both would count this one stays.
        Stays = "STAYS",
        /// Both are automatic and don't combine: where both would count the other one stays.
        Yields = "YIELDS",
    }
}

/// Something about promotions that staff hardly want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// It can never count.
    Never {
        /// Which one.
        promotion: PromotionId,
        /// Why.
        why: NeverReason,
        /// The one that keeps it out.
        by: Option<PromotionId>,
    },
    /// Both are automatic, may meet in one cart and don't combine.
    Exclude {
        /// The one that stays.
        stays: PromotionId,
        /// The one that is kept out.
        yields: PromotionId,
    },
}

impl Hint {
    /// Whether it is about a promotion, or about another one because of it.
    fn names(&self, id: PromotionId) -> bool {
        match self {
            Self::Never { promotion, by, .. } => *promotion == id || *by == Some(id),
            Self::Exclude { stays, yields } => *stays == id || *yields == id,
        }
    }

    /// What it says of one of the promotions that it names.
    pub fn code(&self, of: PromotionId) -> HintCode {
        match self {
            Self::Never { promotion, .. } if *promotion != of => HintCode::KeepsOut,
            Self::Never { why, .. } => match why {
                NeverReason::Conditions => HintCode::NeverConditions,
                NeverReason::Items => HintCode::NeverItems,
                NeverReason::Window => HintCode::NeverWindow,
                NeverReason::Currency => HintCode::NeverCurrency,
                NeverReason::KeptOut => HintCode::NeverKeptOut,
            },
            Self::Exclude { stays, .. } if *stays == of => HintCode::Stays,
            Self::Exclude { .. } => HintCode::Yields,
        }
    }

    /// The other promotion that it names.
    pub fn other(&self, of: PromotionId) -> Option<PromotionId> {
        match self {
            Self::Never { promotion, .. } if *promotion != of => Some(*promotion),
            Self::Never { by, .. } => *by,
            Self::Exclude { stays, yields } => Some(if *stays == of { *yields } else { *stays }),
        }
    }
}

impl HintCode {
    /// The hint as one English sentence; `other` is the title of the other promotion.
    pub fn message(self, other: &str) -> String {
        match self {
            Self::NeverConditions => "No cart meets its conditions: they are at odds with each other.".to_owned(),
            Self::NeverItems => "No item is what it is for: its tests of items are at odds with each other.".to_owned(),
            Self::NeverWindow => "It never runs: it ends before it starts, or before its campaign does.".to_owned(),
            Self::NeverCurrency => {
                "It names no amount in a currency in which its conditions are met and its budget pays.".to_owned()
            }
            Self::NeverKeptOut => format!("It never counts: {other:?} counts wherever it would, and comes first."),
            Self::KeepsOut => format!("It keeps out {other:?} wherever that would count."),
            Self::Stays => format!("Where both would count it stays, and {other:?} gives nothing."),
            Self::Yields => format!("Where both would count {other:?} stays, and it gives nothing."),
        }
    }
}

/// Everything to be said about promotions that are not over, by rank.
pub fn hints(promotions: &[Promotion], campaigns: &[Campaign], now: i64) -> Vec<Hint> {
    sought(promotions, campaigns, now, None)
}

/// The hints that name one of them: it alone is put beside each of the others.
pub fn hints_of(id: PromotionId, promotions: &[Promotion], campaigns: &[Campaign], now: i64) -> Vec<Hint> {
    let mut hints = sought(promotions, campaigns, now, Some(id));
    hints.retain(|hint| hint.names(id));
    hints
}

fn sought(promotions: &[Promotion], campaigns: &[Campaign], now: i64, about: Option<PromotionId>) -> Vec<Hint> {
    let campaigns: HashMap<CampaignId, &Campaign> = campaigns.iter().map(|campaign| (campaign.id, campaign)).collect();
    let campaign = |promotion: &Promotion| promotion.campaign.and_then(|id| campaigns.get(&id).copied());
    let mut known: Vec<(&Promotion, Option<&Campaign>)> =
        promotions.iter().map(|promotion| (promotion, campaign(promotion))).collect();
    known.retain(|(promotion, campaign)| promotion.state(*campaign, now) != PromotionState::Expired);
    known.sort_by_cached_key(|(promotion, _)| promotion.rank());
    let mut hints = Vec::new();
    let mut possible: Vec<(&Promotion, Option<&Campaign>)> = Vec::new();
    for (promotion, campaign) in known {
        let id = promotion.id;
        if let Some(why) = never(promotion, campaign) {
            hints.push(Hint::Never { promotion: id, why, by: None });
            continue;
        }
        // Of higher rank, so each of them stays where both would count.
        let meets = |(other, of): &&(&Promotion, Option<&Campaign>)| {
            about.is_none_or(|about| about == id || about == other.id)
                && !promotion.combines(other)
                && other.method == PromotionMethod::Automatic
                && window(other, *of).meets(window(promotion, campaign))
                && !impossible(&[&promotion.conditions.0, &other.conditions.0])
        };
        let others: Vec<_> = possible.iter().filter(meets).collect();
        let keeper = others.iter().find(|(other, of)| {
            let whenever = window(other, *of).covers(window(promotion, campaign));
            whenever && needs_discountable(promotion) && counts_everywhere(other, *of) && {
                // Nobody may keep out the keeper and let this one stand.
                possible.iter().take_while(|(one, _)| one.id != other.id).all(|(one, _)| one.combines(other))
            }
        });
        if let Some((other, _)) = keeper {
            hints.push(Hint::Never { promotion: id, why: NeverReason::KeptOut, by: Some(other.id) });
        } else if promotion.method == PromotionMethod::Automatic {
            hints.extend(others.iter().map(|(other, _)| Hint::Exclude { stays: other.id, yields: id }));
        }
        possible.push((promotion, campaign));
    }
    hints
}

/// When something runs, from a moment and until before another.
#[derive(Debug, Clone, Copy)]
struct Window {
    from: i64,
    until: i64,
}

impl Window {
    fn new(from: Option<i64>, until: Option<i64>) -> Self {
        Self { from: from.unwrap_or(i64::MIN), until: until.unwrap_or(i64::MAX) }
    }

    fn within(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), until: self.until.min(other.until) }
    }

    fn meets(self, other: Self) -> bool {
        let both = self.within(other);
        both.from < both.until
    }

    fn covers(self, other: Self) -> bool {
        self.from <= other.from && other.until <= self.until
    }
}

fn window(promotion: &Promotion, campaign: Option<&Campaign>) -> Window {
    let own = Window::new(promotion.starts_at, promotion.ends_at);
    campaign.map_or(own, |campaign| own.within(Window::new(campaign.starts_at, campaign.ends_at)))
}

fn never(promotion: &Promotion, campaign: Option<&Campaign>) -> Option<NeverReason> {
    let window = window(promotion, campaign);
    if impossible(&[&promotion.conditions.0]) {
        Some(NeverReason::Conditions)
    } else if promotion.offer.items().iter().any(|(_, items)| impossible(&[*items])) {
        Some(NeverReason::Items)
    } else if window.from >= window.until {
        Some(NeverReason::Window)
    } else if !has_currency(promotion, campaign) {
        Some(NeverReason::Currency)
    } else {
        None
    }
}

/// Whether there is a currency in which it gives something.
fn has_currency(promotion: &Promotion, campaign: Option<&Campaign>) -> bool {
    let mut bounds: Vec<Vec<Currency>> = Vec::new();
    let named = |amounts: &Amounts| amounts.0.iter().map(|amount| amount.currency).collect::<Vec<_>>();
    if let Some(Budget::Spend(amounts)) = campaign.and_then(|campaign| campaign.budget.as_ref()) {
        bounds.push(named(amounts));
    }
    let (known, _) = literals(&[&promotion.conditions.0]);
    for (holds, test) in known {
        match test {
            CartTest::Currency(currencies) if holds => bounds.push(currencies.clone()),
            CartTest::Spend { ranges, .. } if holds => {
                bounds.push(ranges.iter().map(|range| range.currency).collect());
            }
            _ => {}
        }
    }
    // One reduction that gives something is enough.
    promotion.offer.reductions().count() == 0
        || promotion.offer.reductions().any(|reduction| {
            let own = reduction.needed().map(named);
            let mut lists = bounds.iter().chain(own.iter());
            let Some(first) = lists.next() else { return true };
            let rest: Vec<_> = lists.collect();
            first.iter().any(|currency| rest.iter().all(|list| list.contains(currency)))
        })
}

/// Whether it gives nothing where nothing can be discounted.
fn needs_discountable(promotion: &Promotion) -> bool {
    promotion.class() != PromotionClass::Shipping && !matches!(promotion.offer, Offer::Gifts(_))
}

/// Whether it takes something off every cart in which anything can be discounted.
fn counts_everywhere(promotion: &Promotion, campaign: Option<&Campaign>) -> bool {
    let unbounded = promotion.limits == super::Limits::default()
        && promotion.conditions.0 == Tree::default()
        && campaign.is_none_or(|campaign| campaign.budget.is_none());
    let reaches_all = match &promotion.offer {
        Offer::Reduce { target, reduction } => {
            let everything = match target {
                Target::Items(items) => *items == Tree::default(),
                Target::Order => true,
                Target::Shipping(_) => false,
            };
            // A small part of a small price may round to nothing; a tenth of anything worth selling does not.
            let always = matches!(reduction, Reduction::Free)
                || matches!(reduction, Reduction::Percentage { rate_ppm, .. } if *rate_ppm >= 100_000);
            everything && always
        }
        _ => false,
    };
    unbounded && reaches_all
}

/// Tests that may be at odds with each other.
trait AtOdds: PartialEq {
    /// Whether nothing meets both.
    fn excludes(&self, other: &Self) -> bool;
    /// Whether whatever meets this meets the other.
    fn implies(&self, other: &Self) -> bool;
}

/// The tests that must hold or must not, and the alternatives of which one must.
type Literals<'t, T> = (Vec<(bool, &'t T)>, Vec<&'t [Tree<T>]>);

fn literals<'t, T>(trees: &[&'t Tree<T>]) -> Literals<'t, T> {
    let (mut known, mut alternatives) = (Vec::new(), Vec::new());
    let mut open: Vec<&Tree<T>> = trees.to_vec();
    while let Some(tree) = open.pop() {
        match tree {
            Tree::Is(test) => known.push((true, test)),
            Tree::All(parts) => open.extend(parts),
            Tree::Any(parts) => alternatives.push(parts.as_slice()),
            Tree::Not(part) => {
                if let Tree::Is(test) = part.as_ref() {
                    known.push((false, test));
                }
            }
        }
    }
    (known, alternatives)
}

/// Whether nothing can meet all of these trees.
fn impossible<T: AtOdds>(trees: &[&Tree<T>]) -> bool {
    let (known, alternatives) = literals(trees);
    let at_odds = |one: &(bool, &T), other: &(bool, &T)| match (one.0, other.0) {
        (true, true) => one.1.excludes(other.1),
        (true, false) => one.1 == other.1 || one.1.implies(other.1),
        (false, true) => one.1 == other.1 || other.1.implies(one.1),
        (false, false) => false,
    };
    if known.iter().enumerate().any(|(place, one)| known[..place].iter().any(|other| at_odds(one, other))) {
        return true;
    }
    // Each alternative is looked at beside what must hold anyway.
    let beside = |part: &Tree<T>| {
        let (own, _) = literals(&[part]);
        let odd = own.iter().any(|one| known.iter().any(|other| at_odds(one, other)));
        odd || impossible(&[part])
    };
    alternatives.iter().any(|parts| parts.iter().all(beside))
}

fn disjoint<V: PartialEq>(one: &[V], other: &[V]) -> bool {
    !one.iter().any(|value| other.contains(value))
}

fn within<V: PartialEq>(one: &[V], other: &[V]) -> bool {
    one.iter().all(|value| other.contains(value))
}

/// Whether two ranges, each with its ends in it, have nothing in common.
fn apart<N: PartialOrd + Copy>(one: (Option<N>, Option<N>), other: (Option<N>, Option<N>)) -> bool {
    let beyond = |low: Option<N>, high: Option<N>| matches!((low, high), (Some(low), Some(high)) if low > high);
    beyond(one.0, other.1) || beyond(other.0, one.1)
}

/// No currency has an amount that is in both.
fn ranges_apart(one: &[PriceRange], other: &[PriceRange]) -> bool {
    let meets = |range: &PriceRange| {
        let same = other.iter().find(|other| other.currency == range.currency);
        same.is_some_and(|other| !apart((range.at_least, range.at_most), (other.at_least, other.at_most)))
    };
    !one.iter().any(meets)
}

/// The values of which an attribute must have one, where it never has two.
fn one_of(rule: &Rule) -> Option<&[String]> {
    let single = [attribute::REGION, attribute::CHANNEL, attribute::CUSTOMER, attribute::COUNTRY];
    let named = matches!(rule.operator, RuleOperator::Eq | RuleOperator::In);
    (named && single.contains(&rule.attribute.as_str())).then_some(rule.values.as_slice())
}

fn rules_exclude(one: &Rule, other: &Rule) -> bool {
    one.attribute == other.attribute
        && one_of(one).is_some_and(|values| match other.operator {
            RuleOperator::Ne => within(values, &other.values),
            _ => one_of(other).is_some_and(|others| disjoint(values, others)),
        })
}

impl AtOdds for CartTest {
    fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Buyer(one), Self::Buyer(other)) => rules_exclude(one, other) || rules_exclude(other, one),
            (Self::Currency(one), Self::Currency(other)) => disjoint(one, other),
            (Self::Weekday(one), Self::Weekday(other)) => disjoint(one, other),
            (Self::SignedIn(one), Self::SignedIn(other)) | (Self::FirstOrder(one), Self::FirstOrder(other)) => {
                one != other
            }
            (Self::Address(one), Self::Address(other)) => {
                !one.iter().any(|one| other.iter().any(|other| one.country == other.country))
            }
            (
                Self::Quantity { of: one, at_least: low, at_most: high },
                Self::Quantity { of: other, at_least: other_low, at_most: other_high },
            )
            | (
                Self::Lines { of: one, at_least: low, at_most: high },
                Self::Lines { of: other, at_least: other_low, at_most: other_high },
            ) => one == other && apart((*low, *high), (*other_low, *other_high)),
            (Self::Spend { of: one, ranges }, Self::Spend { of: other, ranges: others }) => {
                one == other && ranges_apart(ranges, others)
            }
            (Self::Currency(currencies), Self::Spend { ranges, .. })
            | (Self::Spend { ranges, .. }, Self::Currency(currencies)) => {
                !ranges.iter().any(|range| currencies.contains(&range.currency))
            }
            _ => false,
        }
    }

    fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Buyer(one), Self::Buyer(other)) => {
                one.attribute == other.attribute
                    && matches!(other.operator, RuleOperator::Eq | RuleOperator::In)
                    && one_of(one).is_some_and(|values| within(values, &other.values))
            }
            (Self::Currency(one), Self::Currency(other)) => within(one, other),
            (Self::Weekday(one), Self::Weekday(other)) => within(one, other),
            _ => false,
        }
    }
}

impl AtOdds for ItemTest {
    fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Product(one), Self::Product(other)) => disjoint(one, other),
            (Self::Variant(one), Self::Variant(other)) => disjoint(one, other),
            (Self::ProductType(one), Self::ProductType(other)) => disjoint(one, other),
            (Self::OnSale(one), Self::OnSale(other)) => one != other,
            (Self::UnitPrice(one), Self::UnitPrice(other)) => ranges_apart(one, other),
            (
                Self::Quantity { at_least: low, at_most: high },
                Self::Quantity { at_least: other_low, at_most: other_high },
            ) => apart((*low, *high), (*other_low, *other_high)),
            _ => false,
        }
    }

    fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Product(one), Self::Product(other)) => within(one, other),
            (Self::Variant(one), Self::Variant(other)) => within(one, other),
            (Self::ProductType(one), Self::ProductType(other)) => within(one, other),
            (Self::Tag(one), Self::Tag(other)) => within(one, other),
            (Self::Collection(one), Self::Collection(other)) => within(one, other),
            (Self::Category(one), Self::Category(other)) => within(one, other),
            _ => false,
        }
    }
}
