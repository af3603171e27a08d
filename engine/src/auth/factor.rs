//! The second factor of staff: an authenticator app, and recovery codes for
//! when it is lost.
//!
//! A session that was opened without the factor grants nothing when its owner
//! has one, or when the shop demands one of everybody: it can only be used to
//! set the factor up. A code is taken once; tries are counted in the database.
//!
//! A session alone neither sets one up nor removes one, so that who gets hold
//! of an open one can't lock its owner out: it takes the password too, or a
//! log-in of the last [`RECENT`], which is the way of those who have no password.

use std::sync::Arc;

use aws_lc_rs::hmac;
use chrono::TimeDelta;
use domain::auth::{ActorKind, Permission, Surface, TokenPurpose};
use domain::id::{SessionId, StaffId};
use domain::refusal::{ErrorCode, Refusal};
use domain::totp::{self, Given, RECOVERY_CODES};
use entity::{second_factor, session, staff};
use serde_json::json;

use super::attempt::{self, Attempt};
use super::ops::{OpenSession, Tokens};
use super::{one_time, password, repo, token};
use crate::actor::{Actor, Caller, Need};
use crate::app::App;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::staff::ops::{roles_of, within_own};
use crate::staff::repo as people;
use crate::staff::roles::grants_of;

/// How long a log-in stands for the password.
pub const RECENT: TimeDelta = TimeDelta::minutes(5);

/// What authenticator apps show beside the e-mail.
const ISSUER: &str = "Emporion";

fn wrong(path: &str) -> Refusal {
    Refusal::new(ErrorCode::CredentialsInvalid, "This code is wrong, too old or used.").at([path])
}

fn none() -> Refusal {
    Refusal::new(ErrorCode::StateInvalid, "There is no second factor; set one up first.")
}

fn owner(staff: StaffId) -> String {
    format!("second_factor:{staff}")
}

/// The member of staff who asks, and his session.
fn own(actor: &Actor) -> Result<(StaffId, SessionId)> {
    match actor {
        Actor::Staff { id, session, .. } => Ok((*id, *session)),
        _ => Err(Error::Forbidden),
    }
}

/// The code of a step (RFC 6238).
pub fn code_at(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    totp::code(hmac::sign(&key, &step.to_be_bytes()).as_ref())
}

/// The step of a code that is right now, if it is later than the last one that was taken.
fn right_step(tx: &Tx, row: &second_factor::Model, code: &str) -> Result<Option<i64>> {
    let secret = tx.vault().open(&owner(row.staff_id), &row.secret)?;
    let right = |step: &i64| token::same(code_at(&secret, *step).as_bytes(), code.as_bytes());
    let fresh = totp::steps(tx.now().timestamp()).filter(|step| *step > row.last_step);
    Ok(fresh.filter(right).last())
}

/// Uses up a code of the app or a recovery code of somebody who has a second factor.
async fn prove(tx: &mut Tx, staff: StaffId, given: &str, path: &str) -> Result<()> {
    let row = repo::lock_factor(tx, staff).await?.filter(|row| row.confirmed_at.is_some());
    let mut row = row.ok_or_else(none)?;
    let right = match totp::read(given) {
        Some(Given::Code(code)) => match right_step(tx, &row, &code)? {
            Some(step) => {
                row.last_step = step;
                repo::update_factor(tx, row).await?;
                true
            }
            None => false,
        },
        Some(Given::Recovery(code)) => repo::use_recovery_code(tx, staff, &token::hash(&code)).await?,
        None => false,
    };
    match right {
        true => attempt::forget(tx, Attempt::SecondFactor, &staff.to_string()).await,
        false => Err(wrong(path).into()),
    }
}

/// New recovery codes, in the place of all older ones.
async fn make_recovery_codes(tx: &mut Tx, staff: StaffId) -> Result<Vec<String>> {
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| totp::recovery_code(token::random_bytes())).collect();
    let hashes = codes.iter().map(|code| token::hash(code)).collect();
    repo::replace_recovery_codes(tx, staff, hashes).await?;
    Ok(codes)
}

/// What an app needs to know; shown once.
#[derive(Debug, Clone)]
pub struct Enrollment {
    /// The secret in base32, for typing.
    pub secret: String,
    /// The same as an address, for a QR code.
    pub address: String,
}

/// Refuses whoever has nothing but an open session: asks for the caller's
/// password or, when he gives none, for a recent log-in.
async fn prove_presence(app: &Arc<App>, caller: &Caller, secret: Option<String>) -> Result<StaffId> {
    let (id, session) = own(&caller.actor)?;
    let conn = app.db.read(&caller.statements);
    let refuse = |message: &str| Err(Refusal::new(ErrorCode::CredentialsInvalid, message).at(["password"]).into());
    let Some(secret) = secret else {
        let since = repo::session_since(&conn, session).await?;
        return match since.is_some_and(|since| app.clock.now() - since < RECENT) {
            true => Ok(id),
            false => refuse("Give your password, or log in again: a log-in stands for it for five minutes."),
        };
    };
    attempt::count(app, caller, Attempt::SecondFactor, &id.to_string()).await?;
    let identity = repo::find_password(&conn, ActorKind::Staff, id).await?;
    let hash = identity.and_then(|identity| identity.secret_hash);
    let fits = secret.chars().count() <= super::ops::MAX_PASSWORD;
    match password::verify(secret, hash.filter(|_| fits)).await? {
        true => Ok(id),
        false => refuse("This is not your password."),
    }
}

/// Begins to set the caller's second factor up, after his password or a recent
/// log-in. It counts once a code was right.
pub async fn enroll(app: &Arc<App>, caller: &Caller, secret: Option<String>) -> Result<Enrollment> {
    let proved = secret.is_some();
    prove_presence(app, caller, secret).await?;
    app.run(caller, &Enroll { proved }).await
}

struct Enroll {
    /// Whether a password was counted and right.
    proved: bool,
}

impl Op for Enroll {
    const NAME: &'static str = "second_factor.enroll";
    const NEEDS: Need = Need::Admin;
    type Out = Enrollment;

    async fn run(&self, tx: &mut Tx) -> Result<Enrollment> {
        let (id, _) = own(tx.actor())?;
        let row = people::lock(tx, id).await?.ok_or(Error::Unauthenticated)?;
        if repo::lock_factor(tx, id).await?.is_some_and(|row| row.confirmed_at.is_some()) {
            let message = "You have a second factor; disable it before you set another one up.";
            return Err(Refusal::new(ErrorCode::StateInvalid, message).into());
        }
        let secret: [u8; 20] = token::random_bytes();
        let factor = second_factor::Model {
            staff_id: id,
            created_at: tx.now(),
            confirmed_at: None,
            secret: tx.vault().seal(&owner(id), &secret)?,
            last_step: 0,
        };
        if self.proved {
            attempt::forget(tx, Attempt::SecondFactor, &id.to_string()).await?;
        }
        repo::delete_factor(tx, id).await?;
        repo::insert_factor(tx, factor).await?;
        let secret = totp::base32(&secret);
        let address = totp::address(ISSUER, row.email.as_str(), &secret);
        tx.audit(id, None, None);
        Ok(Enrollment { secret, address })
    }
}

/// Confirms the caller's second factor with its first code. Answers with recovery codes.
pub async fn confirm(app: &Arc<App>, caller: &Caller, code: String) -> Result<Vec<String>> {
    let (id, _) = own(&caller.actor)?;
    attempt::count(app, caller, Attempt::SecondFactor, &id.to_string()).await?;
    app.run(caller, &Confirm { code }).await
}

struct Confirm {
    code: String,
}

impl Op for Confirm {
    const NAME: &'static str = "second_factor.confirm";
    const NEEDS: Need = Need::Admin;
    type Out = Vec<String>;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<String>> {
        let (id, session) = own(tx.actor())?;
        let mut row = repo::lock_factor(tx, id).await?.ok_or_else(none)?;
        if row.confirmed_at.is_some() {
            let message = "The second factor is confirmed already.";
            return Err(Refusal::new(ErrorCode::StateInvalid, message).into());
        }
        let step = match totp::read(&self.code) {
            Some(Given::Code(code)) => right_step(tx, &row, &code)?,
            _ => None,
        };
        row.last_step = step.ok_or_else(|| wrong("code"))?;
        row.confirmed_at = Some(tx.now());
        repo::update_factor(tx, row).await?;
        attempt::forget(tx, Attempt::SecondFactor, &id.to_string()).await?;
        // Sessions without the factor grant nothing from now on; this one has proved it.
        repo::revoke_sessions(tx, ActorKind::Staff, id.into(), Some(session)).await?;
        if let Some(row) = repo::lock_session(tx, session).await? {
            repo::update_session(tx, session::Model { second_factor: true, ..row }).await?;
        }
        tx.audit(id, None, Some(json!({ "secondFactor": true })));
        make_recovery_codes(tx, id).await
    }
}

/// Gives the caller new recovery codes, after a code of his second factor.
pub async fn renew_recovery_codes(app: &Arc<App>, caller: &Caller, code: String) -> Result<Vec<String>> {
    let (id, _) = own(&caller.actor)?;
    attempt::count(app, caller, Attempt::SecondFactor, &id.to_string()).await?;
    app.run(caller, &RenewRecoveryCodes { code }).await
}

struct RenewRecoveryCodes {
    code: String,
}

impl Op for RenewRecoveryCodes {
    const NAME: &'static str = "second_factor.renew_recovery_codes";
    const NEEDS: Need = Need::Admin;
    type Out = Vec<String>;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<String>> {
        let (id, _) = own(tx.actor())?;
        prove(tx, id, &self.code, "code").await?;
        tx.audit(id, None, None);
        make_recovery_codes(tx, id).await
    }
}

/// Removes the caller's second factor, after his password or a recent log-in, and a code.
pub async fn disable(app: &Arc<App>, caller: &Caller, secret: Option<String>, code: String) -> Result<StaffId> {
    let counted = secret.is_some();
    let id = prove_presence(app, caller, secret).await?;
    if !counted {
        attempt::count(app, caller, Attempt::SecondFactor, &id.to_string()).await?;
    }
    app.run(caller, &Disable { code }).await
}

struct Disable {
    code: String,
}

impl Op for Disable {
    const NAME: &'static str = "second_factor.disable";
    const NEEDS: Need = Need::Admin;
    type Out = StaffId;

    async fn run(&self, tx: &mut Tx) -> Result<StaffId> {
        let (id, _) = own(tx.actor())?;
        prove(tx, id, &self.code, "code").await?;
        repo::delete_factor(tx, id).await?;
        tx.audit(id, Some(json!({ "secondFactor": true })), Some(json!({ "secondFactor": false })));
        Ok(id)
    }
}

/// Removes somebody else's second factor and ends his sessions: he lost it.
#[derive(Debug, Clone, Copy)]
pub struct ResetFactor(pub StaffId);

impl Op for ResetFactor {
    const NAME: &'static str = "second_factor.reset";
    const NEEDS: Need = Need::Permission(Permission::AccessWrite);
    type Out = staff::Model;

    async fn run(&self, tx: &mut Tx) -> Result<staff::Model> {
        let row = people::lock(tx, self.0).await?.ok_or_else(|| Error::not_found("member of staff"))?;
        if matches!(tx.actor(), Actor::Staff { id, .. } if *id == row.id) {
            let message = "Disable your own second factor with your password and a code.";
            return Err(Refusal::new(ErrorCode::StateInvalid, message).at(["id"]).into());
        }
        let held = roles_of(tx, row.id).await?;
        within_own(tx.actor(), &grants_of(&held)).map_err(|refusal| refusal.at(["id"]))?;
        let had = repo::delete_factor(tx, row.id).await?;
        repo::revoke_sessions(tx, ActorKind::Staff, row.id.into(), None).await?;
        tx.audit(row.id, Some(json!({ "secondFactor": had })), Some(json!({ "secondFactor": false })));
        Ok(row)
    }
}

/// Says whether everybody of the staff needs a second factor.
#[derive(Debug, Clone, Copy)]
pub struct DemandFactor(pub bool);

impl Op for DemandFactor {
    const NAME: &'static str = "second_factor.demand";
    const NEEDS: Need = Need::Everywhere(Permission::AccessWrite);
    type Out = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        if let (true, Actor::Staff { id, .. }) = (self.0, tx.actor().clone())
            && repo::lock_factor(tx, id).await?.is_none_or(|row| row.confirmed_at.is_none())
        {
            let message = "Set your own second factor up first, so that you aren't locked out.";
            return Err(Refusal::new(ErrorCode::StateInvalid, message).at(["secondFactorRequired"]).into());
        }
        let before = repo::demands_factor(&tx.conn).await?;
        repo::demand_factor(tx, self.0).await?;
        let state = |required: bool| Some(json!({ "secondFactorRequired": required }));
        tx.audit("staff", state(before), state(self.0));
        Ok(self.0)
    }
}

/// How far a log-in has come.
#[derive(Debug, Clone)]
pub enum LogIn {
    /// All the way.
    Done(Tokens),
    /// A code of the second factor is missing; it goes with this challenge, within five minutes.
    SecondFactor(String),
}

/// Goes on with the log-in of a member of staff who proved who he is. `trusted`
/// is a proof that stands for the second factor as well; `proved` are the
/// attempts that are forgotten.
pub async fn log_in(
    app: &Arc<App>,
    caller: &Caller,
    staff: StaffId,
    trusted: bool,
    proved: Option<(Attempt, &str)>,
) -> Result<LogIn> {
    let mut open = OpenSession::new(ActorKind::Staff, staff.into(), Surface::Admin).by_second_factor(trusted);
    if let Some((attempt, address)) = proved {
        open = open.forgetting(attempt, address);
    }
    let op = Begin { staff, trusted, open };
    match app.run(&Caller { actor: Actor::System, ..caller.clone() }, &op).await? {
        Begun::Session(row) => op.open.tokens(app, &row).map(LogIn::Done),
        Begun::Challenge(challenge) => Ok(LogIn::SecondFactor(challenge)),
    }
}

struct Begin {
    staff: StaffId,
    trusted: bool,
    open: OpenSession,
}

enum Begun {
    Session(session::Model),
    Challenge(String),
}

impl Op for Begin {
    const NAME: &'static str = "staff.log_in";
    const NEEDS: Need = Need::System;
    type Out = Begun;

    async fn run(&self, tx: &mut Tx) -> Result<Begun> {
        let active = people::lock(tx, self.staff).await?.is_some_and(|row| row.active);
        if !active {
            return Err(super::ops::wrong_credentials().into());
        }
        let has_factor = repo::lock_factor(tx, self.staff).await?.is_some_and(|row| row.confirmed_at.is_some());
        if !has_factor || self.trusted {
            return self.open.run(tx).await.map(Begun::Session);
        }
        self.open.forget(tx).await?;
        let life = one_time::life(TokenPurpose::StaffLogin);
        let challenge = one_time::issue(tx, TokenPurpose::StaffLogin, self.staff.into(), None, life).await?;
        Ok(Begun::Challenge(challenge))
    }
}

/// Ends a log-in with a code of the second factor.
pub async fn finish_log_in(app: &Arc<App>, caller: &Caller, challenge: String, code: String) -> Result<Tokens> {
    let conn = app.db.read(&caller.statements);
    let hash = token::hash(&challenge);
    let subject = repo::find_token(&conn, TokenPurpose::StaffLogin, &hash, app.clock.now()).await?;
    let staff = StaffId(subject.ok_or_else(invalid_challenge)?);
    attempt::count(app, caller, Attempt::SecondFactor, &staff.to_string()).await?;
    let open = OpenSession::new(ActorKind::Staff, staff.into(), Surface::Admin).by_second_factor(true);
    let op = Finish { challenge, code, open };
    let row = app.run(&Caller { actor: Actor::System, ..caller.clone() }, &op).await?;
    op.open.tokens(app, &row)
}

fn invalid_challenge() -> Refusal {
    Refusal::new(ErrorCode::TokenInvalid, "This challenge is unknown, expired or used; log in again.").at(["challenge"])
}

struct Finish {
    challenge: String,
    code: String,
    open: OpenSession,
}

impl Op for Finish {
    const NAME: &'static str = "staff.log_in_second_factor";
    const NEEDS: Need = Need::System;
    type Out = session::Model;

    async fn run(&self, tx: &mut Tx) -> Result<session::Model> {
        let redeemed = match one_time::redeem(tx, TokenPurpose::StaffLogin, &self.challenge).await {
            Err(Error::Refused(_)) => Err(invalid_challenge().into()),
            outcome => outcome,
        };
        let staff = StaffId(redeemed?.subject);
        let active = people::lock(tx, staff).await?.is_some_and(|row| row.active);
        if !active {
            return Err(invalid_challenge().into());
        }
        // A wrong code undoes all of this: the challenge is still good.
        prove(tx, staff, &self.code, "code").await?;
        self.open.run(tx).await
    }
}
