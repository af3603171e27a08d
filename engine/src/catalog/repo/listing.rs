//! Lists of products: filtered, sorted, paged by keyset, one statement a page.

use chrono::{DateTime, Utc};
use domain::catalog::ProductStatus;
use domain::id::{ChannelId, LocationId, RegionId};
use domain::search::Query;
use entity::product;
use sea_orm::sea_query::{Expr, ExprTrait, SelectStatement, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryResult, QueryTrait, Value,
};
use uuid::Uuid;

use crate::catalog::listing::{Filter, SortKey, spelling};
use crate::db::search::rank_key;
use crate::db::{Conn, expression, statement};
use crate::error::Result;
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

/// A page of products, and their number when it is asked for.
pub async fn page(
    conn: &Conn,
    view: &View,
    filter: Option<&Filter>,
    sort: SortKey,
    page: Page,
    count: bool,
) -> Result<Rows<product::Model>> {
    let filter = look_up(conn, view, filter).await?;
    let total = total(conn, view, filter.as_ref(), count).await?;
    let select = listed(conn, view, filter.as_ref(), sort_key(conn, view, sort), &page);
    let read_key = |row: &QueryResult| {
        Ok(match sort {
            SortKey::Newest => Key::Time(row.try_get("", "sort_key")?),
            SortKey::Title => Key::Text(row.try_get("", "sort_key")?),
            SortKey::Price => Key::Number(row.try_get("", "sort_key")?),
        })
    };
    Ok(page.rows(fetch(conn, &select, read_key).await?, total))
}

/// A page of the products that match best, of equals the newest first.
/// `filter` holds its texts looked up.
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
    let total = total(conn, view, Some(filter), count).await?;
    let select = ranked(conn, view, matching, filter, &page);
    let read_key = |row: &QueryResult| Ok(Key::Text(row.try_get("", "sort_key")?));
    Ok(page.rows(fetch(conn, &select, read_key).await?, total))
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

/// The filter with its texts looked up: one statement when it has any.
pub async fn look_up(conn: &Conn, view: &View, filter: Option<&Filter>) -> Result<Option<Filter>> {
    let Some(filter) = filter else { return Ok(None) };
    let texts = filter.texts();
    if texts.is_empty() {
        return Ok(Some(filter.clone()));
    }
    let queries: Vec<Query> = texts.into_iter().map(Query::read).collect::<Result<_, _>>()?;
    let found = search::repo::resolve(conn, view, &queries).await?;
    let mut found = queries.iter().zip(found).map(|(query, matching)| match query.blank {
        true => Filter::All(Vec::new()),
        false => Filter::Matches(matching),
    });
    Ok(Some(filter.with_matches(&mut found)))
}

/// Asks for a page of the products that a filter lets through.
fn listed(conn: &Conn, view: &View, filter: Option<&Filter>, key: SimpleExpr, page: &Page) -> SelectStatement {
    let mut condition = seen(conn, view);
    if let Some(filter) = filter {
        condition = condition.add(narrow(conn, view, filter));
    }
    let id: SimpleExpr = Expr::col(product::Column::Id.as_column_ref());
    let find = product::Entity::find().filter(condition).filter(page.condition(key.clone(), id.clone()));
    let mut select: SelectStatement = find.into_query();
    select
        .expr_as(key.clone(), "sort_key")
        .order_by_expr(key, page.order())
        .order_by_expr(id, page.order())
        .limit(page.limit())
        .offset(page.offset);
    select
}

async fn fetch(
    conn: &Conn,
    select: &SelectStatement,
    read_key: impl Fn(&QueryResult) -> Result<Key>,
) -> Result<Vec<(product::Model, Place)>> {
    let read = |row: &QueryResult| {
        let model = product::Model::from_query_result(row, "")?;
        let id = model.id.into();
        Ok((model, Place { key: read_key(row)?, id }))
    };
    conn.query_all(select).await?.iter().map(read).collect()
}

async fn total(conn: &Conn, view: &View, filter: Option<&Filter>, count: bool) -> Result<Option<i64>> {
    use sea_orm::PaginatorTrait;
    if !count {
        return Ok(None);
    }
    let mut condition = seen(conn, view);
    if let Some(filter) = filter {
        condition = condition.add(narrow(conn, view, filter));
    }
    Ok(Some(product::Entity::find().filter(condition).count(conn).await? as i64))
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

/// The lowest price of a product; null when it has none here.
pub fn lowest_price(conn: &Conn, view: &View) -> SimpleExpr {
    expression(
        conn,
        "(select listing_price.min_minor from listing_price where listing_price.product_id = product.id
            and listing_price.channel_id = ? and listing_price.region_id = ?)",
        [Uuid::from(view.price_channel).into(), Value::from(view.region.map(Uuid::from))],
    )
}

fn sort_key(conn: &Conn, view: &View, sort: SortKey) -> SimpleExpr {
    match (sort, view.channel) {
        (SortKey::Title, _) => Expr::col(product::Column::TitleFold.as_column_ref()),
        (SortKey::Newest, None) => Expr::col(product::Column::CreatedAt.as_column_ref()),
        (SortKey::Newest, Some(_)) => {
            let (time, values) = newest(view);
            expression(conn, time, values)
        }
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

/// The condition that a product is what a filter asks for.
pub fn narrow(conn: &Conn, view: &View, filter: &Filter) -> Condition {
    let parts = |parts: &[Filter], whole: Condition| {
        parts.iter().fold(whole, |whole, part| whole.add(narrow(conn, view, part)))
    };
    let one = |part: SimpleExpr| Condition::all().add(part);
    match filter {
        Filter::All(inner) => parts(inner, Condition::all()),
        // An empty "any" asks for nothing and finds nothing.
        Filter::Any(inner) if inner.is_empty() => one(Expr::val(1).eq(0)),
        Filter::Any(inner) => parts(inner, Condition::any()),
        Filter::Not(inner) => narrow(conn, view, inner).not(),
        Filter::Matches(matching) => one(search::repo::condition(conn, matching)),
        // A text that nobody looked up is taken as it was typed.
        Filter::Text(text) => match Query::read(text) {
            Ok(query) if query.blank => Condition::all(),
            query => {
                let terms = query.map(|query| query.terms()).unwrap_or_default();
                one(search::repo::condition(conn, &Matching { terms, corrected: None }))
            }
        },
        Filter::PriceAtLeast(minor) => one(priced(conn, view, "listing_price.min_minor >= ?", *minor)),
        Filter::PriceAtMost(minor) => one(priced(conn, view, "listing_price.min_minor <= ?", *minor)),
        Filter::Tag(values) => one(among(
            conn,
            "exists (select 1 from product_tag join tag on tag.id = product_tag.tag_id
                where product_tag.product_id = product.id and tag.fold in ",
            [],
            values.iter().map(|value| value.to_lowercase()),
        )),
        Filter::ProductType(values) => one(among(
            conn,
            "exists (select 1 from product_type where product_type.id = product.type_id and product_type.fold in ",
            [],
            values.iter().map(|value| value.to_lowercase()),
        )),
        // Without the first half, "not this vendor" would leave out products that name none.
        Filter::Vendor(values) => Condition::all()
            .add(product::Column::Vendor.is_not_null())
            .add(product::Column::Vendor.is_in(values.iter().cloned())),
        Filter::Handle(values) => one(product::Column::Handle.is_in(values.iter().cloned())),
        Filter::Status(values) => one(product::Column::Status.is_in(values.iter().copied())),
        Filter::OptionValue(name, values) => one(among(
            conn,
            "exists (select 1 from variant
                join variant_option_value on variant_option_value.variant_id = variant.id
                join option_value on option_value.id = variant_option_value.option_value_id
                join \"option\" on \"option\".id = option_value.option_id
                where variant.product_id = product.id and variant.deleted_at is null
                and \"option\".handle = ? and option_value.handle in ",
            [spelling(name)],
            values.iter().map(|value| spelling(value)),
        )),
        Filter::Available(available) => {
            let condition = one(in_stock(conn, &view.locations));
            if *available { condition } else { condition.not() }
        }
    }
}

fn priced(conn: &Conn, view: &View, comparison: &str, minor: i64) -> SimpleExpr {
    let sql = format!(
        "exists (select 1 from listing_price where listing_price.product_id = product.id
            and listing_price.channel_id = ? and listing_price.region_id = ? and {comparison})"
    );
    let region = Value::from(view.region.map(Uuid::from));
    expression(conn, &sql, [Uuid::from(view.price_channel).into(), region, minor.into()])
}

/// `head` and a list of values, and the parenthesis that `head` opened.
fn among<const N: usize>(
    conn: &Conn,
    head: &str,
    before: [String; N],
    values: impl Iterator<Item = String>,
) -> SimpleExpr {
    let values: Vec<Value> = before.into_iter().chain(values).map(Value::from).collect();
    let marks = vec!["?"; values.len() - N].join(", ");
    // An empty list is no SQL; null is in no list and equals nothing.
    let marks = if marks.is_empty() { "null".to_owned() } else { marks };
    expression(conn, &format!("{head}({marks}))"), values)
}

/// The condition that a product has a variant that can be bought now.
pub fn in_stock(conn: &Conn, locations: &[LocationId]) -> SimpleExpr {
    let marks = vec!["?"; locations.len()].join(", ");
    let marks = if marks.is_empty() { "null".to_owned() } else { marks };
    let sql = format!(
        "exists (select 1 from variant where variant.product_id = product.id and variant.deleted_at is null
            and (not variant.manage_inventory or variant.backorder = 'ALLOW' or not exists (
                select 1 from variant_item where variant_item.variant_id = variant.id
                and variant_item.required_quantity > coalesce((
                    select sum(case when stock_level.stocked > stock_level.reserved
                        then stock_level.stocked - stock_level.reserved else 0 end) from stock_level
                    where stock_level.item_id = variant_item.item_id
                    and stock_level.location_id in ({marks})), 0))))"
    );
    expression(conn, &sql, locations.iter().map(|location| Uuid::from(*location).into()))
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
