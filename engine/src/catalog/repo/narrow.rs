//! What lets a product into a list, in SQL.

use domain::collection::PriceRange;
use domain::id::LocationId;
use domain::search::Query;
use entity::product;
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, Value};
use uuid::Uuid;

use super::listing::View;
use super::weigh::found_by;
use crate::catalog::listing::{Filter, Named, spelling};
use crate::db::{Conn, expression, text_contains};
use crate::search::{self, Matching};

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
        Filter::Matches(matching) => one(search::repo::condition(conn, view, matching)),
        // A text that nobody looked up is taken as it was typed.
        Filter::Text(text) => match Query::read(text) {
            Ok(query) if query.blank => Condition::all(),
            query => {
                let terms = query.map(|query| query.terms()).unwrap_or_default();
                one(search::repo::condition(conn, view, &Matching { terms, corrected: None }))
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
        Filter::TitleContains(text) => one(text_contains(product::Column::TitleFold, text)),
        Filter::PriceRanges(ranges) => {
            ranges.iter().fold(Condition::any(), |whole, range| whole.add(in_range(conn, view, range)))
        }
        Filter::CreatedSince(moment) => one(product::Column::CreatedAt.gte(*moment)),
        // A list looks collections up before it is asked; what is left names none.
        Filter::Collection(_) => one(Expr::val(1).eq(0)),
        Filter::Members(inner) => narrow(conn, view, inner),
        // A list of ids: a short list in a long shop is best begun with.
        Filter::ListedIn(_) => narrow(conn, view, &Filter::Found(Box::new(filter.clone()))),
        Filter::ListedAmongMany(collection) => one(expression(
            conn,
            "exists (select 1 from collection_product where collection_product.product_id = product.id
                and collection_product.collection_id = ?)",
            [Uuid::from(*collection).into()],
        )),
        Filter::Found(by) => match found_by(by) {
            Some((sql, values)) => one(expression(conn, &format!("product.id in ({sql})"), values)),
            None => narrow(conn, view, by),
        },
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
        and listing_price.channel_id = ? and listing_price.region_id = ? and listing_price.currency = ?
        and listing_price.min_minor is not null"
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

/// How many units of a level a variant may still be sold from.
const FREE: &str = "(stock_level.stocked - stock_level.reserved - stock_level.safety
    + case when variant.backorder = 'INCOMING' then stock_level.incoming else 0 end)";

/// The condition that a product has a variant that can be bought now.
pub fn in_stock(conn: &Conn, locations: &[LocationId]) -> SimpleExpr {
    let marks = vec!["?"; locations.len()].join(", ");
    let marks = if marks.is_empty() { "null".to_owned() } else { marks };
    let sql = format!(
        "exists (select 1 from variant where variant.product_id = product.id and variant.deleted_at is null
            and (not variant.manage_inventory or variant.backorder = 'ALLOW' or (
                exists (select 1 from variant_item where variant_item.variant_id = variant.id)
                and not exists (select 1 from variant_item where variant_item.variant_id = variant.id
                and variant_item.required_quantity > coalesce((
                    select sum(case when {FREE} > 0 then {FREE} else 0 end) from stock_level
                    where stock_level.item_id = variant_item.item_id
                    and stock_level.location_id in ({marks})), 0)))))"
    );
    expression(conn, &sql, locations.iter().map(|location| Uuid::from(*location).into()))
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
