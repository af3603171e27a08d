//! Rows of prices.

use domain::id::{ChannelId, ProductId, RegionId, VariantId};
use domain::money::Currency;
use domain::pricing::Candidate;
use entity::price;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::db::{Conn, any, hold_settings, statement};
use crate::error::Result;
use crate::op::Tx;

/// The prices of variants in one currency.
pub async fn of_variants(conn: &Conn, variants: &[VariantId], currency: Currency) -> Result<Vec<price::Model>> {
    Ok(price::Entity::find()
        .filter(any(conn, price::Column::VariantId, variants.iter().copied()))
        .filter(price::Column::Currency.eq(currency))
        .order_by_asc(price::Column::Id)
        .all(conn)
        .await?)
}

/// What the choice needs of the prices of variants in one currency.
pub async fn candidates_of(
    conn: &Conn,
    variants: &[VariantId],
    currency: Currency,
) -> Result<Vec<(VariantId, Candidate)>> {
    let rows = price::Entity::find()
        .select_only()
        .columns([
            price::Column::VariantId,
            price::Column::Id,
            price::Column::AmountMinor,
            price::Column::IncludesTax,
            price::Column::CompareAtMinor,
            price::Column::MinQuantity,
            price::Column::MaxQuantity,
            price::Column::RuleCount,
        ])
        .filter(any(conn, price::Column::VariantId, variants.iter().copied()))
        .filter(price::Column::Currency.eq(currency))
        .order_by_asc(price::Column::Id)
        .into_tuple()
        .all(conn)
        .await?;
    let read = |(variant, id, amount_minor, includes_tax, compare_at_minor, min_quantity, max_quantity, rule_count)| {
        let price = Candidate {
            id,
            currency,
            amount_minor,
            includes_tax,
            compare_at_minor,
            min_quantity,
            max_quantity,
            rule_count,
        };
        (variant, price)
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Every price of variants.
pub async fn all_of_variants(conn: &Conn, variants: &[VariantId]) -> Result<Vec<price::Model>> {
    Ok(price::Entity::find()
        .filter(any(conn, price::Column::VariantId, variants.iter().copied()))
        .order_by_asc(price::Column::Id)
        .all(conn)
        .await?)
}

/// What the choice needs of a price.
pub fn candidate(row: &price::Model) -> Candidate {
    Candidate {
        id: row.id,
        currency: row.currency,
        amount_minor: row.amount_minor,
        includes_tax: row.includes_tax,
        compare_at_minor: row.compare_at_minor,
        min_quantity: row.min_quantity,
        max_quantity: row.max_quantity,
        rule_count: row.rule_count,
    }
}

/// Writes new prices.
pub async fn insert(tx: &mut Tx, rows: Vec<price::Model>) -> Result<()> {
    Ok(crate::db::insert_all::<price::Entity>(&tx.conn, rows).await?)
}

/// What a listing shows is the anonymous choice for one piece: no rule, no
/// tier above one. What has no price in a region has a row there too, with a
/// key that comes behind every price, and so has what is not for sale in a
/// channel: one walk finds all in order.
const LIST: &str = "insert into listing_price
        (product_id, channel_id, region_id, currency, min_minor, max_minor, key_minor, listed)
    select product.id, channel.id, region.id, region.currency,
        min(price.amount_minor), max(price.amount_minor), coalesce(min(price.amount_minor), 9007199254740991),
        count(product_channel.product_id) > 0
    from product
    join channel on channel.deleted_at is null
    join region on region.deleted_at is null
    left join product_channel on product_channel.product_id = product.id and product_channel.channel_id = channel.id
    left join variant on variant.product_id = product.id and variant.deleted_at is null
    left join price on price.variant_id = variant.id and price.currency = region.currency and price.rule_count = 0
        and (price.min_quantity is null or price.min_quantity <= 1)
    where product.deleted_at is null";
/// One row for each of these.
const EACH: &str = "group by product.id, channel.id, region.id, region.currency";

/// Renews the listing prices of a product.
pub async fn refresh_product(tx: &mut Tx, product: ProductId) -> Result<()> {
    // A region that is made meanwhile would not be seen here, nor this product there.
    hold_settings(&tx.conn).await?;
    let id = uuid::Uuid::from(product);
    let forget = statement(&tx.conn, "delete from listing_price where product_id = ?", [id.into()]);
    tx.conn.execute_raw(forget).await?;
    let sql = format!("{LIST} and product.id = ? {EACH}");
    tx.conn.execute_raw(statement(&tx.conn, &sql, [id.into()])).await?;
    Ok(())
}

/// Products whose listing prices one statement renews.
const PRODUCTS: usize = 500;

/// Renews the listing prices of many products.
pub async fn refresh_products(tx: &mut Tx, products: &[ProductId]) -> Result<()> {
    hold_settings(&tx.conn).await?;
    for some in products.chunks(PRODUCTS) {
        let ids = || some.iter().map(|id| uuid::Uuid::from(*id).into());
        let marks = vec!["?"; some.len()].join(", ");
        let forget = format!("delete from listing_price where product_id in ({marks})");
        tx.conn.execute_raw(statement(&tx.conn, &forget, ids())).await?;
        let sql = format!("{LIST} and product.id in ({marks}) {EACH}");
        tx.conn.execute_raw(statement(&tx.conn, &sql, ids())).await?;
    }
    Ok(())
}

/// Renews the listing prices of a region; after the settings were touched, so
/// that no product comes by meanwhile.
pub async fn refresh_region(tx: &mut Tx, region: RegionId) -> Result<()> {
    let id = uuid::Uuid::from(region);
    let forget = statement(&tx.conn, "delete from listing_price where region_id = ?", [id.into()]);
    tx.conn.execute_raw(forget).await?;
    let sql = format!("{LIST} and region.id = ? {EACH}");
    tx.conn.execute_raw(statement(&tx.conn, &sql, [id.into()])).await?;
    Ok(())
}

/// Writes the listing prices of a new channel; after the settings were touched.
pub async fn list_channel(tx: &mut Tx, channel: ChannelId) -> Result<()> {
    let sql = format!("{LIST} and channel.id = ? {EACH}");
    tx.conn.execute_raw(statement(&tx.conn, &sql, [uuid::Uuid::from(channel).into()])).await?;
    Ok(())
}
