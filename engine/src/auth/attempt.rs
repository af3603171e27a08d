//! Counted attempts: whoever guesses passwords or has mail sent gets so many
//! tries, and then waits. Counted in the database, so that all nodes count
//! together, and by the address as it was typed, so that an address without
//! an account is counted alike.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::refusal::{ErrorCode, Refusal};
use sha2::{Digest, Sha256};

use super::repo;
use crate::actor::{Actor, Caller, Need};
use crate::app::App;
use crate::error::Result;
use crate::op::{Op, Tx};

/// How many attempts a window holds.
pub const MAX_ATTEMPTS: i64 = 10;
/// How long a window is, from its first attempt.
pub const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// A customer's password.
    CustomerPassword,
    /// A password of staff.
    StaffPassword,
    /// A code of the second factor of staff; counted by the person's id.
    SecondFactor,
    /// Having a mail sent to an address.
    Mail,
}

/// What an attempt is counted under: no address stands in the database in the clear.
fn key(attempt: Attempt, address: &str) -> Vec<u8> {
    Sha256::digest(format!("{attempt:?}:{}", address.trim().to_lowercase())).to_vec()
}

/// Counts an attempt before it is made, so that many at once count as many;
/// refuses it when there were too many.
pub async fn count(app: &Arc<App>, caller: &Caller, attempt: Attempt, address: &str) -> Result<()> {
    let op = Count { key: key(attempt, address) };
    let system = Caller { actor: Actor::System, ..caller.clone() };
    let Some(wait) = app.run(&system, &op).await? else { return Ok(()) };
    let mut refusal = Refusal::new(ErrorCode::Throttled, "Too many attempts with this address; wait and try again.");
    refusal.retry_after_ms = Some(wait.num_milliseconds().max(1));
    Err(refusal.into())
}

/// Forgets the attempts after one that was right.
pub async fn forget(tx: &mut Tx, attempt: Attempt, address: &str) -> Result<()> {
    repo::forget_attempts(tx, &key(attempt, address)).await
}

struct Count {
    key: Vec<u8>,
}

impl Op for Count {
    const NAME: &'static str = "attempt.count";
    const NEEDS: Need = Need::System;
    /// How long to wait, when there were too many. A refusal would undo the count.
    type Out = Option<TimeDelta>;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out> {
        let (count, since) = repo::count_attempt(tx, &self.key, tx.now() - WINDOW).await?;
        Ok((count > MAX_ATTEMPTS).then(|| since + WINDOW - tx.now()))
    }
}

/// Deletes counted attempts and mailed tokens whose time is over.
pub async fn forget_stale(app: &Arc<App>) -> Result<()> {
    let now = app.clock.now();
    if repo::has_stale(&app.read(), now, now - WINDOW).await? {
        app.run(&Caller::system(), &ForgetStale).await?;
    }
    Ok(())
}

struct ForgetStale;

impl Op for ForgetStale {
    const NAME: &'static str = "attempt.forget_stale";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let since = tx.now() - WINDOW;
        repo::delete_stale(tx, since).await
    }
}
