//! A secret key of an integration; only its hash is kept.

use domain::id::{ApiKeyId, RoleId};
use sea_orm::entity::prelude::*;

/// A secret key of an integration; only its hash is kept.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApiKeyId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub title: String,
    /// The first letters, to tell keys apart.
    pub prefix: String,
    pub hash: Vec<u8>,
    pub role_id: RoleId,
    pub revoked_at: Option<DateTimeUtc>,
    /// Within a minute.
    pub last_used_at: Option<DateTimeUtc>,
    /// The channels that it reaches, as text ids; all when empty.
    pub channels: Json,
    /// The locations that it reaches, as text ids; all when empty.
    pub locations: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
