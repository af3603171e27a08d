//! Time and ids come from here and nowhere else, so that tests can stop the
//! one and foresee the other.

use std::fmt::Debug;
use std::sync::Mutex;

use chrono::{DateTime, SubsecRound, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

/// Tells the time.
pub trait Clock: Debug + Send + Sync {
    /// Now, to the microsecond, which is what the databases keep.
    fn now(&self) -> DateTime<Utc>;
}

/// Makes ids.
pub trait IdSource: Debug + Send + Sync {
    /// A new UUIDv7 for this moment; later ones sort after earlier ones.
    fn next(&self, now: DateTime<Utc>) -> Uuid;
}

/// A clock that stands: for looking at what was true at a moment.
#[derive(Debug)]
pub struct StillClock(pub DateTime<Utc>);

impl Clock for StillClock {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// Random UUIDv7 that rise within the process.
#[derive(Debug)]
pub struct RandomIds(Mutex<ContextV7>);

impl Default for RandomIds {
    fn default() -> Self {
        Self(Mutex::new(ContextV7::new()))
    }
}

impl IdSource for RandomIds {
    fn next(&self, now: DateTime<Utc>) -> Uuid {
        let context = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        Uuid::new_v7(Timestamp::from_unix(&*context, seconds, now.timestamp_subsec_nanos()))
    }
}
