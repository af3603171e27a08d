//! Panics: a mistake of ours ends the one thing that was being done, and
//! nothing else. Where it happened is logged by the hook of the command line;
//! what it says is not passed on, since it may hold what it was working on.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use crate::error::Error;

/// Something ended by a panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a panic; the record of where it happened is beside this one")]
pub struct Panicked;

impl From<Panicked> for Error {
    fn from(panicked: Panicked) -> Self {
        Self::internal(panicked)
    }
}

/// Does some work; a panic in it is its outcome. What the work held is dropped,
/// so that its transaction is undone; nothing else may be left half changed.
///
/// # Errors
/// When it panicked.
pub async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| Panicked)
}
