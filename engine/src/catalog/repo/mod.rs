//! Rows of the catalog.

pub mod export;
pub mod grid;
pub mod import;
pub mod listing;
pub mod look_up;
pub mod narrow;
pub mod options;
mod placed;
pub mod related;
mod selected;
pub mod weigh;
pub mod write;

use std::collections::HashMap;

use domain::id::{OptionId, OptionValueId, ProductId, ProductTypeId, TagId, VariantId};
use domain::text::Handle;
use entity::{
    media, option, option_value, product, product_channel, product_media, product_option, product_tag, product_type,
    tag, variant, variant_media, variant_option_value,
};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, JoinType,
    QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait, RelationDef, Select, TryGetable,
};
use uuid::Uuid;

use crate::db::{Conn, any, statement};
use crate::error::{Error, Result};
use crate::op::Tx;

pub use selected::{selected_of, selected_of_products};

/// A product that is not deleted, locked until the transaction ends.
pub async fn lock(tx: &Tx, id: ProductId) -> Result<Option<product::Model>> {
    let find = product::Entity::find_by_id(id).filter(product::Column::DeletedAt.is_null());
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// The product with this handle, locked until the transaction ends.
pub async fn lock_handle(tx: &Tx, handle: &Handle) -> Result<Option<product::Model>> {
    let find = product::Entity::find().filter(product::Column::DeletedAt.is_null());
    Ok(find.filter(product::Column::Handle.eq(handle.clone())).lock_exclusive().one(&tx.conn).await?)
}

/// The product with this number of another system.
pub async fn find_external(conn: &Conn, reference: &str) -> Result<Option<product::Model>> {
    let find = product::Entity::find().filter(product::Column::DeletedAt.is_null());
    Ok(find.filter(product::Column::ExternalReference.eq(reference)).one(conn).await?)
}

/// Products by id, deleted ones too: an order may still show them.
pub async fn by_ids(conn: &Conn, ids: &[ProductId]) -> Result<Vec<product::Model>> {
    Ok(product::Entity::find().filter(any(conn, product::Column::Id, ids.iter().copied())).all(conn).await?)
}

/// Writes every column of a product.
pub async fn update(tx: &mut Tx, row: product::Model) -> Result<product::Model> {
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// Variants by id that are not deleted.
pub async fn variants_by_ids(conn: &Conn, ids: &[VariantId]) -> Result<Vec<variant::Model>> {
    Ok(variant::Entity::find()
        .filter(any(conn, variant::Column::Id, ids.iter().copied()))
        .filter(variant::Column::DeletedAt.is_null())
        .all(conn)
        .await?)
}

/// The variants of products in order.
pub async fn variants_of(conn: &Conn, products: &[ProductId]) -> Result<Vec<variant::Model>> {
    let find = variant::Entity::find()
        .filter(any(conn, variant::Column::ProductId, products.iter().copied()))
        .filter(variant::Column::DeletedAt.is_null())
        .order_by_asc(variant::Column::Rank)
        .order_by_asc(variant::Column::Id);
    let rows = conn.query_all(&find.into_query()).await?;
    Ok(rows.iter().map(placed::variant_of).collect::<Result<_, _>>()?)
}

/// Which of these numbers other products' variants have.
pub async fn skus_taken(conn: &Conn, skus: &[String], except: Option<ProductId>) -> Result<Vec<String>> {
    let mut find = variant::Entity::find()
        .filter(variant::Column::DeletedAt.is_null())
        .filter(variant::Column::Sku.is_in(skus.iter().cloned()));
    if let Some(product) = except {
        find = find.filter(variant::Column::ProductId.ne(product));
    }
    Ok(find.all(conn).await?.into_iter().filter_map(|row| row.sku).collect())
}

/// Which of these numbers of other systems other products' variants have.
pub async fn references_taken(conn: &Conn, references: &[String], except: Option<ProductId>) -> Result<Vec<String>> {
    let found = write::variants_by_references(conn, references.to_vec()).await?;
    let others = found.into_iter().filter(|row| Some(row.product_id) != except);
    Ok(others.filter_map(|row| row.external_reference).collect())
}

/// An option of a product with one of its values.
#[derive(Debug, Clone)]
pub struct OptionRow {
    /// Of which product.
    pub product: ProductId,
    /// The option.
    pub option: OptionId,
    /// Its name.
    pub name: String,
    /// The value.
    pub value: OptionValueId,
    /// The value's name.
    pub value_name: String,
    /// The value's color, `#rrggbb`.
    pub swatch_color: Option<String>,
    /// The address of the value's picture.
    pub swatch_url: Option<String>,
}

/// The options of products with the values that their variants have, in order.
pub async fn options_of(conn: &Conn, products: &[ProductId]) -> Result<Vec<OptionRow>> {
    // Both are the same products: without the second, PostgreSQL reads all variants.
    let condition = any(conn, product_option::Column::ProductId, products.iter().copied()).and(any(
        conn,
        variant::Column::ProductId,
        products.iter().copied(),
    ));
    let mut select = sea_orm::sea_query::Query::select();
    let column = |table: &'static str, name: &'static str| Expr::col((table, name));
    select
        .expr(column("product_option", "product_id"))
        .expr(column("option", "id"))
        .expr(column("option", "name"))
        .expr(column("option_value", "id"))
        .expr(column("option_value", "name"))
        .expr(column("option_value", "swatch_color"))
        .expr(column("option_value", "swatch_url"))
        .from(product_option::Entity)
        .inner_join(option::Entity, column("option", "id").equals(("product_option", "option_id")))
        .inner_join(
            variant::Entity,
            column("variant", "product_id")
                .equals(("product_option", "product_id"))
                .and(column("variant", "deleted_at").is_null()),
        )
        .inner_join(
            variant_option_value::Entity,
            column("variant_option_value", "variant_id")
                .equals(("variant", "id"))
                .and(column("variant_option_value", "option_id").equals(("option", "id"))),
        )
        .inner_join(
            option_value::Entity,
            column("option_value", "id").equals(("variant_option_value", "option_value_id")),
        )
        .and_where(condition)
        .group_by_columns([
            ("product_option", "product_id"),
            ("product_option", "rank"),
            ("option", "id"),
            ("option", "name"),
            ("option_value", "id"),
            ("option_value", "name"),
            ("option_value", "swatch_color"),
            ("option_value", "swatch_url"),
        ])
        .order_by(("product_option", "rank"), sea_orm::Order::Asc)
        .order_by_expr(ExprTrait::min(column("variant", "rank")), sea_orm::Order::Asc);
    let rows = conn.query_all(&select).await?;
    let read = |row: sea_orm::QueryResult| {
        Ok(OptionRow {
            product: row.try_get_by_index(0)?,
            option: row.try_get_by_index(1)?,
            name: row.try_get_by_index(2)?,
            value: row.try_get_by_index(3)?,
            value_name: row.try_get_by_index(4)?,
            swatch_color: row.try_get_by_index(5)?,
            swatch_url: row.try_get_by_index(6)?,
        })
    };
    rows.into_iter().map(read).collect()
}

/// The media of products in order.
pub async fn media_of(conn: &Conn, products: &[ProductId]) -> Result<Vec<(ProductId, media::Model)>> {
    let link =
        product_media::Entity::belongs_to(media::Entity).from(product_media::Column::MediaId).to(media::Column::Id);
    let find = media::Entity::find()
        .column_as(product_media::Column::ProductId, "owner")
        .join(JoinType::InnerJoin, RelationDef::from(link).rev())
        .filter(any(conn, product_media::Column::ProductId, products.iter().copied()))
        .order_by_asc(product_media::Column::Rank);
    media_owned(conn, find).await
}

/// The media of variants in order.
pub async fn variant_media_of(conn: &Conn, variants: &[VariantId]) -> Result<Vec<(VariantId, media::Model)>> {
    let link =
        variant_media::Entity::belongs_to(media::Entity).from(variant_media::Column::MediaId).to(media::Column::Id);
    let find = media::Entity::find()
        .column_as(variant_media::Column::VariantId, "owner")
        .join(JoinType::InnerJoin, RelationDef::from(link).rev())
        .filter(any(conn, variant_media::Column::VariantId, variants.iter().copied()))
        .order_by_asc(variant_media::Column::Rank);
    media_owned(conn, find).await
}

/// Media, each with whose it is: what the statement calls `owner`.
async fn media_owned<I: TryGetable>(conn: &Conn, find: Select<media::Entity>) -> Result<Vec<(I, media::Model)>> {
    let rows = conn.query_all(&find.into_query()).await?;
    let read = |row: QueryResult| Ok((row.try_get("", "owner")?, placed::medium_of(&row)?));
    rows.into_iter().map(read).collect()
}

/// The rows of a statement, each with whose it is: what the statement calls `owner`.
async fn owned<I: TryGetable, E: EntityTrait>(conn: &Conn, find: Select<E>) -> Result<Vec<(I, E::Model)>> {
    let rows = conn.query_all(&find.into_query()).await?;
    let read = |row: QueryResult| Ok((row.try_get("", "owner")?, E::Model::from_query_result(&row, "")?));
    rows.into_iter().map(read).collect()
}

/// The tags of products in order.
pub async fn tags_of(conn: &Conn, products: &[ProductId]) -> Result<Vec<(ProductId, tag::Model)>> {
    let link = product_tag::Entity::belongs_to(tag::Entity).from(product_tag::Column::TagId).to(tag::Column::Id);
    let find = tag::Entity::find()
        .column_as(product_tag::Column::ProductId, "owner")
        .join(JoinType::InnerJoin, RelationDef::from(link).rev())
        .filter(any(conn, product_tag::Column::ProductId, products.iter().copied()))
        .order_by_asc(product_tag::Column::Rank);
    owned(conn, find).await
}

/// Product types by id.
pub async fn types_by_ids(conn: &Conn, ids: &[ProductTypeId]) -> Result<Vec<product_type::Model>> {
    Ok(product_type::Entity::find().filter(any(conn, product_type::Column::Id, ids.iter().copied())).all(conn).await?)
}

/// In which channels products are published.
pub async fn channels_of(conn: &Conn, products: &[ProductId]) -> Result<Vec<product_channel::Model>> {
    Ok(product_channel::Entity::find()
        .filter(any(conn, product_channel::Column::ProductId, products.iter().copied()))
        .order_by_asc(product_channel::Column::ChannelId)
        .all(conn)
        .await?)
}

/// Replaces the channels of a product.
pub async fn replace_channels(tx: &mut Tx, product: ProductId, rows: Vec<product_channel::Model>) -> Result<()> {
    product_channel::Entity::delete_many()
        .filter(product_channel::Column::ProductId.eq(product))
        .exec(&tx.conn)
        .await?;
    Ok(crate::db::insert_all::<product_channel::Entity>(&tx.conn, rows).await?)
}

/// Replaces the tags of a product.
pub async fn replace_tags(tx: &mut Tx, product: ProductId, tags: &[TagId]) -> Result<()> {
    product_tag::Entity::delete_many().filter(product_tag::Column::ProductId.eq(product)).exec(&tx.conn).await?;
    let rows = tags.iter().enumerate().map(|(rank, tag)| product_tag::Model {
        product_id: product,
        tag_id: *tag,
        rank: rank as i32,
    });
    Ok(crate::db::insert_all::<product_tag::Entity>(&tx.conn, rows.collect()).await?)
}

/// The type of this name, made when there is none.
pub async fn type_named(tx: &mut Tx, name: &str) -> Result<ProductTypeId> {
    let row = product_type::Model { id: tx.id(), value: name.to_owned(), fold: name.to_lowercase() };
    product_type::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::column(product_type::Column::Fold).do_nothing().to_owned())
        .exec_without_returning(&tx.conn)
        .await?;
    let found = product_type::Entity::find().filter(product_type::Column::Fold.eq(name.to_lowercase()));
    Ok(found.one(&tx.conn).await?.ok_or_else(|| Error::internal("the product type vanished"))?.id)
}

/// The tags of these names in their order, made when missing.
pub async fn tags_named(tx: &mut Tx, names: &[String]) -> Result<Vec<TagId>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<_> = names
        .iter()
        .map(|name| tag::Model { id: tx.id(), value: name.clone(), fold: name.to_lowercase() }.into_active_model())
        .collect();
    tag::Entity::insert_many(rows)
        .on_conflict(OnConflict::column(tag::Column::Fold).do_nothing().to_owned())
        .exec_without_returning(&tx.conn)
        .await?;
    let folds: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let found = tag::Entity::find().filter(tag::Column::Fold.is_in(folds.clone())).all(&tx.conn).await?;
    let ids: HashMap<String, TagId> = found.into_iter().map(|row| (row.fold, row.id)).collect();
    Ok(folds.iter().filter_map(|fold| ids.get(fold).copied()).collect())
}

/// The option of this handle, made when there is none.
pub async fn option_named(tx: &mut Tx, handle: &Handle, name: &str) -> Result<OptionId> {
    let (id, created_at, handle_text) = (tx.id(), tx.now(), handle.clone());
    let row = option::Model { id, created_at, handle: handle_text, name: name.to_owned(), version: 1, rank: 0 };
    option::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::column(option::Column::Handle).do_nothing().to_owned())
        .exec_without_returning(&tx.conn)
        .await?;
    let found = option::Entity::find().filter(option::Column::Handle.eq(handle.clone())).one(&tx.conn).await?;
    Ok(found.ok_or_else(|| Error::internal("the option vanished"))?.id)
}

/// The options of a product in order.
pub async fn option_ids(conn: &Conn, product: ProductId) -> Result<Vec<OptionId>> {
    let find = product_option::Entity::find().filter(product_option::Column::ProductId.eq(product));
    Ok(find.order_by_asc(product_option::Column::Rank).all(conn).await?.into_iter().map(|row| row.option_id).collect())
}

/// Marks the variants of a product as deleted.
pub async fn delete_variants(tx: &mut Tx, product: ProductId) -> Result<()> {
    let sql = "update variant set deleted_at = ? where product_id = ? and deleted_at is null";
    tx.conn.execute_raw(statement(&tx.conn, sql, [tx.now().into(), Uuid::from(product).into()])).await?;
    Ok(())
}
