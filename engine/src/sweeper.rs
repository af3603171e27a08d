//! Takes up runs that nobody works on: those that a crash left behind, those
//! whose provider gave no answer, those whose shopper never came back. It also
//! forgets idempotency keys, mailed tokens, counted attempts, uploads and answers of providers
//! whose time is over, and ends holds of stock.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::error::{Error, Result};
use crate::panic::caught;
use crate::{auth, checkout, failpoint, flow, inventory, media, op, payment, provider};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);
/// How many runs it takes up at once.
const BATCH: u64 = 20;

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
        checkout::flow::KIND => checkout::flow::resume(app, flow::subject(run).ok_or_else(nobody)?, run).await,
        checkout::flow::RETURN => checkout::flow::resume_return(app, run).await,
        payment::flow::KIND => payment::flow::resume(app, flow::subject(run).ok_or_else(nobody)?).await,
        payment::due::KIND => payment::due::resume(app, flow::subject(run).ok_or_else(nobody)?, run).await,
        _ => Err(nobody()),
    }
}

/// Looks once; answers with how many runs it took up.
pub async fn sweep(app: &Arc<App>) -> Result<usize> {
    failpoint::reach("sweeper.sweep");
    // First what asks nobody outside: a provider that is slow keeps no stock from being free again.
    let at_home = [op::forget_expired_keys(app).await, inventory::expire::end_expired(app).await];
    let due = flow::due(&app.read(), app.clock.now(), BATCH).await?;
    for run in &due {
        let resumed = async {
            failpoint::reach("sweeper.resume");
            take_up(app, run).await
        };
        // One that panics holds up none of the others.
        match caught(resumed).await.unwrap_or_else(|panicked| Err(panicked.into())) {
            // A refusal is an outcome: the run has ended, or waits for its next try.
            Ok(()) | Err(Error::Refused(_)) => tracing::info!(run = %run.key, kind = %run.kind, "taken up"),
            Err(error) => tracing::error!(run = %run.key, %error, "a run could not be taken up"),
        }
    }
    // What one of them can't do holds up none of the others.
    let swept = [
        payment::incoming::sweep(app).await,
        media::sweep::sweep(app).await,
        auth::attempt::forget_stale(app).await,
        provider::ask::forget_stale(app).await,
    ];
    at_home.into_iter().chain(swept).collect::<Result<()>>()?;
    Ok(due.len())
}
