//! Which products stand beside others, by hand and by what they share.

use chrono::{DateTime, Utc};
use domain::catalog::ProductStatus;
use domain::id::{ChannelId, ProductId};
use entity::{product, product_channel, product_related};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, RelationDef,
};
use uuid::Uuid;

use crate::db::{Conn, any, statement};
use crate::error::Result;

fn to_product() -> RelationDef {
    product_related::Entity::belongs_to(product::Entity)
        .from(product_related::Column::RelatedId)
        .to(product::Column::Id)
        .into()
}

/// What stands beside products, in order, whoever may see it.
pub async fn of_products(conn: &Conn, products: &[ProductId]) -> Result<Vec<(ProductId, product::Model)>> {
    let rows = product_related::Entity::find()
        .filter(any(conn, product_related::Column::ProductId, products.iter().copied()))
        .filter(product::Column::DeletedAt.is_null())
        .order_by_asc(product_related::Column::Rank)
        .join(JoinType::InnerJoin, to_product())
        .select_also(product::Entity)
        .all(conn)
        .await?;
    Ok(rows.into_iter().filter_map(|(link, product)| Some((link.product_id, product?))).collect())
}

/// A product beside another, with the moment from which on a channel shows it.
pub type Beside = (ProductId, product::Model, DateTime<Utc>);

/// What stands beside products in a channel, in order.
pub async fn in_channel(conn: &Conn, products: &[ProductId], channel: ChannelId) -> Result<Vec<Beside>> {
    let to_related: RelationDef = product::Entity::belongs_to(product_related::Entity)
        .from(product::Column::Id)
        .to(product_related::Column::RelatedId)
        .into();
    let to_channel: RelationDef = product::Entity::belongs_to(product_channel::Entity)
        .from(product::Column::Id)
        .to(product_channel::Column::ProductId)
        .into();
    let mut find = product::Entity::find()
        .join(JoinType::InnerJoin, to_related)
        .join(JoinType::InnerJoin, to_channel)
        .filter(any(conn, product_related::Column::ProductId, products.iter().copied()))
        .filter(product::Column::DeletedAt.is_null())
        .filter(product::Column::Status.eq(ProductStatus::Published))
        .filter(product_channel::Column::ChannelId.eq(channel))
        .order_by_asc(product_related::Column::Rank);
    let select = QueryTrait::query(&mut find);
    select
        .expr_as(Expr::col(product_related::Column::ProductId.as_column_ref()), "beside_id")
        .expr_as(Expr::col(product_channel::Column::PublishedAt.as_column_ref()), "shown_at");
    let rows = conn.query_all(select).await?;
    let read = |row: &sea_orm::QueryResult| {
        let product = product::Model::from_query_result(row, "")?;
        Ok((row.try_get("", "beside_id")?, product, row.try_get("", "shown_at")?))
    };
    rows.iter().map(read).collect()
}

/// Candidates of one kind that are compared: what a type of a hundred thousand
/// products holds is not counted through.
const CANDIDATES: i64 = 200;

/// Products to recommend beside one: those that staff named, in their order,
/// then those that share the most of tags, type and vendor. One statement.
pub async fn recommended(
    conn: &Conn,
    beside: ProductId,
    channel: ChannelId,
    now: DateTime<Utc>,
    first: i64,
) -> Result<Vec<product::Model>> {
    let sql = "select product.* from product join (
            select found.id as id, min(found.place) as place, sum(found.weight) as weight from (
                select related_id as id, rank as place, 0 as weight from product_related where product_id = ?
                union all
                select id, 1000000, 3 from (
                    select other.product_id as id from product_tag own
                    join product_tag other on other.tag_id = own.tag_id
                    where own.product_id = ? order by other.product_id desc limit ?) same_tag
                union all
                select id, 1000000, 2 from (
                    select other.id as id from product own join product other on other.type_id = own.type_id
                    where own.id = ? order by other.id desc limit ?) same_type
                union all
                select id, 1000000, 1 from (
                    select other.id as id from product own join product other on other.vendor = own.vendor
                    where own.id = ? order by other.id desc limit ?) same_vendor
            ) found where found.id <> ? group by found.id
        ) candidate on candidate.id = product.id
        join product_channel on product_channel.product_id = product.id and product_channel.channel_id = ?
        where product.deleted_at is null and product.status = 'PUBLISHED' and product_channel.published_at <= ?
            and exists (select 1 from product own join product_channel own_channel
                on own_channel.product_id = own.id and own_channel.channel_id = product_channel.channel_id
                where own.id = ? and own.deleted_at is null and own.status = 'PUBLISHED'
                and own_channel.published_at <= ?)
        order by candidate.place, candidate.weight desc, product.id desc limit ?";
    let own = || Uuid::from(beside).into();
    let values = [
        own(),
        own(),
        CANDIDATES.into(),
        own(),
        CANDIDATES.into(),
        own(),
        CANDIDATES.into(),
        own(),
        Uuid::from(channel).into(),
        now.into(),
        own(),
        now.into(),
        first.into(),
    ];
    Ok(product::Entity::find().from_raw_sql(statement(conn, sql, values)).all(conn).await?)
}
