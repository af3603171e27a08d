//! Stripe, over its own protocol: PaymentIntents that are created and confirmed
//! on the server, from a payment method or a confirmation token that Stripe's
//! library in the browser made.
//!
//! The payment session's data is `{"paymentMethodId": "pm_…"}` or
//! `{"confirmationTokenId": "ctoken_…"}` unless a saved method pays, and
//! `returnUrl` where the shopper comes back to on a storefront of the shop. Card data never passes through here.
//!
//! | to change | edit |
//! |---|---|
//! | how Stripe is called | [`client`] |
//! | what it means what it tells | [`intent`] |
//! | how amounts are counted | [`domain::provider::stripe`] |
//! | how its events are proven | [`event`] |
//! | what customers save | [`vault`] |

mod client;
mod event;
mod intent;
mod vault;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use chrono::{DateTime, TimeDelta, Utc};
use domain::payment::CaptureMode;
use domain::provider::stripe::to_stripe;
use serde_json::Value;

use self::client::{Api, Fault, Form};
use self::intent::{is_name, known, words};
use super::vault::PaymentVault;
use super::{Event, FORGETTABLE, Forged, Known, NewPayment, Outcome, PaymentProvider, PaymentStep, Said, Silent};

/// The name of the provider.
pub const NAME: &str = "stripe";

/// How the operator describes his account.
#[derive(Clone, Default)]
pub struct StripeConfig {
    /// The secret key, or a restricted one.
    pub secret_key: String,
    /// What Stripe signs its events with; several while one is being replaced.
    pub webhook_secrets: Vec<String>,
    /// Another address of the protocol, for tests.
    pub api: Option<String>,
}

impl std::fmt::Debug for StripeConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StripeConfig").field("api", &self.api).finish_non_exhaustive()
    }
}

/// The provider `stripe`.
pub struct Stripe {
    api: Api,
    live: bool,
    event_keys: Vec<hmac::Key>,
}

impl std::fmt::Debug for Stripe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stripe").field("live", &self.live).finish_non_exhaustive()
    }
}

/// `name=value` for a form.
fn field(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

impl Stripe {
    /// # Errors
    /// What is wrong with the settings, in words; never the secrets themselves.
    pub fn new(config: &StripeConfig) -> Result<Self, String> {
        let key = &config.secret_key;
        if !["sk_test_", "sk_live_", "rk_test_", "rk_live_"].iter().any(|prefix| is_name(key, prefix)) {
            return Err("stripe_secret_key begins with sk_test_, sk_live_, rk_test_ or rk_live_".to_owned());
        }
        if config.webhook_secrets.iter().any(|secret| !is_name(secret, "whsec_")) {
            return Err("stripe_webhook_secret begins with whsec_; several are set apart by commas".to_owned());
        }
        let event_key = |secret: &String| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        Ok(Self {
            api: Api::new(config)?,
            live: key[3..].starts_with("live_"),
            event_keys: config.webhook_secrets.iter().map(event_key).collect(),
        })
    }

    /// Whether the key is good.
    ///
    /// # Errors
    /// Why not, in words.
    pub async fn check(&self) -> Result<String, String> {
        let mode = if self.live { "live" } else { "test" };
        match self.api.get("/v1/balance", &Form::new()).await {
            Ok(_) => Ok(format!("Stripe answers in {mode} mode")),
            Err(Fault::NotAllowed) => Err("Stripe does not take the secret key".to_owned()),
            Err(Fault::Silent(why)) => Err(format!("Stripe does not answer: {why}")),
            Err(fault) => Err(format!("Stripe does not answer as expected: {fault:?}")),
        }
    }

    /// The payment of a checkout, found by what was written on it.
    async fn find(&self, checkout: &str) -> Result<Option<Known>, Silent> {
        let query = format!("metadata['checkout']:'{checkout}'");
        let form = vec![field("query", query), field("expand[]", "data.latest_charge")];
        let found = self.api.get("/v1/payment_intents/search", &form).await.map_err(silent)?;
        found["data"].as_array().and_then(|data| data.first()).map(known).transpose()
    }

    async fn intent(&self, reference: &str) -> Result<Option<Known>, Silent> {
        if !is_name(reference, "pi_") {
            return Ok(None);
        }
        let expand = vec![field("expand[]", "latest_charge")];
        match self.api.get(&format!("/v1/payment_intents/{reference}"), &expand).await {
            Ok(intent) => known(&intent).map(Some),
            Err(Fault::Missing) => Ok(None),
            Err(fault) => Err(silent(fault)),
        }
    }

    /// The refund that was made with this key, found by what was written on it.
    async fn refund_of(&self, step: &PaymentStep) -> Result<Option<Value>, Silent> {
        let mut form = vec![field("payment_intent", &step.reference), field("limit", 100)];
        loop {
            let found = self.api.get("/v1/refunds", &form).await.map_err(silent)?;
            let refunds = found["data"].as_array().map(Vec::as_slice).unwrap_or_default();
            let own = |refund: &&Value| refund["metadata"]["key"] == step.idempotency_key.as_str();
            if let Some(refund) = refunds.iter().find(own) {
                return Ok(Some(refund.clone()));
            }
            match refunds.last().and_then(|last| last["id"].as_str()).filter(|_| found["has_more"] == true) {
                Some(last) => {
                    form.truncate(2);
                    form.push(field("starting_after", last));
                }
                None => return Ok(None),
            }
        }
    }

    /// A step on an intent. What can't be done is told to staff with Stripe's word for it.
    async fn step(&self, step: &PaymentStep, path: &str, form: &Form) -> Result<Result<Value, String>, Silent> {
        if !is_name(&step.reference, "pi_") {
            return Ok(Err("Stripe knows no such payment.".to_owned()));
        }
        match self.api.post(path, form, &step.idempotency_key).await {
            Ok(done) => Ok(Ok(done)),
            Err(Fault::Refused { code }) => Ok(Err(format!("Stripe refused this: {code}."))),
            Err(Fault::Declined(error)) => Ok(Err(words(&error).to_owned())),
            Err(Fault::Missing) => Ok(Err("Stripe knows no such payment.".to_owned())),
            Err(fault) => Err(silent(fault)),
        }
    }
}

/// After what time Stripe's search knows of everything.
const FOUND_BY: TimeDelta = TimeDelta::hours(1);
/// Where an intent carries the key that made it.
const CHECKOUT: &str = "metadata[checkout]";
/// Where a refund carries the key that made it.
const REFUND_KEY: &str = "metadata[key]";

/// The form of an intent that is never confirmed.
fn placeholder(payment: &NewPayment) -> Result<Form, String> {
    Ok(vec![
        field("amount", to_stripe(payment.amount)?),
        field("currency", payment.amount.currency.code().to_lowercase()),
        field(CHECKOUT, &payment.idempotency_key),
    ])
}

/// The form that creates and confirms an intent; why there can be none in words for the shopper.
fn creation(payment: &NewPayment) -> Result<Form, String> {
    let amount = to_stripe(payment.amount).map_err(|why| {
        tracing::warn!(why, "an amount that Stripe does not take");
        "This amount can't be paid so.".to_owned()
    })?;
    let given = |name: &str, prefix: &str| payment.data[name].as_str().filter(|id| is_name(id, prefix));
    let saving = &payment.saving;
    let saved = saving.method.as_deref().filter(|id| is_name(id, "pm_"));
    let method = match (saved.or(given("paymentMethodId", "pm_")), given("confirmationTokenId", "ctoken_")) {
        (Some(method), _) => field("payment_method", method),
        (None, Some(token)) => field("confirmation_token", token),
        (None, None) => return Err("No payment method was given.".to_owned()),
    };
    let manual = payment.capture == CaptureMode::Manual;
    let mut form = vec![
        field("amount", amount),
        field("currency", payment.amount.currency.code().to_lowercase()),
        field("confirm", true),
        field("capture_method", if manual { "manual" } else { "automatic" }),
        method,
        field("automatic_payment_methods[enabled]", true),
        field(CHECKOUT, &payment.idempotency_key),
    ];
    match &payment.return_url {
        Some(url) => form.push(field("return_url", url)),
        // Ways to pay that send the shopper elsewhere could not bring him back.
        None => form.push(field("automatic_payment_methods[allow_redirects]", "never")),
    }
    // Without its customer, Stripe refuses a saved method.
    if let Some(customer) = saving.customer.as_deref().filter(|id| is_name(id, "cus_")) {
        form.push(field("customer", customer));
        // Of cards alone: other ways to pay would be refused with it. The shopper is there whenever he pays.
        if saving.save {
            form.push(field("payment_method_options[card][setup_future_usage]", "on_session"));
        }
    }
    Ok(form)
}

fn silent(fault: Fault) -> Silent {
    match fault {
        Fault::Silent(why) => Silent(why),
        Fault::NotAllowed => {
            tracing::error!("Stripe does not take the secret key: look at stripe_secret_key");
            Silent("it does not take the secret key".to_owned())
        }
        Fault::KeyReused => Silent("the key was used with something else".to_owned()),
        Fault::Refused { code } => Silent(format!("it refused the call: {code}")),
        Fault::Declined(_) | Fault::Missing => Silent("it answered what can't be".to_owned()),
    }
}

#[async_trait]
impl PaymentProvider for Stripe {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Most accounts may capture an intent once.
    fn captures_in_parts(&self) -> bool {
        false
    }

    async fn create(&self, payment: &NewPayment) -> Result<Outcome, Silent> {
        // What Stripe remembers of a key may be gone after a day.
        if payment.age > FORGETTABLE
            && let Some(found) = self.find(&payment.idempotency_key).await?
        {
            return Ok(found.outcome);
        }
        let form = match creation(payment) {
            Ok(form) => form,
            Err(reason) => {
                // What is wrong now may have been right when it was asked first.
                let made = if payment.repeated { self.find(&payment.idempotency_key).await? } else { None };
                return Ok(made.map_or(Outcome::Declined { reference: None, reason }, |known| known.outcome));
            }
        };
        match self.api.post("/v1/payment_intents", &form, &payment.idempotency_key).await {
            Ok(intent) => Ok(known(&intent)?.outcome),
            Err(Fault::Declined(error)) => {
                let reference = error["payment_intent"]["id"].as_str().filter(|id| is_name(id, "pi_"));
                Ok(Outcome::Declined { reference: reference.map(str::to_owned), reason: words(&error).to_owned() })
            }
            // The first call may have had an effect, with the key as it was then.
            Err(Fault::NotAllowed) if !payment.repeated => {
                let _ = silent(Fault::NotAllowed);
                Ok(Outcome::Unavailable)
            }
            Err(Fault::KeyReused) => match self.find(&payment.idempotency_key).await? {
                Some(found) => Ok(found.outcome),
                None => Err(silent(Fault::KeyReused)),
            },
            Err(Fault::Refused { code }) => {
                tracing::warn!(code, "Stripe refused a payment");
                let reason = "This way to pay can't be used; choose another one.".to_owned();
                Ok(Outcome::Declined { reference: None, reason })
            }
            Err(fault) => Err(silent(fault)),
        }
    }

    /// The same key with something else: an intent that nobody confirms takes the place of the one that has not come,
    /// and one that has come is there to be found.
    async fn recall(&self, payment: &NewPayment) -> Result<Option<Known>, Silent> {
        if payment.age > FORGETTABLE {
            return self.find(&payment.idempotency_key).await;
        }
        let Ok(form) = placeholder(payment) else { return Ok(None) };
        match self.api.post("/v1/payment_intents", &form, &payment.idempotency_key).await {
            Ok(intent) => known(&intent).map(Some),
            Err(Fault::KeyReused) => match self.find(&payment.idempotency_key).await? {
                Some(found) => Ok(Some(found)),
                // The key is spent, so that nothing comes of it any more; what came of it can be found by now.
                None if payment.age > FOUND_BY => Ok(None),
                None => Err(silent(Fault::KeyReused)),
            },
            Err(fault) => Err(silent(fault)),
        }
    }

    async fn look_up(&self, reference: &str) -> Result<Option<Known>, Silent> {
        self.intent(reference).await
    }

    async fn capture(&self, step: &PaymentStep) -> Result<Said, Silent> {
        let amount = match to_stripe(step.amount) {
            Ok(amount) => amount,
            Err(why) => return Ok(Err(why)),
        };
        if step.old
            && let Some(sums) = self.intent(&step.reference).await?.and_then(|known| known.sums)
            && sums.captured_minor == step.amount.minor
        {
            return Ok(Ok(step.reference.clone()));
        }
        let path = format!("/v1/payment_intents/{}/capture", step.reference);
        let done = self.step(step, &path, &vec![field("amount_to_capture", amount)]).await?;
        Ok(done.map(|intent| intent["latest_charge"].as_str().unwrap_or(&step.reference).to_owned()))
    }

    async fn void(&self, step: &PaymentStep) -> Result<Said, Silent> {
        let path = format!("/v1/payment_intents/{}/cancel", step.reference);
        match self.step(step, &path, &Form::new()).await? {
            Ok(_) => Ok(Ok(step.reference.clone())),
            Err(why) => match self.intent(&step.reference).await?.map(|known| known.outcome) {
                Some(Outcome::Canceled { reference }) => Ok(Ok(reference)),
                _ => Ok(Err(why)),
            },
        }
    }

    async fn refund(&self, step: &PaymentStep) -> Result<Said, Silent> {
        let amount = match to_stripe(step.amount) {
            Ok(amount) => amount,
            Err(why) => return Ok(Err(why)),
        };
        let made = if step.old { self.refund_of(step).await? } else { None };
        let form = vec![
            field("payment_intent", &step.reference),
            field("amount", amount),
            field(REFUND_KEY, &step.idempotency_key),
        ];
        let refund = match made {
            Some(refund) => Ok(refund),
            None => self.step(step, "/v1/refunds", &form).await?,
        };
        Ok(match refund {
            Ok(refund) if ["failed", "canceled"].contains(&refund["status"].as_str().unwrap_or_default()) => {
                Err("Stripe could not give the money back.".to_owned())
            }
            Ok(refund) => Ok(refund["id"].as_str().unwrap_or(&step.reference).to_owned()),
            Err(why) => Err(why),
        })
    }

    fn vault(&self) -> Option<&dyn PaymentVault> {
        Some(self)
    }

    fn sends_events(&self) -> bool {
        !self.event_keys.is_empty()
    }

    fn read_event(
        &self,
        header: &(dyn Fn(&str) -> Option<String> + Sync),
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Event, Forged> {
        event::read(&self.event_keys, self.live, header("stripe-signature").as_deref(), body, now)
    }
}
