//! What is wanted for a checkout, and what comes after one was called off.

use std::sync::Arc;

use domain::checkout::CheckoutState;
use domain::id::{CheckoutId, OrderId};
use domain::money::Money;
use domain::payment::CaptureMode;
use domain::refusal::{ErrorCode, Refusal};
use entity::{checkout, flow};

use super::begin::{Begin, Begun};
use super::frozen::Frozen;
use super::place::{Abandon, EndReturn, Park, Place, TakeReturn, called_off};
use super::repo;
use crate::actor::Caller;
use crate::app::App;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::flow::ops::{Postpone, Take};
use crate::payment::charge::{Charge, NoAnswer, return_url};
use crate::payment::method::saving;
use crate::payment::wanted::{Came, Wanted, pursue};
use crate::provider::payment::{Known, Outcome};

/// The kind of a checkout's run.
pub const KIND: &str = "checkout";
/// The kind of a run that gives back what came after its checkout was called off.
pub const RETURN: &str = "checkout_return";

/// Turns a cart into an order, or goes on where the same call stopped.
pub async fn complete(app: &Arc<App>, caller: &Caller, begin: &Begin) -> Result<Came<OrderId>> {
    match app.run(caller, begin).await? {
        Begun::Placed(order) => Ok(Came::Done(order)),
        Begun::Held(row, run) => pursue(app, caller, *row, *run).await,
    }
}

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

impl Wanted for checkout::Model {
    type Id = CheckoutId;
    type Landed = OrderId;
    const KIND: &'static str = KIND;

    async fn find(app: &App, id: CheckoutId) -> Result<Self> {
        repo::find(&app.read(), id).await?.ok_or_else(|| Error::internal("a checkout vanished"))
    }

    fn is_open(&self) -> bool {
        matches!(self.state, CheckoutState::Pending | CheckoutState::RequiresAction)
    }

    async fn charge(&self, app: &App) -> Result<Option<Charge>> {
        charge(app, self).await
    }

    async fn wait(
        &self,
        app: &Arc<App>,
        caller: &Caller,
        run: &flow::Model,
        reference: String,
        next_action: Option<serde_json::Value>,
    ) -> Result<()> {
        app.run(caller, &Park { checkout: self.id, reference, next_action, run: run.clone() }).await
    }

    async fn land(
        &self,
        app: &Arc<App>,
        caller: &Caller,
        run: &flow::Model,
        known: Option<&Known>,
    ) -> Result<Option<OrderId>> {
        let outcome = known.map(|known| known.outcome.clone());
        match app.run(caller, &Place { checkout: self.clone(), outcome, run: run.clone() }).await {
            Ok(order) => Ok(Some(order)),
            Err(Error::Refused(refusals)) if refusals.iter().any(|of| of.code == ErrorCode::CheckoutMissing) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn too_late(&self, app: &Arc<App>, _: &Caller, _: &flow::Model, known: Option<Known>) -> Result<Refusal> {
        send_back(app, self, known).await?;
        Ok(called_off())
    }

    async fn fail(&self, app: &Arc<App>, caller: &Caller, run: &flow::Model, _: Option<String>, _: &str) -> Result<()> {
        app.run(caller, &Abandon { checkout: self.id, cart: self.cart_id, run: run.clone() }).await
    }
}

/// The key of the run that gives back what came after a checkout was called off.
pub fn return_key(id: CheckoutId) -> String {
    format!("return:{id}")
}

/// Gives back money that came after its checkout was called off, however often it takes.
async fn send_back(app: &Arc<App>, row: &checkout::Model, known: Option<Known>) -> Result<()> {
    match app.run(&Caller::system(), &TakeReturn(row.id, row.provider.clone())).await? {
        Some(run) => give_back(app, row, run, known).await,
        None => Ok(()),
    }
}

/// The caller holds the run.
async fn give_back(app: &Arc<App>, row: &checkout::Model, run: flow::Model, known: Option<Known>) -> Result<()> {
    let system = Caller::system();
    failpoint::reach("checkout.returning");
    let given = match charge(app, row).await? {
        Some(charge) => charge.give_back(app, known, run.version).await,
        None => Ok(()),
    };
    match given {
        Ok(()) => app.run(&system, &EndReturn(run)).await,
        Err(kept) => {
            tracing::warn!(checkout = %row.id, %kept, "late money could not be given back; it is tried again");
            let unknown = matches!(kept, NoAnswer::Unknown(_));
            app.run(&system, &Postpone { run, step: None, unknown }).await
        }
    }
}

/// Takes up a run that gives back late money.
pub async fn resume_return(app: &Arc<App>, run: &flow::Model) -> Result<()> {
    let id: Option<CheckoutId> = run.key.strip_prefix("return:").and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| Error::internal("a run has no checkout"))?;
    let row = checkout::Model::find(app, id).await?;
    match app.run(&Caller::system(), &Take { run: return_key(id), step: None }).await? {
        Some(run) => give_back(app, &row, run, None).await,
        None => Ok(()),
    }
}

/// Gives back what the provider holds for a checkout that was called off; `false` when somebody is at it.
pub async fn return_late(app: &Arc<App>, row: &checkout::Model) -> Result<bool> {
    let Some(charge) = charge(app, row).await? else { return Ok(true) };
    let known = charge.ask(app, true).await?;
    let held = match &known.outcome {
        Outcome::Captured { .. } => known.sums.is_none_or(|sums| sums.captured_minor > sums.refunded_minor),
        Outcome::Canceled { .. } | Outcome::Declined { reference: None, .. } | Outcome::Unavailable => false,
        _ => true,
    };
    if held {
        send_back(app, row, Some(known)).await?;
    }
    Ok(true)
}
