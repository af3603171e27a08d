//! An amount for a variant or a shipping option.

use domain::id::{PriceId, PriceListId, ShippingOptionId, VariantId};
use domain::money::Currency;
use domain::rule::Rules;
use sea_orm::entity::prelude::*;

/// An amount for a variant or a shipping option.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "price")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PriceId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub variant_id: Option<VariantId>,
    pub shipping_option_id: Option<ShippingOptionId>,
    pub currency: Currency,
    pub amount_minor: i64,
    /// What it cost before, in the same basis.
    pub compare_at_minor: Option<i64>,
    pub includes_tax: bool,
    pub min_quantity: Option<i32>,
    pub max_quantity: Option<i32>,
    /// How many rules must match.
    pub rule_count: i32,
    /// The list that it stands in; a base price when absent.
    pub price_list_id: Option<PriceListId>,
    /// For whom it is; everybody when absent.
    pub rules: Option<Rules>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
