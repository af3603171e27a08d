//! What payment providers tell by themselves. An event is stored once, by the
//! provider's name for it, and looked at after that is committed. It only says
//! that there is something to look at: what has become of a payment is read
//! from the provider's look-up and the ledger, so that repeats and disorder
//! come to the same.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::checkout::CheckoutState;
use domain::id::ProviderEventId;
use domain::money::Currency;
use entity::{checkout, payment, provider_event};
use serde_json::json;

use super::repo;
use super::wanted::wake;
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::audit::NewAudit;
use crate::checkout as checkouts;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::flow::back_off;
use crate::op::{Op, Tx};
use crate::provider::payment::{Event, Forged};
use crate::sweeper::apart::{OF_EACH, apart};

/// Takes an event in; nothing when it is known already.
///
/// # Errors
/// Why it is no event of the provider's, which is audited when `audits`; or that the database does not answer.
pub async fn receive(
    app: &Arc<App>,
    caller: &Caller,
    provider: &str,
    read: Result<Event, Forged>,
    body: &[u8],
    audits: impl FnOnce() -> bool + Send,
) -> Result<Result<Option<ProviderEventId>, Forged>> {
    let event = match read {
        Ok(event) => event,
        Err(forged) => {
            tracing::warn!(provider, ?forged, "what claims to be an event of a payment provider is refused");
            if audits() {
                app.run(caller, &NoteForgery { provider: provider.to_owned(), forged }).await?;
            }
            return Ok(Err(forged));
        }
    };
    let Ok(body) = String::from_utf8(body.to_vec()) else { return Ok(Err(Forged::Unreadable)) };
    failpoint::reach("payment.event_came");
    let store = Store { provider: provider.to_owned(), event, body };
    let stored = app.run(caller, &store).await?;
    failpoint::reach("payment.event_stored");
    Ok(Ok(stored))
}

/// Keeps an event, once.
struct Store {
    provider: String,
    event: Event,
    body: String,
}

impl Op for Store {
    const NAME: &'static str = "payment.event_store";
    const NEEDS: Need = Need::System;
    type Out = Option<ProviderEventId>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<ProviderEventId>> {
        let event = &self.event;
        let row = provider_event::Model {
            id: tx.id(),
            received_at: tx.now(),
            provider: self.provider.clone(),
            event_id: event.id.clone(),
            kind: event.kind.clone(),
            reference: event.reference.clone(),
            checkout_id: event.key.as_deref().and_then(|key| key.parse().ok()),
            payment_id: event.key.as_deref().and_then(|key| key.parse().ok()),
            amount_minor: event.amount.map(|amount| amount.minor),
            currency: event.amount.map(|amount| amount.currency),
            body: self.body.clone(),
            attempts: 0,
            // Whoever took it in looks at it at once; after a crash the sweeper does.
            look_at: back_off(tx.now(), 1),
            processed_at: None,
            outcome: event.foreign_currency.then(|| OTHER_AMOUNT.to_owned()),
        };
        let id = row.id;
        Ok(repo::insert_event(tx, row).await?.then_some(id))
    }
}

/// Keeps in the audit log that somebody was refused.
struct NoteForgery {
    provider: String,
    forged: Forged,
}

impl Op for NoteForgery {
    const NAME: &'static str = "payment.event_refuse";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let from = tx.from().map(|address| address.to_string());
        let after = json!({ "why": format!("{:?}", self.forged), "from": from });
        note(tx, &self.provider, after).await
    }
}

async fn note(tx: &Tx, entity: &str, after: serde_json::Value) -> Result<()> {
    let audit = NewAudit { entity: entity.to_owned(), before: None, after: Some(after) };
    crate::audit::append(tx, NoteForgery::NAME, vec![audit]).await
}

const OTHER_AMOUNT: &str = "REFUSED: another amount or currency";
const OTHER_PAYMENT: &str = "REFUSED: another payment than that of the checkout";
const NO_CHECKOUT: &str = "REFUSED: no such checkout or payment";

/// Writes what came of an event.
struct Close {
    id: ProviderEventId,
    outcome: String,
}

impl Op for Close {
    const NAME: &'static str = "payment.event_close";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        if repo::close_event(tx, self.id, &self.outcome).await? && self.outcome.starts_with("REFUSED") {
            note(tx, &self.id.to_string(), json!({ "why": self.outcome })).await?;
        }
        Ok(())
    }
}

/// Looks at an event again later.
struct Later(ProviderEventId, DateTime<Utc>);

impl Op for Later {
    const NAME: &'static str = "payment.event_later";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        repo::postpone_event(tx, self.0, self.1).await
    }
}

/// Looks at an event; doing it twice does it once.
///
/// # Errors
/// When the database or the provider does not answer: it is looked at again.
pub async fn process(app: &Arc<App>, id: ProviderEventId) -> Result<()> {
    let system = Caller::system();
    let Some(row) = repo::find_event(&app.read(), id).await? else { return Ok(()) };
    if row.processed_at.is_some() {
        return Ok(());
    }
    let outcome = match look(app, &row).await {
        Ok(outcome) => outcome,
        Err(error) => {
            tracing::warn!(event = %id, %error, "an event could not be looked at; it is tried again");
            None
        }
    };
    failpoint::reach("payment.event_looked_at");
    match outcome {
        Some(outcome) => app.run(&system, &Close { id, outcome: outcome.to_owned() }).await,
        None => app.run(&system, &Later(id, back_off(app.clock.now(), row.attempts + 1))).await,
    }
}

/// What an event may be about.
enum Subject {
    Checkout(Box<checkout::Model>),
    Payment(Box<payment::Model>),
}

impl Subject {
    /// What is known by this name, or says that it is this; `Err` when it says what is not there.
    async fn find(conn: &Conn, row: &provider_event::Model, reference: &str) -> Result<Result<Option<Self>, ()>> {
        if let Some(found) = repo::find_by_reference(conn, &row.provider, reference).await? {
            return Ok(Ok(Some(Self::Payment(Box::new(found)))));
        }
        if let Some(found) = checkouts::repo::find_by_reference(conn, &row.provider, reference).await? {
            return Ok(Ok(Some(Self::Checkout(Box::new(found)))));
        }
        let found = match (row.checkout_id, row.payment_id) {
            (Some(id), _) => checkouts::repo::find(conn, id).await?.map(|found| Self::Checkout(Box::new(found))),
            (None, Some(id)) => repo::find(conn, id).await?.map(|found| Self::Payment(Box::new(found))),
            // Others may use the same account.
            (None, None) => return Ok(Ok(None)),
        };
        Ok(found.filter(|found| found.provider() == Some(&row.provider)).map(Some).ok_or(()))
    }

    fn provider(&self) -> Option<&String> {
        match self {
            Self::Checkout(row) => row.provider.as_ref(),
            Self::Payment(row) => Some(&row.provider),
        }
    }

    fn reference(&self) -> Option<&String> {
        match self {
            Self::Checkout(row) => row.provider_reference.as_ref(),
            Self::Payment(row) => row.provider_reference.as_ref(),
        }
    }

    fn amount(&self) -> (i64, Currency) {
        match self {
            Self::Checkout(row) => (row.total_minor, row.currency),
            Self::Payment(row) => (row.amount_minor, row.currency),
        }
    }
}

/// What comes of an event; nothing when it must be looked at again.
async fn look(app: &Arc<App>, row: &provider_event::Model) -> Result<Option<&'static str>> {
    let Some(reference) = &row.reference else { return Ok(Some("IGNORED: about no payment")) };
    let subject = match Subject::find(&app.read(), row, reference).await? {
        Ok(Some(subject)) => subject,
        Ok(None) => return Ok(Some("IGNORED: a payment of nobody")),
        Err(()) => return Ok(Some(NO_CHECKOUT)),
    };
    if subject.reference().is_some_and(|known| known != reference) {
        return Ok(Some(OTHER_PAYMENT));
    }
    let amount = row.amount_minor.zip(row.currency);
    if row.outcome.is_some() || amount.is_some_and(|amount| amount != subject.amount()) {
        return Ok(Some(OTHER_AMOUNT));
    }
    let followed = match subject {
        Subject::Checkout(mut found) => {
            found.provider_reference = Some(reference.clone());
            follow(app, &found).await?
        }
        Subject::Payment(found) => super::due::hear(app, *found, row).await?,
    };
    Ok(followed.then_some("LOOKED_UP"))
}

/// Does what the state of a checkout asks for; `false` when somebody is at it.
async fn follow(app: &Arc<App>, row: &checkout::Model) -> Result<bool> {
    match row.state {
        CheckoutState::Pending | CheckoutState::RequiresAction => wake::<checkout::Model>(app, row.id).await,
        CheckoutState::Abandoned => checkouts::flow::return_late(app, row).await,
        // Its payment is known by the same name; this one came between the two.
        CheckoutState::Placed => Ok(false),
    }
}

/// Looks at events that are due: those that a crash left behind, and those that came while somebody was at work.
pub async fn sweep(app: &Arc<App>) -> Result<()> {
    let due = repo::due_events(&app.read(), app.clock.now(), OF_EACH).await?;
    apart(app, due, |app, (id, provider)| async move {
        match process(&app, id).await {
            Ok(()) | Err(Error::Refused(_)) => {}
            Err(error) => tracing::error!(event = %id, %provider, %error, "an event could not be looked at"),
        }
    })
    .await;
    Ok(())
}
