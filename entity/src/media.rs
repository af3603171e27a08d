//! A picture, film or file shown with products.

use domain::catalog::MediaKind;
use domain::id::MediaId;
use sea_orm::entity::prelude::*;

/// A picture, film or file shown with products.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "media")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MediaId,
    pub created_at: DateTimeUtc,
    pub kind: MediaKind,
    /// Absolute, or a path served by this shop.
    pub url: String,
    pub alt: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
