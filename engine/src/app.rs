//! One shop, open: the database, the clock, the settings in memory, the bus,
//! the payment providers, mail, the files. Everything that runs is handed an [`App`].

use std::collections::BTreeSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use domain::media::MAX_UPLOAD;
use uuid::Uuid;

use crate::auth::oidc::Providers;
use crate::auth::token::Keys;
use crate::auth::vault::Vault;
use crate::bus::Bus;
use crate::clock::{Clock, IdSource, RandomIds, SystemClock};
use crate::db::{Conn, DatabaseUrl, Db, StatementCount};
use crate::epoch::{Epoch, is_shown};
use crate::error::Result;
use crate::event::Aggregate;
use crate::hub::Hub;
use crate::media::files::Files;
use crate::provider::ask::Asked;
use crate::provider::notification::Mailer;
use crate::provider::payment::stripe::Stripe;
use crate::provider::payment::test::TestCards;
use crate::provider::payment::{Manual, PaymentProvider, PaymentProviders};
use crate::provider::rate::RateProviders;
use crate::relay::Redis;
use crate::settings::Settings;
use crate::sweeper::apart::Lanes;

/// An open shop.
pub struct App {
    /// The database.
    pub db: Db,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub ids: Arc<dyn IdSource>,
    /// Wakes those who wait.
    pub bus: Bus,
    /// What those who wait share.
    pub hub: Hub,
    /// How often what shoppers are shown has changed.
    pub epoch: Epoch,
    /// The way to the other processes.
    pub redis: Option<Redis>,
    /// Takes money.
    pub payments: PaymentProviders,
    /// The cards to try with, where there are any.
    pub test_cards: Option<TestCards>,
    /// Who names tax rates and shipping prices from outside.
    pub rate_providers: RateProviders,
    /// What they are being asked.
    pub asked: Asked,
    /// What is worked on in the background, by payment provider.
    pub lanes: Lanes,
    /// Signs tokens.
    pub keys: Keys,
    /// Seals secrets.
    pub vault: Vault,
    /// Where staff log in besides.
    pub identity_providers: Providers,
    /// What was uploaded.
    pub files: Files,
    /// Sends mail.
    pub mail: Mailer,
    settings: ArcSwap<Settings>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("db", &self.db).finish_non_exhaustive()
    }
}

/// How an [`App`] is put together.
pub struct AppBuilder {
    db: Db,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    redis_url: Option<String>,
    payments: PaymentProviders,
    test_cards: bool,
    rate_providers: RateProviders,
    files: Files,
    mail: Mailer,
    secret: Option<String>,
    identity_providers: Providers,
}

impl std::fmt::Debug for AppBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppBuilder").field("db", &self.db).finish_non_exhaustive()
    }
}

impl App {
    /// Begins with a migrated database.
    pub async fn builder(url: &DatabaseUrl) -> Result<AppBuilder> {
        let mut payments = PaymentProviders::default();
        payments.add(Arc::new(Manual));
        Ok(AppBuilder {
            db: Db::open(url).await?,
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds::default()),
            redis_url: None,
            payments,
            test_cards: false,
            rate_providers: RateProviders::default(),
            files: Files::new("emporion-data/files", MAX_UPLOAD),
            mail: Mailer::files("emporion-data/mail"),
            secret: None,
            identity_providers: Providers::default(),
        })
    }

    /// A connection for reads that nobody counts.
    pub fn read(&self) -> Conn {
        self.db.read(&StatementCount::default())
    }

    /// The settings as this process knows them.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// Reads the settings again.
    pub async fn refresh_settings(&self) -> Result<()> {
        let settings = Settings::load(&self.read(), self.clock.now()).await?.paid_through(&self.payments);
        // Two renewals may overtake each other; the newer one stays.
        self.settings.rcu(
            |known| {
                if known.version > settings.version { known.clone() } else { Arc::new(settings.clone()) }
            },
        );
        Ok(())
    }

    /// Called after every commit that wrote events.
    pub async fn committed(&self, aggregates: &[Aggregate]) {
        if aggregates.is_empty() {
            return;
        }
        if aggregates.contains(&Aggregate::SETTINGS)
            && let Err(error) = self.refresh_settings().await
        {
            tracing::warn!(%error, "the settings will be read again with the next event");
        }
        if aggregates.iter().any(|aggregate| is_shown(aggregate.kind)) {
            self.epoch.raise();
        }
        self.bus.commit(aggregates);
        if let Some(redis) = &self.redis {
            redis.tell(aggregates.iter().map(|aggregate| aggregate.id));
        }
    }

    /// Called after every commit that changed what somebody may wait for, besides its events.
    pub fn woken(&self, ids: BTreeSet<Uuid>) {
        if let Some(redis) = self.redis.as_ref().filter(|_| !ids.is_empty()) {
            redis.tell(ids.iter().copied());
        }
        self.bus.wake(ids);
    }

    /// Called by the relay after it stamped events, which others may be waiting for.
    pub async fn stamped(&self) {
        self.bus.stamp();
        if let Some(redis) = &self.redis {
            redis.tell([]);
        }
    }
}

impl AppBuilder {
    /// The database, for migrating before the rest opens.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Another clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Another source of ids.
    #[must_use]
    pub fn ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ids = ids;
        self
    }

    /// Redis, to wake the other processes of the shop.
    #[must_use]
    pub fn redis(mut self, url: Option<String>) -> Self {
        self.redis_url = url;
        self
    }

    /// One more payment provider.
    #[must_use]
    pub fn payment(mut self, provider: Arc<dyn PaymentProvider>) -> Self {
        self.payments.add(provider);
        self
    }

    /// The account at Stripe, when there is one.
    #[must_use]
    pub fn stripe(mut self, account: Option<Arc<Stripe>>) -> Self {
        if let Some(account) = account {
            self.payments.add(account);
        }
        self
    }

    /// The payment provider `test`, which takes cards without money behind them.
    #[must_use]
    pub fn test_cards(mut self, wanted: bool) -> Self {
        self.test_cards = wanted;
        self
    }

    /// Another place for what is uploaded.
    #[must_use]
    pub fn files(mut self, files: Files) -> Self {
        self.files = files;
        self
    }

    /// Another way to send mail.
    #[must_use]
    pub fn mail(mut self, mail: Mailer) -> Self {
        self.mail = mail;
        self
    }

    /// What seals secrets in the database: not itself in the database.
    #[must_use]
    pub fn secret(mut self, secret: Option<String>) -> Self {
        self.secret = secret;
        self
    }

    /// Who names tax rates and shipping prices from outside.
    #[must_use]
    pub fn rate_providers(mut self, providers: RateProviders) -> Self {
        self.rate_providers = providers;
        self
    }

    /// Where staff log in besides.
    #[must_use]
    pub fn identity_providers(mut self, providers: Providers) -> Self {
        self.identity_providers = providers;
        self
    }

    /// Opens the shop.
    pub async fn open(self) -> Result<Arc<App>> {
        let conn = self.db.read(&StatementCount::default());
        let settings = Settings::load(&conn, self.clock.now()).await?;
        let keys = Keys::load(&self.db, self.clock.now()).await?;
        let redis = match &self.redis_url {
            Some(url) => Some(Redis::open(url, &keys.shop_id())?),
            None => None,
        };
        let test_cards = self.test_cards.then(|| TestCards::new(self.db.clone(), self.clock.clone()));
        let mut payments = self.payments;
        if let Some(cards) = &test_cards {
            payments.add(Arc::new(cards.clone()));
        }
        Ok(Arc::new(App {
            db: self.db,
            clock: self.clock,
            ids: self.ids,
            bus: Bus::default(),
            hub: Hub::default(),
            epoch: Epoch::default(),
            redis,
            test_cards,
            rate_providers: self.rate_providers,
            asked: Asked::default(),
            lanes: Lanes::default(),
            vault: Vault::new(keys.vault_key(), self.secret.as_deref())?,
            keys,
            identity_providers: self.identity_providers,
            files: self.files,
            mail: self.mail,
            settings: ArcSwap::from_pointee(settings.paid_through(&payments)),
            payments,
        }))
    }
}
