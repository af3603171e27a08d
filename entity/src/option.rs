//! An option shared by products, such as Color.

use domain::id::OptionId;
use domain::text::Handle;
use sea_orm::entity::prelude::*;

/// An option shared by products, such as Color.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "option")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OptionId,
    pub created_at: DateTimeUtc,
    pub handle: Handle,
    pub name: String,
    pub version: i32,
    pub rank: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
