//! Rows of carts that nobody comes back to.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::cart::CartState;
use domain::checkout::CheckoutState;
use domain::id::{CartId, ChannelId, OrderId};
use domain::reach::Reach;
use entity::{cart, cart_line, checkout, order, product, variant};
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationDef,
    Value,
};
use uuid::Uuid;

use crate::customer::repo::erase::forget_frozen_of;
use crate::db::{Conn, any, any_sql, expression, page_of, statement};
use crate::error::Result;
use crate::op::Tx;
use crate::page::{Key, Page, Place, Rows};
use crate::scope::within;
use crate::sweeper::MOST;

async fn is_any(conn: &Conn, sql: &str, values: Vec<Value>) -> Result<bool> {
    Ok(conn.query_one_raw(statement(conn, sql, values)).await?.is_some())
}

/// Whether a cart of a channel has not been changed since a moment, and nobody has looked at it since.
pub async fn any_untouched(conn: &Conn, channel: ChannelId, before: DateTime<Utc>) -> Result<bool> {
    let sql = "select 1 from cart where channel_id = ? and state = 'OPEN' and untouched_since <= ? limit 1";
    is_any(conn, sql, vec![Uuid::from(channel).into(), before.into()]).await
}

/// Takes up to [`MOST`] carts of a channel that were not changed since a moment, each once for each pause; says of each
/// whether it holds something, there is somebody to write to, and it was changed after `news`. Those are abandoned from
/// now on.
pub async fn take_untouched(
    tx: &Tx,
    channel: ChannelId,
    before: DateTime<Utc>,
    news: DateTime<Utc>,
) -> Result<Vec<(CartId, bool)>> {
    let sql = format!(
        "update cart set untouched_since = null, abandoned_at = case
                when untouched_since > ? and (email is not null or customer_id is not null)
                    and exists (select 1 from cart_line where cart_line.cart_id = cart.id)
                then ? else abandoned_at end
            where id in (select waiting.id from cart as waiting where waiting.channel_id = ? and waiting.state = 'OPEN'
                and waiting.untouched_since <= ? order by waiting.untouched_since limit {MOST})
            and state = 'OPEN' and untouched_since <= ?
            returning id, cast(case when abandoned_at = ? then 1 else 0 end as bigint) as told"
    );
    let now: Value = tx.now().into();
    let values = [news.into(), now.clone(), Uuid::from(channel).into(), before.into(), before.into(), now];
    let rows = tx.conn.query_all_raw(statement(&tx.conn, &sql, values)).await?;
    rows.iter().map(|row| Ok((row.try_get("", "id")?, row.try_get::<i64>("", "told")? == 1))).collect()
}

/// Whether a cart's time is over.
pub async fn any_expired(conn: &Conn, now: DateTime<Utc>) -> Result<bool> {
    is_any(conn, "select 1 from cart where state = 'OPEN' and expires_at <= ? limit 1", vec![now.into()]).await
}

/// Ends up to [`MOST`] open carts whose time is over; answers with how many.
pub async fn end_expired(tx: &mut Tx) -> Result<u64> {
    let sql = format!(
        "update cart set state = 'ABANDONED', version = version + 1, untouched_since = null
            where id in (select waiting.id from cart as waiting where waiting.state = 'OPEN'
                and waiting.expires_at <= ? order by waiting.expires_at limit {MOST})
            and state = 'OPEN' and expires_at <= ? returning id"
    );
    let rows = tx.conn.query_all_raw(statement(&tx.conn, &sql, [tx.now().into(), tx.now().into()])).await?;
    for row in &rows {
        tx.wake(row.try_get::<CartId>("", "id")?);
    }
    Ok(rows.len() as u64)
}

fn over(conn: &Conn, before: DateTime<Utc>) -> Condition {
    // What is still held for a cart ends by itself first.
    let held = expression(conn, "exists (select 1 from reservation where reservation.cart_id = cart.id)", []);
    // As the index says it.
    let over = expression(conn, "cart.state = 'ABANDONED' and cart.erased_at is null", []);
    Condition::all().add(over).add(cart::Column::ExpiresAt.lte(before)).add(Condition::all().not().add(held))
}

/// Whether a cart's time was over at a moment, and it is not erased.
pub async fn any_over(conn: &Conn, before: DateTime<Utc>) -> Result<bool> {
    Ok(cart::Entity::find().filter(over(conn, before)).one(conn).await?.is_some())
}

/// Up to [`MOST`] of those, locked until the transaction ends, unless others have them.
pub async fn lock_over(tx: &Tx, before: DateTime<Utc>) -> Result<Vec<CartId>> {
    let find = cart::Entity::find().filter(over(&tx.conn, before)).order_by_asc(cart::Column::ExpiresAt).limit(MOST);
    let find = find.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    Ok(find.all(&tx.conn).await?.into_iter().map(|row| row.id).collect())
}

/// Erases carts. What a checkout was tried of stays and tells of nobody.
pub async fn erase(tx: &mut Tx, carts: &[CartId]) -> Result<()> {
    let (among, value) = any_sql(&tx.conn, carts.iter().copied());
    for table in ["payment_session", "cart_line", "cart_delivery", "cart_code"] {
        let sql = format!("delete from {table} where cart_id {among}");
        tx.conn.execute_raw(statement(&tx.conn, &sql, [value.clone()])).await?;
    }
    let tried = checkout::Entity::find().filter(any(&tx.conn, checkout::Column::CartId, carts.iter().copied()));
    let tried: Vec<_> = tried.all(&tx.conn).await?.into_iter().map(|row| row.id).collect();
    if !tried.is_empty() {
        forget_frozen_of(tx, &tried).await?;
        let sql = format!(
            "update checkout set provider_data = null, next_action = null, saved_method = null
                where cart_id {among}"
        );
        tx.conn.execute_raw(statement(&tx.conn, &sql, [value.clone()])).await?;
        let sql = format!(
            "update cart set erased_at = ?, abandoned_at = null, customer_id = null, email = null, tax_number = null,
                shipping_address = null, billing_address = null, codes = 0, version = version + 1
                where id {among} and exists (select 1 from checkout where checkout.cart_id = cart.id)"
        );
        tx.conn.execute_raw(statement(&tx.conn, &sql, [tx.now().into(), value.clone()])).await?;
    }
    let sql = format!(
        "delete from cart where id {among} and not exists (select 1 from checkout where checkout.cart_id = cart.id)"
    );
    tx.conn.execute_raw(statement(&tx.conn, &sql, [value])).await?;
    Ok(())
}

/// What carts must be to be in the list of those that were left.
#[derive(Debug, Clone, Default)]
pub struct LeftFilter {
    /// In one of these channels.
    pub channels: Reach<ChannelId>,
    /// In this channel.
    pub channel: Option<ChannelId>,
    /// Left at this moment or later.
    pub since: Option<DateTime<Utc>>,
    /// With or without a mailbox.
    pub has_email: Option<bool>,
    /// Whether it became an order afterwards.
    pub recovered: Option<bool>,
}

/// A page of carts that were left, by when they were left last, and their number when it is asked for.
pub async fn page(conn: &Conn, filter: &LeftFilter, page: Page, count: bool) -> Result<Rows<cart::Model>> {
    use cart::Column;
    let mail = |has: bool| if has { Column::Email.is_not_null() } else { Column::Email.is_null() };
    let state = |done: bool| match done {
        true => Column::State.eq(CartState::Completed),
        false => Column::State.ne(CartState::Completed),
    };
    let condition = Condition::all()
        .add(Column::AbandonedAt.is_not_null())
        .add_option(within(conn, Column::ChannelId, &filter.channels))
        .add_option(filter.channel.map(|id| Column::ChannelId.eq(id)))
        .add_option(filter.since.map(|since| Column::AbandonedAt.gte(since)))
        .add_option(filter.has_email.map(mail))
        .add_option(filter.recovered.map(state));
    let find = cart::Entity::find().filter(condition);
    let place =
        |row: &cart::Model| Place { key: Key::Time(row.abandoned_at.unwrap_or(row.updated_at)), id: row.id.into() };
    Ok(page_of(conn, find, (Column::AbandonedAt, Column::Id), page, count, place).await?)
}

/// A line of a cart with what it is of.
#[derive(Debug, Clone)]
pub struct LeftLine {
    /// The line.
    pub line: cart_line::Model,
    /// Its variant.
    pub variant: variant::Model,
    /// The product of that.
    pub product: product::Model,
}

/// The lines of carts by position, each with its variant and product: two statements.
pub async fn lines_of(conn: &Conn, carts: &[CartId]) -> Result<Vec<LeftLine>> {
    let find = cart_line::Entity::find().filter(any(conn, cart_line::Column::CartId, carts.iter().copied()));
    let lines = find.order_by_asc(cart_line::Column::Position).all(conn).await?;
    let to_product: RelationDef =
        variant::Entity::belongs_to(product::Entity).from(variant::Column::ProductId).to(product::Column::Id).into();
    let find = variant::Entity::find()
        .filter(any(conn, variant::Column::Id, lines.iter().map(|line| line.variant_id)))
        .join(JoinType::InnerJoin, to_product)
        .select_also(product::Entity);
    let known: HashMap<_, _> =
        find.all(conn).await?.into_iter().map(|(row, product)| (row.id, (row, product))).collect();
    let told = lines.into_iter().filter_map(|line| {
        let (variant, product) = known.get(&line.variant_id)?.clone();
        Some(LeftLine { line, variant, product: product? })
    });
    Ok(told.collect())
}

/// The orders that carts became.
pub async fn orders_of(conn: &Conn, carts: &[CartId]) -> Result<HashMap<CartId, order::Model>> {
    let placed = checkout::Entity::find()
        .filter(any(conn, checkout::Column::CartId, carts.iter().copied()))
        .filter(checkout::Column::State.eq(CheckoutState::Placed));
    let carts: HashMap<OrderId, CartId> =
        placed.all(conn).await?.into_iter().filter_map(|row| Some((row.order_id?, row.cart_id))).collect();
    let ids: Vec<OrderId> = carts.keys().copied().collect();
    let orders = crate::order::repo::find_all(conn, &ids).await?;
    Ok(orders.into_iter().filter_map(|row| Some((*carts.get(&row.id)?, row))).collect())
}
