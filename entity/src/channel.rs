//! A sales channel: a storefront, an app, a till.

use domain::id::{ChannelId, RegionId};
use domain::inventory::AllocationPolicy;
use domain::locale::Locales;
use domain::notification::link::LinkPaths;
use domain::text::Handle;
use sea_orm::entity::prelude::*;

/// A sales channel: a storefront, an app, a till.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "channel")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ChannelId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    pub handle: Handle,
    pub name: String,
    pub default_region_id: Option<RegionId>,
    /// A BCP 47 tag.
    pub default_locale: String,
    /// The languages that it speaks besides.
    pub locales: Locales,
    /// The base of links in mail.
    pub storefront_url: Option<String>,
    pub active: bool,
    /// Where links in mail lead below that.
    pub link_paths: Option<LinkPaths>,
    /// From whom its mail comes: a mailbox, perhaps with a name.
    pub mail_from: Option<String>,
    /// Which location gives when several could.
    pub allocation: AllocationPolicy,
    /// Whether shoppers are told how many pieces there are.
    pub shows_quantity: bool,
    /// For how long what lies in a cart is held; nothing is held when absent.
    pub hold_minutes: Option<i32>,
    /// After how long without a change a cart is told to be abandoned; none is when absent.
    pub abandoned_after_minutes: Option<i32>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
