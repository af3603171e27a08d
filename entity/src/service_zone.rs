//! Where shipping options go.

use domain::id::ServiceZoneId;
use domain::text::Handle;
use sea_orm::entity::prelude::*;

/// Where shipping options go.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "service_zone")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ServiceZoneId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    pub handle: Handle,
    pub name: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
