//! How API keys look.

use async_graphql::{Context, ID, Object};
use chrono::{DateTime, Utc};
use domain::id::{ChannelId, LocationId};
use domain::reach::Reach;
use entity::api_key;

use crate::api::call::call;
use crate::api::scalar::id;
use crate::staff::load::RoleBy;
use crate::staff::types::AdminRole;
use engine::staff::roles::limits;

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

    /// The ids of the channels that it is limited to, at most 250; empty when it reaches every channel.
    async fn channel_ids(&self) -> Vec<ID> {
        let reach: Reach<ChannelId> = limits(&self.0.channels);
        reach.limits().unwrap_or_default().iter().map(id).collect()
    }

    /// The ids of the locations that it is limited to, at most 250; empty when it reaches every location.
    async fn location_ids(&self) -> Vec<ID> {
        let reach: Reach<LocationId> = limits(&self.0.locations);
        reach.limits().unwrap_or_default().iter().map(id).collect()
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
