//! Money promised or taken for a checkout; what is paid is the sum of its entries.

use domain::id::{CheckoutId, OrderId, PaymentId};
use domain::money::Currency;
use domain::payment::PaymentState;
use sea_orm::entity::prelude::*;

/// Money promised or taken for a checkout; what is paid is the sum of its entries.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "payment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PaymentId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub checkout_id: CheckoutId,
    pub order_id: Option<OrderId>,
    pub provider: String,
    pub amount_minor: i64,
    pub currency: Currency,
    pub state: PaymentState,
    pub provider_reference: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
