//! Answers that are the same for everybody, kept for a moment: who asks what
//! another asked a moment ago gets the same bytes, before anything of the
//! question is parsed. Of those who ask at once, one works and the others wait
//! for him.
//!
//! An answer is told for [`Caching::answer_cache`] from the moment its reading
//! began, and no longer than [`App::epoch`](engine::app::App) stands still:
//! what this process commits is seen at once.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use clap::Args;
use tokio::sync::{Mutex as Turns, OwnedMutexGuard};
use tokio::time::{Instant, timeout};

/// How long anybody waits for another's answer before he works it out himself.
const PATIENCE: Duration = Duration::from_secs(5);
/// What an entry takes besides its answer, in bytes: places in two tables, the question's turn, headers.
const OVERHEAD: usize = 1_024;
/// The largest answer that is kept, as a part of all.
const LARGEST: usize = 16;
/// The longest that an answer may be told.
const LONGEST: u64 = 1_000;

/// How long answers that are the same for everybody are told again.
#[derive(Debug, Clone, Args)]
pub struct Caching {
    /// For how many milliseconds, 1000 at most, an answer to an anonymous catalog query is told to whoever asks the
    /// same, or `off`.
    #[arg(long, env = "EMPORION_ANSWER_CACHE", value_name = "MS", default_value = "1000", value_parser = life)]
    pub answer_cache: Duration,
    /// How much memory such answers may take, in bytes.
    #[arg(long, env = "EMPORION_ANSWER_CACHE_BYTES", value_name = "BYTES", default_value_t = 64 * 1024 * 1024)]
    pub answer_cache_bytes: usize,
    /// For how many seconds browsers and proxies may tell such an answer to a GET again; with 0 they ask each time
    /// whether it is still the same.
    #[arg(long, env = "EMPORION_ANSWER_MAX_AGE", value_name = "SECONDS", default_value_t = 5)]
    pub answer_max_age: u32,
    /// For how many seconds more they may tell it while they ask for a newer one.
    #[arg(long, env = "EMPORION_ANSWER_STALE", value_name = "SECONDS", default_value_t = 10)]
    pub answer_stale: u32,
}

impl Default for Caching {
    fn default() -> Self {
        Self {
            answer_cache: Duration::from_millis(LONGEST),
            answer_cache_bytes: 64 * 1024 * 1024,
            answer_max_age: 5,
            answer_stale: 10,
        }
    }
}

fn life(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(0) => Ok(Duration::ZERO),
        Ok(milliseconds) if milliseconds <= LONGEST => Ok(Duration::from_millis(milliseconds)),
        Err(_) if text == "off" => Ok(Duration::ZERO),
        _ => Err(format!("`off`, or milliseconds up to {LONGEST}")),
    }
}

/// An answer that anybody may be told.
#[derive(Debug)]
pub struct Answer {
    /// Its headers, those that say how long it may be kept among them.
    pub headers: HeaderMap,
    /// The bytes.
    pub body: Bytes,
    /// What answering cost.
    pub cost: u64,
}

/// When a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The shop's epoch.
    pub epoch: u64,
    /// The shop's own time.
    pub now: DateTime<Utc>,
}

/// What comes of asking.
#[derive(Debug)]
pub enum Asked {
    /// It was answered a moment ago.
    Known(Arc<Answer>),
    /// Others wait for whoever has this.
    Turn(Turn),
    /// Nobody waits for the answer: it is worked out and not kept.
    Alone,
}

/// What is kept, and what was done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// How many questions are known at this moment.
    pub entries: usize,
    /// How much memory they take, in bytes.
    pub bytes: usize,
    /// How often an answer was told again.
    pub hits: u64,
    /// How often one was worked out for others, too.
    pub turns: u64,
}

/// The answers of one process.
#[derive(Debug)]
pub struct Answers {
    life: Duration,
    most: usize,
    keys: [RandomState; 2],
    kept: Mutex<Kept>,
    hits: AtomicU64,
    turns: AtomicU64,
}

#[derive(Debug, Default)]
struct Kept {
    slots: HashMap<u128, Arc<Slot>>,
    /// All live equally long, so the oldest is the first to go.
    oldest: VecDeque<(u128, Arc<Slot>)>,
    bytes: usize,
}

/// One question.
#[derive(Debug)]
struct Slot {
    begun: Instant,
    moment: Moment,
    answer: OnceLock<Arc<Answer>>,
    /// Its answer is not for everybody after all: nobody waits any more.
    alone: AtomicBool,
    turn: Arc<Turns<()>>,
    size: AtomicU64,
}

impl Slot {
    fn size(&self) -> usize {
        OVERHEAD + self.size.load(Ordering::Relaxed) as usize
    }
}

impl Answers {
    /// Nothing is known yet.
    pub fn new(caching: &Caching) -> Arc<Self> {
        Arc::new(Self {
            life: caching.answer_cache,
            most: caching.answer_cache_bytes,
            keys: [RandomState::new(), RandomState::new()],
            kept: Mutex::default(),
            hits: AtomicU64::new(0),
            turns: AtomicU64::new(0),
        })
    }

    /// The number of a question. Nobody outside can know which two would get
    /// the same.
    pub fn number(&self, question: impl Hash) -> u128 {
        self.keys.iter().fold(0, |number, key| number << 64 | u128::from(key.hash_one(&question)))
    }

    /// Asks a question at a moment: the answer of another who asked it, now or
    /// a moment ago, or the turn to work it out.
    pub async fn ask(self: &Arc<Self>, number: u128, moment: Moment) -> Asked {
        if self.life.is_zero() {
            return Asked::Alone;
        }
        let slot = self.slot(number, moment);
        if let Some(answer) = slot.answer.get() {
            return self.hit(answer);
        }
        if slot.alone.load(Ordering::Acquire) {
            return Asked::Alone;
        }
        let Ok(turn) = timeout(PATIENCE, slot.turn.clone().lock_owned()).await else { return Asked::Alone };
        if let Some(answer) = slot.answer.get() {
            return self.hit(answer);
        }
        if slot.alone.load(Ordering::Acquire) {
            return Asked::Alone;
        }
        self.turns.fetch_add(1, Ordering::Relaxed);
        Asked::Turn(Turn { answers: self.clone(), number, slot, _turn: turn })
    }

    fn hit(&self, answer: &Arc<Answer>) -> Asked {
        self.hits.fetch_add(1, Ordering::Relaxed);
        Asked::Known(answer.clone())
    }

    /// The slot that may still be told, or a new one in its place.
    fn slot(&self, number: u128, moment: Moment) -> Arc<Slot> {
        let begun = Instant::now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = kept.slots.get(&number) {
            let passed = moment.now - slot.moment.now;
            let shop_says = passed.abs().to_std().is_ok_and(|passed| passed < self.life);
            if shop_says && begun - slot.begun < self.life && slot.moment.epoch == moment.epoch {
                return slot.clone();
            }
        }
        let slot = Arc::new(Slot {
            begun,
            moment,
            answer: OnceLock::new(),
            alone: AtomicBool::new(false),
            turn: Arc::default(),
            size: AtomicU64::new(0),
        });
        kept.slots.insert(number, slot.clone());
        kept.oldest.push_back((number, slot.clone()));
        kept.bytes += OVERHEAD;
        self.make_room(&mut kept, begun);
        slot
    }

    /// Lets go what is too old to be told, and the oldest of what is too much.
    fn make_room(&self, kept: &mut Kept, now: Instant) {
        while let Some((number, slot)) = kept.oldest.front() {
            if kept.bytes <= self.most && now - slot.begun < self.life {
                break;
            }
            if kept.slots.get(number).is_some_and(|known| Arc::ptr_eq(known, slot)) {
                kept.slots.remove(number);
            }
            kept.bytes -= slot.size();
            kept.oldest.pop_front();
        }
    }

    /// What is kept, and what was done with it.
    pub fn work(&self) -> Work {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (hits, turns) = (self.hits.load(Ordering::Relaxed), self.turns.load(Ordering::Relaxed));
        Work { entries: kept.oldest.len(), bytes: kept.bytes, hits, turns }
    }
}

/// The turn to work an answer out. Dropped, it is the next one's.
#[derive(Debug)]
pub struct Turn {
    answers: Arc<Answers>,
    number: u128,
    slot: Arc<Slot>,
    _turn: OwnedMutexGuard<()>,
}

impl Turn {
    /// Tells it to all who wait, and who will ask.
    pub fn keep(self, answer: Arc<Answer>) {
        let size = answer.body.len();
        if size > self.answers.most / LARGEST {
            return self.give_up();
        }
        let mut kept = self.answers.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // One that had to make room meanwhile is told to those who wait and counts no more.
        if kept.slots.get(&self.number).is_some_and(|known| Arc::ptr_eq(known, &self.slot)) {
            self.slot.size.store(size as u64, Ordering::Relaxed);
            kept.bytes += size;
        }
        let _ = self.slot.answer.set(answer);
        self.answers.make_room(&mut kept, Instant::now());
    }

    /// The answer is for one alone: those who wait work theirs out side by
    /// side, as does whoever asks within the next moment.
    pub fn give_up(self) {
        self.slot.alone.store(true, Ordering::Release);
    }
}
