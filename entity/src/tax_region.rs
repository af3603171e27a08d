//! An area with tax rates of its own.

use domain::id::TaxRegionId;
use domain::tax::TaxFallback;
use domain::text::CountryCode;
use sea_orm::entity::prelude::*;

/// An area with tax rates of its own.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "tax_region")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TaxRegionId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// The region around; none for a country.
    pub parent_id: Option<TaxRegionId>,
    pub country: CountryCode,
    pub province: Option<String>,
    pub county: Option<String>,
    pub city: Option<String>,
    /// Patterns of postal codes.
    pub postal: Json,
    /// Whether buyers elsewhere with a VAT number of the country owe its tax themselves.
    pub reverse_charge: bool,
    /// Who is asked for the rates of the country; nobody when absent.
    pub provider: Option<String>,
    /// What counts when he gives no answer.
    pub provider_fallback: TaxFallback,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
