//! Taking and giving back money: pending entry, provider, settled entry.

use std::sync::Arc;

use domain::id::PaymentEntryId;
use domain::money::Money;
use domain::payment::{EntryKind, EntryState};
use domain::refusal::{ErrorCode, Refusal};
use entity::{flow, payment_entry};

use super::ops::SettleEntry;
use super::repo;
use super::wanted::STEP;
use crate::actor::{Actor, Caller};
use crate::app::App;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::flow::ops::{Postpone, Take};
use crate::op::in_flight;
use crate::provider::payment::{FORGETTABLE, PaymentStep, in_time};

/// The kind of an entry's run.
pub const KIND: &str = "payment_entry";

/// Asks the provider for what a pending entry wants, and settles it. An entry that has ended before is left as it is; one
/// that failed says why not.
///
/// # Errors
/// When the provider refuses or does not answer, or somebody is at it.
pub async fn settle(app: &Arc<App>, caller: &Caller, id: PaymentEntryId) -> Result<()> {
    let system = Caller { actor: Actor::System, ..caller.clone() };
    // Whoever asks again does not wait until it would be tried by itself.
    let taken = app.run(&system, &Take { run: id.to_string(), step: Some(STEP) }).await?;
    let row = repo::find_entry(&app.db.read(&caller.statements), id).await?;
    let row = row.ok_or_else(|| Error::internal("a payment entry vanished"))?;
    match (row.state, taken) {
        (EntryState::Succeeded, _) => Ok(()),
        (EntryState::Failed, _) => Err(refused("The payment provider refused this.").into()),
        (EntryState::Pending, None) => Err(in_flight().into()),
        (EntryState::Pending, Some(run)) => ask(app, &system, row, run).await,
    }
}

/// The caller holds the run.
async fn ask(app: &Arc<App>, system: &Caller, row: payment_entry::Model, run: flow::Model) -> Result<()> {
    let conn = app.db.read(&system.statements);
    let payment = repo::find(&conn, row.payment_id).await?;
    let payment = payment.ok_or_else(|| Error::internal("a payment vanished"))?;
    let (Some(provider), Some(reference)) = (app.payments.get(&payment.provider), payment.provider_reference) else {
        return Err(Error::internal(format!("there is no provider {:?}", payment.provider)));
    };
    let step = PaymentStep {
        idempotency_key: row.id.to_string(),
        old: app.clock.now() - row.at > FORGETTABLE,
        reference,
        amount: Money::new(row.amount_minor, payment.currency),
    };
    let asked = async {
        match row.kind {
            EntryKind::Capture => provider.capture(&step).await,
            EntryKind::Void => provider.void(&step).await,
            EntryKind::Refund => provider.refund(&step).await,
            // Nobody is asked for these: the provider tells of them.
            EntryKind::Authorize | EntryKind::Reversal => Ok(Ok(step.reference.clone())),
        }
    };
    match in_time(asked).await {
        Ok(said) => {
            failpoint::reach("payment.asked");
            let lets_go = row.kind == EntryKind::Capture && !provider.captures_in_parts();
            app.run(system, &SettleEntry { id: row.id, said: said.clone(), lets_go, run }).await?;
            said.map(|_| ()).map_err(|reason| refused(&reason).into())
        }
        silent => {
            tracing::warn!(entry = %row.id, ?silent, "the provider gave no answer");
            app.run(system, &Postpone { run, step: None, unknown: false }).await?;
            Err(in_flight().into())
        }
    }
}

fn refused(reason: &str) -> Refusal {
    Refusal::new(ErrorCode::PaymentDeclined, reason)
}

/// Takes up an entry whose run is due.
///
/// # Errors
/// When the provider refuses or does not answer.
pub async fn resume(app: &Arc<App>, id: PaymentEntryId) -> Result<()> {
    let system = Caller::system();
    let Some(run) = app.run(&system, &Take { run: id.to_string(), step: None }).await? else { return Ok(()) };
    match repo::find_entry(&app.read(), id).await? {
        Some(row) if row.state == EntryState::Pending => ask(app, &system, row, run).await,
        _ => Ok(()),
    }
}
