//! Counted attempts: whoever guesses passwords or has mail sent gets so many
//! tries, and then waits. Counted in the database, so that all nodes count
//! together, and by the address as it was typed, so that an address without
//! an account is counted alike.
//!
//! Passwords are counted by address and place first: a stranger who guesses is
//! stopped where he is, and the owner still gets in from where he is. From
//! everywhere together there are more tries, but far too few to guess by. What
//! is tried from one place is counted over all addresses besides, so that
//! nobody tries one password on each of a thousand accounts.
//!
//! Each field that is executed counts, before its secret is looked at. What
//! can't be counted is not tried: the error of counting is the answer.
//!
//! Somebody with many places can keep an address throttled for everybody who
//! is new. Its owner gets in all the same: a new password by a mailed token,
//! and from where it was set neither the guesses of others nor their number
//! count for [`WINDOW`]. Sessions that are open go on.
//!
//! A place is what the connection comes from; behind a proxy that is not
//! trusted all places are one.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::TimeDelta;
use domain::refusal::{ErrorCode, Refusal};
use sha2::{Digest, Sha256};

use super::repo;
use crate::actor::{Actor, Caller, Need};
use crate::app::App;
use crate::error::Result;
use crate::op::{Op, Tx};
use crate::throttle::place;

/// How many attempts a window holds, for an address from one place.
pub const MAX_ATTEMPTS: i64 = 10;
/// How many attempts of one kind a window holds from one place, at whatever addresses; what was right is taken back.
pub const MAX_FROM_ONE_PLACE: i64 = 100;
/// How many guesses at the password of an address it holds from everywhere together.
pub const MAX_FROM_EVERYWHERE: i64 = 100;
/// How long a window is, from its first attempt.
pub const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// How long a wish for mail takes at least: many times what its work does.
const LEAST: std::time::Duration = std::time::Duration::from_millis(50);

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// A customer's password.
    CustomerPassword,
    /// A password of staff.
    StaffPassword,
    /// A code of the second factor of staff; counted by the person's id.
    SecondFactor,
    /// A code of a promotion or a gift card that is entered into a cart; counted by the cart.
    Code,
    /// A code of a gift card that is looked up or claimed; counted by the customer who is signed in, else by the place.
    GiftCard,
    /// Having a mail sent to an address.
    Mail,
    /// Nothing: work that is done because others cause it, see [`spend`].
    Nothing,
}

impl Attempt {
    /// How many a window holds from everywhere together: more only where a
    /// guess is hopeless. Mail reaches one mailbox wherever it was asked for.
    fn most(self) -> i64 {
        match self {
            Self::CustomerPassword | Self::StaffPassword => MAX_FROM_EVERYWHERE,
            _ => MAX_ATTEMPTS,
        }
    }
}

/// What an attempt is counted under: no address stands in the database in the clear.
fn key(attempt: Attempt, address: &str) -> Vec<u8> {
    Sha256::digest(format!("{attempt:?}:{}", address.trim().to_lowercase())).to_vec()
}

fn name(from: Option<IpAddr>) -> String {
    from.map(|from| place(from).to_string()).unwrap_or_default()
}

/// What it is counted under at one place.
fn key_at(attempt: Attempt, address: &str, from: Option<IpAddr>) -> Vec<u8> {
    Sha256::digest(format!("{attempt:?}:{}:{}", address.trim().to_lowercase(), name(from))).to_vec()
}

/// What everything is counted under that is tried from one place, when that is known.
fn key_from(attempt: Attempt, from: Option<IpAddr>) -> Option<Vec<u8>> {
    from.map(|_| Sha256::digest(format!("{attempt:?} from {}", name(from))).to_vec())
}

/// Under what is kept that the owner of an address has proved himself at a place.
fn key_trusted(attempt: Attempt, address: &str, from: Option<IpAddr>) -> Vec<u8> {
    Sha256::digest(format!("{attempt:?} trusted:{}:{}", address.trim().to_lowercase(), name(from))).to_vec()
}

/// Counts an attempt before it is made, so that many at once count as many;
/// refuses it when there were too many.
pub async fn count(app: &Arc<App>, caller: &Caller, attempt: Attempt, address: &str) -> Result<()> {
    let op = Count {
        here: key_at(attempt, address, caller.from),
        place: key_from(attempt, caller.from),
        everywhere: key(attempt, address),
        most: attempt.most(),
        trusted: key_trusted(attempt, address, caller.from),
    };
    let system = Caller { actor: Actor::System, ..caller.clone() };
    let Some(wait) = app.run(&system, &op).await? else { return Ok(()) };
    let mut refusal = Refusal::new(ErrorCode::Throttled, "Too many attempts; wait and try again.");
    refusal.retry_after_ms = Some(wait.num_milliseconds().max(1));
    Err(refusal.into())
}

/// Forgets the attempts that were made from here, after one that was right;
/// what others try elsewhere stays counted.
pub async fn forget(tx: &mut Tx, attempt: Attempt, address: &str) -> Result<()> {
    let here = key_at(attempt, address, tx.from());
    let own = repo::forget_attempts(tx, &here).await?;
    if let Some(place) = key_from(attempt, tx.from()) {
        repo::take_attempts(tx, &place, own).await?;
    }
    repo::take_attempts(tx, &key(attempt, address), own).await
}

/// Takes back so many attempts that were right; those before them stay counted, or who has one right answer could try
/// for ever.
pub async fn take_back(app: &Arc<App>, caller: &Caller, attempt: Attempt, address: &str, many: i64) -> Result<()> {
    let system = Caller { actor: Actor::System, ..caller.clone() };
    app.run(&system, &TakeBack { attempt, address, many }).await
}

/// The same within a transaction.
pub async fn take_back_within(tx: &mut Tx, attempt: Attempt, address: &str, many: i64) -> Result<()> {
    let here = Some(key_at(attempt, address, tx.from()));
    for key in [here, key_from(attempt, tx.from()), Some(key(attempt, address))].into_iter().flatten() {
        repo::take_attempts(tx, &key, many).await?;
    }
    Ok(())
}

struct TakeBack<'a> {
    attempt: Attempt,
    address: &'a str,
    many: i64,
}

impl Op for TakeBack<'_> {
    const NAME: &'static str = "attempt.take_back";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        take_back_within(tx, self.attempt, self.address, self.many).await
    }
}

/// The same after the owner of an address has proved his mailbox: for a while he is not kept out from here by what
/// others try.
pub async fn trust(tx: &mut Tx, attempt: Attempt, address: &str) -> Result<()> {
    forget(tx, attempt, address).await?;
    let trusted = key_trusted(attempt, address, tx.from());
    repo::count_attempt(tx, &trusted, tx.now() - WINDOW).await.map(drop)
}

/// Does as much work for an address as so many writes are. An op that has less
/// to do for one address than for another calls it, so that neither the number
/// of statements nor the wait for the disk tells which of them has an account.
pub async fn spend(tx: &mut Tx, address: &str, writes: usize) -> Result<()> {
    for _ in 0..writes {
        repo::count_attempt(tx, &key(Attempt::Nothing, address), tx.now() - WINDOW).await?;
    }
    Ok(())
}

/// Answers no sooner than [`LEAST`] after it began: what little the work for
/// one address differs from that for another in time is not to be seen.
pub async fn evenly<T>(work: impl Future<Output = T>) -> T {
    let until = tokio::time::Instant::now() + LEAST;
    let done = work.await;
    tokio::time::sleep_until(until).await;
    done
}

struct Count {
    here: Vec<u8>,
    place: Option<Vec<u8>>,
    everywhere: Vec<u8>,
    most: i64,
    trusted: Vec<u8>,
}

impl Op for Count {
    const NAME: &'static str = "attempt.count";
    const NEEDS: Need = Need::System;
    /// How long to wait, when there were too many. A refusal would undo the count.
    type Out = Option<TimeDelta>;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out> {
        let stale = tx.now() - WINDOW;
        let place = self.place.as_ref().map(|place| (place, MAX_FROM_ONE_PLACE));
        let all = [Some((&self.here, MAX_ATTEMPTS)), place, Some((&self.everywhere, self.most))];
        // Who is stopped here uses up none of what there is for everybody.
        for (key, most) in all.into_iter().flatten() {
            let (count, since) = repo::count_attempt(tx, key, stale).await?;
            let is_own = std::ptr::eq(key, &self.here);
            if count > most && (is_own || !repo::has_attempt(tx, &self.trusted, stale).await?) {
                return Ok(Some(since + WINDOW - tx.now()));
            }
        }
        Ok(None)
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
