//! A log-in that can be refreshed and revoked.

use domain::auth::ActorKind;
use domain::auth::Surface;
use domain::id::SessionId;
use sea_orm::entity::prelude::*;

/// A log-in that can be refreshed and revoked.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    pub actor_kind: ActorKind,
    pub actor_id: Uuid,
    pub surface: Surface,
    /// SHA-256 of the refresh token in force.
    pub refresh_hash: Vec<u8>,
    /// Counts refreshes; an older token betrays theft.
    pub generation: i32,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub revoked_at: Option<DateTimeUtc>,
    /// Whether it was opened with a second factor.
    pub second_factor: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
