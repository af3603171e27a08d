//! Lists of products: filtered, sorted, paged by keyset, one statement a page.

use std::mem::{Discriminant, discriminant};

use chrono::{DateTime, Utc};
use domain::catalog::ProductStatus;
use domain::id::{ChannelId, LocationId, RegionId};
use entity::product;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, SimpleExpr, UnionType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryResult,
    QueryTrait, Value,
};
use uuid::Uuid;

use super::look_up::look_up_all;
use super::narrow::narrow;
use super::placed::product_of;
use super::weigh::{begins_with_few, weigh};
use crate::catalog::listing::{Filter, SortKey};
use crate::db::search::rank_key;
use crate::db::{Conn, expression, statement};
use crate::error::{Error, Result};
use crate::page::{Key, Page, Place, Rows};
use crate::search::{self, Matching};

/// From where a list is seen.
#[derive(Debug, Clone)]
pub struct View {
    /// In which channel; staff see all.
    pub channel: Option<ChannelId>,
    /// For which channel prices are compared.
    pub price_channel: ChannelId,
    /// In which region prices are compared.
    pub region: Option<RegionId>,
    /// Which locations' stock counts.
    pub locations: Vec<LocationId>,
    /// The moment: what is published later is not seen.
    pub now: DateTime<Utc>,
    /// The languages in which texts are looked for, the closest first, before the shop's own.
    pub languages: Vec<String>,
}

/// What must hold of a product wherever it is published.
fn on_sale() -> Condition {
    Condition::all().add(product::Column::Status.eq(ProductStatus::Published)).add(product::Column::DeletedAt.is_null())
}

/// The condition that a product is published in a channel.
pub fn published(conn: &Conn, channel: ChannelId, now: DateTime<Utc>) -> Condition {
    let sql = "exists (select 1 from product_channel where product_channel.product_id = product.id
        and product_channel.channel_id = ? and product_channel.published_at <= ?)";
    on_sale().add(expression(conn, sql, [Uuid::from(channel).into(), now.into()]))
}

/// The condition that a product is seen from here.
pub fn seen(conn: &Conn, view: &View) -> Condition {
    match view.channel {
        Some(channel) => published(conn, channel, view.now),
        None => Condition::all().add(product::Column::DeletedAt.is_null()),
    }
}

/// A list of products that is asked for.
#[derive(Debug, Clone)]
pub struct Listing {
    /// From where it is seen.
    pub view: View,
    /// What the products must be.
    pub filter: Option<Filter>,
    /// What it is sorted by.
    pub sort: SortKey,
    /// Which part of it.
    pub page: Page,
    /// Whether its rows are counted.
    pub count: bool,
}

impl Listing {
    /// Asks for the page.
    pub fn rows(&self, conn: &Conn) -> SelectStatement {
        let few = self.filter.as_ref().is_some_and(begins_with_few);
        let walk = if few { Walk::sorted } else { Walk::along }(conn, &self.view, self.sort);
        let filter = self.filter.as_ref().map(|filter| walked_through(filter, self.sort));
        listed(conn, &self.view, filter.as_ref(), walk, &self.page)
    }

    fn number(&self, conn: &Conn) -> SelectStatement {
        number(conn, &self.view, self.filter.as_ref())
    }
}

/// Asks for a page of the products that a filter lets through.
fn listed(conn: &Conn, view: &View, filter: Option<&Filter>, walk: Walk, page: &Page) -> SelectStatement {
    let Walk { join, key, id, seen } = walk;
    let place = page.condition(key.clone(), id.clone());
    let mut find = product::Entity::find().filter(seen).filter(place);
    if let Some(filter) = filter {
        find = find.filter(narrow(conn, view, filter));
    }
    let mut select: SelectStatement = find.into_query();
    if let Some((table, own)) = join {
        select.join(JoinType::InnerJoin, table, own);
    }
    select
        .expr_as(key.clone(), "sort_key")
        .order_by_expr(key, page.order())
        .order_by_expr(id, page.order())
        .limit(page.limit())
        .offset(page.offset);
    select
}

/// Asks for the number of the products that a filter lets through.
fn number(conn: &Conn, view: &View, filter: Option<&Filter>) -> SelectStatement {
    let count = Expr::col(product::Column::Id.as_column_ref()).count();
    let condition = condition(conn, view, filter);
    Query::select().expr_as(count, "number").from(product::Entity).cond_where(condition).take()
}

fn condition(conn: &Conn, view: &View, filter: Option<&Filter>) -> Condition {
    match filter {
        Some(filter) => seen(conn, view).add(narrow(conn, view, filter)),
        None => seen(conn, view),
    }
}

/// A page of products, and their number when it is asked for.
pub async fn page(
    conn: &Conn,
    view: &View,
    filter: Option<&Filter>,
    sort: SortKey,
    page: Page,
    count: bool,
) -> Result<Rows<product::Model>> {
    let listing = Listing { view: view.clone(), filter: filter.cloned(), sort, page, count };
    let found = pages(conn, vec![listing]).await?.pop();
    found.ok_or_else(|| Error::internal("a list was lost"))
}

/// Pages of several lists, whatever their number in one statement for each
/// kind of sort, one that counts when a list asks for it, and one that weighs
/// what their filters ask for when an index finds it.
pub async fn pages(conn: &Conn, mut listings: Vec<Listing>) -> Result<Vec<Rows<product::Model>>> {
    look_up_all(conn, listings.iter_mut().map(|listing| (&listing.view, &mut listing.filter)).collect()).await?;
    weigh(conn, &mut listings).await?;
    let mut fetched: Vec<Vec<(product::Model, Place)>> = listings.iter().map(|_| Vec::new()).collect();
    let mut kinds: Vec<Discriminant<SortKey>> = Vec::new();
    for listing in &listings {
        if !kinds.contains(&discriminant(&listing.sort)) {
            kinds.push(discriminant(&listing.sort));
        }
    }
    for kind in kinds {
        let own = listings.iter().enumerate().filter(|(_, listing)| discriminant(&listing.sort) == kind);
        let selects = own.map(|(owner, listing)| (owner, listing.rows(conn))).collect();
        for row in stack(conn, selects).await? {
            let owner = usize::try_from(row.try_get::<i32>("", "owner")?).unwrap_or_default();
            if let Some(listing) = listings.get(owner) {
                fetched[owner].push(read(&row, listing.sort)?);
            }
        }
    }
    let mut totals: Vec<Option<i64>> = vec![None; listings.len()];
    let counted = listings.iter().enumerate().filter(|(_, listing)| listing.count);
    let selects: Vec<_> = counted.map(|(owner, listing)| (owner, listing.number(conn))).collect();
    for row in stack(conn, selects).await? {
        let owner = usize::try_from(row.try_get::<i32>("", "owner")?).unwrap_or_default();
        totals[owner] = Some(row.try_get("", "number")?);
    }
    let parts = listings.into_iter().zip(fetched).zip(totals);
    Ok(parts.map(|((listing, rows), total)| listing.page.rows(rows, total)).collect())
}

/// The rows of several statements out of one, each with the number of its
/// `owner`, and each owner's in the order of its statement.
async fn stack(conn: &Conn, selects: Vec<(usize, SelectStatement)>) -> Result<Vec<QueryResult>> {
    let mut stacked: Option<SelectStatement> = None;
    let single = selects.len() == 1;
    for (owner, mut select) in selects {
        // A number in the text, not a value: PostgreSQL can't guess the type of one in a union.
        let owner = Expr::cust(owner.to_string());
        if single {
            stacked = Some(select.expr_as(owner, "owner").take());
            break;
        }
        let mut outer = Query::select();
        outer.expr(Expr::cust("part.*")).expr_as(owner, "owner").from_subquery(select, "part");
        match &mut stacked {
            Some(whole) => {
                whole.union(UnionType::All, outer);
            }
            None => stacked = Some(outer),
        }
    }
    match stacked {
        Some(whole) => Ok(conn.query_all(&whole).await?),
        None => Ok(Vec::new()),
    }
}

/// A page of the products that match best, of equals the newest first.
/// `filter` holds its texts and collections looked up.
pub async fn ranked_page(
    conn: &Conn,
    view: &View,
    matching: &Matching,
    filter: &Filter,
    page: Page,
    count: bool,
) -> Result<Rows<product::Model>> {
    if matching.is_void() {
        return Ok(page.rows(Vec::new(), count.then_some(0)));
    }
    let total = match count {
        true => conn.query_one(&number(conn, view, Some(filter))).await?.map(|row| row.try_get("", "number")),
        false => None,
    };
    let found = conn.query_all(&ranked(conn, view, matching, filter, &page)).await?;
    let read = |row: &QueryResult| {
        let model = product::Model::from_query_result(row, "")?;
        let (key, id) = (Key::Text(row.try_get("", "sort_key")?), model.id.into());
        Ok((model, Place { key, id }))
    };
    Ok(page.rows(found.iter().map(read).collect::<Result<_>>()?, total.transpose()?))
}

/// Asks for a page of the products that match best.
pub fn ranked(conn: &Conn, view: &View, matching: &Matching, filter: &Filter, page: &Page) -> SelectStatement {
    let (score, mut values) = search::repo::score(conn, view, matching);
    let (time, time_values) = newest(view);
    values.extend(time_values);
    let walk = Walk::products(rank_key(conn, &score, time, values), seen(conn, view));
    let mut select = listed(conn, view, Some(filter), walk, page);
    // By name: written out again, the score would be worked out twice.
    select.clear_order_by().order_by_expr(Expr::cust("sort_key"), page.order());
    select.order_by_expr(Expr::col(product::Column::Id.as_column_ref()), page.order());
    select
}

fn read(row: &QueryResult, sort: SortKey) -> Result<(product::Model, Place)> {
    let model = product_of(row)?;
    let key = match sort {
        SortKey::Newest => Key::Time(row.try_get("", "sort_key")?),
        SortKey::Title => Key::Text(row.try_get("", "sort_key")?),
        SortKey::Price | SortKey::Manual(_) => Key::Number(row.try_get("", "sort_key")?),
    };
    let id = model.id.into();
    Ok((model, Place { key, id }))
}

/// When a product came, as somebody who looks from here is told.
fn newest(view: &View) -> (&'static str, Vec<Value>) {
    match view.channel {
        None => ("product.created_at", Vec::new()),
        Some(channel) => (
            "(select product_channel.published_at from product_channel
                where product_channel.product_id = product.id and product_channel.channel_id = ?)",
            vec![Uuid::from(channel).into()],
        ),
    }
}

/// Along what a list is walked. Where the table that brings the order has an
/// index that begins with what is asked for, a page costs what it shows,
/// however long the list is: no row is sorted.
struct Walk {
    /// The table that brings the order and what ties it to its product; none when products bring it themselves.
    join: Option<(&'static str, Condition)>,
    /// What the list is sorted by.
    key: SimpleExpr,
    /// What breaks ties: the product's id, in the table that has the index.
    id: SimpleExpr,
    /// What makes a product be seen, as far as the join doesn't say.
    seen: Condition,
}

impl Walk {
    fn products(key: SimpleExpr, seen: Condition) -> Self {
        Self { join: None, key, id: Expr::col(product::Column::Id.as_column_ref()), seen }
    }

    fn joined(table: &'static str, own: SimpleExpr, key: &'static str, seen: Condition) -> Self {
        let (key, id) = (Expr::col((table, key)), Expr::col((table, "product_id")));
        Self { join: Some((table, Condition::all().add(own))), key, id, seen }
    }

    fn along(conn: &Conn, view: &View, sort: SortKey) -> Self {
        match (sort, view.channel) {
            (SortKey::Title, _) => {
                Self::products(Expr::col(product::Column::TitleFold.as_column_ref()), seen(conn, view))
            }
            (SortKey::Newest, None) => {
                Self::products(Expr::col(product::Column::CreatedAt.as_column_ref()), seen(conn, view))
            }
            (SortKey::Newest, Some(channel)) => {
                let own = "product_channel.product_id = product.id and product_channel.channel_id = ?
                    and product_channel.published_at <= ?";
                let own = expression(conn, own, [Uuid::from(channel).into(), view.now.into()]);
                Self::joined("product_channel", own, "published_at", on_sale())
            }
            (SortKey::Manual(collection), _) => {
                let own = "collection_product.product_id = product.id and collection_product.collection_id = ?";
                let own = expression(conn, own, [Uuid::from(collection).into()]);
                Self::joined("collection_product", own, "rank", seen(conn, view))
            }
            (SortKey::Price, channel) => Self::by_price(conn, view, channel),
        }
    }
}

impl Walk {
    /// Along few products that are sorted: the order is looked up for each of them.
    fn sorted(conn: &Conn, view: &View, sort: SortKey) -> Self {
        let (sql, values) = match sort {
            SortKey::Newest => newest(view),
            SortKey::Price => (
                "coalesce((select listing_price.key_minor from listing_price
                    where listing_price.product_id = product.id and listing_price.channel_id = ?
                    and listing_price.region_id = ?), 9007199254740991)",
                vec![Uuid::from(view.price_channel).into(), Value::from(view.region.map(Uuid::from))],
            ),
            SortKey::Title | SortKey::Manual(_) => return Self::along(conn, view, sort),
        };
        Self::products(expression(conn, sql, values), seen(conn, view))
    }

    /// Along the prices of one channel and region, where every product has a row.
    fn by_price(conn: &Conn, view: &View, channel: Option<ChannelId>) -> Self {
        let Some(region) = view.region else {
            // Nothing has a price where there is no region.
            return Self::products(Expr::cust("9007199254740991"), seen(conn, view));
        };
        let mut own = "listing_price.product_id = product.id and listing_price.channel_id = ?
            and listing_price.region_id = ?"
            .to_owned();
        if channel == Some(view.price_channel) {
            own.push_str(" and listing_price.listed");
        }
        let own = expression(conn, &own, [Uuid::from(view.price_channel).into(), Uuid::from(region).into()]);
        Self::joined("listing_price", own, "key_minor", seen(conn, view))
    }
}

/// The filter without what walking the list asks already.
fn walked_through(filter: &Filter, sort: SortKey) -> Filter {
    match (filter, sort) {
        (Filter::All(parts), SortKey::Manual(collection)) => {
            let listed = Filter::ListedIn(collection);
            let others = parts.iter().filter(|part| **part != listed);
            Filter::All(others.map(|part| walked_through(part, sort)).collect())
        }
        _ => filter.clone(),
    }
}

/// How a store may ask for one product.
#[derive(Debug, Clone)]
pub enum Which {
    /// By id.
    Id(domain::id::ProductId),
    /// By handle.
    Handle(String),
    /// By the number of another system.
    ExternalReference(String),
}

/// One product that is published in a channel; staff, who name no channel, see all.
pub async fn find(
    conn: &Conn,
    which: &Which,
    seen_in: Option<(ChannelId, DateTime<Utc>)>,
) -> Result<Option<product::Model>> {
    let mut find = product::Entity::find().filter(match seen_in {
        Some((channel, now)) => published(conn, channel, now),
        None => Condition::all().add(product::Column::DeletedAt.is_null()),
    });
    find = match which {
        Which::Id(id) => find.filter(product::Column::Id.eq(*id)),
        Which::Handle(handle) => find.filter(product::Column::Handle.eq(handle.as_str())),
        Which::ExternalReference(text) => find.filter(product::Column::ExternalReference.eq(text.as_str())),
    };
    Ok(find.one(conn).await?)
}

/// How many products are not deleted.
pub async fn count(conn: &Conn) -> Result<i64> {
    let row = conn.query_one_raw(statement(conn, "select count(*) from product where deleted_at is null", [])).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0))
}
