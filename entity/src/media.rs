//! A picture, film or file shown with products.

use domain::catalog::MediaKind;
use domain::id::MediaId;
use domain::media::FileType;
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
    pub version: i32,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    /// The file that the shop stores: its SHA-256 in hexadecimal digits; none
    /// of what lies elsewhere.
    pub file_hash: Option<String>,
    pub file_type: Option<FileType>,
    pub file_size: Option<i64>,
    pub filename: Option<String>,
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// Millionths of the width, from the left.
    pub focal_x: Option<i32>,
    /// Millionths of the height, from the top.
    pub focal_y: Option<i32>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
