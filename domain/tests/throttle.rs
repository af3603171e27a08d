//! What holds of every budget, whoever asks for whatever and when.

#![allow(clippy::unwrap_used)]

use domain::throttle::{Bucket, Budget};
use proptest::prelude::*;

fn budgets() -> impl Strategy<Value = Budget> {
    (1..5_000u32, 1..500u32).prop_map(|(capacity, per_second)| Budget::new(capacity, per_second).unwrap())
}

/// Steps of the clock, back too, each with what is asked for then.
fn asked() -> impl Strategy<Value = Vec<(i64, u64)>> {
    prop::collection::vec((prop_oneof![9 => 0..3_000i64, 1 => -3_000..0i64], 0..6_000u64), 1..200)
}

proptest! {
    #[test]
    fn no_more_is_given_out_than_a_full_bucket_and_what_came_in(budget in budgets(), asked in asked()) {
        let mut now = 1_000_000_i64;
        let mut bucket = Bucket::full(budget, 1_000_000);
        let (mut given, mut passed) = (0, 0);
        for (step, points) in asked {
            now += step;
            passed += u64::try_from(step).unwrap_or(0);
            let before = bucket;
            let now = u64::try_from(now).unwrap();
            match bucket.take(budget, now, points) {
                Ok(()) => given += budget.charge(points),
                Err(wait) => {
                    prop_assert_eq!(bucket, Bucket { at: before.at.min(now), ..before }, "nothing is taken");
                    let (mut early, mut exact) = (bucket, bucket);
                    prop_assert!(early.take(budget, now + wait - 1, points).is_err());
                    prop_assert!(exact.take(budget, now + wait, points).is_ok());
                }
            }
            prop_assert!(bucket.level <= budget.full());
            prop_assert!(given <= budget.full() + passed * u64::from(budget.per_second));
        }
    }

    #[test]
    fn the_wait_is_exactly_enough(budget in budgets(), taken in 0..5_000u64, later in 0..2_000u64, points in 1..6_000u64) {
        let mut bucket = Bucket::full(budget, 0);
        bucket.take(budget, 0, taken).unwrap();
        let (mut early, mut exact) = (bucket, bucket);
        if let Err(wait) = bucket.take(budget, later, points) {
            prop_assert!(early.take(budget, later + wait - 1, points).is_err());
            prop_assert!(exact.take(budget, later + wait, points).is_ok());
        }
    }

    #[test]
    fn looking_at_a_bucket_in_between_makes_no_difference(budget in budgets(), taken in 0..5_000u64, steps in prop::collection::vec(0..900u64, 1..50)) {
        let mut bucket = Bucket::full(budget, 0);
        bucket.take(budget, 0, taken).unwrap();
        let end: u64 = steps.iter().sum();
        let (mut looked, mut now) = (bucket, 0);
        for step in steps {
            now += step;
            looked = looked.at(budget, now);
        }
        prop_assert_eq!(looked, bucket.at(budget, end));
    }
}
