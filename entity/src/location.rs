//! A place that holds stock.

use domain::address::Address;
use domain::id::LocationId;
use domain::text::CountryCode;
use domain::text::Handle;
use sea_orm::entity::prelude::*;

/// A place that holds stock.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "location")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LocationId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    pub handle: Handle,
    pub name: String,
    pub country: Option<CountryCode>,
    /// The lower number is taken from first.
    pub priority: i32,
    /// Whether shoppers may pick up what they bought.
    pub pickup: bool,
    pub address: Option<Address>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
