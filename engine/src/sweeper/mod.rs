//! Takes up runs that nobody works on: those that a crash left behind, those
//! whose provider gave no answer, those whose shopper never came back. It also
//! forgets idempotency keys, mailed tokens, counted attempts, uploads, events and answers of providers
//! whose time is over, has payment providers forget who was erased, tells which carts were left, ends carts and holds of
//! stock, and takes the codes of promotions that were deleted out of use.
//!
//! However much is due, it goes in small transactions, of [`MOST`] rows each: nobody waits for long.

pub mod apart;
pub mod repo;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use self::apart::{OF_EACH, apart};
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::panic::caught;
use crate::payment::wanted;
use crate::{auth, cart, checkout, failpoint, flow, inventory, media, op, payment, promotion, provider};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);
/// How many rows one transaction forgets or ends.
pub const MOST: u64 = 200;
/// How many such transactions follow each other before the rest waits for the next look.
pub const TURNS: u32 = 50;
/// For how long an event of a payment provider is kept that was done with: longer than any provider sends it again, or
/// lets it be sent again by hand.
pub const EVENTS_KEPT: TimeDelta = TimeDelta::days(90);

/// Does something in small transactions, each of which answers with how many rows it was about, until there is less
/// than one has.
pub async fn in_turns<F, Fut>(mut once: F) -> Result<()>
where
    F: FnMut() -> Fut + Send,
    Fut: Future<Output = Result<u64>> + Send,
{
    for _ in 0..TURNS {
        if once().await? < MOST {
            break;
        }
        // Whoever waits for the writer has his turn.
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Sweeps until `stop`.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            swept = sweep(&app) => {
                if let Err(error) = swept {
                    tracing::warn!(%error, "the sweeper will look again");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(EVERY) => {}
        }
    }
}

/// Goes on with a run.
pub async fn take_up(app: &Arc<App>, run: &entity::flow::Model) -> Result<()> {
    let nobody = || Error::internal(format!("nobody knows the run {:?}", run.key));
    match run.kind.as_str() {
        checkout::flow::KIND => wanted::resume::<entity::checkout::Model>(app, run).await,
        checkout::flow::RETURN => checkout::flow::resume_return(app, run).await,
        payment::flow::KIND => payment::flow::resume(app, flow::subject(run).ok_or_else(nobody)?).await,
        payment::due::KIND => wanted::resume::<entity::payment::Model>(app, run).await,
        _ => Err(nobody()),
    }
}

/// Looks once; answers with how many runs it began to take up.
pub async fn sweep(app: &Arc<App>) -> Result<usize> {
    failpoint::reach("sweeper.sweep");
    // First what asks nobody outside: a provider that is slow keeps no stock from being free again.
    let at_home = [
        in_turns(|| op::forget_expired_keys(app)).await,
        inventory::expire::end_expired(app).await,
        cart::left::sweep(app).await,
        forget_events(app).await,
    ];
    let due = flow::due(&app.read(), app.clock.now(), OF_EACH).await?;
    let begun = apart(app, due, |app, run| async move {
        let resumed = async {
            failpoint::reach("sweeper.resume");
            take_up(&app, &run).await
        };
        match caught(resumed).await.unwrap_or_else(|panicked| Err(panicked.into())) {
            // A refusal is an outcome: the run has ended, or waits for its next try.
            Ok(()) | Err(Error::Refused(_)) => tracing::info!(run = %run.key, kind = %run.kind, "taken up"),
            Err(error) => tracing::error!(run = %run.key, %error, "a run could not be taken up"),
        }
    })
    .await;
    // What one of them can't do holds up none of the others.
    let swept = [
        promotion::ops::sweep(app).await,
        payment::incoming::sweep(app).await,
        payment::method::forget_due(app).await,
        media::sweep::sweep(app).await,
        auth::attempt::forget_stale(app).await,
        provider::ask::forget_stale(app).await,
    ];
    at_home.into_iter().chain(swept).collect::<Result<()>>()?;
    Ok(begun)
}

/// Forgets events of payment providers that were done with long ago.
async fn forget_events(app: &Arc<App>) -> Result<()> {
    let before = app.clock.now() - EVENTS_KEPT;
    in_turns(|| async {
        match repo::any_old_event(&app.read(), before).await? {
            true => app.run(&Caller::system(), &ForgetEvents { before }).await,
            false => Ok(0),
        }
    })
    .await
}

struct ForgetEvents {
    before: DateTime<Utc>,
}

impl Op for ForgetEvents {
    const NAME: &'static str = "payment.forget_events";
    const NEEDS: Need = Need::System;
    type Out = u64;

    async fn run(&self, tx: &mut Tx) -> Result<u64> {
        repo::forget_old_events(tx, self.before).await
    }
}
