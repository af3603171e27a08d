//! A payment provider that says what the test wants, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use engine::provider::payment::{Known, NewPayment, Outcome, PaymentProvider, PaymentStep, Said, Silent};
use serde_json::json;
use tokio::sync::Semaphore;

use super::Shop;
use super::database::TestDatabase;

/// What the provider says to a new payment.
#[derive(Debug, Clone)]
pub enum Says {
    Authorized,
    Captured,
    Declined,
    RequiresAction,
    Processing,
    Silence,
    /// That it knows no such payment, when it is asked for one.
    Unknown,
    /// Nothing before the test lets it; then this.
    OnceLetThrough(Arc<Semaphore>, Box<Says>),
}

/// Something that the provider was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub what: &'static str,
    pub key: String,
    pub minor: i64,
}

/// The provider `scripted`, or another one of this kind: it authorizes unless the script says otherwise.
#[derive(Debug)]
pub struct Scripted {
    name: &'static str,
    script: Mutex<VecDeque<Says>>,
    refuses_steps: Mutex<bool>,
    is_silent: Mutex<bool>,
    asked: Mutex<Vec<Asked>>,
}

impl Scripted {
    /// One of this name.
    pub fn named(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            name,
            script: Mutex::default(),
            refuses_steps: Mutex::default(),
            is_silent: Mutex::default(),
            asked: Mutex::default(),
        })
    }

    /// Says this to the next payments, one after the other.
    pub fn will_say(&self, script: impl IntoIterator<Item = Says>) {
        self.script.lock().unwrap().extend(script);
    }

    /// Says no to every capture, void and refund from now on.
    pub fn refuse_steps(&self) {
        *self.refuses_steps.lock().unwrap() = true;
    }

    /// Forgets what it was to say.
    pub fn forget_script(&self) {
        self.script.lock().unwrap().clear();
    }

    /// Answers no capture, void and refund, or answers again.
    pub fn fall_silent(&self, silent: bool) {
        *self.is_silent.lock().unwrap() = silent;
    }

    /// Says yes to them again.
    pub fn accept_steps(&self) {
        *self.refuses_steps.lock().unwrap() = false;
    }

    /// What it was asked of this kind: `create`, `recall`, `look_up`, `capture`, `void`, `refund`.
    pub fn asked(&self, what: &str) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().filter(|asked| asked.what == what).cloned().collect()
    }

    fn note(&self, what: &'static str, key: &str, minor: i64) {
        self.asked.lock().unwrap().push(Asked { what, key: key.to_owned(), minor });
    }

    async fn says(&self, reference: String) -> Result<Outcome, Silent> {
        let mut says = self.script.lock().unwrap().pop_front().unwrap_or(Says::Authorized);
        while let Says::OnceLetThrough(gate, then) = says {
            gate.acquire().await.unwrap().forget();
            says = *then;
        }
        match says {
            Says::Authorized => Ok(Outcome::Authorized { reference }),
            Says::Captured => Ok(Outcome::Captured { reference }),
            Says::Declined => Ok(Outcome::Declined { reference: None, reason: "The card was declined.".to_owned() }),
            Says::RequiresAction => {
                Ok(Outcome::RequiresAction { reference, next_action: json!({ "url": "https://pay.example/3ds" }) })
            }
            Says::Processing => Ok(Outcome::Processing { reference }),
            Says::Silence | Says::Unknown | Says::OnceLetThrough(..) => Err(Silent("the line is dead".to_owned())),
        }
    }

    fn step(&self, what: &'static str, step: &PaymentStep) -> Result<Said, Silent> {
        assert!(step.reference.starts_with("scripted:"), "{what} of a payment that was never made: {step:?}");
        self.note(what, &step.idempotency_key, step.amount.minor);
        if *self.is_silent.lock().unwrap() {
            return Err(Silent("the line is dead".to_owned()));
        }
        Ok(match *self.refuses_steps.lock().unwrap() {
            true => Err("not today".to_owned()),
            false => Ok(format!("{}:{what}", step.reference)),
        })
    }
}

#[async_trait]
impl PaymentProvider for Scripted {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn create(&self, payment: &NewPayment) -> Result<Outcome, Silent> {
        self.note("create", &payment.idempotency_key, payment.amount.minor);
        self.says(format!("scripted:{}", payment.idempotency_key)).await
    }

    async fn recall(&self, payment: &NewPayment) -> Result<Option<Known>, Silent> {
        self.note("recall", &payment.idempotency_key, payment.amount.minor);
        let outcome = self.says(format!("scripted:{}", payment.idempotency_key)).await?;
        Ok(Some(Known { outcome, sums: None }))
    }

    async fn look_up(&self, reference: &str) -> Result<Option<Known>, Silent> {
        self.note("look_up", reference, 0);
        if self.script.lock().unwrap().pop_front_if(|says| matches!(says, Says::Unknown)).is_some() {
            return Ok(None);
        }
        let outcome = self.says(reference.to_owned()).await?;
        Ok(Some(Known { outcome, sums: None }))
    }

    async fn capture(&self, step: &PaymentStep) -> Result<Said, Silent> {
        self.step("capture", step)
    }

    async fn void(&self, step: &PaymentStep) -> Result<Said, Silent> {
        self.step("void", step)
    }

    async fn refund(&self, step: &PaymentStep) -> Result<Said, Silent> {
        self.step("refund", step)
    }
}

/// A shop in Germany, prices with tax, that takes money through `scripted` or `manual`.
pub async fn scripted_shop() -> (Shop, Arc<Scripted>) {
    let provider = Scripted::named("scripted");
    let database = Arc::new(TestDatabase::copy().await);
    let own = provider.clone();
    let shop = Shop::on(database, |builder| builder.payment(own)).await;
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual", "scripted"]).await;
    (shop, provider)
}
