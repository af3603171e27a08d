//! Rows of regions.

use std::collections::HashMap;

use domain::id::RegionId;
use domain::text::{CountryCode, Handle};
use entity::{region, region_country, region_payment_provider};
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
    let mut providers: HashMap<RegionId, Vec<String>> = HashMap::new();
    let listed = region_payment_provider::Entity::find().order_by_asc(region_payment_provider::Column::Provider);
    for row in listed.all(conn).await? {
        providers.entry(row.region_id).or_default().push(row.provider);
    }
    let whole = |row: region::Model| Region {
        countries: countries.remove(&row.id).unwrap_or_default(),
        providers: providers.remove(&row.id).unwrap_or_default(),
        row,
    };
    Ok(rows.into_iter().map(whole).collect())
}

/// The region with this handle, locked until the transaction ends.
pub async fn lock_handle(tx: &Tx, handle: &Handle) -> Result<Option<region::Model>> {
    let find = region::Entity::find().filter(region::Column::DeletedAt.is_null());
    Ok(find.filter(region::Column::Handle.eq(handle.clone())).lock_exclusive().one(&tx.conn).await?)
}

/// Writes a region, new or known.
pub async fn save(tx: &mut Tx, row: region::Model, new: bool) -> Result<region::Model> {
    let active = row.into_active_model().reset_all();
    Ok(if new { active.insert(&tx.conn).await? } else { active.update(&tx.conn).await? })
}

/// Replaces the countries and providers of a region.
pub async fn replace_members(tx: &mut Tx, id: RegionId, countries: &[CountryCode], providers: &[String]) -> Result<()> {
    region_country::Entity::delete_many().filter(region_country::Column::RegionId.eq(id)).exec(&tx.conn).await?;
    region_payment_provider::Entity::delete_many()
        .filter(region_payment_provider::Column::RegionId.eq(id))
        .exec(&tx.conn)
        .await?;
    let countries = countries
        .iter()
        .map(|country| region_country::ActiveModel { country: Set(country.clone()), region_id: Set(id) });
    region_country::Entity::insert_many(countries).exec_without_returning(&tx.conn).await?;
    let providers = providers
        .iter()
        .map(|provider| region_payment_provider::ActiveModel { region_id: Set(id), provider: Set(provider.clone()) });
    region_payment_provider::Entity::insert_many(providers).exec_without_returning(&tx.conn).await?;
    Ok(())
}
