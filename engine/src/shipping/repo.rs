//! Rows of shipping profiles, zones and options, and what options cost.

use std::collections::HashMap;
use std::sync::Arc;

use domain::address::area::Area;
use domain::id::{ServiceZoneId, ShippingOptionId, ShippingProfileId};
use domain::money::Currency;
use domain::shipping::ShippingOptionKind;
use domain::text::Handle;
use entity::{geo_zone, price, product, service_zone, shipping_option, shipping_profile};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::db::{Conn, insert_all};
use crate::error::{Error, Result};
use crate::op::Tx;
use crate::settings::{ServiceZone, ShippingOption};

/// Every shipping profile, oldest first.
pub async fn profiles(conn: &Conn) -> Result<Vec<shipping_profile::Model>> {
    Ok(shipping_profile::Entity::find()
        .filter(shipping_profile::Column::DeletedAt.is_null())
        .order_by_asc(shipping_profile::Column::Id)
        .all(conn)
        .await?)
}

/// Every zone, oldest first.
pub async fn zones(conn: &Conn) -> Result<Vec<ServiceZone>> {
    let rows = service_zone::Entity::find()
        .filter(service_zone::Column::DeletedAt.is_null())
        .order_by_asc(service_zone::Column::Id)
        .all(conn)
        .await?;
    let mut areas: HashMap<ServiceZoneId, Vec<Area>> = HashMap::new();
    for row in geo_zone::Entity::find().order_by_asc(geo_zone::Column::Position).all(conn).await? {
        areas.entry(row.service_zone_id).or_default().push(area(row)?);
    }
    let whole =
        |row: service_zone::Model| ServiceZone { areas: Arc::new(areas.remove(&row.id).unwrap_or_default()), row };
    Ok(rows.into_iter().map(whole).collect())
}

fn area(row: geo_zone::Model) -> Result<Area> {
    let postal = serde_json::from_value(row.postal).map_err(Error::internal)?;
    Ok(Area { country: row.country, province: row.province, county: row.county, city: row.city, postal })
}

/// Every shipping option, oldest first.
pub async fn all(conn: &Conn, zones: &[ServiceZone]) -> Result<Vec<ShippingOption>> {
    let rows = shipping_option::Entity::find()
        .filter(shipping_option::Column::DeletedAt.is_null())
        .order_by_asc(shipping_option::Column::Id)
        .all(conn)
        .await?;
    let mut prices: HashMap<ShippingOptionId, Vec<price::Model>> = HashMap::new();
    let listed = price::Entity::find().filter(price::Column::ShippingOptionId.is_not_null());
    for row in listed.order_by_asc(price::Column::Id).all(conn).await? {
        if let Some(option) = row.shipping_option_id {
            prices.entry(option).or_default().push(row);
        }
    }
    let areas_of = |id| zones.iter().find(|zone| zone.row.id == id).map(|zone| zone.areas.clone());
    let whole = |row: shipping_option::Model| {
        let prices = prices.remove(&row.id).unwrap_or_default();
        ShippingOption::new(areas_of(row.service_zone_id).unwrap_or_default(), prices, row)
    };
    Ok(rows.into_iter().map(whole).collect())
}

impl ShippingOption {
    /// An option with what hangs on it.
    pub fn new(areas: Arc<Vec<Area>>, prices: Vec<price::Model>, row: shipping_option::Model) -> Self {
        let mut countries: Vec<_> = areas.iter().map(|area| area.country.clone()).collect();
        countries.sort();
        countries.dedup();
        Self { row, areas, countries, prices }
    }

    /// Whether it has a price in a currency; one that is calculated may have one in each.
    pub fn is_priced_in(&self, currency: Currency) -> bool {
        match self.row.kind {
            ShippingOptionKind::Calculated => true,
            kind if kind.has_tables() => self.row.tables.in_currency(currency).is_some(),
            _ => self.prices.iter().any(|price| price.currency == currency),
        }
    }
}

/// The option with this handle, locked until the transaction ends.
pub async fn lock_handle(tx: &Tx, handle: &Handle) -> Result<Option<shipping_option::Model>> {
    let find = shipping_option::Entity::find().filter(shipping_option::Column::DeletedAt.is_null());
    Ok(find.filter(shipping_option::Column::Handle.eq(handle.clone())).lock_exclusive().one(&tx.conn).await?)
}

/// The option of this id, locked until the transaction ends.
pub async fn lock(tx: &Tx, id: ShippingOptionId) -> Result<Option<shipping_option::Model>> {
    let find = shipping_option::Entity::find_by_id(id).filter(shipping_option::Column::DeletedAt.is_null());
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// Writes an option, new or known.
pub async fn save(tx: &mut Tx, row: shipping_option::Model, new: bool) -> Result<shipping_option::Model> {
    let active = row.into_active_model().reset_all();
    Ok(if new { active.insert(&tx.conn).await? } else { active.update(&tx.conn).await? })
}

/// The flat prices of an option.
pub async fn prices_of(conn: &Conn, option: ShippingOptionId) -> Result<Vec<price::Model>> {
    let find = price::Entity::find().filter(price::Column::ShippingOptionId.eq(option));
    Ok(find.order_by_asc(price::Column::Id).all(conn).await?)
}

/// Replaces the flat prices of an option.
pub async fn replace_prices(tx: &mut Tx, option: ShippingOptionId, prices: Vec<price::Model>) -> Result<()> {
    price::Entity::delete_many().filter(price::Column::ShippingOptionId.eq(option)).exec(&tx.conn).await?;
    Ok(insert_all::<price::Entity>(&tx.conn, prices).await?)
}

/// The zone with this handle, locked until the transaction ends.
pub async fn lock_zone_handle(tx: &Tx, handle: &Handle) -> Result<Option<service_zone::Model>> {
    let find = service_zone::Entity::find().filter(service_zone::Column::DeletedAt.is_null());
    Ok(find.filter(service_zone::Column::Handle.eq(handle.clone())).lock_exclusive().one(&tx.conn).await?)
}

/// The zone of this id, locked until the transaction ends.
pub async fn lock_zone(tx: &Tx, id: ServiceZoneId) -> Result<Option<service_zone::Model>> {
    let find = service_zone::Entity::find_by_id(id).filter(service_zone::Column::DeletedAt.is_null());
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// Writes a zone, new or known.
pub async fn save_zone(tx: &mut Tx, row: service_zone::Model, new: bool) -> Result<service_zone::Model> {
    let active = row.into_active_model().reset_all();
    Ok(if new { active.insert(&tx.conn).await? } else { active.update(&tx.conn).await? })
}

/// Replaces the areas of a zone.
pub async fn replace_areas(tx: &mut Tx, zone: ServiceZoneId, areas: &[Area]) -> Result<()> {
    geo_zone::Entity::delete_many().filter(geo_zone::Column::ServiceZoneId.eq(zone)).exec(&tx.conn).await?;
    let row = |(position, area): (i32, &Area)| geo_zone::Model {
        service_zone_id: zone,
        position,
        country: area.country.clone(),
        province: area.province.clone(),
        county: area.county.clone(),
        city: area.city.clone(),
        postal: serde_json::json!(area.postal),
    };
    Ok(insert_all::<geo_zone::Entity>(&tx.conn, (0..).zip(areas).map(row).collect()).await?)
}

/// The profile with this handle, locked until the transaction ends.
pub async fn lock_profile_handle(tx: &Tx, handle: &Handle) -> Result<Option<shipping_profile::Model>> {
    let find = shipping_profile::Entity::find().filter(shipping_profile::Column::DeletedAt.is_null());
    Ok(find.filter(shipping_profile::Column::Handle.eq(handle.clone())).lock_exclusive().one(&tx.conn).await?)
}

/// The profile of this id, locked until the transaction ends.
pub async fn lock_profile(tx: &Tx, id: ShippingProfileId) -> Result<Option<shipping_profile::Model>> {
    let find = shipping_profile::Entity::find_by_id(id).filter(shipping_profile::Column::DeletedAt.is_null());
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// Writes a profile, new or known.
pub async fn save_profile(tx: &mut Tx, row: shipping_profile::Model, new: bool) -> Result<shipping_profile::Model> {
    let active = row.into_active_model().reset_all();
    Ok(if new { active.insert(&tx.conn).await? } else { active.update(&tx.conn).await? })
}

/// How many products are of a profile.
pub async fn count_products(conn: &Conn, profile: ShippingProfileId) -> Result<u64> {
    let find = product::Entity::find().filter(product::Column::ShippingProfileId.eq(profile));
    Ok(find.filter(product::Column::DeletedAt.is_null()).count(conn).await?)
}
