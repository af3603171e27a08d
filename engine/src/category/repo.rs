//! Rows of categories.

use domain::category::{Node, Tree};
use domain::id::{CategoryId, ProductId};
use domain::text::Handle;
use entity::{category, product_category};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, JoinType, QueryFilter,
    QueryOrder, QuerySelect, RelationDef, Value,
};
use uuid::Uuid;

use crate::catalog::listing::Named;
use crate::db::{Conn, any, expression, insert_all, page_of, statement, text_contains};
use crate::error::Result;
use crate::op::Tx;
use crate::page::{Key, Page, Place, Rows};

/// The condition that shoppers see a `category`: it and all above it are active.
pub const SHOWN: &str = "not exists (select 1 from category as up where not up.active and up.deleted_at is null
    and category.path >= up.path and category.path < up.path || '~')";

fn seen(conn: &Conn, shown: bool) -> Condition {
    let there = Condition::all().add(category::Column::DeletedAt.is_null());
    if shown { there.add(expression(conn, SHOWN, [])) } else { there }
}

/// One category; `shown` asks for what shoppers see.
pub async fn find(conn: &Conn, which: &Named<CategoryId>, shown: bool) -> Result<Option<category::Model>> {
    let find = category::Entity::find().filter(seen(conn, shown));
    let find = match which {
        Named::Id(id) => find.filter(category::Column::Id.eq(*id)),
        Named::Handle(handle) => find.filter(category::Column::Handle.eq(handle.as_str())),
    };
    Ok(find.one(conn).await?)
}

/// The categories of these names; `shown` asks for what shoppers see.
pub async fn named(conn: &Conn, names: &[Named<CategoryId>], shown: bool) -> Result<Vec<category::Model>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let ids = names.iter().filter_map(|name| match name {
        Named::Id(id) => Some(*id),
        Named::Handle(_) => None,
    });
    let handles = names.iter().filter_map(|name| match name {
        Named::Id(_) => None,
        Named::Handle(handle) => Some(handle.as_str()),
    });
    let own = Condition::any().add(any(conn, category::Column::Id, ids)).add(category::Column::Handle.is_in(handles));
    Ok(category::Entity::find().filter(seen(conn, shown)).filter(own).all(conn).await?)
}

/// Categories by id that are not deleted.
pub async fn by_ids(conn: &Conn, ids: &[CategoryId]) -> Result<Vec<category::Model>> {
    let own = any(conn, category::Column::Id, ids.iter().copied());
    Ok(category::Entity::find().filter(seen(conn, false)).filter(own).all(conn).await?)
}

/// The categories at the top, in order.
pub async fn top(conn: &Conn, shown: bool) -> Result<Vec<category::Model>> {
    let find = category::Entity::find().filter(seen(conn, shown)).filter(category::Column::ParentId.is_null());
    Ok(find.order_by_asc(category::Column::Rank).order_by_asc(category::Column::Id).all(conn).await?)
}

/// The categories directly below these, in order.
pub async fn children_of(conn: &Conn, parents: &[CategoryId], shown: bool) -> Result<Vec<category::Model>> {
    Ok(category::Entity::find()
        .filter(seen(conn, shown))
        .filter(any(conn, category::Column::ParentId, parents.iter().copied()))
        .order_by_asc(category::Column::Rank)
        .order_by_asc(category::Column::Id)
        .all(conn)
        .await?)
}

/// The categories of products, the main one first.
pub async fn of_products(
    conn: &Conn,
    products: &[ProductId],
    shown: bool,
) -> Result<Vec<(ProductId, category::Model)>> {
    let relation: RelationDef = product_category::Entity::belongs_to(category::Entity)
        .from(product_category::Column::CategoryId)
        .to(category::Column::Id)
        .into();
    let links = product_category::Entity::find()
        .filter(any(conn, product_category::Column::ProductId, products.iter().copied()))
        .filter(seen(conn, shown))
        .order_by_asc(product_category::Column::Rank)
        .join(JoinType::InnerJoin, relation)
        .select_also(category::Entity)
        .all(conn)
        .await?;
    Ok(links.into_iter().filter_map(|(link, category)| Some((link.product_id, category?))).collect())
}

/// What a list of categories is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// Its place among its siblings.
    Position,
    /// Its title in lower case.
    Title,
    /// When it was made.
    Newest,
}

/// Below what categories stand that are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Below {
    /// Anywhere.
    #[default]
    Anywhere,
    /// At the top.
    Top,
    /// Directly below this one.
    Parent(CategoryId),
}

/// What categories must be to be in a list.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Title or handle contain every word of this.
    pub text: Option<String>,
    /// Where they stand.
    pub below: Below,
    /// Whether they themselves are active.
    pub active: Option<bool>,
}

/// A page of categories as staff see them.
pub async fn page(
    conn: &Conn,
    wanted: &Wanted,
    sort: SortKey,
    page: Page,
    count: bool,
) -> Result<Rows<category::Model>> {
    let mut condition = seen(conn, false);
    for word in wanted.text.iter().flat_map(|text| text.split_whitespace()) {
        let title = text_contains(category::Column::TitleFold, word);
        condition = condition.add(Condition::any().add(title).add(text_contains(category::Column::Handle, word)));
    }
    condition = match wanted.below {
        Below::Anywhere => condition,
        Below::Top => condition.add(category::Column::ParentId.is_null()),
        Below::Parent(id) => condition.add(category::Column::ParentId.eq(id)),
    };
    if let Some(active) = wanted.active {
        condition = condition.add(category::Column::Active.eq(active));
    }
    let column = match sort {
        SortKey::Position => category::Column::Rank,
        SortKey::Title => category::Column::TitleFold,
        SortKey::Newest => category::Column::CreatedAt,
    };
    let place = |row: &category::Model| {
        let key = match sort {
            SortKey::Position => Key::Number(row.rank),
            SortKey::Title => Key::Text(row.title_fold.clone()),
            SortKey::Newest => Key::Time(row.created_at),
        };
        Place { key, id: row.id.into() }
    };
    let find = category::Entity::find().filter(condition);
    Ok(page_of(conn, find, (column, category::Column::Id), page, count, place).await?)
}

/// The whole tree, locked until the transaction ends: where a category may
/// stand depends on all of them.
pub async fn lock_tree(tx: &Tx) -> Result<Tree> {
    let there = category::Entity::find().filter(category::Column::DeletedAt.is_null());
    let ids = there.clone().select_only().column(category::Column::Id).order_by_asc(category::Column::Id);
    ids.lock_exclusive().into_tuple::<CategoryId>().all(&tx.conn).await?;
    // Read again: what was made while this waited for the lock is there by now.
    let rows = there
        .select_only()
        .column(category::Column::Id)
        .column(category::Column::ParentId)
        .column(category::Column::Rank)
        .into_tuple::<(CategoryId, Option<CategoryId>, i64)>()
        .all(&tx.conn)
        .await?;
    Ok(Tree::new(rows.into_iter().map(|(id, parent, rank)| Node { id, parent, rank })))
}

/// The category of this handle.
pub async fn find_handle(conn: &Conn, handle: &Handle) -> Result<Option<category::Model>> {
    find(conn, &Named::Handle(handle.to_string()), false).await
}

/// Writes every column of a category.
pub async fn save(tx: &mut Tx, row: category::Model, new: bool) -> Result<category::Model> {
    let row = row.into_active_model().reset_all();
    Ok(if new { row.insert(&tx.conn).await? } else { row.update(&tx.conn).await? })
}

/// Moves the siblings below `parent` from `from` on by `by` places, but not `except`.
pub async fn shift(tx: &mut Tx, parent: Option<CategoryId>, except: CategoryId, from: i64, by: i64) -> Result<()> {
    let mut values: Vec<Value> = vec![by.into(), from.into(), Uuid::from(except).into()];
    let below = match parent {
        Some(parent) => {
            values.push(Uuid::from(parent).into());
            "parent_id = ?"
        }
        None => "parent_id is null",
    };
    let sql =
        format!("update category set rank = rank + ? where rank >= ? and id <> ? and deleted_at is null and {below}");
    tx.conn.execute_raw(statement(&tx.conn, &sql, values)).await?;
    Ok(())
}

/// Gives everything below a category that moved its new path.
pub async fn move_branch(tx: &mut Tx, before: &str, after: &str) -> Result<()> {
    let sql = "update category set path = ? || substr(path, ?) where path >= ? and path < ?";
    let rest = i32::try_from(before.len() + 1).unwrap_or(i32::MAX);
    let values = [after.into(), rest.into(), before.into(), format!("{before}~").into()];
    tx.conn.execute_raw(statement(&tx.conn, sql, values)).await?;
    Ok(())
}

/// Replaces the categories of a product.
pub async fn replace_of_product(tx: &mut Tx, product: ProductId, categories: &[CategoryId]) -> Result<()> {
    let own = product_category::Column::ProductId.eq(product);
    product_category::Entity::delete_many().filter(own).exec(&tx.conn).await?;
    let row = |(category_id, rank): (&CategoryId, i64)| product_category::Model {
        product_id: product,
        category_id: *category_id,
        rank,
    };
    let rows = categories.iter().zip(0..).map(row).collect();
    Ok(insert_all::<product_category::Entity>(&tx.conn, rows).await?)
}

/// Takes all products out of a category.
pub async fn empty(tx: &mut Tx, id: CategoryId) -> Result<()> {
    let own = product_category::Column::CategoryId.eq(id);
    product_category::Entity::delete_many().filter(own).exec(&tx.conn).await?;
    Ok(())
}
