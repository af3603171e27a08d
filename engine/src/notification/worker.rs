//! Works in the background of every serving process: reads the log, sends what
//! is due, gives up what was lost, removes copies of the mail of people who
//! were erased. Any number of processes may do so at once.

use std::sync::Arc;
use std::time::Duration;

use domain::notification::NotificationState;
use entity::notification;
use futures_util::StreamExt;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::compose::{Composed, compose};
use super::ops::{Claim, Forgotten, Lose, Outcome, Settle};
use super::{collect, repo};
use crate::actor::Caller;
use crate::app::App;
use crate::error::Result;
use crate::failpoint;
use crate::panic::caught;
use crate::provider::notification::Failure;

/// How often it looks when nothing wakes it.
const EVERY: Duration = Duration::from_secs(1);
/// How many notifications it looks at together.
const BATCH: u64 = 50;
/// How many mails are under way at once.
const AT_ONCE: usize = 4;

/// Works until `stop`.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut log = app.bus.watch_log();
    loop {
        log.see();
        tokio::select! {
            () = stop.cancelled() => return,
            worked = work(&app) => {
                if let Err(error) = worked {
                    tracing::warn!(%error, "mail waits; it will be looked at again");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            _ = log.changed() => {}
            () = sleep(EVERY) => {}
        }
    }
}

/// Looks once, until nothing is due; answers with how many mails were sent.
pub async fn work(app: &Arc<App>) -> Result<usize> {
    collect::collect(app).await?;
    let mut sent = 0;
    loop {
        let due = repo::due(&app.read(), app.clock.now(), BATCH).await?;
        let looked = due.len();
        let outcomes: Vec<Result<bool>> = futures_util::stream::iter(due)
            .map(|row| {
                let app = app.clone();
                async move { look(&app, row).await }
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut now_sent = 0;
        for outcome in outcomes {
            now_sent += usize::from(outcome?);
        }
        sent += now_sent;
        // What can't be done at this moment shall not keep the process busy.
        if (looked as u64) < BATCH || now_sent == 0 {
            return Ok(sent);
        }
    }
}

/// Does what a notification needs; answers with whether a mail was sent.
async fn look(app: &Arc<App>, row: notification::Model) -> Result<bool> {
    let system = Caller::system();
    match row.state {
        NotificationState::Pending => deliver(app, row).await,
        NotificationState::Sending => {
            app.run(&system, &Lose(row.id)).await?;
            Ok(false)
        }
        _ => {
            if let Some(provider) = &app.mail.provider
                && let Err(error) = provider.forget(row.id).await
            {
                tracing::error!(id = %row.id, %error, "a copy of the mail of an erased person is still there");
                return Ok(false);
            }
            app.run(&system, &Forgotten(row.id)).await?;
            Ok(false)
        }
    }
}

async fn deliver(app: &Arc<App>, row: notification::Model) -> Result<bool> {
    let system = Caller::system();
    let Some(row) = app.run(&system, &Claim(row.id)).await? else { return Ok(false) };
    failpoint::reach("notification.claimed");
    let outcome = match caught(attempt(app, &row)).await.unwrap_or_else(|panicked| Err(panicked.into())) {
        Ok(outcome) => outcome,
        // Nothing was handed over: what failed was on our side.
        Err(error) => {
            tracing::error!(id = %row.id, %error, "a mail could not be made");
            Outcome::NotTaken("Something failed on our side; the log of the serving process says what.".to_owned())
        }
    };
    failpoint::reach("notification.sent");
    let sent = matches!(outcome, Outcome::Sent { .. });
    tracing::info!(id = %row.id, template = %row.template, attempt = row.attempts, sent, "mail");
    app.run(&system, &Settle { id: row.id, outcome }).await?;
    Ok(sent)
}

async fn attempt(app: &Arc<App>, row: &notification::Model) -> Result<Outcome> {
    failpoint::reach("notification.attempt");
    let Some(provider) = &app.mail.provider else {
        return Ok(Outcome::Pointless("Mail is switched off.".to_owned()));
    };
    let mail = match compose(app, row).await? {
        Composed::Ready(mail) => mail,
        Composed::Pointless(reason) => return Ok(Outcome::Pointless(reason.to_owned())),
        Composed::Broken(fault) => return Ok(Outcome::Refused(fault.to_string())),
    };
    Ok(match provider.send(&mail).await {
        Ok(()) => Outcome::Sent { to: mail.to, message_id: mail.message_id },
        Err(Failure::NotTaken(error)) => Outcome::NotTaken(error),
        Err(Failure::Refused(error)) => Outcome::Refused(error),
        Err(Failure::Unknown(error)) => Outcome::Unknown(error),
    })
}
