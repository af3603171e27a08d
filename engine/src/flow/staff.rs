//! What staff see of runs, and do with those that hang.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::auth::Permission;
use domain::flow::FlowState;
use domain::id::FlowId;
use domain::refusal::{ErrorCode, Refusal};
use entity::checkout::Model as Checkout;
use entity::flow;
use entity::payment::Model as Payment;
use serde_json::json;

use crate::actor::{Caller, Need};
use crate::app::App;
use crate::error::{Error, Result};
use crate::op::{Op, Tx, in_flight};
use crate::payment::wanted::{self, CANCEL};
use crate::{checkout, payment, sweeper};

/// After how many tries of its step a run that has not ended hangs.
pub const HUNG: i32 = 5;

/// How much longer than it should one may wait: somebody takes it up within seconds.
pub(super) const SLACK: TimeDelta = TimeDelta::minutes(1);

/// Whether a run was tried often and has not ended, or waits longer than it should.
pub fn is_hung(row: &flow::Model, now: DateTime<Utc>) -> bool {
    match row.state {
        FlowState::Running => row.attempts >= HUNG,
        FlowState::Parked => row.deadline + SLACK < now,
        FlowState::Stuck => true,
        FlowState::Done | FlowState::Failed | FlowState::Abandoned => false,
    }
}

/// What staff want of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Retry,
    Cancel,
}

/// Makes a run that nobody holds due at once; one that is to be called off is held for that.
#[derive(Debug, Clone, Copy)]
struct Hurry(FlowId, Wish);

impl Op for Hurry {
    const NAME: &'static str = "flow.hurry";
    const NEEDS: Need = Need::Everywhere(Permission::PaymentsWrite);
    type Out = flow::Model;

    async fn run(&self, tx: &mut Tx) -> Result<flow::Model> {
        let missing = || Refusal::new(ErrorCode::NotFound, "There is no such run.").at(["flowId"]);
        let row = super::find_by_id(&tx.conn, self.0).await?.ok_or_else(missing)?;
        let no = |message: &str| Error::from(Refusal::new(ErrorCode::StateInvalid, message).at(["flowId"]));
        if !matches!(row.state, FlowState::Running | FlowState::Parked | FlowState::Stuck) {
            return Err(no("This run has ended."));
        }
        // Whether money moved is not known until the provider says so: that is asked until it is answered.
        let ends = [checkout::flow::KIND, payment::due::KIND].contains(&row.kind.as_str());
        if self.1 == Wish::Cancel && !ends {
            return Err(no("Money may have moved: the provider is asked until it answers."));
        }
        if row.held && row.run_at > tx.now() {
            return Err(in_flight().into());
        }
        let held = match self.1 {
            Wish::Retry => super::make_due(tx, &row.key).await.map(|()| row)?,
            // From here on nobody goes on with it, whoever takes it up next.
            Wish::Cancel => super::take(tx, &row.key, Some(CANCEL)).await?.ok_or_else(in_flight)?,
        };
        let wish = if self.1 == Wish::Retry { "retry" } else { "cancel" };
        tx.audit(held.id, None, Some(json!({ "wish": wish, "kind": held.kind, "of": held.key })));
        Ok(held)
    }
}

/// Takes a run up at once, whenever it would have been tried again: what becomes of it is in its row.
///
/// # Errors
/// When it has ended, or somebody is at it.
pub async fn retry(app: &Arc<App>, caller: &Caller, id: FlowId) -> Result<()> {
    let mut run = app.run(caller, &Hurry(id, Wish::Retry)).await?;
    // One that waits for a shopper is looked at, and not called off.
    run.state = FlowState::Running;
    let app = app.clone();
    match tokio::spawn(async move { sweeper::take_up(&app, &run).await }).await? {
        Ok(()) | Err(Error::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Calls off what a run was for: first at the provider, then here. A provider that does not know the payment has nothing
/// to give up: staff have looked.
///
/// # Errors
/// When it has ended, somebody is at it, money may have moved, or the provider does not let go.
pub async fn cancel(app: &Arc<App>, caller: &Caller, id: FlowId) -> Result<()> {
    let run = app.run(caller, &Hurry(id, Wish::Cancel)).await?;
    match run.kind.as_str() {
        checkout::flow::KIND => wanted::write_off::<Checkout>(app, caller, run).await,
        _ => wanted::write_off::<Payment>(app, caller, run).await,
    }
}
