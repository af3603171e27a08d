//! Following what can be bought of variants: all who look at the same variants
//! in the same channel share what is read.

use std::sync::Arc;
use std::time::Duration;

use domain::id::{ChannelId, LocationId, VariantId};
use domain::inventory::Availability;
use entity::variant;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::{repo, sellable, told};
use crate::app::App;
use crate::bus::Wakes;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::hub::{Reading, Shared};

/// How long it waits for a database that is away.
const REST: Duration = Duration::from_millis(500);

/// What can be bought of some variants.
#[derive(Debug)]
struct VariantsNow(Vec<(VariantId, Option<Arc<variant::Model>>, Availability)>);

impl VariantsNow {
    async fn read(app: &App, variants: &[VariantId], channel: ChannelId) -> Result<Self> {
        let conn = app.read();
        let now = app.clock.now();
        let found = repo::for_sale(&conn, variants, channel, now).await?;
        let stock = repo::of_variants(&conn, variants).await?;
        let settings = app.settings();
        let locations: Vec<LocationId> = settings.locations_of(channel).iter().map(|location| location.id).collect();
        let mut found: Vec<_> = found.into_iter().map(Arc::new).collect();
        Ok(Self(
            variants
                .iter()
                .map(|id| {
                    let row = found.iter().position(|row| row.id == *id).map(|place| found.swap_remove(place));
                    let sellable = sellable(stock.iter().filter(|row| row.variant == *id), &locations);
                    let state = row.as_ref().map_or(Availability::OutOfStock, |row| told(row, sellable, now));
                    (*id, row, state)
                })
                .collect(),
        ))
    }
}

/// What a follower is told.
#[derive(Debug, Clone)]
pub struct Told {
    /// Which variant.
    pub id: VariantId,
    /// The variant; nothing when it is not for sale there any more.
    pub variant: Option<Arc<variant::Model>>,
    /// What can be bought of it.
    pub availability: Availability,
    /// What he was told before; nothing at first.
    pub previous: Option<Availability>,
    /// How many wake-ups had come when it was read.
    pub wakes: u64,
}

/// Somebody who follows what can be bought of some variants in a channel.
#[derive(Debug)]
pub struct Follower {
    app: Arc<App>,
    variants: Vec<VariantId>,
    channel: ChannelId,
    wakes: Wakes,
    shared: Arc<Shared<VariantsNow>>,
    told: Vec<Option<(Availability, bool)>>,
    waiting: std::collections::VecDeque<Told>,
}

impl Follower {
    /// Begins to follow.
    ///
    /// # Errors
    /// `NOT_FOUND` when one of the variants is not for sale in the channel.
    pub async fn open(app: Arc<App>, mut variants: Vec<VariantId>, channel: ChannelId) -> Result<Self> {
        variants.sort();
        variants.dedup();
        let conn = app.read();
        let found = repo::for_sale(&conn, &variants, channel, app.clock.now()).await?;
        if found.len() < variants.len() {
            return Err(Error::not_found("variant"));
        }
        let items = repo::items_of(&conn, &variants).await?;
        let mut watched: Vec<Uuid> = found.iter().map(|row| row.product_id.into()).collect();
        watched.extend(items.into_iter().map(Uuid::from));
        watched.push(Aggregate::SETTINGS.id);
        watched.sort();
        watched.dedup();
        let number = app.hub.number(&variants);
        let shared = app.hub.shared::<VariantsNow>(number, channel.into(), || app.bus.watch_all(watched));
        let told = vec![None; variants.len()];
        Ok(Self { wakes: shared.watch(), shared, app, variants, channel, told, waiting: Default::default() })
    }

    /// How each variant stands, at first, and then whenever one of them stands
    /// differently.
    ///
    /// # Errors
    /// None that ends it but what nobody expects.
    pub async fn next(&mut self) -> Result<Told> {
        loop {
            if let Some(told) = self.waiting.pop_front() {
                return Ok(told);
            }
            match self.look().await {
                Ok(()) if self.waiting.is_empty() => {
                    let _ = timeout(self.app.bus.patience(), self.wakes.changed()).await;
                }
                Ok(()) => {}
                Err(Error::Database(error)) => {
                    tracing::debug!(%error, "a feed waits for the database");
                    tokio::time::sleep(REST).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn look(&mut self) -> Result<()> {
        let woken = self.wakes.see();
        let oldest = Instant::now().checked_sub(self.app.bus.patience());
        let recent = |reading: &Reading<VariantsNow>| oldest.is_none_or(|oldest| reading.begun > oldest);
        let enough = |reading: &Reading<VariantsNow>| reading.wakes >= woken && recent(reading);
        let read = |_| VariantsNow::read(&self.app, &self.variants, self.channel);
        let reading = self.shared.read(enough, read).await?;
        let wakes = reading.wakes;
        for (told, (id, variant, state)) in self.told.iter_mut().zip(&reading.value.0) {
            let now = (*state, variant.is_some());
            if *told != Some(now) {
                let previous = told.replace(now).map(|(state, _)| state);
                self.waiting.push_back(Told {
                    id: *id,
                    variant: variant.clone(),
                    availability: *state,
                    previous,
                    wakes,
                });
            }
        }
        Ok(())
    }
}
