//! Texts of policies.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::PolicyId;

use crate::api::call::Batch;
use engine::error::{Error, Result};
use engine::policy::repo;

/// The text of a policy in the shop's own language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BodyOf(pub PolicyId);

impl Loader<BodyOf> for Batch {
    type Value = Arc<str>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[BodyOf]) -> Result<HashMap<BodyOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let bodies = repo::bodies(&self.conn, &ids).await?;
        Ok(bodies.into_iter().map(|(id, body)| (BodyOf(id), body.into())).collect())
    }
}
