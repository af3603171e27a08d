//! Lists of products: filtered, sorted, paged by keyset, one statement a page.

use std::mem::{Discriminant, discriminant};

use chrono::{DateTime, Utc};
use domain::catalog::ProductStatus;
use domain::id::{ChannelId, LocationId, ProductId, RegionId};
use entity::product;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, SimpleExpr, UnionType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryResult, QueryTrait, Value,
};
use uuid::Uuid;

use super::look_up::look_up_all;
use super::narrow::narrow;
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
}

/// The condition that a product is published in a channel.
pub fn published(conn: &Conn, channel: ChannelId, now: DateTime<Utc>) -> Condition {
    let sql = "exists (select 1 from product_channel where product_channel.product_id = product.id
        and product_channel.channel_id = ? and product_channel.published_at <= ?)";
    Condition::all()
        .add(product::Column::Status.eq(ProductStatus::Published))
        .add(product::Column::DeletedAt.is_null())
        .add(expression(conn, sql, [Uuid::from(channel).into(), now.into()]))
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
    fn rows(&self, conn: &Conn) -> SelectStatement {
        let key = sort_key(conn, &self.view, self.sort);
        listed(conn, &self.view, self.filter.as_ref(), key, &self.page)
    }

    fn number(&self, conn: &Conn) -> SelectStatement {
        number(conn, &self.view, self.filter.as_ref())
    }
}

/// Asks for a page of the products that a filter lets through.
fn listed(conn: &Conn, view: &View, filter: Option<&Filter>, key: SimpleExpr, page: &Page) -> SelectStatement {
    let id: SimpleExpr = Expr::col(product::Column::Id.as_column_ref());
    let place = page.condition(key.clone(), id.clone());
    let find = product::Entity::find().filter(condition(conn, view, filter)).filter(place);
    let mut select: SelectStatement = find.into_query();
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
/// kind of sort, and one that counts when a list asks for it.
pub async fn pages(conn: &Conn, mut listings: Vec<Listing>) -> Result<Vec<Rows<product::Model>>> {
    look_up_all(conn, listings.iter_mut().map(|listing| (&listing.view, &mut listing.filter)).collect()).await?;
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
    let (score, mut values) = search::repo::score(conn, matching);
    let (time, time_values) = newest(view);
    values.extend(time_values);
    let mut select = listed(conn, view, Some(filter), rank_key(conn, &score, time, values), page);
    // By name: written out again, the score would be worked out twice.
    select.clear_order_by().order_by_expr(Expr::cust("sort_key"), page.order());
    select.order_by_expr(Expr::col(product::Column::Id.as_column_ref()), page.order());
    select
}

fn read(row: &QueryResult, sort: SortKey) -> Result<(product::Model, Place)> {
    let model = product::Model::from_query_result(row, "")?;
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

fn sort_key(conn: &Conn, view: &View, sort: SortKey) -> SimpleExpr {
    match (sort, view.channel) {
        (SortKey::Title, _) => Expr::col(product::Column::TitleFold.as_column_ref()),
        (SortKey::Newest, None) => Expr::col(product::Column::CreatedAt.as_column_ref()),
        (SortKey::Newest, Some(_)) => {
            let (time, values) = newest(view);
            expression(conn, time, values)
        }
        (SortKey::Manual(collection), _) => expression(
            conn,
            "(select collection_product.rank from collection_product
                where collection_product.product_id = product.id and collection_product.collection_id = ?)",
            [Uuid::from(collection).into()],
        ),
        // What has no price in this region comes after everything that has one.
        (SortKey::Price, _) => expression(
            conn,
            "coalesce((select listing_price.min_minor from listing_price
                where listing_price.product_id = product.id and listing_price.channel_id = ?
                and listing_price.region_id = ?), 9007199254740991)",
            [Uuid::from(view.price_channel).into(), Value::from(view.region.map(Uuid::from))],
        ),
    }
}

/// Which of these products meet which of these filters: one statement.
pub async fn meet(
    conn: &Conn,
    view: &View,
    products: &[ProductId],
    filters: &[Filter],
) -> Result<Vec<(ProductId, Vec<bool>)>> {
    if filters.is_empty() {
        return Ok(Vec::new());
    }
    let mut select = Query::select();
    select.expr(Expr::col(product::Column::Id.as_column_ref())).from(product::Entity);
    select.and_where(crate::db::any(conn, product::Column::Id, products.iter().copied()));
    for filter in filters {
        select.expr(Expr::case(narrow(conn, view, filter), 1).finally(0));
    }
    let read = |row: QueryResult| {
        let met = (1..=filters.len()).map(|place| Ok(row.try_get_by_index::<i32>(place)? == 1));
        Ok((row.try_get_by_index(0)?, met.collect::<Result<Vec<_>>>()?))
    };
    conn.query_all(&select).await?.into_iter().map(read).collect()
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
