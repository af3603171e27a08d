//! Provider and method data chosen on a cart; moves no money.

use domain::id::{CartId, PaymentSessionId};
use sea_orm::entity::prelude::*;

/// Provider and method data chosen on a cart; moves no money.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "payment_session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PaymentSessionId,
    pub created_at: DateTimeUtc,
    pub cart_id: CartId,
    pub provider: String,
    pub data: Json,
    /// The provider's name for the saved method that was chosen.
    pub saved_method: Option<String>,
    /// Whether the customer wishes to pay so again.
    pub saves_method: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
