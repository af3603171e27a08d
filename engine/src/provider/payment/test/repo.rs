//! Rows of the provider `test`. It stands outside the shop's transactions and begins its own.

use entity::{test_payment, test_payment_step};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};

use crate::db::{Conn, insert_all};
use crate::error::Result;

/// A payment.
pub(super) async fn find(conn: &Conn, reference: &str) -> Result<Option<test_payment::Model>> {
    Ok(test_payment::Entity::find_by_id(reference.to_owned()).one(conn).await?)
}

/// A payment, which nobody else changes until the transaction ends.
pub(super) async fn lock(conn: &Conn, reference: &str) -> Result<Option<test_payment::Model>> {
    Ok(test_payment::Entity::find_by_id(reference.to_owned()).lock_exclusive().one(conn).await?)
}

/// The payment that was made with this key.
pub(super) async fn find_by_key(conn: &Conn, key: &str) -> Result<Option<test_payment::Model>> {
    let find = test_payment::Entity::find().filter(test_payment::Column::IdempotencyKey.eq(key));
    Ok(find.one(conn).await?)
}

/// Writes a new payment.
pub(super) async fn insert(conn: &Conn, row: test_payment::Model) -> Result<()> {
    Ok(insert_all::<test_payment::Entity>(conn, vec![row]).await?)
}

/// Writes what has become of a payment.
pub(super) async fn update(conn: &Conn, row: test_payment::Model) -> Result<()> {
    row.into_active_model().reset_all().update(conn).await?;
    Ok(())
}

/// What was done with this key.
pub(super) async fn find_step(conn: &Conn, key: &str) -> Result<Option<test_payment_step::Model>> {
    Ok(test_payment_step::Entity::find_by_id(key.to_owned()).one(conn).await?)
}

/// Writes what was done.
pub(super) async fn insert_step(conn: &Conn, row: test_payment_step::Model) -> Result<()> {
    Ok(insert_all::<test_payment_step::Entity>(conn, vec![row]).await?)
}
