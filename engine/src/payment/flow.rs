//! Taking and giving back money: pending entry, provider, settled entry.

use std::sync::Arc;

use domain::id::PaymentEntryId;
use domain::money::Money;
use domain::payment::{EntryKind, EntryState};
use domain::refusal::{ErrorCode, Refusal};

use super::ops::{PostponeEntry, SettleEntry, TakeEntry};
use super::repo;
use crate::actor::{Actor, Caller};
use crate::app::App;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::op::in_flight;
use crate::provider::payment::{FORGETTABLE, PaymentStep, in_time};

/// The kind of an entry's run.
pub const KIND: &str = "payment_entry";

/// Asks the provider for what a pending entry wants, for the `attempts`th time, and settles it. An entry
/// that has ended before is left as it is; one that failed says why not.
pub async fn settle(app: &Arc<App>, caller: &Caller, id: PaymentEntryId, attempts: i32) -> Result<()> {
    let system = Caller { actor: Actor::System, ..caller.clone() };
    let conn = app.db.read(&caller.statements);
    let row = repo::find_entry(&conn, id).await?.ok_or_else(|| Error::internal("a payment entry vanished"))?;
    match row.state {
        EntryState::Succeeded => return Ok(()),
        EntryState::Failed => return Err(refused("The payment provider refused this.").into()),
        EntryState::Pending => {}
    }
    let payment = repo::find(&conn, row.payment_id).await?;
    let payment = payment.ok_or_else(|| Error::internal("a payment vanished"))?;
    let (Some(provider), Some(reference)) = (app.payments.get(&payment.provider), payment.provider_reference) else {
        return Err(Error::internal(format!("there is no provider {:?}", payment.provider)));
    };
    let step = PaymentStep {
        idempotency_key: id.to_string(),
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
            app.run(&system, &SettleEntry { id, said: said.clone(), lets_go }).await?;
            said.map(|_| ()).map_err(|reason| refused(&reason).into())
        }
        silent => {
            tracing::warn!(entry = %id, ?silent, "the provider gave no answer");
            app.run(&system, &PostponeEntry { id, attempts }).await?;
            Err(in_flight().into())
        }
    }
}

fn refused(reason: &str) -> Refusal {
    Refusal::new(ErrorCode::PaymentDeclined, reason)
}

/// Takes up an entry whose run is due.
pub async fn resume(app: &Arc<App>, id: PaymentEntryId) -> Result<()> {
    let system = Caller::system();
    match app.run(&system, &TakeEntry(id)).await? {
        Some(attempts) => settle(app, &system, id, attempts).await,
        None => Ok(()),
    }
}
