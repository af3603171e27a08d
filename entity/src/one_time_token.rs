//! A secret that was mailed and proves a mailbox once.

use domain::auth::TokenPurpose;
use domain::id::OneTimeTokenId;
use sea_orm::entity::prelude::*;

/// A secret that was mailed and proves a mailbox once.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "one_time_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OneTimeTokenId,
    pub purpose: TokenPurpose,
    pub subject_id: Uuid,
    /// The mailbox that it was sent to.
    pub detail: Option<String>,
    /// SHA-256 of the token.
    pub hash: Vec<u8>,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub used_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
