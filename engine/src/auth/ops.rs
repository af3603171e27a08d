//! Logging in, refreshing, logging out, and giving access.

use domain::auth::{ActorKind, MIN_PASSWORD, Permission, Surface};
use domain::id::{SessionId, StaffId};
use domain::reach::Grants;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::{Email, title};
use entity::{session, staff};
use serde_json::json;
use uuid::Uuid;

use super::attempt::{self, Attempt};
use super::factor::{self, LogIn};
use super::{one_time, password, repo, token};
use crate::actor::{Actor, Caller, Need};
use crate::app::App;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::staff::ops::within_own;

/// The longest password, in characters: hashing must not become the attack.
pub(super) const MAX_PASSWORD: usize = 256;

/// What a log-in or a refresh gives.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// For `Authorization: Bearer`, good for 15 minutes.
    pub access: String,
    /// For one refresh.
    pub refresh: String,
    /// Whose they are.
    pub subject: Uuid,
}

/// The one refusal of a log-in, whatever was wrong.
pub fn wrong_credentials() -> Refusal {
    Refusal::new(ErrorCode::CredentialsInvalid, "E-mail or password is wrong.")
}

fn invalid_token() -> Refusal {
    Refusal::new(ErrorCode::TokenInvalid, "This token is unknown, expired, used or revoked; log in again.")
}

/// Logs a member of staff in, as far as a password goes. The answer for an unknown e-mail is the same in
/// content and in time.
pub async fn log_in_staff(app: &std::sync::Arc<App>, caller: &Caller, email: &str, secret: String) -> Result<LogIn> {
    let conn = app.db.read(&caller.statements);
    if secret.chars().count() > MAX_PASSWORD {
        return Err(wrong_credentials().into());
    }
    attempt::count(app, caller, Attempt::StaffPassword, email).await?;
    let found = match email.parse::<Email>() {
        Ok(email) => repo::find_staff_by_email(&conn, &email).await?.filter(|staff| staff.active),
        Err(_) => None,
    };
    // Nobody has the nil id: looking for his password is the same work.
    let whose = found.as_ref().map_or(Uuid::nil(), |staff| staff.id.into());
    let identity = repo::find_password(&conn, ActorKind::Staff, whose).await?;
    let right = password::verify(secret, identity.and_then(|identity| identity.secret_hash)).await?;
    match found {
        Some(staff) if right => {
            factor::log_in(app, caller, staff.id, false, Some((Attempt::StaffPassword, email))).await
        }
        _ => Err(wrong_credentials().into()),
    }
}

/// Opens a session after its actor proved who he is.
#[derive(Debug, Clone)]
pub struct OpenSession {
    actor_kind: ActorKind,
    actor: Uuid,
    surface: Surface,
    secret: String,
    proved: Option<(Attempt, String)>,
    second_factor: bool,
}

impl OpenSession {
    /// A session for this actor.
    pub fn new(actor_kind: ActorKind, actor: Uuid, surface: Surface) -> Self {
        Self { actor_kind, actor, surface, secret: token::random_token(""), proved: None, second_factor: false }
    }

    /// The same, forgetting the attempts that came before the right one.
    #[must_use]
    pub fn forgetting(mut self, attempt: Attempt, address: &str) -> Self {
        self.proved = Some((attempt, address.to_owned()));
        self
    }

    /// The same after a second factor, or after a proof that stands for one.
    #[must_use]
    pub fn by_second_factor(mut self, proved: bool) -> Self {
        self.second_factor = proved;
        self
    }

    /// Forgets the attempts that came before the right one.
    pub(super) async fn forget(&self, tx: &mut Tx) -> Result<()> {
        match &self.proved {
            Some((attempt, address)) => attempt::forget(tx, *attempt, address).await,
            None => Ok(()),
        }
    }

    /// The tokens of the session that was opened.
    pub fn tokens(&self, app: &App, session: &session::Model) -> Result<Tokens> {
        tokens(app, session, &self.secret)
    }
}

fn tokens(app: &App, session: &session::Model, secret: &str) -> Result<Tokens> {
    let subject = match session.actor_kind {
        ActorKind::Staff => StaffId(session.actor_id).to_string(),
        ActorKind::Customer => domain::id::CustomerId(session.actor_id).to_string(),
    };
    Ok(Tokens {
        access: app.keys.sign_access(session.surface, session.id, &subject, app.clock.now())?,
        refresh: format!("{}.{secret}", session.id),
        subject: session.actor_id,
    })
}

impl Op for OpenSession {
    const NAME: &'static str = "session.open";
    const NEEDS: Need = Need::System;
    type Out = session::Model;

    async fn run(&self, tx: &mut Tx) -> Result<session::Model> {
        self.forget(tx).await?;
        let row = session::Model {
            id: tx.id(),
            actor_kind: self.actor_kind,
            actor_id: self.actor,
            surface: self.surface,
            refresh_hash: token::hash(&self.secret),
            generation: 1,
            created_at: tx.now(),
            expires_at: tx.now() + token::SESSION_LIFE,
            revoked_at: None,
            second_factor: self.second_factor,
        };
        repo::insert_session(tx, row).await
    }
}

/// Changes a refresh token into new tokens. An older one than the last betrays
/// that two hold it: the session ends.
pub async fn refresh(app: &std::sync::Arc<App>, caller: &Caller, surface: Surface, refresh: &str) -> Result<Tokens> {
    let (id, secret) = refresh.split_once('.').ok_or_else(invalid_token)?;
    let op = RefreshSession {
        id: id.parse().map_err(|_| invalid_token())?,
        surface,
        presented: token::hash(secret),
        next: token::random_token(""),
    };
    let session = app.run(&Caller { actor: Actor::System, ..caller.clone() }, &op).await?;
    tokens(app, &session.ok_or_else(invalid_token)?, &op.next)
}

struct RefreshSession {
    id: SessionId,
    surface: Surface,
    presented: Vec<u8>,
    next: String,
}

impl Op for RefreshSession {
    const NAME: &'static str = "session.refresh";
    const NEEDS: Need = Need::System;
    // Ending a stolen session must be committed, so that is an answer, not an error.
    type Out = Option<session::Model>;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out> {
        let Some(mut row) = repo::lock_session(tx, self.id).await? else { return Ok(None) };
        if row.surface != self.surface || row.revoked_at.is_some() || row.expires_at <= tx.now() {
            return Ok(None);
        }
        if !token::same(&row.refresh_hash, &self.presented) {
            tracing::warn!(session = %row.id, "an old refresh token was presented; the session ends");
            row.revoked_at = Some(tx.now());
            repo::update_session(tx, row).await?;
            return Ok(None);
        }
        row.refresh_hash = token::hash(&self.next);
        row.generation += 1;
        row.expires_at = tx.now() + token::SESSION_LIFE;
        repo::update_session(tx, row).await.map(Some)
    }
}

/// Ends a session.
#[derive(Debug, Clone)]
pub struct CloseSession(pub SessionId);

impl Op for CloseSession {
    const NAME: &'static str = "session.close";
    const NEEDS: Need = Need::Nothing;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        if let Some(mut row) = repo::lock_session(tx, self.0).await? {
            row.revoked_at = Some(tx.now());
            repo::update_session(tx, row).await?;
        }
        Ok(())
    }
}

/// Gives a member of staff another password and ends his sessions.
#[derive(Debug, Clone)]
pub struct ResetPassword {
    /// Whose.
    pub staff: StaffId,
    /// The hash of the password.
    pub secret_hash: String,
    /// Whether his second factor goes too.
    pub reset_second_factor: bool,
}

impl Op for ResetPassword {
    const NAME: &'static str = "staff.reset_password";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let mut row =
            crate::staff::repo::lock(tx, self.staff).await?.ok_or_else(|| Error::not_found("member of staff"))?;
        crate::staff::invite::put_password(tx, &row, self.secret_hash.clone()).await?;
        if row.joined_at.is_none() {
            row.joined_at = Some(tx.now());
            row.version += 1;
            row.updated_at = tx.now();
            crate::staff::repo::update(tx, row).await?;
        }
        if self.reset_second_factor {
            repo::delete_factor(tx, self.staff).await?;
        }
        one_time::end_all(tx, self.staff.into()).await?;
        repo::revoke_sessions(tx, ActorKind::Staff, self.staff.into(), None).await?;
        Ok(())
    }
}

/// Ends a session that somebody names: his own, or anybody's with the right to
/// take access away. A session that is over already stays so.
#[derive(Debug, Clone, Copy)]
pub struct RevokeSession(pub SessionId);

impl Op for RevokeSession {
    const NAME: &'static str = "session.revoke";
    const NEEDS: Need = Need::Admin;
    type Out = SessionId;

    async fn run(&self, tx: &mut Tx) -> Result<SessionId> {
        let row = repo::lock_session(tx, self.0).await?;
        let own = |row: &session::Model| match tx.actor() {
            Actor::Staff { id, .. } => row.actor_kind == ActorKind::Staff && row.actor_id == Uuid::from(*id),
            _ => false,
        };
        let may = |row: &session::Model| own(row) || tx.actor().holds(Permission::AccessWrite);
        let mut row = row.filter(may).ok_or_else(|| Error::not_found("session"))?;
        row.revoked_at.get_or_insert(tx.now());
        repo::update_session(tx, row).await?;
        tx.audit(self.0, None, None);
        Ok(self.0)
    }
}

/// A new member of staff with a role and a password that was hashed before.
#[derive(Debug, Clone)]
pub struct CreateStaff {
    /// Whom to write to; also the name to log in with.
    pub email: String,
    /// What to call him.
    pub name: String,
    /// The name of a role.
    pub role: String,
    /// The hash of the password.
    pub secret_hash: String,
}

impl Op for CreateStaff {
    const NAME: &'static str = "staff.create";
    const NEEDS: Need = Need::Permission(Permission::AccessWrite);
    type Out = staff::Model;

    async fn run(&self, tx: &mut Tx) -> Result<staff::Model> {
        let mut refusals = Refusals::default();
        let email = refusals.keep(self.email.parse::<Email>().map_err(|refusal| refusal.at(["email"])));
        let name = refusals.keep(title(&self.name).map_err(|refusal| refusal.at(["name"])));
        let role = repo::role_named(tx, &self.role).await?;
        match &role {
            Some(role) => {
                let wanted = Grants::everywhere(&repo::granted_by(role));
                refusals.keep(within_own(tx.actor(), &wanted).map_err(|refusal| refusal.at(["role"])));
            }
            None => refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such role.").at(["role"])),
        }
        refusals.into_result()?;
        let (Some(email), Some(name), Some(role)) = (email, name, role) else {
            return Err(Error::internal("a refusal was lost"));
        };
        if repo::find_staff_by_email(&tx.conn, &email).await?.is_some() {
            return Err(Refusal::new(ErrorCode::Taken, "A member of staff has this e-mail.").at(["email"]).into());
        }
        let row = staff::Model {
            id: tx.id(),
            version: 1,
            created_at: tx.now(),
            updated_at: tx.now(),
            deleted_at: None,
            email,
            name,
            active: true,
            joined_at: Some(tx.now()),
        };
        let row = repo::insert_staff(tx, row, role.id, self.secret_hash.clone()).await?;
        tx.audit(row.id, None, Some(json!({ "role": role.name })));
        Ok(row)
    }
}

/// Checks a password that somebody wants to have.
pub fn check_new_password(secret: &str, path: &str) -> Result<(), Refusal> {
    let length = secret.chars().count();
    if (MIN_PASSWORD..=MAX_PASSWORD).contains(&length) {
        Ok(())
    } else {
        let message = format!("A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.");
        Err(Refusal::new(ErrorCode::Invalid, message).limit(MIN_PASSWORD as i64).at([path.to_owned()]))
    }
}

/// Changes the caller's own password and ends his other sessions.
pub async fn change_password(
    app: &std::sync::Arc<App>,
    caller: &Caller,
    current: String,
    next: String,
) -> Result<StaffId> {
    let Actor::Staff { id, session, .. } = caller.actor else { return Err(Error::Forbidden) };
    check_new_password(&next, "newPassword")?;
    // Whoever has an open session guesses no more often here than where a code is asked for.
    attempt::count(app, caller, Attempt::SecondFactor, &id.to_string()).await?;
    let identity = repo::find_password(&app.db.read(&caller.statements), ActorKind::Staff, id).await?;
    let hash = identity.and_then(|identity| identity.secret_hash);
    let fits = current.chars().count() <= MAX_PASSWORD;
    if !password::verify(current, hash.filter(|_| fits)).await? {
        return Err(Refusal::new(ErrorCode::CredentialsInvalid, "This is not your password.")
            .at(["currentPassword"])
            .into());
    }
    let op = SetPassword { staff: id, keep: session, secret_hash: password::hash(next).await? };
    app.run(caller, &op).await?;
    Ok(id)
}

struct SetPassword {
    staff: StaffId,
    keep: SessionId,
    secret_hash: String,
}

impl Op for SetPassword {
    const NAME: &'static str = "staff.set_password";
    const NEEDS: Need = Need::Admin;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let identity = repo::find_password(&tx.conn, ActorKind::Staff, self.staff).await?;
        let mut identity = identity.ok_or_else(|| Error::not_found("password"))?;
        identity.secret_hash = Some(self.secret_hash.clone());
        repo::update_identity(tx, identity).await?;
        attempt::forget(tx, Attempt::SecondFactor, &self.staff.to_string()).await?;
        repo::revoke_sessions(tx, ActorKind::Staff, self.staff.into(), Some(self.keep)).await?;
        Ok(())
    }
}
