//! Wakes those who wait for something to happen, in this process and in the
//! others.
//!
//! A wake-up carries no content: whoever is woken reads the event log. A lost
//! or doubled wake-up therefore costs time, never an event.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::select_all;
use tokio::sync::watch;
use uuid::Uuid;

use crate::event::Aggregate;

/// How long to wait for what the other processes tell.
const HEARD: Duration = Duration::from_secs(60);
/// How long to wait while nobody hears them.
const UNHEARD: Duration = Duration::from_secs(5);

/// Reasons to look again, from one source or several.
#[derive(Debug, Clone)]
pub struct Wakes(Vec<watch::Receiver<u64>>);

impl From<watch::Receiver<u64>> for Wakes {
    fn from(source: watch::Receiver<u64>) -> Self {
        Self(vec![source])
    }
}

impl Wakes {
    /// How many wake-ups have come.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|source| *source.borrow()).fold(0, u64::wrapping_add)
    }

    /// The same; only what comes from now on counts as a change.
    pub fn see(&mut self) -> u64 {
        self.0.iter_mut().map(|source| *source.borrow_and_update()).fold(0, u64::wrapping_add)
    }

    /// Waits for one that was not seen.
    pub async fn changed(&mut self) {
        // The bus holds the other ends for as long as it is there.
        let _ = match self.0.as_mut_slice() {
            [] => std::future::pending().await,
            [only] => only.changed().await,
            sources => select_all(sources.iter_mut().map(|source| Box::pin(source.changed()))).await.0,
        };
    }
}

/// The waiting room of one process.
#[derive(Debug)]
pub struct Bus {
    aggregates: Mutex<HashMap<Uuid, watch::Sender<u64>>>,
    log: watch::Sender<u64>,
    hears: AtomicBool,
    commits: watch::Sender<u64>,
    stamps: watch::Sender<u64>,
}

impl Default for Bus {
    fn default() -> Self {
        Self {
            aggregates: Mutex::default(),
            log: watch::Sender::new(0),
            hears: AtomicBool::new(false),
            commits: watch::Sender::new(0),
            stamps: watch::Sender::new(0),
        }
    }
}

impl Bus {
    /// Waits for one aggregate. Ask before reading the log, so that nothing
    /// falls between the two.
    pub fn watch(&self, id: Uuid) -> Wakes {
        self.watch_all([id])
    }

    /// Waits for any of several aggregates.
    pub fn watch_all(&self, ids: impl IntoIterator<Item = Uuid>) -> Wakes {
        let mut aggregates = self.aggregates.lock().unwrap_or_else(PoisonError::into_inner);
        let ids: Vec<Uuid> = ids.into_iter().collect();
        if aggregates.capacity() - aggregates.len() < ids.len() {
            // Before the table grows, those go whom nobody waits for any more.
            aggregates.retain(|_, sender| sender.receiver_count() > 0);
        }
        let watched =
            ids.into_iter().map(|id| aggregates.entry(id).or_insert_with(|| watch::Sender::new(0)).subscribe());
        Wakes(watched.collect())
    }

    /// Waits for the log as a whole: the last position that this process has seen.
    pub fn watch_log(&self) -> Wakes {
        self.log.subscribe().into()
    }

    /// The last position that this process has seen, 0 at the start.
    pub fn position(&self) -> i64 {
        self.log.borrow().cast_signed()
    }

    /// Waits for anything that was committed and not yet stamped.
    pub fn watch_commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    /// Waits for anything that was stamped and not yet read.
    pub fn watch_stamps(&self) -> watch::Receiver<u64> {
        self.stamps.subscribe()
    }

    /// Says whether wake-ups of the other processes arrive at this moment.
    pub fn set_hears(&self, hears: bool) {
        self.hears.store(hears, Ordering::Relaxed);
    }

    /// How long to wait before looking by oneself for what is no event: what stock and carts have become is told by
    /// wake-ups alone.
    pub fn patience(&self) -> Duration {
        if self.hears.load(Ordering::Relaxed) { HEARD } else { UNHEARD }
    }

    /// Something happened to these.
    pub fn wake(&self, woken: impl IntoIterator<Item = Uuid>) {
        let mut aggregates = self.aggregates.lock().unwrap_or_else(PoisonError::into_inner);
        for id in woken {
            if let Some(sender) = aggregates.get(&id) {
                if sender.receiver_count() == 0 {
                    aggregates.remove(&id);
                } else {
                    sender.send_modify(|count| *count += 1);
                }
            }
        }
    }

    /// Something was committed, here or elsewhere.
    pub fn commit(&self, committed: &[Aggregate]) {
        self.wake(committed.iter().map(|aggregate| aggregate.id));
        self.commits.send_modify(|count| *count += 1);
    }

    /// Something was stamped, here or elsewhere.
    pub fn stamp(&self) {
        self.stamps.send_modify(|count| *count += 1);
    }

    /// The log is readable up to `position`.
    pub fn advance(&self, position: i64) {
        let position = position.max(0).cast_unsigned();
        self.log.send_if_modified(|last| {
            let further = position > *last;
            *last = (*last).max(position);
            further
        });
    }
}
