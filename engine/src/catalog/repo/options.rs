//! Rows of shared options.

use domain::id::{OptionId, OptionValueId, VariantId};
use domain::text::Handle;
use entity::{option, option_value, product, variant, variant_option_value};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use crate::db::{Conn, insert_all, page_of};
use crate::error::Result;
use crate::op::Tx;
use crate::page::{Key, Page, Place, Rows};

/// A page of options by rank.
pub async fn page(conn: &Conn, page: Page, count: bool) -> Result<Rows<option::Model>> {
    let place = |row: &option::Model| Place { key: Key::Number(row.rank.into()), id: row.id.into() };
    let sort = (option::Column::Rank, option::Column::Id);
    Ok(page_of(conn, option::Entity::find(), sort, page, count, place).await?)
}

/// An option, locked until the transaction ends.
pub async fn lock(tx: &Tx, id: OptionId) -> Result<Option<option::Model>> {
    Ok(option::Entity::find_by_id(id).lock_exclusive().one(&tx.conn).await?)
}

/// The option of this handle, locked until the transaction ends.
pub async fn lock_handle(tx: &Tx, handle: &Handle) -> Result<Option<option::Model>> {
    let find = option::Entity::find().filter(option::Column::Handle.eq(handle.clone()));
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// Writes an option.
pub async fn save(tx: &mut Tx, row: option::Model, new: bool) -> Result<option::Model> {
    if new {
        insert_all::<option::Entity>(&tx.conn, vec![row.clone()]).await?;
        return Ok(row);
    }
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// One value.
pub async fn value(conn: &Conn, id: OptionValueId) -> Result<Option<option_value::Model>> {
    Ok(option_value::Entity::find_by_id(id).one(conn).await?)
}

/// Writes a value.
pub async fn save_value(tx: &mut Tx, row: option_value::Model, new: bool) -> Result<option_value::Model> {
    if new {
        insert_all::<option_value::Entity>(&tx.conn, vec![row.clone()]).await?;
        return Ok(row);
    }
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// Some variants that have a value, by id, behind another.
pub async fn variants_with(
    conn: &Conn,
    value: OptionValueId,
    behind: Option<VariantId>,
    most: u64,
) -> Result<Vec<(variant::Model, Option<product::Model>)>> {
    let link: sea_orm::RelationDef = variant::Entity::belongs_to(variant_option_value::Entity)
        .from(variant::Column::Id)
        .to(variant_option_value::Column::VariantId)
        .into();
    let owner: sea_orm::RelationDef =
        variant::Entity::belongs_to(product::Entity).from(variant::Column::ProductId).to(product::Column::Id).into();
    let mut find = variant::Entity::find()
        .join(sea_orm::JoinType::InnerJoin, link)
        .join(sea_orm::JoinType::InnerJoin, owner)
        .filter(variant_option_value::Column::OptionValueId.eq(value))
        .filter(variant::Column::DeletedAt.is_null());
    if let Some(behind) = behind {
        find = find.filter(Expr::col(variant::Column::Id.as_column_ref()).gt(uuid::Uuid::from(behind)));
    }
    let find = find.order_by_asc(variant::Column::Id).limit(most);
    Ok(find.select_also(product::Entity).all(conn).await?)
}
