//! The account at Stripe: the settings that begin with `stripe`.

use std::sync::Arc;

use clap::Args;
use engine::error::{Error, Result};
use engine::provider::payment::stripe::{Stripe as Provider, StripeConfig};

/// The account at Stripe.
#[derive(Clone, Args)]
pub(super) struct Stripe {
    /// The secret key of an account at Stripe, or a restricted one; the variable keeps it out of the list of processes.
    #[arg(
        long,
        global = true,
        env = "EMPORION_STRIPE_SECRET_KEY",
        value_name = "KEY",
        hide_env_values = true,
        hide_default_value = true
    )]
    stripe_secret_key: Option<String>,
    /// What Stripe signs the events with that it sends to /hooks/payment/stripe; several, set apart by commas, while one
    /// is being replaced.
    #[arg(
        long,
        global = true,
        env = "EMPORION_STRIPE_WEBHOOK_SECRET",
        value_name = "SECRETS",
        hide_env_values = true,
        hide_default_value = true
    )]
    stripe_webhook_secret: Option<String>,
    /// Another address of Stripe's protocol, for tests.
    #[arg(long, global = true, env = "EMPORION_STRIPE_API", value_name = "URL")]
    stripe_api: Option<String>,
}

impl std::fmt::Debug for Stripe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stripe").field("is_set", &self.stripe_secret_key.is_some()).finish_non_exhaustive()
    }
}

impl Stripe {
    /// The account, when there is one.
    pub(super) fn provider(&self) -> Result<Option<Arc<Provider>>> {
        let Some(secret_key) = self.stripe_secret_key.clone() else {
            return match self.stripe_webhook_secret {
                Some(_) => Err(Error::internal("stripe_webhook_secret is of no use without stripe_secret_key")),
                None => Ok(None),
            };
        };
        let secrets = self.stripe_webhook_secret.iter().flat_map(|secrets| secrets.split(','));
        let webhook_secrets = secrets.map(str::trim).filter(|secret| !secret.is_empty()).map(str::to_owned).collect();
        let config = StripeConfig { secret_key, webhook_secrets, api: self.stripe_api.clone() };
        Provider::new(&config).map(|provider| Some(Arc::new(provider))).map_err(Error::internal)
    }
}
