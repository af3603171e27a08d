//! What a campaign has given in one currency, with what checkouts under way hold.

use domain::id::CampaignId;
use domain::money::Currency;
use sea_orm::entity::prelude::*;

/// What a campaign has given in one currency, with what checkouts under way hold.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "campaign_spending")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub campaign_id: CampaignId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub currency: Currency,
    pub spent_minor: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
