//! The payment trait, and the providers that are shipped.
//!
//! A provider is called with no transaction open, and with a key that makes
//! the call safe to repeat: whatever got lost on the way, the same call again
//! has the same effect and the same answer.

mod manual;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::money::Money;

pub use super::Silent;
pub use manual::Manual;

/// How long a provider may take to answer before it counts as silent.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A payment to create and confirm.
#[derive(Debug, Clone)]
pub struct NewPayment {
    /// Makes the call safe to repeat.
    pub idempotency_key: String,
    /// How much.
    pub amount: Money,
    /// What the client chose: the payment session's data.
    pub data: serde_json::Value,
}

/// Money to take, give up or give back on a payment that the provider knows.
#[derive(Debug, Clone)]
pub struct PaymentStep {
    /// Makes the call safe to repeat.
    pub idempotency_key: String,
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
    /// The money is taken.
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
    /// The provider said no.
    Declined {
        /// Why, in words for the shopper.
        reason: String,
    },
}

/// Somebody who takes money.
#[async_trait]
pub trait PaymentProvider: std::fmt::Debug + Send + Sync {
    /// The name under which regions offer it.
    fn name(&self) -> &'static str;

    /// Creates and confirms a payment.
    async fn create(&self, payment: &NewPayment) -> Result<Outcome, Silent>;

    /// Takes promised money, or a part of it. Answers with the provider's name
    /// for the capture, or with why not.
    async fn capture(&self, step: &PaymentStep) -> Result<Result<String, String>, Silent>;

    /// Gives up promised money.
    async fn void(&self, step: &PaymentStep) -> Result<Result<String, String>, Silent>;

    /// Gives back taken money, or a part of it.
    async fn refund(&self, step: &PaymentStep) -> Result<Result<String, String>, Silent>;
}

/// The providers of a shop by name.
#[derive(Debug, Clone, Default)]
pub struct PaymentProviders(BTreeMap<&'static str, Arc<dyn PaymentProvider>>);

impl PaymentProviders {
    /// Adds a provider, or replaces the one of its name.
    pub fn add(&mut self, provider: Arc<dyn PaymentProvider>) {
        self.0.insert(provider.name(), provider);
    }

    /// The provider of this name.
    pub fn get(&self, name: &str) -> Option<Arc<dyn PaymentProvider>> {
        self.0.get(name).cloned()
    }

    /// Every name, in order.
    pub fn names(&self) -> Vec<String> {
        self.0.keys().map(|name| (*name).to_owned()).collect()
    }
}
