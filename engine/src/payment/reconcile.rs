//! Brings a ledger up to what the provider's books say: money can be taken and
//! given back at the provider, too, by whoever looks after the account there.

use std::sync::Arc;

use domain::id::PaymentId;
use domain::payment::{Entry, EntryKind, EntryState, capturable, ledger};
use entity::{payment, payment_entry};

use super::here::CAUSE_CREDIT;
use super::ops::{CAUSE_PROVIDER, book};
use super::repo;
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::provider::payment::{Outcome, Sums, in_time};

/// Looks a payment up; `false` when somebody is at it.
pub(super) async fn reconcile(app: &Arc<App>, payment: &payment::Model) -> Result<bool> {
    let (Some(provider), Some(reference)) = (app.payments.get(&payment.provider), &payment.provider_reference) else {
        return Err(Error::internal(format!("there is no provider {:?}", payment.provider)));
    };
    let known = in_time(provider.look_up(reference)).await.map_err(Error::internal)?;
    let Some((outcome, sums)) = known.and_then(|known| Some((known.outcome, known.sums?))) else { return Ok(true) };
    let canceled = matches!(outcome, Outcome::Canceled { .. });
    // Of what can be taken once, nothing is left when a part is taken.
    let let_go = canceled || (sums.captured_minor > 0 && !provider.captures_in_parts());
    let op = Reconcile { payment: payment.id, version: payment.version, sums, let_go };
    app.run(&Caller::system(), &op).await
}

struct Reconcile {
    payment: PaymentId,
    /// What the payment was when the provider was asked.
    version: i32,
    sums: Sums,
    /// Whether what is not taken is given up.
    let_go: bool,
}

impl Op for Reconcile {
    const NAME: &'static str = "payment.reconcile";
    const NEEDS: Need = Need::System;
    type Out = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        let gone = || Error::internal("a payment vanished");
        let payment = repo::find(&tx.conn, self.payment).await?.ok_or_else(gone)?;
        let order = payment.order_id.ok_or_else(gone)?;
        let order = crate::order::repo::lock(tx, order).await?.ok_or_else(gone)?;
        let payment = repo::find(&tx.conn, self.payment).await?.ok_or_else(gone)?;
        let entries = repo::entries_of(&tx.conn, &[payment.id]).await?;
        // Of what became store credit the provider knows nothing.
        let told = entries.iter().filter(|entry| entry.cause != CAUSE_CREDIT);
        let entries: Vec<Entry> = told.map(repo::entry).collect();
        // What is under way here will be settled by whoever began it; the provider's answer may be of before.
        if payment.version != self.version || entries.iter().any(|entry| entry.state == EntryState::Pending) {
            return Ok(false);
        }
        let own = ledger(&entries);
        if (payment.amount_minor, payment.currency) != (self.sums.amount.minor, self.sums.amount.currency)
            || self.sums.captured_minor < own.captured_minor
        {
            tracing::error!(payment = %payment.id, sums = ?self.sums, ?own, "the provider's books say less than ours");
            return Ok(true);
        }
        let taken = self.sums.captured_minor - own.captured_minor;
        let given = self.sums.refunded_minor - own.refunded_minor;
        let mut found = vec![(EntryKind::Capture, taken), (EntryKind::Refund, given), (EntryKind::Reversal, -given)];
        if self.let_go && !own.voided {
            found.push((EntryKind::Void, capturable(&entries) - taken));
        }
        let found: Vec<payment_entry::Model> = found
            .into_iter()
            .filter(|(_, amount)| *amount > 0)
            .map(|(kind, amount_minor)| payment_entry::Model {
                id: tx.id(),
                at: tx.now(),
                payment_id: payment.id,
                kind,
                state: EntryState::Succeeded,
                amount_minor,
                provider_reference: payment.provider_reference.clone(),
                cause: CAUSE_PROVIDER.to_owned(),
                reason: None,
                note: None,
            })
            .collect();
        let done: Vec<_> = found.iter().map(|entry| (entry.kind, entry.amount_minor)).collect();
        for entry in found {
            repo::insert_entry(tx, entry).await?;
        }
        if !done.is_empty() {
            book(tx, payment, order, &done).await?;
        }
        Ok(true)
    }
}
