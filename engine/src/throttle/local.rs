//! The buckets that this process keeps. However many addresses somebody has,
//! they take no more memory than is set aside here.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::throttle::{Bucket, Budget};

use super::remote::Told;
use super::{Budgets, Key, Standing};

/// How many parts are locked apart.
const SHARDS: usize = 16;
/// How many buckets a part holds: all together some 8 MiB.
const MOST: usize = 4_096;

type Shard = HashMap<Key, Bucket>;

/// Buckets by whom they belong to. One that is not there is full.
#[derive(Debug)]
pub(super) struct Buckets {
    budgets: Budgets,
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    begun: Instant,
}

impl Buckets {
    pub(super) fn new(budgets: Budgets) -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self { budgets, shards, hasher: RandomState::new(), begun: Instant::now() }
    }

    /// Milliseconds since it began: a clock that never goes back.
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn shard(&self, key: Key) -> MutexGuard<'_, Shard> {
        let place = self.hasher.hash_one(key) as usize % SHARDS;
        self.shards[place].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn kept(&self) -> usize {
        let held = |shard: &Mutex<Shard>| shard.lock().unwrap_or_else(PoisonError::into_inner).len();
        self.shards.iter().map(held).sum()
    }

    /// How a bucket stands when nothing is taken.
    pub(super) fn look(&self, key: Key, budget: Budget, points: u64) -> Standing {
        let now = self.now();
        let bucket = self.shard(key).get(&key).map_or(Bucket::full(budget, now), |bucket| bucket.at(budget, now));
        let wait = bucket.clone().take(budget, now, points).err();
        standing(key, budget, bucket, wait)
    }

    /// Takes from all, or gives back what it took from the first ones.
    pub(super) fn take(&self, wanted: &[(Key, Budget)], points: u64) -> Vec<Standing> {
        let mut standings: Vec<Standing> = Vec::with_capacity(wanted.len());
        for (key, budget) in wanted {
            standings.push(self.take_one(*key, *budget, points));
        }
        if standings.iter().any(|standing| standing.wait.is_some()) {
            for ((key, budget), standing) in wanted.iter().zip(&mut standings) {
                if standing.wait.is_none() {
                    standing.bucket = self.give_back(*key, *budget, points);
                }
            }
        }
        standings
    }

    fn take_one(&self, key: Key, budget: Budget, points: u64) -> Standing {
        let now = self.now();
        let mut shard = self.shard(key);
        if shard.len() >= MOST && !shard.contains_key(&key) {
            self.make_room(&mut shard, now);
        }
        let bucket = shard.entry(key).or_insert(Bucket::full(budget, now));
        let wait = bucket.take(budget, now, points).err();
        standing(key, budget, bucket.at(budget, now), wait)
    }

    fn give_back(&self, key: Key, budget: Budget, points: u64) -> Bucket {
        let now = self.now();
        let mut shard = self.shard(key);
        let Some(bucket) = shard.get_mut(&key) else { return Bucket::full(budget, now) };
        let held = bucket.at(budget, now);
        *bucket = Bucket { level: (held.level + budget.charge(points)).min(budget.full()), ..held };
        *bucket
    }

    /// Remembers what was decided elsewhere.
    pub(super) fn put(&self, key: Key, budget: Budget, told: Told, points: u64) -> Standing {
        let now = self.now();
        let bucket = Bucket { level: told.level.min(budget.full()), at: now };
        let mut shard = self.shard(key);
        if shard.len() >= MOST && !shard.contains_key(&key) {
            self.make_room(&mut shard, now);
        }
        shard.insert(key, bucket);
        let wait = (!told.enough).then(|| budget.time_for(budget.charge(points).saturating_sub(bucket.level)));
        standing(key, budget, bucket, wait)
    }

    /// Forgets who has his whole budget anyway and then, of the others, the half that has used least: whoever is
    /// forgotten gains what he had used, and those who use most are kept to their limits.
    fn make_room(&self, shard: &mut Shard, now: u64) {
        let owes = |key: &Key, bucket: &Bucket| {
            self.budgets.of(key.policy).map_or(0, |budget| bucket.at(budget, now).until_full(budget))
        };
        shard.retain(|key, bucket| owes(key, bucket) > 0);
        if shard.len() <= MOST / 2 {
            return;
        }
        let mut debts: Vec<u64> = shard.iter().map(|(key, bucket)| owes(key, bucket)).collect();
        let (_, median, _) = debts.select_nth_unstable(MOST / 2);
        let median = *median;
        let mut most = MOST / 2;
        shard.retain(|key, bucket| {
            let stays = owes(key, bucket) >= median && most > 0;
            most -= usize::from(stays);
            stays
        });
    }
}

fn standing(key: Key, budget: Budget, bucket: Bucket, wait: Option<u64>) -> Standing {
    // Where another bucket had not enough, this one has nothing to wait for.
    let wait = wait.filter(|wait| *wait > 0).map(Duration::from_millis);
    Standing { policy: key.policy, budget, bucket, wait }
}
