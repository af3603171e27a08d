//! Rows of media and of uploads.

use chrono::{DateTime, Utc};
use domain::catalog::MediaKind;
use domain::id::{CollectionId, MediaId, ProductId, StagedUploadId, VariantId};
use domain::text::Handle;
use entity::{collection, media, product_media, staged_upload, variant, variant_media};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::db::{self, Conn, any, expression, page_of, statement};
use crate::error::Result;
use crate::op::Tx;
use crate::page::{Key, Page, Place, Rows};

/// A medium that is not deleted.
pub async fn find(conn: &Conn, id: MediaId) -> Result<Option<media::Model>> {
    Ok(media::Entity::find_by_id(id).filter(media::Column::DeletedAt.is_null()).one(conn).await?)
}

/// A medium that is not deleted, locked until the transaction ends.
pub async fn lock(tx: &Tx, id: MediaId) -> Result<Option<media::Model>> {
    let find = media::Entity::find_by_id(id).filter(media::Column::DeletedAt.is_null());
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// Those of these media that are not deleted, locked in one order.
pub async fn lock_all(tx: &Tx, ids: &[MediaId]) -> Result<Vec<media::Model>> {
    Ok(media::Entity::find()
        .filter(any(&tx.conn, media::Column::Id, ids.iter().copied()))
        .filter(media::Column::DeletedAt.is_null())
        .order_by_asc(media::Column::Id)
        .lock_exclusive()
        .all(&tx.conn)
        .await?)
}

/// Writes a new medium.
pub async fn insert(tx: &mut Tx, row: media::Model) -> Result<media::Model> {
    Ok(row.into_active_model().reset_all().insert(&tx.conn).await?)
}

/// Writes every column of a medium.
pub async fn update(tx: &mut Tx, row: media::Model) -> Result<media::Model> {
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// What media must be to be in the list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// One of these kinds.
    pub kinds: Option<Vec<MediaKind>>,
    /// Whether no product and no variant shows them.
    pub unused: Option<bool>,
}

const UNUSED: &str = "not exists (select 1 from product_media join product on product.id = product_media.product_id
        where product_media.media_id = media.id and product.deleted_at is null)
    and not exists (select 1 from variant_media join variant on variant.id = variant_media.variant_id
        where variant_media.media_id = media.id and variant.deleted_at is null)
    and not exists (select 1 from collection where collection.media_id = media.id and collection.deleted_at is null)";

/// A page of media, the newest first, and their number when it is asked for.
pub async fn page(conn: &Conn, filter: &Filter, page: Page, count: bool) -> Result<Rows<media::Model>> {
    let mut condition = Condition::all().add(media::Column::DeletedAt.is_null());
    if let Some(kinds) = &filter.kinds {
        condition = condition.add(media::Column::Kind.is_in(kinds.iter().copied()));
    }
    if let Some(unused) = filter.unused {
        let none = Condition::all().add(expression(conn, &format!("({UNUSED})"), []));
        condition = condition.add(if unused { none } else { none.not() });
    }
    let find = media::Entity::find().filter(condition);
    let place = |row: &media::Model| Place { key: Key::Time(row.created_at), id: row.id.into() };
    let sort = (media::Column::CreatedAt, media::Column::Id);
    Ok(page_of(conn, find, sort, page, count, place).await?)
}

/// The products that show a medium, by themselves or with a variant: id and handle.
pub async fn shown_by(conn: &Conn, id: MediaId, limit: u64) -> Result<Vec<(ProductId, String)>> {
    let sql = "select product.id, product.handle from product where product.deleted_at is null and (
            exists (select 1 from product_media
                where product_media.product_id = product.id and product_media.media_id = ?)
            or exists (select 1 from variant_media join variant on variant.id = variant_media.variant_id
                where variant.product_id = product.id and variant.deleted_at is null
                and variant_media.media_id = ?))
        order by product.handle limit ?";
    let id = Uuid::from(id);
    let rows = conn.query_all_raw(statement(conn, sql, [id.into(), id.into(), (limit as i64).into()])).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

/// The collections whose picture a medium is: id and handle.
pub async fn pictured(conn: &Conn, id: MediaId, limit: u64) -> Result<Vec<(CollectionId, Handle)>> {
    let find = collection::Entity::find().filter(collection::Column::MediaId.eq(id));
    let find = find.filter(collection::Column::DeletedAt.is_null()).order_by_asc(collection::Column::Handle);
    Ok(find.limit(limit).all(conn).await?.into_iter().map(|row| (row.id, row.handle)).collect())
}

/// The media of a product in order, by id.
pub async fn ids_of_product(conn: &Conn, product: ProductId) -> Result<Vec<MediaId>> {
    let find = product_media::Entity::find().filter(product_media::Column::ProductId.eq(product));
    let rows = find.order_by_asc(product_media::Column::Rank).all(conn).await?;
    Ok(rows.into_iter().map(|row| row.media_id).collect())
}

/// The media of a variant in order, by id.
pub async fn ids_of_variant(conn: &Conn, variant: VariantId) -> Result<Vec<MediaId>> {
    let find = variant_media::Entity::find().filter(variant_media::Column::VariantId.eq(variant));
    let rows = find.order_by_asc(variant_media::Column::Rank).all(conn).await?;
    Ok(rows.into_iter().map(|row| row.media_id).collect())
}

/// Replaces the media of a product.
pub async fn replace_of_product(tx: &mut Tx, product: ProductId, ids: &[MediaId]) -> Result<()> {
    product_media::Entity::delete_many().filter(product_media::Column::ProductId.eq(product)).exec(&tx.conn).await?;
    let row =
        |(rank, id): (usize, &MediaId)| product_media::Model { product_id: product, media_id: *id, rank: rank as i32 };
    let rows = ids.iter().enumerate().map(row).collect();
    Ok(db::insert_all::<product_media::Entity>(&tx.conn, rows).await?)
}

/// Replaces the media of a variant.
pub async fn replace_of_variant(tx: &mut Tx, variant: VariantId, ids: &[MediaId]) -> Result<()> {
    variant_media::Entity::delete_many().filter(variant_media::Column::VariantId.eq(variant)).exec(&tx.conn).await?;
    let row =
        |(rank, id): (usize, &MediaId)| variant_media::Model { variant_id: variant, media_id: *id, rank: rank as i32 };
    let rows = ids.iter().enumerate().map(row).collect();
    Ok(db::insert_all::<variant_media::Entity>(&tx.conn, rows).await?)
}

/// A variant that is not deleted, locked until the transaction ends.
pub async fn lock_variant(tx: &Tx, id: VariantId) -> Result<Option<variant::Model>> {
    let find = variant::Entity::find_by_id(id).filter(variant::Column::DeletedAt.is_null());
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// Writes every column of a variant.
pub async fn update_variant(tx: &mut Tx, row: variant::Model) -> Result<variant::Model> {
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// Writes a new permission to upload.
pub async fn insert_upload(tx: &mut Tx, row: staged_upload::Model) -> Result<staged_upload::Model> {
    Ok(row.into_active_model().reset_all().insert(&tx.conn).await?)
}

/// An upload.
pub async fn find_upload(conn: &Conn, id: StagedUploadId) -> Result<Option<staged_upload::Model>> {
    Ok(staged_upload::Entity::find_by_id(id).one(conn).await?)
}

/// An upload, locked until the transaction ends.
pub async fn lock_upload(tx: &Tx, id: StagedUploadId) -> Result<Option<staged_upload::Model>> {
    Ok(staged_upload::Entity::find_by_id(id).lock_exclusive().one(&tx.conn).await?)
}

/// The upload of a token that nobody used and whose time is not over, locked
/// until the transaction ends.
pub async fn lock_unused(tx: &Tx, token_hash: &[u8]) -> Result<Option<staged_upload::Model>> {
    Ok(staged_upload::Entity::find()
        .filter(staged_upload::Column::TokenHash.eq(token_hash.to_vec()))
        .filter(staged_upload::Column::TakenAt.is_null())
        .filter(staged_upload::Column::ExpiresAt.gt(tx.now()))
        .lock_exclusive()
        .one(&tx.conn)
        .await?)
}

/// Writes every column of an upload.
pub async fn update_upload(tx: &mut Tx, row: staged_upload::Model) -> Result<staged_upload::Model> {
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// Forgets an upload.
pub async fn delete_upload(tx: &mut Tx, id: StagedUploadId) -> Result<()> {
    staged_upload::Entity::delete_by_id(id).exec(&tx.conn).await?;
    Ok(())
}

/// How many uploads somebody may still make or use.
pub async fn count_open(tx: &Tx, actor: &str) -> Result<u64> {
    Ok(staged_upload::Entity::find()
        .filter(staged_upload::Column::Actor.eq(actor))
        .filter(staged_upload::Column::ExpiresAt.gt(tx.now()))
        .filter(staged_upload::Column::MediaId.is_null())
        .count(&tx.conn)
        .await?)
}

/// Uploads whose time is over.
pub async fn expired_uploads(conn: &Conn, now: DateTime<Utc>, limit: u64) -> Result<Vec<staged_upload::Model>> {
    Ok(staged_upload::Entity::find()
        .filter(staged_upload::Column::ExpiresAt.lte(now))
        .order_by_asc(staged_upload::Column::ExpiresAt)
        .limit(limit)
        .all(conn)
        .await?)
}

/// Forgets those of these uploads whose time is over.
pub async fn delete_expired(tx: &mut Tx, ids: &[StagedUploadId]) -> Result<()> {
    staged_upload::Entity::delete_many()
        .filter(any(&tx.conn, staged_upload::Column::Id, ids.iter().copied()))
        .filter(staged_upload::Column::ExpiresAt.lte(tx.now()))
        .exec(&tx.conn)
        .await?;
    Ok(())
}

/// Which of these files a medium or an upload names.
pub async fn named_files(conn: &Conn, hashes: &[String]) -> Result<Vec<String>> {
    let media = media::Entity::find()
        .select_only()
        .column(media::Column::FileHash)
        .filter(media::Column::DeletedAt.is_null())
        .filter(media::Column::FileHash.is_in(hashes.iter().cloned()));
    let uploads = staged_upload::Entity::find()
        .select_only()
        .column(staged_upload::Column::FileHash)
        .filter(staged_upload::Column::FileHash.is_in(hashes.iter().cloned()));
    let mut named: Vec<String> = media.into_tuple().all(conn).await?;
    named.extend(uploads.into_tuple::<String>().all(conn).await?);
    named.extend(crate::job::repo::named_files(conn, hashes).await?);
    Ok(named)
}

/// All files that anybody names.
pub async fn all_named_files(conn: &Conn) -> Result<Vec<String>> {
    let media = media::Entity::find()
        .select_only()
        .column(media::Column::FileHash)
        .filter(media::Column::DeletedAt.is_null())
        .filter(media::Column::FileHash.is_not_null());
    let uploads = staged_upload::Entity::find()
        .select_only()
        .column(staged_upload::Column::FileHash)
        .filter(staged_upload::Column::FileHash.is_not_null());
    let mut named: Vec<String> = media.into_tuple().all(conn).await?;
    named.extend(uploads.into_tuple::<String>().all(conn).await?);
    named.extend(crate::job::repo::all_named_files(conn).await?);
    named.sort_unstable();
    named.dedup();
    Ok(named)
}
