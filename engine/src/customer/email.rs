//! Moving an account to another mailbox: the new one must be proved, the old
//! one is told.

use std::sync::Arc;

use domain::auth::{ActorKind, TokenPurpose};
use domain::id::CustomerId;
use domain::refusal::{ErrorCode, Refusal};
use domain::text::Email;
use serde_json::json;

use super::account::prove;
use super::mail::{self, template};
use super::{aggregate, hold_own, repo, save};
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::auth::attempt::{self, Attempt};
use crate::auth::{one_time, repo as access};
use crate::error::{Error, Result};
use crate::op::{Op, Tx};

/// Asks to move the caller's account to another mailbox. The answer is the
/// same when that has an account already.
pub async fn request_change(app: &Arc<App>, caller: &Caller, email: &str, secret: String) -> Result<()> {
    if caller.actor.customer().is_none() {
        return Err(Error::Unauthenticated);
    }
    let email: Email = email.parse().map_err(|refusal: Refusal| refusal.at(["email"]))?;
    let (row, _) = prove(app, caller, secret, "password").await?;
    if row.email == email {
        return Err(Refusal::new(ErrorCode::Invalid, "This is your address already.").at(["email"]).into());
    }
    attempt::count(app, caller, Attempt::Mail, email.as_str()).await?;
    attempt::evenly(app.run(caller, &RequestChange { email })).await
}

struct RequestChange {
    email: Email,
}

impl Op for RequestChange {
    const NAME: &'static str = "customer.request_email_change";
    const NEEDS: Need = Need::Nothing;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let mut row = hold_own(tx).await?;
        row.new_email = Some(self.email.clone());
        let row = save(tx, row).await?;
        attempt::forget(tx, Attempt::CustomerPassword, row.email.as_str()).await?;
        // A token for the address before this one opens nothing any more.
        access::forget_tokens(tx, row.id.into(), Some(TokenPurpose::EmailChange)).await?;
        let owner = repo::find_account(&tx.conn, &self.email).await?;
        match owner.filter(|owner| owner.verified_at.is_some()) {
            None => {
                attempt::spend(tx, self.email.as_str(), 1).await?;
                mail::request(tx, row.id, template::EMAIL_CHANGE);
            }
            // The owner is told; his row isn't held, so the event waits for its place.
            Some(owner) => {
                if let Some(owner) = repo::lock(tx, owner.id).await? {
                    mail::request(tx, owner.id, template::REGISTERED_AGAIN);
                }
            }
        }
        Ok(())
    }
}

/// Moves an account to the mailbox that the token was sent to.
#[derive(Debug, Clone)]
pub struct ConfirmChange {
    /// What was mailed.
    pub token: String,
}

impl Op for ConfirmChange {
    const NAME: &'static str = "customer.confirm_email_change";
    const NEEDS: Need = Need::Nothing;
    type Out = CustomerId;

    async fn run(&self, tx: &mut Tx) -> Result<CustomerId> {
        let redeemed = one_time::redeem(tx, TokenPurpose::EmailChange, &self.token).await?;
        let row = repo::lock(tx, CustomerId(redeemed.subject)).await?;
        let row = row.filter(|row| row.has_account);
        let mut row = row.ok_or_else(one_time::invalid)?;
        let wanted = row.new_email.take();
        let wanted = wanted.filter(|email| redeemed.detail.as_deref() == Some(email.as_str()));
        let wanted = wanted.ok_or_else(one_time::invalid)?;
        match repo::find_account(&tx.conn, &wanted).await? {
            Some(owner) if owner.verified_at.is_some() => return Err(one_time::invalid().into()),
            // Somebody once typed this address and never proved it; now it is proved.
            Some(unproved) => repo::erase::blank(tx, &unproved).await?,
            None => {}
        }
        move_to(&mut row, wanted);
        row.verified_at = Some(tx.now());
        let row = save(tx, row).await?;
        follow(tx, row.id, &row.email).await?;
        // What was mailed to the old mailbox opens nothing any more.
        one_time::end_all(tx, row.id.into()).await?;
        tx.emit(aggregate(row.id), "customer.email_changed", json!({}));
        mail::request(tx, row.id, template::EMAIL_CHANGED);
        Ok(row.id)
    }
}

/// Writes the new address and keeps the old one, which is told.
pub(super) fn move_to(row: &mut entity::customer::Model, email: Email) {
    row.previous_email = Some(std::mem::replace(&mut row.email, email));
    row.new_email = None;
}

/// Lets the log-in follow the account to its new address.
pub(super) async fn follow(tx: &mut Tx, id: CustomerId, email: &Email) -> Result<()> {
    if let Some(mut identity) = access::find_password(&tx.conn, ActorKind::Customer, id).await? {
        identity.subject = email.to_string();
        access::update_identity(tx, identity).await?;
    }
    Ok(())
}
