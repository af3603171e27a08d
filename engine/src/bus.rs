//! Wakes those who wait for something to happen, in this process and in the
//! others.
//!
//! A wake-up carries no content: whoever is woken reads the event log. A lost
//! or doubled wake-up therefore costs time, never an event.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

use crate::event::Aggregate;

/// The waiting room of one process.
#[derive(Debug)]
pub struct Bus {
    aggregates: Mutex<HashMap<Uuid, watch::Sender<u64>>>,
    log: watch::Sender<i64>,
    commits: watch::Sender<u64>,
}

impl Default for Bus {
    fn default() -> Self {
        Self { aggregates: Mutex::default(), log: watch::Sender::new(0), commits: watch::Sender::new(0) }
    }
}

impl Bus {
    /// Waits for one aggregate. Ask before reading the log, so that nothing
    /// falls between the two.
    pub fn watch(&self, id: Uuid) -> watch::Receiver<u64> {
        let mut aggregates = self.aggregates.lock().unwrap_or_else(PoisonError::into_inner);
        if aggregates.len() == aggregates.capacity() {
            // Before the table grows, those go whom nobody waits for any more.
            aggregates.retain(|_, sender| sender.receiver_count() > 0);
        }
        aggregates.entry(id).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    /// Waits for the log as a whole: the last position that this process has seen.
    pub fn watch_log(&self) -> watch::Receiver<i64> {
        self.log.subscribe()
    }

    /// The last position that this process has seen, 0 at the start.
    pub fn position(&self) -> i64 {
        *self.log.borrow()
    }

    /// Waits for anything that was committed and not yet stamped.
    pub fn watch_commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
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

    /// The log is readable up to `position`.
    pub fn advance(&self, position: i64) {
        self.log.send_if_modified(|last| {
            let further = position > *last;
            *last = (*last).max(position);
            further
        });
    }
}
