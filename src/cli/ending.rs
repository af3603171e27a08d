//! How a serving process ends: when it is told to, and within ten seconds
//! whatever hangs.

use std::sync::Arc;
use std::time::Duration;

use engine::app::App;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long what runs by itself may take to end; all of it ends at its next step.
const TASKS: Duration = Duration::from_secs(1);
/// How long the database may take to be closed.
const CLOSE: Duration = Duration::from_secs(1);

/// Cancelled by SIGTERM or Ctrl-C: the first at once, the second after the grace, in seconds, or by another signal.
pub fn stop_signals(grace: u64) -> (CancellationToken, CancellationToken) {
    let (leaving, stop) = (CancellationToken::new(), CancellationToken::new());
    let (leave, cancel) = (leaving.clone(), stop.clone());
    tokio::spawn(async move {
        let (mut terminate, mut interrupt) = match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
            (Ok(terminate), Ok(interrupt)) => (terminate, interrupt),
            (Err(error), _) | (_, Err(error)) => return tracing::error!(%error, "signals can't be listened to"),
        };
        told(&mut terminate, &mut interrupt).await;
        tracing::info!(grace, "the process was told to end");
        leave.cancel();
        let _ = timeout(Duration::from_secs(grace), told(&mut terminate, &mut interrupt)).await;
        cancel.cancel();
    });
    (leaving, stop)
}

async fn told(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Waits for what runs by itself, which has been told to end, and closes the shop. What does not end is given up: a
/// job goes on elsewhere when its lease is over, and a transaction that was not committed is undone.
pub async fn wind_up(app: &Arc<App>, mut tasks: Vec<JoinHandle<()>>) {
    let ended = async {
        for task in &mut tasks {
            let _ = task.await;
        }
    };
    if timeout(TASKS, ended).await.is_err() {
        tracing::warn!("what runs by itself is given up: it did not end in time");
        tasks.iter().for_each(JoinHandle::abort);
        // Each is dropped at the point where it waits.
        sleep(Duration::from_millis(50)).await;
    }
    if timeout(CLOSE, app.db.close()).await.is_err() {
        tracing::warn!("the database is left open: something still uses it");
    }
}
