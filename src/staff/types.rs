//! How staff, roles and sessions look.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::auth::{Permission, built_in_role};
use entity::{role, session, staff};

use super::load::{HasFactor, RolesOf, SessionsOf};
use crate::api::call::call;
use crate::api::page::connection;
use crate::api::scalar::id;
use crate::api::word::Enum;
use engine::auth::repo::granted_by;
use engine::staff::roles::HeldRole;

/// A name for permissions.
#[derive(Debug, Clone)]
pub struct AdminRole(pub role::Model);

impl From<role::Model> for AdminRole {
    fn from(row: role::Model) -> Self {
        Self(row)
    }
}

/// A name for permissions.
#[Object]
impl AdminRole {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Rises with every change; send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it grants.
    async fn permissions(&self) -> Vec<Enum<Permission>> {
        granted_by(&self.0).into_iter().map(Enum).collect()
    }

    /// Whether it is part of every shop: `owner` or `viewer`, which can't be changed.
    async fn built_in(&self) -> bool {
        built_in_role(&self.0.name).is_some()
    }
}

/// A role that somebody has, and how far it reaches.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminRoleAssignment {
    /// The role.
    pub role: AdminRole,
    /// The ids of the channels that it is limited to, at most 250; empty when it reaches every channel.
    pub channel_ids: Vec<ID>,
    /// The ids of the locations that it is limited to, at most 250; empty when it reaches every location.
    pub location_ids: Vec<ID>,
}

impl From<&HeldRole> for AdminRoleAssignment {
    fn from(held: &HeldRole) -> Self {
        Self {
            role: AdminRole(held.role.clone()),
            channel_ids: held.channels.limits().unwrap_or_default().iter().map(id).collect(),
            location_ids: held.locations.limits().unwrap_or_default().iter().map(id).collect(),
        }
    }
}

/// A log-in that is in force.
#[derive(Debug, Clone)]
pub struct AdminSession(pub session::Model);

/// A log-in that is in force.
#[Object]
impl AdminSession {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// When it began.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it ends unless it is refreshed.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }
}

/// A person with admin access.
#[derive(Debug, Clone)]
pub struct AdminStaff(pub staff::Model);

impl From<staff::Model> for AdminStaff {
    fn from(row: staff::Model) -> Self {
        Self(row)
    }
}

/// A person with admin access.
#[Object]
impl AdminStaff {
    /// The id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Rises with every change; send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// What to call the person.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The e-mail to log in with.
    async fn email(&self) -> &str {
        self.0.email.as_str()
    }

    /// Whether the person can log in.
    async fn active(&self) -> bool {
        self.0.active
    }

    /// Since when the person can log in; null while an invitation is open.
    async fn joined_at(&self) -> Option<DateTime<Utc>> {
        self.0.joined_at
    }

    /// Whether the person has a second factor.
    async fn second_factor_enabled(&self, ctx: &Context<'_>) -> async_graphql::Result<bool> {
        call(ctx)?.load(HasFactor(self.0.id)).await
    }

    /// Since when the person is known.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// The roles by name, at most 20.
    async fn roles(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminRole>> {
        let held = call(ctx)?.load(RolesOf(self.0.id)).await?;
        Ok(held.iter().map(|held| AdminRole(held.role.clone())).collect())
    }

    /// The same with how far each of them reaches.
    async fn role_assignments(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminRoleAssignment>> {
        let held = call(ctx)?.load(RolesOf(self.0.id)).await?;
        Ok(held.iter().map(AdminRoleAssignment::from).collect())
    }

    /// The log-ins in force, the newest first, at most 100.
    async fn sessions(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminSession>> {
        let rows = call(ctx)?.load(SessionsOf(self.0.id.into())).await?;
        Ok(rows.iter().take(100).cloned().map(AdminSession).collect())
    }
}

connection! {
    /// A page of staff.
    AdminStaffConnection, AdminStaffEdge, AdminStaff, staff::Model
}
