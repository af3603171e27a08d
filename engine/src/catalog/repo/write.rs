//! Rows of the catalog that are written many at once.

use std::collections::HashMap;

use domain::id::{OptionId, OptionValueId, ProductId, VariantId};
use domain::text::Handle;
use entity::{
    media, option, option_value, product, product_media, product_option, product_related, variant, variant_media,
    variant_option_value,
};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable, JoinType, QueryFilter,
    QueryOrder, QuerySelect, RelationDef,
};
use uuid::Uuid;

use crate::db::{Conn, any, insert_all, statement};
use crate::error::Result;
use crate::op::Tx;

/// Rows that one statement writes: well below the 32,766 values of SQLite.
const ROWS: usize = 500;

/// Writes variants, new ones and known ones, every column.
pub async fn put_variants(tx: &mut Tx, rows: Vec<variant::Model>) -> Result<()> {
    let fixed = ["id", "created_at", "product_id"];
    let columns = variant::Column::iter().filter(|column| !fixed.contains(&sea_orm::IdenStatic::as_str(column)));
    let known = OnConflict::column(variant::Column::Id).update_columns(columns).to_owned();
    let mut rows = rows.into_iter().map(IntoActiveModel::into_active_model).peekable();
    while rows.peek().is_some() {
        let some: Vec<variant::ActiveModel> = rows.by_ref().take(ROWS).collect();
        let insert = variant::Entity::insert_many(some).on_conflict(known.clone());
        insert.exec_without_returning(&tx.conn).await?;
    }
    Ok(())
}

/// Takes their numbers and choices off variants that are about to get others:
/// two may change places.
pub async fn free_numbers(tx: &mut Tx, variants: &[VariantId]) -> Result<()> {
    if variants.is_empty() {
        return Ok(());
    }
    variant::Entity::update_many()
        .col_expr(variant::Column::Sku, Expr::cust("null"))
        .col_expr(variant::Column::ExternalReference, Expr::cust("null"))
        .col_expr(variant::Column::Combination, Expr::cust("combination || '~'"))
        .filter(any(&tx.conn, variant::Column::Id, variants.iter().copied()))
        .exec(&tx.conn)
        .await?;
    Ok(())
}

/// Takes the merchant's numbers from variants, which are going to get others.
pub async fn free_skus(tx: &mut Tx, variants: &[VariantId]) -> Result<()> {
    if variants.is_empty() {
        return Ok(());
    }
    variant::Entity::update_many()
        .col_expr(variant::Column::Sku, Expr::cust("null"))
        .col_expr(variant::Column::SkuFold, Expr::val(""))
        .filter(any(&tx.conn, variant::Column::Id, variants.iter().copied()))
        .exec(&tx.conn)
        .await?;
    Ok(())
}

/// Marks variants as deleted.
pub async fn delete_variants(tx: &mut Tx, variants: &[VariantId]) -> Result<()> {
    if variants.is_empty() {
        return Ok(());
    }
    variant::Entity::update_many()
        .col_expr(variant::Column::DeletedAt, Expr::val(tx.now()))
        .filter(any(&tx.conn, variant::Column::Id, variants.iter().copied()))
        .exec(&tx.conn)
        .await?;
    Ok(())
}

/// Forgets the option values of variants.
pub async fn forget_values(tx: &mut Tx, variants: &[VariantId]) -> Result<()> {
    if variants.is_empty() {
        return Ok(());
    }
    let of = any(&tx.conn, variant_option_value::Column::VariantId, variants.iter().copied());
    variant_option_value::Entity::delete_many().filter(of).exec(&tx.conn).await?;
    Ok(())
}

/// Forgets which media show variants.
pub async fn forget_media(tx: &mut Tx, variants: &[VariantId]) -> Result<()> {
    if variants.is_empty() {
        return Ok(());
    }
    let of = any(&tx.conn, variant_media::Column::VariantId, variants.iter().copied());
    variant_media::Entity::delete_many().filter(of).exec(&tx.conn).await?;
    Ok(())
}

/// Writes what is shown in place of a medium, and what it is.
pub async fn update_media(tx: &mut Tx, row: media::Model) -> Result<()> {
    row.into_active_model().reset_all().update(&tx.conn).await?;
    Ok(())
}

/// Replaces the media of a product.
pub async fn replace_media(tx: &mut Tx, product: ProductId, rows: Vec<product_media::Model>) -> Result<()> {
    let of = product_media::Column::ProductId.eq(product);
    product_media::Entity::delete_many().filter(of).exec(&tx.conn).await?;
    Ok(insert_all::<product_media::Entity>(&tx.conn, rows).await?)
}

/// Replaces the options of a product.
pub async fn replace_options(tx: &mut Tx, product: ProductId, options: &[OptionId]) -> Result<()> {
    let of = product_option::Column::ProductId.eq(product);
    product_option::Entity::delete_many().filter(of).exec(&tx.conn).await?;
    let row = |(rank, option_id): (usize, &OptionId)| product_option::Model {
        product_id: product,
        option_id: *option_id,
        rank: rank as i32,
    };
    Ok(insert_all::<product_option::Entity>(&tx.conn, options.iter().enumerate().map(row).collect()).await?)
}

/// Products that are not deleted, locked in the order of their ids.
pub async fn lock_products(tx: &Tx, products: &[ProductId]) -> Result<Vec<product::Model>> {
    Ok(product::Entity::find()
        .filter(any(&tx.conn, product::Column::Id, products.iter().copied()))
        .filter(product::Column::DeletedAt.is_null())
        .order_by_asc(product::Column::Id)
        .lock_exclusive()
        .all(&tx.conn)
        .await?)
}

/// Raises the version of products whose parts were changed.
pub async fn raise_versions(tx: &mut Tx, products: &[ProductId]) -> Result<()> {
    product::Entity::update_many()
        .col_expr(product::Column::Version, Expr::cust("version + 1"))
        .col_expr(product::Column::UpdatedAt, Expr::val(tx.now()))
        .filter(any(&tx.conn, product::Column::Id, products.iter().copied()))
        .exec(&tx.conn)
        .await?;
    Ok(())
}

/// The options of products with their names, in order.
pub async fn options_of_products(conn: &Conn, products: &[ProductId]) -> Result<Vec<(ProductId, option::Model)>> {
    let relation: RelationDef = product_option::Entity::belongs_to(option::Entity)
        .from(product_option::Column::OptionId)
        .to(option::Column::Id)
        .into();
    let links = product_option::Entity::find()
        .filter(any(conn, product_option::Column::ProductId, products.iter().copied()))
        .order_by_asc(product_option::Column::Rank)
        .join(JoinType::InnerJoin, relation)
        .select_also(option::Entity)
        .all(conn)
        .await?;
    Ok(links.into_iter().filter_map(|(link, option)| Some((link.product_id, option?))).collect())
}

/// Variants that have one of these numbers of the merchant's.
pub async fn variants_by_skus(conn: &Conn, skus: Vec<String>) -> Result<Vec<variant::Model>> {
    if skus.is_empty() {
        return Ok(Vec::new());
    }
    let find = variant::Entity::find().filter(variant::Column::DeletedAt.is_null());
    Ok(find.filter(variant::Column::Sku.is_in(skus)).all(conn).await?)
}

/// Variants that have one of these numbers of other systems.
pub async fn variants_by_references(conn: &Conn, references: Vec<String>) -> Result<Vec<variant::Model>> {
    if references.is_empty() {
        return Ok(Vec::new());
    }
    let find = variant::Entity::find().filter(variant::Column::DeletedAt.is_null());
    Ok(find.filter(variant::Column::ExternalReference.is_in(references)).all(conn).await?)
}

/// The ids of option values by option and handle, made when missing.
pub async fn values_of_options(
    tx: &mut Tx,
    wished: &[(OptionId, Handle, String)],
) -> Result<HashMap<(OptionId, Handle), OptionValueId>> {
    let mut options: Vec<OptionId> = wished.iter().map(|(option, ..)| *option).collect();
    options.sort_unstable();
    options.dedup();
    let mut ranks: HashMap<OptionId, i32> = HashMap::new();
    let mut known = HashMap::new();
    for row in values_of(&tx.conn, &options).await? {
        let rank = ranks.entry(row.option_id).or_insert(-1);
        *rank = (*rank).max(row.rank);
        known.insert((row.option_id, row.handle), row.id);
    }
    let mut missing: Vec<option_value::ActiveModel> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for (option, handle, name) in wished {
        let key = (*option, handle.clone());
        if known.contains_key(&key) || !seen.insert(key) {
            continue;
        }
        let rank = ranks.entry(*option).or_insert(-1);
        *rank += 1;
        missing.push(new_value(tx.id(), *option, handle.clone(), name.clone(), *rank).into_active_model());
    }
    if missing.is_empty() {
        return Ok(known);
    }
    let conflict = OnConflict::columns([option_value::Column::OptionId, option_value::Column::Handle]);
    let conflict = conflict.to_owned().do_nothing().to_owned();
    for some in missing.chunks(ROWS) {
        let insert = option_value::Entity::insert_many(some.to_vec()).on_conflict(conflict.clone());
        insert.exec_without_returning(&tx.conn).await?;
    }
    let rows = values_of(&tx.conn, &options).await?;
    Ok(rows.into_iter().map(|row| ((row.option_id, row.handle), row.id)).collect())
}

/// A value without a look of its own.
pub fn new_value(
    id: OptionValueId,
    option_id: OptionId,
    handle: Handle,
    name: String,
    rank: i32,
) -> option_value::Model {
    option_value::Model { id, option_id, handle, name, rank, swatch_color: None, swatch_url: None }
}

/// Every value of options in order.
pub async fn values_of(conn: &Conn, options: &[OptionId]) -> Result<Vec<option_value::Model>> {
    Ok(option_value::Entity::find()
        .filter(any(conn, option_value::Column::OptionId, options.iter().copied()))
        .order_by_asc(option_value::Column::Rank)
        .order_by_asc(option_value::Column::Id)
        .all(conn)
        .await?)
}

/// Gives a copy of a product the media and the neighbors of the original.
pub async fn copy_links(tx: &mut Tx, from: ProductId, to: ProductId) -> Result<()> {
    for sql in [
        "insert into product_media (product_id, media_id, rank)
            select product.id, product_media.media_id, product_media.rank from product_media
            join product on product.id = ? where product_media.product_id = ?",
        "insert into product_related (product_id, related_id, rank)
            select product.id, product_related.related_id, product_related.rank from product_related
            join product on product.id = ? where product_related.product_id = ?",
    ] {
        let values = [Uuid::from(to).into(), Uuid::from(from).into()];
        tx.conn.execute_raw(statement(&tx.conn, sql, values)).await?;
    }
    Ok(())
}

/// Which media show variants, all of them.
pub async fn media_links(conn: &Conn, variants: &[VariantId]) -> Result<Vec<variant_media::Model>> {
    let of = any(conn, variant_media::Column::VariantId, variants.iter().copied());
    Ok(variant_media::Entity::find().filter(of).all(conn).await?)
}

/// The products that staff put beside a product, in order.
pub async fn related_ids(conn: &Conn, product: ProductId) -> Result<Vec<ProductId>> {
    let find = product_related::Entity::find().filter(product_related::Column::ProductId.eq(product));
    let rows = find.order_by_asc(product_related::Column::Rank).all(conn).await?;
    Ok(rows.into_iter().map(|row| row.related_id).collect())
}

/// Replaces the products that stand beside a product.
pub async fn replace_related(tx: &mut Tx, product: ProductId, related: &[ProductId]) -> Result<()> {
    let of = product_related::Column::ProductId.eq(product);
    product_related::Entity::delete_many().filter(of).exec(&tx.conn).await?;
    let row = |(rank, id): (usize, &ProductId)| product_related::Model {
        product_id: product,
        related_id: *id,
        rank: rank as i32,
    };
    Ok(insert_all::<product_related::Entity>(&tx.conn, related.iter().enumerate().map(row).collect()).await?)
}
