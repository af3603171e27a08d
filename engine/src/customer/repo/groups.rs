//! Rows of groups and who is in them.

use domain::id::{CustomerGroupId, CustomerId};
use domain::text::Handle;
use entity::{customer_group, customer_group_member};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, JoinType,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, RelationDef,
};
use uuid::Uuid;

use crate::db::{Conn, any, statement};
use crate::error::Result;
use crate::op::Tx;

fn existing() -> sea_orm::Select<customer_group::Entity> {
    customer_group::Entity::find().filter(customer_group::Column::DeletedAt.is_null())
}

/// All groups by handle.
pub async fn all_groups(conn: &Conn) -> Result<Vec<customer_group::Model>> {
    Ok(existing().order_by_asc(customer_group::Column::Handle).all(conn).await?)
}

/// A group by id.
pub async fn find_group(conn: &Conn, id: CustomerGroupId) -> Result<Option<customer_group::Model>> {
    Ok(existing().filter(customer_group::Column::Id.eq(id)).one(conn).await?)
}

/// How many groups there are.
pub async fn count_groups(conn: &Conn) -> Result<u64> {
    Ok(existing().count(conn).await?)
}

/// A group, locked until the transaction ends.
pub async fn lock_group(tx: &Tx, id: CustomerGroupId) -> Result<Option<customer_group::Model>> {
    Ok(existing().filter(customer_group::Column::Id.eq(id)).lock_exclusive().one(&tx.conn).await?)
}

/// A group by handle, locked until the transaction ends.
pub async fn lock_group_named(tx: &Tx, handle: &Handle) -> Result<Option<customer_group::Model>> {
    let find = existing().filter(customer_group::Column::Handle.eq(handle.clone()));
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// Writes a new group.
pub async fn insert_group(tx: &mut Tx, row: customer_group::Model) -> Result<customer_group::Model> {
    Ok(row.into_active_model().reset_all().insert(&tx.conn).await?)
}

/// Writes every column of a group.
pub async fn update_group(tx: &mut Tx, row: customer_group::Model) -> Result<customer_group::Model> {
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// Lets customers into a group; who is in stays.
pub async fn add_members(tx: &mut Tx, group: CustomerGroupId, customers: &[CustomerId]) -> Result<()> {
    if customers.is_empty() {
        return Ok(());
    }
    let member = |id: &CustomerId| customer_group_member::ActiveModel { group_id: Set(group), customer_id: Set(*id) };
    customer_group_member::Entity::insert_many(customers.iter().map(member))
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(&tx.conn)
        .await?;
    Ok(())
}

/// Takes customers out of a group.
pub async fn remove_members(tx: &mut Tx, group: CustomerGroupId, customers: &[CustomerId]) -> Result<()> {
    if customers.is_empty() {
        return Ok(());
    }
    customer_group_member::Entity::delete_many()
        .filter(customer_group_member::Column::GroupId.eq(group))
        .filter(any(&tx.conn, customer_group_member::Column::CustomerId, customers.iter().copied()))
        .exec(&tx.conn)
        .await?;
    Ok(())
}

/// Takes everybody out of a group.
pub async fn empty_group(tx: &mut Tx, group: CustomerGroupId) -> Result<()> {
    customer_group_member::Entity::delete_many()
        .filter(customer_group_member::Column::GroupId.eq(group))
        .exec(&tx.conn)
        .await?;
    Ok(())
}

/// The groups of customers by handle.
pub async fn groups_of(conn: &Conn, customers: &[CustomerId]) -> Result<Vec<(CustomerId, customer_group::Model)>> {
    let relation: RelationDef = customer_group_member::Entity::belongs_to(customer_group::Entity)
        .from(customer_group_member::Column::GroupId)
        .to(customer_group::Column::Id)
        .into();
    let rows = customer_group_member::Entity::find()
        .filter(any(conn, customer_group_member::Column::CustomerId, customers.iter().copied()))
        .join(JoinType::InnerJoin, relation)
        .select_also(customer_group::Entity)
        .order_by_asc(customer_group::Column::Handle)
        .all(conn)
        .await?;
    Ok(rows.into_iter().filter_map(|(member, group)| Some((member.customer_id, group?))).collect())
}

/// How many members each group has.
pub async fn member_counts(conn: &Conn, groups: &[CustomerGroupId]) -> Result<Vec<(CustomerGroupId, i64)>> {
    let rows: Vec<(CustomerGroupId, i64)> = customer_group_member::Entity::find()
        .select_only()
        .column(customer_group_member::Column::GroupId)
        .column_as(customer_group_member::Column::CustomerId.count(), "members")
        .filter(any(conn, customer_group_member::Column::GroupId, groups.iter().copied()))
        .group_by(customer_group_member::Column::GroupId)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(rows)
}

/// Takes a customer out of every group.
pub async fn leave_groups(tx: &mut Tx, customer: CustomerId) -> Result<()> {
    let sql = "delete from customer_group_member where customer_id = ?";
    tx.conn.execute_raw(statement(&tx.conn, sql, [Uuid::from(customer).into()])).await?;
    Ok(())
}
