//! The payment trait, and the providers that are shipped.
//!
//! A provider is called with no transaction open, and with a key that makes
//! the call safe to repeat: whatever got lost on the way, the same call again
//! has the same effect. Its answer may be that of the first time, so what has
//! become of a payment since is looked up.
//!
//! | provider | |
//! |---|---|
//! | [`Manual`] | promises everything and moves nothing |
//! | [`test`] | cards to try with, in the shop's own database; never in production |
//! | [`stripe`] | Stripe, over its own protocol |
//!
//! What customers save of their ways to pay lies in a provider's [`vault`].

mod manual;
pub mod stripe;
pub mod test;
pub mod vault;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::money::Money;
use domain::payment::CaptureMode;
use tokio::time::timeout;

pub use super::Silent;
pub use manual::Manual;
use vault::{PaymentVault, Saving};

use crate::ledger::spend::pays_here;

/// How long a provider may take to answer before it counts as silent. Who holds a run
/// asks up to three times in a row ([`crate::flow::LEASE`]).
pub const DEADLINE: Duration = Duration::from_secs(18);

/// After what time a provider may have forgotten a key: the shortest that we know of is a day.
pub const FORGETTABLE: TimeDelta = TimeDelta::hours(20);

/// A payment to create and confirm.
#[derive(Debug, Clone)]
pub struct NewPayment {
    /// Makes the call safe to repeat: the id of what the money is for, which the provider keeps with the payment.
    pub idempotency_key: String,
    /// Whether the call may have been made before.
    pub repeated: bool,
    /// How long ago it was first wanted: the provider may have forgotten the key ([`FORGETTABLE`]).
    pub age: TimeDelta,
    /// How much.
    pub amount: Money,
    /// Whether the money is taken with the promise.
    pub capture: CaptureMode,
    /// What the client chose: the payment session's data.
    pub data: serde_json::Value,
    /// Where the shopper's browser comes back to.
    pub return_url: Option<String>,
    /// What it has to do with what the customer saved.
    pub saving: Saving,
}

/// Money to take, give up or give back on a payment that the provider knows.
#[derive(Debug, Clone)]
pub struct PaymentStep {
    /// Makes the call safe to repeat.
    pub idempotency_key: String,
    /// Whether it may have been made so long ago that the provider has forgotten the key ([`FORGETTABLE`]).
    pub old: bool,
    /// The provider's name for the payment.
    pub reference: String,
    /// How much; for a void, what was authorized.
    pub amount: Money,
}

/// What became of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The money is promised and can be captured.
    Authorized {
        /// The provider's name for the payment.
        reference: String,
    },
    /// The money is taken, or as much of it as was captured.
    Captured {
        /// The provider's name for the payment.
        reference: String,
    },
    /// The shopper must do something first.
    RequiresAction {
        /// The provider's name for the payment.
        reference: String,
        /// What the client needs for it.
        next_action: serde_json::Value,
    },
    /// The money is on its way: whether it arrives is known later.
    Processing {
        /// The provider's name for the payment.
        reference: String,
    },
    /// The provider said no.
    Declined {
        /// The provider's name for the payment, when it can still be tried and so must be given up.
        reference: Option<String>,
        /// Why, in words for the shopper.
        reason: String,
    },
    /// The promise was given up, or nothing ever came.
    Canceled {
        /// The provider's name for the payment.
        reference: String,
    },
    /// The provider takes no orders from this shop, and has never taken this one.
    Unavailable,
}

impl Outcome {
    /// The provider's name for the payment, when there is one.
    pub fn reference(&self) -> Option<&str> {
        match self {
            Self::Authorized { reference }
            | Self::Captured { reference }
            | Self::RequiresAction { reference, .. }
            | Self::Processing { reference }
            | Self::Canceled { reference } => Some(reference),
            Self::Declined { reference, .. } => reference.as_deref(),
            Self::Unavailable => None,
        }
    }
}

/// What a provider's books say of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    /// What it is for.
    pub amount: Money,
    /// What was ever taken of it, in minor units.
    pub captured_minor: i64,
    /// What was given back of that, in minor units.
    pub refunded_minor: i64,
}

/// What a provider knows of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What has become of it.
    pub outcome: Outcome,
    /// What its books say; nothing of one that keeps none.
    pub sums: Option<Sums>,
}

/// How old an event may be, and how far ahead of our clock.
pub const TOLERANCE: TimeDelta = TimeDelta::seconds(300);

/// Something that a provider told by itself, proven to be the provider's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The provider's name for it.
    pub id: String,
    /// What happened, in the provider's words.
    pub kind: String,
    /// The provider's name for the payment that it is about.
    pub reference: Option<String>,
    /// The key with which the payment says it was made: what it is for.
    pub key: Option<String>,
    /// What the payment is for, when the event says so.
    pub amount: Option<Money>,
    /// Whether it is for money of which we know nothing.
    pub foreign_currency: bool,
}

/// Why something is no event of the provider's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forged {
    /// This provider tells nothing by itself.
    Unexpected,
    /// It is not signed, or by somebody else.
    Unsigned,
    /// It was signed too long ago: somebody may have kept it.
    Old,
    /// It is signed, and no event that could be read.
    Unreadable,
    /// It is about another account than the shop's.
    OtherAccount,
}

/// The provider's name for what it did, or why not, in words for staff.
pub type Said = Result<String, String>;

/// Somebody who takes money.
#[async_trait]
pub trait PaymentProvider: std::fmt::Debug + Send + Sync {
    /// The name under which regions offer it.
    fn name(&self) -> &'static str;

    /// Whether promised money can be taken in several parts. Otherwise a part that is taken lets go of the rest.
    fn captures_in_parts(&self) -> bool {
        true
    }

    /// Creates and confirms a payment.
    async fn create(&self, payment: &NewPayment) -> Result<Outcome, Silent>;

    /// Makes sure that a call to [`Self::create`] whose answer never came makes no payment from now on; answers with
    /// what it had made before. Takes no money itself.
    async fn recall(&self, payment: &NewPayment) -> Result<Option<Known>, Silent>;

    /// What has become of a payment; nothing when there is none of this name.
    async fn look_up(&self, reference: &str) -> Result<Option<Known>, Silent>;

    /// Takes promised money, or a part of it.
    async fn capture(&self, step: &PaymentStep) -> Result<Said, Silent>;

    /// Gives up promised money. What is given up already is no fault.
    async fn void(&self, step: &PaymentStep) -> Result<Said, Silent>;

    /// Gives back taken money, or a part of it.
    async fn refund(&self, step: &PaymentStep) -> Result<Said, Silent>;

    /// Where it keeps what customers save; nothing when they can't.
    fn vault(&self) -> Option<&dyn PaymentVault> {
        None
    }

    /// Whether it tells things by itself.
    fn sends_events(&self) -> bool {
        false
    }

    /// Reads what claims to be an event: a header by its name, and the body as it came.
    ///
    /// # Errors
    /// Why it is none.
    fn read_event(
        &self,
        header: &(dyn Fn(&str) -> Option<String> + Sync),
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Event, Forged> {
        let _ = (header, body, now);
        Err(Forged::Unexpected)
    }
}

/// What a provider answers, when it does so in time.
pub async fn in_time<T: Send>(asked: impl Future<Output = Result<T, Silent>> + Send) -> Result<T, Silent> {
    timeout(DEADLINE, asked).await.unwrap_or_else(|_| Err(Silent("it took too long".to_owned())))
}

/// The providers of a shop by name.
#[derive(Debug, Clone, Default)]
pub struct PaymentProviders(BTreeMap<&'static str, Arc<dyn PaymentProvider>>);

impl PaymentProviders {
    /// Adds a provider, or replaces the one of its name.
    pub fn add(&mut self, provider: Arc<dyn PaymentProvider>) {
        assert!(!pays_here(provider.name()), "{:?} is what the shop's own accounts are called", provider.name());
        self.0.insert(provider.name(), provider);
    }

    /// The provider of this name.
    pub fn get(&self, name: &str) -> Option<Arc<dyn PaymentProvider>> {
        self.0.get(name).cloned()
    }

    /// Every provider, by name in order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn PaymentProvider>> {
        self.0.values()
    }

    /// Every name, in order.
    pub fn names(&self) -> Vec<String> {
        self.0.keys().map(|name| (*name).to_owned()).collect()
    }
}
