//! What runs by itself beside the requests, in one place. A task that panics
//! begins anew after a while; the others go on meanwhile.
//!
//! | to change | edit |
//! |---|---|
//! | what every process of the shop runs | [`follow`] |
//! | the work that any one process does for all of them | [`work`] |

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::panic::caught;
use crate::{job, notification, pricing, relay, sweeper};

/// How long a task rests that panicked.
const REST: Duration = Duration::from_secs(1);

/// What every process runs: it notices what the others did. It ends with `stop`.
pub fn follow(app: &Arc<App>, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
    let mut tasks = vec![keep("reader", app, stop, relay::follow_forever), keep("database", app, stop, watch_database)];
    if app.redis.is_some() {
        tasks.push(keep("redis", app, stop, relay::listen_forever));
    }
    tasks
}

/// The shop's own work: a serving process does it, or a worker in its place, or several of them side by side. Each
/// task sees to it by itself that nothing is done twice. It ends with `stop`.
pub fn work(app: &Arc<App>, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
    vec![
        keep("relay", app, stop, relay::stamp_forever),
        keep("sweeper", app, stop, sweeper::run),
        keep("prices", app, stop, pricing::listing::run),
        keep("mail", app, stop, notification::run),
        keep("jobs", app, stop, job::runner::run),
    ]
}

async fn watch_database(app: Arc<App>, stop: CancellationToken) {
    stop.run_until_cancelled(app.db.keep_watch()).await;
}

/// Runs a task until `stop`, however often it panics.
fn keep<F, Fut>(name: &'static str, app: &Arc<App>, stop: &CancellationToken, task: F) -> JoinHandle<()>
where
    F: Fn(Arc<App>, CancellationToken) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send,
{
    let (app, stop) = (app.clone(), stop.clone());
    tokio::spawn(async move {
        while caught(task(app.clone(), stop.clone())).await.is_err() {
            tracing::error!(task = name, "a task of the background panicked; it begins anew");
            if stop.run_until_cancelled(sleep(REST)).await.is_none() {
                return;
            }
        }
    })
}
