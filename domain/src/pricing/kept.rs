//! Why a line of an order cost what it did, as it was when it was bought.

use serde::{Deserialize, Serialize};

use super::{PriceListKind, PriceVerdict};
use crate::rule::Rule;

/// The most prices that a line of an order remembers.
pub const MAX_KEPT: usize = 20;

/// A price list as it was called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptList {
    /// Its name.
    pub name: String,
    /// Its handle.
    pub handle: String,
    /// What it did to the prices beside it.
    pub kind: PriceListKind,
}

/// A price with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptReason {
    /// The price of one piece, in minor units.
    pub amount_minor: i64,
    /// Whether it held its tax.
    pub includes_tax: bool,
    /// The first quantity for which it was.
    pub min_quantity: i32,
    /// The last one.
    pub max_quantity: Option<i32>,
    /// The list in which it stood.
    pub list: Option<KeptList>,
    /// What became of it.
    pub verdict: PriceVerdict,
    /// The rule that was not met, when that was the reason.
    pub unmet: Option<Rule>,
}

impl KeptReason {
    /// Whether a shopper may read it: what others pay is the merchant's own business.
    pub fn is_told(&self) -> bool {
        !matches!(self.verdict, PriceVerdict::RuleUnmet | PriceVerdict::ListRuleUnmet)
    }
}

/// What is kept of the price of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPrice {
    /// The amount that was struck through, in minor units and the basis of the price.
    pub compare_at_minor: Option<i64>,
    /// The lowest price of the 30 days before the reduction, in the same; none without a reduction.
    pub lowest_before_minor: Option<i64>,
    /// Whether staff agreed on it with the shopper.
    pub custom: bool,
    /// Every price that was looked at, the chosen one first; none when staff agreed on it. At most [`MAX_KEPT`].
    pub reasons: Vec<KeptReason>,
}
