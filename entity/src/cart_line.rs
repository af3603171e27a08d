//! A line of a cart.

use domain::id::{CartId, CartLineId, PriceId, PromotionId, VariantId};
use domain::money::Currency;
use sea_orm::entity::prelude::*;

/// A line of a cart.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "cart_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CartLineId,
    pub cart_id: CartId,
    /// Order of the lines; ties of rounding go to the lower one.
    pub position: i32,
    pub variant_id: VariantId,
    pub quantity: i32,
    pub price_id: Option<PriceId>,
    /// As last shown to the shopper.
    pub unit_price_minor: i64,
    pub includes_tax: bool,
    /// What the unit price is in, as last shown to the shopper.
    pub currency: Option<Currency>,
    /// Whether staff agreed on the unit price with the shopper: no other price counts.
    pub custom_price: bool,
    /// The promotion whose gift it is.
    pub gift_of: Option<PromotionId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
