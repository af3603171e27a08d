//! A line of an order: a snapshot, and how far it has come.

use domain::id::{OrderId, OrderLineId, ProductId, VariantId};
use sea_orm::entity::prelude::*;

/// A line of an order: a snapshot, and how far it has come.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "order_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrderLineId,
    pub order_id: OrderId,
    pub position: i32,
    pub variant_id: Option<VariantId>,
    pub product_id: Option<ProductId>,
    pub title: String,
    pub variant_title: String,
    pub sku: Option<String>,
    /// A list of name and value.
    pub options: Json,
    pub thumbnail: Option<String>,
    pub requires_shipping: bool,
    pub unit_price_minor: i64,
    pub includes_tax: bool,
    pub subtotal_minor: i64,
    pub discount_minor: i64,
    pub net_minor: i64,
    pub tax_minor: i64,
    pub total_minor: i64,
    pub ordered: i32,
    pub fulfilled: i32,
    pub shipped: i32,
    pub delivered: i32,
    pub canceled: i32,
    /// Why one piece cost what it did.
    pub explanation: Option<Json>,
    /// Whether each piece of it is a gift card.
    pub gift_card: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
