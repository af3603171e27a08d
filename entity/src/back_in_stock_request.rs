//! Somebody who wants to know when a variant can be bought again.

use domain::id::{BackInStockRequestId, ChannelId, CustomerId, VariantId};
use domain::text::Email;
use sea_orm::entity::prelude::*;

/// Somebody who wants to know when a variant can be bought again; the row goes when he is told.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "back_in_stock_request")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BackInStockRequestId,
    pub created_at: DateTimeUtc,
    pub variant_id: VariantId,
    pub channel_id: ChannelId,
    pub email: Email,
    /// A BCP 47 tag.
    pub locale: String,
    pub customer_id: Option<CustomerId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
