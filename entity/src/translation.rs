//! A text of an entity in another language.

use domain::translation::{TranslatableField, TranslatableType};
use sea_orm::entity::prelude::*;

/// A text of an entity in another language.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "translation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub entity_id: Uuid,
    /// A BCP 47 tag.
    #[sea_orm(primary_key, auto_increment = false)]
    pub locale: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub field: TranslatableField,
    pub entity_type: TranslatableType,
    pub value: String,
    /// SHA-256 of the text that was translated.
    pub source_digest: Vec<u8>,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
