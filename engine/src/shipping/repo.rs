//! Rows of shipping options, their zones and prices.

use std::collections::HashMap;

use domain::id::ShippingOptionId;
use domain::text::{CountryCode, Handle};
use entity::{geo_zone, price, service_zone, shipping_option};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::db::Conn;
use crate::error::Result;
use crate::op::Tx;
use crate::settings::ShippingOption;

/// Every shipping option, oldest first.
pub async fn all(conn: &Conn) -> Result<Vec<ShippingOption>> {
    let rows = shipping_option::Entity::find()
        .filter(shipping_option::Column::DeletedAt.is_null())
        .order_by_asc(shipping_option::Column::Id)
        .all(conn)
        .await?;
    let mut zones: HashMap<Uuid, Vec<CountryCode>> = HashMap::new();
    for row in geo_zone::Entity::find().order_by_asc(geo_zone::Column::Country).all(conn).await? {
        zones.entry(row.service_zone_id).or_default().push(row.country);
    }
    let mut prices: HashMap<ShippingOptionId, Vec<price::Model>> = HashMap::new();
    let listed = price::Entity::find().filter(price::Column::ShippingOptionId.is_not_null());
    for row in listed.order_by_asc(price::Column::Id).all(conn).await? {
        if let Some(option) = row.shipping_option_id {
            prices.entry(option).or_default().push(row);
        }
    }
    let whole = |row: shipping_option::Model| ShippingOption {
        countries: zones.get(&row.service_zone_id).cloned().unwrap_or_default(),
        prices: prices.remove(&row.id).unwrap_or_default(),
        row,
    };
    Ok(rows.into_iter().map(whole).collect())
}

/// The option with this handle, locked until the transaction ends.
pub async fn lock_handle(tx: &Tx, handle: &Handle) -> Result<Option<shipping_option::Model>> {
    let find = shipping_option::Entity::find().filter(shipping_option::Column::DeletedAt.is_null());
    Ok(find.filter(shipping_option::Column::Handle.eq(handle.clone())).lock_exclusive().one(&tx.conn).await?)
}

/// Writes an option, new or known, with its zone.
pub async fn save(tx: &mut Tx, row: shipping_option::Model, new: bool) -> Result<shipping_option::Model> {
    if new {
        let zone = service_zone::ActiveModel { id: Set(row.service_zone_id), name: Set(row.name.clone()) };
        service_zone::Entity::insert(zone).exec_without_returning(&tx.conn).await?;
    }
    let active = row.into_active_model().reset_all();
    Ok(if new { active.insert(&tx.conn).await? } else { active.update(&tx.conn).await? })
}

/// Replaces where an option goes and what it costs.
pub async fn replace_parts(
    tx: &mut Tx,
    row: &shipping_option::Model,
    countries: &[CountryCode],
    prices: Vec<price::Model>,
) -> Result<()> {
    geo_zone::Entity::delete_many()
        .filter(geo_zone::Column::ServiceZoneId.eq(row.service_zone_id))
        .exec(&tx.conn)
        .await?;
    price::Entity::delete_many().filter(price::Column::ShippingOptionId.eq(row.id)).exec(&tx.conn).await?;
    let zones = countries.iter().map(|country| geo_zone::ActiveModel {
        service_zone_id: Set(row.service_zone_id),
        country: Set(country.clone()),
    });
    geo_zone::Entity::insert_many(zones).exec_without_returning(&tx.conn).await?;
    let prices = prices.into_iter().map(|price| price.into_active_model().reset_all());
    price::Entity::insert_many(prices).exec_without_returning(&tx.conn).await?;
    Ok(())
}
