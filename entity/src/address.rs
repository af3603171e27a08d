//! An address of a customer's book.

use domain::address::Address;
use domain::id::{AddressId, CustomerId};
use sea_orm::entity::prelude::*;

/// An address of a customer's book.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "address")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AddressId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub customer_id: CustomerId,
    pub address: Address,
    /// Where he is sent things to unless he says otherwise; at most one per customer.
    pub default_shipping: bool,
    /// Where he is billed to unless he says otherwise; at most one per customer.
    pub default_billing: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
