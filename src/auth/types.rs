//! How API keys look.

use async_graphql::{Context, ID, Object};
use chrono::{DateTime, Utc};
use entity::api_key;

use crate::api::call::call;
use crate::api::scalar::id;
use crate::staff::load::RoleBy;
use crate::staff::types::AdminRole;

/// A secret key of an integration.
#[derive(Debug, Clone)]
pub struct AdminApiKey(pub api_key::Model);

/// A secret key of an integration.
#[Object]
impl AdminApiKey {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// What staff call it.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// Its first letters, to tell keys apart.
    async fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// The role that it has.
    async fn role(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AdminRole>> {
        Ok(call(ctx)?.load(RoleBy(self.0.role_id)).await?.map(AdminRole))
    }

    /// Since when.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was used last, within a minute; null when never, or not since it was rotated.
    async fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_used_at
    }

    /// Since when it opens nothing any more.
    async fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at
    }
}
