//! Lists of products: filtered, sorted, paged by keyset, one statement a page.

use chrono::{DateTime, Utc};
use domain::catalog::ProductStatus;
use domain::id::{ChannelId, LocationId, RegionId};
use entity::{listing_price, product, product_channel};
use sea_orm::sea_query::{Expr, ExprTrait, SelectStatement, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, Order, QueryFilter, QueryResult, QueryTrait,
    Value,
};
use uuid::Uuid;

use crate::catalog::listing::{Filter, SortKey};
use crate::db::{Conn, expression, statement, text_contains};
use crate::error::Result;
use crate::page::{Key, Page, Place, Rows};

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

/// A page of products, and their number when it is asked for.
pub async fn page(
    conn: &Conn,
    view: &View,
    filter: Option<&Filter>,
    sort: SortKey,
    page: Page,
    count: bool,
) -> Result<Rows<product::Model>> {
    let mut condition = match view.channel {
        Some(channel) => published(conn, channel, view.now),
        None => Condition::all().add(product::Column::DeletedAt.is_null()),
    };
    if let Some(filter) = filter {
        condition = condition.add(narrow(conn, view, filter));
    }
    let total = if count { Some(number(conn, condition.clone()).await?) } else { None };
    // On the store the priced products and those without a price are two walks
    // along an index each; `offset`, which only staff have, would need to know
    // where the first ends.
    let rows = match (view.channel, view.region, sort) {
        (Some(_), Some(region), SortKey::Price) if page.offset == 0 => {
            by_price(conn, view, region, &condition, &page).await?
        }
        _ => {
            let rows = conn.query_all(&select(conn, view, condition, sort, &page)).await?;
            rows.iter().map(|row| read(row, sort)).collect::<Result<Vec<_>>>()?
        }
    };
    Ok(page.rows(rows, total))
}

/// The statement of a page.
fn select(conn: &Conn, view: &View, condition: Condition, sort: SortKey, page: &Page) -> SelectStatement {
    let key = sort_key(conn, view, sort);
    let mut find = product::Entity::find().filter(condition);
    let id = match (sort, view.channel) {
        // The moment and the id out of one index, which gives the order.
        (SortKey::Newest, Some(channel)) => {
            let here = "product_channel.product_id = product.id and product_channel.channel_id = ?";
            let here = expression(conn, here, [Uuid::from(channel).into()]);
            QueryTrait::query(&mut find).inner_join(product_channel::Entity, here);
            Expr::col(product_channel::Column::ProductId.as_column_ref())
        }
        _ => Expr::col(product::Column::Id.as_column_ref()),
    };
    find = find.filter(page.condition(key.clone(), id.clone()));
    let select: &mut SelectStatement = QueryTrait::query(&mut find);
    select
        .expr_as(key.clone(), "sort_key")
        .order_by_expr(key, page.order())
        .order_by_expr(id, page.order())
        .limit(page.limit())
        .offset(page.offset)
        .to_owned()
}

/// The statement of a page without a filter, for those who ask how it is planned.
pub fn statement_of(conn: &Conn, view: &View, sort: SortKey, page: &Page) -> SelectStatement {
    let condition = match view.channel {
        Some(channel) => published(conn, channel, view.now),
        None => Condition::all().add(product::Column::DeletedAt.is_null()),
    };
    match (view.channel, view.region, sort) {
        (Some(_), Some(region), SortKey::Price) => priced_part(conn, view, region, condition, page, true),
        _ => select(conn, view, condition, sort, page),
    }
}

/// What has no price in this region comes after everything that has one.
const NO_PRICE: i64 = 9_007_199_254_740_991;

/// A page by price: the products with one in the order of their index, then
/// those without in the order of their ids, or the other way round.
async fn by_price(
    conn: &Conn,
    view: &View,
    region: RegionId,
    condition: &Condition,
    page: &Page,
) -> Result<Vec<(product::Model, Place)>> {
    let rising = page.order() == Order::Asc;
    let behind_priced = |place: &Place| place.key == Key::Number(NO_PRICE);
    let mut found: Vec<(product::Model, Place)> = Vec::new();
    for priced in [rising, !rising] {
        let passed = page.from.as_ref().is_some_and(|from| behind_priced(from) == priced && priced == rising);
        if passed || found.len() as u64 >= page.limit() {
            continue;
        }
        let statement = priced_part(conn, view, region, condition.clone(), page, priced);
        let rows = conn.query_all(&statement).await?;
        let rows = rows.iter().map(|row| read(row, SortKey::Price)).collect::<Result<Vec<_>>>()?;
        found.extend(rows);
    }
    found.truncate(page.limit() as usize);
    Ok(found)
}

/// The products with a price, or those without.
fn priced_part(
    conn: &Conn,
    view: &View,
    region: RegionId,
    condition: Condition,
    page: &Page,
    priced: bool,
) -> SelectStatement {
    let mut find = product::Entity::find().filter(condition);
    let here = || [Uuid::from(view.price_channel).into(), Uuid::from(region).into()];
    let inside = page.from.as_ref().is_some_and(|from| (from.key == Key::Number(NO_PRICE)) != priced);
    let select = QueryTrait::query(&mut find);
    if priced {
        let join = "listing_price.product_id = product.id and listing_price.channel_id = ?
            and listing_price.region_id = ?";
        select.inner_join(listing_price::Entity, expression(conn, join, here()));
        let key: SimpleExpr = Expr::col(listing_price::Column::MinMinor.as_column_ref());
        let id: SimpleExpr = Expr::col(listing_price::Column::ProductId.as_column_ref());
        if inside {
            select.cond_where(page.condition(key.clone(), id.clone()));
        }
        select.expr_as(key.clone(), "sort_key").order_by_expr(key, page.order()).order_by_expr(id, page.order());
    } else {
        let none = "not exists (select 1 from listing_price where listing_price.product_id = product.id
            and listing_price.channel_id = ? and listing_price.region_id = ?)";
        select.and_where(expression(conn, none, here()));
        let id: SimpleExpr = Expr::col(product::Column::Id.as_column_ref());
        if let Some(from) = page.from.as_ref().filter(|_| inside) {
            select.and_where(if page.order() == Order::Asc { id.clone().gt(from.id) } else { id.clone().lt(from.id) });
        }
        select.expr_as(expression(conn, "cast(? as bigint)", [NO_PRICE.into()]), "sort_key");
        select.order_by_expr(id, page.order());
    }
    select.limit(page.limit()).to_owned()
}

async fn number(conn: &Conn, condition: Condition) -> Result<i64> {
    use sea_orm::PaginatorTrait;
    Ok(product::Entity::find().filter(condition).count(conn).await? as i64)
}

fn read(row: &QueryResult, sort: SortKey) -> Result<(product::Model, Place)> {
    let model = product::Model::from_query_result(row, "")?;
    let key = match sort {
        SortKey::Newest => Key::Time(row.try_get("", "sort_key")?),
        SortKey::Title => Key::Text(row.try_get("", "sort_key")?),
        SortKey::Price => Key::Number(row.try_get("", "sort_key")?),
    };
    let id = model.id.into();
    Ok((model, Place { key, id }))
}

fn sort_key(conn: &Conn, view: &View, sort: SortKey) -> SimpleExpr {
    match (sort, view.channel) {
        (SortKey::Title, _) => Expr::col(product::Column::TitleFold.as_column_ref()),
        (SortKey::Newest, None) => Expr::col(product::Column::CreatedAt.as_column_ref()),
        (SortKey::Newest, Some(_)) => Expr::col(product_channel::Column::PublishedAt.as_column_ref()),
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

fn narrow(conn: &Conn, view: &View, filter: &Filter) -> Condition {
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
        Filter::Text(text) => text
            .split_whitespace()
            .fold(Condition::all(), |whole, word| whole.add(text_contains(product::Column::SearchText, word))),
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

/// How options and their values are told apart: by the handle of the name.
fn spelling(name: &str) -> String {
    domain::catalog::option_handle(name).map(|handle| handle.to_string()).unwrap_or_default()
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
fn in_stock(conn: &Conn, locations: &[LocationId]) -> SimpleExpr {
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
