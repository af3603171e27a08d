//! What can go wrong between a request and its answer.

use std::sync::Arc;

use domain::refusal::{ErrorCode, Refusal};
use sea_orm::DbErr;

use crate::panic::Panicked;
use crate::provider::ask::Question;

/// The result of anything that may fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The shop said no, for all of these reasons; nothing was changed.
    #[error("refused: {}", .0.iter().map(|refusal| refusal.code.as_str()).collect::<Vec<_>>().join(", "))]
    Refused(Vec<Refusal>),
    /// Nobody knows who is asking, and this needs somebody.
    #[error("not signed in")]
    Unauthenticated,
    /// Whoever is asking may not do this.
    #[error("not allowed")]
    Forbidden,
    /// Somebody else was faster; the whole transaction begins anew.
    #[error("lost a race")]
    Raced,
    /// Providers must be asked these questions first; then the whole transaction begins anew.
    #[error("providers have to be asked")]
    Unanswered(Arc<[Question]>),
    /// The database failed. Its words may repeat values of rows, which are left out of what is shown of it.
    #[error("database: {}", crate::db::without_values(.0))]
    Database(Arc<DbErr>),
    /// Something that should not happen did.
    #[error("{0}")]
    Internal(Arc<str>),
}

impl Error {
    /// Something that should not happen did.
    pub fn internal(text: impl std::fmt::Display) -> Self {
        Self::Internal(text.to_string().into())
    }

    /// Whether another try of the whole transaction may succeed.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Raced => true,
            Self::Database(error) => crate::db::is_retryable(error),
            _ => false,
        }
    }

    /// Whether the database or a provider is away or can't work at the moment; the same call may succeed later.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Unanswered(_) => true,
            Self::Database(error) => crate::db::is_unavailable(error),
            _ => false,
        }
    }

    /// The one answer for what is not there and for what is not yours.
    pub fn not_found(what: &str) -> Self {
        Refusal::new(ErrorCode::NotFound, format!("There is no such {what}.")).into()
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(vec![refusal])
    }
}

impl From<Vec<Refusal>> for Error {
    fn from(refusals: Vec<Refusal>) -> Self {
        Self::Refused(refusals)
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl From<tokio::task::JoinError> for Error {
    /// What a panic says is not passed on.
    fn from(error: tokio::task::JoinError) -> Self {
        if error.is_panic() { Panicked.into() } else { Self::internal("a task was given up") }
    }
}

impl From<Arc<Error>> for Error {
    fn from(error: Arc<Error>) -> Self {
        Error::clone(&error)
    }
}
