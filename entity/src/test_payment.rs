//! A payment of the provider `test`, as a real provider would keep it.

use domain::money::Currency;
use domain::payment::{CaptureMode, PaymentState};
use sea_orm::entity::prelude::*;

/// A payment of the provider `test`, as a real provider would keep it.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "test_payment")]
pub struct Model {
    /// Not to be guessed: who knows it may confirm the payment.
    #[sea_orm(primary_key, auto_increment = false)]
    pub reference: String,
    pub idempotency_key: String,
    pub created_at: DateTimeUtc,
    pub card: String,
    pub capture: CaptureMode,
    pub amount_minor: i64,
    pub currency: Currency,
    pub state: PaymentState,
    pub captured_minor: i64,
    pub refunded_minor: i64,
    pub return_url: Option<String>,
    /// When money on its way arrives.
    pub settles_at: Option<DateTimeUtc>,
    /// The customer who wishes to pay so again.
    pub saves_for: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
