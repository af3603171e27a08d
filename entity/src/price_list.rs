//! Prices that belong together: a sale, or what some shoppers pay instead.

use domain::id::PriceListId;
use domain::pricing::{PriceListKind, PriceListStatus};
use domain::rule::Rules;
use domain::text::Handle;
use sea_orm::entity::prelude::*;

/// Prices that belong together: a sale, or what some shoppers pay instead.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "price_list")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PriceListId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    pub handle: Handle,
    pub name: String,
    /// For staff.
    pub description: Option<String>,
    pub kind: PriceListKind,
    pub status: PriceListStatus,
    /// Inclusive.
    pub starts_at: Option<DateTimeUtc>,
    /// Exclusive.
    pub ends_at: Option<DateTimeUtc>,
    pub priority: i32,
    /// For whom it is.
    pub rules: Rules,
    /// Until when listing prices follow it; never yet when absent.
    pub shown_at: Option<DateTimeUtc>,
    /// Since when it is what it is: kind, status, dates, priority and rules.
    pub terms_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
