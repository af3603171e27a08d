//! The ways in over HTTP: the GraphQL endpoints, health, and files.

use std::any::TypeId;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Response};
use async_graphql_axum::{GraphQLProtocol, GraphQLRequest, GraphQLWebSocket};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response as HttpResponse};
use axum::routing::get;
use axum::{Json, Router};
use domain::auth::Surface;
use domain::id::ChannelId;
use domain::refusal::{ErrorCode, Refusal};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

use crate::api::call::Call;
use crate::api::payload::top_level;
use crate::api::{
    AdminSchema, StoreOnlySchema, StoreSchema, UnifiedSchema, admin_schema, store_only_schema, store_schema,
    unified_schema,
};
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
/// The only websocket subprotocol that is spoken.
const SUBPROTOCOL: &str = "graphql-transport-ws";

/// What the handlers share.
#[derive(Clone)]
struct Endpoint<S> {
    app: Arc<App>,
    schema: S,
    door: Door,
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
pub fn router(app: Arc<App>) -> Router {
    let store: Endpoint<StoreSchema> = Endpoint { app: app.clone(), schema: store_schema(), door: Door::Store };
    let admin: Endpoint<AdminSchema> = Endpoint { app: app.clone(), schema: admin_schema(), door: Door::Admin };
    let unified = Unified { everything: unified_schema(), store_only: store_only_schema() };
    let unified = Endpoint { app: app.clone(), schema: unified, door: Door::Unified };
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
        .route(path, get(upgrade::<S>).post(execute::<S>))
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
    request: GraphQLRequest,
) -> HttpResponse {
    if let Err(refused) = must_be_json(&headers) {
        return refused;
    }
    match open_call(&endpoint.app, endpoint.door, Context::of(&headers, peer.ip())).await {
        Ok(call) => answer(&endpoint.schema, endpoint.door, call, request.into_inner()).await,
        Err(error) => refuse(error),
    }
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

async fn open_call(app: &Arc<App>, door: Door, context: Context) -> Result<Call> {
    match door {
        Door::Store => open_call_on(app, Surface::Store, &context).await,
        Door::Admin => open_call_on(app, Surface::Admin, &context).await,
        Door::Unified => match open_call_on(app, Surface::Admin, &context).await {
            Ok(call) if call.caller.actor.is_admin() => Ok(call),
            Ok(_) | Err(Error::Unauthenticated) => open_call_on(app, Surface::Store, &context).await,
            Err(error) => Err(error),
        },
    }
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
        Error::Raced | Error::Database(_) | Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let error = top_level(error).into_server_error(async_graphql::Pos::default());
    (status, Json(Response::from_errors(vec![error]))).into_response()
}

/// Runs the operations of a socket. A socket may be open for days: each
/// operation is begun with the settings of its moment and by whoever the
/// credential stands for then.
#[derive(Clone)]
struct SocketExecutor<S> {
    app: Arc<App>,
    schema: S,
    door: Door,
}

impl<S: Executor> Executor for SocketExecutor<S> {
    async fn execute(&self, request: Request) -> Response {
        self.schema.execute(request).await
    }

    fn execute_stream(&self, request: Request, session: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let this = self.clone();
        let context = session.and_then(|data| {
            data.get(&TypeId::of::<Context>()).and_then(|context| context.downcast_ref::<Context>().cloned())
        });
        let begun = async move {
            let opened = match holds_nul(&request) {
                true => Err(nul()),
                false => open_call(&this.app, this.door, context.unwrap_or_default()).await,
            };
            match opened {
                Ok(call) => this.schema.execute_stream(request.data(call), None),
                Err(error) => {
                    let error = top_level(error).into_server_error(async_graphql::Pos::default());
                    stream::once(async { Response::from_errors(vec![error]) }).boxed()
                }
            }
        };
        stream::once(begun).flatten().boxed()
    }
}

async fn upgrade<S: Executor>(
    State(endpoint): State<Endpoint<S>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    protocol: std::result::Result<GraphQLProtocol, StatusCode>,
    upgrade: std::result::Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> HttpResponse {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(_) => {
            let allow = [(header::ALLOW, "POST")];
            return (StatusCode::METHOD_NOT_ALLOWED, allow, "Send operations by POST.\n").into_response();
        }
    };
    let Ok(protocol) = protocol else {
        return (StatusCode::BAD_REQUEST, format!("Speak {SUBPROTOCOL}.\n")).into_response();
    };
    upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(128 * 1024)
        .read_buffer_size(8 * 1024)
        .write_buffer_size(4 * 1024)
        .on_upgrade(move |stream| {
            let Endpoint { app, schema, door } = endpoint;
            let executor = SocketExecutor { app: app.clone(), schema, door };
            GraphQLWebSocket::new(stream, executor, protocol)
                .on_connection_init(move |payload| async move {
                    let text = |name: &str| {
                        let found = payload.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
                        found.1.as_str().map(str::to_owned)
                    };
                    let context = Context {
                        credential: text("authorization"),
                        publishable_key: text("x-publishable-key"),
                        region: text("x-region"),
                        languages: text("accept-language"),
                        from: Some(peer.ip()),
                    };
                    open_call(&app, door, context.clone()).await.map_err(top_level)?;
                    let mut data = Data::default();
                    data.insert(context);
                    Ok(data)
                })
                .serve()
        })
}
