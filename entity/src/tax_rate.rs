//! A rate of a tax region.

use domain::id::{TaxRateId, TaxRegionId};
use sea_orm::entity::prelude::*;

/// A rate of a tax region.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "tax_rate")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TaxRateId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub tax_region_id: TaxRegionId,
    pub code: String,
    pub name: String,
    /// Parts per million: 190000 is 19 %.
    pub rate_ppm: i32,
    pub is_default: bool,
    pub combinable: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
