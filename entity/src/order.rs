//! A placed order.

use domain::address::Address;
use domain::id::{ChannelId, CheckoutId, CustomerId, OrderId, RegionId};
use domain::money::Currency;
use domain::order::FulfillmentStatus;
use domain::order::OrderStatus;
use domain::order::PaymentStatus;
use domain::tax::{TaxExemption, TaxNumber};
use domain::text::Email;
use sea_orm::entity::prelude::*;

/// A placed order.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "order")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrderId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// Given in the last statement of Place, dense.
    pub number: Option<i64>,
    pub channel_id: ChannelId,
    pub region_id: RegionId,
    pub currency: Currency,
    pub customer_id: Option<CustomerId>,
    pub checkout_id: CheckoutId,
    pub email: Email,
    pub locale: String,
    pub status: OrderStatus,
    pub payment_status: PaymentStatus,
    pub fulfillment_status: FulfillmentStatus,
    pub subtotal_minor: i64,
    pub discount_minor: i64,
    pub shipping_minor: i64,
    pub tax_minor: i64,
    pub total_minor: i64,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    pub placed_at: DateTimeUtc,
    pub canceled_at: Option<DateTimeUtc>,
    pub tax_number: Option<TaxNumber>,
    /// Why no tax was due though rates would have applied.
    pub tax_exemption: Option<TaxExemption>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
