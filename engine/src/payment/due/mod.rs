//! Paying what an order still owes, whole or in part: by whose order it is, by
//! whoever holds a link that staff made, or as staff saw the money come.
//!
//! ```text
//! PENDING ◀──money on its way── the provider ──promised, taken──▶ AUTHORIZED, CAPTURED
//!    │                            ▲      │
//!    └──────────asked again───────┘      ├──wants the shopper──▶ REQUIRES_ACTION ──▶ asked again
//!                                        └──declined, called off, too late──▶ FAILED
//! ```
//!
//! A payment begins with a pending authorization in its ledger, which holds
//! its share of what is owed. An order has one that is under way at most.
//!
//! | to change | edit |
//! |---|---|
//! | what is owed | `domain::payment` |
//! | the transactions | [`ops`] |
//! | links | [`link`] |

pub mod link;
pub mod ops;

use std::sync::Arc;

use domain::flow::FlowState;
use domain::id::PaymentId;
use domain::money::Money;
use domain::payment::{CaptureMode, PaymentState};
use domain::refusal::{ErrorCode, Refusal};
use entity::{payment, provider_event};
use tracing::Instrument;

use self::ops::{BeginPayment, Begun, Fail, Land, Wait};
use super::charge::{Charge, Verdict, is_paid, return_url};
use super::method::saving;
use super::repo;
use crate::actor::Caller;
use crate::app::App;
use crate::checkout::flow::{CANCEL, STEP};
use crate::checkout::place::{Postpone, Take};
use crate::error::{Error, Result};
use crate::failpoint;
use crate::flow::PARKED_LIFE;
use crate::op::in_flight;
use crate::provider::payment::Known;

/// The kind of a payment's run.
pub const KIND: &str = "order_payment";

/// What became of a payment so far.
#[derive(Debug, Clone)]
pub enum Paying {
    /// The money is promised or taken.
    Done,
    /// The shopper must do something first; the same call goes on.
    NextAction(serde_json::Value),
    /// The money is on its way.
    Processing,
}

/// Pays, or goes on where the same call stopped.
///
/// # Errors
/// Why nothing is paid.
pub async fn pay(app: &Arc<App>, caller: &Caller, begin: &BeginPayment) -> Result<(PaymentId, Paying)> {
    match app.run(caller, begin).await? {
        Begun::Ended(id) => Ok((id, Paying::Done)),
        Begun::Held(row, attempts) => {
            failpoint::reach("order_payment.begun");
            let id = row.id;
            // A client that hangs up must not leave the run half way.
            let app = app.clone();
            let run = tokio::spawn(async move { drive(&app, *row, attempts).await }.in_current_span());
            Ok((id, run.await??))
        }
    }
}

async fn charge(app: &App, row: &payment::Model) -> Result<Charge> {
    let order = row.order_id.ok_or_else(|| Error::internal("a payment has no order"))?;
    let order = crate::order::repo::find(&app.read(), order).await?;
    let order = order.ok_or_else(|| Error::internal("an order vanished"))?;
    let data = row.data.clone().unwrap_or_default();
    let (method, save) = (row.saved_method.clone(), row.saves_method);
    let saving = saving(&app.read(), order.customer_id, &row.provider, method, save).await?;
    Ok(Charge {
        saving,
        key: row.id.to_string(),
        provider: row.provider.clone(),
        reference: row.provider_reference.clone(),
        amount: Money::new(row.amount_minor, row.currency),
        capture: row.capture.unwrap_or(CaptureMode::Automatic),
        since: row.created_at,
        return_url: return_url(&app.settings(), order.channel_id, &data),
        data,
    })
}

/// Asks the provider and does what follows. The caller holds the run.
async fn drive(app: &Arc<App>, row: payment::Model, attempts: i32) -> Result<Paying> {
    let (id, system) = (row.id, Caller::system());
    let charge = charge(app, &row).await?;
    let known = match charge.ask(app, attempts > 1).await {
        Ok(known) => known,
        Err(silent) => {
            tracing::warn!(payment = %id, %silent, "the provider gave no answer");
            app.run(&system, &Postpone { run: id.to_string(), attempts, step: None }).await?;
            return Err(in_flight().into());
        }
    };
    failpoint::reach("order_payment.asked");
    let (reference, taken) = match charge.verdict(&known) {
        Verdict::Promised { reference } => (reference, false),
        Verdict::Taken { reference } => (reference, true),
        Verdict::Waits { reference, next_action } => {
            app.run(&system, &Wait { payment: id, reference, next_action: next_action.clone(), attempts }).await?;
            return Ok(next_action.map_or(Paying::Processing, Paying::NextAction));
        }
        Verdict::Refused(refused) => {
            undo(app, &charge, &row, Some(known), attempts, &refused.message).await?;
            return Err(refused.into());
        }
    };
    if app.run(&system, &Land { payment: id, reference, taken }).await? {
        return Ok(Paying::Done);
    }
    let refused = Refusal::new(ErrorCode::StateInvalid, "This payment was called off.");
    undo(app, &charge, &row, Some(known), attempts, &refused.message).await?;
    Err(refused.into())
}

/// Gives up what the provider holds, and ends the payment as one that came to nothing. The caller holds the run.
async fn undo(
    app: &Arc<App>,
    charge: &Charge,
    row: &payment::Model,
    known: Option<Known>,
    attempts: i32,
    why: &str,
) -> Result<()> {
    let system = Caller::system();
    let reference = known.as_ref().and_then(|known| known.outcome.reference()).map(str::to_owned);
    if let Err(error) = charge.give_back(app, known, attempts).await {
        tracing::warn!(payment = %row.id, %error, "a payment could not be given up; it is tried again");
        app.run(&system, &Postpone { run: row.id.to_string(), attempts, step: Some(CANCEL) }).await?;
        return Err(in_flight().into());
    }
    failpoint::reach("order_payment.given_up");
    app.run(&system, &Fail { payment: row.id, reference, why: why.to_owned() }).await
}

async fn find(app: &App, id: PaymentId) -> Result<payment::Model> {
    repo::find(&app.read(), id).await?.ok_or_else(|| Error::internal("a payment vanished"))
}

/// Whether it is not decided yet what becomes of a payment.
pub fn is_open(row: &payment::Model) -> bool {
    matches!(row.state, PaymentState::Pending | PaymentState::RequiresAction)
}

/// Calls a payment off: first at the provider, then here. The run must be parked or lost; a step that is running is
/// left alone.
///
/// # Errors
/// When it is running, or the provider does not let go.
pub async fn cancel(app: &Arc<App>, id: PaymentId) -> Result<()> {
    // A client that hangs up must not leave the run half way.
    let app = app.clone();
    let run = async move {
        let take = Take { run: id.to_string(), step: Some(CANCEL) };
        let taken = app.run(&Caller::system(), &take).await?;
        // Read after it was taken: nobody else changes it now.
        let row = find(&app, id).await?;
        match (is_open(&row), taken) {
            (false, _) => Ok(()),
            (true, None) => Err(in_flight().into()),
            (true, Some(run)) => call_off(&app, &row, run.attempts).await,
        }
    };
    tokio::spawn(run.in_current_span()).await?
}

async fn call_off(app: &Arc<App>, row: &payment::Model, attempts: i32) -> Result<()> {
    undo(app, &charge(app, row).await?, row, None, attempts, "The payment was called off.").await
}

/// Takes up a run that is due: one that was lost or whose money is on its way goes on. One whose shopper never came back
/// is called off, unless he has paid.
///
/// # Errors
/// When nothing is paid, or the provider does not answer.
pub async fn resume(app: &Arc<App>, id: PaymentId, run: &entity::flow::Model) -> Result<()> {
    let waited = run.state == FlowState::Parked && run.step == STEP;
    go_on(app, id, waited).await.map(|_| ())
}

async fn go_on(app: &Arc<App>, id: PaymentId, waited: bool) -> Result<bool> {
    let take = Take { run: id.to_string(), step: None };
    let Some(run) = app.run(&Caller::system(), &take).await? else { return Ok(false) };
    let row = find(app, id).await?;
    if !is_open(&row) {
        return Ok(true);
    }
    if run.step == CANCEL {
        return call_off(app, &row, run.attempts).await.map(|()| true);
    }
    // Nobody is charged hours after he left.
    let forgotten = row.provider_reference.is_none() && app.clock.now() > row.created_at + PARKED_LIFE;
    if forgotten || (waited && !is_paid(app, &run, charge(app, &row).await?).await?) {
        return call_off(app, &row, run.attempts).await.map(|()| true);
    }
    drive(app, row, run.attempts).await.map(|_| true)
}

/// Does what the provider's telling of a payment asks for; `false` when somebody is at it.
///
/// # Errors
/// When the provider does not answer: it is looked at again.
pub async fn hear(app: &Arc<App>, mut row: payment::Model, event: &provider_event::Model) -> Result<bool> {
    if is_open(&row) {
        return match go_on(app, row.id, false).await {
            // A refusal is an outcome, or the run waits for its next try.
            Ok(true) | Err(Error::Refused(_)) => Ok(true),
            Ok(false) => Ok(!is_open(&find(app, row.id).await?)),
            Err(error) => Err(error),
        };
    }
    if row.state == PaymentState::Failed {
        // Money of what came to nothing goes back.
        row.provider_reference.clone_from(&event.reference);
        charge(app, &row).await?.give_back(app, None, event.attempts + 1_000).await?;
        return Ok(true);
    }
    super::reconcile::reconcile(app, &row).await
}
