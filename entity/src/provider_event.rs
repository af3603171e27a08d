//! Something that a payment provider told by itself.

use domain::id::{CheckoutId, PaymentId, ProviderEventId};
use domain::money::Currency;
use sea_orm::entity::prelude::*;

/// Something that a payment provider told by itself.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProviderEventId,
    pub received_at: DateTimeUtc,
    pub provider: String,
    /// The provider's name for it; with the provider unique.
    pub event_id: String,
    pub kind: String,
    /// The provider's name for the payment that it is about.
    pub reference: Option<String>,
    /// The checkout that the payment says it is for.
    pub checkout_id: Option<CheckoutId>,
    /// The payment of an order that it says it is.
    pub payment_id: Option<PaymentId>,
    pub amount_minor: Option<i64>,
    pub currency: Option<Currency>,
    /// As it came: it may hold personal data.
    pub body: String,
    pub attempts: i32,
    /// When it is looked at next.
    pub look_at: DateTimeUtc,
    pub processed_at: Option<DateTimeUtc>,
    /// What came of it.
    pub outcome: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
