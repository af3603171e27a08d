//! Conditions: when a promotion counts, and for which items.
//!
//! Both are trees of tests. What is not known of a cart fails its test, and the
//! opposite of that holds: a stranger is not in a group of customers.

use serde::{Deserialize, Serialize};

use crate::address::area::Area;
use crate::collection::PriceRange;
use crate::id::{CategoryId, CollectionId, MetafieldDefinitionId, ProductId, ProductTypeId, TagId, VariantId};
use crate::metafield::MetafieldType;
use crate::money::Currency;
use crate::rule::{Rule, RuleOperator};
use crate::word::words;

words! {
    /// A day of the week, in the shop's time zone.
    pub enum Weekday {
        /// Monday.
        Monday = "MONDAY",
        /// Tuesday.
        Tuesday = "TUESDAY",
        /// Wednesday.
        Wednesday = "WEDNESDAY",
        /// Thursday.
        Thursday = "THURSDAY",
        /// Friday.
        Friday = "FRIDAY",
        /// Saturday.
        Saturday = "SATURDAY",
        /// Sunday.
        Sunday = "SUNDAY",
    }
}

/// Tests bound by "and", "or" and "not".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Tree<T> {
    /// Every one; also when there is none.
    All(Vec<Tree<T>>),
    /// At least one.
    Any(Vec<Tree<T>>),
    /// Not this.
    Not(Box<Tree<T>>),
    /// A test.
    Is(T),
}

impl<T> Default for Tree<T> {
    /// What is always so.
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl<T> Tree<T> {
    /// Whether it holds, given what each test says; `None` where that is not known yet.
    pub fn weigh(&self, ask: &mut impl FnMut(&T) -> Option<bool>) -> Option<bool> {
        // What decides a list is found even behind what is unknown.
        let mut decided = |parts: &[Self], decisive: bool| {
            let mut unknown = false;
            for part in parts {
                match part.weigh(ask) {
                    Some(found) if found == decisive => return Some(decisive),
                    Some(_) => {}
                    None => unknown = true,
                }
            }
            if unknown { None } else { Some(!decisive) }
        };
        match self {
            Self::All(parts) => decided(parts, false),
            Self::Any(parts) => decided(parts, true),
            Self::Not(part) => part.weigh(ask).map(|found| !found),
            Self::Is(test) => ask(test),
        }
    }

    /// Whether it holds where every test can be asked.
    pub fn holds(&self, ask: &mut impl FnMut(&T) -> bool) -> bool {
        self.weigh(&mut |test| Some(ask(test))) == Some(true)
    }

    /// The same tree of other tests.
    pub(super) fn map<U>(&self, turn: &mut impl FnMut(&T) -> U) -> Tree<U> {
        match self {
            Self::All(parts) => Tree::All(parts.iter().map(|part| part.map(turn)).collect()),
            Self::Any(parts) => Tree::Any(parts.iter().map(|part| part.map(turn)).collect()),
            Self::Not(part) => Tree::Not(Box::new(part.map(turn))),
            Self::Is(test) => Tree::Is(turn(test)),
        }
    }

    /// Every test of the tree.
    pub fn tests(&self) -> Vec<&T> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::tests).collect(),
            Self::Not(part) => part.tests(),
            Self::Is(test) => vec![test],
        }
    }

    /// Where the first fault of a tree that doesn't hold lies, outermost first, as
    /// it is spelled in JSON: of several alternatives none is to blame alone.
    pub(super) fn fault(&self, ask: &mut impl FnMut(&T) -> bool) -> (Vec<String>, Option<&T>) {
        match self {
            Self::Is(test) => (vec!["is".to_owned()], Some(test)),
            Self::Any(_) => (vec!["any".to_owned()], None),
            Self::Not(_) => (vec!["not".to_owned()], None),
            Self::All(parts) => {
                let Some(place) = parts.iter().position(|part| !part.holds(ask)) else {
                    return (vec!["all".to_owned()], None);
                };
                let (rest, test) = parts[place].fault(ask);
                (["all".to_owned(), place.to_string()].into_iter().chain(rest).collect(), test)
            }
        }
    }

    /// How much is missing until the tree holds, when a test can say how much it
    /// misses (zero when it holds); `None` when more is in the way than that.
    pub(super) fn missing(&self, ask: &mut impl FnMut(&T) -> Option<i64>) -> Option<i64> {
        match self {
            Self::Is(test) => ask(test),
            Self::All(parts) => parts.iter().try_fold(0, |most: i64, part| Some(most.max(part.missing(ask)?))),
            Self::Any(parts) => parts.iter().filter_map(|part| part.missing(ask)).min(),
            // More of something never makes an opposite come true.
            Self::Not(part) => {
                if part.missing(ask) == Some(0) {
                    None
                } else {
                    Some(0)
                }
            }
        }
    }
}

/// Which items are meant; all of them by default.
pub type Items = Tree<ItemTest>;

/// When a promotion counts, as a column holds it; always by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "orm", derive(sea_orm::FromJsonQueryResult))]
#[serde(transparent)]
pub struct Conditions(pub Tree<CartTest>);

/// A test of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ItemTest {
    /// It is one of these products.
    Product(Vec<ProductId>),
    /// It is one of these variants.
    Variant(Vec<VariantId>),
    /// Its product is in one of these collections.
    Collection(Vec<CollectionId>),
    /// Its product is in one of these categories or below.
    Category(Vec<CategoryId>),
    /// Its product has one of these tags.
    Tag(Vec<TagId>),
    /// Its product is of one of these types.
    ProductType(Vec<ProductTypeId>),
    /// A metafield of its product or variant is so.
    Metafield(MetafieldTest),
    /// Whether its price is lowered already: there is one to strike through.
    OnSale(bool),
    /// One unit of it costs so much, before any promotion.
    UnitPrice(Vec<PriceRange>),
    /// It has so many units.
    Quantity {
        /// At least.
        #[serde(default)]
        at_least: Option<i32>,
        /// At most.
        #[serde(default)]
        at_most: Option<i32>,
    },
}

/// A comparison of a metafield.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MetafieldTest {
    /// Which one.
    pub definition: MetafieldDefinitionId,
    /// What it holds, as its definition says.
    pub kind: MetafieldType,
    /// How it compares; of several values one must meet it, and none may be the value of a `NE`.
    pub operator: RuleOperator,
    /// What with, each in the text form of the type, or of its entries: exactly one value, but for `IN`.
    pub values: Vec<String>,
}

/// A test of a cart and of who buys it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CartTest {
    /// A rule about the buyer: his customer, groups, channel, region, country ([`crate::rule::attribute`]).
    Buyer(Rule),
    /// He pays in one of these currencies.
    Currency(Vec<Currency>),
    /// It is sent to one of these areas.
    Address(Vec<Area>),
    /// Whether he is signed in.
    SignedIn(bool),
    /// Whether it is his first order. Of who is not known yet neither is so.
    FirstOrder(bool),
    /// It is one of these days, where the shop is.
    Weekday(Vec<Weekday>),
    /// It is between two times of the day, where the shop is; past midnight when the first one is the later.
    TimeOfDay {
        /// Minutes since midnight, inclusive.
        from: i32,
        /// Minutes since midnight, exclusive.
        until: i32,
    },
    /// The lines that are so have so many units together.
    Quantity {
        /// Which lines.
        #[serde(default)]
        of: Items,
        /// At least.
        #[serde(default)]
        at_least: Option<i32>,
        /// At most.
        #[serde(default)]
        at_most: Option<i32>,
    },
    /// There are so many lines that are so.
    Lines {
        /// Which lines.
        #[serde(default)]
        of: Items,
        /// At least.
        #[serde(default)]
        at_least: Option<i32>,
        /// At most.
        #[serde(default)]
        at_most: Option<i32>,
    },
    /// The lines that are so come to so much, after the discounts before.
    Spend {
        /// Which lines.
        #[serde(default)]
        of: Items,
        /// Between these bounds, one range per currency; of another currency it is not so.
        ranges: Vec<PriceRange>,
    },
}

impl ItemTest {
    /// Its name, as paths spell it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Product(_) => "product",
            Self::Variant(_) => "variant",
            Self::Collection(_) => "collection",
            Self::Category(_) => "category",
            Self::Tag(_) => "tag",
            Self::ProductType(_) => "productType",
            Self::Metafield(_) => "metafield",
            Self::OnSale(_) => "onSale",
            Self::UnitPrice(_) => "unitPrice",
            Self::Quantity { .. } => "quantity",
        }
    }
}

impl CartTest {
    /// Its name, as paths spell it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Buyer(_) => "buyer",
            Self::Currency(_) => "currency",
            Self::Address(_) => "address",
            Self::SignedIn(_) => "signedIn",
            Self::FirstOrder(_) => "firstOrder",
            Self::Weekday(_) => "weekday",
            Self::TimeOfDay { .. } => "timeOfDay",
            Self::Quantity { .. } => "quantity",
            Self::Lines { .. } => "lines",
            Self::Spend { .. } => "spend",
        }
    }

    /// The lines that it is about.
    pub(super) fn of(&self) -> Option<&Items> {
        match self {
            Self::Quantity { of, .. } | Self::Lines { of, .. } | Self::Spend { of, .. } => Some(of),
            _ => None,
        }
    }
}
