//! A category: a place in the tree of the catalog.

use domain::id::CategoryId;
use domain::text::Handle;
use sea_orm::entity::prelude::*;

/// A category: a place in the tree of the catalog.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "category")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CategoryId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    pub handle: Handle,
    pub parent_id: Option<CategoryId>,
    /// The ids of all above it and its own: `domain::category::path`.
    pub path: String,
    /// Its place among its siblings, from 0 without holes.
    pub rank: i64,
    pub active: bool,
    pub title: String,
    /// The title in lower case: what sorting by title compares.
    pub title_fold: String,
    /// Sanitised when written.
    pub description_html: String,
    pub seo_title: Option<String>,
    pub seo_description: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
