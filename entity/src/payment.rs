//! Money promised or taken for a checkout; what is paid is the sum of its entries.

use domain::id::{CheckoutId, OrderId, PaymentId, PaymentLinkId};
use domain::money::Currency;
use domain::payment::{CaptureMode, PaymentState};
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
    /// What the client gave the provider to know, of a payment that was made for an order.
    pub data: Option<Json>,
    /// What the shopper must do first.
    pub next_action: Option<Json>,
    /// When the money is taken, as the region said at the beginning; automatically when absent.
    pub capture: Option<CaptureMode>,
    /// Why it came to nothing, in words for the shopper.
    pub failure: Option<String>,
    /// The link by which it is paid.
    pub link_id: Option<PaymentLinkId>,
    /// The provider's name for the saved method that was chosen.
    pub saved_method: Option<String>,
    /// Whether the customer wishes to pay so again.
    pub saves_method: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
