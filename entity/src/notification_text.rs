//! The text of a kind of mail, as staff wrote it for a language.

use domain::id::{ChannelId, NotificationTextId};
use domain::notification::NotificationTemplate;
use sea_orm::entity::prelude::*;

/// The text of a kind of mail, as staff wrote it for a language.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "notification_text")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NotificationTextId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub template: NotificationTemplate,
    /// Of this channel alone; of the whole shop when absent.
    pub channel_id: Option<ChannelId>,
    /// A BCP 47 tag.
    pub locale: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
