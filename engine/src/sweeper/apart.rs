//! What asks providers goes on side by side, each provider's apart from the others': one that hangs holds up nothing but
//! its own.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use crate::app::App;

/// How many things of one provider are worked on at once in the background of one process.
pub const OF_EACH: usize = 8;
/// How long the sweeper waits for what it began before it looks again; what takes longer goes on meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is worked on at the moment, by provider.
#[derive(Debug, Default)]
pub struct Lanes(Mutex<HashMap<String, HashSet<String>>>);

/// A place among those who work on things of a provider, until it is dropped.
struct Place {
    app: Arc<App>,
    provider: String,
    name: String,
}

impl Place {
    /// Nothing when there is none left, or somebody works on this very thing.
    fn take(app: &Arc<App>, due: &impl Due) -> Option<Self> {
        let (provider, name) = (due.provider().to_owned(), due.name());
        let mut lanes = app.lanes.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry(provider.clone()).or_default();
        let taken = lane.len() < OF_EACH && lane.insert(name.clone());
        taken.then(|| Self { app: app.clone(), provider, name })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lanes = self.app.lanes.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get_mut(&self.provider) {
            lane.remove(&self.name);
        }
    }
}

/// Something that is due, and whom it asks.
pub trait Due: Send + 'static {
    /// The provider's name; empty when it asks nobody.
    fn provider(&self) -> &str;
    /// What tells it from others of the provider.
    fn name(&self) -> String;
}

impl Due for entity::flow::Model {
    fn provider(&self) -> &str {
        self.provider.as_deref().unwrap_or_default()
    }

    fn name(&self) -> String {
        self.id.to_string()
    }
}

impl<I: ToString + Send + 'static> Due for (I, String) {
    fn provider(&self) -> &str {
        &self.1
    }

    fn name(&self) -> String {
        self.0.to_string()
    }
}

/// Begins to work on each of these, apart also from the others' panics, for which there is a place, and waits for a while; answers with how many it began.
pub async fn apart<D, F>(app: &Arc<App>, due: Vec<D>, work: impl Fn(Arc<App>, D) -> F) -> usize
where
    D: Due,
    F: Future<Output = ()> + Send + 'static,
{
    let begin = |due: D| {
        let place = Place::take(app, &due)?;
        let work = work(app.clone(), due);
        Some(tokio::spawn(async move {
            let _place = place;
            work.await;
        }))
    };
    let begun: Vec<_> = due.into_iter().filter_map(begin).collect();
    let count = begun.len();
    let _ = timeout(PATIENCE, join_all(begun)).await;
    count
}
