//! Money that is asked of a provider, for a checkout or for an order: made
//! once, looked up ever after. Of a call whose answer never came, either the
//! same call tells what it made, or it is recalled.

use std::fmt::Display;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::id::ChannelId;
use domain::money::Money;
use domain::payment::CaptureMode;
use domain::refusal::{ErrorCode, Refusal};
use url::{Origin, Url};

use crate::app::App;
use crate::error::Error;
use crate::provider::payment::vault::Saving;
use crate::provider::payment::{Known, NewPayment, Outcome, PaymentProvider, PaymentStep, Silent, Sums, in_time};
use crate::settings::Settings;

/// What is asked, and what is known of it so far.
#[derive(Debug, Clone)]
pub struct Charge {
    /// Makes the call safe to repeat: the id of what the money is for.
    pub key: String,
    /// Whom to ask.
    pub provider: String,
    /// The provider's name for the payment, once it is known.
    pub reference: Option<String>,
    /// What the client chose.
    pub data: serde_json::Value,
    /// How much.
    pub amount: Money,
    /// Whether the money is taken with the promise.
    pub capture: CaptureMode,
    /// What it has to do with what the customer saved.
    pub saving: Saving,
    /// When it was first wanted.
    pub since: DateTime<Utc>,
    /// Where the shopper's browser comes back to.
    pub return_url: Option<String>,
}

/// Where the shopper's browser comes back to: where the client says, when that is on a storefront of the shop,
/// otherwise the channel's storefront.
pub fn return_url(settings: &Settings, channel: ChannelId, data: &serde_json::Value) -> Option<String> {
    let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin()).filter(Origin::is_tuple);
    let wanted = data["returnUrl"].as_str().filter(|wanted| {
        let known = |storefront: &str| origin(storefront).is_some_and(|own| origin(wanted) == Some(own));
        settings.storefronts().any(known)
    });
    let own = settings.channel(channel).and_then(|channel| channel.storefront_url.as_deref());
    wanted.or(own).map(str::to_owned)
}

/// Why a provider's answer is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// There was none, or not what was asked for.
    #[error("{0}")]
    Silent(String),
    /// It knows no payment of the name that it gave once.
    #[error("the provider does not know {0:?}")]
    Unknown(String),
}

impl From<Silent> for NoAnswer {
    fn from(silent: Silent) -> Self {
        Self::Silent(silent.to_string())
    }
}

impl From<NoAnswer> for Error {
    fn from(none: NoAnswer) -> Self {
        Self::internal(none)
    }
}

/// What a provider's answer means to whoever wants the money.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// The money is promised.
    Promised {
        /// The provider's name for the payment.
        reference: String,
    },
    /// The money is taken.
    Taken {
        /// The provider's name for the payment.
        reference: String,
    },
    /// The shopper must do something first, or the money is on its way.
    Waits {
        /// The provider's name for the payment.
        reference: String,
        /// What the client needs for it; nothing while the money is on its way.
        next_action: Option<serde_json::Value>,
    },
    /// Nothing comes of it, for the shopper to read. What the provider holds must be given up.
    Refused(Refusal),
}

impl Charge {
    /// What an answer means: money that is not what was asked for is none.
    pub fn verdict(&self, known: &Known) -> Verdict {
        let refused = |message: &str| Verdict::Refused(Refusal::new(ErrorCode::PaymentDeclined, message));
        if let Some(sums) = known.sums {
            if sums.amount != self.amount {
                tracing::error!(key = self.key, due = %self.amount, ?sums, "the provider's payment is for another amount");
                return refused("The payment is for another amount than the order.");
            }
            let taken = matches!(known.outcome, Outcome::Captured { .. });
            if taken && sums.captured_minor - sums.refunded_minor != self.amount.minor {
                tracing::error!(key = self.key, due = %self.amount, ?sums, "the provider gave some of the money back, or took a part of it");
                return refused("The payment is not over the whole amount any more.");
            }
        }
        match known.outcome.clone() {
            Outcome::Authorized { reference } => Verdict::Promised { reference },
            Outcome::Captured { reference } => Verdict::Taken { reference },
            Outcome::RequiresAction { reference, next_action } => {
                Verdict::Waits { reference, next_action: Some(next_action) }
            }
            Outcome::Processing { reference } => Verdict::Waits { reference, next_action: None },
            Outcome::Declined { reason, .. } => refused(&reason),
            Outcome::Canceled { .. } => refused("The payment was canceled."),
            Outcome::Unavailable => {
                let message = "This way to pay is not available at the moment; choose another one.";
                Verdict::Refused(Refusal::new(ErrorCode::PaymentProviderUnavailable, message))
            }
        }
    }

    fn provider(&self, app: &App) -> Result<Arc<dyn PaymentProvider>, NoAnswer> {
        let nobody = || NoAnswer::Silent(format!("there is no provider {:?}", self.provider));
        app.payments.get(&self.provider).ok_or_else(nobody)
    }

    fn call(&self, app: &App, repeated: bool) -> NewPayment {
        NewPayment {
            idempotency_key: self.key.clone(),
            repeated,
            age: app.clock.now() - self.since,
            amount: self.amount,
            capture: self.capture,
            return_url: self.return_url.clone(),
            saving: self.saving.clone(),
            data: self.data.clone(),
        }
    }

    /// What the provider says. A payment that is known is looked up: the call that made it would be answered as it
    /// was the first time.
    ///
    /// # Errors
    /// Why there is no usable answer.
    pub async fn ask(&self, app: &App, repeated: bool) -> Result<Known, NoAnswer> {
        let provider = self.provider(app)?;
        let reference = match &self.reference {
            Some(reference) => reference.clone(),
            None => {
                let outcome = in_time(provider.create(&self.call(app, repeated))).await?;
                match outcome.reference().filter(|_| repeated) {
                    Some(reference) => reference.to_owned(),
                    None => return Ok(Known { outcome, sums: None }),
                }
            }
        };
        self.look_up(provider.as_ref(), &reference).await
    }

    async fn look_up(&self, provider: &dyn PaymentProvider, reference: &str) -> Result<Known, NoAnswer> {
        let known = in_time(provider.look_up(reference)).await?;
        known.ok_or_else(|| NoAnswer::Unknown(reference.to_owned()))
    }

    /// What the provider holds, without asking it for anything: a payment that is not known is recalled.
    async fn held(&self, app: &App) -> Result<Option<Known>, NoAnswer> {
        let provider = self.provider(app)?;
        if let Some(reference) = &self.reference {
            return self.look_up(provider.as_ref(), reference).await.map(Some);
        }
        let recalled = in_time(provider.recall(&self.call(app, true))).await?;
        match recalled.as_ref().and_then(|known| known.outcome.reference()) {
            Some(reference) => self.look_up(provider.as_ref(), reference).await.map(Some),
            None => Ok(recalled),
        }
    }

    /// Gives up what the provider holds, or gives it back. Of a provider of which nothing is known, the call is
    /// recalled first. `time` is another one each time that it is tried.
    ///
    /// # Errors
    /// When the provider does not answer or keeps the money; it may be tried again.
    pub async fn give_back(&self, app: &App, known: Option<Known>, time: impl Display) -> Result<(), NoAnswer> {
        let provider = self.provider(app)?;
        let known = match known {
            Some(known) => known,
            None => match self.held(app).await? {
                Some(known) => known,
                None => return Ok(()),
            },
        };
        let (reference, taken) = match &known.outcome {
            Outcome::Captured { reference } => (reference.clone(), true),
            Outcome::Authorized { reference }
            | Outcome::RequiresAction { reference, .. }
            | Outcome::Processing { reference }
            | Outcome::Declined { reference: Some(reference), .. } => (reference.clone(), false),
            Outcome::Canceled { .. } | Outcome::Declined { reference: None, .. } | Outcome::Unavailable => {
                return Ok(());
            }
        };
        let left = |sums: Sums| Money::new(sums.captured_minor - sums.refunded_minor, sums.amount.currency);
        let whole = |sums: Sums| sums.amount;
        let amount = if taken { known.sums.map(left) } else { known.sums.map(whole) }.unwrap_or(self.amount);
        if taken && amount.minor <= 0 {
            return Ok(());
        }
        // What could not be given up or back may be another time, and there the key of the first time would be answered
        // with the first refusal; so would money that came back to the shop since with the first success. That it goes
        // once is seen in the provider's books. Of one that keeps none, the key must see to it.
        let what = match (taken, known.sums) {
            (true, None) => "refund".to_owned(),
            (true, Some(_)) => format!("refund:{time}"),
            (false, _) => format!("void:{time}"),
        };
        let step = PaymentStep { idempotency_key: format!("{}:{what}", self.key), old: false, reference, amount };
        let given = async { if taken { provider.refund(&step).await } else { provider.void(&step).await } };
        let keeps = |reason| NoAnswer::Silent(format!("the provider keeps the money of {}: {reason}", self.key));
        in_time(given).await?.map(|_| ()).map_err(keeps)
    }
}
