//! What a price list was for a while, before it was changed.

use domain::id::PriceListId;
use domain::pricing::PriceListKind;
use domain::rule::Rules;
use sea_orm::entity::prelude::*;

/// What a price list was for a while in which its prices counted.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "price_list_history")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub price_list_id: PriceListId,
    pub kind: PriceListKind,
    pub priority: i32,
    pub rules: Rules,
    /// Inclusive.
    #[sea_orm(primary_key, auto_increment = false)]
    pub from_at: DateTimeUtc,
    /// Exclusive.
    pub until_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
