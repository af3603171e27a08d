//! Rows of staff, roles and their sessions.

use chrono::{DateTime, Utc};
use domain::auth::OWNER;
use domain::id::{RoleId, StaffId};
use domain::text::Email;
use entity::{api_key, role, session, staff, staff_role};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, JoinType, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, RelationDef,
};
use uuid::Uuid;

use crate::db::{Conn, any, page_of};
use crate::error::Result;
use crate::op::Tx;
use crate::page::{Key, Page, Place, Rows};

use super::roles::{HeldRole, limits, words};

/// Every role by name.
pub async fn roles(conn: &Conn) -> Result<Vec<role::Model>> {
    Ok(role::Entity::find().order_by_asc(role::Column::Name).all(conn).await?)
}

/// Roles by id.
pub async fn roles_by_ids(conn: &Conn, ids: &[RoleId]) -> Result<Vec<role::Model>> {
    Ok(role::Entity::find().filter(any(conn, role::Column::Id, ids.iter().copied())).all(conn).await?)
}

/// A role, locked until the transaction ends.
pub async fn lock_role(tx: &Tx, id: RoleId) -> Result<Option<role::Model>> {
    Ok(role::Entity::find_by_id(id).lock_exclusive().one(&tx.conn).await?)
}

/// The role of this name, locked until the transaction ends.
pub async fn lock_role_named(tx: &Tx, name: &str) -> Result<Option<role::Model>> {
    Ok(role::Entity::find().filter(role::Column::Name.eq(name)).lock_exclusive().one(&tx.conn).await?)
}

/// How many roles there are.
pub async fn count_roles(conn: &Conn) -> Result<u64> {
    Ok(role::Entity::find().count(conn).await?)
}

/// Writes a new role.
pub async fn insert_role(tx: &mut Tx, row: role::Model) -> Result<role::Model> {
    Ok(row.into_active_model().reset_all().insert(&tx.conn).await?)
}

/// Writes every column of a role.
pub async fn update_role(tx: &mut Tx, row: role::Model) -> Result<role::Model> {
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// Removes a role that nobody has.
pub async fn delete_role(tx: &mut Tx, id: RoleId) -> Result<()> {
    role::Entity::delete_by_id(id).exec(&tx.conn).await?;
    Ok(())
}

/// How many members of staff and how many keys, revoked ones too, have a role.
pub async fn uses_of_role(conn: &Conn, id: RoleId) -> Result<(u64, u64)> {
    let staff = staff_role::Entity::find().filter(staff_role::Column::RoleId.eq(id)).count(conn).await?;
    let keys = api_key::Entity::find().filter(api_key::Column::RoleId.eq(id)).count(conn).await?;
    Ok((staff, keys))
}

/// The roles of members of staff by name.
pub async fn roles_of(conn: &Conn, staff: &[StaffId]) -> Result<Vec<(StaffId, role::Model)>> {
    Ok(held_by(conn, staff).await?.into_iter().map(|(staff, held)| (staff, held.role)).collect())
}

/// The roles of members of staff by name, with how far each reaches.
pub async fn held_by(conn: &Conn, staff: &[StaffId]) -> Result<Vec<(StaffId, HeldRole)>> {
    let relation: RelationDef =
        staff_role::Entity::belongs_to(role::Entity).from(staff_role::Column::RoleId).to(role::Column::Id).into();
    let rows = staff_role::Entity::find()
        .filter(any(conn, staff_role::Column::StaffId, staff.iter().copied()))
        .join(JoinType::InnerJoin, relation)
        .select_also(role::Entity)
        .order_by_asc(role::Column::Name)
        .all(conn)
        .await?;
    let held = |(row, role): (staff_role::Model, Option<role::Model>)| {
        let (channels, locations) = (limits(&row.channels), limits(&row.locations));
        Some((row.staff_id, HeldRole { role: role?, channels, locations }))
    };
    Ok(rows.into_iter().filter_map(held).collect())
}

/// Writes which roles a member of staff has.
pub async fn replace_roles(tx: &mut Tx, staff: StaffId, roles: &[HeldRole]) -> Result<()> {
    staff_role::Entity::delete_many().filter(staff_role::Column::StaffId.eq(staff)).exec(&tx.conn).await?;
    let rows = roles.iter().map(|held| staff_role::ActiveModel {
        staff_id: Set(staff),
        role_id: Set(held.role.id),
        channels: Set(words(&held.channels)),
        locations: Set(words(&held.locations)),
    });
    staff_role::Entity::insert_many(rows).exec_without_returning(&tx.conn).await?;
    Ok(())
}

/// A member of staff, locked until the transaction ends.
pub async fn lock(tx: &Tx, id: StaffId) -> Result<Option<staff::Model>> {
    let find = staff::Entity::find_by_id(id).filter(staff::Column::DeletedAt.is_null());
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// A member of staff by e-mail, locked until the transaction ends.
pub async fn lock_email(tx: &Tx, email: &Email) -> Result<Option<staff::Model>> {
    let find = staff::Entity::find().filter(staff::Column::DeletedAt.is_null());
    Ok(find.filter(staff::Column::Email.eq(email.clone())).lock_exclusive().one(&tx.conn).await?)
}

/// Writes a new member of staff.
pub async fn insert(tx: &mut Tx, row: staff::Model) -> Result<staff::Model> {
    Ok(row.into_active_model().reset_all().insert(&tx.conn).await?)
}

/// Writes every column of a member of staff.
pub async fn update(tx: &mut Tx, row: staff::Model) -> Result<staff::Model> {
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// Whether somebody else is an owner who can log in. The owner's role must be
/// locked, so that two owners don't lock each other out at once.
pub async fn has_other_owner(tx: &Tx, except: StaffId) -> Result<bool> {
    let to_staff: RelationDef =
        staff_role::Entity::belongs_to(staff::Entity).from(staff_role::Column::StaffId).to(staff::Column::Id).into();
    let to_role: RelationDef =
        staff_role::Entity::belongs_to(role::Entity).from(staff_role::Column::RoleId).to(role::Column::Id).into();
    let unlimited = "cast(staff_role.channels as text) = '[]' and cast(staff_role.locations as text) = '[]'";
    let unlimited = crate::db::expression(&tx.conn, unlimited, []);
    let found = staff_role::Entity::find()
        .join(JoinType::InnerJoin, to_staff)
        .join(JoinType::InnerJoin, to_role)
        .filter(role::Column::Name.eq(OWNER))
        .filter(staff::Column::Id.ne(except))
        .filter(unlimited)
        .filter(staff::Column::Active.eq(true))
        .filter(staff::Column::JoinedAt.is_not_null())
        .filter(staff::Column::DeletedAt.is_null())
        .one(&tx.conn)
        .await?;
    Ok(found.is_some())
}

/// A page of staff, by when they came.
pub async fn page(conn: &Conn, active: Option<bool>, page: Page, count: bool) -> Result<Rows<staff::Model>> {
    let mut find = staff::Entity::find().filter(staff::Column::DeletedAt.is_null());
    if let Some(active) = active {
        find = find.filter(staff::Column::Active.eq(active));
    }
    let place = |row: &staff::Model| Place { key: Key::Time(row.created_at), id: row.id.into() };
    let sort = (staff::Column::CreatedAt, staff::Column::Id);
    Ok(page_of(conn, find, sort, page, count, place).await?)
}

/// The sessions of actors that are in force, the newest first.
pub async fn sessions_of(conn: &Conn, actors: &[Uuid], now: DateTime<Utc>) -> Result<Vec<session::Model>> {
    Ok(session::Entity::find()
        .filter(any(conn, session::Column::ActorId, actors.iter().copied()))
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now))
        .order_by_desc(session::Column::Id)
        .all(conn)
        .await?)
}
