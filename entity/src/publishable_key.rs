//! Names a channel to the store surface; no secret.

use domain::id::{ChannelId, PublishableKeyId};
use sea_orm::entity::prelude::*;

/// Names a channel to the store surface; no secret.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "publishable_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PublishableKeyId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub token: String,
    pub title: String,
    pub channel_id: ChannelId,
    pub revoked_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
