//! What a provider of tax rates or shipping prices answered.

use sea_orm::entity::prelude::*;

/// What a provider of tax rates or shipping prices answered.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_answer")]
pub struct Model {
    /// A hash of the provider and of all that it was asked.
    #[sea_orm(primary_key, auto_increment = false)]
    pub fingerprint: Vec<u8>,
    pub provider: String,
    /// Its last answer; none when it never gave a usable one.
    pub answer: Option<Json>,
    /// When it was asked last.
    pub asked_at: DateTimeUtc,
    /// Until when nobody asks again.
    pub fresh_until: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
