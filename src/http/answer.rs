//! What goes back over HTTP, and under which status.

use async_graphql::{Pos, Response, ServerError};
use async_graphql_axum::GraphQLResponse;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response as HttpResponse};
use serde::Serialize;

use super::negotiate::Media;
use super::persisted::asks_for_text;
use super::ready::Refused;
use crate::api::document::was_not_run;
use crate::api::payload::top_level;
use engine::error::Error;

/// A response, as the client takes it. What did not run has no `data`, and is
/// an error to those who look at the status.
pub fn answer(media: Media, response: Response) -> HttpResponse {
    if was_not_run(&response) {
        return invalid(media, response.errors);
    }
    let mut answer = GraphQLResponse::from(response).into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
    answer
}

/// Errors of a document that was not run.
pub fn invalid(media: Media, errors: Vec<ServerError>) -> HttpResponse {
    let status = match media {
        Media::GraphqlResponse if !asks_for_text(&errors) => StatusCode::BAD_REQUEST,
        Media::GraphqlResponse | Media::Json => StatusCode::OK,
    };
    write(media, status, &errors)
}

/// The answer to what may not run.
pub fn refuse(media: Media, refused: Refused) -> HttpResponse {
    let error = match refused {
        Refused::Document(errors) => return invalid(media, errors),
        Refused::Throttled(toll) => return toll.refuse(media),
        Refused::Caller(error) => error,
    };
    let status = match &error {
        Error::Unauthenticated => StatusCode::UNAUTHORIZED,
        Error::Forbidden => StatusCode::FORBIDDEN,
        Error::Refused(_) => StatusCode::BAD_REQUEST,
        error if error.is_unavailable() => StatusCode::SERVICE_UNAVAILABLE,
        Error::Raced | Error::Unanswered(_) | Error::Database(_) | Error::Internal(_) => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    write(media, status, &[error_of(error)])
}

/// The answer to what is no request of GraphQL over HTTP.
pub fn bad(status: StatusCode, code: &str, message: &str) -> HttpResponse {
    write(Media::Json, status, &[coded(message, code)])
}

/// An error with a code, without a place in a document.
pub fn coded(message: &str, code: &str) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", code);
    error
}

/// What nobody expected or nobody may, without a place in a document.
pub fn error_of(error: Error) -> ServerError {
    let mut error = top_level(error).into_server_error(Pos::default());
    error.locations.clear();
    error
}

/// Writes errors without any `data`: nothing ran.
pub(super) fn write(media: Media, status: StatusCode, errors: &[ServerError]) -> HttpResponse {
    #[derive(Serialize)]
    struct Body<'a> {
        errors: &'a [ServerError],
    }
    match serde_json::to_vec(&Body { errors }) {
        Ok(body) => (status, [(header::CONTENT_TYPE, media.content_type())], body).into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer can't be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
