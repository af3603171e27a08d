//! Pages of one table.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::Conn;
use crate::page::{Page, Place, Rows};

/// A page of the rows that `find` lets through, sorted by the first column and
/// where that is equal by the second, which `place` reads from a row; and their
/// number when `count` asks for it.
pub async fn page_of<E, M>(
    conn: &Conn,
    find: Select<E>,
    (key, id): (E::Column, E::Column),
    page: Page,
    count: bool,
    place: impl Fn(&M) -> Place,
) -> Result<Rows<M>, DbErr>
where
    E: EntityTrait<Model = M>,
    M: FromQueryResult + Send + Sync,
{
    let total = if count { Some(find.clone().count(conn).await? as i64) } else { None };
    let rows = find
        .filter(page.condition(Expr::col(key.as_column_ref()), Expr::col(id.as_column_ref())))
        .order_by(key, page.order())
        .order_by(id, page.order())
        .limit(page.limit())
        .offset(page.offset)
        .all(conn)
        .await?;
    let placed = rows.into_iter().map(|row| {
        let place = place(&row);
        (row, place)
    });
    Ok(page.rows(placed.collect(), total))
}
