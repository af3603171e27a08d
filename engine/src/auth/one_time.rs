//! Tokens that are mailed and work once: hash at rest, bound to a purpose, a
//! subject and the mailbox that they were sent to.
//!
//! Whoever sends the mail issues the token; a newer one of the same purpose
//! ends the older. Redeeming is part of the transaction of its effect: when
//! that is refused, the token is still good.

use chrono::TimeDelta;
use domain::auth::TokenPurpose;
use domain::refusal::{ErrorCode, Refusal};
use entity::one_time_token;
use uuid::Uuid;

use super::{repo, token};
use crate::actor::Caller;
use crate::app::App;
use crate::error::Result;
use crate::op::Tx;

/// What a token stood for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redeemed {
    /// Whose it was.
    pub subject: Uuid,
    /// What it was bound to besides: the mailbox that it was sent to.
    pub detail: Option<String>,
}

/// How long a token of this purpose is good for.
pub fn life(purpose: TokenPurpose) -> TimeDelta {
    match purpose {
        TokenPurpose::CustomerVerification => TimeDelta::hours(24),
        TokenPurpose::PasswordRecovery | TokenPurpose::EmailChange | TokenPurpose::OrderClaim => TimeDelta::hours(1),
        TokenPurpose::StaffInvitation => TimeDelta::days(7),
        TokenPurpose::StaffRecovery => TimeDelta::hours(1),
        TokenPurpose::StaffLogin => TimeDelta::minutes(5),
    }
}

/// Makes a token and ends the older ones of the same purpose and subject.
/// Only its hash is kept.
pub async fn issue(
    tx: &mut Tx,
    purpose: TokenPurpose,
    subject: Uuid,
    detail: Option<String>,
    life: TimeDelta,
) -> Result<String> {
    repo::forget_tokens(tx, subject, Some(purpose)).await?;
    let secret = token::random_token("");
    let row = one_time_token::Model {
        id: tx.id(),
        purpose,
        subject_id: subject,
        detail,
        hash: token::hash(&secret),
        created_at: tx.now(),
        expires_at: tx.now() + life,
        used_at: None,
    };
    repo::insert_token(tx, row).await?;
    Ok(secret)
}

/// Uses a token up. One that is unknown, used, too old or for another purpose
/// gets the same refusal.
pub async fn redeem(tx: &mut Tx, purpose: TokenPurpose, secret: &str) -> Result<Redeemed> {
    let row = repo::use_token(tx, purpose, &token::hash(secret)).await?;
    Ok(row.map(|(subject, detail)| Redeemed { subject, detail }).ok_or_else(invalid)?)
}

/// Refuses a token that opens nothing, before more is done for it than looking it up: a password takes long to hash.
pub async fn check(app: &App, caller: &Caller, purpose: TokenPurpose, secret: &str) -> Result<()> {
    let conn = app.db.read(&caller.statements);
    let known = repo::find_token(&conn, purpose, &token::hash(secret), app.clock.now()).await?;
    Ok(known.map(drop).ok_or_else(invalid)?)
}

/// The one refusal of every token that opens nothing.
pub fn invalid() -> Refusal {
    Refusal::new(ErrorCode::TokenInvalid, "This token is unknown, expired or used; ask for a new one.").at(["token"])
}

/// Ends every token of a subject.
pub async fn end_all(tx: &mut Tx, subject: Uuid) -> Result<()> {
    repo::forget_tokens(tx, subject, None).await
}
