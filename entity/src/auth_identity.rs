//! A way to prove who someone is.

use domain::auth::ActorKind;
use domain::id::AuthIdentityId;
use sea_orm::entity::prelude::*;

/// A way to prove who someone is.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "auth_identity")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuthIdentityId,
    pub actor_kind: ActorKind,
    pub actor_id: Uuid,
    /// `password` or the name of an identity provider.
    pub provider: String,
    /// The name that the provider knows the actor by.
    pub subject: String,
    /// An argon2id hash in PHC form.
    pub secret_hash: Option<String>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
