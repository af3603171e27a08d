//! Rows of payments and their ledgers.

use chrono::{DateTime, Utc};
use domain::id::{CustomerId, OrderId, PaymentEntryId, PaymentId, PaymentLinkId, ProviderEventId};
use domain::order::Paid;
use domain::payment::{Entry, EntryKind, EntryState, PaymentState, is_under_way, ledger};
use entity::{payment, payment_customer, payment_entry, payment_link, provider_event};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::db::{Conn, any, insert_all, statement};
use crate::error::Result;
use crate::op::Tx;

/// Writes new payments, each with its entries.
pub async fn insert(tx: &mut Tx, payments: Vec<(payment::Model, Vec<payment_entry::Model>)>) -> Result<()> {
    let (rows, entries): (Vec<_>, Vec<_>) = payments.into_iter().unzip();
    insert_all::<payment::Entity>(&tx.conn, rows).await?;
    Ok(insert_all::<payment_entry::Entity>(&tx.conn, entries.into_iter().flatten().collect()).await?)
}

/// A payment by id.
pub async fn find(conn: &Conn, id: PaymentId) -> Result<Option<payment::Model>> {
    Ok(payment::Entity::find_by_id(id).one(conn).await?)
}

/// The payments of orders, oldest first.
pub async fn of_orders(conn: &Conn, orders: &[OrderId]) -> Result<Vec<payment::Model>> {
    Ok(payment::Entity::find()
        .filter(any(conn, payment::Column::OrderId, orders.iter().copied()))
        .order_by_asc(payment::Column::Id)
        .all(conn)
        .await?)
}

/// The ledgers of payments, oldest entry first.
pub async fn entries_of(conn: &Conn, payments: &[PaymentId]) -> Result<Vec<payment_entry::Model>> {
    Ok(payment_entry::Entity::find()
        .filter(any(conn, payment_entry::Column::PaymentId, payments.iter().copied()))
        .order_by_asc(payment_entry::Column::Id)
        .all(conn)
        .await?)
}

/// A link to pay by.
pub async fn find_link(conn: &Conn, id: PaymentLinkId) -> Result<Option<payment_link::Model>> {
    Ok(payment_link::Entity::find_by_id(id).one(conn).await?)
}

/// The links of orders to pay by, oldest first.
pub async fn links_of(conn: &Conn, orders: &[OrderId]) -> Result<Vec<payment_link::Model>> {
    Ok(payment_link::Entity::find()
        .filter(any(conn, payment_link::Column::OrderId, orders.iter().copied()))
        .order_by_asc(payment_link::Column::Id)
        .all(conn)
        .await?)
}

/// Writes a new link to pay by.
pub async fn insert_link(tx: &mut Tx, row: payment_link::Model) -> Result<()> {
    Ok(insert_all::<payment_link::Entity>(&tx.conn, vec![row]).await?)
}

/// Makes a link worthless; `false` when it was before.
pub async fn revoke_link(tx: &mut Tx, id: PaymentLinkId) -> Result<bool> {
    let sql = "update payment_link set revoked_at = ? where id = ? and revoked_at is null";
    let values = [tx.now().into(), Uuid::from(id).into()];
    Ok(tx.conn.execute_raw(statement(&tx.conn, sql, values)).await?.rows_affected() == 1)
}

/// The captures, voids and refunds of an order that are not settled.
pub async fn pending_of(conn: &Conn, order: OrderId) -> Result<Vec<PaymentEntryId>> {
    let ids: Vec<PaymentId> = of_orders(conn, &[order]).await?.into_iter().map(|row| row.id).collect();
    let entries = entries_of(conn, &ids).await?.into_iter();
    let pending = entries.filter(|row| row.state == EntryState::Pending && row.kind != EntryKind::Authorize);
    Ok(pending.map(|row| row.id).collect())
}

/// An entry by id.
pub async fn find_entry(conn: &Conn, id: PaymentEntryId) -> Result<Option<payment_entry::Model>> {
    Ok(payment_entry::Entity::find_by_id(id).one(conn).await?)
}

/// Adds an entry to a ledger.
pub async fn insert_entry(tx: &mut Tx, row: payment_entry::Model) -> Result<()> {
    Ok(insert_all::<payment_entry::Entity>(&tx.conn, vec![row]).await?)
}

/// Writes how an entry ended.
pub async fn update_entry(tx: &mut Tx, row: payment_entry::Model) -> Result<()> {
    row.into_active_model().reset_all().update(&tx.conn).await?;
    Ok(())
}

/// Writes every column of a payment.
pub async fn update(tx: &mut Tx, row: payment::Model) -> Result<()> {
    row.into_active_model().reset_all().update(&tx.conn).await?;
    Ok(())
}

/// What the rules need of an entry.
pub fn entry(row: &payment_entry::Model) -> Entry {
    Entry { kind: row.kind, state: row.state, amount_minor: row.amount_minor }
}

/// What is paid of an order, out of the states and the ledgers of its payments.
pub fn paid<'e>(payments: impl IntoIterator<Item = (PaymentState, &'e [Entry])>) -> Paid {
    let mut paid = Paid::default();
    let mut voided = Vec::new();
    for (state, entries) in payments {
        let sums = ledger(entries);
        paid.authorized_minor += sums.covered_minor();
        paid.captured_minor += sums.captured_minor;
        paid.refunded_minor += sums.refunded_minor;
        paid.awaiting |= is_under_way(entries);
        paid.requires_action |= state == PaymentState::RequiresAction;
        // One that came to nothing is as if it had not been tried.
        if sums.authorized_minor > 0 {
            voided.push(sums.voided);
        }
    }
    paid.voided = !paid.awaiting && !voided.is_empty() && voided.into_iter().all(|voided| voided);
    paid
}

/// What is paid of one order now.
pub async fn paid_of(conn: &Conn, order: OrderId) -> Result<Paid> {
    let payments = with_ledgers(conn, &[order]).await?;
    Ok(paid(payments.iter().map(|(row, ledger)| (row.state, ledger.as_slice()))))
}

/// The payments of orders, oldest first, each with its ledger.
pub async fn with_ledgers(conn: &Conn, orders: &[OrderId]) -> Result<Vec<(payment::Model, Vec<Entry>)>> {
    let payments = of_orders(conn, orders).await?;
    let ids: Vec<PaymentId> = payments.iter().map(|row| row.id).collect();
    let entries = entries_of(conn, &ids).await?;
    let ledger = |id| entries.iter().filter(|row| row.payment_id == id).map(entry).collect();
    Ok(payments.into_iter().map(|row| (row.clone(), ledger(row.id))).collect())
}

/// The payment that a provider knows by this name.
pub async fn find_by_reference(conn: &Conn, provider: &str, reference: &str) -> Result<Option<payment::Model>> {
    use payment::Column;
    let find = payment::Entity::find().filter(Column::ProviderReference.eq(reference));
    Ok(find.filter(Column::Provider.eq(provider)).one(conn).await?)
}

/// Keeps an event of a provider; `false` when it is known.
pub async fn insert_event(tx: &mut Tx, row: provider_event::Model) -> Result<bool> {
    let same = [provider_event::Column::Provider, provider_event::Column::EventId];
    let nothing = OnConflict::columns(same).do_nothing().to_owned();
    let insert = provider_event::Entity::insert(row.into_active_model().reset_all()).on_conflict(nothing);
    Ok(insert.exec_without_returning(&tx.conn).await? == 1)
}

/// An event of a provider.
pub async fn find_event(conn: &Conn, id: ProviderEventId) -> Result<Option<provider_event::Model>> {
    Ok(provider_event::Entity::find_by_id(id).one(conn).await?)
}

/// Events that are to be looked at, each with its provider, the oldest first: at most so many of each provider's.
pub async fn due_events(conn: &Conn, now: DateTime<Utc>, of_each: usize) -> Result<Vec<(ProviderEventId, String)>> {
    let sql = "select * from (
            select provider_event.*, row_number() over (partition by provider order by look_at, id) as place
            from provider_event where processed_at is null and look_at <= ?) as due
        where place <= ? order by look_at";
    let most = i64::try_from(of_each).unwrap_or(i64::MAX);
    let rows = conn.query_all_raw(statement(conn, sql, [now.into(), most.into()])).await?;
    let of = |row| provider_event::Model::from_query_result(row, "").map(|event| (event.id, event.provider));
    Ok(rows.iter().map(of).collect::<Result<_, _>>()?)
}

/// Writes what came of an event; `false` when somebody else did.
pub async fn close_event(tx: &mut Tx, id: ProviderEventId, outcome: &str) -> Result<bool> {
    let sql = "update provider_event set processed_at = ?, outcome = ? where id = ? and processed_at is null";
    let values = [tx.now().into(), outcome.into(), Uuid::from(id).into()];
    Ok(tx.conn.execute_raw(statement(&tx.conn, sql, values)).await?.rows_affected() == 1)
}

/// Lets an event be looked at again later.
pub async fn postpone_event(tx: &mut Tx, id: ProviderEventId, until: DateTime<Utc>) -> Result<()> {
    let sql = "update provider_event set attempts = attempts + 1, look_at = ? where id = ? and processed_at is null";
    tx.conn.execute_raw(statement(&tx.conn, sql, [until.into(), Uuid::from(id).into()])).await?;
    Ok(())
}

/// Under what names providers know a customer.
pub async fn at_providers(conn: &Conn, customer: CustomerId) -> Result<Vec<payment_customer::Model>> {
    Ok(payment_customer::Entity::find()
        .filter(payment_customer::Column::CustomerId.eq(customer))
        .filter(payment_customer::Column::ForgetAt.is_null())
        .all(conn)
        .await?)
}

/// Writes under what name a provider knows a customer, unless it knows him already.
pub async fn insert_at_provider(tx: &mut Tx, row: payment_customer::Model) -> Result<()> {
    let mut known = OnConflict::columns([payment_customer::Column::CustomerId, payment_customer::Column::Provider]);
    payment_customer::Entity::insert(row.into_active_model())
        .on_conflict(known.do_nothing().to_owned())
        .exec_without_returning(&tx.conn)
        .await?;
    Ok(())
}

/// The customers whom providers have yet to forget by now, at most so many.
pub async fn to_forget(conn: &Conn, now: DateTime<Utc>, most: u64) -> Result<Vec<payment_customer::Model>> {
    Ok(payment_customer::Entity::find()
        .filter(payment_customer::Column::ForgetAt.lte(now))
        .order_by_asc(payment_customer::Column::ForgetAt)
        .limit(most)
        .all(conn)
        .await?)
}

/// Writes under what name a provider knows a customer, when that is not known yet.
pub async fn name_at_provider(tx: &mut Tx, customer: CustomerId, provider: &str, name: &str) -> Result<()> {
    payment_customer::Entity::update_many()
        .col_expr(payment_customer::Column::Reference, Expr::value(name))
        .filter(payment_customer::Column::CustomerId.eq(customer))
        .filter(payment_customer::Column::Provider.eq(provider))
        .filter(payment_customer::Column::Reference.is_null())
        .exec(&tx.conn)
        .await?;
    Ok(())
}

/// Deletes the name of a customer at a provider, when it is still this one.
pub async fn delete_at_provider(tx: &mut Tx, row: &payment_customer::Model) -> Result<()> {
    let reference = match &row.reference {
        Some(name) => payment_customer::Column::Reference.eq(name.as_str()),
        None => payment_customer::Column::Reference.is_null(),
    };
    payment_customer::Entity::delete_many()
        .filter(payment_customer::Column::CustomerId.eq(row.customer_id))
        .filter(payment_customer::Column::Provider.eq(row.provider.as_str()))
        .filter(reference)
        .exec(&tx.conn)
        .await?;
    Ok(())
}

/// Sets when a provider is asked again to forget customers.
pub async fn postpone_forgetting(
    tx: &mut Tx,
    customers: &[CustomerId],
    provider: &str,
    at: DateTime<Utc>,
) -> Result<()> {
    payment_customer::Entity::update_many()
        .col_expr(payment_customer::Column::ForgetAt, Expr::value(at))
        .filter(any(&tx.conn, payment_customer::Column::CustomerId, customers.iter().copied()))
        .filter(payment_customer::Column::Provider.eq(provider))
        .exec(&tx.conn)
        .await?;
    Ok(())
}
