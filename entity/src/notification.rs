//! A mail that the shop sends by itself, and what became of it.

use domain::id::{
    ChannelId, CustomerId, EventId, FulfillmentId, LedgerAccountId, NotificationId, OrderId, PaymentId, PaymentLinkId,
    StaffId, VariantId,
};
use domain::notification::{NotificationState, NotificationTemplate};
use domain::text::Email;
use sea_orm::entity::prelude::*;

/// A mail that the shop sends by itself, and what became of it.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "notification")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NotificationId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub template: NotificationTemplate,
    /// What asked for it, once per template; nothing when it was sent again by hand.
    pub event_id: Option<EventId>,
    pub channel_id: ChannelId,
    pub order_id: Option<OrderId>,
    pub fulfillment_id: Option<FulfillmentId>,
    pub payment_id: Option<PaymentId>,
    pub payment_link_id: Option<PaymentLinkId>,
    pub amount_minor: Option<i64>,
    pub customer_id: Option<CustomerId>,
    pub staff_id: Option<StaffId>,
    pub variant_id: Option<VariantId>,
    pub ledger_account_id: Option<LedgerAccountId>,
    /// Where it goes; nothing once the person was erased.
    pub recipient: Option<Email>,
    /// A BCP 47 tag.
    pub locale: String,
    pub state: NotificationState,
    pub attempts: i32,
    /// When somebody must look at it: its next try, or the end of a try.
    pub due_at: Option<DateTimeUtc>,
    pub sent_at: Option<DateTimeUtc>,
    pub message_id: Option<String>,
    /// Why it was not sent; the mail server's own words, when it said some.
    pub error: Option<String>,
    pub resend_of: Option<NotificationId>,
    /// Whether a copy that the provider keeps must be removed.
    pub forget_copy: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
