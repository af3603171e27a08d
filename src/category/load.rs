//! Categories for loaders.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::{CategoryId, ProductId};
use entity::category;

use crate::api::call::{Batch, group};
use engine::category::repo;
use engine::error::Error;

/// The categories of a product, the main one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CategoriesOf {
    /// Which product.
    pub product: ProductId,
    /// Whether only what shoppers see is wanted.
    pub shown: bool,
}

impl Loader<CategoriesOf> for Batch {
    type Value = Arc<Vec<category::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[CategoriesOf]) -> Result<HashMap<CategoriesOf, Self::Value>, Self::Error> {
        let mut found = HashMap::new();
        for shown in [true, false] {
            let own: Vec<_> = keys.iter().filter(|key| key.shown == shown).map(|key| key.product).collect();
            if !own.is_empty() {
                let rows = repo::of_products(&self.conn, &own, shown).await?;
                let keyed = rows.into_iter().map(|(product, row)| (CategoriesOf { product, shown }, row));
                found.extend(group(keyed));
            }
        }
        Ok(found)
    }
}

/// The categories directly below one, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChildrenOf {
    /// Below which one.
    pub parent: CategoryId,
    /// Whether only what shoppers see is wanted.
    pub shown: bool,
}

impl Loader<ChildrenOf> for Batch {
    type Value = Arc<Vec<category::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ChildrenOf]) -> Result<HashMap<ChildrenOf, Self::Value>, Self::Error> {
        let mut found = HashMap::new();
        for shown in [true, false] {
            let own: Vec<_> = keys.iter().filter(|key| key.shown == shown).map(|key| key.parent).collect();
            if !own.is_empty() {
                let rows = repo::children_of(&self.conn, &own, shown).await?;
                let keyed = |row: category::Model| Some((ChildrenOf { parent: row.parent_id?, shown }, row));
                found.extend(group(rows.into_iter().filter_map(keyed)));
            }
        }
        Ok(found)
    }
}

/// Categories by id, such as those above one, in the order of the ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Along(pub Vec<CategoryId>);

impl Loader<Along> for Batch {
    type Value = Vec<Arc<category::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[Along]) -> Result<HashMap<Along, Self::Value>, Self::Error> {
        let mut ids: Vec<CategoryId> = keys.iter().flat_map(|key| key.0.iter().copied()).collect();
        ids.sort();
        ids.dedup();
        let rows = repo::by_ids(&self.conn, &ids).await?;
        let rows: HashMap<CategoryId, Arc<category::Model>> =
            rows.into_iter().map(|row| (row.id, Arc::new(row))).collect();
        let along = |key: &Along| key.0.iter().filter_map(|id| rows.get(id).cloned()).collect();
        Ok(keys.iter().map(|key| (key.clone(), along(key))).collect())
    }
}
