//! The ways in over HTTP: the GraphQL endpoints, health, and files.
//!
//! | to change | edit |
//! |---|---|
//! | what is read as an operation | `parameters.rs` |
//! | in which form and under which status it is answered | `negotiate.rs`, `answer.rs` |
//! | who asks, and what is looked at before anything runs | `ready.rs` |
//! | limits of documents | `limits.rs` |
//! | which documents are known without their text | `trusted.rs`, `persisted.rs` |
//! | which answers may be kept, and which are told again | `fresh.rs`, `cached.rs` |
//! | what a request is worth, and how it is refused when too much was asked | `rate.rs` |
//! | which pages may ask | `gate.rs`, `cors.rs` |
//! | the page to try operations on | `graphiql.rs` |
//! | websockets and events | `protocol.rs`, `socket.rs`, `sse.rs` |
//! | connections, and how they end | `listen.rs`, `slow.rs` |
//! | what is logged and counted of requests | `log.rs`, `metrics.rs` |

mod answer;
pub mod cached;
mod cors;
pub mod driven;
mod fresh;
pub mod gate;
pub mod graphiql;
pub mod limits;
pub mod listen;
mod log;
pub mod metrics;
mod negotiate;
mod parameters;
pub mod persisted;
mod protocol;
pub mod rate;
mod ready;
pub mod slow;
mod socket;
mod sse;
pub mod trusted;

use std::any::TypeId;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Data, Executor, Request, Response, Value};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response as HttpResponse};
use axum::routing::get;
use axum::{Extension, Router};
use futures_util::stream::BoxStream;

use self::answer::{bad, coded, invalid, refuse};
use self::fresh::{Look, Share, Sought};
use self::gate::Gate;
use self::log::Line;
use self::negotiate::{Media, Wish, is_json};
use self::protocol::Dialect;
use self::ready::{Context, Refused};
use crate::api::call::Call;
use crate::api::document::Judged;
use crate::api::gather::gathered;
use crate::api::late::Late;
use crate::api::{StoreOnlySchema, UnifiedSchema, admin_schema, store_only_schema, store_schema, unified_schema};
use engine::app::App;
use engine::throttle::Throttle;
use engine::{failpoint, relay, seed};

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
    throttle: Arc<Throttle>,
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
    let suggests = !gate.edge.production;
    let (everything, store_only) = (Late::new(unified_schema, suggests), Late::new(store_only_schema, suggests));
    let (unified, admin) = (Unified { everything, store_only }, Late::new(admin_schema, suggests));
    let throttle = Arc::new(Throttle::new(gate.edge.rates.budgets(), app.redis.as_ref()));
    let behind = |door| (app.clone(), door, gate.clone(), throttle.clone());
    let page = if gate.edge.shows_graphiql() { graphiql::routes() } else { Router::new() };
    Router::new()
        .merge(page)
        .merge(endpoint("/store/graphql", store_schema(suggests), behind(Door::Store), STORE_BODY))
        .merge(endpoint("/admin/graphql", admin, behind(Door::Admin), ADMIN_BODY))
        .merge(endpoint("/graphql", unified, behind(Door::Unified), ADMIN_BODY))
        .merge(health(app.clone(), gate.clone()))
        .merge(crate::payment::http::routes(app.clone(), gate.clone(), throttle.clone()))
        .merge(crate::media::http::routes(app))
        .route("/media/demo/{file}", get(demo_picture))
        .layer(from_fn_with_state(gate, log::keep))
}

/// Whether the process runs, and whether it takes requests and its database answers.
pub fn health(app: Arc<App>, gate: Arc<Gate>) -> Router {
    Router::new()
        .route("/health/ready", get(ready))
        .with_state((app, gate))
        .route("/health/live", get(|| async { "live\n" }))
}

type Behind = (Arc<App>, Door, Arc<Gate>, Arc<Throttle>);

fn endpoint<S: Executor>(path: &str, schema: S, (app, door, gate, throttle): Behind, body: usize) -> Router {
    let endpoint = Endpoint { app, schema, door, gate, throttle };
    let pages = (endpoint.app.clone(), endpoint.gate.clone());
    Router::new()
        .route(path, get(begin::<S>).post(execute::<S>))
        .layer(DefaultBodyLimit::max(body))
        .layer(from_fn(slow::hurry))
        .layer(from_fn_with_state(pages, cors::guard))
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

async fn ready(State((app, gate)): State<(Arc<App>, Arc<Gate>)>) -> HttpResponse {
    if gate.is_leaving() {
        (StatusCode::SERVICE_UNAVAILABLE, "the process ends\n").into_response()
    } else if relay::database_answers(&app).await {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
    }
}

/// POST runs an operation.
async fn execute<S: Executor>(
    State(endpoint): State<Endpoint<S>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(line): Extension<Arc<Line>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> HttpResponse {
    if !is_json(&headers) {
        let message = "Send the operation as application/json, in UTF-8.";
        let answer = bad(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message);
        return endpoint.turn_away(peer, &headers, answer).await;
    }
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let message = "The body passes the limit of this endpoint.";
            let answer = bad(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", message);
            return endpoint.turn_away(peer, &headers, answer).await;
        }
        Err(rejection) => return endpoint.turn_away(peer, &headers, malformed(&rejection.body_text())).await,
    };
    let sought = match endpoint.look(&line, peer, &Method::POST, &headers, &body).await {
        Look::Known(answer) => return answer,
        Look::Sought(sought) => sought,
    };
    match parameters::of_body(&body) {
        Ok(request) => run(endpoint, line, peer, &headers, request, sought).await,
        Err(fault) => endpoint.turn_away(peer, &headers, malformed(&fault)).await,
    }
}

/// Answers a request that brings no operation that could be read.
fn malformed(fault: &str) -> HttpResponse {
    bad(StatusCode::BAD_REQUEST, "INVALID", &format!("The request can't be read: {fault}."))
}

/// The unified endpoint's two schemas: which one a request gets is decided by
/// who asks, before it is parsed.
#[derive(Clone)]
struct Unified {
    everything: Late<UnifiedSchema>,
    store_only: Late<StoreOnlySchema>,
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

/// Runs an operation and answers with its result, or with its results as they
/// come, as the client takes them.
async fn run<S: Executor>(
    endpoint: Endpoint<S>,
    line: Arc<Line>,
    peer: SocketAddr,
    headers: &HeaderMap,
    mut request: Request,
    sought: Sought,
) -> HttpResponse {
    let streams = |request: &mut Request| {
        endpoint.judge(request, &line).is_ok_and(|judged| judged.kind == OperationType::Subscription)
    };
    let wish = Wish::of(headers);
    if wish == Wish::Events || (wish == Wish::Either && streams(&mut request)) {
        let listener = listener(&endpoint, peer, headers, sought.by_get);
        return sse::listen(endpoint, line, listener, request).await;
    }
    let Some(media) = Media::of(headers) else {
        let message = "Answers are application/graphql-response+json, application/json, or text/event-stream.";
        return bad(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message);
    };
    let context = Context::of(headers, endpoint.gate.client(peer, headers));
    let (judged, toll) = match endpoint.begin(&mut request, &context, &line).await {
        Ok(begun) => begun,
        Err(refused) => return refuse(media, refused),
    };
    let mut answer = run_begun(&endpoint, &line, media, judged, context, request, sought).await;
    toll.tell(answer.headers_mut());
    answer
}

async fn run_begun<S: Executor>(
    endpoint: &Endpoint<S>,
    line: &Line,
    media: Media,
    judged: Judged,
    context: Context,
    request: Request,
    sought: Sought,
) -> HttpResponse {
    match judged.kind {
        OperationType::Mutation if sought.by_get => return mutation_by_get(),
        OperationType::Subscription => {
            let message = "A subscription comes over a websocket, or with `Accept: text/event-stream`.";
            return invalid(media, vec![coded(message, "INVALID")]);
        }
        OperationType::Query | OperationType::Mutation => {}
    }
    let share = sought.share(&judged, &context, endpoint.door);
    match endpoint.open(&judged, context, line).await {
        Ok(call) => answer_call(endpoint, line, media, &judged, call, request, share).await,
        Err(refused) => refuse(media, refused),
    }
}

fn mutation_by_get() -> HttpResponse {
    let mut answer = bad(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "Send mutations by POST.");
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    answer
}

async fn answer_call<S: Executor>(
    endpoint: &Endpoint<S>,
    line: &Line,
    media: Media,
    judged: &Judged,
    call: Call,
    request: Request,
    share: Option<Share>,
) -> HttpResponse {
    let statements = call.caller.statements.clone();
    let echo = [
        ("x-channel", call.channel.handle.to_string()),
        ("x-region", call.region.as_ref().map(|region| region.row.handle.to_string()).unwrap_or_default()),
        ("content-language", call.locale.clone()),
        ("x-query-cost", judged.weight.cost.to_string()),
    ];
    let mut response: Response = judged.tell(gathered(endpoint.schema.execute(request.data(call))).await);
    judged.count(&mut response, statements.get());
    line.answered(&response);
    let whole = response.is_ok();
    let mut answer = (echo, answer::answer(media, response)).into_response();
    if failpoint::BUILT_IN {
        // What tests hold the statement budgets with.
        answer.headers_mut().insert("x-statements", statements.get().into());
    }
    match share {
        Some(share) if whole => endpoint.tell(share, judged, answer).await,
        Some(share) => {
            share.give_up();
            answer
        }
        None => answer,
    }
}

/// GET begins a socket or a stream of events, or runs a query.
async fn begin<S: Executor>(
    State(endpoint): State<Endpoint<S>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(line): Extension<Arc<Line>>,
    headers: HeaderMap,
    uri: Uri,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> HttpResponse {
    let Ok(upgrade) = upgrade else {
        let words = uri.query().unwrap_or_default().as_bytes();
        let sought = match endpoint.look(&line, peer, &Method::GET, &headers, words).await {
            Look::Known(answer) => return answer,
            Look::Sought(sought) => sought,
        };
        let address = Query::<parameters::Address>::try_from_uri(&uri).map_err(|rejection| rejection.body_text());
        return match address.and_then(|Query(address)| address.read()) {
            Ok(request) => run(endpoint, line, peer, &headers, request, sought).await,
            Err(fault) => endpoint.turn_away(peer, &headers, malformed(&fault)).await,
        };
    };
    if !endpoint.gate.lets_in(&headers, &endpoint.app.settings()) {
        return (StatusCode::FORBIDDEN, "A page of this origin may not connect.\n").into_response();
    }
    if endpoint.gate.is_leaving() {
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], "The process ends.\n").into_response();
    }
    let address = endpoint.gate.client(peer, &headers);
    if let Err(refused) = endpoint.knock(address).await {
        return refuse(Media::Json, refused);
    }
    let Some(pass) = endpoint.gate.admit(address) else { return too_many_connections() };
    line.is_socket();
    let legacy = endpoint.gate.edge.legacy_sockets.then_some(Dialect::Legacy);
    upgrade
        .protocols([Dialect::Modern].into_iter().chain(legacy).map(Dialect::name))
        .max_message_size(MESSAGE)
        .max_frame_size(MESSAGE)
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .on_upgrade(move |wire| async move { line.along(socket::serve(wire, endpoint, line.clone(), pass)).await })
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

/// Whether a response of a subscription tells that it was refused or has
/// ended, rather than that one of its messages could not be told in full.
fn has_ended(response: &Response) -> bool {
    response.data == Value::Null && response.is_err() && response.errors.iter().all(|error| error.path.len() <= 1)
}
