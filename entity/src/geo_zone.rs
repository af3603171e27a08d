//! A country of a service zone.

use domain::text::CountryCode;
use sea_orm::entity::prelude::*;

/// A country of a service zone.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "geo_zone")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_zone_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub country: CountryCode,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
