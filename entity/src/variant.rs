//! What can be bought.

use domain::catalog::BackorderPolicy;
use domain::id::{ProductId, VariantId};
use domain::text::CountryCode;
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
    /// The number in lower case, empty when there is none: what sorting by it compares.
    pub sku_fold: String,
    pub barcode: Option<String>,
    pub rank: i32,
    /// The ids of the option values in order of the options.
    pub combination: String,
    pub external_reference: Option<String>,
    pub weight_grams: Option<i32>,
    pub length_mm: Option<i32>,
    pub width_mm: Option<i32>,
    pub height_mm: Option<i32>,
    pub hs_code: Option<String>,
    pub origin_country: Option<CountryCode>,
    pub backorder: BackorderPolicy,
    pub manage_inventory: bool,
    /// Before this moment it is sold ahead.
    pub release_at: Option<DateTimeUtc>,
    pub requires_shipping: bool,
    pub metadata: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
