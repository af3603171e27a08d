//! One attempt to turn a cart into an order.

use domain::checkout::CheckoutState;
use domain::id::{CartId, CheckoutId, OrderId};
use domain::money::Currency;
use domain::payment::CaptureMode;
use sea_orm::entity::prelude::*;

/// One attempt to turn a cart into an order.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "checkout")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CheckoutId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub cart_id: CartId,
    pub state: CheckoutState,
    /// Lines, addresses and totals as they will stand on the order.
    pub frozen: Json,
    pub frozen_hash: Vec<u8>,
    pub total_minor: i64,
    pub currency: Currency,
    pub provider: Option<String>,
    /// What the client gave the provider to know.
    pub provider_data: Option<Json>,
    pub provider_reference: Option<String>,
    pub next_action: Option<Json>,
    pub order_id: Option<OrderId>,
    /// When the money is taken, as the region said at Begin; automatically when absent.
    pub capture: Option<CaptureMode>,
    /// The provider's name for the saved method that was chosen.
    pub saved_method: Option<String>,
    /// Whether the customer wishes to pay so again.
    pub saves_method: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
