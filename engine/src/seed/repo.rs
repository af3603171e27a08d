//! Rows of a shop that is filled: many at once, and how far it is.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use domain::id::{CustomerId, InventoryItemId, LocationId, ProductId, VariantId};
use entity::{customer, product, product_channel, setting, variant};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Value};
use uuid::Uuid;

use crate::db::{Conn, any, statement};
use crate::error::{Error, Result};
use crate::op::Tx;

/// The key under which the settings of the shop remember how far it is.
const MARK: &str = "seed.demo";
/// The most rows of one statement: well below the 32,766 values of SQLite.
const ROWS: usize = 256;
/// How many numbers of variants one statement looks up.
const SKUS: usize = 512;

/// Writes new rows of one table. Their number is taken apart into powers of two, so that there are few texts of
/// statements to prepare, whatever the numbers are.
pub async fn insert<E>(tx: &Tx, rows: Vec<E::Model>) -> Result<()>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: Send,
{
    let mut left = rows.len();
    let mut rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    while left > 0 {
        let some: Vec<E::ActiveModel> = rows.by_ref().take(portion(left)).collect();
        left -= some.len();
        E::insert_many(some).exec_without_returning(&tx.conn).await?;
    }
    Ok(())
}

/// The largest power of two that fits into what is left and into a statement.
fn portion(left: usize) -> usize {
    left.min(ROWS).checked_ilog2().map_or(1, |power| 1 << power)
}

/// How far the shop is filled, in the words of who fills it.
pub async fn mark(conn: &Conn) -> Result<Option<String>> {
    Ok(setting::Entity::find_by_id(MARK.to_owned()).one(conn).await?.map(|row| row.value))
}

/// Notes that the shop is being filled; `false` when somebody else has just done so.
pub async fn begin(tx: &Tx, mark: String) -> Result<bool> {
    let row = setting::ActiveModel { key: Set(MARK.to_owned()), value: Set(mark) };
    let conflict = sea_orm::sea_query::OnConflict::new().do_nothing().to_owned();
    Ok(setting::Entity::insert(row).on_conflict(conflict).exec_without_returning(&tx.conn).await? == 1)
}

/// Moves the note on; `false` when it does not say what it should, so somebody else fills the shop too.
pub async fn advance(tx: &Tx, from: String, to: String) -> Result<bool> {
    let sql = "update setting set value = ? where key = ? and value = ?";
    let values = [to.into(), MARK.into(), from.into()];
    Ok(tx.conn.execute_raw(statement(&tx.conn, sql, values)).await?.rows_affected() == 1)
}

/// How many products, orders and customers there are.
pub async fn held(conn: &Conn) -> Result<(i64, i64, i64)> {
    let sql =
        r#"select (select count(*) from product), (select count(*) from "order"), (select count(*) from customer)"#;
    let row = conn.query_one_raw(statement(conn, sql, [])).await?;
    let row = row.ok_or_else(|| Error::internal("a count gave no row"))?;
    Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?))
}

/// What stands behind the number of a variant.
#[derive(Debug, Clone, Copy)]
pub struct Stocked {
    /// Which product.
    pub product: ProductId,
    /// Which variant.
    pub variant: VariantId,
    /// What it takes from stock.
    pub item: InventoryItemId,
}

/// What stands behind numbers of variants.
pub async fn of_skus(conn: &Conn, skus: &[String]) -> Result<HashMap<String, Stocked>> {
    let marks = vec!["?"; SKUS].join(", ");
    let sql = format!(
        "select variant.sku, variant.product_id, variant.id, variant_item.item_id from variant
            join variant_item on variant_item.variant_id = variant.id
            where variant.deleted_at is null and variant.sku in ({marks})"
    );
    let mut found = HashMap::new();
    for some in skus.chunks(SKUS) {
        // One text whatever their number: the first one stands in the places that are left.
        let values = some.iter().chain(std::iter::repeat(&some[0])).take(SKUS).map(|sku| Value::from(sku.as_str()));
        for row in conn.query_all_raw(statement(conn, &sql, values)).await? {
            let stocked = Stocked {
                product: ProductId(row.try_get_by_index(1)?),
                variant: VariantId(row.try_get_by_index(2)?),
                item: InventoryItemId(row.try_get_by_index(3)?),
            };
            found.insert(row.try_get_by_index(0)?, stocked);
        }
    }
    Ok(found)
}

/// Which customers have accounts with these addresses.
pub async fn accounts(conn: &Conn, emails: &[String]) -> Result<HashMap<String, CustomerId>> {
    let mut found = HashMap::new();
    for some in emails.chunks(SKUS) {
        let emails = some.iter().map(|email| Value::from(email.as_str()));
        let find = customer::Entity::find()
            .filter(customer::Column::Email.is_in(emails))
            .filter(customer::Column::HasAccount.eq(true))
            .filter(customer::Column::DeletedAt.is_null());
        found.extend(find.all(conn).await?.into_iter().map(|row| (row.email.to_string(), row.id)));
    }
    Ok(found)
}

/// Changes what lies at a location and what of it is promised, item by item.
pub async fn change_levels(
    tx: &Tx,
    location: LocationId,
    changes: BTreeMap<InventoryItemId, (i32, i32)>,
    now: DateTime<Utc>,
) -> Result<()> {
    let changes: Vec<_> = changes.into_iter().filter(|(_, change)| *change != (0, 0)).collect();
    let mut rest = changes.as_slice();
    while !rest.is_empty() {
        let (some, others) = rest.split_at(portion(rest.len()));
        rest = others;
        let rows = vec!["(?, ?, ?)"; some.len()].join(", ");
        let sql = format!(
            "update stock_level set stocked = stocked + change.column2, reserved = reserved + change.column3,
                updated_at = ?
            from (values {rows}) as change where stock_level.item_id = change.column1 and stock_level.location_id = ?"
        );
        let mut values: Vec<Value> = vec![now.into()];
        for (item, (stocked, reserved)) in some {
            values.extend([Uuid::from(*item).into(), (*stocked).into(), (*reserved).into()]);
        }
        values.push(Uuid::from(location).into());
        let changed = tx.conn.execute_raw(statement(&tx.conn, &sql, values)).await?.rows_affected();
        if changed != some.len() as u64 {
            return Err(Error::internal("an item has no level where the shop is filled"));
        }
    }
    Ok(())
}

/// Says that products have been there since a moment.
pub async fn backdate(tx: &Tx, products: &[ProductId], at: DateTime<Utc>) -> Result<()> {
    let own = |column: product::Column| any(&tx.conn, column, products.iter().copied());
    product::Entity::update_many()
        .col_expr(product::Column::CreatedAt, Expr::val(at))
        .col_expr(product::Column::UpdatedAt, Expr::val(at))
        .filter(own(product::Column::Id))
        .exec(&tx.conn)
        .await?;
    variant::Entity::update_many()
        .col_expr(variant::Column::CreatedAt, Expr::val(at))
        .col_expr(variant::Column::UpdatedAt, Expr::val(at))
        .filter(any(&tx.conn, variant::Column::ProductId, products.iter().copied()))
        .exec(&tx.conn)
        .await?;
    product_channel::Entity::update_many()
        .col_expr(product_channel::Column::PublishedAt, Expr::val(at))
        .filter(any(&tx.conn, product_channel::Column::ProductId, products.iter().copied()))
        .exec(&tx.conn)
        .await?;
    Ok(())
}

/// Takes so many numbers of orders; answers with the first.
pub async fn take_numbers(tx: &Tx, count: i64) -> Result<i64> {
    let sql = "update counter set value = value + ? where name = 'order_number' returning value";
    let row = tx.conn.query_one_raw(statement(&tx.conn, sql, [count.into()])).await?;
    let last: i64 = row.ok_or_else(|| Error::internal("the counter of orders is gone"))?.try_get_by_index(0)?;
    Ok(last - count + 1)
}
