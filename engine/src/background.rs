//! What runs by itself beside the requests, in one place.
//!
//! | to change | edit |
//! |---|---|
//! | what every process of the shop runs | [`follow`] |
//! | the work that any one process does for all of them | [`work`] |

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::{job, notification, relay, sweeper};

/// What every process runs: it notices what the others did. It ends with `stop`.
pub fn follow(app: &Arc<App>, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
    let mut tasks = relay::start_following(app, stop);
    let (db, stop) = (app.db.clone(), stop.clone());
    tasks.push(tokio::spawn(async move {
        stop.run_until_cancelled(db.keep_watch()).await;
    }));
    tasks
}

/// The shop's own work: a serving process does it, or a worker in its place, or several of them side by side. Each
/// task sees to it by itself that nothing is done twice. It ends with `stop`.
pub fn work(app: &Arc<App>, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
    vec![
        relay::start(app, stop),
        sweeper::start(app, stop),
        notification::start(app, stop),
        job::runner::start(app, stop),
    ]
}
