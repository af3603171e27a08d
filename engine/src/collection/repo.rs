//! Rows of collections.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::collection::{CollectionKind, MAX_LIST};
use domain::id::{ChannelId, CollectionId, MediaId, ProductId};
use domain::text::Handle;
use entity::{collection, collection_channel, collection_product, media, product};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, UnionType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, Iterable,
    JoinType, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use uuid::Uuid;

use crate::catalog::listing::Named;
use crate::catalog::repo::listing::View;
use crate::catalog::repo::narrow::narrow;
use crate::db::{Conn, any, expression, insert_all, page_of, text_contains};
use crate::error::Result;
use crate::op::Tx;
use crate::page::{Key, Page, Place, Rows};
use crate::settings::RuleCollection;

/// Where and when a collection is seen; staff see all.
pub type SeenIn = Option<(ChannelId, DateTime<Utc>)>;

/// The condition that a collection is to be seen.
fn seen(conn: &Conn, seen_in: SeenIn) -> Condition {
    let there = Condition::all().add(collection::Column::DeletedAt.is_null());
    let Some((channel, now)) = seen_in else { return there };
    let sql = "exists (select 1 from collection_channel where collection_channel.collection_id = collection.id
        and collection_channel.channel_id = ? and collection_channel.published_at <= ?)";
    there.add(expression(conn, sql, [Uuid::from(channel).into(), now.into()]))
}

/// One collection that is to be seen.
pub async fn find(conn: &Conn, which: &Named<CollectionId>, seen_in: SeenIn) -> Result<Option<collection::Model>> {
    Ok(named(conn, std::slice::from_ref(which), seen_in).await?.pop())
}

/// The collections of these names that are to be seen.
pub async fn named(conn: &Conn, names: &[Named<CollectionId>], seen_in: SeenIn) -> Result<Vec<collection::Model>> {
    let mut ids: Vec<CollectionId> = Vec::new();
    let mut handles: Vec<&str> = Vec::new();
    for name in names {
        match name {
            Named::Id(id) => ids.push(*id),
            Named::Handle(handle) => handles.push(handle),
        }
    }
    let mut one_of = Condition::any().add(any(conn, collection::Column::Id, ids));
    if !handles.is_empty() {
        one_of = one_of.add(collection::Column::Handle.is_in(handles));
    }
    Ok(collection::Entity::find().filter(seen(conn, seen_in)).filter(one_of).all(conn).await?)
}

/// What a list of collections is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// When it was made.
    Newest,
    /// Its title in lower case.
    Title,
}

/// What collections must be to be in a list.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Title or handle contain every word of this.
    pub text: Option<String>,
    /// How they come by their products.
    pub kind: Option<CollectionKind>,
    /// They are given to this channel, perhaps from some later moment on.
    pub channel: Option<ChannelId>,
}

/// A page of collections.
pub async fn page(
    conn: &Conn,
    seen_in: SeenIn,
    wanted: &Wanted,
    sort: SortKey,
    page: Page,
    count: bool,
) -> Result<Rows<collection::Model>> {
    let mut condition = seen(conn, seen_in);
    for word in wanted.text.iter().flat_map(|text| text.split_whitespace()) {
        let title = text_contains(collection::Column::TitleFold, word);
        condition = condition.add(Condition::any().add(title).add(text_contains(collection::Column::Handle, word)));
    }
    if let Some(kind) = wanted.kind {
        condition = condition.add(collection::Column::Kind.eq(kind));
    }
    if let Some(channel) = wanted.channel {
        let sql = "exists (select 1 from collection_channel where collection_channel.collection_id = collection.id
            and collection_channel.channel_id = ?)";
        condition = condition.add(expression(conn, sql, [Uuid::from(channel).into()]));
    }
    let column = match sort {
        SortKey::Newest => collection::Column::CreatedAt,
        SortKey::Title => collection::Column::TitleFold,
    };
    let place = |row: &collection::Model| {
        let key = match sort {
            SortKey::Newest => Key::Time(row.created_at),
            SortKey::Title => Key::Text(row.title_fold.clone()),
        };
        Place { key, id: row.id.into() }
    };
    let find = collection::Entity::find().filter(condition);
    Ok(page_of(conn, find, (column, collection::Column::Id), page, count, place).await?)
}

/// The collections of products that are to be seen, by title, at most
/// [`MAX_LIST`] of each: one statement reads those that list them by hand and
/// asks the rules, which the settings hold.
pub async fn of_products(
    conn: &Conn,
    view: &View,
    products: &[ProductId],
    by_rule: &[RuleCollection],
) -> Result<HashMap<ProductId, Vec<Arc<collection::Model>>>> {
    let seen_in = view.channel.map(|channel| (channel, view.now));
    let rules: Vec<&RuleCollection> = by_rule.iter().filter(|rule| rule.is_seen(seen_in)).collect();
    let mut select = listing(conn, seen_in, products);
    if !rules.is_empty() {
        // A row of the first half answers no rule, one of the second is no list.
        for _ in &rules {
            select.expr(Expr::cust("0"));
        }
        select.union(UnionType::All, meeting(conn, view, products, &rules));
    }
    let mut found: HashMap<ProductId, Vec<Arc<collection::Model>>> = HashMap::new();
    for row in conn.query_all(&select).await? {
        let of = found.entry(row.try_get("", "member")?).or_default();
        if row.try_get::<Option<CollectionId>>("", "id")?.is_some() {
            of.push(Arc::new(collection::Model::from_query_result(&row, "")?));
            continue;
        }
        for (place, rule) in rules.iter().enumerate() {
            if row.try_get_by_index::<i32>(collection::Column::iter().count() + 1 + place)? == 1 {
                of.push(rule.row.clone());
            }
        }
    }
    for rows in found.values_mut() {
        rows.sort_by(|a, b| (&a.title_fold, a.id).cmp(&(&b.title_fold, b.id)));
        rows.truncate(MAX_LIST);
    }
    Ok(found)
}

/// Asks for the collections that list products by hand, each with its `member`.
fn listing(conn: &Conn, seen_in: SeenIn, products: &[ProductId]) -> SelectStatement {
    let own = Expr::col(collection_product::Column::CollectionId.as_column_ref())
        .eq(Expr::col(collection::Column::Id.as_column_ref()));
    let listed = any(conn, collection_product::Column::ProductId, products.iter().copied());
    let mut find = collection::Entity::find()
        .filter(seen(conn, seen_in))
        .filter(collection::Column::Kind.eq(CollectionKind::Manual))
        .filter(listed);
    let select: &mut SelectStatement = QueryTrait::query(&mut find);
    select
        .join(JoinType::InnerJoin, collection_product::Entity, Condition::all().add(own))
        .expr_as(Expr::col(collection_product::Column::ProductId.as_column_ref()), "member");
    select.take()
}

/// Asks which products meet which rules, in the shape of [`listing`]: where
/// that has a collection, nothing; behind the `member`, 1 for each rule met.
fn meeting(conn: &Conn, view: &View, products: &[ProductId], rules: &[&RuleCollection]) -> SelectStatement {
    let mut select = Query::select();
    for _ in collection::Column::iter() {
        select.expr(Expr::cust("null"));
    }
    select.expr(Expr::col(product::Column::Id.as_column_ref())).from(product::Entity);
    for rule in rules {
        let filter = super::members(&rule.row, view.now);
        select.expr(Expr::case(narrow(conn, view, &filter), 1).finally(0));
    }
    select.and_where(any(conn, product::Column::Id, products.iter().copied())).take()
}

/// Every collection whose products a rule chooses, and where it is shown.
pub async fn by_rule(conn: &Conn) -> Result<Vec<RuleCollection>> {
    let find = collection::Entity::find()
        .filter(collection::Column::Kind.eq(CollectionKind::Rules))
        .filter(collection::Column::DeletedAt.is_null())
        .order_by_asc(collection::Column::Id);
    let rows = find.all(conn).await?;
    let channels = match rows.is_empty() {
        true => Vec::new(),
        false => channels_of(conn, &rows.iter().map(|row| row.id).collect::<Vec<_>>()).await?,
    };
    let shown = |id: CollectionId| {
        let own = channels.iter().filter(move |row| row.collection_id == id);
        own.map(|row| (row.channel_id, row.published_at)).collect()
    };
    Ok(rows.into_iter().map(|row| RuleCollection { channels: shown(row.id), row: Arc::new(row) }).collect())
}

/// In which channels collections are published.
pub async fn channels_of(conn: &Conn, collections: &[CollectionId]) -> Result<Vec<collection_channel::Model>> {
    Ok(collection_channel::Entity::find()
        .filter(any(conn, collection_channel::Column::CollectionId, collections.iter().copied()))
        .order_by_asc(collection_channel::Column::ChannelId)
        .all(conn)
        .await?)
}

/// Media by id.
pub async fn media_by_ids(conn: &Conn, ids: &[MediaId]) -> Result<Vec<media::Model>> {
    Ok(media::Entity::find().filter(any(conn, media::Column::Id, ids.iter().copied())).all(conn).await?)
}

/// How many collections there are, and how many of them by rule.
pub async fn count(conn: &Conn) -> Result<(u64, u64)> {
    let all = collection::Entity::find().filter(collection::Column::DeletedAt.is_null());
    let by_rule = all.clone().filter(collection::Column::Kind.eq(CollectionKind::Rules));
    Ok((all.count(conn).await?, by_rule.count(conn).await?))
}

/// A collection, locked until the transaction ends.
pub async fn lock(tx: &Tx, id: CollectionId) -> Result<Option<collection::Model>> {
    let find = collection::Entity::find_by_id(id).filter(collection::Column::DeletedAt.is_null());
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// The collection of this handle, locked until the transaction ends.
pub async fn lock_handle(tx: &Tx, handle: &Handle) -> Result<Option<collection::Model>> {
    let find = collection::Entity::find().filter(collection::Column::DeletedAt.is_null());
    Ok(find.filter(collection::Column::Handle.eq(handle.clone())).lock_exclusive().one(&tx.conn).await?)
}

/// Writes every column of a collection.
pub async fn save(tx: &mut Tx, row: collection::Model, new: bool) -> Result<collection::Model> {
    let row = row.into_active_model().reset_all();
    Ok(if new { row.insert(&tx.conn).await? } else { row.update(&tx.conn).await? })
}

/// Writes a new medium.
pub async fn insert_media(tx: &mut Tx, row: media::Model) -> Result<()> {
    Ok(insert_all::<media::Entity>(&tx.conn, vec![row]).await?)
}

/// Replaces the channels of a collection.
pub async fn replace_channels(tx: &mut Tx, id: CollectionId, rows: Vec<collection_channel::Model>) -> Result<()> {
    collection_channel::Entity::delete_many()
        .filter(collection_channel::Column::CollectionId.eq(id))
        .exec(&tx.conn)
        .await?;
    Ok(insert_all::<collection_channel::Entity>(&tx.conn, rows).await?)
}

/// The products that a collection lists by hand, in order, with their ranks.
pub async fn listed(conn: &Conn, id: CollectionId) -> Result<Vec<(ProductId, i64)>> {
    // A product that was deleted while it was put here has no place any more.
    let there = "exists (select 1 from product where product.id = collection_product.product_id
        and product.deleted_at is null)";
    let rows = collection_product::Entity::find()
        .filter(collection_product::Column::CollectionId.eq(id))
        .filter(expression(conn, there, []))
        .order_by_asc(collection_product::Column::Rank)
        .order_by_asc(collection_product::Column::ProductId)
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.product_id, row.rank)).collect())
}

/// Puts products into a collection at these ranks; those that it has already move there.
pub async fn put(tx: &mut Tx, id: CollectionId, products: &[(ProductId, i64)]) -> Result<()> {
    let moved: Vec<ProductId> = products.iter().map(|(product, _)| *product).collect();
    take_out(tx, id, &moved).await?;
    let row = |(product_id, rank): &(ProductId, i64)| collection_product::Model {
        collection_id: id,
        product_id: *product_id,
        rank: *rank,
    };
    Ok(insert_all::<collection_product::Entity>(&tx.conn, products.iter().map(row).collect()).await?)
}

/// Takes products out of a collection.
pub async fn take_out(tx: &mut Tx, id: CollectionId, products: &[ProductId]) -> Result<()> {
    collection_product::Entity::delete_many()
        .filter(collection_product::Column::CollectionId.eq(id))
        .filter(any(&tx.conn, collection_product::Column::ProductId, products.iter().copied()))
        .exec(&tx.conn)
        .await?;
    Ok(())
}

/// Takes all products out of a collection.
pub async fn empty(tx: &mut Tx, id: CollectionId) -> Result<()> {
    let own = collection_product::Column::CollectionId.eq(id);
    collection_product::Entity::delete_many().filter(own).exec(&tx.conn).await?;
    Ok(())
}

/// Takes a product out of all collections.
pub async fn forget_product(tx: &mut Tx, product: ProductId) -> Result<()> {
    let own = collection_product::Column::ProductId.eq(product);
    collection_product::Entity::delete_many().filter(own).exec(&tx.conn).await?;
    Ok(())
}
