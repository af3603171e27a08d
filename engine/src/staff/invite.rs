//! How people come to have access and to have it again: invitations and
//! recovery, both by a token that is mailed and works once. Nobody but the
//! mailbox ever sees it.

use std::sync::Arc;

use domain::auth::{ActorKind, Permission, TokenPurpose};
use domain::id::StaffId;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::{Email, title};
use entity::staff;

use super::mail::{self, template};
use super::ops::{roles_of, summary, within_own};
use super::repo;
use super::roles::{RoleWishes, grants_of};
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::auth::attempt::{self, Attempt};
use crate::auth::ops::check_new_password;
use crate::auth::{one_time, password, repo as identities};
use crate::error::{Error, Result};
use crate::op::{Op, Tx};

const WRITE: Need = Need::Permission(Permission::AccessWrite);

/// Invites somebody: he is a member of staff from now on and can log in once
/// he has accepted.
#[derive(Debug, Clone)]
pub struct InviteStaff {
    /// Where the invitation goes; also the name to log in with.
    pub email: String,
    /// What to call him.
    pub name: String,
    /// His roles.
    pub roles: RoleWishes,
}

impl Op for InviteStaff {
    const NAME: &'static str = "staff.invite";
    const NEEDS: Need = WRITE;
    type Out = staff::Model;

    async fn run(&self, tx: &mut Tx) -> Result<staff::Model> {
        let mut refusals = Refusals::default();
        let email = refusals.keep(self.email.parse::<Email>().map_err(|refusal| refusal.at(["email"])));
        let name = refusals.keep(title(&self.name).map_err(|refusal| refusal.at(["name"])));
        let held = self.roles.check(tx, &mut refusals).await?;
        let wanted = within_own(tx.actor(), &grants_of(&held));
        refusals.keep(wanted.map_err(|refusal| refusal.at([self.roles.field])));
        if let Some(email) = &email
            && identities::find_staff_by_email(&tx.conn, email).await?.is_some()
        {
            refusals.push(Refusal::new(ErrorCode::Taken, "A member of staff has this e-mail.").at(["email"]));
        }
        refusals.into_result()?;
        let (Some(email), Some(name)) = (email, name) else { return Err(Error::internal("a refusal was lost")) };
        let row = staff::Model {
            id: tx.id(),
            version: 1,
            created_at: tx.now(),
            updated_at: tx.now(),
            deleted_at: None,
            email,
            name,
            active: true,
            joined_at: None,
        };
        let row = repo::insert(tx, row).await?;
        repo::replace_roles(tx, row.id, &held).await?;
        mail::request(tx, row.id, template::INVITATION);
        tx.audit(row.id, None, Some(summary(&row, &held)));
        Ok(row)
    }
}

/// Somebody whose invitation is open, locked, with nothing beyond what the caller holds.
async fn lock_invited(tx: &mut Tx, id: StaffId) -> Result<staff::Model> {
    let row = repo::lock(tx, id).await?.ok_or_else(|| Error::not_found("member of staff"))?;
    let mut refusals = Refusals::default();
    if row.joined_at.is_some() {
        refusals.push(Refusal::new(ErrorCode::StateInvalid, "The invitation was accepted.").at(["id"]));
    }
    let held = roles_of(tx, row.id).await?;
    refusals.keep(within_own(tx.actor(), &grants_of(&held)).map_err(|refusal| refusal.at(["id"])));
    refusals.into_result()?;
    Ok(row)
}

/// Sends an invitation again; the older mail opens nothing once the new one is sent.
#[derive(Debug, Clone, Copy)]
pub struct ResendInvitation(pub StaffId);

impl Op for ResendInvitation {
    const NAME: &'static str = "staff.resend_invitation";
    const NEEDS: Need = WRITE;
    type Out = staff::Model;

    async fn run(&self, tx: &mut Tx) -> Result<staff::Model> {
        let row = lock_invited(tx, self.0).await?;
        mail::request(tx, row.id, template::INVITATION);
        tx.audit(row.id, None, None);
        Ok(row)
    }
}

/// Takes an invitation back: the mail opens nothing any more.
#[derive(Debug, Clone, Copy)]
pub struct RevokeInvitation(pub StaffId);

impl Op for RevokeInvitation {
    const NAME: &'static str = "staff.revoke_invitation";
    const NEEDS: Need = WRITE;
    type Out = StaffId;

    async fn run(&self, tx: &mut Tx) -> Result<StaffId> {
        let mut row = lock_invited(tx, self.0).await?;
        let before = summary(&row, &roles_of(tx, row.id).await?);
        row.deleted_at = Some(tx.now());
        row.active = false;
        row.version += 1;
        row.updated_at = tx.now();
        let row = repo::update(tx, row).await?;
        one_time::end_all(tx, row.id.into()).await?;
        identities::delete_identities(tx, row.id.into()).await?;
        tx.audit(row.id, Some(before), None);
        Ok(row.id)
    }
}

/// Accepts an invitation with a password, which also proves the mailbox.
pub async fn accept(app: &Arc<App>, caller: &Caller, token: String, secret: String) -> Result<StaffId> {
    check_new_password(&secret, "password")?;
    one_time::check(app, caller, TokenPurpose::StaffInvitation, &token).await?;
    let op = Accept { token, secret_hash: password::hash(secret).await? };
    app.run(caller, &op).await
}

/// The member of staff behind a redeemed token, locked, if it was sent to the mailbox that he has.
async fn person_of(tx: &mut Tx, purpose: TokenPurpose, token: &str) -> Result<staff::Model> {
    let redeemed = one_time::redeem(tx, purpose, token).await?;
    let row = repo::lock(tx, StaffId(redeemed.subject)).await?;
    let row = row.filter(|row| row.active && redeemed.detail.as_deref() == Some(row.email.as_str()));
    Ok(row.ok_or_else(one_time::invalid)?)
}

/// Writes the password of somebody, who may have had none.
pub(crate) async fn put_password(tx: &mut Tx, row: &staff::Model, hash: String) -> Result<()> {
    match identities::find_password(&tx.conn, ActorKind::Staff, row.id).await? {
        Some(mut identity) => {
            identity.secret_hash = Some(hash);
            identities::update_identity(tx, identity).await
        }
        None => identities::insert_password(tx, ActorKind::Staff, row.id.into(), &row.email, Some(hash)).await,
    }
}

struct Accept {
    token: String,
    secret_hash: String,
}

impl Op for Accept {
    const NAME: &'static str = "staff.accept_invitation";
    const NEEDS: Need = Need::Nothing;
    type Out = StaffId;

    async fn run(&self, tx: &mut Tx) -> Result<StaffId> {
        let mut row = person_of(tx, TokenPurpose::StaffInvitation, &self.token).await?;
        if row.joined_at.is_some() {
            return Err(one_time::invalid().into());
        }
        put_password(tx, &row, self.secret_hash.clone()).await?;
        row.joined_at = Some(tx.now());
        row.version += 1;
        row.updated_at = tx.now();
        let row = repo::update(tx, row).await?;
        tx.emit(crate::event::Aggregate::new("staff", row.id), "staff.joined", serde_json::json!({}));
        Ok(row.id)
    }
}

/// Asks for a mail that lets somebody set a new password, if the address is
/// that of a member of staff; the answer is the same if not.
pub async fn request_recovery(app: &Arc<App>, caller: &Caller, email: &str) -> Result<()> {
    let email: Email = email.parse().map_err(|refusal: Refusal| refusal.at(["email"]))?;
    attempt::count(app, caller, Attempt::Mail, email.as_str()).await?;
    attempt::evenly(app.run(caller, &RequestRecovery { email })).await
}

struct RequestRecovery {
    email: Email,
}

impl Op for RequestRecovery {
    const NAME: &'static str = "staff.request_recovery";
    const NEEDS: Need = Need::Nothing;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        match repo::lock_email(tx, &self.email).await? {
            Some(row) if row.active && row.joined_at.is_some() => mail::request(tx, row.id, template::RECOVERY),
            _ => attempt::spend(tx, self.email.as_str(), 1).await?,
        }
        Ok(())
    }
}

/// Sets a new password by a mailed token and ends every session. The second
/// factor stays: whoever has the mailbox alone does not get in.
pub async fn recover(app: &Arc<App>, caller: &Caller, token: String, secret: String) -> Result<()> {
    check_new_password(&secret, "password")?;
    one_time::check(app, caller, TokenPurpose::StaffRecovery, &token).await?;
    let op = Recover { token, secret_hash: password::hash(secret).await? };
    app.run(caller, &op).await
}

struct Recover {
    token: String,
    secret_hash: String,
}

impl Op for Recover {
    const NAME: &'static str = "staff.recover";
    const NEEDS: Need = Need::Nothing;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let row = person_of(tx, TokenPurpose::StaffRecovery, &self.token).await?;
        put_password(tx, &row, self.secret_hash.clone()).await?;
        one_time::end_all(tx, row.id.into()).await?;
        attempt::trust(tx, Attempt::StaffPassword, row.email.as_str()).await?;
        identities::revoke_sessions(tx, ActorKind::Staff, row.id.into(), None).await?;
        tx.emit(crate::event::Aggregate::new("staff", row.id), "staff.password_changed", serde_json::json!({}));
        Ok(())
    }
}
