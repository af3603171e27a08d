//! Under what name a payment provider knows a customer.

use domain::id::CustomerId;
use sea_orm::entity::prelude::*;

/// Under what name a payment provider knows a customer.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "payment_customer")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub customer_id: CustomerId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider: String,
    /// The name; nothing while the provider is being told of him, which may have gone wrong.
    pub reference: Option<String>,
    pub created_at: DateTimeUtc,
    /// When the provider is asked to forget him.
    pub forget_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
