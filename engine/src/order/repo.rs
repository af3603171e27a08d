//! Rows of orders.

use chrono::{DateTime, Utc};
use domain::id::{ChannelId, CustomerId, LocationId, OrderId, OrderTokenId};
use domain::order::{FulfillmentStatus, LineCounters, OrderStatus, Paid, PaymentStatus};
use domain::order::{fulfillment_status, order_status, payment_status};
use domain::reach::Reach;
use domain::text::Email;
use entity::{event, line_adjustment, line_tax, order, order_line, order_shipping_line, order_token};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, JoinType, QueryFilter,
    QueryOrder, QuerySelect, RelationDef,
};
use uuid::Uuid;

use crate::db::{Conn, any, any_sql, expression, insert_all, page_of, statement};
use crate::error::Result;
use crate::op::Tx;
use crate::page::{Key, Page, Place, Rows};

/// An order by id.
pub async fn find(conn: &Conn, id: OrderId) -> Result<Option<order::Model>> {
    Ok(order::Entity::find_by_id(id).one(conn).await?)
}

/// Orders by id.
pub async fn find_all(conn: &Conn, ids: &[OrderId]) -> Result<Vec<order::Model>> {
    Ok(order::Entity::find().filter(any(conn, order::Column::Id, ids.iter().copied())).all(conn).await?)
}

/// At which locations stock is promised to orders, or something of them was packed.
pub async fn locations_of(conn: &Conn, ids: &[OrderId]) -> Result<Vec<(OrderId, LocationId)>> {
    let (list, value) = any_sql(conn, ids.iter().copied());
    let sql = format!(
        "select order_id, location_id from fulfillment where order_id {list}
        union
        select order_line.order_id, reservation.location_id from reservation
            join order_line on order_line.id = reservation.order_line_id where order_line.order_id {list}"
    );
    let rows = conn.query_all_raw(statement(conn, &sql, [value.clone(), value])).await?;
    let read = |row: &sea_orm::QueryResult| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
    rows.iter().map(read).collect()
}

/// An order, locked until the transaction ends.
pub async fn lock(tx: &Tx, id: OrderId) -> Result<Option<order::Model>> {
    Ok(order::Entity::find_by_id(id).lock_exclusive().one(&tx.conn).await?)
}

/// The row behind a link.
pub async fn find_token(conn: &Conn, id: OrderTokenId) -> Result<Option<order_token::Model>> {
    Ok(order_token::Entity::find_by_id(id).one(conn).await?)
}

/// The links that open an order.
pub async fn tokens_of(conn: &Conn, order: OrderId) -> Result<Vec<order_token::Model>> {
    Ok(order_token::Entity::find().filter(order_token::Column::OrderId.eq(order)).all(conn).await?)
}

/// Writes a new link.
pub async fn insert_token(tx: &mut Tx, row: order_token::Model) -> Result<()> {
    Ok(insert_all::<order_token::Entity>(&tx.conn, vec![row]).await?)
}

/// An order with its first link: the one that Place made.
pub async fn find_with_token(conn: &Conn, id: OrderId) -> Result<Option<(order::Model, order_token::Model)>> {
    let relation: RelationDef =
        order::Entity::belongs_to(order_token::Entity).from(order::Column::Id).to(order_token::Column::OrderId).into();
    let row = order::Entity::find_by_id(id)
        .join(JoinType::InnerJoin, relation)
        .select_also(order_token::Entity)
        // By the id alone, a planner that knows nothing of the table yet walks along all links.
        .order_by_asc(order_token::Column::CreatedAt)
        .order_by_asc(order_token::Column::Id)
        .one(conn)
        .await?;
    Ok(row.and_then(|(order, token)| Some((order, token?))))
}

/// A new order with its rows.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// The order.
    pub order: order::Model,
    /// Its lines.
    pub lines: Vec<order_line::Model>,
    /// Its shipping charges.
    pub shipping: Vec<order_shipping_line::Model>,
    /// Its taxes.
    pub taxes: Vec<line_tax::Model>,
    /// What promotions took off.
    pub adjustments: Vec<line_adjustment::Model>,
    /// The link that opens it.
    pub token: order_token::Model,
}

/// Writes a new order with its rows.
pub async fn insert(tx: &mut Tx, new: NewOrder) -> Result<()> {
    insert_all::<order::Entity>(&tx.conn, vec![new.order]).await?;
    insert_all::<order_line::Entity>(&tx.conn, new.lines).await?;
    insert_all::<order_shipping_line::Entity>(&tx.conn, new.shipping).await?;
    insert_all::<line_tax::Entity>(&tx.conn, new.taxes).await?;
    insert_all::<line_adjustment::Entity>(&tx.conn, new.adjustments).await?;
    Ok(insert_all::<order_token::Entity>(&tx.conn, vec![new.token]).await?)
}

/// The lines of orders by position.
pub async fn lines_of(conn: &Conn, orders: &[OrderId]) -> Result<Vec<order_line::Model>> {
    Ok(order_line::Entity::find()
        .filter(any(conn, order_line::Column::OrderId, orders.iter().copied()))
        .order_by_asc(order_line::Column::Position)
        .all(conn)
        .await?)
}

/// The shipping charges of orders by position.
pub async fn shipping_of(conn: &Conn, orders: &[OrderId]) -> Result<Vec<order_shipping_line::Model>> {
    Ok(order_shipping_line::Entity::find()
        .filter(any(conn, order_shipping_line::Column::OrderId, orders.iter().copied()))
        .order_by_asc(order_shipping_line::Column::Position)
        .all(conn)
        .await?)
}

/// The taxes of orders.
pub async fn taxes_of(conn: &Conn, orders: &[OrderId]) -> Result<Vec<line_tax::Model>> {
    Ok(line_tax::Entity::find()
        .filter(any(conn, line_tax::Column::OrderId, orders.iter().copied()))
        .order_by_asc(line_tax::Column::Id)
        .all(conn)
        .await?)
}

/// What promotions took off orders, in the order in which they came.
pub async fn adjustments_of(conn: &Conn, orders: &[OrderId]) -> Result<Vec<line_adjustment::Model>> {
    Ok(line_adjustment::Entity::find()
        .filter(any(conn, line_adjustment::Column::OrderId, orders.iter().copied()))
        .order_by_asc(line_adjustment::Column::Position)
        .all(conn)
        .await?)
}

/// How much of an order's history is shown at once.
pub const MAX_HISTORY: usize = 250;
/// An event is among the latest of its aggregate: their sequences are dense.
const LATEST: &str = "event.sequence > (select max(newest.sequence) - ? from event as newest
    where newest.aggregate_type = event.aggregate_type and newest.aggregate_id = event.aggregate_id)";

/// The latest histories of orders, at most [`MAX_HISTORY`] events of each, oldest first.
pub async fn events_of(conn: &Conn, orders: &[OrderId]) -> Result<Vec<event::Model>> {
    Ok(event::Entity::find()
        .filter(event::Column::AggregateType.eq("order"))
        .filter(any(conn, event::Column::AggregateId, orders.iter().copied()))
        .filter(expression(conn, LATEST, [(MAX_HISTORY as i64).into()]))
        .order_by_asc(event::Column::Sequence)
        .all(conn)
        .await?)
}

/// Writes the counters of a line.
pub async fn update_line(tx: &mut Tx, row: order_line::Model) -> Result<()> {
    row.into_active_model().reset_all().update(&tx.conn).await?;
    Ok(())
}

/// Derives the three statuses anew and writes them with a new version.
pub async fn save_statuses(
    tx: &mut Tx,
    mut row: order::Model,
    paid: &Paid,
    lines: &[order_line::Model],
) -> Result<order::Model> {
    row.payment_status = payment_status(row.total_minor, paid);
    row.fulfillment_status = fulfillment_status(&lines.iter().map(counters).collect::<Vec<_>>());
    row.status = order_status(row.status, row.payment_status, row.fulfillment_status);
    row.version += 1;
    row.updated_at = tx.now();
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// What the status of a fulfillment follows from.
pub fn counters(line: &order_line::Model) -> LineCounters {
    LineCounters {
        ordered: line.ordered,
        fulfilled: line.fulfilled,
        shipped: line.shipped,
        delivered: line.delivered,
        canceled: line.canceled,
    }
}

/// What orders must be to be in a list.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    /// One of these.
    pub status: Option<Vec<OrderStatus>>,
    /// One of these.
    pub payment_status: Option<Vec<PaymentStatus>>,
    /// One of these.
    pub fulfillment_status: Option<Vec<FulfillmentStatus>>,
    /// This one.
    pub number: Option<i64>,
    /// Bought with this e-mail.
    pub email: Option<Email>,
    /// Bought by this customer.
    pub customer: Option<CustomerId>,
    /// Bought in this channel.
    pub channel: Option<ChannelId>,
    /// Placed at this moment or later.
    pub placed_from: Option<DateTime<Utc>>,
    /// Placed before this moment.
    pub placed_before: Option<DateTime<Utc>>,
    /// In one of these channels: how far the caller gets.
    pub channels: Reach<ChannelId>,
}

impl OrderFilter {
    fn condition(&self, conn: &Conn) -> Condition {
        use order::Column;
        Condition::all()
            .add_option(crate::scope::within(conn, Column::ChannelId, &self.channels))
            .add_option(self.status.as_ref().map(|words| Column::Status.is_in(words.iter().copied())))
            .add_option(self.payment_status.as_ref().map(|words| Column::PaymentStatus.is_in(words.iter().copied())))
            .add_option(
                self.fulfillment_status.as_ref().map(|words| Column::FulfillmentStatus.is_in(words.iter().copied())),
            )
            .add_option(self.number.map(|number| Column::Number.eq(number)))
            .add_option(self.email.as_ref().map(|email| Column::Email.eq(email.clone())))
            .add_option(self.customer.map(|customer| Column::CustomerId.eq(customer)))
            .add_option(self.channel.map(|channel| Column::ChannelId.eq(channel)))
            .add_option(self.placed_from.map(|from| Column::PlacedAt.gte(from)))
            .add_option(self.placed_before.map(|before| Column::PlacedAt.lt(before)))
    }
}

/// A page of orders by the time at which they were placed.
pub async fn page(conn: &Conn, filter: &OrderFilter, page: Page, count: bool) -> Result<Rows<order::Model>> {
    let place = |row: &order::Model| Place { key: Key::Time(row.placed_at), id: Uuid::from(row.id) };
    let sort = (order::Column::PlacedAt, order::Column::Id);
    Ok(page_of(conn, order::Entity::find().filter(filter.condition(conn)), sort, page, count, place).await?)
}

/// The ids of the newest orders, the newest first, at most `limit`.
pub async fn newest(conn: &Conn, filter: &OrderFilter, limit: u64) -> Result<Vec<OrderId>> {
    Ok(order::Entity::find()
        .select_only()
        .column(order::Column::Id)
        .filter(filter.condition(conn))
        .order_by_desc(order::Column::PlacedAt)
        .order_by_desc(order::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(conn)
        .await?)
}
