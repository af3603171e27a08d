//! Which payment providers a region offers.

use domain::id::RegionId;
use domain::payment::CaptureMode;
use sea_orm::entity::prelude::*;

/// Which payment providers a region offers.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "region_payment_provider")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub region_id: RegionId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider: String,
    /// When its money is taken.
    pub capture: CaptureMode,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
