//! Categories on the store surface.

use async_graphql::{Context, ID, Object, OneofObject};
use domain::id::CategoryId;
use domain::refusal::Refusal;

use super::load::ChildrenOf;
use super::types::Category;
use crate::api::call::call;
use crate::api::payload::top_level;
use crate::api::scalar::parse_id;
use engine::catalog::listing::Named;
use engine::category::repo::{find, top};

/// Which category you mean: exactly one of these.
#[derive(Debug, Clone, OneofObject)]
pub enum CategoryBy {
    /// By id.
    Id(ID),
    /// By its part of the web address.
    Handle(String),
}

impl CategoryBy {
    /// For the repo; `path` leads to the id.
    pub fn named(&self, path: &[&str]) -> Result<Named<CategoryId>, Refusal> {
        Ok(match self {
            Self::Id(id) => Named::Id(parse_id(id, path)?),
            Self::Handle(handle) => Named::Handle(handle.clone()),
        })
    }
}

/// Queries about categories.
#[derive(Debug, Default)]
pub struct CategoryStoreQuery;

#[Object]
impl CategoryStoreQuery {
    /// The categories directly below one, or at the top, in order; at most 250.
    /// A category is shown when it and all above it are active.
    async fn categories(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Below this one; those at the top when absent.")] parent: Option<CategoryBy>,
    ) -> async_graphql::Result<Vec<Category>> {
        let call = call(ctx)?;
        let Some(by) = parent else {
            let rows = top(&call.conn(), true).await.map_err(top_level)?;
            return Ok(rows.into_iter().map(Category::from).collect());
        };
        let Ok(named) = by.named(&[]) else { return Ok(Vec::new()) };
        let parent = find(&call.conn(), &named, true).await.map_err(top_level)?;
        let Some(parent) = parent else { return Ok(Vec::new()) };
        let rows = call.load(ChildrenOf { parent: parent.id, shown: true }).await?;
        Ok(rows.iter().cloned().map(Category::from).collect())
    }

    /// One category; null when there is none to be seen.
    async fn category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which category.")] by: CategoryBy,
    ) -> async_graphql::Result<Option<Category>> {
        let Ok(named) = by.named(&[]) else { return Ok(None) };
        let found = find(&call(ctx)?.conn(), &named, true).await.map_err(top_level)?;
        Ok(found.map(Category::from))
    }
}
