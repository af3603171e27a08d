//! How categories look: what shoppers and staff both see is written once and
//! merged into the type of each surface.

use std::sync::Arc;

use async_graphql::{Context, ID, MergedObject, Object};
use chrono::{DateTime, Utc};
use domain::category::along;
use domain::id::CategoryId;
use domain::refusal::Refusal;
use entity::category;

use super::load::{Along, ChildrenOf};
use crate::api::call::call;
use crate::api::page::{PageArgs, SortDirection, connection, one_sort};
use crate::api::payload::top_level;
use crate::api::scalar::id;
use crate::catalog::store::{ProductFilter, ProductSort, ProductSortField, Within};
use crate::catalog::types::{AdminProductConnection, ProductConnection};
use engine::catalog::listing::{Filter, Named};

/// A category as shoppers see it: a place in the tree of the catalog.
#[derive(MergedObject, Debug, Clone)]
#[graphql(crate = "crate::api::eager")]
pub struct Category(CategoryCore, CategoryShopper);

/// A category as staff see it: a place in the tree of the catalog.
#[derive(MergedObject, Debug, Clone)]
#[graphql(crate = "crate::api::eager")]
pub struct AdminCategory(CategoryCore, CategoryStaff);

impl From<category::Model> for Category {
    fn from(row: category::Model) -> Self {
        Self::from(Arc::new(row))
    }
}

impl From<Arc<category::Model>> for Category {
    fn from(row: Arc<category::Model>) -> Self {
        Self(CategoryCore(row.clone()), CategoryShopper(row))
    }
}

impl Category {
    /// The id, for `Node`.
    pub async fn id(&self, _: &Context<'_>) -> async_graphql::Result<ID> {
        Ok(id(self.0.0.id))
    }
}

impl From<category::Model> for AdminCategory {
    fn from(row: category::Model) -> Self {
        Self::from(Arc::new(row))
    }
}

impl From<Arc<category::Model>> for AdminCategory {
    fn from(row: Arc<category::Model>) -> Self {
        Self(CategoryCore(row.clone()), CategoryStaff(row))
    }
}

impl AdminCategory {
    /// The id, for `AdminNode`.
    pub async fn id(&self, _: &Context<'_>) -> async_graphql::Result<ID> {
        Ok(id(self.0.0.id))
    }
}

connection! {
    /// A page of categories as staff see them.
    AdminCategoryConnection, AdminCategoryEdge, AdminCategory, category::Model
}

fn within(row: &category::Model, sort: Option<Vec<ProductSort>>, staff: bool) -> Result<Within, Refusal> {
    let newest = ProductSort { field: ProductSortField::Newest, direction: SortDirection::Desc };
    let sort = one_sort(sort, newest)?.into();
    Ok(Within { list: ("category", row.id.into()), members: Filter::Category(Named::Id(row.id)), sort, staff })
}

/// The ids of all above a category, the top first.
fn above(row: &category::Model) -> Vec<CategoryId> {
    let mut ids = along(&row.path);
    ids.retain(|id| *id != row.id);
    ids
}

/// What both surfaces show of a category.
#[derive(Debug, Clone)]
pub struct CategoryCore(Arc<category::Model>);

#[Object]
impl CategoryCore {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Its part of the web address.
    async fn handle(&self) -> &str {
        self.0.handle.as_str()
    }

    /// Its title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// Its description as HTML that was made safe when it was written.
    async fn description_html(&self) -> &str {
        &self.0.description_html
    }

    /// The title for search engines, when it has one of its own.
    async fn seo_title(&self) -> Option<&str> {
        self.0.seo_title.as_deref()
    }

    /// The description for search engines.
    async fn seo_description(&self) -> Option<&str> {
        self.0.seo_description.as_deref()
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was changed last.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// What only shoppers are shown of a category.
#[derive(Debug, Clone)]
pub struct CategoryShopper(Arc<category::Model>);

#[Object]
impl CategoryShopper {
    /// The categories above it, the top first: what breadcrumbs show. At most 7.
    async fn ancestors(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Category>> {
        let rows = call(ctx)?.load(Along(above(&self.0))).await?;
        Ok(rows.into_iter().map(Category::from).collect())
    }

    /// The active categories directly below it, in order; at most 250.
    async fn children(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Category>> {
        let rows = call(ctx)?.load(ChildrenOf { parent: self.0.id, shown: true }).await?;
        Ok(rows.iter().cloned().map(Category::from).collect())
    }

    /// The products of this request's channel in it and below it.
    #[allow(clippy::too_many_arguments)]
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "What the products must be besides.")] filter: Option<ProductFilter>,
        #[graphql(desc = "How they are sorted, by one field; the newest first when absent.")] sort: Option<
            Vec<ProductSort>,
        >,
    ) -> async_graphql::Result<ProductConnection> {
        let within = within(&self.0, sort, false).map_err(|refusal| top_level(refusal.into()))?;
        let args = PageArgs { first, after, last, before, offset: None };
        Ok(within.page(ctx, args, filter).await?.into())
    }
}

/// What only staff see of a category.
#[derive(Debug, Clone)]
pub struct CategoryStaff(Arc<category::Model>);

#[Object]
impl CategoryStaff {
    /// Rises with every change; send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Whether shoppers see it, when all above it are active too.
    async fn active(&self) -> bool {
        self.0.active
    }

    /// Its place among its siblings, from 0.
    async fn position(&self) -> i32 {
        i32::try_from(self.0.rank).unwrap_or(i32::MAX)
    }

    /// The categories above it, the top first. At most 7.
    async fn ancestors(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminCategory>> {
        let rows = call(ctx)?.load(Along(above(&self.0))).await?;
        Ok(rows.into_iter().map(AdminCategory::from).collect())
    }

    /// The categories directly below it, in order; at most 250.
    async fn children(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminCategory>> {
        let rows = call(ctx)?.load(ChildrenOf { parent: self.0.id, shown: false }).await?;
        Ok(rows.iter().cloned().map(AdminCategory::from).collect())
    }

    /// The products in it and below it, also those that shoppers don't see;
    /// prices and stock as in the channel and region of this request.
    #[allow(clippy::too_many_arguments)]
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the products must be besides.")] filter: Option<ProductFilter>,
        #[graphql(desc = "How they are sorted, by one field; the newest first when absent.")] sort: Option<
            Vec<ProductSort>,
        >,
    ) -> async_graphql::Result<AdminProductConnection> {
        let within = within(&self.0, sort, true).map_err(|refusal| top_level(refusal.into()))?;
        let args = PageArgs { first, after, last, before, offset };
        Ok(within.page(ctx, args, filter).await?.into())
    }
}
