//! How mutations answer: the entity, or every reason why not.

use async_graphql::{ErrorExtensions, ID, SimpleObject};
use domain::refusal::{ErrorCode, Refusal};

use super::request_id::RequestId;
use super::scalar::Int64;
use super::word::Enum;
use engine::error::{Error, Result};

/// One reason why a mutation did nothing. All reasons come at once.
#[derive(Debug, Clone, SimpleObject)]
pub struct UserError {
    /// What your program branches on.
    pub code: Enum<ErrorCode>,
    /// An English sentence for the developer; translate by code.
    pub message: String,
    /// Where in `input` the fault lies, outermost first; empty when it lies in no single field.
    pub path: Vec<String>,
    /// How many can still be had, with `INSUFFICIENT_STOCK`.
    pub quantity_available: Option<i32>,
    /// The bound that was passed, where there is one.
    pub limit: Option<Int64>,
    /// The entity's version now, with `CONFLICT`.
    pub current_version: Option<i32>,
    /// Milliseconds to wait before the next try, with `THROTTLED` and `IDEMPOTENCY_IN_FLIGHT`.
    pub retry_after_ms: Option<Int64>,
    /// The entity that the refusal is about.
    pub entity_id: Option<ID>,
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        Self {
            code: Enum(refusal.code),
            message: refusal.message,
            path: refusal.path,
            quantity_available: refusal.quantity_available,
            limit: refusal.limit.map(Int64),
            current_version: refusal.current_version,
            retry_after_ms: refusal.retry_after_ms.map(Int64),
            entity_id: refusal.entity_id.map(ID),
        }
    }
}

/// Parts an outcome into the entity and the reasons; what is neither becomes a
/// top-level error.
pub fn part<T>(outcome: Result<T>) -> async_graphql::Result<(Option<T>, Vec<UserError>)> {
    match outcome {
        Ok(entity) => Ok((Some(entity), Vec::new())),
        Err(Error::Refused(refusals)) => Ok((None, refusals.into_iter().map(UserError::from).collect())),
        Err(error) => Err(top_level(error)),
    }
}

/// For queries: what is not there and what is not yours is null alike.
pub fn find<T>(outcome: Result<T>) -> async_graphql::Result<Option<T>> {
    match outcome {
        Ok(entity) => Ok(Some(entity)),
        Err(Error::Refused(refusals)) if refusals.iter().all(|refusal| refusal.code == ErrorCode::NotFound) => Ok(None),
        Err(error) => Err(top_level(error)),
    }
}

/// A top-level error: its code, never the internal text. What nobody expected
/// is logged under the id of the request, and the id is all that the client sees.
pub fn top_level(error: Error) -> async_graphql::Error {
    let coded = |message: &str, code: &'static str| {
        async_graphql::Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
    };
    match error {
        Error::Unauthenticated => coded("This needs a credential.", "UNAUTHENTICATED"),
        Error::Forbidden => coded("You may not do this.", "FORBIDDEN"),
        Error::Refused(refusals) => {
            let first = refusals.first();
            let message = first.map_or("Refused.", |refusal| refusal.message.as_str());
            coded(message, first.map_or("INVALID", |refusal| refusal.code.as_str()))
        }
        error if error.is_unavailable() => {
            tracing::warn!(%error, "a request can't be served at the moment");
            coded("The shop can't do this at the moment: try again.", "UNAVAILABLE")
        }
        Error::Raced | Error::Unanswered(_) | Error::Database(_) | Error::Internal(_) => {
            let id = RequestId::current();
            tracing::error!(%id, %error, "a request failed");
            coded("Something went wrong on our side.", "INTERNAL")
                .extend_with(|_, extensions| extensions.set("id", id.to_string()))
        }
    }
}

/// Declares the payload of a mutation: the entity, null when it was refused,
/// and the reasons.
macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $(#[$field_doc:meta])* $field:ident: $entity:ty }) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            $(#[$field_doc])*
            pub $field: Option<$entity>,
            /// Every reason why nothing was done; empty on success.
            pub user_errors: Vec<$crate::api::payload::UserError>,
        }

        impl $name {
            /// The payload for an outcome.
            pub fn answer(outcome: engine::error::Result<$entity>) -> async_graphql::Result<Self> {
                let ($field, user_errors) = $crate::api::payload::part(outcome)?;
                Ok(Self { $field, user_errors })
            }
        }
    };
}

pub(crate) use payload;
