//! When a provider that fails is left alone: whoever waits for a system that is down waits for nothing, and its return
//! is not helped by a crowd.

/// How many failures in a row it takes.
pub const FAILURES: u32 = 5;
/// How long nobody asks then, in milliseconds.
pub const REST_MS: u64 = 30_000;

/// What is known of a provider's health. Moments are milliseconds of any clock that only goes forward.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breaker {
    failures: u32,
    closed_until: Option<u64>,
}

impl Breaker {
    /// Whether somebody may ask now. After a rest one may, and the others wait for what becomes of it.
    pub fn admits(&mut self, now_ms: u64) -> bool {
        match self.closed_until {
            None => true,
            Some(until) if now_ms < until => false,
            Some(_) => {
                self.closed_until = Some(now_ms.saturating_add(REST_MS));
                true
            }
        }
    }

    /// Notes an answer.
    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// Notes a failure.
    pub fn failed(&mut self, now_ms: u64) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES {
            self.closed_until = Some(now_ms.saturating_add(REST_MS));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(now: u64) -> Breaker {
        let mut breaker = Breaker::default();
        (0..FAILURES).for_each(|_| breaker.failed(now));
        breaker
    }

    #[test]
    fn four_failures_and_an_answer_are_forgotten() {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            (1..FAILURES).for_each(|_| breaker.failed(0));
            assert!(breaker.admits(0));
            breaker.answered();
        }
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn after_five_failures_nobody_asks_for_half_a_minute() {
        let mut breaker = broken(1_000);
        assert!(!breaker.admits(1_000));
        assert!(!breaker.admits(1_000 + REST_MS - 1));
        assert!(breaker.admits(1_000 + REST_MS));
    }

    #[test]
    fn one_asks_after_the_rest_and_decides_for_all() {
        let now = REST_MS;
        let mut breaker = broken(0);
        assert!(breaker.admits(now));
        assert!(!breaker.admits(now), "the others wait");
        let mut failed = breaker.clone();
        failed.failed(now + 5);
        assert!(!failed.admits(now + 5 + REST_MS - 1));
        breaker.answered();
        assert!(breaker.admits(now) && breaker.admits(now));
        // Whoever asked and died without a word holds up nobody for ever.
        let mut silent = broken(0);
        assert!(silent.admits(now) && silent.admits(now + REST_MS));
    }
}
