//! What the merchant offers to bring an order to the shopper.

use domain::id::{LocationId, ServiceZoneId, ShippingOptionId, ShippingProfileId};
use domain::rule::Rules;
use domain::shipping::ShippingOptionKind;
use domain::shipping::table::{FreeFrom, Tables};
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
    pub service_zone_id: ServiceZoneId,
    pub provider: String,
    /// The products that it is for; those of the default profile when absent.
    pub shipping_profile_id: Option<ShippingProfileId>,
    pub description: Option<String>,
    pub kind: ShippingOptionKind,
    /// Whether what it costs includes tax.
    pub includes_tax: bool,
    pub tables: Tables,
    pub free_from: FreeFrom,
    pub rules: Rules,
    /// Where the shopper picks it up; it is sent when absent.
    pub pickup_location_id: Option<LocationId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
