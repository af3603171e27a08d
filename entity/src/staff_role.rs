//! Which role a member of staff has; an empty scope is no limit.

use domain::id::{RoleId, StaffId};
use sea_orm::entity::prelude::*;

/// Which role a member of staff has; an empty scope is no limit.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "staff_role")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub staff_id: StaffId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub role_id: RoleId,
    /// The channels that it reaches, as text ids.
    pub channels: Json,
    /// The locations that it reaches, as text ids.
    pub locations: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
