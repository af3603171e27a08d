//! A link that opens one order.

use domain::id::{OrderId, OrderTokenId};
use sea_orm::entity::prelude::*;

/// A link that opens one order.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "order_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrderTokenId,
    pub order_id: OrderId,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub revoked_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
