//! Cards to try the shop with: no money moves. The provider `test` is there
//! unless the server runs in production, and keeps its payments in the shop's
//! database, where a restart finds them and every node sees the same ones.
//!
//! The payment session's data says which card it is: `{"card": "success"}`.
//!
//! | card | |
//! |---|---|
//! | `success` | works at once; so does a session without data |
//! | `decline` | is declined |
//! | `3ds` | wants the shopper: `nextAction.url` is a page of this server that asks him |
//! | `delayed` | pays [`DELAY`] later |
//! | `lost` | works, and the answer to the first call gets lost |
//!
//! Customers can save cards that work: one that wants the shopper wants him
//! again when it pays. One that is on its way is not saved.

mod repo;
mod vault;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::money::Money;
use domain::payment::{CaptureMode, EntryKind, PaymentState};
use entity::{test_payment, test_payment_step};
use serde_json::json;
use uuid::Uuid;

use super::vault::PaymentVault;
use super::{Known, NewPayment, Outcome, PaymentProvider, PaymentStep, Said, Silent, Sums};
use crate::clock::Clock;
use crate::db::{Conn, Db, StatementCount};
use crate::error::Result as Stored;

/// The name of the provider.
pub const NAME: &str = "test";
/// After what time a delayed payment arrives.
pub const DELAY: TimeDelta = TimeDelta::seconds(3);
/// The cards that there are.
const CARDS: [&str; 5] = ["success", "decline", "3ds", "delayed", "lost"];
/// The card of a call that was recalled before it came: no client can name it.
const RECALLED: &str = "recalled";
/// Where the pages are that ask the shopper; the reference of the payment follows.
pub const PAGE: &str = "/hooks/payment/test/confirm/";

/// The provider `test`.
#[derive(Clone)]
pub struct TestCards {
    db: Db,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for TestCards {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestCards").finish_non_exhaustive()
    }
}

/// A payment as the page shows it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// What it is for.
    pub amount: Money,
    /// Whether it waits for the shopper.
    pub waits: bool,
    /// Where the shopper goes next.
    pub return_url: Option<String>,
}

impl From<test_payment::Model> for Shown {
    fn from(row: test_payment::Model) -> Self {
        let waits = row.state == PaymentState::RequiresAction;
        Self { amount: Money::new(row.amount_minor, row.currency), waits, return_url: row.return_url }
    }
}

impl TestCards {
    /// Keeps its payments in this database.
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock }
    }

    async fn begin(&self) -> Stored<Conn> {
        Ok(self.db.begin(&StatementCount::default()).await?)
    }

    /// A payment for its page; nothing when there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn show(&self, reference: &str) -> Stored<Option<Shown>> {
        Ok(repo::find(&self.db.read(&StatementCount::default()), reference).await?.map(Shown::from))
    }

    /// What the shopper says on the page: whether it is he. One that waits for nobody stays as it is.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn answer(&self, reference: &str, confirmed: bool) -> Stored<Option<Shown>> {
        let conn = self.begin().await?;
        let Some(mut row) = repo::lock(&conn, reference).await? else { return Ok(None) };
        if row.state == PaymentState::RequiresAction {
            if confirmed {
                arrive(&mut row);
                vault::save(&conn, &row).await?;
            } else {
                row.state = PaymentState::Failed
            }
            repo::update(&conn, row.clone()).await?;
        }
        conn.commit().await?;
        Ok(Some(row.into()))
    }

    async fn created(&self, payment: &NewPayment, card: &str) -> Stored<(test_payment::Model, bool)> {
        let conn = self.begin().await?;
        if let Some(row) = repo::find_by_key(&conn, &payment.idempotency_key).await? {
            return Ok((row, false));
        }
        let now = self.clock.now();
        let mut row = test_payment::Model {
            reference: format!("test_{}", Uuid::new_v4().simple()),
            idempotency_key: payment.idempotency_key.clone(),
            created_at: now,
            card: card.to_owned(),
            capture: payment.capture,
            amount_minor: payment.amount.minor,
            currency: payment.amount.currency,
            state: PaymentState::Pending,
            captured_minor: 0,
            refunded_minor: 0,
            return_url: payment.return_url.clone(),
            settles_at: None,
            saves_for: payment.saving.customer.clone().filter(|_| payment.saving.save),
        };
        match card {
            "decline" => row.state = PaymentState::Failed,
            RECALLED => row.state = PaymentState::Voided,
            "3ds" => row.state = PaymentState::RequiresAction,
            "delayed" => row.settles_at = Some(now + DELAY),
            _ => {
                arrive(&mut row);
                vault::save(&conn, &row).await?;
            }
        }
        repo::insert(&conn, row.clone()).await?;
        conn.commit().await?;
        Ok((row, true))
    }

    /// The saved card that pays, or its name when the customer has none so named.
    async fn saved(&self, payment: &NewPayment) -> Stored<Option<String>> {
        let Some(method) = payment.saving.method.as_deref() else { return Ok(None) };
        let customer = payment.saving.customer.as_deref().unwrap_or_default();
        let rows = repo::methods_of(&self.db.read(&StatementCount::default()), customer).await?;
        let row = rows.into_iter().find(|row| row.reference == method);
        Ok(Some(row.map_or_else(|| method.to_owned(), |row| row.card)))
    }

    async fn knows(&self, key: &str) -> Stored<bool> {
        Ok(repo::find_by_key(&self.db.read(&StatementCount::default()), key).await?.is_some())
    }

    async fn looked_up(&self, reference: &str) -> Stored<Option<Known>> {
        let found = repo::find(&self.db.read(&StatementCount::default()), reference).await?;
        Ok(found.map(|row| known(row, self.clock.now())))
    }

    async fn step(&self, kind: EntryKind, step: &PaymentStep) -> Stored<Said> {
        let conn = self.begin().await?;
        let named = format!("{}:{}", step.reference, step.idempotency_key);
        let said = |refused: Option<String>| refused.map_or(Ok(named), Err);
        let Some(mut row) = repo::lock(&conn, &step.reference).await? else {
            return Ok(Err("There is no such payment.".to_owned()));
        };
        if let Some(done) = repo::find_step(&conn, &step.idempotency_key).await? {
            return Ok(said(done.refused));
        }
        if row.settles_at.is_some_and(|at| at <= self.clock.now()) && row.state == PaymentState::Pending {
            arrive(&mut row);
        }
        let refused = match step.amount.currency == row.currency {
            true => carry_out(&mut row, kind, step.amount.minor).err(),
            false => Some("The payment is in another currency."),
        };
        let refused = refused.map(str::to_owned);
        let done = test_payment_step::Model {
            idempotency_key: step.idempotency_key.clone(),
            reference: step.reference.clone(),
            kind,
            amount_minor: step.amount.minor,
            refused: refused.clone(),
        };
        repo::update(&conn, row).await?;
        repo::insert_step(&conn, done).await?;
        conn.commit().await?;
        Ok(said(refused))
    }
}

/// The money is there.
fn arrive(row: &mut test_payment::Model) {
    match row.capture {
        CaptureMode::Automatic => {
            row.state = PaymentState::Captured;
            row.captured_minor = row.amount_minor;
        }
        CaptureMode::Manual => row.state = PaymentState::Authorized,
    }
}

fn carry_out(row: &mut test_payment::Model, kind: EntryKind, minor: i64) -> Result<(), &'static str> {
    use PaymentState::{Authorized, Captured, Failed, PartiallyCaptured, RequiresAction, Voided};
    match (kind, row.state) {
        (EntryKind::Capture, Authorized | PartiallyCaptured) => {
            if minor < 1 || minor > row.amount_minor - row.captured_minor {
                return Err("This is more than is left to take.");
            }
            row.captured_minor += minor;
            row.state = if row.captured_minor == row.amount_minor { Captured } else { PartiallyCaptured };
            Ok(())
        }
        (EntryKind::Void, Authorized | RequiresAction) => {
            row.state = Voided;
            Ok(())
        }
        (EntryKind::Void, PartiallyCaptured) => {
            row.state = Captured;
            Ok(())
        }
        (EntryKind::Void, Voided | Failed) => Ok(()),
        (EntryKind::Refund, Captured | PartiallyCaptured) => {
            if minor < 1 || minor > row.captured_minor - row.refunded_minor {
                return Err("This is more than is left to give back.");
            }
            row.refunded_minor += minor;
            Ok(())
        }
        _ => Err("The payment does not stand so that this can be done."),
    }
}

fn known(mut row: test_payment::Model, now: DateTime<Utc>) -> Known {
    if row.state == PaymentState::Pending && row.settles_at.is_some_and(|at| at <= now) {
        arrive(&mut row);
    }
    let sums = Sums {
        amount: Money::new(row.amount_minor, row.currency),
        captured_minor: row.captured_minor,
        refunded_minor: row.refunded_minor,
    };
    let reference = row.reference;
    let outcome = match row.state {
        PaymentState::Authorized => Outcome::Authorized { reference },
        PaymentState::RequiresAction => {
            let next_action = json!({ "type": "redirect", "url": format!("{PAGE}{reference}") });
            Outcome::RequiresAction { reference, next_action }
        }
        PaymentState::Pending => Outcome::Processing { reference },
        PaymentState::Failed => Outcome::Declined { reference: None, reason: "The test card was declined.".to_owned() },
        PaymentState::Voided => Outcome::Canceled { reference },
        _ => Outcome::Captured { reference },
    };
    Known { outcome, sums: Some(sums) }
}

fn silent(error: crate::error::Error) -> Silent {
    Silent(error.to_string())
}

#[async_trait]
impl PaymentProvider for TestCards {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn create(&self, payment: &NewPayment) -> Result<Outcome, Silent> {
        let saved = self.saved(payment).await.map_err(silent)?;
        let card = saved.as_deref().or(payment.data["card"].as_str()).unwrap_or("success");
        // One that was saved may be gone by the time that the same call comes again.
        if !CARDS.contains(&card) && !self.knows(&payment.idempotency_key).await.map_err(silent)? {
            let reason = format!("There is no such test card; the cards are {}.", CARDS.join(", "));
            return Ok(Outcome::Declined { reference: None, reason });
        }
        let (row, new) = self.created(payment, card).await.map_err(silent)?;
        if new && card == "lost" {
            return Err(Silent("the answer got lost, as it does with this card".to_owned()));
        }
        Ok(known(row, self.clock.now()).outcome)
    }

    async fn recall(&self, payment: &NewPayment) -> Result<Option<Known>, Silent> {
        let (row, _) = self.created(payment, RECALLED).await.map_err(silent)?;
        Ok(Some(known(row, self.clock.now())))
    }

    async fn look_up(&self, reference: &str) -> Result<Option<Known>, Silent> {
        self.looked_up(reference).await.map_err(silent)
    }

    async fn capture(&self, step: &PaymentStep) -> Result<Said, Silent> {
        self.step(EntryKind::Capture, step).await.map_err(silent)
    }

    async fn void(&self, step: &PaymentStep) -> Result<Said, Silent> {
        self.step(EntryKind::Void, step).await.map_err(silent)
    }

    async fn refund(&self, step: &PaymentStep) -> Result<Said, Silent> {
        self.step(EntryKind::Refund, step).await.map_err(silent)
    }

    fn vault(&self) -> Option<&dyn PaymentVault> {
        Some(self)
    }
}
