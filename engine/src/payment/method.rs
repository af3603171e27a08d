//! Ways to pay that customers saved. The provider keeps them; here is only
//! under what name it knows a customer, until it was asked to forget him.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::id::CustomerId;
use domain::refusal::{ErrorCode, Refusal};
use entity::payment_customer;

use super::repo;
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::provider::payment::vault::{PaymentVault, SavedMethod, Saving};
use crate::provider::payment::{PaymentProvider, Silent, in_time};
use crate::sweeper::apart::apart;

/// When a provider that gave no answer is asked again to forget a customer.
const AGAIN: TimeDelta = TimeDelta::minutes(10);
/// How many customers are forgotten in one look.
const AT_ONCE: u64 = 20;

/// What a client chose of what its customer saved, for one payment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// The provider's name for the method.
    pub method: Option<String>,
    /// Whether what pays is saved.
    pub save: bool,
}

/// How a client names a method: by its provider, and by what that calls it.
pub fn name(provider: &str, reference: &str) -> String {
    format!("{provider}:{reference}")
}

fn no_method(field: &'static str) -> Refusal {
    Refusal::new(ErrorCode::NotFound, "There is no such saved payment method.").at([field])
}

fn away(provider: &str, silent: &Silent) -> Refusal {
    tracing::warn!(provider, %silent, "a provider tells nothing of saved methods");
    Refusal::new(ErrorCode::PaymentProviderUnavailable, "The payment provider does not answer; try again.")
}

/// What a customer saved at a provider, when it still knows him; otherwise his name there is forgotten.
async fn at(
    app: &Arc<App>,
    vault: &dyn PaymentVault,
    row: &payment_customer::Model,
) -> Result<Option<Vec<SavedMethod>>> {
    let kept = in_time(vault.methods(&row.reference)).await.map_err(|silent| away(&row.provider, &silent))?;
    if kept.is_none() {
        app.run(&Caller::system(), &Forgotten(row.clone())).await?;
    }
    Ok(kept)
}

/// What a customer saved, with the provider that keeps it: by provider, the newest first.
///
/// # Errors
/// When a provider does not answer.
pub async fn of(app: &Arc<App>, customer: CustomerId) -> Result<Vec<(String, SavedMethod)>> {
    let rows = repo::at_providers(&app.read(), customer).await?;
    let mut methods = Vec::new();
    for provider in app.payments.iter() {
        let row = rows.iter().find(|row| row.provider == provider.name());
        let (Some(vault), Some(row)) = (provider.vault(), row) else { continue };
        let kept = at(app, vault, row).await?.unwrap_or_default();
        methods.extend(kept.into_iter().map(|method| (provider.name().to_owned(), method)));
    }
    Ok(methods)
}

/// Takes what a client chose: a method must be the caller's own, and one that shall be saved needs a customer.
///
/// # Errors
/// Why it can't be so.
pub async fn choose(
    app: &Arc<App>,
    caller: &Caller,
    provider: &str,
    method: Option<&str>,
    save: bool,
) -> Result<Choice> {
    if method.is_none() && !save {
        return Ok(Choice::default());
    }
    let customer = caller.actor.customer().ok_or(Error::Unauthenticated)?;
    let field = if method.is_some() { "paymentMethodId" } else { "savePaymentMethod" };
    let refuse = |message: &str| Error::from(Refusal::new(ErrorCode::Invalid, message).at([field]));
    let known = app.payments.get(provider);
    let Some(vault) = known.as_deref().and_then(PaymentProvider::vault) else {
        return Err(refuse("This payment provider saves no payment methods."));
    };
    let row = repo::at_providers(&app.read(), customer).await?.into_iter().find(|row| row.provider == provider);
    let kept = match &row {
        Some(row) => at(app, vault, row).await.map_err(|error| located(error, field))?,
        None => None,
    };
    match method {
        Some(_) if save => Err(refuse("This payment method is saved already: leave out savePaymentMethod.")),
        Some(method) => {
            let own = kept.into_iter().flatten().find(|kept| name(provider, &kept.reference) == method);
            Ok(Choice { method: Some(own.ok_or_else(|| no_method(field))?.reference), save: false })
        }
        None => {
            if kept.is_none() {
                let made = in_time(vault.create_customer(customer)).await;
                let reference = made.map_err(|silent| away(provider, &silent).at([field]))?;
                app.run(caller, &Know { provider: provider.to_owned(), reference }).await?;
            }
            Ok(Choice { method: None, save: true })
        }
    }
}

/// A refusal with the path of what the client chose.
fn located(error: Error, field: &'static str) -> Error {
    match error {
        Error::Refused(refusals) => Error::Refused(refusals.into_iter().map(|refusal| refusal.at([field])).collect()),
        error => error,
    }
}

/// What a provider is told of a payment: no statement when nothing was chosen.
pub async fn saving(
    conn: &Conn,
    customer: Option<CustomerId>,
    provider: &str,
    method: Option<String>,
    save: bool,
) -> Result<Saving> {
    let (Some(customer), true) = (customer, method.is_some() || save) else {
        return Ok(Saving { customer: None, method, save: false });
    };
    let row = repo::at_providers(conn, customer).await?.into_iter().find(|row| row.provider == provider);
    Ok(Saving { customer: row.map(|row| row.reference), method, save })
}

/// Forgets a method of the caller, at its provider.
///
/// # Errors
/// When he has none of this name, or the provider does not answer.
pub async fn delete(app: &Arc<App>, caller: &Caller, method: &str) -> Result<()> {
    let gone = || no_method("id");
    let customer = caller.actor.customer().ok_or(Error::Unauthenticated)?;
    let (provider, reference) = method.split_once(':').ok_or_else(gone)?;
    let row = repo::at_providers(&app.read(), customer).await?.into_iter().find(|row| row.provider == provider);
    let known = app.payments.get(provider);
    let vault = known.as_deref().and_then(PaymentProvider::vault).ok_or_else(gone)?;
    let row = row.ok_or_else(gone)?;
    let forgotten = in_time(vault.forget_method(&row.reference, reference)).await;
    match forgotten.map_err(|silent| away(provider, &silent).at(["id"]))? {
        true => Ok(()),
        false => Err(gone().into()),
    }
}

/// Has providers forget the customers whom the shop has erased.
pub(crate) async fn forget_due(app: &Arc<App>) -> Result<()> {
    let due = repo::to_forget(&app.read(), app.clock.now(), AT_ONCE).await?;
    apart(app, due, |app, row| async move {
        if let Err(error) = forget(&app, row).await {
            tracing::error!(%error, "a customer could not be forgotten at a provider");
        }
    })
    .await;
    Ok(())
}

async fn forget(app: &Arc<App>, row: payment_customer::Model) -> Result<()> {
    let known = app.payments.get(&row.provider);
    let asked = match known.as_deref().and_then(PaymentProvider::vault) {
        Some(vault) => in_time(vault.forget_customer(&row.reference)).await,
        None => Err(Silent("the shop does not know it any more".to_owned())),
    };
    match asked {
        Ok(()) => app.run(&Caller::system(), &Forgotten(row)).await,
        Err(silent) => {
            tracing::warn!(provider = row.provider, %silent, "a provider has yet to forget a customer");
            app.run(&Caller::system(), &Ask(row)).await
        }
    }
}

/// Notes under what name a provider knows the caller.
struct Know {
    provider: String,
    reference: String,
}

impl Op for Know {
    const NAME: &'static str = "payment.know_customer";
    const NEEDS: Need = Need::Nothing;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let customer = tx.actor().customer().ok_or(Error::Unauthenticated)?;
        let row = crate::customer::repo::lock(tx, customer).await?.ok_or(Error::Unauthenticated)?;
        let row = payment_customer::Model {
            customer_id: row.id,
            provider: self.provider.clone(),
            reference: self.reference.clone(),
            created_at: tx.now(),
            forget_at: None,
        };
        repo::insert_at_provider(tx, row).await
    }
}

/// Forgets the name of a customer whom the provider does not know any more.
struct Forgotten(payment_customer::Model);

impl Op for Forgotten {
    const NAME: &'static str = "payment.forget_customer";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        repo::delete_at_provider(tx, &self.0).await
    }
}

/// Has a provider asked once more.
struct Ask(payment_customer::Model);

impl Op for Ask {
    const NAME: &'static str = "payment.postpone_forgetting";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let at = tx.now() + AGAIN;
        repo::postpone_forgetting(tx, &self.0, at).await
    }
}
