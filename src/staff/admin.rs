//! Staff and roles on the admin surface.

use async_graphql::{Context, ID, InputObject, Object};
use domain::auth::Permission;
use domain::id::{RoleId, StaffId};
use domain::refusal::{ErrorCode, Refusal, Refusals};

use super::types::{AdminRole, AdminStaff, AdminStaffConnection};
use crate::api::call::{Call, call};
use crate::api::guard::{access_read, access_write};
use crate::api::page::{ADMIN_MAX, Page, PageArgs};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{id, parse_id};
use crate::api::word::Enum;
use engine::error::Result;
use engine::staff::ops::{DeleteRole, DeleteStaff, RevokeStaffSessions, SetRole, UpdateStaff};
use engine::staff::repo;
use engine::staff::roles::{RoleWish, RoleWishes};

/// Queries about staff.
#[derive(Debug, Default)]
pub struct StaffAdminQuery;

#[Object]
impl StaffAdminQuery {
    /// All staff by when they came, the newest first.
    #[graphql(guard = "access_read()")]
    #[allow(clippy::too_many_arguments)]
    async fn staff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "Only those who can log in, or who can't.")] active: Option<bool>,
    ) -> async_graphql::Result<AdminStaffConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let args = PageArgs { first, after, last, before, offset };
            let page = Page::read(args, ADMIN_MAX, true, &("staff", active))?;
            repo::page(&call.conn(), active, page, count).await
        };
        outcome.await.map(AdminStaffConnection::from).map_err(top_level)
    }

    /// One member of staff; null when there is none.
    #[graphql(guard = "access_read()")]
    async fn staff_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id.")] id: ID,
    ) -> async_graphql::Result<Option<AdminStaff>> {
        let Ok(id) = parse_id::<StaffId>(&id, &["id"]) else { return Ok(None) };
        let row = engine::auth::repo::find_staff(&call(ctx)?.conn(), id).await.map_err(top_level)?;
        Ok(row.map(AdminStaff))
    }

    /// Every role by name, at most 100.
    #[graphql(guard = "access_read()")]
    async fn roles(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminRole>> {
        let rows = repo::roles(&call(ctx)?.conn()).await.map_err(top_level)?;
        Ok(rows.into_iter().map(AdminRole).collect())
    }
}

/// What a role is called and what it grants.
#[derive(Debug, InputObject)]
pub struct AdminRoleSetInput {
    /// Which role, when it may get another name; without it the role is found by its name or made.
    pub id: Option<ID>,
    /// The version that you read; a newer one is refused with `CONFLICT`.
    pub expected_version: Option<i32>,
    /// The name, 1 to 255 characters; not `owner` or `viewer`.
    pub name: String,
    /// All that it grants: nothing that you don't hold yourself.
    pub permissions: Vec<Enum<Permission>>,
}

/// Which role is removed.
#[derive(Debug, InputObject)]
pub struct AdminRoleDeleteInput {
    /// Which one; nobody may have it.
    pub id: ID,
    /// The version that you read; a newer one is refused with `CONFLICT`.
    pub expected_version: Option<i32>,
}

/// What changes about a member of staff. What you leave out stays.
#[derive(Debug, InputObject)]
pub struct AdminStaffUpdateInput {
    /// Who.
    pub id: ID,
    /// The version that you read; a newer one is refused with `CONFLICT`.
    pub expected_version: Option<i32>,
    /// What to call the person, 1 to 255 characters.
    pub name: Option<String>,
    /// Whether the person can log in; false ends every session at once.
    pub active: Option<bool>,
    /// All roles from now on, each without limit, 1 to 20; none with a permission that you don't hold yourself
    /// without limit. Send these or `roles`.
    pub role_ids: Option<Vec<ID>>,
    /// All roles from now on with how far each reaches, 1 to 20; none beyond what you hold yourself.
    pub roles: Option<Vec<AdminRoleAssignmentInput>>,
}

/// A role that somebody gets, and how far it reaches.
#[derive(Debug, InputObject)]
pub struct AdminRoleAssignmentInput {
    /// Which role.
    pub role_id: ID,
    /// The only channels that it reaches, at most 250; every channel when empty or absent.
    #[graphql(default)]
    pub channel_ids: Vec<ID>,
    /// The only locations that it reaches, at most 250; every location when empty or absent.
    #[graphql(default)]
    pub location_ids: Vec<ID>,
}

/// Reads ids of a list; `path` leads to the list.
pub(crate) fn ids<T: std::str::FromStr>(list: &[ID], path: &[String], refusals: &mut Refusals) -> Vec<T> {
    let mut read = Vec::with_capacity(list.len());
    for (index, id) in list.iter().enumerate() {
        let path: Vec<String> = path.iter().cloned().chain([index.to_string()]).collect();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        read.extend(refusals.keep(parse_id(id, &path)));
    }
    read
}

/// Reads roles with how far each reaches.
pub(crate) fn wishes(roles: &[AdminRoleAssignmentInput], refusals: &mut Refusals) -> RoleWishes {
    let mut wishes = Vec::with_capacity(roles.len());
    for (index, wish) in roles.iter().enumerate() {
        let index = index.to_string();
        let at = |field: &str| ["roles".to_owned(), index.clone(), field.to_owned()];
        let role = refusals.keep(parse_id(&wish.role_id, &["roles", &index, "roleId"]));
        let channels = ids(&wish.channel_ids, &at("channelIds"), refusals);
        let locations = ids(&wish.location_ids, &at("locationIds"), refusals);
        wishes.extend(role.map(|role| RoleWish { role, channels, locations }));
    }
    RoleWishes { field: "roles", wishes }
}

/// Which member of staff is removed.
#[derive(Debug, InputObject)]
pub struct AdminStaffDeleteInput {
    /// Who.
    pub id: ID,
    /// The version that you read; a newer one is refused with `CONFLICT`.
    pub expected_version: Option<i32>,
}

/// Whose sessions end.
#[derive(Debug, InputObject)]
pub struct AdminStaffSessionsRevokeInput {
    /// Who.
    pub id: ID,
}

payload! {
    /// What `roleSet` did.
    AdminRoleSetPayload {
        /// The role as it is now.
        role: AdminRole
    }
}

payload! {
    /// What `roleDelete` did.
    AdminRoleDeletePayload {
        /// The id of the role that is gone.
        deleted_id: ID
    }
}

payload! {
    /// What `staffUpdate` did.
    AdminStaffUpdatePayload {
        /// The member of staff now.
        staff: AdminStaff
    }
}

payload! {
    /// What `staffDelete` did.
    AdminStaffDeletePayload {
        /// The id of the member of staff who is gone.
        deleted_id: ID
    }
}

payload! {
    /// What `staffSessionsRevoke` did.
    AdminStaffSessionsRevokePayload {
        /// The member of staff, who has no session any more.
        staff: AdminStaff
    }
}

/// Mutations of staff.
#[derive(Debug, Default)]
pub struct StaffAdminMutation;

#[Object]
impl StaffAdminMutation {
    /// Makes a role or changes one.
    #[graphql(guard = "access_write()")]
    async fn role_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The role.")] input: AdminRoleSetInput,
    ) -> async_graphql::Result<AdminRoleSetPayload> {
        AdminRoleSetPayload::answer(set_role(call(ctx)?, input).await)
    }

    /// Removes a role that nobody has.
    #[graphql(guard = "access_write()")]
    async fn role_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which role.")] input: AdminRoleDeleteInput,
    ) -> async_graphql::Result<AdminRoleDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op =
                DeleteRole { id: parse_id::<RoleId>(&input.id, &["id"])?, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await
        };
        AdminRoleDeletePayload::answer(outcome.await.map(id))
    }

    /// Changes a member of staff.
    #[graphql(guard = "access_write()")]
    async fn staff_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: AdminStaffUpdateInput,
    ) -> async_graphql::Result<AdminStaffUpdatePayload> {
        AdminStaffUpdatePayload::answer(update_staff(call(ctx)?, input).await)
    }

    /// Removes a member of staff. What the person did stays in the audit log.
    #[graphql(guard = "access_write()")]
    async fn staff_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who.")] input: AdminStaffDeleteInput,
    ) -> async_graphql::Result<AdminStaffDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op =
                DeleteStaff { id: parse_id::<StaffId>(&input.id, &["id"])?, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await
        };
        AdminStaffDeletePayload::answer(outcome.await.map(id))
    }

    /// Ends every session of a member of staff: its tokens open nothing any more.
    #[graphql(guard = "access_write()")]
    async fn staff_sessions_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose.")] input: AdminStaffSessionsRevokeInput,
    ) -> async_graphql::Result<AdminStaffSessionsRevokePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let id = parse_id::<StaffId>(&input.id, &["id"])?;
            call.app.run(&call.caller, &RevokeStaffSessions(id)).await.map(AdminStaff)
        };
        AdminStaffSessionsRevokePayload::answer(outcome.await)
    }
}

async fn set_role(call: &Call, input: AdminRoleSetInput) -> Result<AdminRole> {
    let op = SetRole {
        id: input.id.map(|id| parse_id(&id, &["id"])).transpose()?,
        expected_version: input.expected_version,
        name: input.name,
        permissions: input.permissions.into_iter().map(|word| word.0).collect(),
    };
    call.app.run(&call.caller, &op).await.map(AdminRole)
}

async fn update_staff(call: &Call, input: AdminStaffUpdateInput) -> Result<AdminStaff> {
    let mut refusals = Refusals::default();
    let id = refusals.keep(parse_id::<StaffId>(&input.id, &["id"]));
    let roles = match (&input.role_ids, &input.roles) {
        (None, None) => None,
        (Some(list), None) => {
            let unlimited = |role| RoleWish { role, channels: Vec::new(), locations: Vec::new() };
            let mut read: Vec<RoleId> = ids(list, &["roleIds".to_owned()], &mut refusals);
            // The same role twice is that role.
            let mut seen = std::collections::HashSet::new();
            read.retain(|id| seen.insert(*id));
            Some(RoleWishes { field: "roleIds", wishes: read.into_iter().map(unlimited).collect() })
        }
        (None, Some(list)) => Some(wishes(list, &mut refusals)),
        (Some(_), Some(_)) => {
            let message = "Send roleIds, or roles with how far each reaches, not both.";
            refusals.push(Refusal::new(ErrorCode::Invalid, message).at(["roleIds"]));
            None
        }
    };
    refusals.into_result()?;
    let Some(id) = id else { return Err(engine::error::Error::internal("a refusal was lost")) };
    let op =
        UpdateStaff { id, expected_version: input.expected_version, name: input.name, active: input.active, roles };
    call.app.run(&call.caller, &op).await.map(AdminStaff)
}
