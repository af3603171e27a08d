//! A group of lines that ship together, and what was chosen for it.

use domain::id::{CartDeliveryId, CartId, ShippingOptionId, ShippingProfileId};
use sea_orm::entity::prelude::*;

/// A group of lines that ship together, and what was chosen for it.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "cart_delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CartDeliveryId,
    pub cart_id: CartId,
    pub position: i32,
    pub shipping_option_id: Option<ShippingOptionId>,
    /// What its lines share; none before its cart held anything that is sent.
    pub shipping_profile_id: Option<ShippingProfileId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
