//! Rows of promotions' codes.

use domain::id::PromotionId;
use entity::promotion_code;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::db::{Conn, any, any_text, insert_all};
use crate::error::Result;
use crate::op::Tx;

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
        .col_expr(promotion_code::Column::DeletedAt, Expr::val(tx.now()).into())
        .filter(promotion_code::Column::PromotionId.eq(promotion))
        .filter(promotion_code::Column::DeletedAt.is_null())
        .exec(&tx.conn)
        .await?;
    Ok(())
}
