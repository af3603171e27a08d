//! One value per option of a variant.

use domain::id::{OptionId, OptionValueId, VariantId};
use sea_orm::entity::prelude::*;

/// One value per option of a variant.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "variant_option_value")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub variant_id: VariantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub option_id: OptionId,
    pub option_value_id: OptionValueId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
