//! The steps of a checkout in their order, and what undoes them.

use std::sync::Arc;

use domain::checkout::CheckoutState;
use domain::flow::FlowState;
use domain::id::{CheckoutId, OrderId};
use domain::money::Money;
use domain::refusal::{ErrorCode, Refusal};
use entity::checkout;
use tokio::time::timeout;
use tracing::Instrument;

use super::begin::{Begin, Begun};
use super::place::{Abandon, Park, Place, Postpone, Take};
use super::repo;
use crate::actor::Caller;
use crate::app::App;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::op::in_flight;
use crate::provider::payment::{DEADLINE, NewPayment, Outcome, PaymentProvider, PaymentStep};

/// The kind of a checkout's run.
pub const KIND: &str = "checkout";
/// The step of a run that is called off: it never asks for money again.
pub const CANCEL: &str = "cancel";

/// What a checkout came to.
#[derive(Debug, Clone)]
pub enum Completed {
    /// It is an order.
    Placed(OrderId),
    /// The shopper must do something first; the same call goes on.
    NextAction(serde_json::Value),
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
    let outcome = match ask(app, &row).await {
        Ok(outcome) => outcome,
        Err(silent) => {
            tracing::warn!(checkout = %id, %silent, "the provider gave no answer");
            app.run(caller, &Postpone { checkout: id, attempts }).await?;
            return Err(in_flight().into());
        }
    };
    failpoint::reach("checkout.paid");
    match outcome {
        Some(Outcome::RequiresAction { reference, next_action }) => {
            app.run(caller, &Park { checkout: id, reference, next_action: next_action.clone() }).await?;
            Ok(Completed::NextAction(next_action))
        }
        Some(Outcome::Declined { reason }) => {
            app.run(caller, &Abandon { checkout: id, cart: row.cart_id }).await?;
            Err(Refusal::new(ErrorCode::PaymentDeclined, reason).into())
        }
        outcome => {
            let place = Place { checkout: row.clone(), outcome: outcome.clone() };
            match app.run(caller, &place).await {
                Ok(order) => Ok(Completed::Placed(order)),
                Err(Error::Refused(refusals)) => {
                    give_back(app, &row, outcome.as_ref()).await?;
                    Err(refusals.into())
                }
                Err(error) => Err(error),
            }
        }
    }
}

fn provider_of(app: &App, row: &checkout::Model) -> Result<Option<Arc<dyn PaymentProvider>>, String> {
    match &row.provider {
        None => Ok(None),
        Some(name) => app.payments.get(name).map(Some).ok_or_else(|| format!("there is no provider {name:?}")),
    }
}

/// What the provider says; nothing when nothing is due. `Err` says why there
/// is no usable answer.
async fn ask(app: &App, row: &checkout::Model) -> Result<Option<Outcome>, String> {
    let Some(provider) = provider_of(app, row)? else { return Ok(None) };
    let payment = NewPayment {
        idempotency_key: row.id.to_string(),
        amount: Money::new(row.total_minor, row.currency),
        data: row.provider_data.clone().unwrap_or_default(),
    };
    match timeout(DEADLINE, provider.create(&payment)).await {
        Ok(Ok(outcome)) => Ok(Some(outcome)),
        Ok(Err(silent)) => Err(silent.to_string()),
        Err(_) => Err("it took too long".to_owned()),
    }
}

/// Gives up what the provider holds for a checkout that will not be an order.
/// A provider that never answered is asked first what became of its call: the
/// same call again has the same effect.
async fn give_back(app: &App, row: &checkout::Model, outcome: Option<&Outcome>) -> Result<()> {
    let Some(provider) = provider_of(app, row).map_err(Error::internal)? else { return Ok(()) };
    let asked = match (outcome, &row.provider_reference) {
        (None, None) => ask(app, row).await.map_err(Error::internal)?,
        (known, _) => known.cloned(),
    };
    let (reference, taken) = match &asked {
        Some(Outcome::Captured { reference }) => (reference.clone(), true),
        Some(Outcome::Authorized { reference } | Outcome::RequiresAction { reference, .. }) => {
            (reference.clone(), false)
        }
        Some(Outcome::Declined { .. }) => return Ok(()),
        None => match &row.provider_reference {
            Some(reference) => (reference.clone(), false),
            None => return Ok(()),
        },
    };
    let step = PaymentStep {
        idempotency_key: format!("{}:back", row.id),
        reference,
        amount: Money::new(row.total_minor, row.currency),
    };
    let given = async { if taken { provider.refund(&step).await } else { provider.void(&step).await } };
    match timeout(DEADLINE, given).await {
        Ok(Ok(Ok(_))) => Ok(()),
        Ok(Ok(Err(reason))) => Err(Error::internal(format!("the provider keeps the money of {}: {reason}", row.id))),
        Ok(Err(silent)) => Err(Error::internal(silent)),
        Err(_) => Err(Error::internal("the provider took too long")),
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
    let take = Take { checkout: id, step: Some(CANCEL) };
    let taken = app.run(system, &take).await?;
    // Read after it was taken: nobody else changes it now.
    let row = repo::find(&app.db.read(&system.statements), id).await?;
    let row = row.ok_or_else(|| Error::internal("a checkout vanished"))?;
    let open = matches!(row.state, CheckoutState::Pending | CheckoutState::RequiresAction);
    let run = match (open, taken) {
        (false, _) => return Ok(()),
        (true, None) => return Err(in_flight().into()),
        (true, Some(run)) => run,
    };
    if let Err(error) = give_back(app, &row, None).await {
        tracing::warn!(checkout = %id, %error, "could not be called off at the provider; it is tried again");
        app.run(system, &Postpone { checkout: id, attempts: run.attempts }).await?;
        return Err(in_flight().into());
    }
    app.run(system, &Abandon { checkout: id, cart: row.cart_id }).await
}

/// Takes up a run that is due: one that was lost goes on, one whose shopper
/// never came back is called off.
pub async fn resume(app: &Arc<App>, id: CheckoutId, run: &entity::flow::Model) -> Result<()> {
    let system = Caller::system();
    if run.state == FlowState::Parked || run.step == CANCEL {
        return cancel(app, &system, id).await;
    }
    let take = Take { checkout: id, step: None };
    let Some(run) = app.run(&system, &take).await? else { return Ok(()) };
    let row = repo::find(&app.read(), id).await?.ok_or_else(|| Error::internal("a checkout vanished"))?;
    drive(app, &system, row, run.attempts).await.map(|_| ())
}
