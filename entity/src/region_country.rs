//! A country is in one region at most.

use domain::id::RegionId;
use domain::text::CountryCode;
use sea_orm::entity::prelude::*;

/// A country is in one region at most.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "region_country")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub country: CountryCode,
    pub region_id: RegionId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
