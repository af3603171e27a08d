//! A legal text of the merchant.

use domain::id::{ChannelId, PolicyId};
use domain::policy::PolicyKind;
use sea_orm::entity::prelude::*;

/// A legal text of the merchant.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "policy")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PolicyId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    pub kind: PolicyKind,
    /// Of this channel alone; of the whole shop when absent.
    pub channel_id: Option<ChannelId>,
    pub title: String,
    /// Sanitised.
    pub body_html: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
