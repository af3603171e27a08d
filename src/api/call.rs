//! What one request knows: who asks, in which channel, region and language,
//! and the loader that gathers its reads.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::dataloader::{DataLoader, Loader, NoCache};
use async_graphql::{Context, ContextSelectionSet};
use chrono::{DateTime, Utc};
use domain::id::ChannelId;
use domain::locale::negotiate;
use entity::channel;

use super::gather::Gathering;
use crate::pricing::shopper::Shopper;
use crate::translation::load::Fed;
use engine::actor::Caller;
use engine::app::App;
use engine::db::Conn;
use engine::error::{Error, Result};
use engine::settings::{Region, Settings};

/// Reads for loaders: each noun's `load.rs` teaches it one more kind of key.
#[derive(Debug)]
pub struct Batch {
    /// The request's connection.
    pub conn: Conn,
    /// The settings as they were when the request began.
    pub settings: Arc<Settings>,
    /// The moment of the request.
    pub now: DateTime<Utc>,
}

/// Where a subscription stands: for a transport that resumes by itself, whose
/// question stays the same when it comes back.
#[derive(Debug, Default)]
pub struct Place {
    behind: Option<String>,
    last: Mutex<Option<String>>,
}

impl Place {
    /// Goes on behind what was told last.
    pub fn behind(last: Option<String>) -> Self {
        Self { behind: last, last: Mutex::default() }
    }

    /// Behind what to go on; the client's own words when it said nothing else.
    pub fn resumed(&self) -> Option<&str> {
        self.behind.as_deref()
    }

    /// A subscription has come this far.
    pub fn reach(&self, place: impl ToString) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(place.to_string());
    }

    /// How far it has come.
    pub fn last(&self) -> Option<String> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One request's view of the shop.
pub struct Call {
    /// The shop.
    pub app: Arc<App>,
    /// Who asks.
    pub caller: Caller,
    /// In which channel.
    pub channel: channel::Model,
    /// In which region, when the shop has one.
    pub region: Option<Region>,
    /// In which language: a BCP 47 tag, one that the channel speaks.
    pub locale: String,
    /// Where a text is looked for before the entity's own; nowhere in the shop's own language.
    pub chain: Vec<String>,
    /// The texts that a root field read for everything below it.
    pub fed: Fed,
    /// The settings as they were when the request began.
    pub settings: Arc<Settings>,
    /// Where its subscription stands.
    pub place: Arc<Place>,
    /// Who asks for prices, by region.
    pub(crate) shoppers: Mutex<Vec<Arc<Shopper>>>,
    loader: DataLoader<Batch, NoCache>,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl Call {
    /// A view for `caller`; without a channel it is the shop's default, without
    /// a region the channel's. `languages` is an `Accept-Language` header.
    pub fn new(
        app: Arc<App>,
        mut caller: Caller,
        channel: Option<ChannelId>,
        region: Option<&str>,
        languages: Option<&str>,
    ) -> Result<Self> {
        let settings = app.settings();
        let channel = match channel.and_then(|id| settings.channel(id)) {
            Some(channel) => channel.clone(),
            None => settings.default_channel()?.clone(),
        };
        caller.channel = Some(channel.id);
        let region = match region {
            Some(name) => Some(settings.region_named(name).cloned().ok_or_else(|| Error::not_found("region"))?),
            None => settings.channel_region(&channel).cloned(),
        };
        let offered: Vec<&str> =
            std::iter::once(&channel.default_locale).chain(&channel.locales.0).map(String::as_str).collect();
        let spoken = languages.and_then(|header| negotiate(header, &offered));
        let locale = spoken.unwrap_or(&channel.default_locale).to_owned();
        let chain = settings.text_chain(&locale, &channel);
        let batch = Batch { conn: app.db.read(&caller.statements), settings: settings.clone(), now: app.clock.now() };
        let loader = DataLoader::with_cache(batch, Gathering, Gathering, NoCache).max_batch_size(usize::MAX);
        Ok(Self {
            app,
            caller,
            channel,
            region,
            locale,
            chain,
            fed: Fed::default(),
            settings,
            place: Arc::default(),
            shoppers: Mutex::default(),
            loader,
        })
    }

    /// The same caller in the same place at a later moment: with the settings of now, and nothing loaded yet.
    pub fn again(&self) -> Result<Self> {
        let settings = self.app.settings();
        // A region that is gone meanwhile ends nobody's subscription.
        let region = self.region.as_ref().and_then(|region| settings.region(region.row.id));
        let region = region.map(|region| region.row.id.to_string());
        let (app, caller) = (self.app.clone(), self.caller.clone());
        let again = Self::new(app, caller, Some(self.channel.id), region.as_deref(), Some(&self.locale))?;
        Ok(again.at(self.place.clone()))
    }

    /// What makes a difference to what a caller is shown: the same for two who are shown the same.
    pub fn audience(&self) -> impl Hash {
        let region = self.region.as_ref().map(|region| region.row.id);
        let actor = (self.caller.actor.to_string(), format!("{:?}", self.caller.actor.grants()));
        (actor, self.channel.id, region, self.locale.clone())
    }

    /// The same, for a transport that keeps the subscription's place.
    pub fn at(self, place: Arc<Place>) -> Self {
        Self { place, ..self }
    }

    /// The request's connection, for root connections and single reads.
    pub fn conn(&self) -> Conn {
        self.app.db.read(&self.caller.statements)
    }

    /// What belongs to a key, read together with the keys of its neighbours.
    pub async fn load<K>(&self, key: K) -> async_graphql::Result<<Batch as Loader<K>>::Value>
    where
        K: Send + Sync + std::hash::Hash + Eq + Clone + 'static,
        Batch: Loader<K, Error = Arc<Error>>,
        <Batch as Loader<K>>::Value: Default,
    {
        self.read(key).await.map_err(|error| super::payload::top_level((*error).clone()))
    }

    /// The same, for what is not yet an answer.
    pub async fn read<K>(&self, key: K) -> Result<<Batch as Loader<K>>::Value, Arc<Error>>
    where
        K: Send + Sync + std::hash::Hash + Eq + Clone + 'static,
        Batch: Loader<K, Error = Arc<Error>>,
        <Batch as Loader<K>>::Value: Default,
    {
        Ok(self.loader.load_one(key).await?.unwrap_or_default())
    }

    /// The same for several keys; those without anything are absent.
    pub async fn load_all<K>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> async_graphql::Result<HashMap<K, <Batch as Loader<K>>::Value>>
    where
        K: Send + Sync + std::hash::Hash + Eq + Clone + 'static,
        Batch: Loader<K, Error = Arc<Error>>,
    {
        let keys: Vec<K> = keys.into_iter().collect();
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        self.loader.load_many(keys).await.map_err(|error| super::payload::top_level((*error).clone()))
    }
}

/// The view of the request that a field is part of.
pub fn call<'a>(ctx: &Context<'a>) -> async_graphql::Result<&'a Call> {
    ctx.data::<Call>()
}

/// The same, of an object's fields.
pub fn call_of<'a>(ctx: &ContextSelectionSet<'a>) -> async_graphql::Result<&'a Call> {
    ctx.data::<Call>()
}

/// Groups rows by a key, for loaders of lists.
pub fn group<K: std::hash::Hash + Eq, V>(rows: impl IntoIterator<Item = (K, V)>) -> HashMap<K, Arc<Vec<V>>> {
    let mut groups: HashMap<K, Vec<V>> = HashMap::new();
    for (key, row) in rows {
        groups.entry(key).or_default().push(row);
    }
    groups.into_iter().map(|(key, rows)| (key, Arc::new(rows))).collect()
}
