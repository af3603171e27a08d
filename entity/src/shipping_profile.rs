//! What products are shipped alike.

use domain::id::ShippingProfileId;
use domain::text::Handle;
use sea_orm::entity::prelude::*;

/// What products are shipped alike.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "shipping_profile")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ShippingProfileId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    pub handle: Handle,
    pub name: String,
    /// Whether it is that of products and options which name none.
    pub is_default: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
