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

use domain::id::PaymentId;
use domain::money::Money;
use domain::payment::{CaptureMode, PaymentState};
use domain::refusal::Refusal;
use entity::{flow, payment, provider_event};

use self::ops::{BeginPayment, Begun, Fail, Land, Wait};
use super::charge::{Charge, Verdict, return_url};
use super::method::saving;
use super::repo;
use super::wanted::{Came, Wanted, called_off, give_up, pursue, wake};
use crate::actor::Caller;
use crate::app::App;
use crate::error::{Error, Result};
use crate::provider::payment::Known;

/// The kind of a payment's run.
pub const KIND: &str = "order_payment";

/// Pays, or goes on where the same call stopped.
///
/// # Errors
/// Why nothing is paid.
pub async fn pay(app: &Arc<App>, caller: &Caller, begin: &BeginPayment) -> Result<(PaymentId, Came<()>)> {
    match app.run(caller, begin).await? {
        Begun::Ended(id) => Ok((id, Came::Done(()))),
        Begun::Held(row, run) => Ok((row.id, pursue(app, caller, *row, *run).await?)),
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

impl Wanted for payment::Model {
    type Id = PaymentId;
    type Landed = ();
    const KIND: &'static str = KIND;

    async fn find(app: &App, id: PaymentId) -> Result<Self> {
        repo::find(&app.read(), id).await?.ok_or_else(|| Error::internal("a payment vanished"))
    }

    fn is_open(&self) -> bool {
        matches!(self.state, PaymentState::Pending | PaymentState::RequiresAction)
    }

    async fn charge(&self, app: &App) -> Result<Option<Charge>> {
        charge(app, self).await.map(Some)
    }

    async fn wait(
        &self,
        app: &Arc<App>,
        caller: &Caller,
        run: &flow::Model,
        reference: String,
        next_action: Option<serde_json::Value>,
    ) -> Result<()> {
        app.run(caller, &Wait { payment: self.id, reference, next_action, run: run.clone() }).await
    }

    async fn land(
        &self,
        app: &Arc<App>,
        caller: &Caller,
        run: &flow::Model,
        known: Option<&Known>,
    ) -> Result<Option<()>> {
        let verdict = match known {
            Some(known) => charge(app, self).await?.verdict(known),
            None => return Err(Error::internal("a payment of nothing")),
        };
        let (reference, taken) = match verdict {
            Verdict::Promised { reference } => (reference, false),
            Verdict::Taken { reference } => (reference, true),
            _ => return Err(Error::internal("a payment lands on a promise or on money")),
        };
        let landed = app.run(caller, &Land { payment: self.id, reference, taken, run: run.clone() }).await?;
        Ok(landed.then_some(()))
    }

    async fn too_late(
        &self,
        app: &Arc<App>,
        caller: &Caller,
        run: &flow::Model,
        known: Option<Known>,
    ) -> Result<Refusal> {
        let refused = called_off();
        give_up(app, caller, self, run, known, &refused.message).await?;
        Ok(refused)
    }

    async fn fail(
        &self,
        app: &Arc<App>,
        caller: &Caller,
        run: &flow::Model,
        reference: Option<String>,
        why: &str,
    ) -> Result<()> {
        app.run(caller, &Fail { payment: self.id, reference, why: why.to_owned(), run: run.clone() }).await
    }
}

/// Does what the provider's telling of a payment asks for; `false` when somebody is at it.
///
/// # Errors
/// When the provider does not answer: it is looked at again.
pub async fn hear(app: &Arc<App>, mut row: payment::Model, event: &provider_event::Model) -> Result<bool> {
    if row.is_open() {
        return wake::<payment::Model>(app, row.id).await;
    }
    if row.state == PaymentState::Failed {
        // Money of what came to nothing goes back.
        row.provider_reference.clone_from(&event.reference);
        let time = format!("{}:{}", event.id, event.attempts);
        charge(app, &row).await?.give_back(app, None, time).await?;
        return Ok(true);
    }
    super::reconcile::reconcile(app, &row).await
}
