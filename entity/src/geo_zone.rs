//! An area of a service zone.

use domain::id::ServiceZoneId;
use domain::text::CountryCode;
use sea_orm::entity::prelude::*;

/// An area of a service zone.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "geo_zone")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_zone_id: ServiceZoneId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    pub country: CountryCode,
    pub province: Option<String>,
    pub county: Option<String>,
    pub city: Option<String>,
    /// Patterns of postal codes.
    pub postal: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
