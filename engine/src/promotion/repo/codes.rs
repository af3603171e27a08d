//! Rows of promotions' codes.

use domain::id::{PromotionCodeId, PromotionId};
use entity::{promotion, promotion_code};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::db::{Conn, any, any_text, insert_all, page_of, statement};
use crate::error::Result;
use crate::op::Tx;
use crate::page::{Key, Page, Place, Rows};

/// Rows that one statement inserts.
const AT_ONCE: usize = 500;

/// Whether its promotion is still there: the codes of one that was deleted go some at a time.
fn of_known() -> SimpleExpr {
    let known = Query::select()
        .column(promotion::Column::Id)
        .from(promotion::Entity)
        .and_where(promotion::Column::DeletedAt.is_null())
        .to_owned();
    promotion_code::Column::PromotionId.in_subquery(known)
}

/// The codes with these texts, in their one form.
pub async fn named(conn: &Conn, codes: &[String]) -> Result<Vec<promotion_code::Model>> {
    Ok(promotion_code::Entity::find()
        .filter(any_text(conn, promotion_code::Column::Code, codes.iter().cloned()))
        .filter(promotion_code::Column::DeletedAt.is_null())
        .filter(of_known())
        .all(conn)
        .await?)
}

/// Takes those out of use that are of promotions that were deleted: somebody wants to give them anew.
pub async fn free(tx: &mut Tx, codes: &[String]) -> Result<()> {
    promotion_code::Entity::update_many()
        .col_expr(promotion_code::Column::DeletedAt, Expr::val(tx.now()))
        .filter(any_text(&tx.conn, promotion_code::Column::Code, codes.iter().cloned()))
        .filter(promotion_code::Column::DeletedAt.is_null())
        .filter(of_known().not())
        .exec(&tx.conn)
        .await?;
    Ok(())
}

/// Writes new codes.
pub async fn insert(tx: &mut Tx, rows: Vec<promotion_code::Model>) -> Result<()> {
    Ok(insert_all::<promotion_code::Entity>(&tx.conn, rows).await?)
}

/// Writes those of new codes that nobody has; answers with how many.
pub async fn insert_new(tx: &mut Tx, rows: Vec<promotion_code::Model>) -> Result<u64> {
    let mut written = 0;
    let mut rows = rows.into_iter().map(IntoActiveModel::into_active_model).peekable();
    while rows.peek().is_some() {
        let some: Vec<promotion_code::ActiveModel> = rows.by_ref().take(AT_ONCE).collect();
        written += promotion_code::Entity::insert_many(some)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&tx.conn)
            .await?;
    }
    Ok(written)
}

/// How many codes promotions have.
pub async fn code_counts(conn: &Conn, promotions: &[PromotionId]) -> Result<Vec<(PromotionId, i64)>> {
    Ok(promotion_code::Entity::find()
        .select_only()
        .column(promotion_code::Column::PromotionId)
        .column_as(promotion_code::Column::Id.count(), "codes")
        .filter(any(conn, promotion_code::Column::PromotionId, promotions.iter().copied()))
        .filter(promotion_code::Column::DeletedAt.is_null())
        .group_by(promotion_code::Column::PromotionId)
        .into_tuple()
        .all(conn)
        .await?)
}

/// How many codes of a promotion that was deleted go in one transaction.
pub const GO: u64 = 2_000;

/// Takes up to [`GO`] codes of a promotion out of use, the oldest first; answers with how many.
pub async fn delete_some(tx: &mut Tx, promotion: PromotionId) -> Result<u64> {
    let most = GO;
    let sql = format!(
        "update promotion_code set deleted_at = ? where id in (select gone.id from promotion_code as gone
            where gone.promotion_id = ? and gone.deleted_at is null order by gone.id limit {most})"
    );
    let values = [tx.now().into(), Uuid::from(promotion).into()];
    Ok(tx.conn.execute_raw(statement(&tx.conn, &sql, values)).await?.rows_affected())
}

/// A promotion that was deleted and has codes in use.
pub async fn any_of_deleted(conn: &Conn) -> Result<Option<PromotionId>> {
    let sql = "select promotion.id from promotion where promotion.deleted_at is not null and exists
        (select 1 from promotion_code where promotion_code.promotion_id = promotion.id
            and promotion_code.deleted_at is null) limit 1";
    let row = conn.query_one_raw(statement(conn, sql, [])).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
}

/// Takes codes out of use; answers with those that were in it.
pub async fn delete(tx: &mut Tx, ids: &[PromotionCodeId]) -> Result<Vec<promotion_code::Model>> {
    let ids = || any(&tx.conn, promotion_code::Column::Id, ids.iter().copied());
    let find = promotion_code::Entity::find().filter(ids()).filter(promotion_code::Column::DeletedAt.is_null());
    let rows = find.lock_exclusive().all(&tx.conn).await?;
    promotion_code::Entity::update_many()
        .col_expr(promotion_code::Column::DeletedAt, Expr::val(tx.now()))
        .filter(ids())
        .filter(promotion_code::Column::DeletedAt.is_null())
        .exec(&tx.conn)
        .await?;
    Ok(rows)
}

/// A page of the codes of a promotion, of one batch or of all, the oldest first.
pub async fn page(
    conn: &Conn,
    promotion: PromotionId,
    batch: Option<&str>,
    page: Page,
    count: bool,
) -> Result<Rows<promotion_code::Model>> {
    let mut find = promotion_code::Entity::find()
        .filter(promotion_code::Column::PromotionId.eq(promotion))
        .filter(promotion_code::Column::DeletedAt.is_null())
        .filter(of_known());
    if let Some(batch) = batch {
        find = find.filter(promotion_code::Column::Batch.eq(batch));
    }
    let place = |row: &promotion_code::Model| Place { key: Key::Time(row.created_at), id: Uuid::from(row.id) };
    let sort = (promotion_code::Column::CreatedAt, promotion_code::Column::Id);
    Ok(page_of(conn, find, sort, page, count, place).await?)
}

/// Whether a promotion has codes of a batch.
pub async fn has_batch(conn: &Conn, promotion: PromotionId, batch: &str) -> Result<bool> {
    let find = promotion_code::Entity::find()
        .filter(promotion_code::Column::PromotionId.eq(promotion))
        .filter(promotion_code::Column::Batch.eq(batch))
        .filter(promotion_code::Column::DeletedAt.is_null());
    Ok(find.one(conn).await?.is_some())
}

/// The codes of a promotion behind one of them, of one batch or of all, the oldest first.
pub async fn behind(
    conn: &Conn,
    (promotion, batch): (PromotionId, Option<&str>),
    after: Option<PromotionCodeId>,
    limit: u64,
) -> Result<Vec<promotion_code::Model>> {
    let mut find = promotion_code::Entity::find()
        .filter(promotion_code::Column::PromotionId.eq(promotion))
        .filter(promotion_code::Column::DeletedAt.is_null())
        .filter(of_known());
    if let Some(batch) = batch {
        find = find.filter(promotion_code::Column::Batch.eq(batch));
    }
    if let Some(after) = after {
        // Ids rise with time.
        find = find.filter(promotion_code::Column::Id.gt(after));
    }
    Ok(find.order_by_asc(promotion_code::Column::Id).limit(limit).all(conn).await?)
}
