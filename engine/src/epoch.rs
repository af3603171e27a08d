//! Counts how often what every shopper is shown may have changed, so that what
//! was read before a change is told apart from what was read after it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::actor::Need;

/// The aggregates whose events say that shoppers are shown something else.
const SHOWN: &[&str] = &["category", "collection", "media", "option", "product", "settings"];

/// Whether an event of this kind of aggregate tells of what every shopper is shown.
pub fn is_shown(aggregate: &str) -> bool {
    SHOWN.contains(&aggregate)
}

/// Whether a write with this need may change what every shopper is shown,
/// whatever its events say: texts, stock and settings have writes without any.
/// What shoppers write, and the shop by itself, says so by events.
pub fn is_staff(need: Need) -> bool {
    !matches!(need, Need::Nothing | Need::System)
}

/// The count of one process. Stock that checkouts take and give back does not
/// raise it: they would leave nothing to remember where much is sold.
#[derive(Debug, Default)]
pub struct Epoch(AtomicU64);

impl Epoch {
    /// How often it was raised. Ask before reading, and again before what was
    /// read is told to somebody else.
    pub fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Something was committed that changes what is shown.
    pub fn raise(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
