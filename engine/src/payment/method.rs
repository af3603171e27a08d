//! Ways to pay that customers saved. The provider keeps them; here is only
//! under what name it knows a customer, until it was asked to forget him.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use domain::id::CustomerId;
use domain::refusal::{ErrorCode, Refusal};
use entity::payment_customer;
use serde::Serialize;

use super::repo;
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::provider::payment::vault::{SavedMethod, Saving};
use crate::provider::payment::{PaymentProvider, Silent, in_time};
use crate::sweeper::apart::{Due, apart};

/// When a provider that gave no answer is asked again to forget a customer.
const AGAIN: TimeDelta = TimeDelta::minutes(10);
/// After what time a provider's search knows of a customer.
const SETTLED: TimeDelta = TimeDelta::minutes(5);
/// How many customers are forgotten in one look.
const AT_ONCE: u64 = 20;

/// What a client chose of what its customer saved, for one payment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The provider's name for the method.
    pub method: Option<String>,
    /// Whether what pays is saved.
    pub save: bool,
}

impl Choice {
    /// What a client says. Nobody is asked yet whether the method is there.
    ///
    /// # Errors
    /// `INVALID` when a saved method shall be saved, `NOT_FOUND` when it is none of this provider's.
    pub fn read(provider: &str, method: Option<&str>, save: bool) -> Result<Self, Refusal> {
        let Some(method) = method else { return Ok(Self { method: None, save }) };
        if save {
            let message = "This payment method is saved already: leave out savePaymentMethod.";
            return Err(Refusal::new(ErrorCode::Invalid, message).at(["paymentMethodId"]));
        }
        let own = method.split_once(':').filter(|(of, reference)| *of == provider && !reference.is_empty());
        let (_, reference) = own.ok_or_else(|| no_method("paymentMethodId"))?;
        Ok(Self { method: Some(reference.to_owned()), save })
    }

    /// The field that says so.
    pub fn field(&self) -> &'static str {
        if self.method.is_some() { "paymentMethodId" } else { "savePaymentMethod" }
    }
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

/// Under what name a provider knows a customer.
async fn row_at(app: &App, customer: CustomerId, provider: &str) -> Result<Option<payment_customer::Model>> {
    let rows = repo::at_providers(&app.read(), customer).await?;
    Ok(rows.into_iter().find(|row| row.provider == provider))
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
        let Some(known) = row.reference.as_deref() else { continue };
        let kept = in_time(vault.methods(known)).await.map_err(|silent| away(provider.name(), &silent))?;
        if kept.is_none() {
            app.run(&Caller::system(), &Forgotten(row.clone())).await?;
        }
        methods.extend(kept.unwrap_or_default().into_iter().map(|method| (provider.name().to_owned(), method)));
    }
    Ok(methods)
}

/// Makes sure that a payment can be as a client chose: the method must be the caller's own, and the provider must know
/// who saves one. Asks the provider, so it comes after everything that the shop decides by itself.
///
/// # Errors
/// Why it can't be so.
pub async fn prepare(app: &Arc<App>, caller: &Caller, provider: &str, choice: &Choice) -> Result<()> {
    if *choice == Choice::default() {
        return Ok(());
    }
    let customer = caller.actor.customer().ok_or(Error::Unauthenticated)?;
    let field = choice.field();
    let known = app.payments.get(provider);
    let Some(vault) = known.as_deref().and_then(PaymentProvider::vault) else {
        let message = "This payment provider saves no payment methods.";
        return Err(Refusal::new(ErrorCode::Invalid, message).at([field]).into());
    };
    let row = row_at(app, customer, provider).await?;
    let named = row.as_ref().and_then(|row| row.reference.as_deref());
    // Whoever saves one must be known, whatever he has.
    let method = choice.method.as_deref().unwrap_or_default();
    let owns = match named {
        Some(named) => in_time(vault.owns(named, method)).await,
        None => Ok(None),
    };
    let owns = owns.map_err(|silent| away(provider, &silent).at([field]))?;
    if let (Some(row), Some(_), None) = (&row, named, owns) {
        app.run(&Caller::system(), &Forgotten(row.clone())).await?;
    }
    match (choice.method.is_some(), owns) {
        (true, Some(true)) | (false, Some(_)) => Ok(()),
        (true, _) => Err(no_method(field).into()),
        (false, None) => {
            // Written first, so that whoever is erased meanwhile is forgotten there, too.
            app.run(caller, &Tell { provider: provider.to_owned() }).await?;
            let made = in_time(vault.create_customer(customer)).await;
            let name = made.map_err(|silent| away(provider, &silent).at([field]))?;
            app.run(caller, &Know { provider: provider.to_owned(), name }).await
        }
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
    Ok(Saving { customer: row.and_then(|row| row.reference), method, save })
}

/// Forgets a method of the caller, at its provider.
///
/// # Errors
/// When he has none of this name, or the provider does not answer.
pub async fn delete(app: &Arc<App>, caller: &Caller, method: &str) -> Result<()> {
    let gone = || no_method("id");
    let customer = caller.actor.customer().ok_or(Error::Unauthenticated)?;
    let (provider, reference) = method.split_once(':').ok_or_else(gone)?;
    let known = app.payments.get(provider);
    let vault = known.as_deref().and_then(PaymentProvider::vault).ok_or_else(gone)?;
    let named = row_at(app, customer, provider).await?.and_then(|row| row.reference).ok_or_else(gone)?;
    let forgotten = in_time(vault.forget_method(&named, reference)).await;
    match forgotten.map_err(|silent| away(provider, &silent).at(["id"]))? {
        true => Ok(()),
        false => Err(gone().into()),
    }
}

/// Has providers forget the customers whom the shop has erased. One that gives no answer is asked again later for all.
pub(crate) async fn forget_due(app: &Arc<App>) -> Result<()> {
    let mut due: BTreeMap<String, Vec<payment_customer::Model>> = BTreeMap::new();
    for row in repo::to_forget(&app.read(), app.clock.now(), AT_ONCE).await? {
        due.entry(row.provider.clone()).or_default().push(row);
    }
    let due = due.into_iter().map(|(provider, rows)| Leaving { provider, rows }).collect();
    apart(app, due, |app, Leaving { provider, rows }| async move {
        if let Err(error) = forget(&app, &provider, rows).await {
            tracing::error!(provider, %error, "customers could not be forgotten at a provider");
        }
    })
    .await;
    Ok(())
}

/// The customers whom a provider has yet to forget.
struct Leaving {
    provider: String,
    rows: Vec<payment_customer::Model>,
}

impl Due for Leaving {
    fn provider(&self) -> &str {
        &self.provider
    }

    fn name(&self) -> String {
        "customers who leave".to_owned()
    }
}

async fn forget(app: &Arc<App>, provider: &str, rows: Vec<payment_customer::Model>) -> Result<()> {
    let known = app.payments.get(provider);
    let vault = known.as_deref().and_then(PaymentProvider::vault);
    let (mut silent, mut customers) = (vault.is_none(), Vec::new());
    for row in rows {
        // A search of the provider's for a name that never came tells of it after a while.
        let settled = row.reference.is_some() || row.created_at + SETTLED < app.clock.now();
        if let Some(vault) = vault.filter(|_| settled && !silent) {
            match in_time(vault.forget_customer(row.customer_id, row.reference.as_deref())).await {
                Ok(()) => {
                    app.run(&Caller::system(), &Forgotten(row)).await?;
                    continue;
                }
                Err(said) => {
                    tracing::warn!(provider, silent = %said, "a provider has yet to forget customers");
                    silent = true;
                }
            }
        }
        customers.push(row.customer_id);
    }
    match customers.is_empty() {
        true => Ok(()),
        false => app.run(&Caller::system(), &AskAgain { provider: provider.to_owned(), customers }).await,
    }
}

/// Notes that a provider is being told of the caller.
struct Tell {
    provider: String,
}

impl Op for Tell {
    const NAME: &'static str = "payment.tell_of_customer";
    const NEEDS: Need = Need::Nothing;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let customer = tx.actor().customer().ok_or(Error::Unauthenticated)?;
        let customer = crate::customer::repo::lock(tx, customer).await?.ok_or(Error::Unauthenticated)?;
        let row = payment_customer::Model {
            customer_id: customer.id,
            provider: self.provider.clone(),
            reference: None,
            created_at: tx.now(),
            forget_at: None,
        };
        repo::insert_at_provider(tx, row).await
    }
}

/// Notes under what name a provider knows the caller, also when he was erased meanwhile.
struct Know {
    provider: String,
    name: String,
}

impl Op for Know {
    const NAME: &'static str = "payment.know_customer";
    const NEEDS: Need = Need::Nothing;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let customer = tx.actor().customer().ok_or(Error::Unauthenticated)?;
        repo::name_at_provider(tx, customer, &self.provider, &self.name).await
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

/// Has a provider asked once more to forget customers.
struct AskAgain {
    provider: String,
    customers: Vec<CustomerId>,
}

impl Op for AskAgain {
    const NAME: &'static str = "payment.postpone_forgetting";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let at = tx.now() + AGAIN;
        repo::postpone_forgetting(tx, &self.customers, &self.provider, at).await
    }
}
