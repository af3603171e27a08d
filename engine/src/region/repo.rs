//! Rows of regions.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use domain::id::RegionId;
use domain::payment::CaptureMode;
use domain::text::{CountryCode, Handle};
use entity::{region, region_country, region_payment_provider};
use sea_orm::sea_query::{Expr, ExprTrait, LockType};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

use crate::db::Conn;
use crate::error::Result;
use crate::op::Tx;
use crate::settings::Region;

/// Every region with its countries and providers, oldest first.
pub async fn all(conn: &Conn) -> Result<Vec<Region>> {
    let rows = region::Entity::find()
        .filter(region::Column::DeletedAt.is_null())
        .order_by_asc(region::Column::Id)
        .all(conn)
        .await?;
    let mut countries: HashMap<RegionId, Vec<CountryCode>> = HashMap::new();
    for row in region_country::Entity::find().order_by_asc(region_country::Column::Country).all(conn).await? {
        countries.entry(row.region_id).or_default().push(row.country);
    }
    let mut providers: HashMap<RegionId, BTreeMap<String, CaptureMode>> = HashMap::new();
    let listed = region_payment_provider::Entity::find().order_by_asc(region_payment_provider::Column::Provider);
    for row in listed.all(conn).await? {
        providers.entry(row.region_id).or_default().insert(row.provider, row.capture);
    }
    let whole = |row: region::Model| {
        let captures = providers.remove(&row.id).unwrap_or_default();
        Region {
            countries: countries.remove(&row.id).unwrap_or_default(),
            providers: captures.keys().cloned().collect(),
            captures,
            row,
        }
    };
    Ok(rows.into_iter().map(whole).collect())
}

/// The region with this handle, locked until the transaction ends.
pub async fn lock_handle(tx: &Tx, handle: &Handle) -> Result<Option<region::Model>> {
    let find = region::Entity::find().filter(region::Column::DeletedAt.is_null());
    Ok(find.filter(region::Column::Handle.eq(handle.clone())).lock_exclusive().one(&tx.conn).await?)
}

/// A region, deleted or not, locked until the transaction ends for all but those whose rows name it.
pub async fn lock_any(tx: &Tx, id: RegionId) -> Result<Option<region::Model>> {
    Ok(region::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(&tx.conn).await?)
}

/// A region that is not deleted, locked until the transaction ends, also for those whose rows name it.
pub async fn lock(tx: &Tx, id: RegionId) -> Result<Option<region::Model>> {
    let find = region::Entity::find_by_id(id).filter(region::Column::DeletedAt.is_null());
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// With which rate the listing prices of each region were worked out, and whether it is deleted; nothing of deleted
/// ones without listing prices.
pub async fn listed(conn: &Conn) -> Result<Vec<(RegionId, Option<i32>, bool)>> {
    let there = region::Column::DeletedAt.is_null().or(region::Column::ListedRatePpm.is_not_null());
    let rows: Vec<(RegionId, Option<i32>, Option<DateTime<Utc>>)> = region::Entity::find()
        .select_only()
        .columns([region::Column::Id, region::Column::ListedRatePpm, region::Column::DeletedAt])
        .filter(there)
        .order_by_asc(region::Column::Id)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(|(id, rate, deleted)| (id, rate, deleted.is_some())).collect())
}

/// Notes with which rate the listing prices of a region were worked out.
pub async fn note_listed(tx: &mut Tx, id: RegionId, rate_ppm: Option<i32>) -> Result<()> {
    let change = region::Entity::update_many().col_expr(region::Column::ListedRatePpm, Expr::value(rate_ppm));
    change.filter(region::Column::Id.eq(id)).exec(&tx.conn).await?;
    Ok(())
}

/// Takes the countries and providers of a region away.
pub async fn release_members(tx: &mut Tx, id: RegionId) -> Result<()> {
    region_country::Entity::delete_many().filter(region_country::Column::RegionId.eq(id)).exec(&tx.conn).await?;
    let of = region_payment_provider::Column::RegionId.eq(id);
    region_payment_provider::Entity::delete_many().filter(of).exec(&tx.conn).await?;
    Ok(())
}

/// Writes a region, new or known.
pub async fn save(tx: &mut Tx, row: region::Model, new: bool) -> Result<region::Model> {
    let active = row.into_active_model().reset_all();
    Ok(if new { active.insert(&tx.conn).await? } else { active.update(&tx.conn).await? })
}

/// Replaces the countries and providers of a region.
pub async fn replace_members(
    tx: &mut Tx,
    id: RegionId,
    countries: &[CountryCode],
    captures: &BTreeMap<String, CaptureMode>,
) -> Result<()> {
    release_members(tx, id).await?;
    let countries = countries
        .iter()
        .map(|country| region_country::ActiveModel { country: Set(country.clone()), region_id: Set(id) });
    region_country::Entity::insert_many(countries).exec_without_returning(&tx.conn).await?;
    let providers = captures.iter().map(|(provider, capture)| region_payment_provider::ActiveModel {
        region_id: Set(id),
        provider: Set(provider.clone()),
        capture: Set(*capture),
    });
    region_payment_provider::Entity::insert_many(providers).exec_without_returning(&tx.conn).await?;
    Ok(())
}
