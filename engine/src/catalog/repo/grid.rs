//! Variants of all products in one list, for staff.

use chrono::{DateTime, Utc};
use domain::catalog::StockState;
use domain::id::{ProductId, VariantId};
use entity::{product, product_type, tag, variant};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryTrait};

use crate::db::{Conn, any, expression, lower_contains, text_contains};
use crate::error::Result;
use crate::page::{Key, Page, Place, Rows};

/// What variants must be to be in the list; all that is named holds at once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GridFilter {
    /// One of these numbers of the merchant's.
    pub skus: Option<Vec<String>>,
    /// One of these barcodes.
    pub barcodes: Option<Vec<String>>,
    /// Of one of these products.
    pub products: Option<Vec<ProductId>>,
    /// SKU, title or product contain every word.
    pub text: Option<String>,
    /// What lies of it.
    pub stock: Option<StockState>,
    /// Changed at this moment or later.
    pub updated_since: Option<DateTime<Utc>>,
}

/// What the list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GridSort {
    /// The merchant's number in lower case; none comes first.
    Sku,
    /// When it was changed last.
    Updated,
    /// When it was made.
    Newest,
}

/// How one variant is named.
#[derive(Debug, Clone)]
pub enum WhichVariant {
    /// By id.
    Id(VariantId),
    /// By the merchant's number.
    Sku(String),
    /// By the number of another system.
    ExternalReference(String),
}

/// One variant that is not deleted.
pub async fn find(conn: &Conn, which: &WhichVariant) -> Result<Option<variant::Model>> {
    let find = variant::Entity::find().filter(variant::Column::DeletedAt.is_null());
    let find = match which {
        WhichVariant::Id(id) => find.filter(variant::Column::Id.eq(*id)),
        WhichVariant::Sku(sku) => find.filter(variant::Column::Sku.eq(sku.as_str())),
        WhichVariant::ExternalReference(text) => find.filter(variant::Column::ExternalReference.eq(text.as_str())),
    };
    Ok(find.one(conn).await?)
}

/// A page of variants, and their number when it is asked for.
pub async fn page(
    conn: &Conn,
    filter: &GridFilter,
    sort: GridSort,
    page: Page,
    count: bool,
) -> Result<Rows<variant::Model>> {
    let condition = narrow(conn, filter);
    let total = match count {
        true => {
            use sea_orm::PaginatorTrait;
            Some(variant::Entity::find().filter(condition.clone()).count(conn).await? as i64)
        }
        false => None,
    };
    let rows = conn.query_all(&select(condition, sort, &page)).await?;
    let read = |row: &sea_orm::QueryResult| {
        let row = variant::Model::from_query_result(row, "")?;
        let key = match sort {
            GridSort::Sku => Key::Text(row.sku_fold.clone()),
            GridSort::Updated => Key::Time(row.updated_at),
            GridSort::Newest => Key::Time(row.created_at),
        };
        let place = Place { key, id: row.id.into() };
        Ok((row, place))
    };
    let rows = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    Ok(page.rows(rows, total))
}

fn select(condition: Condition, sort: GridSort, page: &Page) -> SelectStatement {
    let column = match sort {
        GridSort::Sku => variant::Column::SkuFold,
        GridSort::Updated => variant::Column::UpdatedAt,
        GridSort::Newest => variant::Column::CreatedAt,
    };
    let key: SimpleExpr = Expr::col(column.as_column_ref());
    let id: SimpleExpr = Expr::col(variant::Column::Id.as_column_ref());
    let mut find = variant::Entity::find().filter(condition).filter(page.condition(key.clone(), id.clone()));
    let select: &mut SelectStatement = QueryTrait::query(&mut find);
    let select = select.order_by_expr(key, page.order()).order_by_expr(id, page.order());
    select.limit(page.limit()).offset(page.offset).to_owned()
}

/// The statement of a page, for those who ask how it is planned.
pub fn statement(conn: &Conn, filter: &GridFilter, sort: GridSort, page: &Page) -> SelectStatement {
    select(narrow(conn, filter), sort, page)
}

fn narrow(conn: &Conn, filter: &GridFilter) -> Condition {
    let mut whole = Condition::all().add(variant::Column::DeletedAt.is_null());
    if let Some(skus) = &filter.skus {
        whole = whole.add(variant::Column::Sku.is_in(skus.iter().cloned()));
    }
    if let Some(barcodes) = &filter.barcodes {
        whole = whole.add(variant::Column::Barcode.is_in(barcodes.iter().cloned()));
    }
    if let Some(products) = &filter.products {
        whole = whole.add(any(conn, variant::Column::ProductId, products.iter().copied()));
    }
    for word in filter.text.iter().flat_map(|text| text.split_whitespace()) {
        whole = whole.add(
            Condition::any()
                .add(text_contains(variant::Column::SkuFold, word))
                .add(text_contains(variant::Column::Barcode, word))
                .add(of_product(conn, word)),
        );
    }
    if let Some(since) = filter.updated_since {
        whole = whole.add(variant::Column::UpdatedAt.gte(since));
    }
    match filter.stock {
        None => whole,
        Some(StockState::NotCounted) => whole.add(variant::Column::ManageInventory.eq(false)),
        Some(StockState::InStock) => whole.add(variant::Column::ManageInventory.eq(true)).add(in_stock(conn)),
        Some(StockState::OutOfStock) => whole.add(variant::Column::ManageInventory.eq(true)).add(in_stock(conn).not()),
    }
}

/// Title, handle, subtitle, vendor, type or a tag of its product contains a word.
fn of_product(conn: &Conn, word: &str) -> SimpleExpr {
    let there = |table: &'static str, own: &str, fold: SimpleExpr| {
        let mut inner = Query::select();
        inner.expr(Expr::val(1)).from(table).and_where(expression(conn, own, [])).and_where(fold);
        Expr::exists(inner)
    };
    let tagged = "tag.id in (select product_tag.tag_id from product_tag where product_tag.product_id = product.id)";
    let named = Condition::any()
        .add(text_contains(product::Column::TitleFold, word))
        .add(text_contains(product::Column::Handle, word))
        .add(lower_contains(product::Column::Subtitle, word))
        .add(lower_contains(product::Column::Vendor, word))
        .add(there(
            "product_type",
            "product_type.id = product.type_id",
            text_contains(product_type::Column::Fold, word),
        ))
        .add(there("tag", tagged, text_contains(tag::Column::Fold, word)));
    let mut inner = Query::select();
    inner.expr(Expr::val(1)).from("product");
    Expr::exists(inner.and_where(expression(conn, "product.id = variant.product_id", [])).cond_where(named).take())
}

/// All its items allow one piece at least, all locations together.
fn in_stock(conn: &Conn) -> SimpleExpr {
    let sql = "(exists (select 1 from variant_item where variant_item.variant_id = variant.id)
        and not exists (select 1 from variant_item where variant_item.variant_id = variant.id
            and variant_item.required_quantity > coalesce((
                select sum(case when stock_level.stocked - stock_level.reserved > stock_level.safety
                    then stock_level.stocked - stock_level.reserved - stock_level.safety else 0 end) from stock_level
                where stock_level.item_id = variant_item.item_id), 0)))";
    expression(conn, sql, [])
}
