//! One value of an option, such as Green.

use domain::id::{OptionId, OptionValueId};
use domain::text::Handle;
use sea_orm::entity::prelude::*;

/// One value of an option, such as Green.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "option_value")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OptionValueId,
    pub option_id: OptionId,
    pub handle: Handle,
    pub name: String,
    pub rank: i32,
    /// `#rrggbb`; a value has a color or a picture or neither.
    pub swatch_color: Option<String>,
    pub swatch_url: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
