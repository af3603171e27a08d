//! Rows of the provider `test`. It stands outside the shop's transactions and begins its own.

use entity::{test_payment, test_payment_method, test_payment_step};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

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

/// The cards that a customer saved, newest first.
pub(super) async fn methods_of(conn: &Conn, customer: &str) -> Result<Vec<test_payment_method::Model>> {
    Ok(test_payment_method::Entity::find()
        .filter(test_payment_method::Column::Customer.eq(customer))
        .order_by_desc(test_payment_method::Column::CreatedAt)
        .all(conn)
        .await?)
}

/// Writes a saved card, unless the customer has saved it before.
pub(super) async fn insert_method(conn: &Conn, row: test_payment_method::Model) -> Result<()> {
    let mut saved = OnConflict::columns([test_payment_method::Column::Customer, test_payment_method::Column::Card]);
    test_payment_method::Entity::insert(row.into_active_model())
        .on_conflict(saved.do_nothing().to_owned())
        .exec_without_returning(conn)
        .await?;
    Ok(())
}

/// Deletes a saved card of a customer; whether there was one.
pub(super) async fn delete_method(conn: &Conn, customer: &str, method: &str) -> Result<bool> {
    let delete = test_payment_method::Entity::delete_many()
        .filter(test_payment_method::Column::Customer.eq(customer))
        .filter(test_payment_method::Column::Reference.eq(method));
    Ok(delete.exec(conn).await?.rows_affected > 0)
}

/// Deletes what a customer saved, and for whom his payments would have.
pub(super) async fn forget_customer(conn: &Conn, customer: &str) -> Result<()> {
    let own = test_payment_method::Column::Customer.eq(customer);
    test_payment_method::Entity::delete_many().filter(own).exec(conn).await?;
    test_payment::Entity::update_many()
        .col_expr(test_payment::Column::SavesFor, Expr::value(Option::<String>::None))
        .filter(test_payment::Column::SavesFor.eq(customer))
        .exec(conn)
        .await?;
    Ok(())
}
