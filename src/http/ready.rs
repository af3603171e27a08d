//! What every transport does before an operation runs: judge the document,
//! find out who asks, and look at both together.

use std::net::IpAddr;
use std::sync::Arc;

use async_graphql::{Request, ServerError};
use axum::http::HeaderMap;
use domain::auth::Surface;
use domain::id::ChannelId;
use futures_util::future::BoxFuture;

use super::answer::error_of;
use super::log::Line;
use super::rate::Toll;
use super::trusted::not_trusted;
use super::{Door, Endpoint};
use crate::api::call::Call;
use crate::api::document::{self, Judged, Roots};
use engine::actor::Caller;
use engine::app::App;
use engine::auth::authenticate;
use engine::db::StatementCount;
use engine::error::{Error, Result};
use engine::failpoint;

/// What a request says of itself, in headers or in `connection_init`.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The value of `Authorization`.
    pub credential: Option<String>,
    /// The key that names a channel.
    pub publishable_key: Option<String>,
    /// The region, by handle or id.
    pub region: Option<String>,
    /// The value of `Accept-Language`.
    pub languages: Option<String>,
    /// The client's address.
    pub from: Option<IpAddr>,
}

impl Context {
    /// What headers say.
    pub fn of(headers: &HeaderMap, from: IpAddr) -> Self {
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

impl Context {
    /// The credential itself; nothing when there is none.
    ///
    /// # Errors
    /// When it is of a kind that nobody knows.
    pub fn secret(&self) -> Result<Option<&str>> {
        let Some(text) = &self.credential else { return Ok(None) };
        match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
            _ => Err(Error::Unauthenticated),
        }
    }
}

/// Why an operation does not run.
#[derive(Debug)]
pub enum Refused {
    /// Because of what it asks.
    Document(Vec<ServerError>),
    /// Because of who asks, or of what the request says of itself.
    Caller(Error),
    /// Because too much was asked before.
    Throttled(Toll),
}

impl Refused {
    /// The errors that a client is told.
    pub fn into_errors(self) -> Vec<ServerError> {
        match self {
            Self::Document(errors) => errors,
            Self::Caller(error) => vec![error_of(error)],
            Self::Throttled(toll) => vec![toll.error()],
        }
    }
}

impl<S> Endpoint<S> {
    /// Judges the operation that a request runs.
    ///
    /// # Errors
    /// What is wrong with the document.
    pub fn judge(&self, request: &mut Request, line: &Line) -> std::result::Result<Judged, Vec<ServerError>> {
        let roots = match self.door {
            Door::Store => Roots::Store,
            Door::Admin => Roots::Admin,
            Door::Unified => Roots::Unified,
        };
        let judged = self.put_in(request).and_then(|trusted| {
            let mut judged = document::judge(request, roots, &self.gate.edge.documents.limits())?;
            self.persist(request, trusted);
            judged.trusted = trusted;
            Ok(judged)
        });
        match &judged {
            Ok(judged) => line.judged(judged, request),
            Err(errors) => line.refused(errors),
        }
        judged
    }

    /// The view of whoever asks.
    ///
    /// # Errors
    /// When the credential, the channel or the region is refused, and when the
    /// operation asks for what the caller may not see.
    pub async fn open(&self, judged: &Judged, context: Context, line: &Line) -> std::result::Result<Call, Refused> {
        let opened = open_call(&self.app, self.door, context.clone()).await;
        self.note(&context, &opened).await?;
        let call = opened.map_err(Refused::Caller)?;
        if !judged.trusted && self.trusts_only() && !call.caller.actor.is_admin() {
            return Err(Refused::Document(vec![not_trusted()]));
        }
        line.counts(&call.caller.statements);
        failpoint::reach_one("operation", &line.operation());
        if judged.introspects && self.gate.edge.production && !call.caller.actor.is_admin() {
            let mut error = ServerError::new("The schema is shown to staff alone: schema.graphql holds it.", None);
            let code = if matches!(self.door, Door::Admin) { "UNAUTHENTICATED" } else { "FORBIDDEN" };
            error.extensions.get_or_insert_default().set("code", code);
            return Err(Refused::Document(vec![error]));
        }
        Ok(call)
    }
}

/// The view of whoever a credential stands for. In a box, so that whoever lives
/// long after it was opened has no room for it.
///
/// # Errors
/// When the credential, the channel or the region is refused.
pub fn open_call(app: &Arc<App>, door: Door, context: Context) -> BoxFuture<'_, Result<Call>> {
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
    let actor = authenticate(app, surface, context.secret()?, &statements).await?;
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
