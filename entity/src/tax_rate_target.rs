//! What a tax rate is an override for.

use domain::id::TaxRateId;
use domain::tax::TaxTargetKind;
use sea_orm::entity::prelude::*;

/// What a tax rate is an override for.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "tax_rate_target")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tax_rate_id: TaxRateId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub target_id: Uuid,
    pub kind: TaxTargetKind,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
