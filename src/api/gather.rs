//! The reads of one request, gathered: what fields ask for while they are
//! looked at once is read by one statement for each kind of key.
//!
//! The library begins a read in a task of its own. On several threads that
//! task may begin while the fields are still being looked at, and the rest of
//! them needs a second statement. Here reads run within the request's own
//! task, and begin when no field can go on without one.

use std::cell::RefCell;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use async_graphql::runtime::Timer;
use futures_util::future::{BoxFuture, FutureExt, poll_fn, ready};
use futures_util::stream::{FuturesUnordered, StreamExt};
use futures_util::task::{FutureObj, Spawn, SpawnError};
use tracing::Instrument;

tokio::task_local! {
    /// What has been asked for and was not begun yet.
    static ASKED: RefCell<Vec<FutureObj<'static, ()>>>;
}

/// Does work whose reads are gathered.
pub async fn gathered<F: Future>(work: F) -> F::Output {
    let mut work = pin!(work);
    let mut reads = FuturesUnordered::new();
    let both = poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        loop {
            reads.extend(ASKED.with(RefCell::take));
            // What comes in wakes the field that waits for it.
            while let Poll::Ready(Some(())) = reads.poll_next_unpin(cx) {}
            if ASKED.with(|asked| asked.borrow().is_empty()) {
                return Poll::Pending;
            }
        }
    });
    ASKED.scope(RefCell::default(), both).await
}

/// Begins reads with the rest of the work that is gathered; beside anything
/// else, soon.
#[derive(Debug, Clone, Copy)]
pub struct Gathering;

impl Spawn for Gathering {
    fn spawn_obj(&self, read: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        let mut read = Some(read);
        let _ = ASKED.try_with(|asked| asked.borrow_mut().extend(read.take()));
        if let Some(read) = read {
            let soon = async {
                tokio::task::yield_now().await;
                read.await;
            };
            tokio::spawn(soon.in_current_span());
        }
        Ok(())
    }
}

impl Timer for Gathering {
    fn delay(&self, _: Duration) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }
}
