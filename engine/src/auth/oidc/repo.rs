//! Rows of log-ins that are under way, and of identities at providers.

use chrono::{DateTime, Utc};
use domain::auth::ActorKind;
use domain::id::StaffId;
use entity::{auth_identity, oidc_login};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};

use crate::db::{Conn, insert_all, statement};
use crate::error::Result;
use crate::op::Tx;

/// Writes a log-in that begins.
pub async fn insert(tx: &mut Tx, row: oidc_login::Model) -> Result<()> {
    Ok(insert_all::<oidc_login::Entity>(&tx.conn, vec![row]).await?)
}

/// How many log-ins are under way.
pub async fn count(conn: &Conn, now: DateTime<Utc>) -> Result<u64> {
    Ok(oidc_login::Entity::find().filter(oidc_login::Column::ExpiresAt.gt(now)).count(conn).await?)
}

/// Takes the log-in with this state, which ends with it.
pub async fn take(tx: &mut Tx, state_hash: &[u8]) -> Result<Option<oidc_login::Model>> {
    let found = oidc_login::Entity::find_by_id(state_hash.to_vec()).lock_exclusive().one(&tx.conn).await?;
    if found.is_some() {
        oidc_login::Entity::delete_by_id(state_hash.to_vec()).exec(&tx.conn).await?;
    }
    Ok(found)
}

/// Deletes the log-ins that nobody ended in time.
pub async fn delete_stale(tx: &mut Tx) -> Result<()> {
    let sql = "delete from oidc_login where expires_at <= ?";
    tx.conn.execute_raw(statement(&tx.conn, sql, [tx.now().into()])).await?;
    Ok(())
}

/// Whose identity this is, among the staff.
pub async fn find_identity(conn: &Conn, provider: &str, subject: &str) -> Result<Option<StaffId>> {
    let find = auth_identity::Entity::find()
        .filter(auth_identity::Column::ActorKind.eq(ActorKind::Staff))
        .filter(auth_identity::Column::Provider.eq(provider))
        .filter(auth_identity::Column::Subject.eq(subject));
    Ok(find.one(conn).await?.map(|row| StaffId(row.actor_id)))
}

/// Gives a member of staff an identity at a provider.
pub async fn insert_identity(tx: &mut Tx, staff: StaffId, provider: &str, subject: &str) -> Result<()> {
    let row = auth_identity::ActiveModel {
        id: Set(tx.id()),
        actor_kind: Set(ActorKind::Staff),
        actor_id: Set(staff.into()),
        provider: Set(provider.to_owned()),
        subject: Set(subject.to_owned()),
        secret_hash: Set(None),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    };
    auth_identity::Entity::insert(row).exec_without_returning(&tx.conn).await?;
    Ok(())
}
