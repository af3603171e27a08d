//! Metafields for loaders.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::MetafieldDefinitionId;
use entity::metafield;
use uuid::Uuid;

use crate::api::call::Batch;
use engine::error::Error;
use engine::metafield::repo;

/// What an owner holds under a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MetafieldOf(pub Uuid, pub MetafieldDefinitionId);

impl Loader<MetafieldOf> for Batch {
    type Value = Option<Arc<metafield::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[MetafieldOf]) -> Result<HashMap<MetafieldOf, Self::Value>, Self::Error> {
        let owners: HashSet<Uuid> = keys.iter().map(|key| key.0).collect();
        let definitions: HashSet<_> = keys.iter().map(|key| key.1).collect();
        let (owners, definitions): (Vec<_>, Vec<_>) = (owners.into_iter().collect(), definitions.into_iter().collect());
        let rows = repo::values_of(&self.conn, &owners, &definitions).await?;
        Ok(rows.into_iter().map(|row| (MetafieldOf(row.owner_id, row.definition_id), Some(Arc::new(row)))).collect())
    }
}
