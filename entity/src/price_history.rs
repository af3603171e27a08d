//! What a price of a variant was for a while.

use domain::id::{PriceId, PriceListId, VariantId};
use domain::money::Currency;
use domain::rule::Rules;
use sea_orm::entity::prelude::*;

/// What a price of a variant was for a while.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "price_history")]
pub struct Model {
    /// That of the price.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PriceId,
    pub variant_id: VariantId,
    pub price_list_id: Option<PriceListId>,
    pub currency: Currency,
    pub amount_minor: i64,
    pub includes_tax: bool,
    pub min_quantity: Option<i32>,
    pub max_quantity: Option<i32>,
    pub rules: Option<Rules>,
    /// Inclusive.
    pub from_at: DateTimeUtc,
    /// Exclusive.
    pub until_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
