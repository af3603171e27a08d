//! A market: one currency, some countries, how tax is shown and rounded.

use domain::id::RegionId;
use domain::money::Currency;
use domain::text::Handle;
use domain::totals::TaxRounding;
use sea_orm::entity::prelude::*;

/// A market: one currency, some countries, how tax is shown and rounded.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "region")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RegionId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    pub handle: Handle,
    pub name: String,
    pub currency: Currency,
    /// Whether prices entered for this region's currency include tax.
    pub prices_include_tax: bool,
    pub tax_rounding: TaxRounding,
    pub automatic_taxes: bool,
    /// The default tax rate with which its listing prices were worked out, in parts per million.
    pub listed_rate_ppm: Option<i32>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
