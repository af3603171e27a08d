//! Money that is wanted of a provider, for a checkout or for an order: the steps in their order, and what undoes them.
//!
//! ```text
//!   begun ──▶ asked ──▶ landed
//!               ├─ the shopper must act, money on its way: parked; a call, an event or the sweeper asks again
//!               ├─ no answer: postponed
//!               └─ declined, called off, too late ──▶ given up at the provider ──▶ failed
//! ```
//!
//! Each write is one of a holder ([`crate::flow`]). That something is called off is written before the provider is told,
//! so that nobody makes an order meanwhile of what is given up.

use std::sync::Arc;

use domain::flow::FlowState;
use domain::refusal::{ErrorCode, Refusal};
use entity::flow;
use tracing::Instrument;

use super::charge::{Charge, NoAnswer, Verdict};
use crate::actor::{Actor, Caller};
use crate::app::App;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::flow::PARKED_LIFE;
use crate::flow::ops::{Postpone, Take, Turn};
use crate::op::in_flight;
use crate::provider::payment::{Known, Outcome};

/// The step of a run that is called off. A call of which nothing is known is recalled; money that it had taken goes back.
pub const CANCEL: &str = "cancel";
/// The step of a run that asks the provider, or waits for the shopper.
pub const STEP: &str = "provider";
/// The step of a run that waits for money on its way.
pub const LOOK: &str = "look";

/// What became of it so far.
#[derive(Debug, Clone)]
pub enum Came<T> {
    /// The money is promised or taken, or none was due.
    Done(T),
    /// The shopper must do something first; the same call goes on.
    NextAction(serde_json::Value),
    /// The money is on its way.
    Processing,
}

/// What money is wanted for. Whoever calls [`Self::wait`], [`Self::land`] or [`Self::fail`] holds the run.
pub trait Wanted: Sized + Send + Sync + 'static {
    /// Names it; its run's key is the same.
    type Id: ToString + std::str::FromStr + Copy + Send + Sync;
    /// What it becomes.
    type Landed: Send;
    /// The kind of its run.
    const KIND: &'static str;

    /// Reads it.
    fn find(app: &App, id: Self::Id) -> impl Future<Output = Result<Self>> + Send;

    /// Whether it is not decided yet what becomes of it.
    fn is_open(&self) -> bool;

    /// What is asked of the provider; nothing when nothing is due.
    fn charge(&self, app: &App) -> impl Future<Output = Result<Option<Charge>>> + Send;

    /// Notes that the shopper must act, or that the money is on its way.
    fn wait(
        &self,
        app: &Arc<App>,
        caller: &Caller,
        run: &flow::Model,
        reference: String,
        next_action: Option<serde_json::Value>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Notes that the money is there; nothing when it must go back, because it was called off.
    fn land(
        &self,
        app: &Arc<App>,
        caller: &Caller,
        run: &flow::Model,
        known: Option<&Known>,
    ) -> impl Future<Output = Result<Option<Self::Landed>>> + Send;

    /// Gives back what came too late; answers with what the shopper is told.
    fn too_late(
        &self,
        app: &Arc<App>,
        caller: &Caller,
        run: &flow::Model,
        known: Option<Known>,
    ) -> impl Future<Output = Result<Refusal>> + Send;

    /// Notes that it came to nothing, and why.
    fn fail(
        &self,
        app: &Arc<App>,
        caller: &Caller,
        run: &flow::Model,
        reference: Option<String>,
        why: &str,
    ) -> impl Future<Output = Result<()>> + Send;
}

fn as_system(caller: &Caller) -> Caller {
    Caller { actor: Actor::System, ..caller.clone() }
}

/// Does the steps that follow the beginning. The caller holds the run.
///
/// # Errors
/// Why nothing comes of it, or that it is not known yet.
pub async fn pursue<W: Wanted>(
    app: &Arc<App>,
    caller: &Caller,
    wanted: W,
    run: flow::Model,
) -> Result<Came<W::Landed>> {
    failpoint::reach_one(W::KIND, "begun");
    // A client that hangs up must not leave the run half way.
    let (app, system) = (app.clone(), as_system(caller));
    tokio::spawn(async move { drive(&app, &system, &wanted, &run).await }.in_current_span()).await?
}

/// Asks the provider and does what follows.
async fn drive<W: Wanted>(app: &Arc<App>, system: &Caller, wanted: &W, run: &flow::Model) -> Result<Came<W::Landed>> {
    let charge = wanted.charge(app).await?;
    let asked = match &charge {
        Some(charge) => charge.ask(app, run.attempts > 1).await.map(Some),
        None => Ok(None),
    };
    let known = match asked {
        Ok(known) => known,
        Err(silent) => return Err(later(app, system, run, None, &silent).await),
    };
    failpoint::reach_one(W::KIND, "asked");
    let refused = match charge.as_ref().zip(known.as_ref()).map(|(charge, known)| charge.verdict(known)) {
        Some(Verdict::Waits { reference, next_action }) => {
            wanted.wait(app, system, run, reference, next_action.clone()).await?;
            return Ok(next_action.map_or(Came::Processing, Came::NextAction));
        }
        Some(Verdict::Refused(refused)) => refused,
        Some(Verdict::Promised { .. } | Verdict::Taken { .. }) | None => {
            return match wanted.land(app, system, run, known.as_ref()).await? {
                Some(landed) => Ok(Came::Done(landed)),
                None => Err(wanted.too_late(app, system, run, known).await?.into()),
            };
        }
    };
    give_up(app, system, wanted, run, known, &refused.message).await?;
    Err(refused.into())
}

/// Lets go of a run without an answer; answers with what the caller is told.
async fn later(
    app: &Arc<App>,
    system: &Caller,
    run: &flow::Model,
    step: Option<&'static str>,
    why: &NoAnswer,
) -> Error {
    tracing::warn!(run = run.key, kind = run.kind, %why, "the provider gave no answer; it is asked again");
    let unknown = matches!(why, NoAnswer::Unknown(_));
    match app.run(system, &Postpone { run: run.clone(), step, unknown }).await {
        Ok(()) => in_flight().into(),
        Err(error) => error,
    }
}

/// Calls it off: writes that first, then undoes it.
pub(super) async fn give_up<W: Wanted>(
    app: &Arc<App>,
    system: &Caller,
    wanted: &W,
    run: &flow::Model,
    known: Option<Known>,
    why: &str,
) -> Result<()> {
    let run = app.run(system, &Turn { run: run.clone(), step: CANCEL }).await?;
    undo(app, system, wanted, &run, (known, why), false).await
}

/// Why something is undone when nobody says otherwise.
const CALLED_OFF: &str = "The payment was called off.";

/// Gives up what the provider holds, then here. The run is one that is called off. Who `insists` knows that a provider
/// which does not know the payment has nothing to give up.
async fn undo<W: Wanted>(
    app: &Arc<App>,
    system: &Caller,
    wanted: &W,
    run: &flow::Model,
    (known, why): (Option<Known>, &str),
    insists: bool,
) -> Result<()> {
    let reference = known.as_ref().and_then(|known| known.outcome.reference()).map(str::to_owned);
    if let Some(charge) = wanted.charge(app).await? {
        match charge.give_back(app, known, run.version).await {
            Err(NoAnswer::Unknown(_)) if insists => {}
            Err(kept) => return Err(later(app, system, run, Some(CANCEL), &kept).await),
            Ok(()) => {}
        }
    }
    failpoint::reach_one(W::KIND, "given_up");
    wanted.fail(app, system, run, reference, why).await
}

/// Calls it off: first at the provider, then here. The run must be parked or lost; a step that is running is left alone.
///
/// # Errors
/// When it is running, or the provider does not let go.
pub async fn cancel<W: Wanted>(app: &Arc<App>, caller: &Caller, id: W::Id) -> Result<()> {
    // A client that hangs up must not leave the run half way.
    let (app, system, key) = (app.clone(), as_system(caller), id.to_string());
    let run = async move {
        let taken = app.run(&system, &Take { run: key, step: Some(CANCEL) }).await?;
        // Read after it was taken: nobody else changes it now.
        let wanted = W::find(&app, id).await?;
        match (wanted.is_open(), taken) {
            (false, _) => Ok(()),
            (true, None) => Err(in_flight().into()),
            (true, Some(run)) => undo(&app, &system, &wanted, &run, (None, CALLED_OFF), false).await,
        }
    };
    tokio::spawn(run.in_current_span()).await?
}

/// Calls off what staff have looked at; they hold its run.
///
/// # Errors
/// When the provider does not let go.
pub async fn write_off<W: Wanted>(app: &Arc<App>, caller: &Caller, run: flow::Model) -> Result<()> {
    let (app, system) = (app.clone(), as_system(caller));
    let id: W::Id = crate::flow::subject(&run).ok_or_else(|| Error::internal("a run is about nothing"))?;
    let work = async move {
        let wanted = W::find(&app, id).await?;
        undo(&app, &system, &wanted, &run, (None, CALLED_OFF), true).await
    };
    tokio::spawn(work.in_current_span()).await?
}

/// Takes up a run that is due: one that was lost or whose money is on its way goes on. One whose shopper never came back
/// is called off, unless he has paid.
///
/// # Errors
/// When nothing comes of it, or the provider does not answer.
pub async fn resume<W: Wanted>(app: &Arc<App>, run: &flow::Model) -> Result<()> {
    let id: W::Id = crate::flow::subject(run).ok_or_else(|| Error::internal("a run is about nothing"))?;
    let waited = run.state == FlowState::Parked && run.step == STEP;
    go_on::<W>(app, id, waited).await.map(|_| ())
}

/// Goes on because the provider tells that something happened; `false` when somebody is at it.
///
/// # Errors
/// When the database does not answer.
pub async fn wake<W: Wanted>(app: &Arc<App>, id: W::Id) -> Result<bool> {
    match go_on::<W>(app, id, false).await {
        // A refusal is an outcome, or the run waits for its next try.
        Ok(true) | Err(Error::Refused(_)) => Ok(true),
        Ok(false) => Ok(!W::find(app, id).await?.is_open()),
        Err(error) => Err(error),
    }
}

async fn go_on<W: Wanted>(app: &Arc<App>, id: W::Id, waited: bool) -> Result<bool> {
    let system = Caller::system();
    let Some(run) = app.run(&system, &Take { run: id.to_string(), step: None }).await? else { return Ok(false) };
    let wanted = W::find(app, id).await?;
    if !wanted.is_open() {
        return Ok(true);
    }
    if run.step == CANCEL {
        return undo(app, &system, &wanted, &run, (None, CALLED_OFF), false).await.map(|()| true);
    }
    let away = match wanted.charge(app).await? {
        Some(charge) => {
            // Nobody is charged hours after he left.
            let forgotten = charge.reference.is_none() && app.clock.now() > charge.since + PARKED_LIFE;
            forgotten || (waited && !is_paid(app, &system, &run, &charge).await?)
        }
        None => waited,
    };
    if away {
        return give_up(app, &system, &wanted, &run, None, CALLED_OFF).await.map(|()| true);
    }
    drive(app, &system, &wanted, &run).await.map(|_| true)
}

/// Whether the shopper whom a run waited for has paid. One whose provider does not answer is looked at again, and nothing
/// is called off.
async fn is_paid(app: &Arc<App>, system: &Caller, run: &flow::Model, charge: &Charge) -> Result<bool> {
    match charge.ask(app, true).await {
        Ok(known) => Ok(matches!(
            known.outcome,
            Outcome::Authorized { .. } | Outcome::Captured { .. } | Outcome::Processing { .. }
        )),
        Err(silent) => Err(later(app, system, run, None, &silent).await),
    }
}

/// The refusal of something that was called off, to whoever paid it.
pub(super) fn called_off() -> Refusal {
    Refusal::new(ErrorCode::StateInvalid, CALLED_OFF)
}
