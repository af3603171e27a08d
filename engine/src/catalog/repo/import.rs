//! Rows of the catalog by the hundred, for files of products.

use std::collections::{HashMap, HashSet};

use domain::id::{CollectionId, OptionId, OptionValueId, ProductId, ProductTypeId, TagId, VariantId};
use domain::text::Handle;
use entity::{
    category, collection, collection_product, media, option_value, product, product_category, product_channel,
    product_option, product_tag, product_type, tag,
};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::write::new_value;
use crate::db::{Conn, any, insert_all, statement};
use crate::error::Result;
use crate::op::Tx;

/// Rows or values that one statement names: well below the 32,766 of SQLite.
const ROWS: usize = 500;

/// Products that are meant by handle, by their number in another system or by
/// id, locked in the order of their ids.
pub async fn lock_known(
    tx: &Tx,
    handles: &[Handle],
    references: &[String],
    ids: &[ProductId],
) -> Result<Vec<product::Model>> {
    let mut meant = Condition::any().add(product::Column::Handle.is_in(handles.iter().cloned()));
    if !references.is_empty() {
        meant = meant.add(product::Column::ExternalReference.is_in(references.iter().cloned()));
    }
    if !ids.is_empty() {
        meant = meant.add(any(&tx.conn, product::Column::Id, ids.iter().copied()));
    }
    Ok(product::Entity::find()
        .filter(product::Column::DeletedAt.is_null())
        .filter(meant)
        .order_by_asc(product::Column::Id)
        .lock_exclusive()
        .all(&tx.conn)
        .await?)
}

/// The types of these names by their folded names, made when missing.
pub async fn types_named(tx: &mut Tx, names: &HashSet<&str>) -> Result<HashMap<String, ProductTypeId>> {
    let names: Vec<&str> = sorted(names);
    let mut found = HashMap::new();
    for some in names.chunks(ROWS) {
        let row = |name: &&str| {
            product_type::Model { id: tx.id(), value: (*name).to_owned(), fold: name.to_lowercase() }
                .into_active_model()
        };
        let conflict = OnConflict::column(product_type::Column::Fold).do_nothing().to_owned();
        let insert = product_type::Entity::insert_many(some.iter().map(row)).on_conflict(conflict);
        insert.exec_without_returning(&tx.conn).await?;
        let folds = some.iter().map(|name| name.to_lowercase());
        let rows = product_type::Entity::find().filter(product_type::Column::Fold.is_in(folds)).all(&tx.conn).await?;
        found.extend(rows.into_iter().map(|row| (row.fold, row.id)));
    }
    Ok(found)
}

/// The tags of these names by their folded names, made when missing.
pub async fn tags_named(tx: &mut Tx, names: &HashSet<&str>) -> Result<HashMap<String, TagId>> {
    let names: Vec<&str> = sorted(names);
    let mut found = HashMap::new();
    for some in names.chunks(ROWS) {
        let row = |name: &&str| {
            tag::Model { id: tx.id(), value: (*name).to_owned(), fold: name.to_lowercase() }.into_active_model()
        };
        let conflict = OnConflict::column(tag::Column::Fold).do_nothing().to_owned();
        tag::Entity::insert_many(some.iter().map(row)).on_conflict(conflict).exec_without_returning(&tx.conn).await?;
        let folds = some.iter().map(|name| name.to_lowercase());
        let rows = tag::Entity::find().filter(tag::Column::Fold.is_in(folds)).all(&tx.conn).await?;
        found.extend(rows.into_iter().map(|row| (row.fold, row.id)));
    }
    Ok(found)
}

/// In one order, so that two transactions never wait for each other.
fn sorted<'n>(names: &HashSet<&'n str>) -> Vec<&'n str> {
    let mut names: Vec<&str> = names.iter().copied().collect();
    names.sort_unstable();
    names
}

/// Values of options by option and handle.
pub type ValueIds = HashMap<(OptionId, Handle), OptionValueId>;

async fn values_found(tx: &Tx, wished: &[(OptionId, Handle, String)], found: &mut ValueIds) -> Result<()> {
    for some in wished.chunks(ROWS) {
        let mut options: Vec<OptionId> = some.iter().map(|(option, ..)| *option).collect();
        options.sort_unstable();
        options.dedup();
        let mut handles: Vec<&str> = some.iter().map(|(_, handle, _)| handle.as_str()).collect();
        handles.sort_unstable();
        handles.dedup();
        let rows = option_value::Entity::find()
            .filter(any(&tx.conn, option_value::Column::OptionId, options))
            .filter(option_value::Column::Handle.is_in(handles))
            .all(&tx.conn)
            .await?;
        found.extend(rows.into_iter().map(|row| ((row.option_id, row.handle), row.id)));
    }
    Ok(())
}

/// The ids of option values, made when missing; an option may have many
/// thousands, of which only those that are named are read.
pub async fn values_named(tx: &mut Tx, wished: &[(OptionId, Handle, String)]) -> Result<ValueIds> {
    let mut found = ValueIds::new();
    values_found(tx, wished, &mut found).await?;
    let mut seen = HashSet::new();
    let missing: Vec<&(OptionId, Handle, String)> = wished
        .iter()
        .filter(|(option, handle, _)| {
            let key = (*option, handle.clone());
            !found.contains_key(&key) && seen.insert(key)
        })
        .collect();
    if missing.is_empty() {
        return Ok(found);
    }
    let mut ranks: HashMap<OptionId, i32> = HashMap::new();
    let options: HashSet<OptionId> = missing.iter().map(|(option, ..)| *option).collect();
    for option in options {
        let last = option_value::Entity::find()
            .filter(option_value::Column::OptionId.eq(option))
            .order_by_desc(option_value::Column::Rank)
            .one(&tx.conn)
            .await?;
        ranks.insert(option, last.map_or(-1, |row| row.rank));
    }
    let mut rows = Vec::with_capacity(missing.len());
    let mut named = Vec::with_capacity(missing.len());
    for (option, handle, name) in missing {
        let rank = ranks.entry(*option).or_insert(-1);
        *rank = rank.saturating_add(1);
        rows.push(new_value(tx.id(), *option, handle.clone(), name.clone(), *rank).into_active_model());
        named.push((*option, handle.clone(), name.clone()));
    }
    let conflict = OnConflict::columns([option_value::Column::OptionId, option_value::Column::Handle]);
    let conflict = conflict.to_owned().do_nothing().to_owned();
    for some in rows.chunks(ROWS) {
        let insert = option_value::Entity::insert_many(some.to_vec()).on_conflict(conflict.clone());
        insert.exec_without_returning(&tx.conn).await?;
    }
    values_found(tx, &named, &mut found).await?;
    Ok(found)
}

/// Writes products, new ones and known ones, every column.
pub async fn put_products(tx: &mut Tx, rows: Vec<product::Model>) -> Result<()> {
    let fixed = ["id", "created_at"];
    let columns = product::Column::iter().filter(|column| !fixed.contains(&sea_orm::IdenStatic::as_str(column)));
    let known = OnConflict::column(product::Column::Id).update_columns(columns).to_owned();
    let mut rows = rows.into_iter().map(IntoActiveModel::into_active_model).peekable();
    while rows.peek().is_some() {
        let some: Vec<product::ActiveModel> = rows.by_ref().take(ROWS).collect();
        let insert = product::Entity::insert_many(some).on_conflict(known.clone());
        insert.exec_without_returning(&tx.conn).await?;
    }
    Ok(())
}

/// Replaces the options of products.
pub async fn replace_options(tx: &mut Tx, known: &[ProductId], rows: Vec<product_option::Model>) -> Result<()> {
    if !known.is_empty() {
        let of = any(&tx.conn, product_option::Column::ProductId, known.iter().copied());
        product_option::Entity::delete_many().filter(of).exec(&tx.conn).await?;
    }
    Ok(insert_all::<product_option::Entity>(&tx.conn, rows).await?)
}

/// Replaces the tags of products.
pub async fn replace_tags(tx: &mut Tx, known: &[ProductId], rows: Vec<product_tag::Model>) -> Result<()> {
    if !known.is_empty() {
        let of = any(&tx.conn, product_tag::Column::ProductId, known.iter().copied());
        product_tag::Entity::delete_many().filter(of).exec(&tx.conn).await?;
    }
    Ok(insert_all::<product_tag::Entity>(&tx.conn, rows).await?)
}

/// Replaces the channels of products.
pub async fn replace_channels(tx: &mut Tx, known: &[ProductId], rows: Vec<product_channel::Model>) -> Result<()> {
    if !known.is_empty() {
        let of = any(&tx.conn, product_channel::Column::ProductId, known.iter().copied());
        product_channel::Entity::delete_many().filter(of).exec(&tx.conn).await?;
    }
    Ok(insert_all::<product_channel::Entity>(&tx.conn, rows).await?)
}

/// Writes media, new ones and known ones, with what is shown in their place.
pub async fn put_media(tx: &mut Tx, rows: Vec<media::Model>) -> Result<()> {
    let changing = [media::Column::Alt, media::Column::Kind, media::Column::Version, media::Column::UpdatedAt];
    let known = OnConflict::column(media::Column::Id).update_columns(changing).to_owned();
    let mut rows = rows.into_iter().map(IntoActiveModel::into_active_model).peekable();
    while rows.peek().is_some() {
        let some: Vec<media::ActiveModel> = rows.by_ref().take(ROWS).collect();
        media::Entity::insert_many(some).on_conflict(known.clone()).exec_without_returning(&tx.conn).await?;
    }
    Ok(())
}

/// In which categories products are.
pub async fn category_links(conn: &Conn, products: &[ProductId]) -> Result<Vec<product_category::Model>> {
    let of = any(conn, product_category::Column::ProductId, products.iter().copied());
    Ok(product_category::Entity::find().filter(of).all(conn).await?)
}

/// Puts products into categories.
pub async fn add_categories(tx: &mut Tx, rows: Vec<product_category::Model>) -> Result<()> {
    Ok(insert_all::<product_category::Entity>(&tx.conn, rows).await?)
}

/// Which collections list products by hand.
pub async fn collection_links(conn: &Conn, products: &[ProductId]) -> Result<Vec<collection_product::Model>> {
    let of = any(conn, collection_product::Column::ProductId, products.iter().copied());
    Ok(collection_product::Entity::find().filter(of).all(conn).await?)
}

/// The last rank in each collection.
pub async fn last_ranks(conn: &Conn, collections: &[CollectionId]) -> Result<HashMap<CollectionId, i64>> {
    let select = sea_orm::sea_query::Query::select()
        .column(collection_product::Column::CollectionId)
        .expr(Expr::col(collection_product::Column::Rank).max())
        .from(collection_product::Entity)
        .and_where(any(conn, collection_product::Column::CollectionId, collections.iter().copied()))
        .group_by_col(collection_product::Column::CollectionId)
        .to_owned();
    let rows = conn.query_all(&select).await?;
    let read = |row: sea_orm::QueryResult| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
    rows.into_iter().map(read).collect()
}

/// Puts products at the end of collections.
pub async fn add_to_collections(tx: &mut Tx, rows: Vec<collection_product::Model>) -> Result<()> {
    Ok(insert_all::<collection_product::Entity>(&tx.conn, rows).await?)
}

/// Categories by handle.
pub async fn categories_named(conn: &Conn, handles: &[String]) -> Result<Vec<category::Model>> {
    let mut found = Vec::new();
    for some in handles.chunks(ROWS) {
        let find = category::Entity::find().filter(category::Column::DeletedAt.is_null());
        found.extend(find.filter(category::Column::Handle.is_in(some.iter().cloned())).all(conn).await?);
    }
    Ok(found)
}

/// Collections by handle.
pub async fn collections_named(conn: &Conn, handles: &[String]) -> Result<Vec<collection::Model>> {
    let mut found = Vec::new();
    for some in handles.chunks(ROWS) {
        let find = collection::Entity::find().filter(collection::Column::DeletedAt.is_null());
        found.extend(find.filter(collection::Column::Handle.is_in(some.iter().cloned())).all(conn).await?);
    }
    Ok(found)
}

/// A variant that has a merchant's number, with what its product is found by.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The number.
    pub sku: String,
    /// The variant.
    pub variant: VariantId,
    /// Its product.
    pub product: ProductId,
    /// The product's part of the web address.
    pub handle: String,
    /// The product's number in another system.
    pub reference: Option<String>,
}

/// Who has these numbers.
pub async fn holders(conn: &Conn, skus: Vec<String>) -> Result<Vec<Holder>> {
    let mut found = Vec::new();
    for some in skus.chunks(ROWS) {
        let marks = vec!["?"; some.len()].join(", ");
        let sql = format!(
            "select variant.sku, variant.id, product.id, product.handle, product.external_reference from variant
                join product on product.id = variant.product_id
                where variant.deleted_at is null and variant.sku in ({marks})"
        );
        let values = some.iter().map(|sku| sku.as_str().into());
        for row in conn.query_all_raw(statement(conn, &sql, values)).await? {
            found.push(Holder {
                sku: row.try_get_by_index(0)?,
                variant: VariantId(row.try_get_by_index(1)?),
                product: ProductId(row.try_get_by_index(2)?),
                handle: row.try_get_by_index(3)?,
                reference: row.try_get_by_index(4)?,
            });
        }
    }
    Ok(found)
}
