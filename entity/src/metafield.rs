//! What an owner holds under a definition.

use domain::id::{MetafieldDefinitionId, MetafieldId};
use sea_orm::entity::prelude::*;

/// What an owner holds under a definition.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "metafield")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MetafieldId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub definition_id: MetafieldDefinitionId,
    /// A product, variant or order, as the definition says.
    pub owner_id: Uuid,
    /// The one text form of its type.
    pub value: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
