//! What a shopper is about to buy.

use domain::address::Address;
use domain::cart::CartState;
use domain::id::{CartId, ChannelId, CustomerId, RegionId};
use domain::money::Currency;
use domain::tax::TaxNumber;
use domain::text::Email;
use sea_orm::entity::prelude::*;

/// What a shopper is about to buy.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "cart")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CartId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// SHA-256 of the token that opens a guest's cart.
    pub token_hash: Vec<u8>,
    pub channel_id: ChannelId,
    pub region_id: RegionId,
    pub currency: Currency,
    pub customer_id: Option<CustomerId>,
    pub email: Option<Email>,
    pub locale: String,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    pub state: CartState,
    pub expires_at: DateTimeUtc,
    pub tax_number: Option<TaxNumber>,
    /// Since when nobody has changed it, until somebody has looked at that.
    pub untouched_since: Option<DateTimeUtc>,
    /// When it was told last that it was left.
    pub abandoned_at: Option<DateTimeUtc>,
    /// When what it told of somebody went.
    pub erased_at: Option<DateTimeUtc>,
    /// How many codes were entered.
    pub codes: i32,
    /// Whether the customer's store credit pays for it.
    pub uses_store_credit: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
