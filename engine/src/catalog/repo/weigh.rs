//! With what a list of products begins. Either it walks along the index of its
//! order and asks each product whether the filter lets it through, which is
//! quick when many are let through; or it begins with the products that an
//! index finds by the filter, and sorts them, which is quick when they are few.
//! Databases guess which; here the few are counted, up to a bound.

use sea_orm::{ConnectionTrait, Value};
use uuid::Uuid;

use super::listing::Listing;
use crate::catalog::listing::{Filter, Named, SortKey};
use crate::db::{Conn, statement};
use crate::error::Result;

/// The most products with which a list begins. In a shop of 100,000, walking to
/// 20 of somewhat more takes as many steps as sorting these.
pub const FEW: i64 = 1_000;

/// A select of the ids of at least all products that the filter lets through,
/// found by an index; none when no index finds them.
pub(super) fn found_by(filter: &Filter) -> Option<(String, Vec<Value>)> {
    let among = |sql: &str, values: Vec<Value>| {
        let marks = vec!["?"; values.len()].join(", ");
        (!values.is_empty()).then(|| (format!("{sql} in ({marks})"), values))
    };
    let folded = |values: &[String]| values.iter().map(|value| value.to_lowercase().into()).collect();
    match filter {
        Filter::ListedIn(collection) => Some((
            "select collection_product.product_id from collection_product
                where collection_product.collection_id = ?"
                .to_owned(),
            vec![Uuid::from(*collection).into()],
        )),
        Filter::Category(Named::Id(id)) | Filter::CategoryTree(id) => Some(below("id", Uuid::from(*id).into())),
        Filter::Category(Named::Handle(handle)) => Some(below("handle", handle.as_str().into())),
        Filter::Tag(values) => among(
            "select product_tag.product_id from tag join product_tag on product_tag.tag_id = tag.id where tag.fold",
            folded(values),
        ),
        Filter::ProductType(values) => among(
            "select known.id from product_type join product as known on known.type_id = product_type.id
                where product_type.fold",
            folded(values),
        ),
        Filter::Vendor(values) => among(
            "select known.id from product as known where known.vendor",
            values.iter().map(|value| value.as_str().into()).collect(),
        ),
        _ => None,
    }
}

fn below(column: &str, value: Value) -> (String, Vec<Value>) {
    let sql = format!(
        "select product_category.product_id from category as root
            join category as part on part.path >= root.path and part.path < root.path || '~'
            join product_category on product_category.category_id = part.id
            where root.{column} = ? and root.deleted_at is null"
    );
    (sql, vec![value])
}

/// Whether a list begins with what an index finds by its filter.
pub(super) fn begins_with_few(filter: &Filter) -> bool {
    matches!(filter, Filter::All(parts) if matches!(parts.first(), Some(Filter::Found(_))))
}

/// The parts of a filter that all must hold.
fn conjuncts(filter: &mut Filter) -> Vec<&mut Filter> {
    if matches!(filter, Filter::Any(parts) if parts.len() != 1) {
        return vec![filter];
    }
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter_mut().flat_map(conjuncts).collect(),
        Filter::Members(part) => conjuncts(part),
        part => vec![part],
    }
}

/// Lets each list begin with what is quickest: one statement for all, and none
/// when no index finds what they ask for.
pub async fn weigh(conn: &Conn, listings: &mut [Listing]) -> Result<()> {
    let (mut counts, mut values, mut weighed) = (Vec::new(), Vec::new(), Vec::new());
    for (owner, listing) in listings.iter_mut().enumerate() {
        let sort = listing.sort;
        let Some(filter) = &mut listing.filter else { continue };
        for (place, part) in conjuncts(filter).into_iter().enumerate() {
            // Along a collection by hand one walks already.
            if matches!((sort, &*part), (SortKey::Manual(walked), Filter::ListedIn(asked)) if walked == *asked) {
                continue;
            }
            let Some((sql, own)) = found_by(part) else { continue };
            counts.push(format!("(select count(*) from ({sql} limit {}) as found_{})", FEW + 1, counts.len()));
            values.extend(own);
            weighed.push((owner, place));
        }
    }
    if counts.is_empty() {
        return Ok(());
    }
    let sql = format!("select {}", counts.join(", "));
    let Some(row) = conn.query_one_raw(statement(conn, &sql, values)).await? else { return Ok(()) };
    let mut least: Vec<Option<(i64, Filter)>> = vec![None; listings.len()];
    for (column, (owner, place)) in weighed.into_iter().enumerate() {
        let count: i64 = row.try_get_by_index(column)?;
        let Some(filter) = &mut listings[owner].filter else { continue };
        let Some(part) = conjuncts(filter).into_iter().nth(place) else { continue };
        if count <= FEW && least[owner].as_ref().is_none_or(|(known, _)| count < *known) {
            least[owner] = Some((count, part.clone()));
        }
        // Either the list begins with others, or with these once.
        if let Filter::ListedIn(collection) = *part {
            *part = Filter::ListedAmongMany(collection);
        }
    }
    for (listing, least) in listings.iter_mut().zip(least) {
        if let (Some(filter), Some((_, least))) = (&listing.filter, least) {
            listing.filter = Some(Filter::All(vec![Filter::Found(Box::new(least)), filter.clone()]));
        }
    }
    Ok(())
}
