//! What staff or a key did.

use domain::id::AuditEntryId;
use sea_orm::entity::prelude::*;

/// What staff or a key did.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entry")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditEntryId,
    pub at: DateTimeUtc,
    pub actor: String,
    pub op: String,
    /// The text id of what was changed.
    pub entity: Option<String>,
    pub before: Option<Json>,
    pub after: Option<Json>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
