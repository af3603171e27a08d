//! Registering, proving the mailbox, logging in, passwords.

use std::sync::Arc;

use domain::auth::{ActorKind, Surface, TokenPurpose};
use domain::customer::{MAX_PASSWORD, line};
use domain::id::{CustomerId, SessionId};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::Email;
use entity::customer;
use serde_json::json;
use uuid::Uuid;

use super::mail::{self, template};
use super::{aggregate, hold_own, repo, save, searched};
use crate::actor::{Actor, Caller, Need};
use crate::app::App;
use crate::auth::attempt::{self, Attempt};
use crate::auth::ops::{OpenSession, Tokens, wrong_credentials};
use crate::auth::{one_time, password, repo as access};
use crate::error::{Error, Result};
use crate::op::{Op, Tx};

/// What somebody says who wants an account.
#[derive(Debug, Clone)]
pub struct Registration {
    /// His mailbox, which is also his name at log-in.
    pub email: String,
    /// The password that he chose.
    pub password: String,
    /// His given name.
    pub first_name: Option<String>,
    /// His family name.
    pub last_name: Option<String>,
    /// Whether he wants to be sent news.
    pub accepts_marketing: bool,
    /// His language: a BCP 47 tag.
    pub locale: String,
}

/// Takes a registration. What happens is told by mail alone: the answer is the
/// same whether the address has an account or not.
pub async fn register(app: &Arc<App>, caller: &Caller, wish: Registration) -> Result<()> {
    let mut refusals = Refusals::default();
    let at = |name: &'static str| move |refusal: Refusal| refusal.at([name]);
    let email = refusals.keep(wish.email.parse::<Email>().map_err(at("email")));
    refusals.keep(domain::customer::password(&wish.password, "password"));
    let first_name = refusals.keep(line(wish.first_name.as_deref().unwrap_or_default()).map_err(at("firstName")));
    let last_name = refusals.keep(line(wish.last_name.as_deref().unwrap_or_default()).map_err(at("lastName")));
    let locale = refusals.keep(domain::channel::locale(&wish.locale).map_err(at("locale")));
    refusals.into_result()?;
    let (Some(email), Some(first_name), Some(last_name), Some(locale)) = (email, first_name, last_name, locale) else {
        return Err(Error::internal("a refusal was lost"));
    };
    attempt::count(app, caller, Attempt::Mail, email.as_str()).await?;
    let op = Register {
        email,
        first_name,
        last_name,
        locale,
        accepts_marketing: wish.accepts_marketing,
        secret_hash: password::hash(wish.password).await?,
    };
    match app.run(caller, &op).await {
        // Somebody else has registered the address in between: now it is known.
        Err(Error::Refused(refused)) if refused.iter().all(|refusal| refusal.code == ErrorCode::Taken) => {
            app.run(caller, &op).await
        }
        outcome => outcome,
    }
}

struct Register {
    email: Email,
    first_name: Option<String>,
    last_name: Option<String>,
    locale: String,
    accepts_marketing: bool,
    secret_hash: String,
}

impl Op for Register {
    const NAME: &'static str = "customer.register";
    const NEEDS: Need = Need::Nothing;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        match repo::lock_account(tx, &self.email).await? {
            Some(known) if known.verified_at.is_some() => {
                attempt::spend(tx, self.email.as_str(), 3).await?;
                mail::request(tx, known.id, template::REGISTERED_AGAIN);
                Ok(())
            }
            Some(known) => self.again(tx, known).await,
            None => self.first(tx).await,
        }
    }
}

impl Register {
    // Each way takes as many statements as the longest one, so that none of them is told apart by its time.

    async fn first(&self, tx: &mut Tx) -> Result<()> {
        let mut row = blank(tx, self.email.clone());
        row.has_account = true;
        self.fill(&mut row);
        row.search_text = searched(&row);
        let row = repo::insert(tx, row).await?;
        let hash = Some(self.secret_hash.clone());
        access::insert_password(tx, ActorKind::Customer, row.id.into(), &row.email, hash).await?;
        attempt::spend(tx, self.email.as_str(), 1).await?;
        tx.emit(aggregate(row.id), "customer.registered", json!({}));
        mail::request(tx, row.id, template::VERIFICATION);
        Ok(())
    }

    /// Two who may be strangers chose a password for a mailbox that neither
    /// has proved: neither password counts, and the proof brings a new one.
    async fn again(&self, tx: &mut Tx, mut row: customer::Model) -> Result<()> {
        self.fill(&mut row);
        let row = save(tx, row).await?;
        if let Some(mut identity) = access::find_password(&tx.conn, ActorKind::Customer, row.id).await? {
            identity.secret_hash = None;
            access::update_identity(tx, identity).await?;
        }
        mail::request(tx, row.id, template::VERIFICATION);
        Ok(())
    }

    fn fill(&self, row: &mut customer::Model) {
        row.first_name.clone_from(&self.first_name);
        row.last_name.clone_from(&self.last_name);
        row.locale = Some(self.locale.clone());
        row.accepts_marketing = self.accepts_marketing;
    }
}

/// A customer of whom nothing is known but his mailbox.
pub(super) fn blank(tx: &Tx, email: Email) -> customer::Model {
    customer::Model {
        id: tx.id(),
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        deleted_at: None,
        email,
        has_account: false,
        first_name: None,
        last_name: None,
        phone: None,
        locale: None,
        accepts_marketing: false,
        verified_at: None,
        new_email: None,
        previous_email: None,
        search_text: String::new(),
        tax_exempt: false,
        tax_number: None,
    }
}

/// Asks for a mail to an address, if it has an account that wants it; the
/// answer is the same if not.
pub async fn request_mail(app: &Arc<App>, caller: &Caller, email: &str, purpose: TokenPurpose) -> Result<()> {
    let email: Email = email.parse().map_err(|refusal: Refusal| refusal.at(["email"]))?;
    attempt::count(app, caller, Attempt::Mail, email.as_str()).await?;
    attempt::evenly(app.run(caller, &RequestMail { email, purpose })).await
}

struct RequestMail {
    email: Email,
    purpose: TokenPurpose,
}

impl Op for RequestMail {
    const NAME: &'static str = "customer.request_mail";
    const NEEDS: Need = Need::Nothing;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        match (repo::lock_account(tx, &self.email).await?, self.purpose) {
            (Some(row), TokenPurpose::PasswordRecovery) => mail::request(tx, row.id, template::RECOVERY),
            (Some(row), TokenPurpose::CustomerVerification) if row.verified_at.is_none() => {
                mail::request(tx, row.id, template::VERIFICATION);
            }
            _ => attempt::spend(tx, self.email.as_str(), 1).await?,
        }
        Ok(())
    }
}

/// The account behind a redeemed token, locked, if the token was sent to the
/// mailbox that the account has now.
async fn account_of(tx: &mut Tx, purpose: TokenPurpose, token: &str) -> Result<customer::Model> {
    let redeemed = one_time::redeem(tx, purpose, token).await?;
    let row = repo::lock(tx, CustomerId(redeemed.subject)).await?;
    let row = row.filter(|row| row.has_account && redeemed.detail.as_deref() == Some(row.email.as_str()));
    Ok(row.ok_or_else(one_time::invalid)?)
}

/// Proves the mailbox of a new account.
pub async fn verify(app: &Arc<App>, caller: &Caller, token: String, secret: Option<String>) -> Result<CustomerId> {
    let secret_hash = match secret {
        Some(secret) => {
            domain::customer::password(&secret, "password")?;
            one_time::check(app, caller, TokenPurpose::CustomerVerification, &token).await?;
            Some(password::hash(secret).await?)
        }
        None => None,
    };
    app.run(caller, &Verify { token, secret_hash }).await
}

struct Verify {
    token: String,
    secret_hash: Option<String>,
}

impl Op for Verify {
    const NAME: &'static str = "customer.verify";
    const NEEDS: Need = Need::Nothing;
    type Out = CustomerId;

    async fn run(&self, tx: &mut Tx) -> Result<CustomerId> {
        let mut row = account_of(tx, TokenPurpose::CustomerVerification, &self.token).await?;
        if row.verified_at.is_some() {
            return Err(one_time::invalid().into());
        }
        row.verified_at = Some(tx.now());
        let identity = access::find_password(&tx.conn, ActorKind::Customer, row.id).await?;
        let chosen = identity.as_ref().is_some_and(|identity| identity.secret_hash.is_some());
        match &self.secret_hash {
            Some(hash) => put_password(tx, &row, hash.clone()).await?,
            None if chosen => {}
            None => {
                let message = "This account has no password that counts: choose one.";
                return Err(Refusal::new(ErrorCode::Required, message).at(["password"]).into());
            }
        }
        let row = save(tx, row).await?;
        tx.emit(aggregate(row.id), "customer.verified", json!({}));
        Ok(row.id)
    }
}

async fn put_password(tx: &mut Tx, row: &customer::Model, hash: String) -> Result<()> {
    match access::find_password(&tx.conn, ActorKind::Customer, row.id).await? {
        Some(mut identity) => {
            identity.secret_hash = Some(hash);
            access::update_identity(tx, identity).await
        }
        None => access::insert_password(tx, ActorKind::Customer, row.id.into(), &row.email, Some(hash)).await,
    }
}

/// Logs a customer in. Whatever is wrong, the answer is the same and takes the
/// same work: one that has not proved his mailbox is told no more than a stranger.
pub async fn log_in(app: &Arc<App>, caller: &Caller, email: &str, secret: String) -> Result<(Tokens, Actor)> {
    if secret.chars().count() > MAX_PASSWORD {
        return Err(wrong_credentials().into());
    }
    attempt::count(app, caller, Attempt::CustomerPassword, email).await?;
    let conn = app.db.read(&caller.statements);
    let found = match email.parse::<Email>() {
        Ok(email) => repo::find_account(&conn, &email).await?.filter(|row| row.verified_at.is_some()),
        Err(_) => None,
    };
    // Nobody has the nil id: looking for his password is the same work.
    let whose = found.as_ref().map_or(Uuid::nil(), |row| row.id.into());
    let identity = access::find_password(&conn, ActorKind::Customer, whose).await?;
    let right = password::verify(secret, identity.and_then(|identity| identity.secret_hash)).await?;
    let row = found.filter(|_| right).ok_or_else(wrong_credentials)?;
    let op = OpenSession::new(ActorKind::Customer, row.id.into(), Surface::Store)
        .forgetting(Attempt::CustomerPassword, email);
    let session = app.run(&Caller { actor: Actor::System, ..caller.clone() }, &op).await?;
    Ok((op.tokens(app, &session)?, Actor::Customer { id: row.id, session: session.id }))
}

/// Ends the caller's session, or all that he has.
#[derive(Debug, Clone, Copy)]
pub struct LogOut {
    /// Whether his other sessions end too.
    pub everywhere: bool,
}

impl Op for LogOut {
    const NAME: &'static str = "customer.log_out";
    const NEEDS: Need = Need::Nothing;
    type Out = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        let Actor::Customer { id, session } = *tx.actor() else { return Ok(false) };
        if self.everywhere {
            return Ok(access::revoke_sessions(tx, ActorKind::Customer, id.into(), None).await? > 0);
        }
        let row = access::lock_session(tx, session).await?.filter(|row| row.revoked_at.is_none());
        let Some(mut row) = row else { return Ok(false) };
        row.revoked_at = Some(tx.now());
        access::update_session(tx, row).await?;
        Ok(true)
    }
}

/// Sets a new password by a mailed token, which also proves the mailbox; every session ends.
pub async fn reset(app: &Arc<App>, caller: &Caller, token: String, secret: String) -> Result<()> {
    domain::customer::password(&secret, "password")?;
    one_time::check(app, caller, TokenPurpose::PasswordRecovery, &token).await?;
    let op = Reset { token, secret_hash: password::hash(secret).await? };
    app.run(caller, &op).await
}

struct Reset {
    token: String,
    secret_hash: String,
}

impl Op for Reset {
    const NAME: &'static str = "customer.reset_password";
    const NEEDS: Need = Need::Nothing;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let mut row = account_of(tx, TokenPurpose::PasswordRecovery, &self.token).await?;
        put_password(tx, &row, self.secret_hash.clone()).await?;
        if row.verified_at.is_none() {
            row.verified_at = Some(tx.now());
        }
        // Whoever has the mailbox decides: what others asked for is void.
        row.new_email = None;
        let row = save(tx, row).await?;
        one_time::end_all(tx, row.id.into()).await?;
        attempt::trust(tx, Attempt::CustomerPassword, row.email.as_str()).await?;
        access::revoke_sessions(tx, ActorKind::Customer, row.id.into(), None).await?;
        tx.emit(aggregate(row.id), "customer.password_changed", json!({}));
        Ok(())
    }
}

/// The signed-in customer after he gave his password again; tries count like log-ins.
pub async fn prove(
    app: &Arc<App>,
    caller: &Caller,
    secret: String,
    path: &str,
) -> Result<(customer::Model, SessionId)> {
    let Actor::Customer { id, session } = caller.actor else { return Err(Error::Unauthenticated) };
    let conn = app.db.read(&caller.statements);
    let row = repo::find(&conn, id).await?.ok_or(Error::Unauthenticated)?;
    attempt::count(app, caller, Attempt::CustomerPassword, row.email.as_str()).await?;
    let identity = access::find_password(&conn, ActorKind::Customer, id).await?;
    let hash = identity.and_then(|identity| identity.secret_hash);
    let fits = secret.chars().count() <= MAX_PASSWORD;
    if fits && password::verify(secret, hash).await? {
        return Ok((row, session));
    }
    Err(Refusal::new(ErrorCode::CredentialsInvalid, "This is not your password.").at([path]).into())
}

/// Changes the caller's own password and ends his other sessions.
pub async fn change_password(app: &Arc<App>, caller: &Caller, current: String, next: String) -> Result<CustomerId> {
    if caller.actor.customer().is_none() {
        return Err(Error::Unauthenticated);
    }
    domain::customer::password(&next, "newPassword")?;
    let (row, keep) = prove(app, caller, current, "currentPassword").await?;
    app.run(caller, &SetPassword { keep, secret_hash: password::hash(next).await? }).await?;
    Ok(row.id)
}

struct SetPassword {
    keep: SessionId,
    secret_hash: String,
}

impl Op for SetPassword {
    const NAME: &'static str = "customer.set_password";
    const NEEDS: Need = Need::Nothing;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let row = hold_own(tx).await?;
        put_password(tx, &row, self.secret_hash.clone()).await?;
        attempt::forget(tx, Attempt::CustomerPassword, row.email.as_str()).await?;
        access::revoke_sessions(tx, ActorKind::Customer, row.id.into(), Some(self.keep)).await?;
        tx.emit(aggregate(row.id), "customer.password_changed", json!({}));
        Ok(())
    }
}
