//! Budgets: how much somebody may ask for, at once and in the long run.
//!
//! A bucket holds points, fills up evenly, and whoever asks takes from it what
//! his request is worth. Whole numbers throughout: points are kept in
//! thousandths, so that a millisecond at one point a second is exactly one.

use std::fmt;
use std::str::FromStr;

use crate::document::Weight;

/// The least that an operation is worth, in points.
pub const LEAST: u64 = 10;
/// What each field of a mutation is worth besides its cost, in points: a transaction that reaches the disk.
const WRITE: u64 = 500;
/// What checking a secret is worth besides, in points: a password takes as long as fifty listings.
const SECRET: u64 = 2_000;

/// Thousandths of a point.
const MILLI: u64 = 1_000;
/// The most points that a budget names: whatever is worked out from it stays exact wherever it is kept.
pub const MOST: u32 = 1_000_000_000;

/// What an operation of this weight is worth, in points: its cost, at least [`LEAST`], and more for each field when it
/// `writes`, and for each secret that it checks.
pub fn worth(weight: &Weight, writes: bool) -> u64 {
    let writes = if writes { WRITE.saturating_mul(weight.roots) } else { 0 };
    weight.cost.max(LEAST).saturating_add(writes).saturating_add(SECRET.saturating_mul(weight.authentications))
}

/// How much a bucket holds, and how fast it fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// The points of a full bucket.
    pub capacity: u32,
    /// The points that it gains in a second.
    pub per_second: u32,
}

impl Budget {
    /// A budget that ever lets anything through.
    ///
    /// # Errors
    /// When it holds nothing, never fills, or names more than [`MOST`].
    pub fn new(capacity: u32, per_second: u32) -> Result<Self, Unreadable> {
        let fine = 1..=MOST;
        (fine.contains(&capacity) && fine.contains(&per_second))
            .then_some(Self { capacity, per_second })
            .ok_or(Unreadable)
    }

    /// What a full bucket holds, in thousandths of a point.
    pub fn full(self) -> u64 {
        u64::from(self.capacity) * MILLI
    }

    /// What is taken for so many points, in thousandths: never more than a
    /// full bucket holds, so that whatever is asked is let through in the end.
    pub fn charge(self, points: u64) -> u64 {
        points.min(self.capacity.into()) * MILLI
    }

    /// How long a bucket takes from empty to full, in seconds, rounded up.
    pub fn window(self) -> u64 {
        u64::from(self.capacity).div_ceil(self.per_second.into())
    }

    /// How long it takes to gain so many thousandths, in milliseconds, rounded up.
    pub fn time_for(self, thousandths: u64) -> u64 {
        thousandths.div_ceil(self.per_second.into())
    }
}

/// A text that is no budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a budget is POINTS/POINTS-PER-SECOND, such as 1000/10, each from 1 to {MOST}, or `off`")
    }
}

impl std::error::Error for Unreadable {}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.capacity, self.per_second)
    }
}

impl FromStr for Budget {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let (capacity, per_second) = text.split_once('/').ok_or(Unreadable)?;
        let number = |text: &str| text.trim().parse().map_err(|_| Unreadable);
        Self::new(number(capacity)?, number(per_second)?)
    }
}

/// What is left of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// In thousandths of a point.
    pub level: u64,
    /// When it held that, in milliseconds of whatever clock is asked.
    pub at: u64,
}

impl Bucket {
    /// A full one: who has not asked for anything yet.
    pub fn full(budget: Budget, now: u64) -> Self {
        Self { level: budget.full(), at: now }
    }

    /// The same at another moment. A clock that went back adds nothing, and
    /// takes nothing away: it is gone by from then on.
    #[must_use]
    pub fn at(self, budget: Budget, now: u64) -> Self {
        let gained = now.saturating_sub(self.at).saturating_mul(budget.per_second.into());
        Self { level: self.level.saturating_add(gained).min(budget.full()), at: now }
    }

    /// Takes what so many points are worth.
    ///
    /// # Errors
    /// How long to wait until there is enough, in milliseconds; nothing is taken.
    pub fn take(&mut self, budget: Budget, now: u64, points: u64) -> Result<(), u64> {
        let (filled, charge) = (self.at(budget, now), budget.charge(points));
        match filled.level.checked_sub(charge) {
            Some(level) => {
                *self = Self { level, at: now };
                Ok(())
            }
            None => {
                // A clock that went back is gone by from now on: waiting for it to come back would take hours.
                self.at = self.at.min(now);
                Err(budget.time_for(charge - filled.level))
            }
        }
    }

    /// The whole points that are left.
    pub fn points(self) -> u64 {
        self.level / MILLI
    }

    /// How long until it is full again, in milliseconds.
    pub fn until_full(self, budget: Budget) -> u64 {
        budget.time_for(budget.full().saturating_sub(self.level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(capacity: u32, per_second: u32) -> Budget {
        Budget::new(capacity, per_second).unwrap()
    }

    #[test]
    fn writes_and_secrets_are_worth_more_than_their_cost() {
        let weight = |cost, roots, authentications| Weight { cost, roots, authentications, ..Weight::default() };
        assert_eq!(worth(&weight(2, 1, 0), false), LEAST);
        assert_eq!(worth(&weight(206, 3, 0), false), 206);
        assert_eq!(worth(&weight(206, 3, 0), true), 206 + 3 * 500);
        assert_eq!(worth(&weight(4, 1, 1), true), 10 + 500 + 2_000);
        assert_eq!(worth(&weight(u64::MAX, u64::MAX, u64::MAX), true), u64::MAX);
    }

    #[test]
    fn a_bucket_is_emptied_at_once_and_filled_evenly() {
        let budget = budget(100, 10);
        let mut bucket = Bucket::full(budget, 0);
        assert_eq!(bucket.take(budget, 0, 60), Ok(()));
        assert_eq!(bucket.points(), 40);
        assert_eq!(bucket.take(budget, 0, 41), Err(100), "one point comes in a tenth of a second");
        assert_eq!(bucket.take(budget, 99, 41), Err(1));
        assert_eq!(bucket.take(budget, 100, 41), Ok(()));
        assert_eq!((bucket.points(), bucket.until_full(budget)), (0, 10_000));
        assert_eq!(bucket.at(budget, 1_000_000).points(), 100, "more than full it never is");
        assert_eq!(bucket.take(budget, 1_000_000, 5_000), Ok(()), "what is worth more than all takes all");
        assert_eq!(bucket.take(budget, 1_000_001, 5_000), Err(9_999));
        assert_eq!(budget.window(), 10);
    }

    #[test]
    fn a_clock_that_goes_back_costs_nobody_anything() {
        let budget = budget(100, 10);
        let mut bucket = Bucket::full(budget, 5_000_000);
        bucket.take(budget, 5_000_000, 100).unwrap();
        assert_eq!(bucket.take(budget, 1_000, 1), Err(100));
        assert_eq!(bucket.take(budget, 1_100, 1), Ok(()), "it fills by the clock that there is");
    }

    #[test]
    fn a_budget_is_read_as_it_is_written() {
        for text in ["1/1", "400000/4000", "1000000000/1000000000"] {
            assert_eq!(text.parse::<Budget>().unwrap().to_string(), text);
        }
        for wrong in ["", "1", "0/1", "1/0", "-1/1", "1/1/1", "a/b", "1000000001/1", "1.5/1"] {
            assert_eq!(wrong.parse::<Budget>(), Err(Unreadable), "{wrong}");
        }
    }
}
