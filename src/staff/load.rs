//! Roles and sessions for loaders.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::{RoleId, StaffId};
use entity::{role, session};
use uuid::Uuid;

use crate::api::call::{Batch, group};
use engine::error::Error;
use engine::staff::repo;
use engine::staff::roles::HeldRole;

/// The roles of a member of staff, by name, with how far each reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RolesOf(pub StaffId);

impl Loader<RolesOf> for Batch {
    type Value = Arc<Vec<HeldRole>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[RolesOf]) -> Result<HashMap<RolesOf, Self::Value>, Self::Error> {
        let staff: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::held_by(&self.conn, &staff).await?;
        Ok(group(rows.into_iter().map(|(staff, role)| (RolesOf(staff), role))))
    }
}

/// Whether a member of staff has a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HasFactor(pub StaffId);

impl Loader<HasFactor> for Batch {
    type Value = bool;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[HasFactor]) -> Result<HashMap<HasFactor, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let with = engine::auth::repo::with_factor(&self.conn, &ids).await?;
        Ok(with.into_iter().map(|id| (HasFactor(id), true)).collect())
    }
}

/// A role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RoleBy(pub RoleId);

impl Loader<RoleBy> for Batch {
    type Value = Option<role::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[RoleBy]) -> Result<HashMap<RoleBy, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::roles_by_ids(&self.conn, &ids).await?;
        Ok(rows.into_iter().map(|row| (RoleBy(row.id), Some(row))).collect())
    }
}

/// The sessions in force of an actor, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionsOf(pub Uuid);

impl Loader<SessionsOf> for Batch {
    type Value = Arc<Vec<session::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[SessionsOf]) -> Result<HashMap<SessionsOf, Self::Value>, Self::Error> {
        let actors: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::sessions_of(&self.conn, &actors, self.now).await?;
        Ok(group(rows.into_iter().map(|row| (SessionsOf(row.actor_id), row))))
    }
}
