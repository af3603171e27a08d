//! What can be bought.

use domain::catalog::BackorderPolicy;
use domain::id::{ProductId, VariantId};
use sea_orm::entity::prelude::*;

/// What can be bought.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "variant")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VariantId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    pub product_id: ProductId,
    pub title: String,
    pub sku: Option<String>,
    pub barcode: Option<String>,
    pub rank: i32,
    /// The ids of the option values in order of the options.
    pub combination: String,
    pub weight_grams: Option<i32>,
    pub backorder: BackorderPolicy,
    pub manage_inventory: bool,
    pub requires_shipping: bool,
    pub metadata: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
