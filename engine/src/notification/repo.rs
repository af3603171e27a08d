//! Rows of notifications and of texts that staff wrote.

use chrono::{DateTime, Utc};
use domain::id::{ChannelId, CustomerId, NotificationId, OrderId, StaffId};
use domain::notification::{NotificationState, NotificationTemplate};
use domain::text::Email;
use entity::{consumer, customer, notification, notification_text, order, staff};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::db::{Conn, any, page_of, statement};
use crate::error::{Error, Result};
use crate::op::Tx;
use crate::page::{Key, Page, Place, Rows};

/// The name under which the place in the log is kept.
const CONSUMER: &str = "notification";

/// How far the log has been read.
pub async fn position(conn: &Conn) -> Result<i64> {
    let row = consumer::Entity::find_by_id(CONSUMER.to_owned()).one(conn).await?;
    Ok(row.map_or(0, |row| row.position))
}

/// The same, held until the transaction ends: one process reads at a time.
pub async fn lock_position(tx: &Tx) -> Result<i64> {
    let row = consumer::Entity::find_by_id(CONSUMER.to_owned()).lock_exclusive().one(&tx.conn).await?;
    Ok(row.ok_or_else(|| Error::internal("the reader of mail is missing; run emporion migrate up"))?.position)
}

/// Writes how far the log has been read.
pub async fn set_position(tx: &mut Tx, position: i64) -> Result<()> {
    let sql = "update consumer set position = ? where name = ?";
    tx.conn.execute_raw(statement(&tx.conn, sql, [position.into(), CONSUMER.into()])).await?;
    Ok(())
}

/// Writes new notifications; what an event has asked for already is passed over.
pub async fn insert_new(tx: &mut Tx, rows: Vec<notification::Model>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows: Vec<notification::ActiveModel> =
        rows.into_iter().map(|row| row.into_active_model().reset_all()).collect();
    notification::Entity::insert_many(rows)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(&tx.conn)
        .await?;
    Ok(())
}

/// Orders by id, held as they are until the transaction ends: whoever erases a person waits for it.
pub async fn hold_orders(tx: &Tx, ids: &[OrderId]) -> Result<Vec<order::Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(order::Entity::find()
        .filter(any(&tx.conn, order::Column::Id, ids.iter().copied()))
        .order_by_asc(order::Column::Id)
        .lock_shared()
        .all(&tx.conn)
        .await?)
}

/// Customers by id who are not erased, held likewise. They come before their orders.
pub async fn hold_customers(tx: &Tx, ids: &[CustomerId]) -> Result<Vec<customer::Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(customer::Entity::find()
        .filter(any(&tx.conn, customer::Column::Id, ids.iter().copied()))
        .filter(customer::Column::DeletedAt.is_null())
        .order_by_asc(customer::Column::Id)
        .lock_shared()
        .all(&tx.conn)
        .await?)
}

/// Members of staff by id.
pub async fn staff(conn: &Conn, ids: &[StaffId]) -> Result<Vec<staff::Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let find = staff::Entity::find().filter(staff::Column::DeletedAt.is_null());
    Ok(find.filter(any(conn, staff::Column::Id, ids.iter().copied())).all(conn).await?)
}

/// A notification by id.
pub async fn find(conn: &Conn, id: NotificationId) -> Result<Option<notification::Model>> {
    Ok(notification::Entity::find_by_id(id).one(conn).await?)
}

/// A notification, locked until the transaction ends.
pub async fn lock(tx: &Tx, id: NotificationId) -> Result<Option<notification::Model>> {
    Ok(notification::Entity::find_by_id(id).lock_exclusive().one(&tx.conn).await?)
}

/// Writes a notification.
pub async fn insert(tx: &mut Tx, row: notification::Model) -> Result<notification::Model> {
    Ok(row.into_active_model().reset_all().insert(&tx.conn).await?)
}

/// Writes every column of a notification.
pub async fn update(tx: &mut Tx, row: notification::Model) -> Result<notification::Model> {
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// What somebody must look at, the longest due in front.
pub async fn due(conn: &Conn, now: DateTime<Utc>, limit: u64) -> Result<Vec<notification::Model>> {
    use notification::Column;
    Ok(notification::Entity::find()
        .filter(Column::DueAt.lte(now))
        .order_by_asc(Column::DueAt)
        .order_by_asc(Column::Id)
        .limit(limit)
        .all(conn)
        .await?)
}

/// Takes a notification whose turn it is; another process may have been faster.
pub async fn claim(tx: &mut Tx, id: NotificationId, until: DateTime<Utc>) -> Result<bool> {
    let sql = "update notification set state = 'SENDING', attempts = attempts + 1, due_at = ?, error = null,
        version = version + 1, updated_at = ? where id = ? and state = 'PENDING' and due_at <= ?";
    let values = [until.into(), tx.now().into(), Uuid::from(id).into(), tx.now().into()];
    Ok(tx.conn.execute_raw(statement(&tx.conn, sql, values)).await?.rows_affected() == 1)
}

/// Takes a customer's mailbox out of what was sent to him, and what a mail server said of it. What waits is not sent;
/// a copy that lies in a file is removed by whoever works on mail.
pub async fn blank(tx: &mut Tx, id: CustomerId) -> Result<()> {
    let sql = "update notification set recipient = null, forget_copy = true, version = version + 1,
        updated_at = ?, error = case when state = 'PENDING' then 'The person was erased.' end,
        due_at = case when state = 'SENDING' then due_at else ? end,
        state = case when state = 'PENDING' then 'SKIPPED' else state end
        where customer_id = ? or order_id in (select id from \"order\" where customer_id = ?)";
    let id = Uuid::from(id);
    tx.conn.execute_raw(statement(&tx.conn, sql, [tx.now().into(), tx.now().into(), id.into(), id.into()])).await?;
    Ok(())
}

/// How many notifications are in one of these states.
pub async fn count_in(conn: &Conn, states: &[NotificationState]) -> Result<i64> {
    let find = notification::Entity::find().filter(notification::Column::State.is_in(states.iter().copied()));
    Ok(find.count(conn).await? as i64)
}

/// How many have waited since a moment.
pub async fn overdue(conn: &Conn, since: DateTime<Utc>) -> Result<i64> {
    Ok(notification::Entity::find().filter(notification::Column::DueAt.lt(since)).count(conn).await? as i64)
}

/// What notifications must be to be in a list.
#[derive(Debug, Clone, Default)]
pub struct NotificationFilter {
    /// In one of these.
    pub states: Option<Vec<NotificationState>>,
    /// Of one of these kinds.
    pub templates: Option<Vec<NotificationTemplate>>,
    /// About this order.
    pub order: Option<OrderId>,
    /// To this customer's account.
    pub customer: Option<CustomerId>,
    /// To this mailbox.
    pub recipient: Option<Email>,
    /// Made at this moment or later.
    pub from: Option<DateTime<Utc>>,
    /// Made before this moment.
    pub before: Option<DateTime<Utc>>,
    /// Whether those about staff are in it.
    pub with_staff: bool,
}

impl NotificationFilter {
    fn condition(&self) -> Condition {
        use notification::Column;
        let own = |words: &[NotificationTemplate]| Column::Template.is_not_in(words.iter().copied());
        Condition::all()
            .add_option(self.states.as_ref().map(|words| Column::State.is_in(words.iter().copied())))
            .add_option(self.templates.as_ref().map(|words| Column::Template.is_in(words.iter().copied())))
            .add_option(self.order.map(|order| Column::OrderId.eq(order)))
            .add_option(self.customer.map(|customer| Column::CustomerId.eq(customer)))
            .add_option(self.recipient.as_ref().map(|email| Column::Recipient.eq(email.clone())))
            .add_option(self.from.map(|from| Column::CreatedAt.gte(from)))
            .add_option(self.before.map(|before| Column::CreatedAt.lt(before)))
            .add_option((!self.with_staff).then(|| own(NotificationTemplate::STAFF)))
    }
}

/// A page of notifications by the time at which they were made.
pub async fn page(
    conn: &Conn,
    filter: &NotificationFilter,
    page: Page,
    count: bool,
) -> Result<Rows<notification::Model>> {
    let find = notification::Entity::find().filter(filter.condition());
    let place = |row: &notification::Model| Place { key: Key::Time(row.created_at), id: row.id.into() };
    let sort = (notification::Column::CreatedAt, notification::Column::Id);
    Ok(page_of(conn, find, sort, page, count, place).await?)
}

/// The texts that staff wrote, of one kind or of all, by kind and language.
pub async fn texts(conn: &Conn, template: Option<NotificationTemplate>) -> Result<Vec<notification_text::Model>> {
    use notification_text::Column;
    let wanted = Condition::all().add_option(template.map(|template| Column::Template.eq(template)));
    Ok(notification_text::Entity::find()
        .filter(wanted)
        .order_by_asc(Column::Template)
        .order_by_asc(Column::Locale)
        .order_by_asc(Column::Id)
        .all(conn)
        .await?)
}

/// The text of a kind for a channel, or for the whole shop, in a language; locked until the transaction ends.
pub async fn lock_text(
    tx: &Tx,
    template: NotificationTemplate,
    channel: Option<ChannelId>,
    locale: &str,
) -> Result<Option<notification_text::Model>> {
    use notification_text::Column;
    let of = match channel {
        Some(channel) => Column::ChannelId.eq(channel),
        None => Column::ChannelId.is_null(),
    };
    Ok(notification_text::Entity::find()
        .filter(Column::Template.eq(template))
        .filter(Column::Locale.eq(locale))
        .filter(of)
        .lock_exclusive()
        .one(&tx.conn)
        .await?)
}

/// How many texts staff wrote.
pub async fn count_texts(conn: &Conn) -> Result<u64> {
    Ok(notification_text::Entity::find().count(conn).await?)
}

/// Writes a new text.
pub async fn insert_text(tx: &mut Tx, row: notification_text::Model) -> Result<notification_text::Model> {
    Ok(row.into_active_model().reset_all().insert(&tx.conn).await?)
}

/// Writes every column of a text.
pub async fn update_text(tx: &mut Tx, row: notification_text::Model) -> Result<notification_text::Model> {
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// Forgets a text.
pub async fn delete_text(tx: &mut Tx, row: &notification_text::Model) -> Result<()> {
    notification_text::Entity::delete_by_id(row.id).exec(&tx.conn).await?;
    Ok(())
}
