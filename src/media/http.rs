//! Files over plain HTTP: staff send them with a token, everybody gets them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use domain::id::MediaId;
use domain::media::{FileType, MediaFit, MediaFormat, Transform};
use domain::refusal::ErrorCode;
use entity::media;
use serde_json::json;

use engine::app::App;
use engine::error::Error;
use engine::media::receive::{Rejection, receive};
use engine::media::{draw, drawn, repo};

/// What never changes under its address may be kept for a year.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The ways in for files and out.
pub fn routes(app: Arc<App>) -> Router {
    Router::new().route("/uploads/{token}", put(upload)).route("/media/{id}", get(show)).with_state(app)
}

/// Takes one file in. The token in the address is the only credential: cookies
/// and other headers mean nothing here.
async fn upload(State(app): State<Arc<App>>, Path(token): Path<String>, headers: HeaderMap, body: Body) -> Response {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if text(header::CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "INVALID", "Send the file as it is, not compressed.");
    }
    let Some(length) = text(header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok()) else {
        return refuse(StatusCode::LENGTH_REQUIRED, "REQUIRED", "Say how long the file is in Content-Length.");
    };
    let declared = text(header::CONTENT_TYPE).unwrap_or_default();
    match receive(&app, &token, length, declared, body.into_data_stream()).await {
        Ok(row) => {
            let told = json!({
                "stagedUploadId": row.id, "contentType": row.file_type, "size": row.file_size,
                "width": row.width, "height": row.height,
            });
            (StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(told)).into_response()
        }
        Err(rejection) => reject(&rejection, length),
    }
}

fn reject(rejection: &Rejection, length: u64) -> Response {
    let (status, code) = match rejection {
        Rejection::Unknown => (StatusCode::NOT_FOUND, "NOT_FOUND"),
        Rejection::Length(agreed) if i64::try_from(length).is_ok_and(|length| length <= *agreed) => {
            (StatusCode::BAD_REQUEST, "INVALID")
        }
        Rejection::Length(_) | Rejection::TooManyPixels => (StatusCode::PAYLOAD_TOO_LARGE, "INVALID"),
        Rejection::Declared(_) | Rejection::Lying(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "INVALID"),
        Rejection::Broken => (StatusCode::UNPROCESSABLE_ENTITY, "INVALID"),
        Rejection::CutOff => (StatusCode::REQUEST_TIMEOUT, "INVALID"),
        Rejection::Failed(error) => return failed(error),
    };
    refuse(status, code, &rejection.to_string())
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (status, headers, Json(json!({ "code": code, "message": message }))).into_response()
}

fn failed(error: &Error) -> Response {
    if let Error::Refused(refusals) = error
        && refusals.iter().any(|refusal| refusal.code == ErrorCode::Throttled)
    {
        let message = "Too many pictures are being drawn at this moment; ask again.\n";
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")], message).into_response();
    }
    tracing::error!(%error, "a file could not be served or stored");
    (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side.\n").into_response()
}

fn nothing() -> Response {
    (StatusCode::NOT_FOUND, "There is no such file.\n").into_response()
}

/// How the address says that somebody wants to see a picture. Words that mean
/// nothing here are passed over: a `v` keeps old answers from being shown.
fn read(query: Option<&str>) -> Result<Transform, String> {
    let mut asked = Transform { width: None, height: None, fit: MediaFit::Cover, format: None };
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    for (key, value) in pairs {
        let edge = || value.parse::<u32>().map_err(|_| format!("{key} is a number of pixels."));
        match key {
            "w" => asked.width = Some(edge()?),
            "h" => asked.height = Some(edge()?),
            "fit" => {
                let fit = value.to_uppercase().parse();
                asked.fit = fit.map_err(|_| "fit is cover or contain.".to_owned())?;
            }
            "format" => {
                let format = MediaFormat::ALL.iter().find(|format| format.extension() == value);
                asked.format = Some(*format.ok_or("format is webp, jpeg or png.")?);
            }
            _ => {}
        }
    }
    asked.checked().map_err(|refusal| refusal.message)
}

/// Sends a file of the shop, as it is or as it is asked for.
async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Ok(id) = id.parse::<MediaId>() else { return nothing() };
    let asked = match read(query.as_deref()) {
        Ok(asked) => asked,
        Err(message) => return (StatusCode::BAD_REQUEST, format!("{message}\n")).into_response(),
    };
    match repo::find(&app.read(), id).await {
        Ok(Some(row)) => match send(&app, &row, &asked, &headers).await {
            Ok(response) => response,
            Err(error) => failed(&error),
        },
        Ok(None) => nothing(),
        Err(error) => failed(&error),
    }
}

async fn send(
    app: &Arc<App>,
    row: &media::Model,
    asked: &Transform,
    headers: &HeaderMap,
) -> engine::error::Result<Response> {
    let (Some(hash), Some(file_type)) = (&row.file_hash, row.file_type) else { return Ok(nothing()) };
    let plan = drawn(row, asked);
    let (tag, sent_type) = match &plan {
        Some(plan) => (format!("\"{hash}-{}\"", plan.name()), plan.format.file_type()),
        None => (format!("\"{hash}\""), file_type),
    };
    let Ok(tag_value) = HeaderValue::from_str(&tag) else { return Err(Error::internal("a tag that is no header")) };
    let mut told = HeaderMap::new();
    told.insert(header::ETAG, tag_value);
    told.insert(header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
    told.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if sent_type == FileType::Svg {
        // A drawing may hold programs: it is never opened as a page of this server.
        told.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
        let name = HeaderValue::from_str(&format!("attachment; filename=\"{}.svg\"", row.id));
        told.insert(header::CONTENT_DISPOSITION, name.map_err(Error::internal)?);
    }
    if known(headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, told).into_response());
    }
    told.insert(header::CONTENT_TYPE, HeaderValue::from_static(sent_type.as_str()));
    let body = match plan {
        Some(plan) => match draw(app, hash, plan).await? {
            Some(drawn) => Body::from(drawn),
            None => return Ok(nothing()),
        },
        None => match app.files.open(hash).await? {
            Some(found) => {
                told.insert(header::CONTENT_LENGTH, found.meta.size.into());
                Body::from_stream(found.into_stream())
            }
            None => return Ok(nothing()),
        },
    };
    Ok((told, body).into_response())
}

/// Whether the client has this very answer already.
fn known(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}
