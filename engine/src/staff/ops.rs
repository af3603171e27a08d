//! Giving and taking access: roles and staff.

use domain::auth::{ActorKind, MAX_ROLES, OWNER, Permission, VIEWER, built_in_role};
use domain::id::{RoleId, StaffId};
use domain::reach::Grants;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::title;
use entity::{role, staff};
use serde_json::json;

use super::repo;
use super::roles::{HeldRole, RoleWishes, grants_of};
use crate::actor::{Actor, Need};
use crate::auth::repo::{self as identities, granted_by};
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::version::check_version;

const WRITE: Need = Need::Permission(Permission::AccessWrite);

/// Refuses to touch permissions that the caller does not hold himself, or not so far.
pub fn within_own(actor: &Actor, wanted: &Grants) -> Result<(), Refusal> {
    let beyond = actor.grants().beyond(wanted);
    let list = |permissions: &[Permission]| {
        permissions.iter().map(|permission| permission.as_str()).collect::<Vec<_>>().join(", ")
    };
    let message = if !beyond.missing.is_empty() {
        format!("You can't grant, change or take away what you don't hold: {}.", list(&beyond.missing))
    } else if !beyond.limited.is_empty() {
        let limited = list(&beyond.limited);
        format!("You hold these in some channels or at some locations only, and this goes further: {limited}.")
    } else {
        return Ok(());
    };
    Err(Refusal::new(ErrorCode::GrantExceedsOwn, message))
}

fn built_in(name: &str) -> Result<(), Refusal> {
    match built_in_role(name) {
        Some(_) => Err(Refusal::new(ErrorCode::InUse, format!("{OWNER} and {VIEWER} are part of every shop."))),
        None => Ok(()),
    }
}

fn words(permissions: &[Permission]) -> serde_json::Value {
    permissions.iter().map(|permission| permission.as_str()).collect::<Vec<_>>().into()
}

/// Makes the roles that every shop has, where they are missing.
#[derive(Debug, Clone, Copy)]
pub struct MakeBuiltInRoles;

impl Op for MakeBuiltInRoles {
    const NAME: &'static str = "role.make_built_in";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        for name in [OWNER, VIEWER] {
            identities::role_named(tx, name).await?;
        }
        Ok(())
    }
}

/// Makes a role or changes one: found by id, or by name when no id is given.
#[derive(Debug, Clone)]
pub struct SetRole {
    /// Which one, when it may get another name.
    pub id: Option<RoleId>,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
    /// Its name.
    pub name: String,
    /// What it grants.
    pub permissions: Vec<Permission>,
}

impl Op for SetRole {
    const NAME: &'static str = "role.set";
    const NEEDS: Need = WRITE;
    type Out = role::Model;

    async fn run(&self, tx: &mut Tx) -> Result<role::Model> {
        let mut refusals = Refusals::default();
        let name = refusals.keep(title(&self.name).map_err(|refusal| refusal.at(["name"])));
        let named = match &name {
            Some(name) => repo::lock_role_named(tx, name).await?,
            None => None,
        };
        let before = match self.id {
            Some(id) => Some(repo::lock_role(tx, id).await?.ok_or_else(|| Error::not_found("role"))?),
            None => named.clone(),
        };
        if let Some(named) = &named
            && before.as_ref().is_none_or(|before| before.id != named.id)
        {
            refusals.push(Refusal::new(ErrorCode::Taken, "Another role has this name.").at(["name"]));
        }
        for name in [name.as_deref(), before.as_ref().map(|before| before.name.as_str())].into_iter().flatten() {
            if let Err(refusal) = built_in(name) {
                refusals.push(refusal.at(["name"]));
                break;
            }
        }
        if self.permissions.is_empty() {
            refusals.push(Refusal::new(ErrorCode::Required, "A role grants something.").at(["permissions"]));
        }
        let mut touched = self.permissions.clone();
        if let Some(before) = &before {
            check_version(self.expected_version, before.version)?;
            touched.extend(granted_by(before));
        } else if repo::count_roles(&tx.conn).await? >= MAX_ROLES as u64 {
            let message = format!("A shop has at most {MAX_ROLES} roles.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_ROLES as i64));
        }
        let wanted = match &before {
            // Whoever has the role has it as far as he has it: that may be everywhere.
            Some(_) => Grants::everywhere(&touched),
            // A new role is nobody's yet: how far it reaches is said when it is given.
            None => tx.actor().grants().as_far(&touched),
        };
        refusals.keep(within_own(tx.actor(), &wanted).map_err(|refusal| refusal.at(["permissions"])));
        refusals.into_result()?;

        let mut permissions = self.permissions.clone();
        permissions.sort();
        permissions.dedup();
        let grants = words(&permissions);
        let summary = |row: &role::Model| json!({ "name": row.name, "permissions": row.permissions });
        let name = name.unwrap_or_default();
        let after = match &before {
            Some(before) => {
                let version = before.version + 1;
                let row = role::Model { version, updated_at: tx.now(), name, permissions: grants, ..before.clone() };
                repo::update_role(tx, row).await?
            }
            None => {
                let (id, now) = (tx.id(), tx.now());
                let row = role::Model { id, version: 1, created_at: now, updated_at: now, name, permissions: grants };
                repo::insert_role(tx, row).await?
            }
        };
        tx.audit(after.id, before.as_ref().map(summary), Some(summary(&after)));
        Ok(after)
    }
}

/// Removes a role that nobody has.
#[derive(Debug, Clone)]
pub struct DeleteRole {
    /// Which one.
    pub id: RoleId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
}

impl Op for DeleteRole {
    const NAME: &'static str = "role.delete";
    const NEEDS: Need = WRITE;
    type Out = RoleId;

    async fn run(&self, tx: &mut Tx) -> Result<RoleId> {
        let before = repo::lock_role(tx, self.id).await?.ok_or_else(|| Error::not_found("role"))?;
        check_version(self.expected_version, before.version)?;
        let mut refusals = Refusals::default();
        refusals.keep(built_in(&before.name).map_err(|refusal| refusal.at(["id"])));
        let held = Grants::everywhere(&granted_by(&before));
        refusals.keep(within_own(tx.actor(), &held).map_err(|refusal| refusal.at(["id"])));
        let (staff, keys) = repo::uses_of_role(&tx.conn, before.id).await?;
        if staff + keys > 0 {
            let message =
                format!("{staff} members of staff and {keys} API keys, revoked ones among them, have this role.");
            refusals.push(Refusal::new(ErrorCode::InUse, message).at(["id"]));
        }
        refusals.into_result()?;
        repo::delete_role(tx, before.id).await?;
        tx.audit(before.id, Some(json!({ "name": before.name, "permissions": before.permissions })), None);
        Ok(before.id)
    }
}

/// What is changed about a member of staff; what is not given stays.
#[derive(Debug, Clone)]
pub struct UpdateStaff {
    /// Who.
    pub id: StaffId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
    /// What to call him.
    pub name: Option<String>,
    /// Whether he can log in.
    pub active: Option<bool>,
    /// All roles that he has from now on.
    pub roles: Option<RoleWishes>,
}

impl Op for UpdateStaff {
    const NAME: &'static str = "staff.update";
    const NEEDS: Need = WRITE;
    type Out = staff::Model;

    async fn run(&self, tx: &mut Tx) -> Result<staff::Model> {
        // Everybody who takes access away waits here, so that the last owner is one.
        repo::lock_role_named(tx, OWNER).await?;
        let before = repo::lock(tx, self.id).await?.ok_or_else(|| Error::not_found("member of staff"))?;
        check_version(self.expected_version, before.version)?;
        let had = roles_of(tx, before.id).await?;
        let mut refusals = Refusals::default();
        let mut after = before.clone();
        if let Some(name) = &self.name
            && let Some(name) = refusals.keep(title(name).map_err(|refusal| refusal.at(["name"])))
        {
            after.name = name;
        }
        let has = match &self.roles {
            Some(wishes) => wishes.check(tx, &mut refusals).await?,
            None => had.clone(),
        };
        after.active = self.active.unwrap_or(before.active);
        if self.roles.is_some() || after.active != before.active {
            let touched = grants_of(had.iter().chain(&has));
            let path = self.roles.as_ref().map_or("active", |roles| roles.field);
            refusals.keep(within_own(tx.actor(), &touched).map_err(|refusal| refusal.at([path])));
        }
        if matches!(tx.actor(), Actor::Staff { id, .. } if *id == before.id) && !after.active {
            refusals.push(Refusal::new(ErrorCode::StateInvalid, "You can't lock yourself out.").at(["active"]));
        }
        let owner = |active: bool, roles: &[HeldRole]| active && roles.iter().any(HeldRole::is_owner);
        if owner(before.active, &had) && !owner(after.active, &has) && !repo::has_other_owner(tx, before.id).await? {
            let field = self.roles.as_ref().map_or("roleIds", |roles| roles.field);
            let path = if after.active { field } else { "active" };
            refusals.push(last_owner().at([path]));
        }
        refusals.into_result()?;

        after.version += 1;
        after.updated_at = tx.now();
        let after = repo::update(tx, after).await?;
        if self.roles.is_some() {
            repo::replace_roles(tx, after.id, &has).await?;
        }
        if !after.active {
            identities::revoke_sessions(tx, ActorKind::Staff, after.id.into(), None).await?;
        }
        tx.audit(after.id, Some(summary(&before, &had)), Some(summary(&after, &has)));
        Ok(after)
    }
}

pub(crate) async fn roles_of(tx: &Tx, id: StaffId) -> Result<Vec<HeldRole>> {
    Ok(repo::held_by(&tx.conn, &[id]).await?.into_iter().map(|(_, held)| held).collect())
}

fn last_owner() -> Refusal {
    Refusal::new(ErrorCode::InUse, "The shop keeps at least one owner who can log in.")
}

pub(super) fn summary(row: &staff::Model, roles: &[HeldRole]) -> serde_json::Value {
    let mut roles: Vec<&HeldRole> = roles.iter().collect();
    roles.sort_by(|a, b| a.role.name.cmp(&b.role.name));
    let roles: Vec<_> = roles.into_iter().map(HeldRole::summary).collect();
    json!({ "name": row.name, "active": row.active, "roles": roles })
}

/// Removes a member of staff; what he did stays in the audit log under his id.
#[derive(Debug, Clone)]
pub struct DeleteStaff {
    /// Who.
    pub id: StaffId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
}

impl Op for DeleteStaff {
    const NAME: &'static str = "staff.delete";
    const NEEDS: Need = WRITE;
    type Out = StaffId;

    async fn run(&self, tx: &mut Tx) -> Result<StaffId> {
        repo::lock_role_named(tx, OWNER).await?;
        let mut row = repo::lock(tx, self.id).await?.ok_or_else(|| Error::not_found("member of staff"))?;
        check_version(self.expected_version, row.version)?;
        let had = roles_of(tx, row.id).await?;
        let mut refusals = Refusals::default();
        let held = grants_of(&had);
        refusals.keep(within_own(tx.actor(), &held).map_err(|refusal| refusal.at(["id"])));
        if matches!(tx.actor(), Actor::Staff { id, .. } if *id == row.id) {
            refusals.push(Refusal::new(ErrorCode::StateInvalid, "You can't lock yourself out.").at(["id"]));
        }
        if had.iter().any(HeldRole::is_owner) && !repo::has_other_owner(tx, row.id).await? {
            refusals.push(last_owner().at(["id"]));
        }
        refusals.into_result()?;
        let before = summary(&row, &had);
        row.deleted_at = Some(tx.now());
        row.active = false;
        row.version += 1;
        row.updated_at = tx.now();
        let row = repo::update(tx, row).await?;
        identities::revoke_sessions(tx, ActorKind::Staff, row.id.into(), None).await?;
        identities::delete_identities(tx, row.id.into()).await?;
        identities::delete_factor(tx, row.id).await?;
        crate::auth::one_time::end_all(tx, row.id.into()).await?;
        tx.audit(row.id, Some(before), None);
        Ok(row.id)
    }
}

/// Ends every session of a member of staff.
#[derive(Debug, Clone, Copy)]
pub struct RevokeStaffSessions(pub StaffId);

impl Op for RevokeStaffSessions {
    const NAME: &'static str = "staff.revoke_sessions";
    const NEEDS: Need = WRITE;
    type Out = staff::Model;

    async fn run(&self, tx: &mut Tx) -> Result<staff::Model> {
        let row = repo::lock(tx, self.0).await?.ok_or_else(|| Error::not_found("member of staff"))?;
        let ended = identities::revoke_sessions(tx, ActorKind::Staff, row.id.into(), None).await?;
        tx.audit(row.id, None, Some(json!({ "sessions_ended": ended })));
        Ok(row)
    }
}
