//! Lists of products: filtered, sorted, paged by keyset, one statement a page.

use std::mem::{Discriminant, discriminant};

use chrono::{DateTime, Utc};
use domain::catalog::ProductStatus;
use domain::collection::PriceRange;
use domain::id::{ChannelId, CollectionId, LocationId, ProductId, RegionId};
use entity::product;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, SimpleExpr, UnionType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryResult, QueryTrait, Value,
};
use uuid::Uuid;

use crate::catalog::listing::{Filter, Named, SortKey};
use crate::db::{Conn, expression, statement, text_contains};
use crate::error::{Error, Result};
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
    fn condition(&self, conn: &Conn) -> Condition {
        let seen = match self.view.channel {
            Some(channel) => published(conn, channel, self.view.now),
            None => Condition::all().add(product::Column::DeletedAt.is_null()),
        };
        match &self.filter {
            Some(filter) => seen.add(narrow(conn, &self.view, filter)),
            None => seen,
        }
    }

    fn rows(&self, conn: &Conn) -> SelectStatement {
        let key = sort_key(conn, &self.view, self.sort);
        let id: SimpleExpr = Expr::col(product::Column::Id.as_column_ref());
        let place = self.page.condition(key.clone(), id.clone());
        let mut find = product::Entity::find().filter(self.condition(conn)).filter(place);
        let select: &mut SelectStatement = QueryTrait::query(&mut find);
        select
            .expr_as(key.clone(), "sort_key")
            .order_by_expr(key, self.page.order())
            .order_by_expr(id, self.page.order())
            .limit(self.page.limit())
            .offset(self.page.offset)
            .take()
    }

    fn number(&self, conn: &Conn) -> SelectStatement {
        let count = Expr::col(product::Column::Id.as_column_ref()).count();
        let condition = self.condition(conn);
        Query::select().expr_as(count, "number").from(product::Entity).cond_where(condition).take()
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
    look_up_collections(conn, &mut listings).await?;
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

/// Puts what collections ask for in the place of their names. What is not to be
/// seen holds nothing.
async fn look_up_collections(conn: &Conn, listings: &mut [Listing]) -> Result<()> {
    // A request has one channel, and staff who ask for all besides.
    let mut channels: Vec<Option<ChannelId>> = Vec::new();
    for listing in listings.iter() {
        if !channels.contains(&listing.view.channel) {
            channels.push(listing.view.channel);
        }
    }
    for channel in channels {
        let mut own: Vec<&mut Listing> =
            listings.iter_mut().filter(|listing| listing.view.channel == channel).collect();
        let filters = own.iter().filter_map(|listing| listing.filter.as_ref());
        let named: Vec<_> = filters.flat_map(Filter::collections).cloned().collect();
        let Some(now) = own.first().map(|listing| listing.view.now) else { continue };
        if named.is_empty() {
            continue;
        }
        let found = crate::collection::repo::named(conn, &named, channel.map(|channel| (channel, now))).await?;
        let members = |named: &Named<CollectionId>| {
            let row = found.iter().find(|row| match named {
                Named::Id(id) => row.id == *id,
                Named::Handle(handle) => row.handle.as_str() == handle,
            });
            row.map_or(Filter::Any(Vec::new()), |row| crate::collection::members(row, now))
        };
        for listing in &mut own {
            listing.filter = listing.filter.take().map(|filter| filter.with_collections(&members));
        }
    }
    Ok(())
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

fn sort_key(conn: &Conn, view: &View, sort: SortKey) -> SimpleExpr {
    match (sort, view.channel) {
        (SortKey::Title, _) => Expr::col(product::Column::TitleFold.as_column_ref()),
        (SortKey::Newest, None) => Expr::col(product::Column::CreatedAt.as_column_ref()),
        (SortKey::Newest, Some(channel)) => expression(
            conn,
            "(select product_channel.published_at from product_channel
                where product_channel.product_id = product.id and product_channel.channel_id = ?)",
            [Uuid::from(channel).into()],
        ),
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
        Filter::TitleContains(text) => one(text_contains(product::Column::TitleFold, text)),
        Filter::PriceRanges(ranges) => {
            ranges.iter().fold(Condition::any(), |whole, range| whole.add(in_range(conn, view, range)))
        }
        Filter::CreatedSince(moment) => one(product::Column::CreatedAt.gte(*moment)),
        // A list looks collections up before it is asked; what is left names none.
        Filter::Collection(_) => one(Expr::val(1).eq(0)),
        Filter::ListedIn(collection) => one(expression(
            conn,
            "exists (select 1 from collection_product where collection_product.product_id = product.id
                and collection_product.collection_id = ?)",
            [Uuid::from(*collection).into()],
        )),
        Filter::Category(Named::Id(id)) => one(in_category(conn, "id", Uuid::from(*id).into(), view.channel.is_some())),
        Filter::Category(Named::Handle(handle)) => {
            one(in_category(conn, "handle", handle.as_str().into(), view.channel.is_some()))
        }
        Filter::CategoryTree(id) => one(in_category(conn, "id", Uuid::from(*id).into(), false)),
        Filter::Metafield(condition) => one(crate::metafield::repo::matches(conn, "product.id", condition)),
        Filter::Available(available) => {
            let condition = one(in_stock(conn, &view.locations));
            if *available { condition } else { condition.not() }
        }
    }
}

/// The condition that a product is in a category or below it; for shoppers,
/// in one that is shown.
fn in_category(conn: &Conn, column: &str, value: Value, shown: bool) -> SimpleExpr {
    let shown = if shown { crate::category::repo::SHOWN } else { "1 = 1" };
    let sql = format!(
        "exists (select 1 from product_category
            join category on category.id = product_category.category_id
            join category as root on category.path >= root.path and category.path < root.path || '~'
            where product_category.product_id = product.id and category.deleted_at is null
            and root.deleted_at is null and root.{column} = ? and {shown})"
    );
    expression(conn, &sql, [value])
}

fn in_range(conn: &Conn, view: &View, range: &PriceRange) -> SimpleExpr {
    let region = Value::from(view.region.map(Uuid::from));
    let mut sql = "exists (select 1 from listing_price where listing_price.product_id = product.id
        and listing_price.channel_id = ? and listing_price.region_id = ? and listing_price.currency = ?"
        .to_owned();
    let mut values = vec![Uuid::from(view.price_channel).into(), region, range.currency.code().into()];
    for (comparison, bound) in [(">=", range.at_least), ("<=", range.at_most)] {
        if let Some(minor) = bound {
            sql.push_str(&format!(" and listing_price.min_minor {comparison} ?"));
            values.push(minor.into());
        }
    }
    sql.push(')');
    expression(conn, &sql, values)
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
