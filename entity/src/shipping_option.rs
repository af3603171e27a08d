//! What the merchant offers to bring an order to the shopper.

use domain::id::ShippingOptionId;
use domain::text::Handle;
use sea_orm::entity::prelude::*;

/// What the merchant offers to bring an order to the shopper.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "shipping_option")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ShippingOptionId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    pub handle: Handle,
    pub name: String,
    pub service_zone_id: Uuid,
    pub provider: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
