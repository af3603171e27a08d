//! A parcel's number at its carrier.

use domain::id::{FulfillmentId, TrackingId};
use sea_orm::entity::prelude::*;

/// A parcel's number at its carrier.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "tracking")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TrackingId,
    pub fulfillment_id: FulfillmentId,
    pub number: String,
    pub carrier: Option<String>,
    pub url: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
