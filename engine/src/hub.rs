//! What many wait for is read once: a thousand subscribers of one order cost
//! the reads of one.
//!
//! Whoever is woken asks for a [`Reading`] that is new enough for him. The
//! first to ask reads, those who come meanwhile wait for him, and those who
//! come later get the same. A reading says when it was begun and how many
//! wake-ups had come by then, so that nobody is told something older than what
//! he was woken for.

use std::any::{Any, TypeId};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::bus::Wakes;
use crate::error::{Error, Result};

/// How long nobody reads again what could not be read.
const REST: Duration = Duration::from_millis(500);
/// For how long an answer is told to whoever asks the same.
const ANSWER_LIFE: Duration = Duration::from_secs(5);
/// How long anybody waits for another's answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
/// How many answers are kept.
const ANSWERS: usize = 1_024;

/// Something that was read.
#[derive(Debug)]
pub struct Reading<T> {
    /// What it was.
    pub value: T,
    /// How many wake-ups had come before it was read.
    pub wakes: u64,
    /// When the reading began.
    pub begun: Instant,
}

/// What one of those who wait reads for all of them.
#[derive(Debug)]
pub struct Shared<T> {
    wakes: Wakes,
    last: Mutex<Last<T>>,
    turn: tokio::sync::Mutex<()>,
    readings: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Last<T> {
    reading: Option<Arc<Reading<T>>>,
    failed: Option<(Instant, Error)>,
}

impl<T> Shared<T> {
    /// Nothing is read yet; `wakes` counts the reasons to read again.
    pub fn new(wakes: Wakes) -> Self {
        Self::counted(wakes, Arc::default())
    }

    fn counted(wakes: Wakes, readings: Arc<AtomicU64>) -> Self {
        let last = Mutex::new(Last { reading: None, failed: None });
        Self { wakes, last, turn: tokio::sync::Mutex::default(), readings }
    }

    /// Waits for the next reason to read again.
    pub fn watch(&self) -> Wakes {
        self.wakes.clone()
    }

    /// The last reading when it is `enough`, otherwise a new one by `read`,
    /// which is handed the last.
    ///
    /// # Errors
    /// What `read` answers; for half a second everybody is told the same.
    pub async fn read<F, Fut>(&self, enough: impl Fn(&Reading<T>) -> bool, read: F) -> Result<Arc<Reading<T>>>
    where
        F: FnOnce(Option<Arc<Reading<T>>>) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        if let Some(known) = self.known(&enough) {
            return known;
        }
        let _turn = self.turn.lock().await;
        if let Some(known) = self.known(&enough) {
            return known;
        }
        let (wakes, begun) = (self.wakes.count(), Instant::now());
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).reading.clone();
        self.readings.fetch_add(1, Ordering::Relaxed);
        let outcome = read(last).await;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(value) => {
                let reading = Arc::new(Reading { value, wakes, begun });
                *last = Last { reading: Some(reading.clone()), failed: None };
                Ok(reading)
            }
            Err(error) => {
                tracing::warn!(%error, "what several wait for can't be read; trying again");
                last.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    fn known(&self, enough: &impl Fn(&Reading<T>) -> bool) -> Option<Result<Arc<Reading<T>>>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reading) = last.reading.as_ref().filter(|reading| enough(reading)) {
            return Some(Ok(reading.clone()));
        }
        let failed = last.failed.as_ref().filter(|(at, _)| at.elapsed() < REST);
        failed.map(|(_, error)| Err(error.clone()))
    }
}

/// One of a kind, of which there are several.
type Place = (TypeId, Uuid, Uuid);

/// What an answer is about, at which place of its history, at which head of it, asked in which words and by whom.
pub type Question = (Uuid, i64, i64, u128);

/// What a hub holds, and what it has done since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// How many things are shared.
    pub shared: usize,
    /// How many answers are kept.
    pub answers: usize,
    /// How often something was read.
    pub readings: u64,
    /// How often an answer was worked out.
    pub worked_out: u64,
}

/// The hub of one process.
#[derive(Default)]
pub struct Hub {
    keys: [RandomState; 2],
    readings: Arc<AtomicU64>,
    worked_out: AtomicU64,
    shared: Mutex<HashMap<Place, Weak<dyn Any + Send + Sync>>>,
    answers: Mutex<Answers>,
}

/// A text that one works out and the others wait for.
type Cell = Arc<OnceCell<Arc<str>>>;

#[derive(Default)]
struct Answers {
    cells: HashMap<Question, (Instant, Cell)>,
    oldest: VecDeque<Question>,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("work", &self.work()).finish_non_exhaustive()
    }
}

impl Hub {
    /// What those who wait for this share, as long as one of them is there;
    /// `watch` counts the reasons to read it again.
    pub fn shared<T: Send + Sync + 'static>(
        &self,
        id: Uuid,
        within: Uuid,
        watch: impl FnOnce() -> Wakes,
    ) -> Arc<Shared<T>> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.len() == shared.capacity() {
            // Before the table grows, those go whom nobody holds any more.
            shared.retain(|_, held| held.strong_count() > 0);
        }
        let place = (TypeId::of::<T>(), id, within);
        let held = shared.get(&place).and_then(Weak::upgrade).and_then(|held| held.downcast::<Shared<T>>().ok());
        held.unwrap_or_else(|| {
            let new: Arc<Shared<T>> = Arc::new(Shared::counted(watch(), self.readings.clone()));
            let held: Arc<dyn Any + Send + Sync> = new.clone();
            shared.insert(place, Arc::downgrade(&held));
            new
        })
    }

    /// The answer to a question, worked out once for all who ask it at about
    /// the same time. An error is told to nobody else. Who has waited for
    /// another for too long works it out for himself, as does everybody when
    /// it can't be told to all.
    pub async fn answer<F, Fut, E>(&self, question: Question, work_out: F) -> std::result::Result<Arc<str>, E>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = std::result::Result<Arc<str>, E>>,
    {
        let counted = || {
            self.worked_out.fetch_add(1, Ordering::Relaxed);
            work_out()
        };
        let cell = self.cell(question);
        match timeout(ANSWER_PATIENCE, cell.get_or_try_init(counted)).await {
            Ok(answer) => answer.cloned(),
            Err(_) => counted().await,
        }
    }

    /// What it holds, and what it has done.
    pub fn work(&self) -> Work {
        Work {
            shared: self.shared.lock().unwrap_or_else(PoisonError::into_inner).len(),
            answers: self.answers.lock().unwrap_or_else(PoisonError::into_inner).cells.len(),
            readings: self.readings.load(Ordering::Relaxed),
            worked_out: self.worked_out.load(Ordering::Relaxed),
        }
    }

    /// A number for something that is no aggregate of its own, such as a list. Nobody outside can know which two
    /// things would get the same.
    pub fn number(&self, thing: impl Hash) -> Uuid {
        let [high, low] = &self.keys;
        Uuid::from_u64_pair(high.hash_one(&thing), low.hash_one(&thing))
    }

    fn cell(&self, question: Question) -> Cell {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some((since, cell)) = answers.cells.get(&question)
            && now.duration_since(*since) < ANSWER_LIFE
        {
            return cell.clone();
        }
        while answers.oldest.len() >= ANSWERS
            || answers.oldest.front().is_some_and(|oldest| answers.is_over(oldest, now))
        {
            let oldest = answers.oldest.pop_front();
            oldest.map(|oldest| answers.cells.remove(&oldest));
        }
        let cell = Cell::default();
        answers.cells.insert(question, (now, cell.clone()));
        answers.oldest.push_back(question);
        cell
    }
}

impl Answers {
    fn is_over(&self, question: &Question, now: Instant) -> bool {
        self.cells.get(question).is_none_or(|(since, _)| now.duration_since(*since) >= ANSWER_LIFE)
    }
}
