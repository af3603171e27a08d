//! What sorts and filters a listing by price: the anonymous choice for one piece.

use domain::id::{ChannelId, ProductId, RegionId};
use domain::money::Currency;
use sea_orm::entity::prelude::*;

/// What sorts and filters a listing by price: the anonymous choice for one piece.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "listing_price")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: ProductId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub channel_id: ChannelId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub region_id: RegionId,
    pub currency: Currency,
    pub min_minor: Option<i64>,
    pub max_minor: Option<i64>,
    pub key_minor: i64,
    /// Whether it is for sale in the channel, now or later.
    pub listed: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
