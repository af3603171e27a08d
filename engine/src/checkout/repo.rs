//! Rows of checkouts.

use domain::checkout::CheckoutState;
use domain::id::{CartId, CheckoutId, OrderId};
use entity::checkout;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::db::{Conn, any, insert_all, statement};
use crate::error::Result;
use crate::op::Tx;

/// Writes a new checkout.
pub async fn insert(tx: &mut Tx, row: checkout::Model) -> Result<()> {
    Ok(insert_all::<checkout::Entity>(&tx.conn, vec![row]).await?)
}

/// A checkout by id.
pub async fn find(conn: &Conn, id: CheckoutId) -> Result<Option<checkout::Model>> {
    Ok(checkout::Entity::find_by_id(id).one(conn).await?)
}

/// The orders that checkouts became; a checkout that became none is not among them.
pub async fn placed(conn: &Conn, ids: &[CheckoutId]) -> Result<Vec<(CheckoutId, OrderId)>> {
    let find = checkout::Entity::find().select_only().columns([checkout::Column::Id, checkout::Column::OrderId]);
    let find = find.filter(any(conn, checkout::Column::Id, ids.iter().copied()));
    Ok(find.filter(checkout::Column::OrderId.is_not_null()).into_tuple().all(conn).await?)
}

/// The checkout whose payment a provider calls so.
pub async fn find_by_reference(conn: &Conn, provider: &str, reference: &str) -> Result<Option<checkout::Model>> {
    let find = checkout::Entity::find().filter(checkout::Column::ProviderReference.eq(reference));
    Ok(find.filter(checkout::Column::Provider.eq(provider)).one(conn).await?)
}

/// The newest checkout of a cart.
pub async fn last_of(conn: &Conn, cart: CartId) -> Result<Option<checkout::Model>> {
    let find = checkout::Entity::find().filter(checkout::Column::CartId.eq(cart));
    Ok(find.order_by_desc(checkout::Column::Id).one(conn).await?)
}

/// Ends a checkout that has not ended; `None` when it has.
pub async fn end(
    tx: &mut Tx,
    id: CheckoutId,
    state: CheckoutState,
    order: Option<OrderId>,
    reference: Option<String>,
) -> Result<Option<checkout::Model>> {
    let sql = "update checkout set state = ?, order_id = ?, provider_reference = coalesce(?, provider_reference),
        next_action = null, version = version + 1, updated_at = ?
        where id = ? and state in ('PENDING', 'REQUIRES_ACTION') returning *";
    let order = sea_orm::Value::from(order.map(Uuid::from));
    let values = [state.as_str().into(), order, reference.into(), tx.now().into(), Uuid::from(id).into()];
    let row = tx.conn.query_one_raw(statement(&tx.conn, sql, values)).await?;
    Ok(row.map(|row| checkout::Model::from_query_result(&row, "")).transpose()?)
}

/// Notes that the provider wants the shopper, or, without an action, that the money is on its way.
pub async fn wait(tx: &mut Tx, id: CheckoutId, reference: &str, next_action: Option<&serde_json::Value>) -> Result<()> {
    let sql = "update checkout set state = ?, provider_reference = ?, next_action = ?,
        version = version + 1, updated_at = ? where id = ? and state in ('PENDING', 'REQUIRES_ACTION')";
    let state = if next_action.is_some() { CheckoutState::RequiresAction } else { CheckoutState::Pending };
    let next_action = sea_orm::Value::from(next_action.cloned());
    let values = [state.as_str().into(), reference.into(), next_action, tx.now().into(), Uuid::from(id).into()];
    tx.conn.execute_raw(statement(&tx.conn, sql, values)).await?;
    Ok(())
}
