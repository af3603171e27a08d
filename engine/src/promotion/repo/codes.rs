//! Rows of promotions' codes.

use domain::id::{PromotionCodeId, PromotionId};
use entity::promotion_code;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::db::{Conn, any, any_text, insert_all, page_of};
use crate::error::Result;
use crate::op::Tx;
use crate::page::{Key, Page, Place, Rows};

/// The codes with these texts, in their one form.
pub async fn named(conn: &Conn, codes: &[String]) -> Result<Vec<promotion_code::Model>> {
    Ok(promotion_code::Entity::find()
        .filter(any_text(conn, promotion_code::Column::Code, codes.iter().cloned()))
        .filter(promotion_code::Column::DeletedAt.is_null())
        .all(conn)
        .await?)
}

/// Writes new codes.
pub async fn insert(tx: &mut Tx, rows: Vec<promotion_code::Model>) -> Result<()> {
    Ok(insert_all::<promotion_code::Entity>(&tx.conn, rows).await?)
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

/// Takes the codes of a promotion out of use: each may be given anew.
pub async fn delete_codes(tx: &mut Tx, promotion: PromotionId) -> Result<()> {
    promotion_code::Entity::update_many()
        .col_expr(promotion_code::Column::DeletedAt, Expr::val(tx.now()))
        .filter(promotion_code::Column::PromotionId.eq(promotion))
        .filter(promotion_code::Column::DeletedAt.is_null())
        .exec(&tx.conn)
        .await?;
    Ok(())
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
        .filter(promotion_code::Column::DeletedAt.is_null());
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
        .filter(promotion_code::Column::DeletedAt.is_null());
    if let Some(batch) = batch {
        find = find.filter(promotion_code::Column::Batch.eq(batch));
    }
    if let Some(after) = after {
        // Ids rise with time.
        find = find.filter(promotion_code::Column::Id.gt(after));
    }
    Ok(find.order_by_asc(promotion_code::Column::Id).limit(limit).all(conn).await?)
}
