//! A collection: products that are shown together.

use domain::collection::CollectionKind;
use domain::id::{CollectionId, MediaId};
use domain::text::Handle;
use sea_orm::entity::prelude::*;

/// A collection: products that are shown together.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "collection")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CollectionId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    pub handle: Handle,
    pub kind: CollectionKind,
    pub title: String,
    /// The title in lower case: what sorting by title compares.
    pub title_fold: String,
    /// Sanitised when written.
    pub description_html: String,
    pub seo_title: Option<String>,
    pub seo_description: Option<String>,
    /// Its picture.
    pub media_id: Option<MediaId>,
    /// `domain::collection::Rule`; none when its products are listed by hand.
    pub rule: Option<Json>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
