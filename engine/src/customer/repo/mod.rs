//! Rows of customers, their addresses and groups.

pub mod erase;
pub mod groups;
pub mod list;

use domain::auth::ActorKind;
use domain::id::{AddressId, ChannelId, CustomerId, OrderId};
use domain::reach::Reach;
use domain::text::Email;
use entity::{address, cart, customer, order, session};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, Value,
};
use uuid::Uuid;

pub use groups::{
    add_members, count_groups, empty_group, groups_of, insert_group, lock_group, lock_group_named, remove_members,
    update_group,
};

use crate::db::{Conn, any, statement};
use crate::error::Result;
use crate::op::Tx;

/// A customer by id.
pub async fn find(conn: &Conn, id: CustomerId) -> Result<Option<customer::Model>> {
    Ok(customer::Entity::find_by_id(id).filter(customer::Column::DeletedAt.is_null()).one(conn).await?)
}

/// Customers by id.
pub async fn by_ids(conn: &Conn, ids: &[CustomerId]) -> Result<Vec<customer::Model>> {
    Ok(customer::Entity::find()
        .filter(any(conn, customer::Column::Id, ids.iter().copied()))
        .filter(customer::Column::DeletedAt.is_null())
        .all(conn)
        .await?)
}

fn account(email: &Email) -> sea_orm::Select<customer::Entity> {
    customer::Entity::find()
        .filter(customer::Column::Email.eq(email.clone()))
        .filter(customer::Column::HasAccount.eq(true))
        .filter(customer::Column::DeletedAt.is_null())
}

/// The customer who has an account with this address.
pub async fn find_account(conn: &Conn, email: &Email) -> Result<Option<customer::Model>> {
    Ok(account(email).one(conn).await?)
}

/// The customer with this address: the account, or the oldest of the guests.
pub async fn find_by_email(conn: &Conn, email: &Email) -> Result<Option<customer::Model>> {
    Ok(customer::Entity::find()
        .filter(customer::Column::Email.eq(email.clone()))
        .filter(customer::Column::DeletedAt.is_null())
        .order_by_desc(customer::Column::HasAccount)
        .order_by_asc(customer::Column::Id)
        .one(conn)
        .await?)
}

/// The customer who has an account with this address, locked until the transaction ends.
pub async fn lock_account(tx: &Tx, email: &Email) -> Result<Option<customer::Model>> {
    Ok(account(email).lock_exclusive().one(&tx.conn).await?)
}

/// A customer, locked until the transaction ends.
pub async fn lock(tx: &Tx, id: CustomerId) -> Result<Option<customer::Model>> {
    let find = customer::Entity::find_by_id(id).filter(customer::Column::DeletedAt.is_null());
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// Writes a new customer.
pub async fn insert(tx: &mut Tx, row: customer::Model) -> Result<customer::Model> {
    Ok(row.into_active_model().reset_all().insert(&tx.conn).await?)
}

/// Writes every column of a customer.
pub async fn update(tx: &mut Tx, row: customer::Model) -> Result<customer::Model> {
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// The address books of customers, oldest entry first.
pub async fn addresses_of(conn: &Conn, customers: &[CustomerId]) -> Result<Vec<address::Model>> {
    Ok(address::Entity::find()
        .filter(any(conn, address::Column::CustomerId, customers.iter().copied()))
        .order_by_asc(address::Column::Id)
        .all(conn)
        .await?)
}

/// An address of this customer's book; another's isn't there.
pub async fn find_address(conn: &Conn, customer: CustomerId, id: AddressId) -> Result<Option<address::Model>> {
    let find = address::Entity::find_by_id(id).filter(address::Column::CustomerId.eq(customer));
    Ok(find.one(conn).await?)
}

/// Writes a new address.
pub async fn insert_address(tx: &mut Tx, row: address::Model) -> Result<address::Model> {
    Ok(row.into_active_model().reset_all().insert(&tx.conn).await?)
}

/// Writes every column of an address.
pub async fn update_address(tx: &mut Tx, row: address::Model) -> Result<address::Model> {
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// Deletes an address.
pub async fn delete_address(tx: &mut Tx, id: AddressId) -> Result<()> {
    address::Entity::delete_by_id(id).exec(&tx.conn).await?;
    Ok(())
}

/// Takes from the other addresses of a book what this one becomes.
pub async fn clear_defaults(
    tx: &mut Tx,
    customer: CustomerId,
    except: AddressId,
    shipping: bool,
    billing: bool,
) -> Result<()> {
    for (wanted, column) in [(shipping, "default_shipping"), (billing, "default_billing")] {
        if wanted {
            let sql = format!(
                "update address set {column} = ?, version = version + 1, updated_at = ?
                    where customer_id = ? and id <> ? and {column}"
            );
            let values: [Value; 4] =
                [false.into(), tx.now().into(), Uuid::from(customer).into(), Uuid::from(except).into()];
            tx.conn.execute_raw(statement(&tx.conn, &sql, values)).await?;
        }
    }
    Ok(())
}

/// The log-ins of a customer, oldest first.
pub async fn sessions_of(conn: &Conn, customer: CustomerId) -> Result<Vec<session::Model>> {
    Ok(session::Entity::find()
        .filter(session::Column::ActorKind.eq(ActorKind::Customer))
        .filter(session::Column::ActorId.eq(Uuid::from(customer)))
        .order_by_asc(session::Column::Id)
        .all(conn)
        .await?)
}

/// The carts of a customer, oldest first.
pub async fn carts_of(conn: &Conn, customer: CustomerId) -> Result<Vec<cart::Model>> {
    let find = cart::Entity::find().filter(cart::Column::CustomerId.eq(customer));
    Ok(find.order_by_asc(cart::Column::Id).all(conn).await?)
}

/// The orders of a customer, oldest first.
pub async fn orders_of(conn: &Conn, customer: CustomerId) -> Result<Vec<order::Model>> {
    let find = order::Entity::find().filter(order::Column::CustomerId.eq(customer));
    Ok(find.order_by_asc(order::Column::PlacedAt).order_by_asc(order::Column::Id).all(conn).await?)
}

/// The newest orders of each customer, at most `limit` of each, in one statement.
pub async fn newest_orders_of(
    conn: &Conn,
    customers: &[CustomerId],
    limit: i64,
    channels: &Reach<ChannelId>,
) -> Result<Vec<order::Model>> {
    let (reached, mut values) = match channels.limits() {
        Some(ids) => {
            let (among, ids) = crate::db::any_sql(conn, ids.iter().copied());
            (format!("and newer.channel_id {among}"), vec![ids])
        }
        None => (String::new(), Vec::new()),
    };
    values.push(limit.into());
    let sql = format!(
        "(select count(*) from \"order\" as newer where newer.customer_id = \"order\".customer_id
            {reached} and (newer.placed_at > \"order\".placed_at
                or (newer.placed_at = \"order\".placed_at and newer.id > \"order\".id))) < ?"
    );
    let newer = crate::db::expression(conn, &sql, values);
    Ok(order::Entity::find()
        .filter(any(conn, order::Column::CustomerId, customers.iter().copied()))
        .filter(Condition::all().add_option(crate::scope::within(conn, order::Column::ChannelId, channels)))
        .filter(newer)
        .order_by_desc(order::Column::PlacedAt)
        .order_by_desc(order::Column::Id)
        .all(conn)
        .await?)
}

/// The order with this number and address, locked until the transaction ends.
pub async fn lock_order_of(tx: &Tx, number: i64, email: &Email) -> Result<Option<OrderId>> {
    let find = order::Entity::find().filter(order::Column::Number.eq(number));
    let row = find.filter(order::Column::Email.eq(email.clone())).lock_exclusive().one(&tx.conn).await?;
    Ok(row.map(|row| row.id))
}

/// Gives the orders that were bought as a guest with this address to a
/// customer, the oldest first; answers with which.
pub async fn claim_orders(tx: &mut Tx, customer: CustomerId, email: &Email, limit: usize) -> Result<Vec<OrderId>> {
    #[derive(FromQueryResult)]
    struct Claimed {
        id: OrderId,
    }
    let sql = "update \"order\" set customer_id = ?, version = version + 1, updated_at = ?
        where id in (select id from \"order\" where email = ? and customer_id is null order by placed_at limit ?)
            and customer_id is null
        returning id";
    let values: [Value; 4] =
        [Uuid::from(customer).into(), tx.now().into(), email.as_str().into(), (limit as i64).into()];
    let rows = tx.conn.query_all_raw(statement(&tx.conn, sql, values)).await?;
    let rows: Vec<Claimed> = rows.iter().map(|row| Claimed::from_query_result(row, "")).collect::<Result<_, _>>()?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
