//! What a metafield holds, and who reads it.

use domain::id::MetafieldDefinitionId;
use domain::metafield::{MetafieldOwnerType, MetafieldStoreAccess, MetafieldType};
use sea_orm::entity::prelude::*;

/// What a metafield holds, and who reads it.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "metafield_definition")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MetafieldDefinitionId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub owner_type: MetafieldOwnerType,
    pub namespace: String,
    pub key: String,
    pub name: String,
    pub description: Option<String>,
    pub kind: MetafieldType,
    /// `domain::metafield::Validations`.
    pub validations: Json,
    pub store_access: MetafieldStoreAccess,
    pub filterable: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
