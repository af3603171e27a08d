//! A log-in that is under way at an identity provider.

use sea_orm::entity::prelude::*;

/// A log-in that is under way at an identity provider.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "oidc_login")]
pub struct Model {
    /// SHA-256 of the state that comes back with the person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_hash: Vec<u8>,
    /// Which provider.
    pub provider: String,
    /// SHA-256 of what only the client that began knows.
    pub token_hash: Vec<u8>,
    /// What the ID token must hold.
    pub nonce: String,
    /// The PKCE verifier, sealed.
    pub verifier: Vec<u8>,
    pub expires_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
