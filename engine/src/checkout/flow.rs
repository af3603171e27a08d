//! The steps of a checkout in their order, and what undoes them.

use std::sync::Arc;

use domain::checkout::CheckoutState;
use domain::flow::FlowState;
use domain::id::{CheckoutId, OrderId};
use domain::money::Money;
use domain::payment::CaptureMode;
use domain::refusal::Refusal;
use entity::checkout;
use tracing::Instrument;

use super::begin::{Begin, Begun};
use super::frozen::Frozen;
use super::place::{Abandon, EndReturn, Park, Place, Postpone, Take, TakeReturn};
use super::repo;
use crate::actor::Caller;
use crate::app::App;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::flow::PARKED_LIFE;
use crate::op::in_flight;
use crate::payment::charge::{Charge, Verdict, is_paid, return_url};
use crate::payment::method::saving;
use crate::provider::payment::{Known, Outcome};

/// The kind of a checkout's run.
pub const KIND: &str = "checkout";
/// The step of a run that is called off: it becomes no order. A call of which nothing is known is recalled; money that
/// it had taken goes back.
pub const CANCEL: &str = "cancel";
/// The step of a run that asks the provider, or waits for the shopper.
pub const STEP: &str = "provider";
/// The step of a run that waits for money on its way.
pub const LOOK: &str = "look";
/// The kind of a run that gives back what came after its checkout was called off.
pub const RETURN: &str = "checkout_return";

/// What a checkout came to.
#[derive(Debug, Clone)]
pub enum Completed {
    /// It is an order.
    Placed(OrderId),
    /// The shopper must do something first; the same call goes on.
    NextAction(serde_json::Value),
    /// The money is on its way; it becomes an order when that has arrived.
    Processing,
}

fn as_system(caller: &Caller) -> Caller {
    Caller { actor: crate::actor::Actor::System, ..caller.clone() }
}

/// Turns a cart into an order, or goes on where the same call stopped.
pub async fn complete(app: &Arc<App>, caller: &Caller, begin: &Begin) -> Result<Completed> {
    match app.run(caller, begin).await? {
        Begun::Placed(order) => Ok(Completed::Placed(order)),
        Begun::Held(row, attempts) => {
            failpoint::reach("checkout.begun");
            // A client that hangs up must not leave the run half way.
            let (app, caller) = (app.clone(), as_system(caller));
            let run = async move { drive(&app, &caller, *row, attempts).await };
            let run = tokio::spawn(run.in_current_span());
            run.await?
        }
    }
}

/// Asks the provider and does what follows. The caller holds the run.
async fn drive(app: &Arc<App>, caller: &Caller, row: checkout::Model, attempts: i32) -> Result<Completed> {
    let id = row.id;
    let charge = charge(app, &row).await?;
    let asked = async {
        match &charge {
            Some(charge) => charge.ask(app, attempts > 1).await.map(Some),
            None => Ok(None),
        }
    };
    let known = match asked.await {
        Ok(known) => known,
        Err(silent) => {
            tracing::warn!(checkout = %id, %silent, "the provider gave no answer");
            app.run(caller, &Postpone { run: id.to_string(), attempts, step: None }).await?;
            return Err(in_flight().into());
        }
    };
    failpoint::reach("checkout.paid");
    let verdict = charge.as_ref().zip(known.as_ref()).map(|(charge, known)| charge.verdict(known));
    match verdict {
        Some(Verdict::Waits { reference, next_action }) => {
            app.run(caller, &Park { checkout: id, reference, next_action: next_action.clone(), attempts }).await?;
            Ok(next_action.map_or(Completed::Processing, Completed::NextAction))
        }
        Some(Verdict::Refused(refused)) => decline(app, caller, &row, known, attempts, refused).await,
        Some(Verdict::Promised { .. } | Verdict::Taken { .. }) | None => {
            let outcome = known.as_ref().map(|known| known.outcome.clone());
            match app.run(caller, &Place { checkout: row.clone(), outcome }).await {
                Ok(order) => Ok(Completed::Placed(order)),
                Err(Error::Refused(refusals)) => {
                    send_back(app, &row, known).await?;
                    Err(refusals.into())
                }
                Err(error) => Err(error),
            }
        }
    }
}

/// Ends a checkout that the provider refused, so that nobody can pay it any more.
async fn decline(
    app: &Arc<App>,
    caller: &Caller,
    row: &checkout::Model,
    known: Option<Known>,
    attempts: i32,
    refused: Refusal,
) -> Result<Completed> {
    if let Err(error) = give_back(app, row, known, attempts).await {
        tracing::warn!(checkout = %row.id, %error, "a refused payment could not be given up; it is tried again");
        app.run(caller, &Postpone { run: row.id.to_string(), attempts, step: Some(CANCEL) }).await?;
        return Err(in_flight().into());
    }
    failpoint::reach("checkout.declined");
    app.run(caller, &Abandon { checkout: row.id, cart: row.cart_id }).await?;
    Err(refused.into())
}

/// What is asked of the provider; nothing when nothing is due.
async fn charge(app: &App, row: &checkout::Model) -> Result<Option<Charge>> {
    let Some(provider) = row.provider.clone() else { return Ok(None) };
    let data = row.provider_data.clone().unwrap_or_default();
    let frozen: Frozen = serde_json::from_value(row.frozen.clone()).map_err(Error::internal)?;
    let (method, save) = (row.saved_method.clone(), row.saves_method);
    let saving = saving(&app.read(), frozen.customer, &provider, method, save).await?;
    Ok(Some(Charge {
        saving,
        key: row.id.to_string(),
        provider,
        reference: row.provider_reference.clone(),
        amount: Money::new(row.total_minor, row.currency),
        capture: row.capture.unwrap_or(CaptureMode::Automatic),
        since: row.created_at,
        return_url: return_url(&app.settings(), frozen.channel, &data),
        data,
    }))
}

/// What the provider says; nothing when nothing is due. `Err` says why there is no usable answer.
async fn ask(app: &App, row: &checkout::Model, repeated: bool) -> Result<Option<Known>, String> {
    match charge(app, row).await.map_err(|error| error.to_string())? {
        Some(charge) => charge.ask(app, repeated).await.map(Some),
        None => Ok(None),
    }
}

/// Gives up what the provider holds for a checkout that will not be an order.
async fn give_back(app: &App, row: &checkout::Model, known: Option<Known>, attempts: i32) -> Result<()> {
    match charge(app, row).await? {
        Some(charge) => charge.give_back(app, known, attempts).await,
        None => Ok(()),
    }
}

/// The key of the run that gives back what came after a checkout was called off.
pub fn return_key(id: CheckoutId) -> String {
    format!("return:{id}")
}

/// Gives back money that came after its checkout was called off, however often it takes.
async fn send_back(app: &Arc<App>, row: &checkout::Model, known: Option<Known>) -> Result<()> {
    let system = Caller::system();
    let Some(run) = app.run(&system, &TakeReturn(row.id)).await? else { return Ok(()) };
    failpoint::reach("checkout.returning");
    match give_back(app, row, known, run.attempts).await {
        Ok(()) => app.run(&system, &EndReturn(row.id)).await,
        Err(error) => {
            tracing::warn!(checkout = %row.id, %error, "late money could not be given back; it is tried again");
            app.run(&system, &Postpone { run: return_key(row.id), attempts: run.attempts, step: None }).await
        }
    }
}

/// Takes up a run that gives back late money.
pub async fn resume_return(app: &Arc<App>, run: &entity::flow::Model) -> Result<()> {
    let id: Option<CheckoutId> = run.key.strip_prefix("return:").and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| Error::internal("a run has no checkout"))?;
    let row = repo::find(&app.read(), id).await?.ok_or_else(|| Error::internal("a checkout vanished"))?;
    let system = Caller::system();
    let Some(run) = app.run(&system, &Take { run: return_key(id), step: None }).await? else { return Ok(()) };
    match give_back(app, &row, None, run.attempts).await {
        Ok(()) => app.run(&system, &EndReturn(id)).await,
        Err(error) => {
            tracing::warn!(checkout = %id, %error, "late money could not be given back; it is tried again");
            app.run(&system, &Postpone { run: return_key(id), attempts: run.attempts, step: None }).await
        }
    }
}

/// Calls a checkout off: first at the provider, then here. The run must be
/// parked or lost; a step that is running is left alone.
pub async fn cancel(app: &Arc<App>, caller: &Caller, id: CheckoutId) -> Result<()> {
    // A client that hangs up must not leave the run half way.
    let (app, caller) = (app.clone(), as_system(caller));
    let run = tokio::spawn(async move { call_off(&app, &caller, id).await }.in_current_span());
    run.await?
}

async fn call_off(app: &Arc<App>, system: &Caller, id: CheckoutId) -> Result<()> {
    let take = Take { run: id.to_string(), step: Some(CANCEL) };
    let taken = app.run(system, &take).await?;
    // Read after it was taken: nobody else changes it now.
    let row = find(app, id).await?;
    match (is_open(&row), taken) {
        (false, _) => Ok(()),
        (true, None) => Err(in_flight().into()),
        (true, Some(run)) => undo(app, system, &row, run.attempts).await,
    }
}

async fn find(app: &App, id: CheckoutId) -> Result<checkout::Model> {
    repo::find(&app.read(), id).await?.ok_or_else(|| Error::internal("a checkout vanished"))
}

fn is_open(row: &checkout::Model) -> bool {
    matches!(row.state, CheckoutState::Pending | CheckoutState::RequiresAction)
}

/// Undoes a checkout: at the provider, then here. The caller holds the run.
async fn undo(app: &Arc<App>, system: &Caller, row: &checkout::Model, attempts: i32) -> Result<()> {
    if let Err(error) = give_back(app, row, None, attempts).await {
        tracing::warn!(checkout = %row.id, %error, "could not be called off at the provider; it is tried again");
        app.run(system, &Postpone { run: row.id.to_string(), attempts, step: Some(CANCEL) }).await?;
        return Err(in_flight().into());
    }
    failpoint::reach("checkout.called_off");
    app.run(system, &Abandon { checkout: row.id, cart: row.cart_id }).await
}

/// Takes up a run that is due: one that was lost or whose money is on its way
/// goes on. One whose shopper never came back is called off, unless he has paid.
pub async fn resume(app: &Arc<App>, id: CheckoutId, run: &entity::flow::Model) -> Result<()> {
    let waited = run.state == FlowState::Parked && run.step == STEP;
    go_on(app, id, waited).await.map(|_| ())
}

/// Goes on with a checkout because the provider tells that something happened; `false` when somebody is at it.
pub async fn wake(app: &Arc<App>, id: CheckoutId) -> Result<bool> {
    match go_on(app, id, false).await {
        // A refusal is an outcome, or the run waits for its next try.
        Ok(true) | Err(Error::Refused(_)) => Ok(true),
        Ok(false) => Ok(!is_open(&find(app, id).await?)),
        Err(error) => Err(error),
    }
}

async fn go_on(app: &Arc<App>, id: CheckoutId, waited: bool) -> Result<bool> {
    let system = Caller::system();
    let take = Take { run: id.to_string(), step: None };
    let Some(run) = app.run(&system, &take).await? else { return Ok(false) };
    let row = find(app, id).await?;
    if run.step == CANCEL {
        return undo(app, &system, &row, run.attempts).await.map(|()| true);
    }
    // Nobody is charged hours after he left.
    let forgotten = row.provider_reference.is_none() && app.clock.now() > row.created_at + PARKED_LIFE;
    let away = match charge(app, &row).await? {
        Some(charge) => forgotten || (waited && !is_paid(app, &run, charge).await?),
        None => waited,
    };
    if away {
        return undo(app, &system, &row, run.attempts).await.map(|()| true);
    }
    drive(app, &system, row, run.attempts).await.map(|_| true)
}

/// Gives back what the provider holds for a checkout that was called off; `false` when somebody is at it.
pub async fn return_late(app: &Arc<App>, row: &checkout::Model) -> Result<bool> {
    let known = ask(app, row, true).await.map_err(Error::internal)?;
    let held = known.as_ref().is_some_and(|known| match &known.outcome {
        Outcome::Captured { .. } => known.sums.is_none_or(|sums| sums.captured_minor > sums.refunded_minor),
        Outcome::Canceled { .. } | Outcome::Declined { reference: None, .. } | Outcome::Unavailable => false,
        _ => true,
    });
    if held {
        send_back(app, row, known).await?;
    }
    Ok(true)
}
