//! Rows of carts.

use chrono::{DateTime, Utc};
use domain::cart::CartState;
use domain::id::{CartDeliveryId, CartId, ChannelId, CustomerId, PriceListId, RegionId, VariantId};
use domain::money::Currency;
use entity::{cart, cart_code, cart_delivery, cart_line, payment_session, price, product, variant};
use sea_orm::sea_query::{Expr, ExprTrait, IntoCondition, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IdenStatic, IntoActiveModel,
    Iterable, JoinType, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, RelationDef, Value,
};
use uuid::Uuid;

use crate::db::{Conn, any, insert_all, statement};
use crate::error::Result;
use crate::op::Tx;

/// A cart with its rows.
#[derive(Debug, Clone)]
pub struct CartRows {
    /// The cart.
    pub cart: cart::Model,
    /// Its lines by position.
    pub lines: Vec<cart_line::Model>,
    /// Its delivery groups by position.
    pub deliveries: Vec<cart_delivery::Model>,
    /// The chosen payment.
    pub session: Option<payment_session::Model>,
    /// The codes that were entered, by position.
    pub codes: Vec<cart_code::Model>,
}

/// A cart by id.
pub async fn find(conn: &Conn, id: CartId) -> Result<Option<cart::Model>> {
    Ok(cart::Entity::find_by_id(id).one(conn).await?)
}

/// The open cart of a customer that was changed last, of one channel or of any.
pub async fn open_of(
    conn: &Conn,
    customer: CustomerId,
    channel: Option<ChannelId>,
    now: DateTime<Utc>,
) -> Result<Option<cart::Model>> {
    let mut find = cart::Entity::find()
        .filter(cart::Column::CustomerId.eq(customer))
        .filter(cart::Column::State.eq(CartState::Open))
        .filter(cart::Column::ExpiresAt.gt(now));
    if let Some(channel) = channel {
        find = find.filter(cart::Column::ChannelId.eq(channel));
    }
    let find = find.order_by_desc(cart::Column::UpdatedAt).order_by_desc(cart::Column::Id);
    Ok(find.one(conn).await?)
}

/// A cart, locked until the transaction ends.
pub async fn lock(tx: &Tx, id: CartId) -> Result<Option<cart::Model>> {
    Ok(cart::Entity::find_by_id(id).lock_exclusive().one(&tx.conn).await?)
}

/// Takes hold of a cart: locks it, raises its version, keeps it for longer,
/// and reads the version of the settings, all in one statement. A refusal
/// undoes it with the rest of the transaction.
pub async fn touch(tx: &mut Tx, id: CartId, expires_at: DateTime<Utc>) -> Result<Option<(cart::Model, i64)>> {
    let set = "version = version + 1, updated_at = ?, untouched_since = ?, expires_at = ?";
    let values = vec![tx.now().into(), tx.now().into(), expires_at.into()];
    taken(tx, set, values, " and expires_at > ? and state <> 'ABANDONED'", id).await
}

/// Takes hold of an open cart that is about to become an order.
pub async fn begin_completing(tx: &mut Tx, id: CartId) -> Result<Option<(cart::Model, i64)>> {
    let set = "version = version + 1, updated_at = ?, state = 'COMPLETING'";
    taken(tx, set, vec![tx.now().into()], " and expires_at > ? and state = 'OPEN'", id).await
}

async fn taken(
    tx: &mut Tx,
    set: &str,
    mut values: Vec<Value>,
    only: &str,
    id: CartId,
) -> Result<Option<(cart::Model, i64)>> {
    tx.wake(id);
    values.extend([Uuid::from(id).into(), tx.now().into()]);
    let sql = format!(
        "update cart set {set} where id = ?{only}
            returning *, (select value from counter where name = 'settings') as settings_version"
    );
    let Some(row) = tx.conn.query_one_raw(statement(&tx.conn, &sql, values)).await? else { return Ok(None) };
    Ok(Some((cart::Model::from_query_result(&row, "")?, row.try_get("", "settings_version")?)))
}

/// What belongs to a cart.
pub async fn rows_of(conn: &Conn, cart: cart::Model) -> Result<CartRows> {
    let lines = cart_line::Entity::find()
        .filter(cart_line::Column::CartId.eq(cart.id))
        .order_by_asc(cart_line::Column::Position)
        .all(conn)
        .await?;
    let relation: RelationDef = cart_delivery::Entity::belongs_to(payment_session::Entity)
        .from(cart_delivery::Column::CartId)
        .to(payment_session::Column::CartId)
        .into();
    // Every cart has a delivery group, even one that ships nothing.
    let groups = cart_delivery::Entity::find()
        .filter(cart_delivery::Column::CartId.eq(cart.id))
        .join(JoinType::LeftJoin, relation)
        .select_also(payment_session::Entity)
        .order_by_asc(cart_delivery::Column::Position)
        .all(conn)
        .await?;
    let session = groups.iter().find_map(|(_, session)| session.clone());
    let codes = if cart.codes > 0 { codes_of(conn, cart.id).await? } else { Vec::new() };
    Ok(CartRows { cart, lines, deliveries: groups.into_iter().map(|(group, _)| group).collect(), session, codes })
}

/// The codes of a cart by position.
pub async fn codes_of(conn: &Conn, cart: CartId) -> Result<Vec<cart_code::Model>> {
    let find = cart_code::Entity::find().filter(cart_code::Column::CartId.eq(cart));
    Ok(find.order_by_asc(cart_code::Column::Position).all(conn).await?)
}

/// Makes the codes of a cart what they are here.
pub async fn replace_codes(tx: &mut Tx, cart: CartId, codes: &[cart_code::Model]) -> Result<()> {
    cart_code::Entity::delete_many().filter(cart_code::Column::CartId.eq(cart)).exec(&tx.conn).await?;
    Ok(insert_all::<cart_code::Entity>(&tx.conn, codes.to_vec()).await?)
}

/// The same for a cart that may have had another number of them.
pub async fn put_codes(tx: &mut Tx, row: cart::Model, codes: &[cart_code::Model]) -> Result<cart::Model> {
    replace_codes(tx, row.id, codes).await?;
    update(tx, cart::Model { codes: codes.len() as i32, ..row }).await
}

/// A variant that is for sale in a channel, with its product and one of its prices.
pub type OfferRow = (variant::Model, Option<product::Model>, Option<price::Model>);

/// The variants that are for sale in a channel, once per price in the currency
/// that is a base price or stands in one of the lists.
pub async fn offers(
    conn: &Conn,
    variants: &[VariantId],
    (channel, currency, lists): (ChannelId, Currency, &[PriceListId]),
    now: DateTime<Utc>,
) -> Result<Vec<OfferRow>> {
    let in_lists = crate::pricing::repo::in_lists(conn, lists);
    let to_product: RelationDef =
        variant::Entity::belongs_to(product::Entity).from(variant::Column::ProductId).to(product::Column::Id).into();
    let to_price: RelationDef = variant::Entity::belongs_to(price::Entity)
        .from(variant::Column::Id)
        .to(price::Column::VariantId)
        .on_condition(move |_, price| {
            let fits = Expr::col((price, price::Column::Currency)).eq(currency.code());
            fits.and(in_lists.clone()).into_condition()
        })
        .into();
    let mut find = variant::Entity::find()
        .filter(any(conn, variant::Column::Id, variants.iter().copied()))
        .filter(variant::Column::DeletedAt.is_null())
        .filter(crate::catalog::repo::listing::published(conn, channel, now))
        .join(JoinType::InnerJoin, to_product)
        .join(JoinType::LeftJoin, to_price)
        .select_also(product::Entity);
    let select = QueryTrait::query(&mut find);
    for column in price::Column::iter() {
        select.expr_as(Expr::col((price::Entity, column)), format!("C_{}", column.as_str()));
    }
    let rows = conn.query_all(select).await?;
    let read = |row: &sea_orm::QueryResult| {
        Ok((
            variant::Model::from_query_result(row, "A_")?,
            product::Model::from_query_result_optional(row, "B_")?,
            price::Model::from_query_result_optional(row, "C_")?,
        ))
    };
    rows.iter().map(read).collect()
}

/// Writes a new cart with its rows.
pub async fn insert(tx: &mut Tx, rows: &CartRows) -> Result<()> {
    insert_all::<cart::Entity>(&tx.conn, vec![rows.cart.clone()]).await?;
    insert_all::<cart_line::Entity>(&tx.conn, rows.lines.clone()).await?;
    insert_all::<cart_delivery::Entity>(&tx.conn, rows.deliveries.clone()).await?;
    Ok(insert_all::<cart_code::Entity>(&tx.conn, rows.codes.clone()).await?)
}

/// Writes every column of a cart.
pub async fn update(tx: &mut Tx, row: cart::Model) -> Result<cart::Model> {
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// How many carts in a region may still become orders.
pub async fn count_in_region(tx: &Tx, region: RegionId) -> Result<u64> {
    let open = cart::Column::State.eq(CartState::Open).and(cart::Column::ExpiresAt.gt(tx.now()));
    let alive = open.or(cart::Column::State.eq(CartState::Completing));
    Ok(cart::Entity::find().filter(cart::Column::RegionId.eq(region)).filter(alive).count(&tx.conn).await?)
}

/// Writes where a cart is on its way.
pub async fn set_state(tx: &mut Tx, id: CartId, state: CartState) -> Result<()> {
    tx.wake(id);
    let untouched = (state == CartState::Open).then(|| tx.now());
    // What lay in a cart that went into another one is not left.
    let set = if state == CartState::Abandoned { ", abandoned_at = null" } else { "" };
    let sql = format!(
        "update cart set state = ?, version = version + 1, updated_at = ?, untouched_since = ?{set} where id = ?"
    );
    let values = [state.as_str().into(), tx.now().into(), untouched.into(), Uuid::from(id).into()];
    tx.conn.execute_raw(statement(&tx.conn, &sql, values)).await?;
    Ok(())
}

/// Makes the lines of a cart what they are here: two statements whatever changed.
pub async fn replace_lines(tx: &mut Tx, cart: CartId, lines: Vec<cart_line::Model>) -> Result<()> {
    cart_line::Entity::delete_many().filter(cart_line::Column::CartId.eq(cart)).exec(&tx.conn).await?;
    Ok(insert_all::<cart_line::Entity>(&tx.conn, lines).await?)
}

/// Makes the delivery groups of a cart what they are now: no statement when nothing changed, else one for those that go
/// and one for the others.
pub async fn keep_deliveries(tx: &mut Tx, held: &[cart_delivery::Model], now: &[cart_delivery::Model]) -> Result<()> {
    let gone = held.iter().map(|row| row.id).filter(|id| !now.iter().any(|row| row.id == *id));
    let gone: Vec<CartDeliveryId> = gone.collect();
    if !gone.is_empty() {
        let delete = cart_delivery::Entity::delete_many();
        delete.filter(any(&tx.conn, cart_delivery::Column::Id, gone)).exec(&tx.conn).await?;
    }
    let changed: Vec<_> = now.iter().filter(|row| !held.contains(row)).cloned().collect();
    if changed.is_empty() {
        return Ok(());
    }
    let conflict = OnConflict::column(cart_delivery::Column::Id)
        .update_columns([
            cart_delivery::Column::Position,
            cart_delivery::Column::ShippingOptionId,
            cart_delivery::Column::ShippingProfileId,
        ])
        .to_owned();
    cart_delivery::Entity::insert_many(changed.into_iter().map(|row| row.into_active_model().reset_all()))
        .on_conflict(conflict)
        .exec_without_returning(&tx.conn)
        .await?;
    Ok(())
}

/// Writes the chosen payment of a cart in place of an earlier one.
pub async fn put_session(tx: &mut Tx, row: payment_session::Model) -> Result<()> {
    let conflict = OnConflict::column(payment_session::Column::CartId)
        .update_columns([
            payment_session::Column::Id,
            payment_session::Column::CreatedAt,
            payment_session::Column::Provider,
            payment_session::Column::Data,
            payment_session::Column::SavedMethod,
            payment_session::Column::SavesMethod,
        ])
        .to_owned();
    payment_session::Entity::insert(row.into_active_model())
        .on_conflict(conflict)
        .exec_without_returning(&tx.conn)
        .await?;
    Ok(())
}
