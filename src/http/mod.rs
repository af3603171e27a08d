//! The ways in over HTTP: the GraphQL endpoints, health, and files.

pub mod gate;
mod parameters;
mod protocol;
mod socket;
mod sse;

use std::any::TypeId;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Data, Executor, Pos, Request, Response, ServerError, Value};
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response as HttpResponse};
use axum::routing::get;
use axum::{Json, Router};
use domain::auth::Surface;
use domain::id::ChannelId;
use domain::refusal::{ErrorCode, Refusal};
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use self::gate::Gate;
use self::protocol::Dialect;
use crate::api::call::Call;
use crate::api::operation;
use crate::api::payload::top_level;
use crate::api::{StoreOnlySchema, UnifiedSchema, admin_schema, store_only_schema, store_schema, unified_schema};
use engine::actor::Caller;
use engine::app::App;
use engine::auth::authenticate;
use engine::db::StatementCount;
use engine::error::{Error, Result};
use engine::{relay, seed};

/// The largest body of the store surface, in bytes.
const STORE_BODY: usize = 256 * 1024;
/// The largest body of the admin surface, in bytes.
const ADMIN_BODY: usize = 4 * 1024 * 1024;
/// The largest message of a socket, in bytes.
const MESSAGE: usize = 128 * 1024;
/// What a socket reads and writes at once, in bytes: each of them holds as much all the time.
const BUFFER: usize = 1024;
/// How often the credential of a socket or a stream is looked at again.
const RECHECK: Duration = Duration::from_secs(30);

/// What the handlers share.
#[derive(Clone)]
struct Endpoint<S> {
    app: Arc<App>,
    schema: S,
    door: Door,
    gate: Arc<Gate>,
}

/// Whose credentials a path takes.
#[derive(Debug, Clone, Copy)]
enum Door {
    Store,
    Admin,
    /// Both: who is no staff is taken for a shopper.
    Unified,
}

/// Every route of the shop.
pub fn router(app: Arc<App>, gate: Arc<Gate>) -> Router {
    let unified = Unified { everything: unified_schema(), store_only: store_only_schema() };
    let store = Endpoint { app: app.clone(), schema: store_schema(), door: Door::Store, gate: gate.clone() };
    let admin = Endpoint { app: app.clone(), schema: admin_schema(), door: Door::Admin, gate: gate.clone() };
    let unified = Endpoint { app: app.clone(), schema: unified, door: Door::Unified, gate };
    Router::new()
        .merge(endpoint("/store/graphql", store, STORE_BODY))
        .merge(endpoint("/admin/graphql", admin, ADMIN_BODY))
        .merge(endpoint("/graphql", unified, ADMIN_BODY))
        .merge(health(app.clone()))
        .merge(crate::media::http::routes(app))
        .route("/media/demo/{file}", get(demo_picture))
}

/// Whether the process runs, and whether its database answers.
pub fn health(app: Arc<App>) -> Router {
    Router::new().route("/health/ready", get(ready)).with_state(app).route("/health/live", get(|| async { "live\n" }))
}

fn endpoint<S: Executor>(path: &str, endpoint: Endpoint<S>, body: usize) -> Router {
    Router::new()
        .route(path, get(begin::<S>).post(execute::<S>))
        .layer(DefaultBodyLimit::max(body))
        .with_state(endpoint)
}

/// The pictures of the demo shop are drawn when they are asked for.
async fn demo_picture(Path(file): Path<String>) -> HttpResponse {
    match file.strip_suffix(".svg").and_then(seed::picture) {
        Some(svg) => {
            let headers = [
                (header::CONTENT_TYPE, "image/svg+xml"),
                (header::CACHE_CONTROL, "public, max-age=86400"),
                (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (headers, svg).into_response()
        }
        None => (StatusCode::NOT_FOUND, "There is no such picture.\n").into_response(),
    }
}

async fn ready(State(app): State<Arc<App>>) -> HttpResponse {
    if relay::database_answers(&app).await {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
    }
}

async fn execute<S: Executor>(
    State(endpoint): State<Endpoint<S>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: std::result::Result<Bytes, BytesRejection>,
) -> HttpResponse {
    if let Err(refused) = must_be_json(&headers) {
        return refused;
    }
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return rejection.into_response(),
    };
    let mut request = match parameters::of_body(&body) {
        Ok(request) => request,
        Err(fault) => return malformed(&fault),
    };
    let streamed = match Wish::of(&headers) {
        Wish::Events => true,
        Wish::Either => matches!(operation::kind(&mut request), Ok(OperationType::Subscription)),
        Wish::Page => false,
    };
    if streamed {
        let listener = listener(&endpoint, peer, &headers, false);
        return sse::listen(endpoint, listener, request).await;
    }
    match open_call(&endpoint.app, endpoint.door, Context::of(&headers, endpoint.gate.client(peer, &headers))).await {
        Ok(call) => answer(&endpoint.schema, endpoint.door, call, request).await,
        Err(error) => refuse(error),
    }
}

/// Answers a request that brings no operation that could be read.
fn malformed(fault: &str) -> HttpResponse {
    refuse(Refusal::new(ErrorCode::Invalid, format!("The request can't be read: {fault}.")).into())
}

/// The unified endpoint's two schemas: which one a request gets is decided by
/// who asks, before it is parsed.
#[derive(Clone)]
struct Unified {
    everything: UnifiedSchema,
    store_only: StoreOnlySchema,
}

impl Unified {
    fn asked_by_staff(request: &Request) -> bool {
        let call = request.data.get(&TypeId::of::<Call>()).and_then(|call| call.downcast_ref::<Call>());
        call.is_some_and(|call| call.caller.actor.is_admin())
    }
}

impl Executor for Unified {
    async fn execute(&self, request: Request) -> Response {
        match Self::asked_by_staff(&request) {
            true => Executor::execute(&self.everything, request).await,
            false => Executor::execute(&self.store_only, request).await,
        }
    }

    fn execute_stream(&self, request: Request, session: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        match Self::asked_by_staff(&request) {
            true => Executor::execute_stream(&self.everything, request, session),
            false => Executor::execute_stream(&self.store_only, request, session),
        }
    }
}

/// A form or a plain text can be sent by any page without asking; JSON can't.
fn must_be_json(headers: &HeaderMap) -> std::result::Result<(), HttpResponse> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/json") {
        return Ok(());
    }
    let message = "Send the request as application/json.\n";
    Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, message).into_response())
}

/// Whether the request holds the character U+0000, which PostgreSQL can't
/// store: it has no use in a shop and is refused before anything else.
fn holds_nul(request: &Request) -> bool {
    let within = |text: &str| text.contains('\0') || text.contains("\\u0000");
    within(&request.query) || serde_json::to_string(&request.variables).is_ok_and(|text| within(&text))
}

fn nul() -> Error {
    Refusal::new(ErrorCode::Invalid, "The character U+0000 can't be part of a request.").into()
}

async fn answer<S: Executor>(schema: &S, door: Door, call: Call, request: Request) -> HttpResponse {
    if holds_nul(&request) {
        return refuse(nul());
    }
    let started = std::time::Instant::now();
    let statements = call.caller.statements.clone();
    let echo = [
        ("x-channel", call.channel.handle.to_string()),
        ("x-region", call.region.as_ref().map(|region| region.row.handle.to_string()).unwrap_or_default()),
        ("content-language", call.locale.clone()),
    ];
    let operation = request.operation_name.clone().unwrap_or_default();
    let response: Response = schema.execute(request.data(call)).await;
    tracing::info!(
        ?door,
        operation,
        errors = response.errors.len(),
        statements = statements.get(),
        ms = started.elapsed().as_millis() as u64,
        "request"
    );
    let mut answer = (echo, Json(response)).into_response();
    if cfg!(debug_assertions) {
        // What tests hold the statement budgets with.
        answer.headers_mut().insert("x-statements", statements.get().into());
    }
    answer
}

/// What a request says of itself, in headers or in `connection_init`.
#[derive(Debug, Clone, Default)]
struct Context {
    credential: Option<String>,
    publishable_key: Option<String>,
    region: Option<String>,
    languages: Option<String>,
    from: Option<IpAddr>,
}

impl Context {
    fn of(headers: &HeaderMap, from: IpAddr) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self {
            credential: text("authorization"),
            publishable_key: text("x-publishable-key"),
            region: text("x-region"),
            languages: text("accept-language"),
            from: Some(from),
        }
    }
}

/// In a box, so that whoever lives long after it was opened has no room for it.
fn open_call(app: &Arc<App>, door: Door, context: Context) -> BoxFuture<'_, Result<Call>> {
    Box::pin(async move {
        match door {
            Door::Store => open_call_on(app, Surface::Store, &context).await,
            Door::Admin => open_call_on(app, Surface::Admin, &context).await,
            Door::Unified => match open_call_on(app, Surface::Admin, &context).await {
                Ok(call) if call.caller.actor.is_admin() => Ok(call),
                Ok(_) | Err(Error::Unauthenticated) => open_call_on(app, Surface::Store, &context).await,
                Err(error) => Err(error),
            },
        }
    })
}

async fn open_call_on(app: &Arc<App>, surface: Surface, context: &Context) -> Result<Call> {
    let statements = StatementCount::default();
    let credential = match &context.credential {
        Some(text) => match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Some(token.trim()),
            _ => return Err(Error::Unauthenticated),
        },
        None => None,
    };
    let actor = authenticate(app, surface, credential, &statements).await?;
    let channel: Option<ChannelId> = match &context.publishable_key {
        Some(key) => {
            let known = app.settings().keys.get(key).copied();
            Some(known.filter(|id| app.settings().channel(*id).is_some()).ok_or_else(|| Error::not_found("channel"))?)
        }
        None => None,
    };
    let (region, languages) = (context.region.as_deref(), context.languages.as_deref());
    let caller = Caller { statements, from: context.from, ..Caller::new(actor) };
    Call::new(app.clone(), caller, channel, region, languages)
}

fn refuse(error: Error) -> HttpResponse {
    let status = match &error {
        Error::Unauthenticated => StatusCode::UNAUTHORIZED,
        Error::Forbidden => StatusCode::FORBIDDEN,
        Error::Refused(_) => StatusCode::BAD_REQUEST,
        error if error.is_unavailable() => StatusCode::SERVICE_UNAVAILABLE,
        Error::Raced | Error::Database(_) | Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, Json(Response::from_errors(vec![error_of(error)]))).into_response()
}

/// GET begins a socket or a stream of events.
async fn begin<S: Executor>(
    State(endpoint): State<Endpoint<S>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    address: std::result::Result<Query<parameters::Address>, QueryRejection>,
    upgrade: std::result::Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> HttpResponse {
    let Ok(upgrade) = upgrade else {
        if Wish::of(&headers) == Wish::Page {
            let allow = [(header::ALLOW, "POST")];
            return (StatusCode::METHOD_NOT_ALLOWED, allow, "Send operations by POST.\n").into_response();
        }
        let read = address.map_err(|rejection| rejection.body_text()).and_then(|Query(address)| address.read());
        return match read {
            Ok(request) => sse::listen(endpoint.clone(), listener(&endpoint, peer, &headers, true), request).await,
            Err(fault) => malformed(&fault),
        };
    };
    if !endpoint.gate.lets_in(&headers, &endpoint.app.settings()) {
        return (StatusCode::FORBIDDEN, "A page of this origin may not connect.\n").into_response();
    }
    let Some(pass) = endpoint.gate.admit(endpoint.gate.client(peer, &headers)) else { return too_many_connections() };
    let legacy = endpoint.gate.edge.legacy_sockets.then_some(Dialect::Legacy);
    upgrade
        .protocols([Dialect::Modern].into_iter().chain(legacy).map(Dialect::name))
        .max_message_size(MESSAGE)
        .max_frame_size(MESSAGE)
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .on_upgrade(move |wire| socket::serve(wire, endpoint, pass))
}

fn too_many_connections() -> HttpResponse {
    let wait = [(header::RETRY_AFTER, "30")];
    (StatusCode::TOO_MANY_REQUESTS, wait, "This address has too many connections open.\n").into_response()
}

fn listener<S>(endpoint: &Endpoint<S>, peer: SocketAddr, headers: &HeaderMap, by_get: bool) -> sse::Listener {
    let last_event_id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let address = endpoint.gate.client(peer, headers);
    sse::Listener {
        context: Context::of(headers, address),
        address,
        last_event_id: last_event_id.filter(|id| !id.is_empty()).map(str::to_owned),
        by_get,
    }
}

/// How a client wants to be answered, by its `Accept`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// As one page of JSON.
    Page,
    /// As a stream of events.
    Events,
    /// As a page rather, but it takes a stream where there is more than one result to tell.
    Either,
}

impl Wish {
    fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        // The weight of the kind that a client wants most; the first counts among equals.
        let (mut page, mut events) = (None, None);
        for (place, kind) in accepted.flat_map(|value| value.split(',')).enumerate() {
            let mut parts = kind.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            let wish = match name.as_str() {
                "text/event-stream" => &mut events,
                "*/*" | "application/*" | "application/json" | "application/graphql-response+json" => &mut page,
                _ => continue,
            };
            let known = wish.is_some_and(|(known, _)| known >= weight);
            if weight > 0.0 && !known {
                *wish = Some((weight, place));
            }
        }
        match (page, events) {
            (_, None) => Self::Page,
            (None, Some(_)) => Self::Events,
            (Some((page, first)), Some((events, second))) if page > events || (page == events && first < second) => {
                Self::Either
            }
            _ => Self::Events,
        }
    }
}

/// Whether a response tells that the document was refused: no error of it
/// belongs to a field.
fn was_not_run(response: &Response) -> bool {
    response.data == Value::Null && response.is_err() && response.errors.iter().all(|error| error.path.is_empty())
}

/// Whether a response of a subscription tells that it was refused or has
/// ended, rather than that one of its messages could not be told in full.
fn has_ended(response: &Response) -> bool {
    response.data == Value::Null && response.is_err() && response.errors.iter().all(|error| error.path.len() <= 1)
}

/// What nobody expected or nobody may, without a place in a document.
fn error_of(error: Error) -> ServerError {
    let mut error = top_level(error).into_server_error(Pos::default());
    error.locations.clear();
    error
}
