//! Rows of `listing_price`, and what they are worked out from.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::{ChannelId, PriceListId, ProductId, RegionId, VariantId};
use domain::money::Currency;
use domain::pricing::Candidate;
use domain::rule::Rules;
use entity::{listing_price, price, product, product_channel, variant};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{in_lists, to_variant};
use crate::db::{Conn, any, insert_all, statement};
use crate::error::Result;
use crate::op::Tx;

/// The prices of each variant of each product.
pub type Prices = HashMap<ProductId, HashMap<(VariantId, Currency), Vec<Candidate>>>;

/// So many products behind `last`.
pub async fn products(conn: &Conn, last: Option<ProductId>, limit: usize) -> Result<Vec<ProductId>> {
    let mut find = product::Entity::find().select_only().column(product::Column::Id);
    if let Some(last) = last {
        find = find.filter(product::Column::Id.gt(last));
    }
    let find = find.filter(product::Column::DeletedAt.is_null()).order_by_asc(product::Column::Id);
    Ok(find.limit(limit as u64).into_tuple().all(conn).await?)
}

/// Which of these products are not deleted.
pub async fn existing(conn: &Conn, products: &[ProductId]) -> Result<Vec<ProductId>> {
    Ok(product::Entity::find()
        .select_only()
        .column(product::Column::Id)
        .filter(any(conn, product::Column::Id, products.iter().copied()))
        .filter(product::Column::DeletedAt.is_null())
        .into_tuple()
        .all(conn)
        .await?)
}

/// Locks products in the order of their ids until the transaction ends.
pub async fn lock(tx: &Tx, products: &[ProductId]) -> Result<()> {
    let find = product::Entity::find().select_only().column(product::Column::Id);
    let find = find.filter(any(&tx.conn, product::Column::Id, products.iter().copied()));
    let _: Vec<ProductId> = find.order_by_asc(product::Column::Id).lock_exclusive().into_tuple().all(&tx.conn).await?;
    Ok(())
}

/// Forgets what prices were until `before`, and deleted lists of which nothing is left.
pub async fn forget(tx: &mut Tx, before: DateTime<Utc>) -> Result<()> {
    let old = "delete from price_history where until_at < ?";
    tx.conn.execute_raw(statement(&tx.conn, old, [before.into()])).await?;
    let old = "delete from price_list_history where until_at < ?";
    tx.conn.execute_raw(statement(&tx.conn, old, [before.into()])).await?;
    let empty = "delete from price_list where deleted_at is not null and shown_at is not null and deleted_at < ?
        and not exists (select 1 from price where price.price_list_id = price_list.id)
        and not exists (select 1 from price_history where price_history.price_list_id = price_list.id)";
    tx.conn.execute_raw(statement(&tx.conn, empty, [(tx.now() - TimeDelta::days(1)).into()])).await?;
    Ok(())
}

/// In which channels products are for sale, now or later.
pub async fn publications(conn: &Conn, products: &[ProductId]) -> Result<Vec<(ProductId, ChannelId)>> {
    Ok(product_channel::Entity::find()
        .select_only()
        .columns([product_channel::Column::ProductId, product_channel::Column::ChannelId])
        .filter(any(conn, product_channel::Column::ProductId, products.iter().copied()))
        .into_tuple()
        .all(conn)
        .await?)
}

/// Writes rows of products in place of those that they had, in all regions and channels or in one.
pub async fn replace(
    tx: &mut Tx,
    products: &[ProductId],
    (region, channel): (Option<RegionId>, Option<ChannelId>),
    rows: Vec<listing_price::Model>,
) -> Result<()> {
    if products.is_empty() {
        return Ok(());
    }
    let mut old = listing_price::Entity::delete_many().filter(any(
        &tx.conn,
        listing_price::Column::ProductId,
        products.iter().copied(),
    ));
    if let Some(region) = region {
        old = old.filter(listing_price::Column::RegionId.eq(region));
    }
    if let Some(channel) = channel {
        old = old.filter(listing_price::Column::ChannelId.eq(channel));
    }
    old.exec(&tx.conn).await?;
    Ok(insert_all::<listing_price::Entity>(&tx.conn, rows).await?)
}

/// The rows that products have in a region, by product and channel.
pub async fn of_region(
    conn: &Conn,
    products: &[ProductId],
    region: RegionId,
) -> Result<HashMap<(ProductId, ChannelId), listing_price::Model>> {
    let rows = listing_price::Entity::find()
        .filter(any(conn, listing_price::Column::ProductId, products.iter().copied()))
        .filter(listing_price::Column::RegionId.eq(region))
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| ((row.product_id, row.channel_id), row)).collect())
}

/// The rows that products have.
pub async fn of_products(conn: &Conn, products: &[ProductId]) -> Result<Vec<listing_price::Model>> {
    let of = any(conn, listing_price::Column::ProductId, products.iter().copied());
    Ok(listing_price::Entity::find().filter(of).all(conn).await?)
}

/// Forgets the rows of a region.
pub async fn forget_region(tx: &mut Tx, region: RegionId) -> Result<()> {
    let of = listing_price::Column::RegionId.eq(region);
    listing_price::Entity::delete_many().filter(of).exec(&tx.conn).await?;
    Ok(())
}

/// Notes until when listings follow a list.
pub async fn note_shown(tx: &mut Tx, list: PriceListId, now: DateTime<Utc>) -> Result<()> {
    let sql = "update price_list set shown_at = ? where id = ?";
    tx.conn.execute_raw(statement(&tx.conn, sql, [now.into(), Uuid::from(list).into()])).await?;
    Ok(())
}

/// The base prices of products, and those in these lists.
pub async fn prices_of(conn: &Conn, products: &[ProductId], lists: &[PriceListId]) -> Result<Prices> {
    let rows = price::Entity::find()
        .select_only()
        .column(variant::Column::ProductId)
        .columns([
            price::Column::VariantId,
            price::Column::Id,
            price::Column::Currency,
            price::Column::AmountMinor,
            price::Column::IncludesTax,
            price::Column::MinQuantity,
            price::Column::MaxQuantity,
            price::Column::PriceListId,
            price::Column::Rules,
        ])
        .join(JoinType::InnerJoin, to_variant())
        .filter(any(conn, variant::Column::ProductId, products.iter().copied()))
        .filter(variant::Column::DeletedAt.is_null())
        .filter(in_lists(conn, lists))
        .into_tuple()
        .all(conn)
        .await?;
    let mut prices = Prices::new();
    for (product, variant, id, currency, amount_minor, includes_tax, min_quantity, max_quantity, list, rules) in rows {
        let price = Candidate {
            id,
            currency,
            amount_minor,
            includes_tax,
            compare_at_minor: None,
            min_quantity,
            max_quantity,
            list,
            rules: Option::<Rules>::unwrap_or_default(rules),
        };
        prices.entry(product).or_default().entry((variant, currency)).or_default().push(price);
    }
    Ok(prices)
}

/// The products with a price in a list, some at a time behind `last`.
pub async fn products_of(
    conn: &Conn,
    list: PriceListId,
    last: Option<ProductId>,
    limit: usize,
) -> Result<Vec<ProductId>> {
    let mut find = price::Entity::find()
        .select_only()
        .column(variant::Column::ProductId)
        .distinct()
        .join(JoinType::InnerJoin, to_variant())
        .filter(price::Column::PriceListId.eq(list));
    if let Some(last) = last {
        find = find.filter(variant::Column::ProductId.gt(last));
    }
    let find = find.order_by_asc(variant::Column::ProductId).limit(limit as u64);
    Ok(find.into_tuple().all(conn).await?)
}
