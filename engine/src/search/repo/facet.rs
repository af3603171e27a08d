//! Counting all hits, for all facets in one statement.

use domain::search::price_ranges;
use entity::product;
use sea_orm::sea_query::{Alias, CaseStatement, Expr, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, Statement};
use uuid::Uuid;

use crate::catalog::listing::Filter;
use crate::catalog::repo::listing::{View, seen};
use crate::catalog::repo::narrow::{in_stock, lowest_price, narrow};
use crate::db::Conn;
use crate::db::search::id_text;
use crate::error::{Error, Result};
use crate::search::facet::{CategoryCount, Count, Facets, Kind, OptionCounts, Parts, PriceRange, Wanted};

/// The most values of a facet, those of most hits.
const MAX_VALUES: usize = 100;
/// The most values of all options together.
const MAX_OPTION_VALUES: usize = 500;

/// Counts all hits. `filter` holds its texts looked up.
pub async fn count(conn: &Conn, view: &View, filter: Option<&Filter>, wanted: Wanted) -> Result<Facets> {
    if !wanted.any() {
        return Ok(Facets::default());
    }
    let parts = Parts::of(filter);
    let mut sql = String::from("with ");
    if wanted.categories {
        sql.push_str(&branches());
    }
    sql.push_str("base as materialized (");
    let base = conn.backend().build(&base(conn, view, &parts, wanted));
    sql.push_str(&base.sql);
    let misses: Vec<String> = (0..parts.own.len()).map(|place| format!(" + base.miss_{place}")).collect();
    sql.push_str(&format!("), hit as (select base.*, 0{} as misses from base)", misses.concat()));
    sql.push(' ');
    sql.push_str(&counts(conn, &parts, wanted).join(" union all "));
    let statement = Statement { sql, ..base };
    let mut facets = Facets::default();
    for row in conn.query_all_raw(statement).await? {
        let facet: i64 = row.try_get_by_index(0)?;
        let text = |place| row.try_get_by_index::<String>(place);
        let (handle, name, value, label) = (text(1)?, text(2)?, text(3)?, text(4)?);
        let number = |place| row.try_get_by_index::<i64>(place);
        let (hits, low, high) = (number(5)?, number(6)?, number(7)?);
        let id = |place| text(place).map(|text| Uuid::try_parse(&text).ok());
        let (entity, owner) = (id(8)?, id(9)?);
        let count = Count { value, label, hits, selected: false, entity };
        match facet {
            TAG => facets.tags.push(count),
            TYPE => facets.product_types.push(count),
            VENDOR => facets.vendors.push(count),
            OPTION => match facets.options.iter_mut().find(|option| option.handle == handle) {
                Some(option) => option.values.push(count),
                None => facets.options.push(OptionCounts { handle, name, entity: owner, values: vec![count] }),
            },
            AVAILABLE => facets.availability.push(count),
            CATEGORY => {
                let id = entity.ok_or_else(|| Error::internal("a category without an id was counted"))?;
                facets.categories.push(CategoryCount { id: id.into(), handle, hits });
            }
            _ => add_price(&mut facets, &parts, &count, (low, high)),
        }
    }
    select_values(&mut facets, &parts, wanted);
    Ok(facets)
}

const TAG: i64 = 0;
const TYPE: i64 = 1;
const VENDOR: i64 = 2;
const OPTION: i64 = 3;
const AVAILABLE: i64 = 4;
const PRICE: i64 = 5;
const CATEGORY: i64 = 6;

/// Each category with those that it stands for: itself and all below it, as
/// far as they are shown. A name of a `with`, to be followed by others.
fn branches() -> String {
    let shown = crate::category::repo::SHOWN;
    format!(
        "branch as materialized (select root.id as root_id, root.handle, root.title_fold, category.id as own_id
            from category as root join category on category.path >= root.path and category.path < root.path || '~'
            where root.deleted_at is null and category.deleted_at is null and {shown}), "
    )
}

/// Everything that is seen and that the parts of no facet leave out, with what
/// facets count and which of their parts it misses.
fn base(conn: &Conn, view: &View, parts: &Parts, wanted: Wanted) -> SelectStatement {
    let whole =
        |parts: &[Filter]| parts.iter().fold(Condition::all(), |whole, part| whole.add(narrow(conn, view, part)));
    let mut select = SelectStatement::new();
    select
        .expr_as(Expr::col(product::Column::Id.as_column_ref()), Alias::new("id"))
        .expr_as(Expr::col(product::Column::TypeId.as_column_ref()), Alias::new("type_id"))
        .expr_as(Expr::col(product::Column::Vendor.as_column_ref()), Alias::new("vendor"))
        .from(product::Entity)
        .cond_where(seen(conn, view).add(whole(&parts.rest)));
    if wanted.prices {
        select.expr_as(lowest_price(conn, view), Alias::new("price"));
    }
    if wanted.availability {
        let available = CaseStatement::new().case(in_stock(conn, &view.locations), Expr::cust("1"));
        select.expr_as(available.finally(Expr::cust("0")), Alias::new("available"));
    }
    for (place, (_, own)) in parts.own.iter().enumerate() {
        let missed = CaseStatement::new().case(whole(own), Expr::cust("0")).finally(Expr::cust("1"));
        select.expr_as(missed, Alias::new(format!("miss_{place}")));
    }
    select
}

/// The condition that a hit misses nothing but, at most, what narrows this facet.
fn all_but(parts: &Parts, kind: &Kind) -> String {
    match parts.place(kind) {
        Some(place) => format!("hit.misses - hit.miss_{place} = 0"),
        None => "hit.misses = 0".to_owned(),
    }
}

/// The same for options, each of which is a facet of its own. Handles have
/// letters, digits and hyphens.
fn all_but_option(parts: &Parts) -> String {
    let own = parts.own.iter().enumerate().filter_map(|(place, (kind, _))| match kind {
        Kind::Option(handle) if handle.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => {
            Some(format!("when '{handle}' then hit.miss_{place} "))
        }
        _ => None,
    });
    match own.collect::<String>() {
        none if none.is_empty() => "hit.misses = 0".to_owned(),
        own => format!("hit.misses - (case \"option\".handle {own}else 0 end) = 0"),
    }
}

fn counts(conn: &Conn, parts: &Parts, wanted: Wanted) -> Vec<String> {
    let row = |facet: i64, value: &str, label: &str, id: &str| {
        format!(
            "select cast({facet} as bigint), cast('' as text), cast('' as text), cast({value} as text),
                cast({label} as text), count(*) as hits, cast(0 as bigint), cast(0 as bigint),
                cast({id} as text), cast('' as text) from hit"
        )
    };
    let ranked = |name: &str, sql: String, last: &str| {
        format!("select * from ({sql} order by hits desc, {last} limit {MAX_VALUES}) {name}")
    };
    let mut all = Vec::new();
    if wanted.tags {
        let sql = format!(
            "{} join product_tag on product_tag.product_id = hit.id join tag on tag.id = product_tag.tag_id
                where {} group by tag.id, tag.fold, tag.value",
            row(TAG, "tag.fold", "tag.value", &id_text(conn, "tag.id")),
            all_but(parts, &Kind::Tag)
        );
        all.push(ranked("tags", sql, "tag.fold"));
    }
    if wanted.product_types {
        let sql = format!(
            "{} join product_type on product_type.id = hit.type_id where {}
                group by product_type.id, product_type.fold, product_type.value",
            row(TYPE, "product_type.fold", "product_type.value", &id_text(conn, "product_type.id")),
            all_but(parts, &Kind::ProductType)
        );
        all.push(ranked("types", sql, "product_type.fold"));
    }
    if wanted.vendors {
        let sql = format!(
            "{} where hit.vendor is not null and {} group by hit.vendor",
            row(VENDOR, "hit.vendor", "hit.vendor", "''"),
            all_but(parts, &Kind::Vendor)
        );
        all.push(ranked("vendors", sql, "hit.vendor"));
    }
    if wanted.options {
        all.push(format!(
            "select * from (select cast({OPTION} as bigint), \"option\".handle as handle, \"option\".name,
                option_value.handle as value, option_value.name as label, count(distinct hit.id) as hits,
                cast(0 as bigint), cast(0 as bigint), {} as value_id, {} as option_id from hit
                join variant on variant.product_id = hit.id and variant.deleted_at is null
                join variant_option_value on variant_option_value.variant_id = variant.id
                join option_value on option_value.id = variant_option_value.option_value_id
                join \"option\" on \"option\".id = option_value.option_id where {}
                group by \"option\".id, \"option\".handle, \"option\".name, option_value.id, option_value.handle,
                    option_value.name
                order by hits desc, \"option\".handle, option_value.handle limit {MAX_OPTION_VALUES}) options",
            id_text(conn, "option_value.id"),
            id_text(conn, "\"option\".id"),
            all_but_option(parts)
        ));
    }
    if wanted.categories {
        all.push(format!(
            "select * from (select cast({CATEGORY} as bigint), branch.handle, cast('' as text), cast('' as text),
                cast('' as text), count(distinct hit.id) as hits, cast(0 as bigint), cast(0 as bigint), {} as root_id,
                cast('' as text) from hit
                join product_category on product_category.product_id = hit.id
                join branch on branch.own_id = product_category.category_id where {}
                group by branch.root_id, branch.handle, branch.title_fold
                order by hits desc, branch.title_fold, branch.root_id limit {MAX_VALUES}) categories",
            id_text(conn, "branch.root_id"),
            all_but(parts, &Kind::Category)
        ));
    }
    if wanted.availability {
        let word = "case hit.available when 1 then 'true' else 'false' end";
        all.push(format!(
            "{} where {} group by hit.available",
            row(AVAILABLE, word, word, "''"),
            all_but(parts, &Kind::Available)
        ));
    }
    if wanted.prices {
        let own = all_but(parts, &Kind::Price);
        let place = "(hit.price - spread.low) * 5 / (spread.high - spread.low + 1)";
        all.push(format!(
            "select cast({PRICE} as bigint), cast('' as text), cast('' as text), cast({place} as text),
                cast('' as text), count(*), spread.low, spread.high, cast('' as text), cast('' as text)
                from hit cross join (select min(hit.price) as low, max(hit.price) as high from hit
                    where hit.price is not null and {own}) spread
                where hit.price is not null and {own} group by {place}, spread.low, spread.high"
        ));
    }
    all
}

/// Adds the hits of one price range; the first one to come brings all ranges along.
fn add_price(facets: &mut Facets, parts: &Parts, count: &Count, (low, high): (i64, i64)) {
    if facets.prices.is_empty() {
        let bounds = parts.price_bounds();
        facets.prices = price_ranges(low, high)
            .into_iter()
            .map(|(from, to)| PriceRange {
                from,
                to,
                hits: 0,
                selected: bounds.is_some_and(|(lowest, highest)| lowest <= from && to <= highest),
            })
            .collect();
    }
    if let Some(range) = count.value.parse::<usize>().ok().and_then(|place| facets.prices.get_mut(place)) {
        range.hits = count.hits;
    }
}

/// Marks what the filter asks for, and adds what it asks for in vain.
fn select_values(facets: &mut Facets, parts: &Parts, wanted: Wanted) {
    let mark = |counts: &mut Vec<Count>, kind: &Kind| {
        for (value, label) in parts.selected(kind) {
            match counts.iter_mut().find(|count| count.value == value) {
                Some(count) => count.selected = true,
                None => counts.push(Count { value, label, hits: 0, selected: true, entity: None }),
            }
        }
    };
    for (asked, counts, kind) in [
        (wanted.tags, &mut facets.tags, Kind::Tag),
        (wanted.product_types, &mut facets.product_types, Kind::ProductType),
        (wanted.vendors, &mut facets.vendors, Kind::Vendor),
    ] {
        if asked {
            mark(counts, &kind);
        }
    }
    for option in &mut facets.options {
        let kind = Kind::Option(option.handle.clone());
        mark(&mut option.values, &kind);
    }
    // Prices that don't differ by five units have fewer ranges.
    facets.prices.retain(|range| range.from <= range.to);
    facets.availability.sort_by(|a, b| b.value.cmp(&a.value));
    for count in &mut facets.availability {
        count.selected = parts.asks_available(count.value == "true");
    }
}
