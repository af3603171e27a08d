//! Rows of prices.

pub mod listing;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use domain::id::{PriceId, PriceListId, ProductId, VariantId};
use domain::money::Currency;
use domain::pricing::history::{Past, PastPrice};
use domain::pricing::{Candidate, PriceList, PriceListStatus};
use domain::rule::Rules;
use domain::text::Handle;
use entity::{price, price_history, price_list, price_list_history, variant};
use sea_orm::sea_query::{ExprTrait, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, JoinType, QueryFilter, QueryOrder,
    QuerySelect, RelationDef,
};

use crate::db::{Conn, any, any_sql, any_text, page_of, statement};
use crate::error::Result;
use crate::op::Tx;
use crate::page::{Key, Page, Place, Rows};

/// The prices of variants in one currency.
pub async fn of_variants(conn: &Conn, variants: &[VariantId], currency: Currency) -> Result<Vec<price::Model>> {
    Ok(price::Entity::find()
        .filter(any(conn, price::Column::VariantId, variants.iter().copied()))
        .filter(price::Column::Currency.eq(currency))
        .order_by_asc(price::Column::Id)
        .all(conn)
        .await?)
}

/// What the choice needs of the prices of variants in one currency: base prices
/// and those of `lists`.
pub async fn candidates_of(
    conn: &Conn,
    variants: &[VariantId],
    currency: Currency,
    lists: &[PriceListId],
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
            price::Column::PriceListId,
            price::Column::Rules,
        ])
        .filter(any(conn, price::Column::VariantId, variants.iter().copied()))
        .filter(price::Column::Currency.eq(currency))
        .filter(in_lists(conn, lists))
        .order_by_asc(price::Column::Id)
        .into_tuple()
        .all(conn)
        .await?;
    let read =
        |(variant, id, amount_minor, includes_tax, compare_at_minor, min_quantity, max_quantity, list, rules)| {
            let rules = Option::<Rules>::unwrap_or_default(rules);
            let price = Candidate {
                id,
                currency,
                amount_minor,
                includes_tax,
                compare_at_minor,
                min_quantity,
                max_quantity,
                list,
                rules,
            };
            (variant, price)
        };
    Ok(rows.into_iter().map(read).collect())
}

/// A price stands in no list, or in one of these.
pub fn in_lists(conn: &Conn, lists: &[PriceListId]) -> SimpleExpr {
    let base = price::Column::PriceListId.is_null();
    match lists {
        [] => base,
        lists => base.or(any(conn, price::Column::PriceListId, lists.iter().copied())),
    }
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
        list: row.price_list_id,
        rules: row.rules.clone().unwrap_or_default(),
    }
}

/// Writes new prices.
pub async fn insert(tx: &mut Tx, rows: Vec<price::Model>) -> Result<()> {
    Ok(crate::db::insert_all::<price::Entity>(&tx.conn, rows).await?)
}

/// Forgets prices, and keeps what those of variants were until now.
pub async fn delete(tx: &mut Tx, prices: &[PriceId]) -> Result<()> {
    if prices.is_empty() {
        return Ok(());
    }
    let (among, ids) = any_sql(&tx.conn, prices.iter().copied());
    let sql = format!(
        "insert into price_history (id, variant_id, price_list_id, currency, amount_minor, includes_tax, min_quantity,
            max_quantity, rules, from_at, until_at)
        select id, variant_id, price_list_id, currency, amount_minor, includes_tax, min_quantity,
            max_quantity, rules, created_at, ? from price
        where variant_id is not null and created_at < ? and id {among}"
    );
    let values = [tx.now().into(), tx.now().into(), ids];
    tx.conn.execute_raw(statement(&tx.conn, &sql, values)).await?;
    price::Entity::delete_many()
        .filter(any(&tx.conn, price::Column::Id, prices.iter().copied()))
        .exec(&tx.conn)
        .await?;
    Ok(())
}

/// What variants cost in a currency after a moment: what stands, and what stood until then.
pub async fn past_of(
    conn: &Conn,
    variants: &[VariantId],
    currency: Currency,
    after: DateTime<Utc>,
) -> Result<HashMap<VariantId, Past>> {
    let stood = price_history::Entity::find()
        .filter(any(conn, price_history::Column::VariantId, variants.iter().copied()))
        .filter(price_history::Column::Currency.eq(currency))
        .filter(price_history::Column::UntilAt.gt(after))
        .all(conn)
        .await?;
    let stands = of_variants(conn, variants, currency).await?;
    let named: BTreeSet<PriceListId> =
        stood.iter().map(|row| row.price_list_id).chain(stands.iter().map(|row| row.price_list_id)).flatten().collect();
    let lists = past_lists(conn, &named, after).await?;
    let before = stood.into_iter().map(|row| {
        let price = Candidate {
            id: row.id,
            currency: row.currency,
            amount_minor: row.amount_minor,
            includes_tax: row.includes_tax,
            compare_at_minor: None,
            min_quantity: row.min_quantity,
            max_quantity: row.max_quantity,
            list: row.price_list_id,
            rules: row.rules.unwrap_or_default(),
        };
        let (from, until) = (row.from_at.timestamp_micros(), Some(row.until_at.timestamp_micros()));
        (row.variant_id, PastPrice { price, from, until })
    });
    let now = stands.iter().filter_map(|row| {
        let from = row.created_at.timestamp_micros();
        Some((row.variant_id?, PastPrice { price: candidate(row), from, until: None }))
    });
    let mut past: HashMap<VariantId, Past> = HashMap::new();
    for (variant, price) in before.chain(now) {
        past.entry(variant).or_insert_with(|| Past { prices: Vec::new(), lists: lists.clone() }).prices.push(price);
    }
    Ok(past)
}

/// What lists were before they were changed, as far as they counted after a moment.
async fn past_lists(conn: &Conn, named: &BTreeSet<PriceListId>, after: DateTime<Utc>) -> Result<Vec<PriceList>> {
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let rows = price_list_history::Entity::find()
        .filter(any(conn, price_list_history::Column::PriceListId, named.iter().copied()))
        .filter(price_list_history::Column::UntilAt.gt(after))
        .all(conn)
        .await?;
    let list = |row: price_list_history::Model| PriceList {
        id: row.price_list_id,
        kind: row.kind,
        status: PriceListStatus::Active,
        starts_at: Some(row.from_at.timestamp_micros()),
        ends_at: Some(row.until_at.timestamp_micros()),
        priority: row.priority,
        rules: row.rules,
    };
    Ok(rows.into_iter().map(list).collect())
}

/// Keeps what a list was for a while.
pub async fn remember_list(tx: &mut Tx, row: price_list_history::Model) -> Result<()> {
    Ok(crate::db::insert_all::<price_list_history::Entity>(&tx.conn, vec![row]).await?)
}

/// Every price list, oldest first, also those that are deleted and whose prices are still remembered.
pub async fn lists(conn: &Conn) -> Result<Vec<price_list::Model>> {
    Ok(price_list::Entity::find().order_by_asc(price_list::Column::Id).all(conn).await?)
}

/// A price list, locked until the transaction ends.
pub async fn lock_list(tx: &Tx, id: PriceListId) -> Result<Option<price_list::Model>> {
    let find = price_list::Entity::find_by_id(id).filter(price_list::Column::DeletedAt.is_null());
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// A price list, deleted or not, locked until the transaction ends.
pub async fn lock_any_list(tx: &Tx, id: PriceListId) -> Result<Option<price_list::Model>> {
    Ok(price_list::Entity::find_by_id(id).lock_exclusive().one(&tx.conn).await?)
}

/// The prices of a list on the variants of some products.
pub async fn ids_in_list(conn: &Conn, list: PriceListId, products: &[ProductId]) -> Result<Vec<PriceId>> {
    Ok(price::Entity::find()
        .select_only()
        .column(price::Column::Id)
        .join(JoinType::InnerJoin, to_variant())
        .filter(price::Column::PriceListId.eq(list))
        .filter(any(conn, variant::Column::ProductId, products.iter().copied()))
        .into_tuple()
        .all(conn)
        .await?)
}

/// The price list of this handle, locked until the transaction ends.
pub async fn lock_list_named(tx: &Tx, handle: &Handle) -> Result<Option<price_list::Model>> {
    let find = price_list::Entity::find().filter(price_list::Column::DeletedAt.is_null());
    Ok(find.filter(price_list::Column::Handle.eq(handle.clone())).lock_exclusive().one(&tx.conn).await?)
}

/// Writes a price list, new or known.
pub async fn save_list(tx: &mut Tx, row: price_list::Model, new: bool) -> Result<price_list::Model> {
    let active = row.into_active_model().reset_all();
    Ok(if new { active.insert(&tx.conn).await? } else { active.update(&tx.conn).await? })
}

/// How many prices each of these lists has.
pub async fn counts(conn: &Conn, lists: &[PriceListId]) -> Result<Vec<(PriceListId, i64)>> {
    Ok(price::Entity::find()
        .select_only()
        .column(price::Column::PriceListId)
        .column_as(price::Column::Id.count(), "prices")
        .filter(any(conn, price::Column::PriceListId, lists.iter().copied()))
        .group_by(price::Column::PriceListId)
        .into_tuple()
        .all(conn)
        .await?)
}

/// The prices that variants have in a list; with `None` those that stand in none.
pub async fn of_list(conn: &Conn, list: Option<PriceListId>, variants: &[VariantId]) -> Result<Vec<price::Model>> {
    let find = price::Entity::find().filter(any(conn, price::Column::VariantId, variants.iter().copied()));
    let find = match list {
        Some(list) => find.filter(price::Column::PriceListId.eq(list)),
        None => find.filter(price::Column::PriceListId.is_null()),
    };
    Ok(find.order_by_asc(price::Column::Id).all(conn).await?)
}

/// Variants that are not deleted, by id or by SKU, with their products.
pub async fn variants(
    conn: &Conn,
    ids: &[VariantId],
    skus: &[String],
) -> Result<Vec<(VariantId, Option<String>, ProductId)>> {
    let named = any(conn, variant::Column::Id, ids.iter().copied());
    let find = match skus {
        [] => variant::Entity::find().filter(named),
        skus => variant::Entity::find().filter(named.or(any_text(conn, variant::Column::Sku, skus))),
    };
    Ok(find
        .filter(variant::Column::DeletedAt.is_null())
        .select_only()
        .columns([variant::Column::Id, variant::Column::Sku, variant::Column::ProductId])
        .into_tuple()
        .all(conn)
        .await?)
}

/// A page of the prices of a list, the oldest first, and their number when it is asked for.
pub async fn page_of_list(conn: &Conn, list: PriceListId, page: Page, count: bool) -> Result<Rows<price::Model>> {
    let find = price::Entity::find().filter(price::Column::PriceListId.eq(list));
    let place = |row: &price::Model| Place { key: Key::Time(row.created_at), id: row.id.into() };
    Ok(page_of(conn, find, (price::Column::CreatedAt, price::Column::Id), page, count, place).await?)
}

fn to_variant() -> RelationDef {
    price::Entity::belongs_to(variant::Entity).from(price::Column::VariantId).to(variant::Column::Id).into()
}

/// A price of a list with what a file knows it by.
#[derive(Debug, Clone)]
pub struct Numbered {
    /// The price.
    pub price: PriceId,
    /// The product of its variant.
    pub product: ProductId,
    /// The number of its variant.
    pub sku: Option<String>,
}

/// The prices of a list on some products behind `after`, in the order of the products.
pub async fn skus_in_list(
    conn: &Conn,
    list: PriceListId,
    after: Option<ProductId>,
    products: usize,
) -> Result<Vec<Numbered>> {
    let some = listing::products_of(conn, list, after, products).await?;
    let rows = price::Entity::find()
        .select_only()
        .column(price::Column::Id)
        .columns([variant::Column::ProductId, variant::Column::Sku])
        .join(JoinType::InnerJoin, to_variant())
        .filter(price::Column::PriceListId.eq(list))
        .filter(any(conn, variant::Column::ProductId, some))
        .order_by_asc(variant::Column::ProductId)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(|(price, product, sku)| Numbered { price, product, sku }).collect())
}

/// The prices that a list has on the variants of some products, with the numbers of these.
pub async fn numbered_of_list(
    conn: &Conn,
    list: PriceListId,
    products: &[ProductId],
) -> Result<Vec<(Option<String>, price::Model)>> {
    let found = variant::Entity::find()
        .select_only()
        .columns([variant::Column::Id, variant::Column::Sku])
        .filter(any(conn, variant::Column::ProductId, products.iter().copied()))
        .filter(variant::Column::DeletedAt.is_null())
        .order_by_asc(variant::Column::ProductId)
        .order_by_asc(variant::Column::Rank)
        .order_by_asc(variant::Column::Id)
        .into_tuple()
        .all(conn)
        .await?;
    let found: Vec<(VariantId, Option<String>)> = found;
    let ids: Vec<VariantId> = found.iter().map(|(id, _)| *id).collect();
    let mut prices: HashMap<VariantId, Vec<price::Model>> = HashMap::new();
    for row in of_list(conn, Some(list), &ids).await? {
        if let Some(variant) = row.variant_id {
            prices.entry(variant).or_default().push(row);
        }
    }
    let with_sku = |(id, sku): (VariantId, Option<String>)| {
        let own = prices.remove(&id).unwrap_or_default();
        own.into_iter().map(move |row| (sku.clone(), row))
    };
    Ok(found.into_iter().flat_map(with_sku).collect())
}
