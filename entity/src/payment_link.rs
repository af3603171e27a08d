//! A link by which whoever holds it may pay what an order owes.

use domain::id::{OrderId, PaymentLinkId};
use domain::money::Currency;
use sea_orm::entity::prelude::*;

/// A link by which whoever holds it may pay what an order owes.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "payment_link")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PaymentLinkId,
    pub order_id: OrderId,
    pub created_at: DateTimeUtc,
    /// Who made it.
    pub created_by: String,
    pub expires_at: DateTimeUtc,
    pub revoked_at: Option<DateTimeUtc>,
    /// How much is to be paid by it, in minor units; all that the order owes when absent.
    pub amount_minor: Option<i64>,
    pub currency: Currency,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
