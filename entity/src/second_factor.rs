//! What a member of staff proves himself with besides his password.

use domain::id::StaffId;
use sea_orm::entity::prelude::*;

/// What a member of staff proves himself with besides his password.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "second_factor")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub staff_id: StaffId,
    pub created_at: DateTimeUtc,
    /// Since when it counts: when the first code was right.
    pub confirmed_at: Option<DateTimeUtc>,
    /// The shared secret, sealed.
    pub secret: Vec<u8>,
    /// The time step of the last code that was accepted: none is accepted twice.
    pub last_step: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
