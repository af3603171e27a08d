//! A clock that tests move.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use engine::clock::Clock;

/// The machine's clock, moved forward by what the test says.
#[derive(Debug, Default)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// Lets time pass.
    pub fn pass(&self, time: TimeDelta) {
        self.0.fetch_add(time.num_microseconds().unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        (Utc::now() + TimeDelta::microseconds(self.0.load(Ordering::SeqCst))).trunc_subsecs(6)
    }
}
