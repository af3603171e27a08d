//! Whether a document could run, before anybody asks for it: by the limits,
//! and by the rules of GraphQL against the schemas.

use std::sync::Arc;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute};
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{ObjectType, Pos, Request, Response, Schema, ServerError, SubscriptionType};
use domain::document::Limits;

use super::document::{Roots, judge_all};
use super::{AdminSchema, StoreSchema, UnifiedSchema};

/// Stops in front of running what was found to be valid.
#[derive(Debug, Clone, Copy)]
struct ChecksOnly;

impl ExtensionFactory for ChecksOnly {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(*self)
    }
}

#[async_trait::async_trait]
impl Extension for ChecksOnly {
    async fn execute(&self, _: &ExtensionContext<'_>, _: Option<&str>, _: NextExecute<'_>) -> Response {
        Response::default()
    }
}

/// Why a document can't run.
#[derive(Debug)]
pub struct Fault {
    /// For people.
    pub message: String,
    /// Where in the document.
    pub at: Option<Pos>,
}

impl From<ServerError> for Fault {
    fn from(error: ServerError) -> Self {
        Self { at: error.locations.first().copied(), message: error.message }
    }
}

/// The schemas of all endpoints, which run nothing.
pub struct Checks {
    store: StoreSchema,
    admin: AdminSchema,
    unified: UnifiedSchema,
}

impl Default for Checks {
    fn default() -> Self {
        Self { store: checking(), admin: checking(), unified: checking() }
    }
}

impl std::fmt::Debug for Checks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checks").finish_non_exhaustive()
    }
}

fn checking<Q, M, S>() -> Schema<Q, M, S>
where
    Q: ObjectType + Default + 'static,
    M: ObjectType + Default + 'static,
    S: SubscriptionType + Default + 'static,
{
    let builder = Schema::build(Q::default(), M::default(), S::default());
    builder.limit_recursive_depth(usize::MAX).extension(ChecksOnly).finish()
}

impl Checks {
    /// Holds a document to the limits, and each of its operations to the
    /// schema of one of the endpoints.
    ///
    /// # Errors
    /// What the store's endpoint has against it, when all have something.
    pub async fn check(&self, text: &str, limits: &Limits) -> Result<ExecutableDocument, Fault> {
        let mut told = None;
        for roots in [Roots::Store, Roots::Admin, Roots::Unified] {
            match self.check_against(roots, text, limits).await {
                Ok(document) => return Ok(document),
                Err(fault) => told = told.or(Some(fault)),
            }
        }
        Err(told.unwrap_or_else(|| Fault { message: "no endpoint takes it".to_owned(), at: None }))
    }

    async fn check_against(&self, roots: Roots, text: &str, limits: &Limits) -> Result<ExecutableDocument, Fault> {
        let first = |errors: Vec<ServerError>| errors.into_iter().next().map_or_else(unsaid, Fault::from);
        let document = judge_all(text, roots, limits).map_err(first)?;
        for (name, _) in document.operations.iter() {
            let request = Request::new(text);
            let request = name.iter().fold(request, |request, name| request.operation_name(name.as_str()));
            let response = match roots {
                Roots::Store => self.store.execute(request).await,
                Roots::Admin => self.admin.execute(request).await,
                Roots::Unified => self.unified.execute(request).await,
            };
            if response.is_err() {
                return Err(first(response.errors));
            }
        }
        Ok(document)
    }
}

fn unsaid() -> Fault {
    Fault { message: "it is refused".to_owned(), at: None }
}
