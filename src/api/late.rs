//! A schema that is not there until somebody asks it: each of them takes some megabytes, and few shops are asked by
//! all ways.

use std::fmt;
use std::sync::{Arc, OnceLock};

use async_graphql::{Data, Executor, Request, Response};
use futures_util::stream::BoxStream;

/// A schema that the first operation builds.
pub struct Late<S> {
    build: fn(bool) -> S,
    suggests: bool,
    built: Arc<OnceLock<S>>,
}

impl<S> Late<S> {
    /// Nothing is built yet. `suggests` says whether a name that is not there is answered with those that are.
    pub fn new(build: fn(bool) -> S, suggests: bool) -> Self {
        Self { build, suggests, built: Arc::default() }
    }

    fn schema(&self) -> &S {
        self.built.get_or_init(|| (self.build)(self.suggests))
    }
}

impl<S> Clone for Late<S> {
    fn clone(&self) -> Self {
        Self { build: self.build, suggests: self.suggests, built: self.built.clone() }
    }
}

impl<S> fmt::Debug for Late<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Late").field("built", &self.built.get().is_some()).finish_non_exhaustive()
    }
}

impl<S: Executor> Executor for Late<S> {
    async fn execute(&self, request: Request) -> Response {
        self.schema().execute(request).await
    }

    fn execute_stream(&self, request: Request, session: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        self.schema().execute_stream(request, session)
    }
}
