//! Rows of identities, sessions, staff, roles and keys.

use chrono::{DateTime, Utc};
use domain::auth::{ActorKind, Permission, TokenPurpose};
use domain::id::{ApiKeyId, CustomerId, RoleId, SessionId, StaffId};
use domain::reach::{Grant, Grants};
use domain::text::Email;
use entity::{
    api_key, auth_identity, one_time_token, recovery_code, role, second_factor, session, setting, staff, staff_role,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QueryResult, QuerySelect,
};
use uuid::Uuid;

use crate::actor::Actor;
use crate::db::{Conn, expression, statement};
use crate::error::Result;
use crate::op::Tx;
use crate::staff::roles::limits;

/// The staff behind a session that is in force, with what their roles grant.
pub async fn find_staff_session(conn: &Conn, id: SessionId, now: DateTime<Utc>) -> Result<Option<Actor>> {
    // Who has a second factor, or works where one is demanded, holds nothing until he has shown it.
    let sql = "select session.actor_id, role.name, role.permissions, staff_role.channels, staff_role.locations,
            case when not session.second_factor and (
                exists (select 1 from second_factor
                    where second_factor.staff_id = staff.id and second_factor.confirmed_at is not null)
                or exists (select 1 from setting where key = 'staff_second_factor' and value = 'REQUIRED')
            ) then 1 else 0 end
        from session
        join staff on staff.id = session.actor_id and staff.active and staff.deleted_at is null
        join staff_role on staff_role.staff_id = staff.id
        join role on role.id = staff_role.role_id
        where session.id = ? and session.actor_kind = 'STAFF' and session.revoked_at is null
            and session.expires_at > ?
        order by role.name, role.id";
    let rows = conn.query_all_raw(statement(conn, sql, [Uuid::from(id).into(), now.into()])).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let staff: Uuid = first.try_get_by_index(0)?;
    let held_back: i32 = first.try_get_by_index(5)?;
    let mut grants = Vec::with_capacity(rows.len());
    for row in rows.iter().filter(|_| held_back == 0) {
        grants.push(grant_of(row, 1)?);
    }
    Ok(Some(Actor::Staff { id: StaffId(staff), session: id, grants: grants.into() }))
}

/// What a role of a member of staff grants: its name, its permissions, and the
/// channels and locations that it is limited to, from this column on.
fn grant_of(row: &QueryResult, from: usize) -> Result<Grant> {
    let name: String = row.try_get_by_index(from)?;
    Ok(Grant {
        permissions: permissions_of(&name, &row.try_get_by_index(from + 1)?),
        channels: limits(&row.try_get_by_index(from + 2)?),
        locations: limits(&row.try_get_by_index(from + 3)?),
    })
}

/// A member of staff with what his roles grant now, whether or not he is logged
/// in: for what he started and what goes on without him.
pub async fn find_staff_actor(conn: &Conn, id: StaffId) -> Result<Option<Actor>> {
    let sql = "select role.name, role.permissions, staff_role.channels, staff_role.locations from staff
        join staff_role on staff_role.staff_id = staff.id
        join role on role.id = staff_role.role_id
        where staff.id = ? and staff.active and staff.deleted_at is null";
    let rows = conn.query_all_raw(statement(conn, sql, [Uuid::from(id).into()])).await?;
    let mut grants = Vec::with_capacity(rows.len());
    for row in &rows {
        grants.push(grant_of(row, 0)?);
    }
    let session = SessionId(Uuid::nil());
    Ok((!rows.is_empty()).then_some(Actor::Staff { id, session, grants: grants.into() }))
}

/// The customer behind a session that is in force.
pub async fn find_customer_session(conn: &Conn, id: SessionId, now: DateTime<Utc>) -> Result<Option<Actor>> {
    let row = session::Entity::find_by_id(id)
        .filter(session::Column::ActorKind.eq(ActorKind::Customer))
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now))
        .one(conn)
        .await?;
    Ok(row.map(|row| Actor::Customer { id: CustomerId(row.actor_id), session: id }))
}

/// The key with this hash, when it is in force, with what its role grants.
pub async fn find_api_key(conn: &Conn, hash: &[u8]) -> Result<Option<(api_key::Model, Grants)>> {
    let find = api_key::Entity::find().filter(api_key::Column::Hash.eq(hash.to_vec()));
    let Some(key) = find.filter(api_key::Column::RevokedAt.is_null()).one(conn).await? else { return Ok(None) };
    let role = role::Entity::find_by_id(key.role_id).one(conn).await?;
    Ok(role.map(|role| {
        let grants = grants_of_key(&key, &role);
        (key, grants)
    }))
}

/// A key by id, when it is in force.
pub async fn find_api_key_by_id(conn: &Conn, id: ApiKeyId) -> Result<Option<Actor>> {
    let find = api_key::Entity::find_by_id(id).filter(api_key::Column::RevokedAt.is_null());
    let Some(key) = find.one(conn).await? else { return Ok(None) };
    let role = role::Entity::find_by_id(key.role_id).one(conn).await?;
    Ok(role.map(|role| Actor::ApiKey { id, grants: grants_of_key(&key, &role) }))
}

/// What a key with this role may do, and how far.
pub fn grants_of_key(key: &api_key::Model, role: &role::Model) -> Grants {
    let (channels, locations) = (limits(&key.channels), limits(&key.locations));
    vec![Grant { permissions: granted_by(role), channels, locations }].into()
}

/// What a role grants.
pub fn granted_by(role: &role::Model) -> Vec<Permission> {
    permissions_of(&role.name, &role.permissions)
}

/// A built-in role grants what this version says, so that it keeps up with new
/// permissions; any other what its column holds, where words that this version
/// does not know grant nothing.
fn permissions_of(name: &str, column: &serde_json::Value) -> Vec<Permission> {
    if let Some(permissions) = domain::auth::built_in_role(name) {
        return permissions;
    }
    let words = column.as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
    words.filter_map(|word| word.parse().ok()).collect()
}

/// A member of staff by e-mail.
pub async fn find_staff_by_email(conn: &Conn, email: &Email) -> Result<Option<staff::Model>> {
    let find = staff::Entity::find().filter(staff::Column::DeletedAt.is_null());
    Ok(find.filter(staff::Column::Email.eq(email.clone())).one(conn).await?)
}

/// A member of staff by id.
pub async fn find_staff(conn: &Conn, id: StaffId) -> Result<Option<staff::Model>> {
    Ok(staff::Entity::find_by_id(id).filter(staff::Column::DeletedAt.is_null()).one(conn).await?)
}

/// Whether the shop has any staff.
pub async fn has_staff(conn: &Conn) -> Result<bool> {
    Ok(staff::Entity::find().limit(1).one(conn).await?.is_some())
}

/// The way in which a member of staff or a customer signs in by password.
pub async fn find_password(
    conn: &Conn,
    kind: ActorKind,
    actor: impl Into<Uuid>,
) -> Result<Option<auth_identity::Model>> {
    let find = auth_identity::Entity::find().filter(auth_identity::Column::ActorId.eq(actor.into()));
    let find = find.filter(auth_identity::Column::ActorKind.eq(kind));
    Ok(find.filter(auth_identity::Column::Provider.eq("password")).one(conn).await?)
}

/// Writes a new way to sign in by password; without a hash none is right.
pub async fn insert_password(
    tx: &mut Tx,
    kind: ActorKind,
    actor: Uuid,
    email: &Email,
    secret_hash: Option<String>,
) -> Result<()> {
    let identity = auth_identity::ActiveModel {
        id: Set(tx.id()),
        actor_kind: Set(kind),
        actor_id: Set(actor),
        provider: Set("password".to_owned()),
        subject: Set(email.to_string()),
        secret_hash: Set(secret_hash),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    };
    auth_identity::Entity::insert(identity).exec_without_returning(&tx.conn).await?;
    Ok(())
}

/// Writes every column of a way of signing in.
pub async fn update_identity(tx: &mut Tx, mut row: auth_identity::Model) -> Result<()> {
    row.updated_at = tx.now();
    row.into_active_model().reset_all().update(&tx.conn).await?;
    Ok(())
}

/// A role by name, made when it is one of the built-in ones and missing.
pub async fn role_named(tx: &mut Tx, name: &str) -> Result<Option<role::Model>> {
    let find = role::Entity::find().filter(role::Column::Name.eq(name));
    if let Some(found) = find.one(&tx.conn).await? {
        return Ok(Some(found));
    }
    let Some(permissions) = domain::auth::built_in_role(name) else { return Ok(None) };
    let words: Vec<&str> = permissions.into_iter().map(Permission::as_str).collect();
    let row = role::Model {
        id: tx.id::<RoleId>(),
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        name: name.to_owned(),
        permissions: words.into(),
    };
    Ok(Some(row.into_active_model().reset_all().insert(&tx.conn).await?))
}

/// Writes a member of staff with a role and a password.
pub async fn insert_staff(tx: &mut Tx, row: staff::Model, role: RoleId, secret_hash: String) -> Result<staff::Model> {
    let row = row.into_active_model().reset_all().insert(&tx.conn).await?;
    let none = || Set(serde_json::json!([]));
    let member =
        staff_role::ActiveModel { staff_id: Set(row.id), role_id: Set(role), channels: none(), locations: none() };
    staff_role::Entity::insert(member).exec_without_returning(&tx.conn).await?;
    insert_password(tx, ActorKind::Staff, row.id.into(), &row.email, Some(secret_hash)).await?;
    Ok(row)
}

/// How it stands with somebody's second factor.
#[derive(Debug, Clone, Copy)]
pub struct FactorState {
    /// Whether he has one.
    pub enabled: bool,
    /// Whether the shop demands one.
    pub required: bool,
    /// Whether the session was opened with it.
    pub passed: bool,
    /// How many recovery codes are left.
    pub recovery_codes_left: i32,
}

/// How it stands with somebody's second factor.
pub async fn factor_state(conn: &Conn, staff: StaffId, session: SessionId) -> Result<FactorState> {
    let sql = "select
        (select count(*) from second_factor where staff_id = ? and confirmed_at is not null),
        (select count(*) from setting where key = 'staff_second_factor' and value = 'REQUIRED'),
        (select count(*) from session where id = ? and second_factor),
        (select count(*) from recovery_code where staff_id = ? and used_at is null)";
    let values = [Uuid::from(staff).into(), Uuid::from(session).into(), Uuid::from(staff).into()];
    let row = conn.query_one_raw(statement(conn, sql, values)).await?;
    let row = row.ok_or_else(|| crate::error::Error::internal("a count gave nothing"))?;
    let count = |index: usize| -> Result<i64> { Ok(row.try_get_by_index(index)?) };
    Ok(FactorState {
        enabled: count(0)? > 0,
        required: count(1)? > 0,
        passed: count(2)? > 0,
        recovery_codes_left: count(3)? as i32,
    })
}

/// Which of these members of staff have a second factor.
pub async fn with_factor(conn: &Conn, staff: &[StaffId]) -> Result<Vec<StaffId>> {
    let find = second_factor::Entity::find()
        .filter(crate::db::any(conn, second_factor::Column::StaffId, staff.iter().copied()))
        .filter(second_factor::Column::ConfirmedAt.is_not_null());
    Ok(find.all(conn).await?.into_iter().map(|row| row.staff_id).collect())
}

/// Somebody's second factor, locked until the transaction ends.
pub async fn lock_factor(tx: &Tx, staff: StaffId) -> Result<Option<second_factor::Model>> {
    Ok(second_factor::Entity::find_by_id(staff).lock_exclusive().one(&tx.conn).await?)
}

/// Writes a new second factor.
pub async fn insert_factor(tx: &mut Tx, row: second_factor::Model) -> Result<()> {
    Ok(crate::db::insert_all::<second_factor::Entity>(&tx.conn, vec![row]).await?)
}

/// Writes every column of a second factor.
pub async fn update_factor(tx: &mut Tx, row: second_factor::Model) -> Result<()> {
    row.into_active_model().reset_all().update(&tx.conn).await?;
    Ok(())
}

/// Removes somebody's second factor with its recovery codes; says whether there was one.
pub async fn delete_factor(tx: &mut Tx, staff: StaffId) -> Result<bool> {
    recovery_code::Entity::delete_many().filter(recovery_code::Column::StaffId.eq(staff)).exec(&tx.conn).await?;
    Ok(second_factor::Entity::delete_by_id(staff).exec(&tx.conn).await?.rows_affected > 0)
}

/// Writes somebody's recovery codes in the place of the older ones.
pub async fn replace_recovery_codes(tx: &mut Tx, staff: StaffId, hashes: Vec<Vec<u8>>) -> Result<()> {
    recovery_code::Entity::delete_many().filter(recovery_code::Column::StaffId.eq(staff)).exec(&tx.conn).await?;
    let row = |hash| recovery_code::Model { staff_id: staff, hash, used_at: None };
    let rows = hashes.into_iter().map(row).collect();
    Ok(crate::db::insert_all::<recovery_code::Entity>(&tx.conn, rows).await?)
}

/// Uses a recovery code up, if it is one that was not used.
pub async fn use_recovery_code(tx: &mut Tx, staff: StaffId, hash: &[u8]) -> Result<bool> {
    let sql = "update recovery_code set used_at = ? where staff_id = ? and hash = ? and used_at is null";
    let values = [tx.now().into(), Uuid::from(staff).into(), hash.to_vec().into()];
    Ok(tx.conn.execute_raw(statement(&tx.conn, sql, values)).await?.rows_affected() == 1)
}

const DEMANDED: &str = "staff_second_factor";

/// Whether the shop demands a second factor of everybody.
pub async fn demands_factor(conn: &Conn) -> Result<bool> {
    let row = setting::Entity::find_by_id(DEMANDED.to_owned()).one(conn).await?;
    Ok(row.is_some_and(|row| row.value == "REQUIRED"))
}

/// Says whether the shop demands a second factor of everybody.
pub async fn demand_factor(tx: &mut Tx, required: bool) -> Result<()> {
    setting::Entity::delete_by_id(DEMANDED.to_owned()).exec(&tx.conn).await?;
    if required {
        let row = setting::Model { key: DEMANDED.to_owned(), value: "REQUIRED".to_owned() };
        crate::db::insert_all::<setting::Entity>(&tx.conn, vec![row]).await?;
    }
    Ok(())
}

/// Whose a token is, if it is good for this purpose.
pub async fn find_token(conn: &Conn, purpose: TokenPurpose, hash: &[u8], now: DateTime<Utc>) -> Result<Option<Uuid>> {
    let row = one_time_token::Entity::find()
        .filter(one_time_token::Column::Hash.eq(hash.to_vec()))
        .filter(one_time_token::Column::Purpose.eq(purpose))
        .filter(one_time_token::Column::UsedAt.is_null())
        .filter(one_time_token::Column::ExpiresAt.gt(now))
        .one(conn)
        .await?;
    Ok(row.map(|row| row.subject_id))
}

/// Writes a new session.
pub async fn insert_session(tx: &mut Tx, row: session::Model) -> Result<session::Model> {
    Ok(row.into_active_model().reset_all().insert(&tx.conn).await?)
}

/// When somebody logged in to a session.
pub async fn session_since(conn: &Conn, id: SessionId) -> Result<Option<DateTime<Utc>>> {
    Ok(session::Entity::find_by_id(id).one(conn).await?.map(|row| row.created_at))
}

/// A session, locked until the transaction ends.
pub async fn lock_session(tx: &Tx, id: SessionId) -> Result<Option<session::Model>> {
    Ok(session::Entity::find_by_id(id).lock_exclusive().one(&tx.conn).await?)
}

/// Writes every column of a session.
pub async fn update_session(tx: &mut Tx, row: session::Model) -> Result<session::Model> {
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// Ends every session of an actor, perhaps but one; answers with how many ended.
pub async fn revoke_sessions(tx: &mut Tx, kind: ActorKind, actor: Uuid, keep: Option<SessionId>) -> Result<u64> {
    let mut update = session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, sea_orm::sea_query::Expr::value(tx.now()))
        .filter(session::Column::ActorKind.eq(kind))
        .filter(session::Column::ActorId.eq(actor))
        .filter(session::Column::RevokedAt.is_null());
    if let Some(keep) = keep {
        update = update.filter(session::Column::Id.ne(keep));
    }
    Ok(update.exec(&tx.conn).await?.rows_affected)
}

/// Writes a new one-time token.
pub async fn insert_token(tx: &mut Tx, row: one_time_token::Model) -> Result<()> {
    Ok(crate::db::insert_all::<one_time_token::Entity>(&tx.conn, vec![row]).await?)
}

/// Uses a token up, if it is good for this purpose: whose it was and what it was bound to.
pub async fn use_token(tx: &Tx, purpose: TokenPurpose, hash: &[u8]) -> Result<Option<(Uuid, Option<String>)>> {
    let sql = "update one_time_token set used_at = ? where hash = ? and purpose = ? and used_at is null
        and expires_at > ? returning subject_id, detail";
    let values = [tx.now().into(), hash.to_vec().into(), purpose.as_str().into(), tx.now().into()];
    let row = tx.conn.query_one_raw(statement(&tx.conn, sql, values)).await?;
    Ok(row.map(|row| Ok::<_, sea_orm::DbErr>((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).transpose()?)
}

/// Deletes the tokens of a subject, of one purpose or of all.
pub async fn forget_tokens(tx: &mut Tx, subject: Uuid, purpose: Option<TokenPurpose>) -> Result<()> {
    let mut delete = one_time_token::Entity::delete_many().filter(one_time_token::Column::SubjectId.eq(subject));
    if let Some(purpose) = purpose {
        delete = delete.filter(one_time_token::Column::Purpose.eq(purpose));
    }
    delete.exec(&tx.conn).await?;
    Ok(())
}

/// Counts an attempt in its window, which begins anew when it began before
/// `stale`; answers with the count and the beginning.
pub async fn count_attempt(tx: &Tx, key: &[u8], stale: DateTime<Utc>) -> Result<(i64, DateTime<Utc>)> {
    let sql = "insert into access_attempt (key, count, since) values (?, 1, ?)
        on conflict (key) do update set
            count = case when access_attempt.since <= ? then 1 else access_attempt.count + 1 end,
            since = case when access_attempt.since <= ? then excluded.since else access_attempt.since end
        returning count, since";
    let values = [key.to_vec().into(), tx.now().into(), stale.into(), stale.into()];
    let row = tx.conn.query_one_raw(statement(&tx.conn, sql, values)).await?;
    let row = row.ok_or_else(|| crate::error::Error::internal("an attempt was not counted"))?;
    Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))
}

/// Whether there are attempts under a key that still count.
pub async fn has_attempt(tx: &Tx, key: &[u8], stale: DateTime<Utc>) -> Result<bool> {
    let sql = "select 1 from access_attempt where key = ? and since > ?";
    Ok(tx.conn.query_one_raw(statement(&tx.conn, sql, [key.to_vec().into(), stale.into()])).await?.is_some())
}

/// Forgets the attempts under a key; answers with how many there were.
pub async fn forget_attempts(tx: &mut Tx, key: &[u8]) -> Result<i64> {
    let sql = "delete from access_attempt where key = ? returning count";
    let row = tx.conn.query_one_raw(statement(&tx.conn, sql, [key.to_vec().into()])).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0))
}

/// Takes so many attempts back that were counted under a key.
pub async fn take_attempts(tx: &mut Tx, key: &[u8], count: i64) -> Result<()> {
    let sql = "update access_attempt set count = case when count > ? then count - ? else 0 end where key = ?";
    let values = [count.into(), count.into(), key.to_vec().into()];
    tx.conn.execute_raw(statement(&tx.conn, sql, values)).await?;
    Ok(())
}

/// Whether there are tokens or attempts whose time is over.
pub async fn has_stale(conn: &Conn, now: DateTime<Utc>, since: DateTime<Utc>) -> Result<bool> {
    let sql = "select 1 where exists (select 1 from one_time_token where expires_at <= ?)
        or exists (select 1 from access_attempt where since <= ?)
        or exists (select 1 from oidc_login where expires_at <= ?)";
    Ok(conn.query_one_raw(statement(conn, sql, [now.into(), since.into(), now.into()])).await?.is_some())
}

/// Deletes tokens and attempts whose time is over.
pub async fn delete_stale(tx: &mut Tx, since: DateTime<Utc>) -> Result<()> {
    let sql = "delete from one_time_token where expires_at <= ?";
    tx.conn.execute_raw(statement(&tx.conn, sql, [tx.now().into()])).await?;
    let sql = "delete from access_attempt where since <= ?";
    tx.conn.execute_raw(statement(&tx.conn, sql, [since.into()])).await?;
    super::oidc::repo::delete_stale(tx).await
}

/// Writes a new API key.
pub async fn insert_api_key(tx: &mut Tx, row: api_key::Model) -> Result<api_key::Model> {
    Ok(row.into_active_model().reset_all().insert(&tx.conn).await?)
}

/// An API key, locked until the transaction ends.
pub async fn lock_api_key(tx: &Tx, id: ApiKeyId) -> Result<Option<api_key::Model>> {
    Ok(api_key::Entity::find_by_id(id).lock_exclusive().one(&tx.conn).await?)
}

/// Writes every column of an API key.
pub async fn update_api_key(tx: &mut Tx, row: api_key::Model) -> Result<api_key::Model> {
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// How many API keys are listed that are no longer in force.
pub const MAX_REVOKED_KEYS: usize = 250;

/// Every API key in force, then those that were revoked, in either part the newest first.
pub async fn api_keys(conn: &Conn) -> Result<Vec<api_key::Model>> {
    let of_late = "api_key.id in (select gone.id from api_key as gone where gone.revoked_at is not null
        order by gone.id desc limit ?)";
    let shown = Condition::any().add(api_key::Column::RevokedAt.is_null()).add(expression(
        conn,
        of_late,
        [(MAX_REVOKED_KEYS as i64).into()],
    ));
    let mut rows = api_key::Entity::find().filter(shown).order_by_desc(api_key::Column::Id).all(conn).await?;
    rows.sort_by_key(|key| key.revoked_at.is_some());
    Ok(rows)
}

/// How many API keys are in force.
pub async fn count_api_keys(conn: &Conn) -> Result<u64> {
    Ok(api_key::Entity::find().filter(api_key::Column::RevokedAt.is_null()).count(conn).await?)
}

/// A role by id.
pub async fn find_role(conn: &Conn, id: RoleId) -> Result<Option<role::Model>> {
    Ok(role::Entity::find_by_id(id).one(conn).await?)
}

/// Notes that a key was used. This is no op: it says nothing about the shop.
pub async fn touch_api_key(conn: &Conn, id: ApiKeyId, now: DateTime<Utc>) -> Result<()> {
    api_key::Entity::update_many()
        .col_expr(api_key::Column::LastUsedAt, sea_orm::sea_query::Expr::value(now))
        .filter(api_key::Column::Id.eq(id))
        .exec(conn)
        .await?;
    Ok(())
}

/// Removes the ways in which an actor signs in.
pub async fn delete_identities(tx: &mut Tx, actor: Uuid) -> Result<()> {
    auth_identity::Entity::delete_many().filter(auth_identity::Column::ActorId.eq(actor)).exec(&tx.conn).await?;
    Ok(())
}
