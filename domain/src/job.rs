//! Work that takes longer than a request: done in steps, by whichever process
//! is free, told to those who wait.

use crate::auth::Permission;
use crate::word::words;

/// The most refused cells that a job remembers; it counts all of them.
pub const MAX_ERRORS: usize = 100;
/// How often a job is taken up again that failed without saying why.
pub const MAX_ATTEMPTS: i32 = 5;
/// The most jobs of one member of staff that have not ended.
pub const MAX_OPEN: u64 = 20;

words! {
    /// What a job does.
    pub enum JobKind {
        /// Brings products in from a file.
        ProductImport = "PRODUCT_IMPORT",
        /// Brings the prices of one list in from a file.
        PriceImport = "PRICE_IMPORT",
        /// Makes codes of one promotion.
        CodeBatch = "CODE_BATCH",
        /// Brings codes of one promotion in from a file.
        CodeImport = "CODE_IMPORT",
    }
}

words! {
    /// Where a job stands.
    pub enum JobState {
        /// It waits for a process that is free.
        Queued = "QUEUED",
        /// A process works on it.
        Running = "RUNNING",
        /// It did what it was to do. Final.
        Succeeded = "SUCCEEDED",
        /// It was refused, or something kept it from going on; it can be tried again.
        Failed = "FAILED",
        /// Somebody called it off; what was done stays. It can be tried again.
        Canceled = "CANCELED",
    }
}

words! {
    /// What a job is doing.
    pub enum JobStep {
        /// It looks everything over; nothing is changed yet.
        Check = "CHECK",
        /// It does what it is to do.
        Work = "WORK",
    }
}

impl JobKind {
    /// What one needs to see it.
    pub fn reads(self) -> Permission {
        match self {
            Self::ProductImport | Self::PriceImport | Self::CodeBatch | Self::CodeImport => Permission::CatalogRead,
        }
    }

    /// What one needs to start it, call it off or try it again.
    pub fn writes(self) -> Permission {
        match self {
            Self::ProductImport | Self::PriceImport | Self::CodeBatch | Self::CodeImport => Permission::CatalogWrite,
        }
    }
}

impl JobState {
    /// Whether nobody works on it any more and nobody will by himself.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }

    /// Whether it can be tried again.
    pub fn can_be_tried_again(self) -> bool {
        matches!(self, Self::Failed | Self::Canceled)
    }
}

/// How fast a job goes and how long it will still take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Thousandths of an entry in a second.
    pub rate_milli: i64,
    /// Seconds that are left; nothing when nobody can tell.
    pub remaining_seconds: Option<i64>,
}

/// The pace of a job that did `done` entries in `milliseconds` and has `left` to do.
pub fn pace(done: i64, milliseconds: i64, left: i64) -> Pace {
    let rate_milli = if milliseconds > 0 { done.max(0).saturating_mul(1_000_000) / milliseconds } else { 0 };
    let remaining_seconds = match (left, rate_milli) {
        (..=0, _) => Some(0),
        (_, 0) => None,
        (left, rate) => Some((left.saturating_mul(1_000) + rate - 1) / rate),
    };
    Pace { rate_milli, remaining_seconds }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_tells_what_is_left() {
        assert_eq!(pace(50, 10_000, 100), Pace { rate_milli: 5_000, remaining_seconds: Some(20) });
        assert_eq!(pace(3, 2_000, 1), Pace { rate_milli: 1_500, remaining_seconds: Some(1) });
        assert_eq!(pace(0, 10_000, 5), Pace { rate_milli: 0, remaining_seconds: None });
        assert_eq!(pace(0, 0, 0).remaining_seconds, Some(0));
    }

    #[test]
    fn only_what_did_not_succeed_is_tried_again() {
        let again: Vec<_> = JobState::ALL.iter().filter(|state| state.can_be_tried_again()).collect();
        assert_eq!(again, [&JobState::Failed, &JobState::Canceled]);
        assert!(!JobState::Running.has_ended());
    }
}
